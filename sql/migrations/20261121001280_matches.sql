-- Matches: who mentors whom, and who did. users.mentor_id follows the active primary match.
-- Both sides read theirs, admins all; of the health only service_role and verbs for admins tell;
-- verbs and service_role write.

create table public.matches (
  id uuid primary key default gen_random_uuid(),
  student_id uuid not null references public.users (id) on delete cascade,
  mentor_id uuid not null references public.users (id) on delete cascade,
  role text not null default 'primary',
  request_id uuid unique references public.mentorship_requests (id) on delete set null,
  status text not null default 'active',
  goals text[] not null default '{}',
  score numeric(5, 2),
  breakdown jsonb,
  started_at timestamptz not null default now(),
  ended_at timestamptz,
  end_reason text,
  undone boolean not null default false,
  last_contact_at timestamptz,
  health_score integer,
  health_status text not null default 'unknown',
  health_reasons jsonb not null default '[]',
  health_checked_at timestamptz,
  at_risk_since timestamptz,
  escalated_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint matches_role_known check (role in ('primary', 'substitute', 'peer')),
  constraint matches_status_known
    check (status in ('pending', 'active', 'paused', 'completed', 'dissolved')),
  constraint matches_not_oneself check (student_id <> mentor_id),
  constraint matches_score_range check (score between 0 and 100),
  constraint matches_health_range check (health_score between 0 and 100),
  constraint matches_health_known
    check (health_status in ('unknown', 'healthy', 'watch', 'at_risk')),
  constraint matches_reasons_are_list check (jsonb_typeof(health_reasons) = 'array'),
  constraint matches_ended_has_time
    check ((status in ('completed', 'dissolved')) = (ended_at is not null))
);

-- A student has one mentor at a time, beside substitutes and peers.
create unique index matches_one_primary_idx on public.matches (student_id)
where role = 'primary' and status in ('active', 'paused');
create index matches_student_idx on public.matches (student_id);
create index matches_mentor_idx on public.matches (mentor_id);
create index matches_active_idx on public.matches (id) where status = 'active';

comment on table public.matches is 'Mentors and their students, now and before.';
comment on column public.matches.id is 'The match.';
comment on column public.matches.student_id is 'The student: users.id.';
comment on column public.matches.mentor_id is 'The mentor: users.id.';
comment on column public.matches.role is 'primary; substitute, for a while; or peer.';
comment on column public.matches.request_id is 'The request that it answers, if any.';
comment on column public.matches.status is 'pending, active, paused, completed or dissolved.';
comment on column public.matches.goals is 'What the two want to reach.';
comment on column public.matches.score is 'How well they suited when it began, 0 to 100.';
comment on column public.matches.breakdown is 'The parts of that score, as calculate_match_score.';
comment on column public.matches.started_at is 'When it began.';
comment on column public.matches.ended_at is 'When it was completed or dissolved.';
comment on column public.matches.end_reason is 'Why it ended; both sides read it.';
comment on column public.matches.undone is
  'The run that began it was taken back within a day: the two may be matched as if it had not been.';
comment on column public.matches.last_contact_at is 'When the two were last heard of.';
comment on column public.matches.health_score is 'How well it goes, 0 to 100; see health_reasons.';
comment on column public.matches.health_status is 'unknown, healthy, watch or at_risk.';
comment on column public.matches.health_reasons is
  'What made the score: [{"part", "points", "of", "why"}].';
comment on column public.matches.health_checked_at is 'When the health last came out otherwise.';
comment on column public.matches.at_risk_since is 'Since when it is at risk; empty: it is not.';
comment on column public.matches.escalated_at is 'When admins were told of it.';
comment on column public.matches.created_at is 'When the row was made.';
comment on column public.matches.updated_at is 'When it was last changed.';

create table public.match_events (
  id uuid primary key default gen_random_uuid(),
  match_id uuid not null references public.matches (id) on delete cascade,
  old_status text,
  new_status text not null,
  reason text,
  actor_id uuid references public.users (id) on delete set null,
  run_id uuid,
  created_at timestamptz not null default now()
);

create index match_events_match_idx on public.match_events (match_id, created_at);
create index match_events_actor_idx on public.match_events (actor_id);

comment on table public.match_events is 'What became of each match, step by step.';
comment on column public.match_events.id is 'The step.';
comment on column public.match_events.match_id is 'The match.';
comment on column public.match_events.old_status is 'Its status before; empty: it was made.';
comment on column public.match_events.new_status is 'Its status after.';
comment on column public.match_events.reason is 'Why, where somebody said so.';
comment on column public.match_events.actor_id is 'Who did it; empty: a job or an operator.';
comment on column public.match_events.run_id is 'The run that did it, if one did.';
comment on column public.match_events.created_at is 'When.';

