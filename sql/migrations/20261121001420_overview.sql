-- Overview: what admins see of the matching: all matches, and how the programme does.
-- For admins and service_role; nobody else. With Accept: text/csv the API gives get_all_matches
-- as a file.

create function private.is_named(p_search text, p_person public.users) returns boolean
language sql immutable set search_path = '' as $$
  select position(lower(p_search) in lower(concat_ws(' ', p_person.full_name, p_person.email))) > 0
$$;
comment on function private.is_named(text, public.users) is
  'Whether name or address of a person has this in it.';

-- Definer: it tells names and addresses of all.
create function private.get_all_matches(
  p_status text, p_mentor_id uuid, p_student_id uuid, p_health text, p_search text, p_role text
)
returns table (
  id uuid, role text, status text,
  student_id uuid, student_name text, student_email text,
  mentor_id uuid, mentor_name text, mentor_email text,
  score numeric, health_status text, health_score integer,
  started_at timestamptz, ended_at timestamptz, end_reason text,
  last_contact_at timestamptz, at_risk_since timestamptz, meetings bigint
)
language plpgsql stable security definer set search_path = '' as $$
begin
  if not private.sees_everything() then
    raise exception 'Only admins see all matches.' using errcode = '42501';
  end if;
  return query
  select
    m.id, m.role, m.status, s.id, s.full_name, s.email, t.id, t.full_name, t.email,
    m.score, m.health_status, m.health_score, m.started_at, m.ended_at, m.end_reason,
    m.last_contact_at, m.at_risk_since, coalesce(held.n, 0)
  from public.matches as m
  inner join public.users as s on s.id = m.student_id
  inner join public.users as t on t.id = m.mentor_id
  left join (
    select x.match_id, count(*) as n from public.mentorship_sessions as x
    where x.status = 'COMPLETED' and not x.is_deleted and x.match_id is not null
    group by x.match_id
  ) as held on held.match_id = m.id
  where (p_status is null or m.status = p_status)
    and (p_mentor_id is null or m.mentor_id = p_mentor_id)
    and (p_student_id is null or m.student_id = p_student_id)
    and (p_health is null or m.health_status = p_health)
    and (p_role is null or m.role = p_role)
    and (p_search is null or private.is_named(p_search, s) or private.is_named(p_search, t))
  order by m.started_at desc, m.id;
end
$$;
comment on function private.get_all_matches(text, uuid, uuid, text, text, text) is
  'The matches, for those who may see all.';

create function public.get_all_matches(
  p_status text default null, p_mentor_id uuid default null, p_student_id uuid default null,
  p_health text default null, p_search text default null, p_role text default null
)
returns table (
  id uuid, role text, status text,
  student_id uuid, student_name text, student_email text,
  mentor_id uuid, mentor_name text, mentor_email text,
  score numeric, health_status text, health_score integer,
  started_at timestamptz, ended_at timestamptz, end_reason text,
  last_contact_at timestamptz, at_risk_since timestamptz, meetings bigint
)
language sql stable set search_path = '' as $$
  select * from private.get_all_matches(
    p_status, p_mentor_id, p_student_id, p_health, p_search, p_role
  )
$$;
comment on function public.get_all_matches(text, uuid, uuid, text, text, text) is
  'Matches, the latest first: by status, side, health, role, or a part of a name or address of'
  ' either side. For admins and service_role.';

-- Statistics --------------------------------------------------------------------------------

create function private.part_of(p_part bigint, p_whole bigint) returns numeric
language sql immutable set search_path = '' as $$
  select round(p_part::numeric / nullif(p_whole, 0), 3)
$$;
comment on function private.part_of(bigint, bigint) is 'A share, 0 to 1; null of nothing.';

create function private.hours_between(p_from timestamptz, p_until timestamptz) returns numeric
language sql immutable set search_path = '' as $$
  select round(extract(epoch from p_until - p_from) / 3600, 1)
