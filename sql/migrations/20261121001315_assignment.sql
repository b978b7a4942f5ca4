-- Assignment: students get mentors without asking anybody, as well as can be for all together; and
-- what would be if a mentor left. Off by default: auto_assignment. Only service_role.

insert into public.program_settings (key, value, description) values
  ('auto_assignment', 'false',
   'Students without a mentor are assigned to free seats by the job assign_students, nobody asked.');

-- What is read ------------------------------------------------------------------------------

create function private.assignment_settings() returns jsonb
language sql stable security definer set search_path = '' as $$
  select private.matching_settings() || jsonb_build_object(
    'auto_assignment', exists (
      select from public.program_settings as s
      where s.key = 'auto_assignment' and s.value = 'true'::jsonb
    ),
    'good_units', round(private.decimal_setting('good_score', 70) * 10000),
    'offered', (
      select count(*) from public.mentorship_requests as r where r.status = 'offered'
    ),
    'rules', (
      select jsonb_object_agg(r.rule, private.rule_words(r.rule))
      from unnest(
        '{not_a_mentor,not_approved,inactive,paused,no_hours,silent,full,oneself,blocked,'
        'matched_before,already_offered,language,timezone}'::text[]
      ) as r (rule)
    )
  )
$$;
comment on function private.assignment_settings() is 'By what the engine assigns.';

create function public.assignment_settings() returns jsonb
language sql stable set search_path = '' as $$ select private.assignment_settings() $$;
comment on function public.assignment_settings() is
  'matching_settings, and with them auto_assignment; good_units: from where a score is good;'
  ' offered: how many requests mentors look at; and the hard rules in words.';

-- Those whose request mentors are looking at are left to them. Who has not asked gets a mentor as
-- well, unless the latest that they said was no: a request cancelled, a mentoring completed.
create function private.unplaced_students(p_ids uuid[], p_unasked boolean)
returns table (student_id uuid, request_id uuid)
language sql stable set search_path = '' as $$
  select p.id, r.id
  from unnest(p_ids) as p (id)
  inner join public.users as u on u.id = p.id and u.status = 'Active'
  left join public.mentorship_requests as r
    on r.student_id = p.id and r.status in ('open', 'offered')
  where not exists (
      select from public.matches as m
      where m.student_id = p.id and m.role = 'primary' and m.status in ('active', 'paused')
    )
    and case
      when r.id is not null then r.status = 'open' and r.expires_at > now()
      else p_unasked
        and not coalesce((
          select x.status = 'cancelled' from public.mentorship_requests as x
          where x.student_id = p.id order by x.created_at desc limit 1
        ), false)
        and not coalesce((
          select m.status = 'completed' from public.matches as m
          where m.student_id = p.id and m.role = 'primary'
          order by m.started_at desc limit 1
        ), false)
    end
$$;
comment on function private.unplaced_students(uuid[], boolean) is
  'Which of these students are to be assigned, with their open requests, if any.';

-- Definer, as in requests_to_match.
create function private.students_to_assign(
  p_after uuid, p_limit integer, p_student_id uuid, p_unasked boolean
) returns jsonb
language plpgsql stable security definer set search_path = '' as $$
declare
  page constant uuid[] := array(
    select p.user_id from public.mentorship_profiles as p
    where p.role = 'student' and p.is_active and (p_after is null or p.user_id > p_after)
      and (p_student_id is null or p.user_id = p_student_id)
    order by p.user_id limit p_limit
  );
  students uuid[];
  requests uuid[];
begin
  select
    coalesce(array_agg(s.student_id order by s.student_id), '{}'),
    coalesce(array_agg(s.request_id order by s.student_id), '{}')
  into students, requests
  from private.unplaced_students(page, p_unasked) as s;
  return private.packed_students(students, requests) || jsonb_build_object(
    'forbidden', private.forbidden_pairs(students, requests),
    'cursor', page[cardinality(page)],
    'done', cardinality(page) < p_limit
  );
end
$$;
comment on function private.students_to_assign(uuid, integer, uuid, boolean) is
  'One page of students_to_assign.';