alter table public.matches enable row level security;
revoke all on table public.matches from public, anon, authenticated, service_role;
grant select, insert, update, delete on table public.matches to service_role;
-- Not how it goes: that is made of feedback, too. Admins read it by get_at_risk_matches and others.
grant select (
  id, student_id, mentor_id, role, request_id, status, goals, score, breakdown, started_at,
  ended_at, end_reason, last_contact_at, created_at, updated_at
) on table public.matches to authenticated;

alter table public.match_events enable row level security;
revoke all on table public.match_events from public, anon, authenticated, service_role;
grant select, insert, delete on table public.match_events to service_role;
grant select on table public.match_events to authenticated;

create trigger mentor_sync_touch before update on public.matches
for each row when (old is distinct from new) execute function private.touch_updated_at();

create policy "Both sides read their matches, admins all"
on public.matches for select to authenticated
using (
  student_id = (select private.current_user_id())
  or mentor_id = (select private.current_user_id())
  or (select private.is_admin())
);

-- Whoever reads a match reads its steps: the policy of matches holds in here, too.
create policy "Both sides read what became of their matches, admins all"
on public.match_events for select to authenticated
using (exists (select from public.matches as m where m.id = match_id));

-- What follows the matches, whoever writes them ---------------------------------------------

create function private.takes_seat(p_role text, p_status text) returns boolean
language sql immutable set search_path = '' as $$
  select p_role <> 'peer' and p_status in ('active', 'paused')
$$;
comment on function private.takes_seat(text, text) is
  'Whether a match of this role and status counts for the capacity of its mentor.';

create function private.primary_match(p_student_id uuid) returns public.matches
language sql stable set search_path = '' as $$
  select m.* from public.matches as m
  where m.student_id = p_student_id and m.role = 'primary' and m.status in ('active', 'paused')
$$;
comment on function private.primary_match(uuid) is 'The match of a student with their mentor.';

-- By their profiles: a mentor without one gets it, from what the member told or empty.
create function private.lock_mentors(p_ids uuid[]) returns void
language plpgsql volatile set search_path = '' as $$
declare
  missing constant uuid[] := array(
    select u.id from public.users as u
    where u.id = any (p_ids)
      and not exists (select from public.mentorship_profiles as p where p.user_id = u.id)
    order by u.id
  );
begin
  if missing <> '{}' then
    perform private.note_stale(missing);
    perform private.derive_profiles(missing);
    insert into public.mentorship_profiles (user_id, role)
    select m.id, 'mentor' from unnest(missing) as m (id)
    on conflict do nothing;
  end if;
  perform from public.mentorship_profiles as p where p.user_id = any (p_ids)
  order by p.user_id for no key update;
end
$$;
comment on function private.lock_mentors(uuid[]) is
  'Locks mentors, in the order of their ids, so that nobody else gives them a student.';

create function private.count_mentees(p_ids uuid[]) returns setof uuid
language sql volatile set search_path = '' as $$
  with counted as materialized (
    select p.user_id, p.mentee_count, (
      select count(*) from public.matches as m
      where m.mentor_id = p.user_id and private.takes_seat(m.role, m.status)
    )::integer as now
    from public.mentorship_profiles as p
    where p.user_id = any (p_ids)
  ),
  written as (
    update public.mentorship_profiles as p
    set mentee_count = c.now
    from counted as c
    where p.user_id = c.user_id and c.mentee_count <> c.now
  )
  select c.user_id from counted as c where c.now > c.mentee_count
$$;
comment on function private.count_mentees(uuid[]) is
  'Counts the students of mentors anew: those who have more than before.';

create function private.require_seats(p_mentors uuid[]) returns void
language plpgsql stable set search_path = '' as $$
declare
  overfull record;
begin
  select p.user_id, c.capacity into overfull
  from public.mentorship_profiles as p
  cross join lateral (select private.capacity_of(p.user_id)) as c (capacity)
  where p.user_id = any (p_mentors) and p.mentee_count > c.capacity
  limit 1;
  if found then
    raise exception 'The mentor has no seat left.'
      using errcode = 'MS021',
        detail = format('mentor %s, capacity %s', overfull.user_id, overfull.capacity),
        hint = 'Choose another mentor, or set mentors.capacity higher.';
  end if;
end
$$;
comment on function private.require_seats(uuid[]) is
  'An error where one of these mentors has more students than they have declared to take.';

-- Whoever is about to get another mentor is left alone until then (replace_mentor): nobody should
-- see them without one, and what a run changed is what it changed in one step.
create function private.follow_primary(p_students uuid[]) returns void
language sql volatile set search_path = '' as $$
  update public.users as u
  set mentor_id = now.mentor_id
  from (
    select s.id, m.mentor_id
    from unnest(p_students) as s (id)
    left join public.matches as m
      on m.student_id = s.id and m.role = 'primary' and m.status in ('active', 'paused')
  ) as now
  where u.id = now.id and u.mentor_id is distinct from now.mentor_id
    and u.id::text is distinct from current_setting('mentor_sync.replacing', true)
$$;
comment on function private.follow_primary(uuid[]) is
  'Writes into users.mentor_id who mentors these students now.';

