-- Health: how well a match goes, 0 to 100, from meetings, replies, feedback, check-ins and goals.
-- The job check_match_health keeps it in matches; admins and service_role read who is at risk.

insert into public.program_settings (key, value, description) values
  ('health_at_risk', '40', 'A match whose health is below this is at risk.'),
  ('health_watch', '65', 'A match whose health is below this is watched.'),
  ('silence_days', '21', 'After so many days without a word a match counts as silent.'),
  ('escalate_days', '7', 'A match at risk for so many days is told to the admins.');

-- The score ---------------------------------------------------------------------------------

create function private.health_part(p_part text, p_share numeric, p_of integer, p_why text)
returns jsonb
language sql immutable set search_path = '' as $$
  select jsonb_build_object(
    'part', p_part, 'points', round(least(greatest(p_share, 0), 1) * p_of)::integer, 'of', p_of,
    'why', p_why
  )
$$;
comment on function private.health_part(text, numeric, integer, text) is
  'A part of a health score: a share, 0 to 1, of so many points, and why.';

create function private.days_since(p_at timestamptz) returns numeric
language sql stable set search_path = '' as $$
  select greatest(extract(epoch from now() - p_at), 0) / 86400
$$;
comment on function private.days_since(timestamptz) is 'So many days ago; the future is now.';

create function private.day_name(p_at timestamptz) returns text
language sql stable set search_path = '' as $$
  select to_char(p_at at time zone 'UTC', 'YYYY-MM-DD')
$$;
comment on function private.day_name(timestamptz) is
  'The day, as reasons name it: one that stays the same tomorrow.';

create type private.match_signs as (
  since timestamptz,
  met_at timestamptz,
  days_met integer,
  next_at timestamptz,
  heard_at timestamptz,
  rating numeric,
  asks_for_help boolean,
  is_well boolean,
  items integer,
  overdue integer
);
comment on type private.match_signs is
  'What is known of a match: since when it runs; last and next meeting, days with one lately; last'
  ' contact; mean of the latest ratings; check-ins; action items that have a date, and overdue.';

-- A match that was paused begins anew: the pause is nobody's silence. Help that was asked for is
-- over once the two met.
create function private.signs_of(p_match public.matches, p_silence integer)
returns private.match_signs
language sql stable set search_path = '' as $$
  select
    began.at, met.latest, met.days, met.next, greatest(began.at, p_match.last_contact_at, met.latest),
    (
      select avg(last.rating) from (
        select distinct on (f.author_role) f.rating from public.mentorship_feedback as f
        where f.match_id = p_match.id and f.rating is not null
        order by f.author_role, f.updated_at desc, f.id
      ) as last
    ),
    checked.help, checked.well, tasks.n, tasks.overdue
  from (
    select greatest(p_match.started_at, max(e.created_at)) as at from public.match_events as e
    where e.match_id = p_match.id and e.old_status = 'paused' and e.new_status = 'active'
  ) as began
  cross join lateral (
    select
      max(h.at) filter (where h.status = 'COMPLETED' and h.at <= now()) as latest,
      count(distinct (h.at at time zone 'UTC')::date) filter (
        where h.status = 'COMPLETED'
          and h.at between now() - make_interval(days => 3 * p_silence) and now()
      )::integer as days,
      min(h.at) filter (where h.status = 'SCHEDULED' and h.at > now()) as next
    from (
      select s.status, coalesce(s.completed_at, s.scheduled_at) as at
      from public.mentorship_sessions as s
      where s.match_id = p_match.id and not s.is_deleted
    ) as h
  ) as met
  cross join lateral (
    select
      coalesce(bool_or(
        last.comment = 'help' and coalesce(last.updated_at > met.latest, true)
      ), false) as help,
      coalesce(bool_or(last.comment = 'well'), false) as well
    from (
      select distinct on (f.author_id) f.comment, f.updated_at
      from public.mentorship_feedback as f
      where f.match_id = p_match.id and f.feedback_type = 'check_in'
      order by f.author_id, f.updated_at desc, f.id
    ) as last
    where last.updated_at > now() - make_interval(days => 3 * p_silence)
  ) as checked
  cross join lateral (
    select
      count(*)::integer as n,
      (count(*) filter (
        where i.item ->> 'due' < private.day_name(now()) and i.item -> 'done' is distinct from 'true'
      ))::integer as overdue
    from public.mentorship_sessions as s
    cross join lateral jsonb_array_elements(s.action_items) as i (item)
    where s.match_id = p_match.id and not s.is_deleted and i.item ->> 'due' is not null
  ) as tasks