create function public.students_to_assign(
  p_after uuid default null, p_limit integer default 20000, p_student_id uuid default null,
  p_unasked boolean default true
) returns jsonb
language sql stable set search_path = '' as $$
  select private.students_to_assign(
    p_after, least(greatest(p_limit, 1), 20000), p_student_id, p_unasked
  )
$$;
comment on function public.students_to_assign(uuid, integer, uuid, boolean) is
  'Students without a mentor, as requests_to_match; with p_unasked also those who did not ask.';

-- Definer, likewise. Who is full is no use to the job, but says what one more seat would be worth.
create function private.mentors_to_assign(
  p_after uuid, p_limit integer, p_full boolean, p_without uuid
) returns jsonb
language plpgsql stable security definer set search_path = '' as $$
declare
  page constant uuid[] := array(
    select p.user_id from public.mentorship_profiles as p
    where p.role = 'mentor' and p.is_active and (p_after is null or p.user_id > p_after)
    order by p.user_id limit p_limit
  );
  ids uuid[];
  seats integer[];
begin
  select
    coalesce(array_agg(s.mentor_id order by s.mentor_id), '{}'),
    coalesce(array_agg(greatest(s.effective - s.taken, 0) order by s.mentor_id), '{}')
  into ids, seats
  from private.mentor_states(page) as s
  where (s.rule is null or s.rule = 'full' and p_full)
    and s.mentor_id is distinct from p_without;
  return private.packed_mentors(ids) || jsonb_build_object(
    'quotas', to_jsonb(seats),
    'cursor', page[cardinality(page)],
    'done', cardinality(page) < p_limit
  );
end
$$;
comment on function private.mentors_to_assign(uuid, integer, boolean, uuid) is
  'One page of mentors_to_assign.';

create function public.mentors_to_assign(
  p_after uuid default null, p_limit integer default 5000, p_full boolean default false,
  p_without uuid default null
) returns jsonb
language sql stable set search_path = '' as $$
  select private.mentors_to_assign(
    p_after, least(greatest(p_limit, 1), 20000), p_full, p_without
  )
$$;
comment on function public.mentors_to_assign(uuid, integer, boolean, uuid) is
  'Mentors with free seats, as mentors_to_match, the quotas being seats; with p_full also those'
  ' who have none, and without one mentor, if given.';

-- What is written ---------------------------------------------------------------------------

create type private.placing as (
  place integer, student_id uuid, mentor_id uuid, request_id uuid, units integer,
  breakdown jsonb, rule text, reason text
);
comment on type private.placing is
  'A student for a mentor; the rule that keeps them apart, or failed and the reason.';

-- In the order in which begin_match takes its locks.
create function private.lock_placings(p_students uuid[], p_mentors uuid[]) returns void
language plpgsql volatile set search_path = '' as $$
begin
  perform from public.users as u where u.id = any (p_students) order by u.id for no key update;
  perform from public.mentorship_requests as r
  where r.student_id = any (p_students) and r.status in ('open', 'offered')
  order by r.id for update;
  perform private.lock_mentors(p_mentors);
end
$$;
comment on function private.lock_placings(uuid[], uuid[]) is
  'Nobody else gives these students a mentor, or these mentors a student.';