-- Definer, as the next: whoever writes matches may not write people and profiles.
create function private.matches_changed() returns trigger
language plpgsql volatile security definer set search_path = '' as $$
declare
  students uuid[];
  mentors uuid[];
  grown uuid[];
begin
  if tg_op = 'INSERT' then
    select array_agg(n.student_id), array_agg(n.mentor_id) into students, mentors
    from new_rows as n;
  elsif tg_op = 'DELETE' then
    select array_agg(o.student_id), array_agg(o.mentor_id) into students, mentors
    from old_rows as o;
  else
    select array_agg(x.student_id), array_agg(x.mentor_id) into students, mentors
    from old_rows as o
    inner join new_rows as n on n.id = o.id
    cross join lateral (
      values (o.student_id, o.mentor_id), (n.student_id, n.mentor_id)
    ) as x (student_id, mentor_id)
    where (o.student_id, o.mentor_id, o.role, o.status)
      is distinct from (n.student_id, n.mentor_id, n.role, n.status);
  end if;
  if students is null then
    return null;
  end if;
  perform from public.users as u where u.id = any (students) order by u.id for no key update;
  perform private.lock_mentors(mentors);
  grown := array(select private.count_mentees(mentors));
  perform private.require_seats(grown);
  perform private.follow_primary(students);
  return null;
end
$$;
comment on function private.matches_changed() is
  'Trigger: counts students, holds capacities, and lets users.mentor_id follow.';

-- Who does it and why is told by private.because, for its transaction; a direct write tells not.
create function private.log_match_events() returns trigger
language plpgsql volatile security definer set search_path = '' as $$
declare
  run constant uuid := nullif(current_setting('mentor_sync.run_id', true), '')::uuid;
  cause constant jsonb := coalesce(
    nullif(current_setting('mentor_sync.cause', true), '')::jsonb,
    jsonb_build_object('actor', private.current_user_id())
  );
begin
  if tg_op = 'INSERT' then
    insert into public.match_events (match_id, new_status, reason, actor_id, run_id, created_at)
    select n.id, n.status, cause ->> 'reason', (cause ->> 'actor')::uuid, run, clock_timestamp()
    from new_rows as n;
    return null;
  end if;
  insert into public.match_events (
    match_id, old_status, new_status, reason, actor_id, run_id, created_at
  )
  select
    n.id, o.status, n.status, coalesce(cause ->> 'reason', n.end_reason),
    (cause ->> 'actor')::uuid, run, clock_timestamp()
  from old_rows as o
  inner join new_rows as n on n.id = o.id
  where o.status <> n.status;
  return null;
end
$$;
comment on function private.log_match_events() is
  'Trigger: notes each step of a match in match_events.';

create function private.because(p_actor uuid, p_reason text) returns void
language sql volatile set search_path = '' as $$
  select set_config(
    'mentor_sync.cause', jsonb_build_object('actor', p_actor, 'reason', p_reason)::text, true
  )
$$;
comment on function private.because(uuid, text) is
  'Who changes matches from now on, in this transaction, and why.';

-- Tables that were here before us may name mentors: their matches, without mails and as full as
-- they are.
insert into public.matches (student_id, mentor_id)
select u.id, u.mentor_id
from public.users as u
inner join public.users as t on t.id = u.mentor_id
where u.mentor_id <> u.id;
insert into public.match_events (match_id, new_status, reason)
select m.id, m.status, 'users.mentor_id said so before.' from public.matches as m;
select private.lock_mentors(array(select m.mentor_id from public.matches as m));
select private.count_mentees(array(select m.mentor_id from public.matches as m));

create trigger mentor_sync_counted_inserted after insert on public.matches
referencing new table as new_rows
for each statement execute function private.matches_changed();
create trigger mentor_sync_counted_updated after update on public.matches
referencing old table as old_rows new table as new_rows
for each statement execute function private.matches_changed();
create trigger mentor_sync_counted_deleted after delete on public.matches
referencing old table as old_rows
for each statement execute function private.matches_changed();
create trigger mentor_sync_events_inserted after insert on public.matches
referencing new table as new_rows
for each statement execute function private.log_match_events();
create trigger mentor_sync_events_updated after update on public.matches
referencing old table as old_rows new table as new_rows
for each statement execute function private.log_match_events();

-- Beginning and ending ----------------------------------------------------------------------

-- That two are kept apart is for admins to know: anybody else reads that the mentor is not active.
create function private.told_rule(p_rule text) returns text
language sql stable set search_path = '' as $$
  select case
    when p_rule = 'blocked' and not private.sees_everything() then 'inactive'
    else p_rule
  end
$$;
comment on function private.told_rule(text) is 'A hard rule as the caller may read it.';

