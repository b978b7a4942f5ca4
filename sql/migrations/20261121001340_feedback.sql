-- Feedback: what the two sides say of a match or a session, asked for by surveys or unasked.
-- The author reads their own; the other side what is meant for them; admins all. The verbs and
-- the job send_feedback_surveys write.

insert into public.program_settings (key, value, description) values
  ('survey_days', '30', 'Every so many days of a match both sides are asked how it goes.');

create table public.mentorship_feedback (
  id uuid primary key default gen_random_uuid(),
  match_id uuid references public.matches (id) on delete cascade,
  session_id uuid references public.mentorship_sessions (session_id) on delete cascade,
  author_id uuid not null references public.users (id) on delete cascade,
  author_role text not null,
  about_id uuid references public.users (id) on delete set null,
  rating integer,
  comment text not null default '',
  feedback_type text not null default 'general',
  period integer not null default 0,
  is_shared boolean not null default false,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint mentorship_feedback_of_one check (num_nonnulls(match_id, session_id) >= 1),
  constraint mentorship_feedback_role_known check (author_role in ('student', 'mentor')),
  constraint mentorship_feedback_rating_range check (rating between 1 and 5),
  constraint mentorship_feedback_type_known
    check (feedback_type in ('survey', 'meeting', 'check_in', 'final', 'general')),
  constraint mentorship_feedback_comment_fits check (length(comment) <= 5000),
  constraint mentorship_feedback_says_something check (rating is not null or comment <> ''),
  constraint mentorship_feedback_period_not_negative check (period >= 0)
);

-- The same survey, meeting, check-in is answered once; answering again corrects it.
create unique index mentorship_feedback_once_idx
on public.mentorship_feedback (match_id, author_id, feedback_type, period, session_id)
nulls not distinct where feedback_type <> 'general';
create index mentorship_feedback_match_idx on public.mentorship_feedback (match_id, created_at);
create index mentorship_feedback_session_idx on public.mentorship_feedback (session_id);
create index mentorship_feedback_author_idx on public.mentorship_feedback (author_id);
create index mentorship_feedback_about_idx on public.mentorship_feedback (about_id);

comment on table public.mentorship_feedback is 'What people say of their match or a session.';
comment on column public.mentorship_feedback.id is 'The feedback.';
comment on column public.mentorship_feedback.match_id is 'The match that it is about.';
comment on column public.mentorship_feedback.session_id is 'The session that it is about, if one.';
comment on column public.mentorship_feedback.author_id is 'Who says it: users.id.';
comment on column public.mentorship_feedback.author_role is 'student or mentor: what they are there.';
comment on column public.mentorship_feedback.about_id is 'The other side: users.id.';
comment on column public.mentorship_feedback.rating is '1 to 5.';
comment on column public.mentorship_feedback.comment is
  'The rest, in words; of a check-in: well or help.';
comment on column public.mentorship_feedback.feedback_type is
  'survey, meeting, check_in, final or general.';
comment on column public.mentorship_feedback.period is
  'Of a survey: the how many-eth of the match; of a check-in: on which of its days; otherwise 0.';
comment on column public.mentorship_feedback.is_shared is 'Whether the other side may read it.';
comment on column public.mentorship_feedback.created_at is 'When it was given.';
comment on column public.mentorship_feedback.updated_at is 'When it was last changed.';

alter table public.mentorship_feedback enable row level security;
revoke all on table public.mentorship_feedback from public, anon, authenticated, service_role;
grant select, insert, update, delete on table public.mentorship_feedback to service_role;
grant select on table public.mentorship_feedback to authenticated;

create trigger mentor_sync_touch before update on public.mentorship_feedback
for each row when (old is distinct from new) execute function private.touch_updated_at();

create policy "Authors read theirs, the other side what is shared, admins all"
on public.mentorship_feedback for select to authenticated
using (
  author_id = (select private.current_user_id())
  or is_shared and about_id = (select private.current_user_id())
  or (select private.is_admin())
);

-- Surveys -----------------------------------------------------------------------------------

create table public.match_surveys (
  match_id uuid not null references public.matches (id) on delete cascade,
  user_id uuid not null references public.users (id) on delete cascade,
  period integer not null,
  asked_at timestamptz not null default now(),
  primary key (match_id, user_id, period),
  constraint match_surveys_period_not_negative check (period >= 0)
);