$$;
comment on function private.hours_between(timestamptz, timestamptz) is 'How many hours.';

create function private.request_stats(p_since timestamptz) returns jsonb
language sql stable set search_path = '' as $$
  select jsonb_build_object(
    'waiting', count(*),
    'longest_wait_hours', max(private.hours_between(r.created_at, now())),
    'mean_wait_hours', round(avg(private.hours_between(r.created_at, now())), 1),
    'made', (select count(*) from public.mentorship_requests as x where x.created_at >= p_since),
    'median_hours_to_match', (
      select round(
        (percentile_cont(0.5) within group (
          order by extract(epoch from m.started_at - x.created_at)
        ) / 3600)::numeric, 1
      )
      from public.matches as m
      inner join public.mentorship_requests as x on x.id = m.request_id
      where m.started_at >= p_since
    )
  )
  from public.mentorship_requests as r
  where r.status in ('open', 'offered')
$$;
comment on function private.request_stats(timestamptz) is 'Students who wait, and how long.';

create function private.offer_stats(p_since timestamptz) returns jsonb
language sql stable set search_path = '' as $$
  select jsonb_build_object(
    'made', count(*),
    'open', count(*) filter (where o.status = 'offered'),
    'accepted', count(*) filter (where o.status = 'accepted'),
    'declined', count(*) filter (where o.status = 'declined'),
    'expired', count(*) filter (where o.status = 'expired'),
    'withdrawn', count(*) filter (where o.status = 'withdrawn'),
    'acceptance_rate', private.part_of(
      count(*) filter (where o.status = 'accepted'),
      count(*) filter (where o.status in ('accepted', 'declined', 'expired'))
    ),
    'good_score_share', private.part_of(
      count(*) filter (where o.rank <= 3 and o.score > private.number_setting('good_score', 70)),
      count(*) filter (where o.rank <= 3)
    )
  )
  from public.match_offers as o
  where o.created_at >= p_since
$$;
comment on function private.offer_stats(timestamptz) is
  'Offers since then, what became of them, and how many of the best three suit well.';

create function private.match_stats(p_since timestamptz) returns jsonb
language sql stable set search_path = '' as $$
  select jsonb_build_object(
    'by_status', (
      select coalesce(jsonb_object_agg(c.status, c.n), '{}')
      from (select x.status, count(*) as n from public.matches as x group by x.status) as c
    ),
    'at_risk', count(*) filter (where m.status = 'active' and m.health_status = 'at_risk'),
    'started', count(*) filter (where m.started_at >= p_since),
    'completed', count(*) filter (where m.status = 'completed' and m.ended_at >= p_since),
    'dissolved', count(*) filter (where m.status = 'dissolved' and m.ended_at >= p_since)
  )
  from public.matches as m
$$;
comment on function private.match_stats(timestamptz) is
  'Matches by status and those at risk, now; started and ended since then.';

create function private.capacity_stats() returns jsonb
language sql stable set search_path = '' as $$
  select jsonb_build_object(
    'mentors', count(*),
    'declared', coalesce(sum(c.seats), 0),
    'used', coalesce(sum(c.taken), 0),
    'full_mentors', count(*) filter (where c.taken >= c.seats)
  )
  from (
    select
      coalesce(t.capacity, private.number_setting('default_capacity', 20)) as seats,
      coalesce(m.n, 0) as taken
    from public.mentors as t
    left join (
      select x.mentor_id, count(*) as n from public.matches as x
      where x.status in ('active', 'paused') and x.role in ('primary', 'substitute')
      group by x.mentor_id
    ) as m on m.mentor_id = t.person_id
    where t.is_approved and t.is_active
  ) as c
$$;
comment on function private.capacity_stats() is
  'Seats of approved, active mentors, and how many are taken.';