-- What holds for matches by hand, too; the wishes of a request are for offers (blocking_rule).
create function private.require_pair(
  p_student_id uuid, p_mentor_id uuid, p_role text default 'primary'
) returns void
language plpgsql stable set search_path = '' as $$
declare
  rule constant text := (
    select case
      when p_student_id = p_mentor_id then 'oneself'
      when u.role = 'system' or p_role <> 'peer' and u.role <> 'mentor' and not exists (
        select from public.mentors as t where t.person_id = u.id
      ) then 'not_a_mentor'
      when u.status <> 'Active' then 'inactive'
      when exists (
        select from public.blocked_pairs as b
        where b.student_id = p_student_id and b.mentor_id = p_mentor_id
      ) then private.told_rule('blocked')
      else 'none'
    end
    from public.users as u where u.id = p_mentor_id
  );
begin
  if rule is null then
    raise exception 'There is no person %.', p_mentor_id
      using errcode = 'MS011', hint = 'Give an id of the table users.';
  elsif rule <> 'none' then
    raise exception 'These two cannot be brought together: %.', replace(rule, '_', ' ')
      using errcode = 'MS022', detail = rule, hint = case
        when p_mentor_id = private.current_user_id()
          then 'get_match_batch lists the offers that are open.'
        else 'Choose another mentor: list_mentors.'
      end;
  end if;
end
$$;
comment on function private.require_pair(uuid, uuid, text) is
  'An error where two can never be matched: oneself, not_a_mentor, inactive or blocked.';

create function private.require_no_mentor(
  p_student_id uuid, p_mentor_id uuid default null, p_role text default 'primary'
) returns void
language plpgsql stable set search_path = '' as $$
declare
  current uuid;
begin
  select m.id into current
  from public.matches as m
  where m.student_id = p_student_id and m.status in ('active', 'paused')
    and (m.mentor_id = p_mentor_id or p_role = 'primary' and m.role = 'primary')
  limit 1;
  if found then
    raise exception 'The student has a mentor.'
      using errcode = 'MS020', detail = 'match ' || current,
        hint = 'To change the mentor, end that match first: complete_match; admins: assign_student.';
  end if;
end
$$;
comment on function private.require_no_mentor(uuid, uuid, text) is
  'An error where a student has a mentor, or this one already.';

-- The request that a match of this kind answers, or none; the caller has locked the student.
create function private.answered_request(p_student_id uuid, p_request_id uuid, p_role text)
returns public.mentorship_requests
language plpgsql stable set search_path = '' as $$
declare
  request public.mentorship_requests;
begin
  select r.* into request from public.mentorship_requests as r
  where r.student_id = p_student_id and case
    when p_request_id is not null then r.id = p_request_id
    else p_role = 'primary' and r.status in ('open', 'offered')
  end;
  if p_request_id is not null and request.id is null then
    raise exception 'There is no request % of this student.', p_request_id
      using errcode = 'MS011', hint = 'Give an id of the table mentorship_requests.';
  elsif request.status = 'matched' then
    raise exception 'The request was matched already.'
      using errcode = 'MS020', hint = 'Another mentor was quicker; nothing is to be done.';
  elsif request.status in ('cancelled', 'expired') then
    raise exception 'The request is %.', request.status
      using errcode = 'MS024', hint = 'This is for requests that are open or offered.';
  end if;
  return request;
end
$$;
comment on function private.answered_request(uuid, uuid, text) is
  'The open request that a new match answers; an error where the one given is not open.';

create function private.match_mail(p_match public.matches, p_person uuid) returns jsonb
language sql stable set search_path = '' as $$
  select jsonb_build_object(
    'other_name', coalesce(u.full_name, ''),
    'other_role', case u.id when p_match.student_id then 'student' else 'mentor' end,
    'other_email', private.trim_space(u.email),
    'match_url', private.page_url('matches/' || p_match.id)
  )
  from public.users as u
  where u.id in (p_match.student_id, p_match.mentor_id) and u.id <> p_person
$$;
comment on function private.match_mail(public.matches, uuid) is
  'What the mail match_confirmed says to one side.';

-- A mentor who accepted has chosen the student; one who did not is told of the assignment.
create function private.announce_match(p_match public.matches, p_actor uuid) returns void
language sql volatile set search_path = '' as $$
  select public.queue_message(
    'match_confirmed', side.id, 'match:' || p_match.id, private.match_mail(p_match, side.id), 7
  )
  from unnest(array[p_match.student_id, p_match.mentor_id]) as side (id);
  select public.queue_message(
    'new_student', p_match.mentor_id, 'match:' || p_match.id,
    jsonb_build_object(
      'student_name', coalesce(u.full_name, ''),
      'goals', nullif(array_to_string(p_match.goals, '; '), ''),
      'student_url', private.page_url('matches/' || p_match.id)
    )
  )
  from public.users as u
  where u.id = p_match.student_id and p_actor is distinct from p_match.mentor_id
$$;
comment on function private.announce_match(public.matches, uuid) is
  'Tells both sides that they are matched, and the mentor of a student whom they did not choose.';