create index match_surveys_user_idx on public.match_surveys (user_id);

comment on table public.match_surveys is
  'Who was asked how a match goes, and when: nobody twice for the same period.';
comment on column public.match_surveys.match_id is 'The match.';
comment on column public.match_surveys.user_id is 'Who was asked: users.id.';
comment on column public.match_surveys.period is
  'The how many-eth survey of the match; 0: the last one, after it was completed.';
comment on column public.match_surveys.asked_at is 'When.';

alter table public.match_surveys enable row level security;
revoke all on table public.match_surveys from public, anon, authenticated, service_role;
grant select, insert, update, delete on table public.match_surveys to service_role;
grant select on table public.match_surveys to authenticated;
create policy "Admins read who was asked" on public.match_surveys for select to authenticated
using ((select private.is_admin()));

create function private.day_of(p_match public.matches, p_at timestamptz) returns integer
language sql immutable set search_path = '' as $$
  select floor(greatest(extract(epoch from p_at - p_match.started_at), 0) / 86400)::integer
$$;
comment on function private.day_of(public.matches, timestamptz) is
  'On which day of a match that is, from 0.';

create function private.survey_days() returns integer
language sql stable set search_path = '' as $$
  select greatest(private.number_setting('survey_days', 30), 1)
$$;
comment on function private.survey_days() is 'How long a period between two surveys is.';

create function private.survey_period(p_match public.matches, p_days integer) returns integer
language sql stable set search_path = '' as $$
  select private.day_of(p_match, coalesce(p_match.ended_at, now())) / p_days
$$;
comment on function private.survey_period(public.matches, integer) is
  'The how many-eth survey of a match it is time for; 0: for none yet.';

-- Feedback ----------------------------------------------------------------------------------

create function private.keep_feedback(
  p_match public.matches, p_author uuid, p_rating integer, p_comment text, p_type text,
  p_period integer, p_session_id uuid, p_is_shared boolean
) returns uuid
language sql volatile set search_path = '' as $$
  insert into public.mentorship_feedback as f (
    match_id, session_id, author_id, author_role, about_id, rating, comment, feedback_type, period,
    is_shared
  )
  values (
    p_match.id, p_session_id, p_author, private.side_of(p_match, p_author),
    case p_author when p_match.student_id then p_match.mentor_id else p_match.student_id end,
    p_rating, coalesce(p_comment, ''), p_type, p_period, coalesce(p_is_shared, false)
  )
  on conflict (match_id, author_id, feedback_type, period, session_id)
  where feedback_type <> 'general'
  do update set
    rating = coalesce(excluded.rating, f.rating),
    comment = coalesce(nullif(excluded.comment, ''), f.comment),
    is_shared = coalesce(p_is_shared, f.is_shared)
  returning f.id
$$;
comment on function private.keep_feedback(
  public.matches, uuid, integer, text, text, integer, uuid, boolean
) is 'Keeps feedback of one side; what was said of the same before is corrected.';

create function private.require_words_fit(p_rating integer, p_comment text, p_type text)
returns void
language plpgsql stable set search_path = '' as $$
begin
  if (p_type in ('survey', 'meeting', 'check_in', 'final', 'general')) is not true then
    raise exception 'The type "%" of feedback is not known.', left(p_type, 40)
      using errcode = '22023', hint = 'p_type is survey, meeting, check_in, final or general.';
  end if;
  if p_rating not between 1 and 5 then
    raise exception 'A rating of % cannot be given.', p_rating
      using errcode = '22023', hint = 'p_rating is 1 to 5, or left out.';
  end if;
  if length(p_comment) > 5000 then
    raise exception 'The comment has % characters.', length(p_comment)
      using errcode = '22023', hint = 'p_comment has 5000 at the most.';
  end if;
  if p_rating is null and coalesce(p_comment, '') = '' then
    raise exception 'Feedback says something.'
      using errcode = '22023', hint = 'Give p_rating, 1 to 5, or p_comment, or both.';
  end if;
end
$$;
comment on function private.require_words_fit(integer, text, text) is
  'An error that says what may be given, where feedback cannot be kept so.';