$$;
comment on function private.signs_of(public.matches, integer) is
  'What is known of a match, for its health.';

-- Nothing known is six points of ten.
create function private.health_parts(p_signs private.match_signs, p_silence integer)
returns jsonb
language sql stable set search_path = '' as $$
  select jsonb_build_array(
    private.health_part(
      'meetings',
      20.0 / 35 * case
        when p_signs.next_at is not null then 1
        when p_signs.met_at is null then 0
        else least(1, (3.0 * p_silence - private.days_since(p_signs.met_at)) / (2 * p_silence))
      end
      + 15.0 / 35 * least(
        1, p_signs.days_met
        / greatest(1, least(3, floor(private.days_since(p_signs.since) / p_silence)))
      ),
      35,
      concat_ws(
        '; ',
        coalesce('they last met on ' || private.day_name(p_signs.met_at), 'they have not met yet'),
        'meet next on ' || private.day_name(p_signs.next_at),
        p_signs.days_met || ' of the last ' || 3 * p_silence || ' days had a meeting'
      )
    ),
    private.health_part(
      'replies',
      1.5 * (p_silence - private.days_since(p_signs.heard_at)) / p_silence,
      25, 'last heard of on ' || private.day_name(p_signs.heard_at)
    ),
    private.health_part(
      'feedback', coalesce((p_signs.rating - 1) / 4, 0.6), 20,
      coalesce('the latest ratings are ' || round(p_signs.rating, 1) || ' of 5', 'no rating yet')
    ),
    private.health_part(
      'check_ins',
      case when p_signs.asks_for_help then 0 when p_signs.is_well then 1 else 0.6 end, 10,
      case
        when p_signs.asks_for_help then 'one of them asks for help'
        when p_signs.is_well then 'they say that all is well'
        else 'nobody was asked lately, or answered'
      end
    ),
    private.health_part(
      'goals',
      coalesce(1 - p_signs.overdue / nullif(p_signs.items, 0)::numeric, 0.6), 10,
      case p_signs.items
        when 0 then 'no action item has a date'
        else p_signs.overdue || ' of ' || p_signs.items || ' action items are overdue'
      end
    )
  )
$$;
comment on function private.health_parts(private.match_signs, integer) is
  'The parts of a health score: [{"part", "points", "of", "why"}].';

-- Peers are in no directory, and some whom an admin matched are not either.
create function private.mentor_left(p_match public.matches) returns boolean
language sql stable set search_path = '' as $$
  select p_match.role <> 'peer' and coalesce((
    select not bool_or(t.is_active and t.is_approved) from public.mentors as t
    where t.person_id = p_match.mentor_id
  ), false)
$$;
comment on function private.mentor_left(public.matches) is
  'Whether the mentor of a match is in the directory, and not active or not approved there.';

-- In the first two weeks nothing is at risk. Whoever asks for help is at risk, whatever the score,
-- and whoever lost their mentor.
create function private.match_health(p_ids uuid[])
returns table (
  match_id uuid, score integer, status text, reasons jsonb, asks_for_help boolean,
  mentor_left boolean
)
language sql stable set search_path = '' as $$
  select m.id, total.score, case
    when mentor.left then 'at_risk'
    when total.score >= known.watch and not signs.asks_for_help then 'healthy'
    when private.days_since(signs.since) < 14 then 'unknown'
    when total.score < known.at_risk or signs.asks_for_help then 'at_risk'
    else 'watch'
  end, parts.reasons || case when mentor.left then jsonb_build_array(
    private.health_part('mentor', 0, 0, 'the mentor is not active any more')
  ) else '[]' end, signs.asks_for_help, mentor.left
  from (
    select
      greatest(private.number_setting('silence_days', 21), 1) as silence,
      private.number_setting('health_at_risk', 40) as at_risk,
      private.number_setting('health_watch', 65) as watch
    offset 0
  ) as known
  cross join public.matches as m
  cross join lateral private.signs_of(m, known.silence) as signs
  cross join lateral (select private.mentor_left(m) as left offset 0) as mentor
  cross join lateral (select private.health_parts(signs, known.silence) as reasons offset 0) as parts
  cross join lateral (
    select sum((p.part ->> 'points')::integer)::integer as score
    from jsonb_array_elements(parts.reasons) as p (part)
  ) as total
  where m.id = any (p_ids)