create function private.begin_match(
  p_student_id uuid, p_mentor_id uuid, p_role text, p_request_id uuid, p_goals text[],
  p_score numeric, p_breakdown jsonb, p_actor uuid, p_reason text
) returns public.matches
language plpgsql volatile set search_path = '' as $$
declare
  request public.mentorship_requests;
  made public.matches;
begin
  perform private.lock_student(p_student_id, p_request_id);
  perform private.require_pair(p_student_id, p_mentor_id, p_role);
  request := private.answered_request(p_student_id, p_request_id, p_role);
  perform private.require_no_mentor(p_student_id, p_mentor_id, p_role);
  perform private.because(p_actor, p_reason);
  insert into public.matches as m (
    student_id, mentor_id, role, request_id, goals, score, breakdown
  )
  values (
    p_student_id, p_mentor_id, p_role, request.id, coalesce(p_goals, request.goals, '{}'), p_score,
    p_breakdown
  )
  returning m.* into made;
  perform set_config('mentor_sync.cause', '', true);
  perform private.close_request(request.id, 'matched', p_mentor_id) where request.id is not null;
  perform private.announce_match(made, p_actor);
  return made;
end
$$;
comment on function private.begin_match(
  uuid, uuid, text, uuid, text[], numeric, jsonb, uuid, text
) is
  'Brings two together: the match. It answers the request given, or the open one of the student.';

create function private.withdraw_match_mail(p_match public.matches) returns void
language sql volatile set search_path = '' as $$
  update public.message_outbox as m
  set
    status = case m.status when 'sending' then m.status else 'superseded' end,
    superseded_at = now()
  where m.recipient in (p_match.student_id, p_match.mentor_id)
    and m.status in ('queued', 'digest', 'sending')
    and starts_with(m.about || ':', 'match:' || p_match.id || ':')
$$;
comment on function private.withdraw_match_mail(public.matches) is
  'Takes back what was not sent yet about a match.';

-- In the application only: whoever ended it knows, and a student without a mentor gets a mail
-- (announce_change).
create function private.tell_of_end(p_match public.matches, p_actor uuid) returns void
language sql volatile set search_path = '' as $$
  insert into public.notifications (user_id, type, title, message, metadata)
  select
    side.id, side.kind,
    left(coalesce(nullif(u.full_name, ''), 'Somebody') || side.words, 300),
    case p_match.status when 'completed' then 'The match was completed.' else 'The match ended.' end,
    jsonb_build_object(
      'match_id', p_match.id, 'other_id', u.id,
      'match_url', private.page_url('matches/' || p_match.id)
    )
  from (
    values
      (p_match.mentor_id, p_match.student_id, 'student_left', ' is not your student any more'),
      (p_match.student_id, p_match.mentor_id, 'mentor_left', ' is not your mentor any more')
  ) as side (id, other_id, kind, words)
  inner join public.users as u on u.id = side.other_id
  -- Who is just being deleted is told nothing.
  inner join public.users as told on told.id = side.id
  where side.id is distinct from p_actor
    and (side.id = p_match.mentor_id or p_match.status = 'completed' or p_match.role <> 'primary')
$$;
comment on function private.tell_of_end(public.matches, uuid) is
  'Tells the sides who did not end a match that it is over.';

create function private.change_match(
  p_match_id uuid, p_from text[], p_to text, p_reason text, p_actor uuid
) returns public.matches
language plpgsql volatile set search_path = '' as $$
declare
  is_end constant boolean := p_to in ('completed', 'dissolved');
  changed public.matches;
begin
  perform private.lock_student(m.student_id) from public.matches as m where m.id = p_match_id;
  select m.* into changed from public.matches as m where m.id = p_match_id for update;
  if changed.id is null then
    raise exception 'There is no match %.', p_match_id
      using errcode = 'MS011', hint = 'Give an id of the table matches.';
  elsif changed.status <> all (p_from) then
    raise exception 'The match is %.', changed.status
      using errcode = 'MS027',
        hint = 'This is for matches that are ' || array_to_string(p_from, ' or ') || '.';
  end if;
  perform private.withdraw_match_mail(changed) where is_end;
  perform private.because(p_actor, p_reason);
  update public.matches as m
  set
    status = p_to,
    ended_at = case when is_end then now() end,
    end_reason = case when is_end then p_reason end
  where m.id = p_match_id
  returning m.* into changed;
  perform set_config('mentor_sync.cause', '', true);
  perform private.tell_of_end(changed, p_actor) where is_end;
  return changed;
end
$$;
comment on function private.change_match(uuid, text[], text, text, uuid) is
  'Takes a match from one of these states to another.';

create function private.end_match(p_match_id uuid, p_status text, p_reason text, p_actor uuid)
returns public.matches
language sql volatile set search_path = '' as $$
  select private.change_match(p_match_id, '{pending,active,paused}', p_status, p_reason, p_actor)
$$;
comment on function private.end_match(uuid, text, text, uuid) is
  'Ends a match: completed or dissolved.';