create function private.feedback_stats(p_since timestamptz) returns jsonb
language sql stable set search_path = '' as $$
  select jsonb_build_object(
    'given', count(*),
    'mean_rating_by_students', round(avg(f.rating) filter (where f.author_role = 'student'), 2),
    'mean_rating_by_mentors', round(avg(f.rating) filter (where f.author_role = 'mentor'), 2),
    'surveys_answered', count(*) filter (where f.feedback_type = 'survey'),
    'survey_mails', (
      select count(*) from public.message_outbox as o
      where o.kind in ('feedback_survey', 'survey_digest') and o.created_at >= p_since
    )
  )
  from public.mentorship_feedback as f
  where f.created_at >= p_since
$$;
comment on function private.feedback_stats(timestamptz) is
  'Feedback and surveys since then.';

-- Of a question younger than a day that nobody took, nobody knows yet.
create function private.question_stats(p_since timestamptz) returns jsonb
language sql stable set search_path = '' as $$
  select jsonb_build_object(
    'asked', count(*),
    'open', count(*) filter (where q.status = 'open'),
    'claimed', count(*) filter (where q.status = 'claimed'),
    'completed', count(*) filter (where q.status = 'completed'),
    'expired', count(*) filter (where q.status = 'expired'),
    'claimed_within_day_share', private.part_of(
      count(*) filter (where q.first_claimed_at <= q.created_at + interval '24 hours'),
      count(*) filter (
        where q.first_claimed_at is not null
        or q.status <> 'cancelled' and q.created_at <= now() - interval '24 hours'
      )
    ),
    'mean_rating', round(avg(q.rating), 2)
  )
  from public.quick_questions as q
  where q.created_at >= p_since
$$;
comment on function private.question_stats(timestamptz) is
  'Questions asked since then, and how soon they were taken.';

-- Definer: it counts what only admins read.
create function private.get_dashboard_stats(p_days integer) returns jsonb
language plpgsql stable security definer set search_path = '' as $$
declare
  since constant timestamptz := now() - make_interval(days => p_days);
begin
  if not private.sees_everything() then
    raise exception 'Only admins see the statistics.' using errcode = '42501';
  end if;
  if coalesce(p_days, 0) not between 1 and 3650 then
    raise exception 'p_days is 1 to 3650.' using errcode = 'MS012', hint = 'Ask for p_days=30.';
  end if;
  return jsonb_build_object(
    'days', p_days,
    'since', since,
    'requests', private.request_stats(since),
    'offers', private.offer_stats(since),
    'matches', private.match_stats(since),
    'capacity', private.capacity_stats(),
    'feedback', private.feedback_stats(since),
    'questions', private.question_stats(since)
  );
end
$$;
comment on function private.get_dashboard_stats(integer) is
  'How the programme does, for those who may see it.';

create function public.get_dashboard_stats(p_days integer default 30) returns jsonb
language sql stable set search_path = '' as $$ select private.get_dashboard_stats(p_days) $$;
comment on function public.get_dashboard_stats(integer) is
  'How the programme does: what is now, and what happened in the last p_days days: requests,'
  ' offers, matches, capacity, feedback, questions. For admins and service_role.';

revoke all on function
  private.is_named(text, public.users),
  private.get_all_matches(text, uuid, uuid, text, text, text),
  private.part_of(bigint, bigint),
  private.hours_between(timestamptz, timestamptz),
  private.request_stats(timestamptz),
  private.offer_stats(timestamptz),
  private.match_stats(timestamptz),
  private.capacity_stats(),
  private.feedback_stats(timestamptz),
  private.question_stats(timestamptz),
  private.get_dashboard_stats(integer),
  public.get_all_matches(text, uuid, uuid, text, text, text),
  public.get_dashboard_stats(integer)
from public, anon, authenticated, service_role;
grant execute on function
  private.get_all_matches(text, uuid, uuid, text, text, text),
  private.get_dashboard_stats(integer),
  public.get_all_matches(text, uuid, uuid, text, text, text),
  public.get_dashboard_stats(integer)
to authenticated, service_role;