$$;
comment on function private.match_health(uuid[]) is
  'How well these matches go: a score, 0 to 100, the parts that it is the sum of, and the status.';

-- The job -----------------------------------------------------------------------------------

create type private.health_change as (
  match_id uuid,
  student_id uuid,
  mentor_id uuid,
  score integer,
  status text,
  reasons jsonb,
  at_risk_since timestamptz,
  escalated_at timestamptz,
  asks_for_help boolean,
  mentor_left boolean,
  last_contact_at timestamptz,
  was_at_risk_since timestamptz,
  was_escalated_at timestamptz
);
comment on type private.health_change is 'A match whose health is another than its row says.';

-- That the mentor left is told at once, and where something else was told before, too.
create function private.health_changes(p_ids uuid[]) returns setof private.health_change
language sql stable set search_path = '' as $$
  select
    m.id, m.student_id, m.mentor_id, h.score, h.status, h.reasons, risk.since, risk.told,
    h.asks_for_help, h.mentor_left, m.last_contact_at, m.at_risk_since, m.escalated_at
  from private.match_health(p_ids) as h
  inner join public.matches as m on m.id = h.match_id and m.status = 'active'
  cross join lateral (
    select
      case when h.status = 'at_risk' then coalesce(m.at_risk_since, now()) end as since,
      case when h.status = 'at_risk' then coalesce(
        case when h.mentor_left and not m.health_reasons @> '[{"part": "mentor"}]' then now() end,
        m.escalated_at,
        case when h.asks_for_help or m.at_risk_since <= now() - make_interval(
          days => private.number_setting('escalate_days', 7)
        ) then now() end
      ) end as told
  ) as risk
  where (
    m.health_score, m.health_status, m.health_reasons, m.at_risk_since, m.escalated_at
  ) is distinct from (h.score, h.status, h.reasons, risk.since, risk.told)
$$;
comment on function private.health_changes(uuid[]) is
  'Those of these matches whose rows are to be written.';

create function private.risk_about(p_match_id uuid, p_since timestamptz) returns text
language sql stable set search_path = '' as $$
  select 'match:' || p_match_id || ':risk:' || private.day_name(p_since)
$$;
comment on function private.risk_about(uuid, timestamptz) is
  'What the check-ins of an episode at risk are about.';

-- Where one of them asks for help or the mentor left, both need an answer and no question.
create function private.queue_check_ins(p_changes private.health_change[]) returns bigint
language sql volatile set search_path = '' as $$
  with queued as (
    select public.queue_message(
      'health_check_in', side.person, private.risk_about(c.match_id, c.at_risk_since),
      jsonb_build_object(
        'other_name', coalesce(o.full_name, ''), 'last_contact_at', c.last_contact_at,
        'ask', jsonb_build_array(jsonb_build_object(
          'about', private.risk_about(c.match_id, c.at_risk_since),
          'answers', array['well', 'help']
        ))
      )
    )
    from unnest(p_changes) as c
    cross join lateral (
      values (c.student_id, c.mentor_id), (c.mentor_id, c.student_id)
    ) as side (person, other)
    inner join public.users as u on u.id = side.person and u.status = 'Active'
    inner join public.users as o on o.id = side.other
    where c.was_at_risk_since is null and c.at_risk_since is not null
      and not c.asks_for_help and not c.mentor_left
    order by c.match_id, side.person
  )
  select count(*) from queued