-- Without a new match, a mentor is still to be found.
create function private.announce_change(p_old public.matches, p_new public.matches) returns void
language sql volatile set search_path = '' as $$
  select public.queue_message(
    'mentor_changed', p_old.student_id, 'match:' || p_old.id || ':ended',
    jsonb_build_object(
      'old_mentor_name', coalesce(u.full_name, ''),
      'new_mentor_name', (select n.full_name from public.users as n where n.id = p_new.mentor_id),
      'match_url', private.page_url('matches/' || coalesce(p_new.id, p_old.id))
    ),
    7
  )
  from public.users as u
  where u.id = p_old.mentor_id and p_old.role = 'primary'
$$;
comment on function private.announce_change(public.matches, public.matches) is
  'Tells a student that their mentor is another one, or none for now.';

create function private.is_undo() returns boolean
language sql stable set search_path = '' as $$
  select exists (
    select from public.job_runs as r
    where r.id = nullif(current_setting('mentor_sync.run_id', true), '')::uuid
      and r.job = 'undo_run'
  )
$$;
comment on function private.is_undo() is 'Whether a run takes back what another one did.';

-- The caller has locked the student, who has no mentor now. The request waits again, unless its
-- time is over or the student has asked anew.
create function private.reopen_request(p_match public.matches) returns void
language plpgsql volatile set search_path = '' as $$
begin
  update public.mentorship_requests as r
  set status = 'open', closed_at = null
  where r.id = p_match.request_id and r.status = 'matched' and r.expires_at > now()
    and not exists (
      select from public.mentorship_requests as x
      where x.student_id = r.student_id and x.status in ('open', 'offered')
    );
  if found then
    update public.matches as m set request_id = null where m.id = p_match.id;
    perform private.note_stale(array[p_match.student_id]);
  end if;
end
$$;
comment on function private.reopen_request(public.matches) is
  'Lets the request that a match answered wait for mentors again.';

create function private.replace_mentor(
  p_student_id uuid, p_mentor_id uuid, p_reason text, p_actor uuid
) returns public.matches
language plpgsql volatile set search_path = '' as $$
declare
  old_match public.matches := private.primary_match(p_student_id);
  new_match public.matches;
begin
  if old_match.mentor_id is not distinct from p_mentor_id then
    return old_match;
  end if;
  perform private.lock_student(p_student_id);
  old_match := private.primary_match(p_student_id);
  perform private.lock_mentors(array[old_match.mentor_id, p_mentor_id]);
  if old_match.id is not null and old_match.mentor_id is distinct from p_mentor_id then
    perform set_config('mentor_sync.replacing', p_student_id::text, true)
    where p_mentor_id is not null;
    old_match := private.end_match(old_match.id, 'dissolved', p_reason, p_actor);
    perform set_config('mentor_sync.replacing', '', true);
    if private.is_undo() then
      update public.matches as m
      set undone = m.ended_at < m.started_at + interval '1 day'
      where m.id = old_match.id;
      perform private.reopen_request(old_match) where p_mentor_id is null;
    end if;
  end if;
  if p_mentor_id is not null then
    new_match := private.begin_match(
      p_student_id, p_mentor_id, 'primary', null, null, null, null, p_actor, p_reason
    );
  end if;
  perform private.announce_change(old_match, new_match) where old_match.id is not null;
  return new_match;
end
$$;
comment on function private.replace_mentor(uuid, uuid, text, uuid) is
  'Gives a student this mentor, or none, instead of whom they have.';

-- Edited by hand, in the dashboard or by the application, users.mentor_id is an assignment.
-- What follow_primary writes agrees with the matches, so it comes to an end here. Definer:
-- whoever may edit people may not write matches.
-- Every mentor of the statement is locked at once, in order, so that two who move many students
-- do not wait in a ring.
create function private.mentor_edited() returns trigger
language plpgsql volatile security definer set search_path = '' set enable_nestloop = off as $$
declare
  edited public.users[];
  mentors uuid[];
  one public.users;
  reason constant text := case
    when private.is_undo() then 'The assignment was taken back.'
    else 'users.mentor_id was edited.'
  end;
begin
  if tg_op = 'INSERT' then
    edited := array(select n from new_rows as n where n.mentor_id is not null order by n.id);
    mentors := array(select distinct n.mentor_id from new_rows as n where n.mentor_id is not null);
  else
    edited := array(
      select n from new_rows as n
      inner join old_rows as o on o.id = n.id
      where n.mentor_id is distinct from o.mentor_id
      order by n.id
    );
    mentors := array(
      select distinct e.mentor_id
      from new_rows as n
      inner join old_rows as o on o.id = n.id
      cross join lateral (values (n.mentor_id), (o.mentor_id)) as e (mentor_id)
      where n.mentor_id is distinct from o.mentor_id and e.mentor_id is not null
    );
  end if;
  if edited = '{}' then
    return null;
  end if;
  perform private.lock_mentors(mentors);
  foreach one in array edited loop
    perform private.replace_mentor(one.id, one.mentor_id, reason, private.current_user_id());
  end loop;
  return null;