-- Since the engine looked, seats and requests may be gone: who comes first in the list goes first.
create function private.judged_placings(p_pairs jsonb) returns setof private.placing
language sql stable set search_path = '' as $$
  with given as materialized (
    select p.*
    from rows from (jsonb_to_recordset(p_pairs) as (
      student_id uuid, mentor_id uuid, request_id uuid, units integer, breakdown jsonb
    )) with ordinality as p (student_id, mentor_id, request_id, units, breakdown, place)
  ),
  judged as materialized (
    select r.place, r.rule
    from (
      select
        array_agg(g.student_id order by g.place) as students,
        array_agg(g.mentor_id order by g.place) as mentors,
        array_agg(g.request_id order by g.place) as requests
      from given as g
    ) as l
    cross join lateral private.pair_rules(l.students, l.mentors, l.requests) as r
  ),
  ruled as (
    select g.*, case
      when exists (
        select from public.matches as m
        where m.student_id = g.student_id and m.role = 'primary' and m.status in ('active', 'paused')
      ) then 'has_mentor'
      when r.id is distinct from g.request_id or r.status <> 'open' then 'request_changed'
      else j.rule
    end as rule
    from given as g
    inner join judged as j on j.place = g.place
    left join public.mentorship_requests as r
      on r.student_id = g.student_id and r.status in ('open', 'offered')
  ),
  numbered as (
    select x.*,
      row_number() over (partition by x.mentor_id, x.rule is null order by x.place) as seat
    from ruled as x
  )
  select n.place::integer, n.student_id, n.mentor_id, n.request_id, n.units, n.breakdown,
    coalesce(n.rule, case when n.seat > s.effective - s.taken then 'full' end), null
  from numbered as n
  inner join private.mentor_states(array(select distinct g.mentor_id from given as g)) as s
    on s.mentor_id = n.mentor_id
  order by n.place
$$;
comment on function private.judged_placings(jsonb) is
  'Pairs to be matched, each with the rule that forbids it by now, if any.';

-- As begin_match, for many; the triggers of the matches do the rest. The requests are open, so
-- there are no offers to withdraw.
create function private.begin_together(p_placings private.placing[]) returns void
language plpgsql volatile set search_path = '' as $$
declare
  made uuid[];
begin
  perform private.because(null, 'Assigned by the programme.');
  with begun as (
    insert into public.matches as m (student_id, mentor_id, request_id, goals, score, breakdown)
    select p.student_id, p.mentor_id, p.request_id, coalesce(r.goals, '{}'),
      round(p.units / 10000.0, 2), p.breakdown
    from unnest(p_placings) as p
    left join public.mentorship_requests as r on r.id = p.request_id
    where p.rule is null
    order by p.place
    returning m.id
  )
  select coalesce(array_agg(b.id), '{}') into made from begun as b;
  perform set_config('mentor_sync.cause', '', true);
  update public.mentorship_requests as r
  set status = 'matched', closed_at = now()
  from unnest(p_placings) as p
  where p.rule is null and r.id = p.request_id;
  perform private.note_stale(array(
    select p.student_id from unnest(p_placings) as p
    where p.rule is null and p.request_id is not null
  ));
  perform private.announce_match(m, null) from public.matches as m where m.id = any (made);
end
$$;
comment on function private.begin_together(private.placing[]) is
  'Matches all of these pairs that no rule forbids, or none where one fails.';

create function private.begin_alone(p_placing private.placing) returns private.placing
language plpgsql volatile set search_path = '' as $$
begin
  perform private.begin_match(
    p_placing.student_id, p_placing.mentor_id, 'primary', p_placing.request_id, null,
    round(p_placing.units / 10000.0, 2), p_placing.breakdown, null, 'Assigned by the programme.'
  )
  where p_placing.rule is null;
  return p_placing;
exception
  when others then
    p_placing.rule := 'failed';
    p_placing.reason := sqlerrm;
    return p_placing;
end
$$;
comment on function private.begin_alone(private.placing) is
  'Matches one pair that no rule forbids; where that fails, it says why.';

create function private.begin_placings(p_pairs jsonb) returns private.placing[]
language plpgsql volatile set search_path = '' as $$
declare
  placings private.placing[];
begin
  perform private.lock_placings(
    array_agg((p.value ->> 'student_id')::uuid), array_agg((p.value ->> 'mentor_id')::uuid)
  )
  from jsonb_array_elements(p_pairs) as p (value);
  placings := array(select j from private.judged_placings(p_pairs) as j);
  begin
    perform private.begin_together(placings);
    return placings;
  exception
    -- One of them: which, is seen one by one.
    when others then null;
  end;
  return array(select private.begin_alone(p) from unnest(placings) as p order by p.place);
end
$$;
comment on function private.begin_placings(jsonb) is
  'Matches pairs: what became of each. One that fails does not keep the others.';