$$;
comment on function private.queue_check_ins(private.health_change[]) is
  'Asks both sides of matches that came to be at risk whether all is well: how many people.';

-- One alert for all of them: admins are not to get a mail a match.
create function private.escalate(p_changes private.health_change[]) returns bigint
language sql volatile set search_path = '' as $$
  with told as (
    select c.match_id, format(
      '%s with %s (%s)', coalesce(s.full_name, 'a student'), coalesce(t.full_name, 'a mentor'),
      case
        when c.mentor_left then 'the mentor is not active any more'
        when c.asks_for_help then 'asks for help'
        else 'health ' || c.score
      end
    ) as line, c.mentor_left
    from unnest(p_changes) as c
    inner join public.users as s on s.id = c.student_id
    inner join public.users as t on t.id = c.mentor_id
    where c.escalated_at is not null and c.escalated_at is distinct from c.was_escalated_at
  ),
  made as (
    insert into public.job_alerts (kind, job, message, hint)
    select
      'match_at_risk', 'check_match_health',
      format('Matches at risk: %s. ', count(*)) || array_to_string(
        (array_agg(t.line order by t.line, t.match_id))[:20], ', '
      ) || case when count(*) > 20 then ' and others' else '' end || '.',
      'See v_at_risk_matches.' || case when bool_or(t.mentor_left) then
        ' Who could take over from a mentor: mentor-sync simulate leave ADDRESS'
      else '' end
    from told as t
    having count(*) > 0
  )
  select count(*) from told
$$;
comment on function private.escalate(private.health_change[]) is
  'Tells the admins of matches that are at risk for long, where somebody asks for help, or whose'
  ' mentor left.';

create function private.keep_health(p_changes private.health_change[]) returns void
language sql volatile set search_path = '' as $$
  select public.supersede_messages(
    private.risk_about(c.match_id, c.was_at_risk_since), array['health_check_in']
  )
  from unnest(p_changes) as c
  where c.was_at_risk_since is not null and (c.at_risk_since is null or c.mentor_left);
  update public.matches as m
  set
    health_score = c.score, health_status = c.status, health_reasons = c.reasons,
    health_checked_at = now(), at_risk_since = c.at_risk_since, escalated_at = c.escalated_at
  from unnest(p_changes) as c
  where m.id = c.match_id and m.status = 'active'
$$;
comment on function private.keep_health(private.health_change[]) is
  'Writes the health of matches; what was not sent yet about a risk that is over is not sent.';

-- Definer: only this makes alerts up. People are locked (by their mails) before matches, as by
-- the verbs that end matches; one chunk at a time, so that nothing is told twice.
create function private.check_match_health(
  p_run_id uuid, p_fence bigint, p_after uuid, p_limit integer, p_dry_run boolean
) returns jsonb
language plpgsql volatile security definer set search_path = '' as $$
declare
  run constant public.job_runs := private.assert_run(p_run_id, p_fence);
  ids uuid[];
  changes private.health_change[];
  counts jsonb;
begin
  if run.progress ? 'answer' and run.progress ->> 'after' is not distinct from p_after::text then
    return run.progress -> 'answer';
  end if;
  perform pg_advisory_xact_lock(hashtextextended('mentor_sync.check_match_health', 0));
  ids := array(
    select m.id from public.matches as m
    where m.status = 'active' and (p_after is null or m.id > p_after)
    order by m.id limit p_limit
  );
  begin
    changes := array(select c from private.health_changes(ids) as c);
    counts := jsonb_build_object(
      'changed', cardinality(changes),
      'unchanged', cardinality(ids) - cardinality(changes),
      'asked', private.queue_check_ins(changes),
      'escalated', private.escalate(changes),
      'recovered', (
        select count(*) from unnest(changes) as c
        where c.was_at_risk_since is not null and c.at_risk_since is null
      )
    );
    perform private.keep_health(changes);
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
comment on function private.check_match_health(uuid, bigint, uuid, integer, boolean) is
  'One chunk of the job check_match_health.';