end
$$;
comment on function private.mentor_edited() is
  'Trigger: whoever sets users.mentor_id assigns the student; empty ends the match.';

create trigger mentor_sync_assigned_inserted after insert on public.users
referencing new table as new_rows
for each statement execute function private.mentor_edited();
create trigger mentor_sync_assigned_updated after update on public.users
referencing old table as old_rows new table as new_rows
for each statement execute function private.mentor_edited();

-- Verbs -------------------------------------------------------------------------------------

create function private.require_admin() returns void
language plpgsql stable set search_path = '' as $$
begin
  if not private.sees_everything() then
    raise exception 'Only admins may do this.' using errcode = '42501';
  end if;
end
$$;
comment on function private.require_admin() is 'An error for everybody but admins and operators.';

-- Definer, as all that follow: nobody writes matches over the API but by these.
create function private.create_manual_match(
  p_student_id uuid, p_mentor_id uuid, p_role text, p_reason text
) returns public.matches
language plpgsql volatile security definer set search_path = '' as $$
begin
  perform private.require_admin();
  return private.begin_match(
    p_student_id, p_mentor_id, p_role, null, null, null, null, private.current_user_id(), p_reason
  );
end
$$;
comment on function private.create_manual_match(uuid, uuid, text, text) is
  'Matches two by hand, for those who may.';

create function public.create_manual_match(
  p_student_id uuid, p_mentor_id uuid, p_role text default 'primary', p_reason text default null
) returns public.matches
language sql volatile set search_path = '' as $$
  select private.create_manual_match(p_student_id, p_mentor_id, p_role, p_reason)
$$;
comment on function public.create_manual_match(uuid, uuid, text, text) is
  'Matches two by hand, as primary, substitute or peer. Capacity and blocked pairs hold. For admins.';

create function private.assign_student(p_student_id uuid, p_mentor_id uuid)
returns public.matches
language plpgsql volatile security definer set search_path = '' as $$
begin
  perform private.require_admin();
  return private.replace_mentor(
    p_student_id, p_mentor_id, 'Another mentor was assigned.', private.current_user_id()
  );
end
$$;
comment on function private.assign_student(uuid, uuid) is
  'Gives a student this mentor, for those who may.';

create function public.assign_student(p_student_id uuid, p_mentor_id uuid)
returns public.matches
language sql volatile set search_path = '' as $$
  select private.assign_student(p_student_id, p_mentor_id)
$$;
comment on function public.assign_student(uuid, uuid) is
  'Gives a student this mentor instead of whom they have: the match. For admins.';

create function private.dissolve_match(p_match_id uuid, p_reason text) returns public.matches
language plpgsql volatile security definer set search_path = '' as $$
declare
  ended public.matches;
begin
  perform private.require_admin();
  ended := private.end_match(p_match_id, 'dissolved', p_reason, private.current_user_id());
  perform private.announce_change(ended, null);
  return ended;
end
$$;
comment on function private.dissolve_match(uuid, text) is 'Ends a match, for those who may.';

create function public.dissolve_match(p_match_id uuid, p_reason text default null)
returns public.matches
language sql volatile set search_path = '' as $$
  select private.dissolve_match(p_match_id, p_reason)
$$;
comment on function public.dissolve_match(uuid, text) is
  'Ends a match that did not reach its goals; the student is told. For admins.';

create function private.pause_match(p_match_id uuid, p_reason text) returns public.matches
language plpgsql volatile security definer set search_path = '' as $$
begin
  perform private.require_admin();
  return private.change_match(
    p_match_id, '{active}', 'paused', p_reason, private.current_user_id()
  );
end
$$;
comment on function private.pause_match(uuid, text) is 'Pauses a match, for those who may.';

create function public.pause_match(p_match_id uuid, p_reason text default null)
returns public.matches
language sql volatile set search_path = '' as $$
  select private.pause_match(p_match_id, p_reason)
$$;
comment on function public.pause_match(uuid, text) is
  'Lets a match rest; the mentor keeps the seat. For admins.';

create function private.resume_match(p_match_id uuid, p_reason text) returns public.matches
language plpgsql volatile security definer set search_path = '' as $$
begin
  perform private.require_admin();
  return private.change_match(
    p_match_id, '{paused}', 'active', p_reason, private.current_user_id()
  );
end
$$;
comment on function private.resume_match(uuid, text) is 'Goes on with a match, for those who may.';

create function public.resume_match(p_match_id uuid, p_reason text default null)
returns public.matches
language sql volatile set search_path = '' as $$
  select private.resume_match(p_match_id, p_reason)
$$;
comment on function public.resume_match(uuid, text) is 'Goes on with a paused match. For admins.';

create function private.without_health(p_match public.matches) returns public.matches
language plpgsql immutable set search_path = '' as $$
begin
  p_match.health_score := null;
  p_match.health_status := null;
  p_match.health_reasons := null;
  p_match.health_checked_at := null;
  p_match.at_risk_since := null;
  p_match.escalated_at := null;
  return p_match;