create function private.require_feedback_fits(
  p_match public.matches, p_type text, p_comment text, p_session_id uuid
) returns void
language plpgsql stable set search_path = '' as $$
begin
  if p_match.status = 'pending' or p_match.ended_at < now() - interval '30 days'
    or p_type in ('survey', 'check_in') and p_match.ended_at is not null
    or p_type = 'final' and p_match.ended_at is null then
    raise exception 'This match is %; there is no feedback of this type on it now.', p_match.status
      using errcode = 'MS027', hint = 'final is for 30 days after the end, the others are before it.';
  end if;
  if p_type = 'check_in' and coalesce(p_comment, '') not in ('well', 'help') then
    raise exception 'A check-in says well or help.' using errcode = '22023', hint = 'In p_comment.';
  end if;
  if (p_type = 'meeting') <> (p_session_id is not null) or p_session_id is not null and not exists (
    select from public.mentorship_sessions as s
    where s.session_id = p_session_id and s.match_id = p_match.id and not s.is_deleted
  ) then
    raise exception 'Feedback on a meeting names a meeting of the match.'
      using errcode = 'MS011', hint = 'meeting_logs shows yours.';
  end if;
end
$$;
comment on function private.require_feedback_fits(public.matches, text, text, uuid) is
  'An error where feedback of this type cannot be given on the match now.';

-- Definer: nobody writes feedback as somebody else.
create function private.submit_feedback(
  p_match_id uuid, p_rating integer, p_comment text, p_type text, p_session_id uuid,
  p_is_shared boolean
) returns uuid
language plpgsql volatile security definer set search_path = '' as $$
declare
  theirs constant public.matches := private.own_match(p_match_id);
begin
  perform private.require_words_fit(p_rating, p_comment, p_type);
  perform private.require_feedback_fits(theirs, p_type, p_comment, p_session_id);
  return private.keep_feedback(
    theirs, private.current_user_id(), p_rating, p_comment, p_type,
    case p_type
      when 'survey' then private.survey_period(theirs, private.survey_days())
      when 'check_in' then private.day_of(theirs, now())
      else 0
    end,
    p_session_id, p_is_shared
  );
end
$$;
comment on function private.submit_feedback(uuid, integer, text, text, uuid, boolean) is
  'Keeps what whoever is signed in says of their match.';

create function public.submit_feedback(
  p_match_id uuid,
  p_rating integer default null,
  p_comment text default null,
  p_type text default 'general',
  p_session_id uuid default null,
  p_is_shared boolean default null
) returns uuid
language sql volatile set search_path = '' as $$
  select private.submit_feedback(
    p_match_id, p_rating, p_comment, p_type, p_session_id, p_is_shared
  )
$$;
comment on function public.submit_feedback(uuid, integer, text, text, uuid, boolean) is
  'Feedback of either side on a match: its id. Given again, that of a survey, a meeting, a check-in'
  ' or the end is corrected. The other side reads it if p_is_shared.';

create function public.get_feedback(p_match_id uuid) returns setof public.mentorship_feedback
language sql stable set search_path = '' as $$
  select f.* from public.mentorship_feedback as f
  where f.match_id = p_match_id
  order by f.created_at, f.id
$$;
comment on function public.get_feedback(uuid) is
  'Feedback on a match: one''s own and what the other side shared; admins see all.';

-- What follows from it ----------------------------------------------------------------------

-- A student has one vote a match, whatever often they vote: the mean of their ratings there.
-- The mentors are locked first, so that of two votes at once the later one counts both.
create function private.refresh_ratings(p_mentors uuid[]) returns void
language plpgsql volatile set search_path = '' as $$
begin
  perform from public.mentors as t where t.person_id = any (p_mentors)
  order by t.id for no key update;
  update public.mentors as t
  set rating = voted.rating, rating_count = voted.n
  from (
    select p.id, coalesce(round(avg(v.rating), 2), 0.00) as rating, count(v.rating)::integer as n
    from unnest(p_mentors) as p (id)
    left join lateral (
      select avg(f.rating) as rating from public.mentorship_feedback as f
      where f.about_id = p.id and f.author_role = 'student' and f.rating is not null
      group by coalesce(f.match_id, f.session_id)
    ) as v on true
    group by p.id
  ) as voted
  where t.person_id = voted.id
    and (t.rating, t.rating_count) is distinct from (voted.rating, voted.n);