create function public.check_match_health(
  p_run_id uuid, p_fence bigint, p_after uuid default null, p_limit integer default 1000,
  p_dry_run boolean default false
) returns jsonb
language sql volatile set search_path = '' as $$
  select private.check_match_health(
    p_run_id, p_fence, p_after, least(greatest(p_limit, 1), 20000), p_dry_run
  )
$$;
comment on function public.check_match_health(uuid, bigint, uuid, integer, boolean) is
  'Looks at the active matches after p_after, p_limit of them: counts, cursor, done.';

-- Who is at risk ----------------------------------------------------------------------------

create view public.v_at_risk_matches with (security_invoker = on) as
select
  m.id as match_id,
  m.student_id,
  s.full_name as student_name,
  m.mentor_id,
  t.full_name as mentor_name,
  m.at_risk_since,
  m.escalated_at,
  m.last_contact_at,
  m.health_score,
  m.health_reasons
from public.matches as m
inner join public.users as s on s.id = m.student_id
inner join public.users as t on t.id = m.mentor_id
where m.status = 'active' and m.at_risk_since is not null;

comment on view public.v_at_risk_matches is 'Active matches that are at risk.';
comment on column public.v_at_risk_matches.match_id is 'The match.';
comment on column public.v_at_risk_matches.student_id is 'The student: users.id.';
comment on column public.v_at_risk_matches.student_name is 'The student''s name.';
comment on column public.v_at_risk_matches.mentor_id is 'The mentor: users.id.';
comment on column public.v_at_risk_matches.mentor_name is 'The mentor''s name.';
comment on column public.v_at_risk_matches.at_risk_since is 'Since when.';
comment on column public.v_at_risk_matches.escalated_at is 'When admins were told of it.';
comment on column public.v_at_risk_matches.last_contact_at is 'When the two were last heard of.';
comment on column public.v_at_risk_matches.health_score is 'How well it goes, 0 to 100.';
comment on column public.v_at_risk_matches.health_reasons is
  'What made the score: [{"part", "points", "of", "why"}].';

revoke all on table public.v_at_risk_matches from public, anon, authenticated, service_role;
grant select on table public.v_at_risk_matches to service_role;

-- Definer, for admins, who do not read the view.
create function private.get_at_risk_matches() returns setof public.v_at_risk_matches
language plpgsql stable security definer set search_path = '' as $$
begin
  if not private.sees_everything() then
    raise exception 'Only admins may see which matches are at risk.' using errcode = '42501';
  end if;
  return query
  select v.* from public.v_at_risk_matches as v order by v.at_risk_since, v.match_id;
end
$$;
comment on function private.get_at_risk_matches() is 'The matches at risk, for those who may.';

create function public.get_at_risk_matches() returns setof public.v_at_risk_matches
language sql stable set search_path = '' as $$ select * from private.get_at_risk_matches() $$;
comment on function public.get_at_risk_matches() is
  'The matches at risk, with names, since when, score and reasons. For admins and service_role.';

revoke all on function
  private.health_part(text, numeric, integer, text),
  private.days_since(timestamptz),
  private.day_name(timestamptz),
  private.signs_of(public.matches, integer),
  private.health_parts(private.match_signs, integer),
  private.mentor_left(public.matches),
  private.match_health(uuid[]),
  private.health_changes(uuid[]),
  private.risk_about(uuid, timestamptz),
  private.queue_check_ins(private.health_change[]),
  private.escalate(private.health_change[]),
  private.keep_health(private.health_change[]),
  private.check_match_health(uuid, bigint, uuid, integer, boolean),
  private.get_at_risk_matches(),
  public.check_match_health(uuid, bigint, uuid, integer, boolean),
  public.get_at_risk_matches()
from public, anon, authenticated, service_role;
grant execute on function
  private.check_match_health(uuid, bigint, uuid, integer, boolean),
  public.check_match_health(uuid, bigint, uuid, integer, boolean)
to service_role;
grant execute on function private.get_at_risk_matches(), public.get_at_risk_matches()
to authenticated, service_role;