create function private.placing_counts(p_placings private.placing[]) returns jsonb
language sql stable set search_path = '' as $$
  select coalesce(jsonb_object_agg(n.kind, n.n), '{}')
  from (
    select
      case
        when p.rule is null then 'placed'
        when p.rule = 'failed' then 'failed'
        else 'dropped_' || p.rule
      end as kind,
      count(*) as n
    from unnest(p_placings) as p
    group by 1
  ) as n
$$;
comment on function private.placing_counts(private.placing[]) is
  'How many were placed, failed, or were dropped by which rule.';

create function private.placing_records(p_placings private.placing[], p_limit integer)
returns jsonb
language sql stable set search_path = '' as $$
  select coalesce(jsonb_agg(jsonb_build_object(
    'outcome', case
      when p.rule is null then 'placed' when p.rule = 'failed' then 'failed' else 'dropped'
    end,
    'student_id', p.student_id, 'student_name', coalesce(s.full_name, ''),
    'mentor_id', p.mentor_id, 'mentor_name', coalesce(t.full_name, ''),
    'score', round(p.units / 10000.0, 2), 'reason', coalesce(p.reason, p.rule)
  ) order by p.place), '[]')
  from (
    select x.* from unnest(p_placings) as x
    order by x.rule is null, x.place limit p_limit
  ) as p
  inner join public.users as s on s.id = p.student_id
  inner join public.users as t on t.id = p.mentor_id
$$;
comment on function private.placing_records(private.placing[], integer) is
  'What became of some pairs, for people to read; those that were not placed go before.';