end
$$;
comment on function private.refresh_ratings(uuid[]) is
  'Makes the rating of these mentors again: the mean over their matches of what students gave.';

-- Whoever asks for help was heard of, the two together were not.
create function private.is_contact(p_feedback public.mentorship_feedback) returns boolean
language sql immutable set search_path = '' as $$
  select p_feedback.feedback_type <> 'check_in' or p_feedback.comment <> 'help'
$$;
comment on function private.is_contact(public.mentorship_feedback) is
  'Whether feedback says that the two of a match are in contact.';

create function private.note_contact(p_matches uuid[]) returns void
language sql volatile set search_path = '' as $$
  update public.matches as m
  set last_contact_at = now()
  where m.id = any (p_matches) and m.status in ('active', 'paused')
$$;
comment on function private.note_contact(uuid[]) is 'The two of these matches were heard of now.';

-- Definer: whoever's write it was may change neither mentors nor matches. Where somebody else
-- changes what was said, as one who clears comments away, nobody was heard of.
create function private.feedback_changed() returns trigger
language plpgsql volatile security definer set search_path = '' as $$
declare
  rated uuid[] := '{}';
begin
  if tg_op <> 'INSERT' then
    rated := array(select o.about_id from old_rows as o where o.author_role = 'student');
  end if;
  if tg_op <> 'DELETE' then
    rated := rated || array(select n.about_id from new_rows as n where n.author_role = 'student');
  end if;
  if tg_op = 'INSERT' then
    perform private.note_contact(array(
      select n.match_id from new_rows as n where private.is_contact(n)
    ));
  elsif tg_op = 'UPDATE' then
    perform private.note_contact(array(
      select n.match_id from new_rows as n
      inner join old_rows as o using (id)
      where private.is_contact(n) and n.author_id = private.current_user_id()
        and (n.rating, n.comment) is distinct from (o.rating, o.comment)
    ));
  end if;
  perform private.refresh_ratings(array(select distinct r.id from unnest(rated) as r (id)));
  return null;
end
$$;
comment on function private.feedback_changed() is
  'Trigger: mentors are rated anew, and the two were heard of.';

create trigger mentor_sync_rated_inserted after insert on public.mentorship_feedback
referencing new table as new_rows
for each statement execute function private.feedback_changed();
create trigger mentor_sync_rated_updated after update on public.mentorship_feedback
referencing old table as old_rows new table as new_rows
for each statement execute function private.feedback_changed();
create trigger mentor_sync_rated_deleted after delete on public.mentorship_feedback
referencing old table as old_rows
for each statement execute function private.feedback_changed();

-- Definer: anybody may answer who has the link. What is about no match is left alone.
create function private.survey_answered() returns trigger
language plpgsql volatile security definer set search_path = '' as $$
declare
  part constant text[] := string_to_array(new.about, ':');
  theirs public.matches;
begin
  select m.* into theirs from public.matches as m
  where m.id = part[2]::uuid and new.user_id in (m.student_id, m.mentor_id);
  if not found then
    return null;
  end if;
  if part[3] in ('survey', 'final') and new.answer in ('1', '2', '3', '4', '5') then
    perform private.keep_feedback(
      theirs, new.user_id, new.answer::integer, null, part[3],
      case part[3] when 'survey' then part[4]::integer else 0 end, null, null
    );
  elsif part[3] = 'risk' and new.answer in ('well', 'help') then
    perform private.keep_feedback(
      theirs, new.user_id, null, new.answer, 'check_in', private.day_of(theirs, now()), null, null
    );
  end if;
  if new.answer <> 'help' then
    perform private.note_contact(array[theirs.id]);
  end if;
  return null;
end
$$;
comment on function private.survey_answered() is
  'Trigger: a click in a survey or a check-in becomes feedback.';

create trigger mentor_sync_answered after insert on public.message_answers
for each row when (
  new.about ~ '^match:[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}:(survey:[0-9]{1,6}|final|risk:[0-9-]+)$'
) execute function private.survey_answered();

-- The job -----------------------------------------------------------------------------------