end
$$;
comment on function private.without_health(public.matches) is
  'A match as its two sides may see it: neither reads the health in the table.';

create function private.complete_match(p_match_id uuid, p_reason text) returns public.matches
language plpgsql volatile security definer set search_path = '' as $$
declare
  me constant uuid := private.current_user_id();
begin
  if not private.sees_everything() and not exists (
    select from public.matches as m
    where m.id = p_match_id and (m.student_id = me or m.mentor_id = me)
  ) then
    raise exception 'This match is not yours.' using errcode = '42501';
  end if;
  return private.without_health(private.end_match(p_match_id, 'completed', p_reason, me));
end
$$;
comment on function private.complete_match(uuid, text) is
  'Ends a match as completed, for those who may.';

create function public.complete_match(p_match_id uuid, p_reason text default null)
returns public.matches
language sql volatile set search_path = '' as $$
  select private.complete_match(p_match_id, p_reason)
$$;
comment on function public.complete_match(uuid, text) is
  'Ends a match as completed. For either side and admins.';

-- The other side's address is shown while they are matched.
create function private.get_matches() returns table (
  id uuid, my_role text, role text, status text, other_id uuid, other_name text,
  other_email text, goals text[], score numeric, started_at timestamptz,
  last_contact_at timestamptz, ended_at timestamptz, end_reason text
)
language sql stable security definer set search_path = '' as $$
  select
    m.id, case m.student_id when me.id then 'student' else 'mentor' end, m.role, m.status, o.id,
    o.full_name, case when m.status in ('active', 'paused') then private.trim_space(o.email) end,
    m.goals, m.score, m.started_at, m.last_contact_at, m.ended_at, m.end_reason
  from (select private.current_user_id()) as me (id)
  inner join public.matches as m on m.student_id = me.id or m.mentor_id = me.id
  inner join public.users as o
    on o.id = case m.student_id when me.id then m.mentor_id else m.student_id end
  order by m.ended_at desc nulls first, m.started_at desc, m.id
$$;
comment on function private.get_matches() is 'The matches of whoever is signed in.';

create function public.get_matches() returns table (
  id uuid, my_role text, role text, status text, other_id uuid, other_name text,
  other_email text, goals text[], score numeric, started_at timestamptz,
  last_contact_at timestamptz, ended_at timestamptz, end_reason text
)
language sql stable set search_path = '' as $$ select * from private.get_matches() $$;
comment on function public.get_matches() is
  'One''s own matches, now and before, as student and as mentor: those that go on first.';

revoke all on function
  private.takes_seat(text, text),
  private.primary_match(uuid),
  private.lock_mentors(uuid[]),
  private.count_mentees(uuid[]),
  private.require_seats(uuid[]),
  private.follow_primary(uuid[]),
  private.matches_changed(),
  private.log_match_events(),
  private.because(uuid, text),
  private.told_rule(text),
  private.require_pair(uuid, uuid, text),
  private.require_no_mentor(uuid, uuid, text),
  private.answered_request(uuid, uuid, text),
  private.match_mail(public.matches, uuid),
  private.announce_match(public.matches, uuid),
  private.begin_match(uuid, uuid, text, uuid, text[], numeric, jsonb, uuid, text),
  private.withdraw_match_mail(public.matches),
  private.tell_of_end(public.matches, uuid),
  private.change_match(uuid, text[], text, text, uuid),
  private.end_match(uuid, text, text, uuid),
  private.announce_change(public.matches, public.matches),
  private.is_undo(),
  private.reopen_request(public.matches),
  private.replace_mentor(uuid, uuid, text, uuid),
  private.mentor_edited(),
  private.require_admin(),
  private.create_manual_match(uuid, uuid, text, text),
  private.assign_student(uuid, uuid),
  private.dissolve_match(uuid, text),
  private.pause_match(uuid, text),
  private.resume_match(uuid, text),
  private.without_health(public.matches),
  private.complete_match(uuid, text),
  private.get_matches(),
  public.create_manual_match(uuid, uuid, text, text),
  public.assign_student(uuid, uuid),
  public.dissolve_match(uuid, text),
  public.pause_match(uuid, text),
  public.resume_match(uuid, text),
  public.complete_match(uuid, text),
  public.get_matches()
from public, anon, authenticated, service_role;
grant execute on function
  private.create_manual_match(uuid, uuid, text, text),
  private.assign_student(uuid, uuid),
  private.dissolve_match(uuid, text),
  private.pause_match(uuid, text),
  private.resume_match(uuid, text),
  private.complete_match(uuid, text),
  public.create_manual_match(uuid, uuid, text, text),
  public.assign_student(uuid, uuid),
  public.dissolve_match(uuid, text),
  public.pause_match(uuid, text),
  public.resume_match(uuid, text),
  public.complete_match(uuid, text)
to authenticated, service_role;
grant execute on function private.get_matches(), public.get_matches() to authenticated;