-- Definer: rules, terms and matches are closed to service_role. In a dry run the chunk executes
-- like any other, its mails too, and is rolled back.
create function private.save_assignments(
  p_run_id uuid, p_fence bigint, p_pairs jsonb, p_dry_run boolean, p_records integer
) returns jsonb
language plpgsql volatile security definer set search_path = '' as $$
declare
  run constant public.job_runs := private.assert_run(p_run_id, p_fence);
  -- Of this attempt: another one looks anew.
  chunk constant text := concat_ws(':', p_fence, p_pairs #>> '{0,student_id}');
  placings private.placing[];
  answer jsonb;
begin
  -- The answer to the same call may have been lost on its way.
  if run.progress ? 'answer' and run.progress ->> 'chunk' = chunk then
    return run.progress -> 'answer';
  end if;
  begin
    placings := private.begin_placings(p_pairs);
    if p_dry_run then
      raise exception using errcode = 'MS000', message = 'dry run';
    end if;
  exception
    when sqlstate 'MS000' then null;
  end;
  answer := jsonb_build_object(
    'counts', private.placing_counts(placings),
    'records', private.placing_records(placings, p_records)
  );
  update public.job_runs as r
  set progress = jsonb_build_object(
    'chunk', chunk,
    'counts', private.add_counts(coalesce(run.progress -> 'counts', '{}'), answer -> 'counts'),
    'answer', answer
  )
  where r.id = p_run_id and not p_dry_run;
  return answer;
end
$$;
comment on function private.save_assignments(uuid, bigint, jsonb, boolean, integer) is
  'One call of save_assignments.';

create function public.save_assignments(
  p_run_id uuid, p_fence bigint, p_pairs jsonb, p_dry_run boolean default false,
  p_records integer default 200
) returns jsonb
language sql volatile set search_path = '' as $$
  select private.save_assignments(p_run_id, p_fence, p_pairs, p_dry_run, p_records)
$$;
comment on function public.save_assignments(uuid, bigint, jsonb, boolean, integer) is
  'Matches students with mentors, [{student_id, mentor_id, request_id, units, breakdown}], as far'
  ' as the rules still allow it: counts, and what became of some, at the most p_records.';

-- What if -----------------------------------------------------------------------------------

create function private.find_mentor(p_mentor text) returns uuid
language plpgsql stable set search_path = '' as $$
declare
  named constant text := private.trim_space(p_mentor);
  found_ids uuid[];
begin
  found_ids := array(
    select u.id from public.users as u
    where (
      u.id::text = lower(named)
      or private.normalise_email(u.email) = private.normalise_email(named)
      or exists (
        select from public.mentors as t
        where t.person_id = u.id and (t.id::text = lower(named) or t.slug = named)
      )
    ) and (
      exists (select from public.mentors as t where t.person_id = u.id)
      or exists (select from public.matches as m where m.mentor_id = u.id)
    )
    limit 2
  );
  if cardinality(found_ids) = 2 then
    raise exception 'Several mentors are called %.', named
      using errcode = 'MS011', hint = 'Give the id: v_mentor_capacity has it.';
  elsif found_ids = '{}' then
    raise exception 'There is no mentor %.', named
      using errcode = 'MS011', hint = 'Give an id or an e-mail address: v_mentor_capacity has all.';
  end if;
  return found_ids[1];
end
$$;
comment on function private.find_mentor(text) is
  'The mentor of this id, address or slug: users.id.';

-- Definer, as in requests_to_match. Paused matches count: they keep a seat.
create function private.departure(p_mentor text) returns jsonb
language plpgsql stable security definer set search_path = '' as $$
declare
  leaver constant uuid := private.find_mentor(p_mentor);
  students uuid[];
  requests uuid[];
begin
  select
    coalesce(array_agg(m.student_id order by m.started_at, m.student_id), '{}'),
    coalesce(array_agg(m.request_id order by m.started_at, m.student_id), '{}')
  into students, requests
  from public.matches as m
  where m.mentor_id = leaver and m.role = 'primary' and m.status in ('active', 'paused');
  return jsonb_build_object(
    'mentor', private.packed_mentors(array[leaver]) || jsonb_build_object('quotas', '[0]'::jsonb),
    -- Who was asked for the request once may be asked again.
    'students', private.packed_students(students, requests) || jsonb_build_object(
      'forbidden', private.forbidden_pairs(students, '{}')
    ),
    'others', (
      select count(*) from public.matches as m
      where m.mentor_id = leaver and m.role <> 'primary' and m.status in ('active', 'paused')
    )
  );
end
$$;
comment on function private.departure(text) is 'The answer of departure.';

create function public.departure(p_mentor text) returns jsonb
language sql stable set search_path = '' as $$ select private.departure(p_mentor) $$;
comment on function public.departure(text) is
  'A mentor and their students, packed for the engine as mentors_to_match and requests_to_match;'
  ' and how many they are a substitute or peer of.';

revoke all on function
  private.assignment_settings(),
  private.unplaced_students(uuid[], boolean),
  private.students_to_assign(uuid, integer, uuid, boolean),
  private.mentors_to_assign(uuid, integer, boolean, uuid),
  private.lock_placings(uuid[], uuid[]),
  private.judged_placings(jsonb),
  private.begin_together(private.placing[]),
  private.begin_alone(private.placing),
  private.begin_placings(jsonb),
  private.placing_counts(private.placing[]),
  private.placing_records(private.placing[], integer),
  private.save_assignments(uuid, bigint, jsonb, boolean, integer),
  private.find_mentor(text),
  private.departure(text),
  public.assignment_settings(),
  public.students_to_assign(uuid, integer, uuid, boolean),
  public.mentors_to_assign(uuid, integer, boolean, uuid),
  public.save_assignments(uuid, bigint, jsonb, boolean, integer),
  public.departure(text)
from public, anon, authenticated, service_role;
grant execute on function
  private.assignment_settings(),
  private.students_to_assign(uuid, integer, uuid, boolean),
  private.mentors_to_assign(uuid, integer, boolean, uuid),
  private.save_assignments(uuid, bigint, jsonb, boolean, integer),
  private.departure(text),
  public.assignment_settings(),
  public.students_to_assign(uuid, integer, uuid, boolean),
  public.mentors_to_assign(uuid, integer, boolean, uuid),
  public.save_assignments(uuid, bigint, jsonb, boolean, integer),
  public.departure(text)
to service_role;