-- Of a period only while it lasts: after an outage nobody is asked about the ones before it.
create function private.due_surveys(p_ids uuid[])
returns table (match_id uuid, user_id uuid, other_id uuid, period integer)
language sql stable set search_path = '' as $$
  select m.id, p.id, m.other_id, d.period
  from (select private.survey_days() as days offset 0) as known
  cross join unnest(p_ids) as p (id)
  -- Each person's matches by their index, and not the people of every match.
  cross join lateral (
    select x.id, x.status, x.ended_at, x.mentor_id as other_id, x as row
    from public.matches as x where x.student_id = p.id
    union all
    select x.id, x.status, x.ended_at, x.student_id, x
    from public.matches as x where x.mentor_id = p.id
  ) as m
  cross join lateral (
    select case m.status
      when 'active' then private.survey_period(m.row, known.days) else 0
    end as period
    offset 0
  ) as d
  where (
    m.status = 'active' and d.period >= 1
    or m.status = 'completed' and m.ended_at > now() - interval '14 days'
  )
    and not exists (
      select from public.match_surveys as s
      where s.match_id = m.id and s.user_id = p.id and s.period = d.period
    )
    and not exists (
      select from public.mentorship_feedback as f
      where f.match_id = m.id and f.author_id = p.id and f.period = d.period
        and f.feedback_type = case d.period when 0 then 'final' else 'survey' end
    )
$$;
comment on function private.due_surveys(uuid[]) is
  'The surveys that these people are to be asked now, and were not.';

create function private.queue_surveys(p_user_id uuid, p_surveys jsonb) returns void
language sql volatile set search_path = '' as $$
  select public.queue_message(
    case when jsonb_array_length(p_surveys) = 1 then 'feedback_survey' else 'survey_digest' end,
    p_user_id,
    -- Of several, it outlives the first match.
    case when jsonb_array_length(p_surveys) = 1 then '' else 'surveys:' end
    || (p_surveys -> 0 ->> 'about'),
    jsonb_build_object('ask', asked.questions) || case
      when jsonb_array_length(p_surveys) > 1 then jsonb_build_object('surveys', asked.surveys)
      else asked.surveys -> 0
    end,
    5, null, now() + make_interval(days => private.survey_days())
  )
  from (
    select
      jsonb_agg(jsonb_build_object(
        'about', s.survey ->> 'about', 'answers', array['1', '2', '3', '4', '5']
      ) order by s.place) as questions,
      jsonb_agg(s.survey - 'about' order by s.place) as surveys
    from jsonb_array_elements(p_surveys) with ordinality as s (survey, place)
  ) as asked
$$;
comment on function private.queue_surveys(uuid, jsonb) is
  'One mail with the surveys of a person: [{about, other_name, comment_url}].';

create function private.ask_surveys(p_ids uuid[]) returns jsonb
language sql volatile set search_path = '' as $$
  with due as materialized (
    select d.* from private.due_surveys(p_ids) as d
  ),
  noted as (
    insert into public.match_surveys as s (match_id, user_id, period)
    select d.match_id, d.user_id, d.period from due as d order by d.match_id, d.user_id
    on conflict do nothing
    returning s.match_id, s.user_id, s.period
  ),
  mail as (
    select n.user_id, count(*) as surveys, jsonb_agg(
      jsonb_build_object(
        'about', concat_ws(
          ':', 'match', n.match_id,
          case n.period when 0 then 'final' else 'survey:' || n.period end
        ),
        'other_name', coalesce(o.full_name, ''),
        'comment_url', private.page_url('matches/' || n.match_id)
      ) order by o.full_name, n.match_id
    ) as listed
    from noted as n
    inner join due as d using (match_id, user_id, period)
    inner join public.users as o on o.id = d.other_id
    group by n.user_id
  ),
  queued as (
    select m.surveys, private.queue_surveys(m.user_id, m.listed) from mail as m
  )
  select jsonb_build_object('mails', count(*), 'surveys', coalesce(sum(q.surveys), 0))
  from queued as q
$$;
comment on function private.ask_surveys(uuid[]) is
  'Asks these people what is due: how many mails, and surveys in them.';

-- Kept in the run, so that a call whose answer was lost is answered again and not done again.
create function private.keep_progress(
  p_run public.job_runs, p_after uuid, p_cursor uuid, p_read integer, p_done boolean, p_counts jsonb
) returns jsonb
language sql volatile set search_path = '' as $$
  with answer (value) as (
    values (jsonb_build_object(
      'cursor', p_cursor, 'done', p_done, 'read', p_read, 'counts', p_counts
    ))
  )
  update public.job_runs as r
  set progress = jsonb_build_object(
    'after', p_after, 'cursor', p_cursor, 'done', p_done,
    'read', coalesce((p_run.progress ->> 'read')::bigint, 0) + p_read,
    'counts', private.add_counts(coalesce(p_run.progress -> 'counts', '{}'), p_counts),
    'answer', a.value
  )
  from answer as a
  where r.id = p_run.id
  returning a.value
$$;
comment on function private.keep_progress(
  public.job_runs, uuid, uuid, integer, boolean, jsonb
) is 'Notes in its run what a chunk did: the answer of the call.';

-- Definer: what it calls is nobody else's to call.
create function private.send_feedback_surveys(
  p_run_id uuid, p_fence bigint, p_after uuid, p_limit integer, p_dry_run boolean
) returns jsonb
language plpgsql volatile security definer set search_path = '' as $$
declare
  run constant public.job_runs := private.assert_run(p_run_id, p_fence);
  ids uuid[];
  counts jsonb;
begin
  if run.progress ? 'answer' and run.progress ->> 'after' is not distinct from p_after::text then
    return run.progress -> 'answer';
  end if;
  ids := array(
    select u.id from public.users as u
    where p_after is null or u.id > p_after
    order by u.id limit p_limit
  );
  begin
    counts := private.ask_surveys(array(
      select u.id from public.users as u where u.id = any (ids) and u.status = 'Active'
    ));
    if p_dry_run then
      raise exception using errcode = 'MS000', message = 'dry run';
    end if;
  exception
    when sqlstate 'MS000' then null;
  end;
  return private.keep_progress(
    run, p_after, ids[cardinality(ids)], cardinality(ids), cardinality(ids) < p_limit, counts
  );
end
$$;
comment on function private.send_feedback_surveys(uuid, bigint, uuid, integer, boolean) is
  'One chunk of the job send_feedback_surveys.';

create function public.send_feedback_surveys(
  p_run_id uuid, p_fence bigint, p_after uuid default null, p_limit integer default 1000,
  p_dry_run boolean default false
) returns jsonb
language sql volatile set search_path = '' as $$
  select private.send_feedback_surveys(
    p_run_id, p_fence, p_after, least(greatest(p_limit, 1), 20000), p_dry_run
  )
$$;
comment on function public.send_feedback_surveys(uuid, bigint, uuid, integer, boolean) is
  'Asks people after p_after, p_limit of them, how their matches go: counts, cursor, done.';

revoke all on function
  private.day_of(public.matches, timestamptz),
  private.survey_days(),
  private.survey_period(public.matches, integer),
  private.keep_feedback(public.matches, uuid, integer, text, text, integer, uuid, boolean),
  private.require_words_fit(integer, text, text),
  private.require_feedback_fits(public.matches, text, text, uuid),
  private.submit_feedback(uuid, integer, text, text, uuid, boolean),
  private.refresh_ratings(uuid[]),
  private.is_contact(public.mentorship_feedback),
  private.note_contact(uuid[]),
  private.feedback_changed(),
  private.survey_answered(),
  private.due_surveys(uuid[]),
  private.queue_surveys(uuid, jsonb),
  private.ask_surveys(uuid[]),
  private.keep_progress(public.job_runs, uuid, uuid, integer, boolean, jsonb),
  private.send_feedback_surveys(uuid, bigint, uuid, integer, boolean),
  public.submit_feedback(uuid, integer, text, text, uuid, boolean),
  public.get_feedback(uuid),
  public.send_feedback_surveys(uuid, bigint, uuid, integer, boolean)
from public, anon, authenticated, service_role;
grant execute on function
  private.submit_feedback(uuid, integer, text, text, uuid, boolean),
  public.submit_feedback(uuid, integer, text, text, uuid, boolean)
to authenticated;
grant execute on function public.get_feedback(uuid) to authenticated, service_role;
grant execute on function
  private.send_feedback_surveys(uuid, bigint, uuid, integer, boolean),
  public.send_feedback_surveys(uuid, bigint, uuid, integer, boolean)
to service_role;
