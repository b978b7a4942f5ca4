-- Rules: who may be offered to whom, whatever the score; and who is best for whom, and why.
-- A student asks about themselves, admins and service_role about anybody.

insert into public.program_settings (key, value, description) values
  ('silent_after', '3', 'A mentor who lets so many offers pass unanswered gets no more for a while.'),
  ('silent_days', '30', 'How long that while is; a mentor who changes their profile is back at once.'),
  ('good_score', '70', 'From this score on a match counts as a good one.');

-- Capacity ----------------------------------------------------------------------------------

create function private.capacity_of(p_mentor_id uuid) returns integer
language sql stable set search_path = '' as $$
  select coalesce(
    (select t.capacity from public.mentors as t where t.person_id = p_mentor_id),
    private.number_setting('default_capacity', 20)
  )
$$;
comment on function private.capacity_of(uuid) is
  'How many students a mentor takes: as declared, or default_capacity.';

-- What a mentor declared is cut by how they answer: one who takes more than half of the time that
-- offers stand gets half as many; one who falls silent gets none.
create function private.mentor_states(p_ids uuid[])
returns table (
  mentor_id uuid, declared integer, effective integer, taken integer, answer_hours numeric,
  unanswered integer, rule text
)
language sql stable set search_path = '' as $$
  with setting as materialized (
    select
      private.number_setting('default_capacity', 20) as default_capacity,
      private.number_setting('offer_days', 5) as offer_days,
      private.number_setting('silent_after', 3) as silent_after,
      make_interval(days => private.number_setting('silent_days', 30)) as silent_for
  ),
  state as (
    select
      wanted.id,
      t.id as directory_id, t.is_approved, t.is_active and u.status = 'Active' as is_active,
      p.role = 'mentor' as has_profile, p.is_active as profile_is_active, p.paused_until,
      p.available_hours, coalesce(p.mentee_count, 0) as taken,
      coalesce(t.capacity, s.default_capacity) as declared,
      answers.hours,
      silence.unanswered,
      silence.unanswered >= s.silent_after
        and silence.latest > now() - s.silent_for
        and silence.latest >= p.updated_at as is_silent,
      answers.hours > s.offer_days * 12 as is_slow
    from unnest(p_ids) as wanted (id)
    cross join setting as s
    left join public.users as u on u.id = wanted.id
    left join public.mentors as t on t.person_id = wanted.id
    left join public.mentorship_profiles as p on p.user_id = wanted.id
    cross join lateral (
      select
        round((percentile_cont(0.5) within group (
          order by extract(epoch from o.answered_at - o.created_at) / 3600
        ))::numeric, 1) as hours,
        max(o.answered_at) as latest
      from public.match_offers as o
      where o.mentor_id = wanted.id and o.status in ('accepted', 'declined')
        and o.created_at > now() - interval '90 days'
    ) as answers
    cross join lateral (
      select count(*)::integer as unanswered, max(o.answered_at) as latest
      from public.match_offers as o
      where o.mentor_id = wanted.id and o.status = 'expired'
        and o.created_at > coalesce(answers.latest, '-infinity')
    ) as silence
  )
  select
    s.id,
    s.declared,
    e.effective,
    s.taken,
    s.hours,
    s.unanswered,
    case
      when s.directory_id is null or s.has_profile is not true then 'not_a_mentor'
      when s.is_approved is not true then 'not_approved'
      when not s.is_active or not s.profile_is_active then 'inactive'
      when s.paused_until > now() then 'paused'
      when s.available_hours = 0 then 'no_hours'
      when s.is_silent then 'silent'
      when e.effective <= s.taken then 'full'
    end
  from state as s
  cross join lateral (
    select case
      when s.is_silent then 0
      when s.is_slow then (s.declared + 1) / 2
      else s.declared
    end as effective
  ) as e
$$;
comment on function private.mentor_states(uuid[]) is
  'How many students these mentors take and have, how they answer, and why they get no offers.';

-- Hard rules --------------------------------------------------------------------------------

-- Three lists of the same length: the pairs, and the request that each is for (null: the one that
-- the student has open, if any).
create function private.pair_rules(p_students uuid[], p_mentors uuid[], p_requests uuid[])
returns table (place bigint, student_id uuid, mentor_id uuid, rule text)
language sql stable set search_path = '' as $$
  with state as materialized (
    select s.mentor_id, s.rule, p.languages, coalesce(t.timezone, u.timezone) as zone
    from private.mentor_states(array(select distinct m from unnest(p_mentors) as m)) as s
    left join public.mentorship_profiles as p on p.user_id = s.mentor_id
    left join public.mentors as t on t.person_id = s.mentor_id
    left join public.users as u on u.id = s.mentor_id
  )
  select
    pair.place,
    pair.student_id,
    pair.mentor_id,
    case
      when pair.student_id = pair.mentor_id then 'oneself'
      when s.rule is not null then s.rule
      when exists (
        select from public.blocked_pairs as b
        where b.student_id = pair.student_id and b.mentor_id = pair.mentor_id
      ) then 'blocked'
      when exists (
        select from public.matches as m
        where m.student_id = pair.student_id and m.mentor_id = pair.mentor_id and not m.undone
      ) then 'matched_before'
      when exists (
        select from public.match_offers as o
        where o.request_id = r.id and o.mentor_id = pair.mentor_id
      ) then 'already_offered'
      when r.required_languages <> '{}' and not r.required_languages && s.languages then 'language'
      when r.max_timezone_hours is not null and coalesce(
        private.hours_apart(u.timezone, s.zone) > r.max_timezone_hours, true
      ) then 'timezone'
    end
  from unnest(p_students, p_mentors, p_requests) with ordinality
    as pair (student_id, mentor_id, request_id, place)
  left join state as s on s.mentor_id = pair.mentor_id
  left join public.users as u on u.id = pair.student_id
  left join public.mentorship_requests as r
    on r.student_id = pair.student_id
    and (r.id = pair.request_id or pair.request_id is null and r.status in ('open', 'offered'))
$$;
comment on function private.pair_rules(uuid[], uuid[], uuid[]) is
  'For each pair the hard rule that keeps the two apart; null: none does.';

create function private.blocking_rule(
  p_student_id uuid, p_mentor_id uuid, p_request_id uuid default null
) returns text
language sql stable set search_path = '' as $$
  select r.rule
  from private.pair_rules(array[p_student_id], array[p_mentor_id], array[p_request_id]) as r
$$;
comment on function private.blocking_rule(uuid, uuid, uuid) is
  'The hard rule that keeps these two apart; null: none does.';

create function private.rule_words(p_rule text) returns text
language sql immutable set search_path = '' as $$
  select case p_rule
    when 'not_a_mentor' then 'This person is no mentor of the directory, or has no profile.'
    when 'not_approved' then 'The mentor is not approved yet.'
    when 'inactive' then 'The mentor is not active.'
    when 'paused' then 'The mentor takes nobody new for now.'
    when 'no_hours' then 'The mentor has no hours.'
    when 'silent' then 'The mentor let the latest offers pass unanswered.'
    when 'full' then 'The mentor has no seat left.'
    when 'oneself' then 'Nobody mentors themselves.'
    when 'blocked' then 'The two are not to be brought together.'
    when 'matched_before' then 'The two are or were matched.'
    when 'already_offered' then 'The mentor was asked for this request already.'
    when 'language' then 'The mentor speaks none of the languages asked for.'
    when 'timezone' then 'The time zones are further apart than asked for, or not known.'
  end
$$;
comment on function private.rule_words(text) is 'A hard rule in words.';

-- The best for one student ------------------------------------------------------------------

create function private.ranked_mentors(p_student_id uuid, p_weights public.match_weights)
returns table (mentor_id uuid, units integer)
language sql stable set search_path = '' as $$
  select m.user_id, sum(w.per_term)::integer
  from private.term_weights(p_student_id, p_weights) as w
  inner join private.profile_terms as s on s.user_id = p_student_id and s.factor = w.factor
  inner join private.profile_terms as m on m.term_id = s.term_id and m.factor = s.factor
  inner join public.mentorship_profiles as p on p.user_id = m.user_id and p.role = 'mentor'
  group by m.user_id
  order by 2 desc, 1
$$;
comment on function private.ranked_mentors(uuid, public.match_weights) is
  'Every mentor who has something in common with a student, the best first.';

create function private.allowed_mentors(p_student_id uuid, p_weights public.match_weights)
returns table (mentor_id uuid, units integer, rank bigint)
language sql stable set search_path = '' as $$
  with ranked as materialized (
    select r.mentor_id, r.units from private.ranked_mentors(p_student_id, p_weights) as r
  ),
  found as (
    select array_agg(r.mentor_id) as mentors, array_agg(p_student_id) as students,
      array_agg(null::uuid) as requests
    from ranked as r
  )
  select r.mentor_id, r.units, row_number() over (order by r.units desc, r.mentor_id)
  from found as f
  cross join lateral private.pair_rules(f.students, f.mentors, f.requests) as p
  inner join ranked as r on r.mentor_id = p.mentor_id
  where p.rule is null or p.rule = 'already_offered'
$$;
comment on function private.allowed_mentors(uuid, public.match_weights) is
  'The mentors whom no rule keeps from a student, ranked.';

create function private.recommend_mentors(p_student_id uuid, p_k integer)
returns table (
  rank bigint, mentor_id uuid, mentor_name text, score numeric, confidence integer,
  breakdown jsonb, reasons jsonb
)
language plpgsql stable security definer set search_path = '' as $$
#variable_conflict use_column
declare
  student constant uuid := coalesce(p_student_id, private.current_user_id());
  weights constant public.match_weights := private.current_weights();
begin
  perform private.require_score(student, student);
  return query
  select
    a.rank, a.mentor_id, u.full_name, (s.score ->> 'total')::numeric,
    (s.score ->> 'confidence')::integer, s.score -> 'breakdown', s.score -> 'reasons'
  from (
    select x.* from private.allowed_mentors(student, weights) as x
    order by x.rank limit least(greatest(p_k, 1), 100)
  ) as a
  inner join public.users as u on u.id = a.mentor_id
  cross join lateral (
    select private.score_pair(student, a.mentor_id, weights) as score offset 0
  ) as s
  order by a.rank;
end
$$;
comment on function private.recommend_mentors(uuid, integer) is
  'The best mentors for a student, for those who may know.';

create function public.recommend_mentors(p_student_id uuid default null, p_k integer default 3)
returns table (
  rank bigint, mentor_id uuid, mentor_name text, score numeric, confidence integer,
  breakdown jsonb, reasons jsonb
)
language sql stable set search_path = '' as $$
  select r.* from private.recommend_mentors(p_student_id, p_k) as r
$$;
comment on function public.recommend_mentors(uuid, integer) is
  'The best mentors for a student now, by default for oneself, with scores and reasons.';

-- Why, and why not --------------------------------------------------------------------------

-- Definer: it reads what others named, and tells the caller only about the pair, and the student
-- who is ahead. A mentor does not see who else was asked, nor in what order.
create function private.explain_match(p_student_id uuid, p_mentor_id uuid) returns jsonb
language plpgsql stable security definer set search_path = '' as $$
declare
  weights constant public.match_weights := private.current_weights();
  score jsonb;
  blocked_by constant text := private.told_rule(
    private.blocking_rule(p_student_id, p_mentor_id)
  );
  answer jsonb;
begin
  perform private.require_score(p_student_id, p_mentor_id);
  score := private.score_pair(p_student_id, p_mentor_id, weights);
  if not (private.sees_everything() or private.current_user_id() = p_student_id) then
    return score;
  end if;
  -- Of two who suit alike the lower id comes first.
  select jsonb_build_object(
    'rank', 1 + count(*) filter (where a.ahead),
    'of', count(*) filter (where a.mentor_id <> p_mentor_id) + 1,
    'best_total', greatest(round(max(a.units) / 10000.0, 2), (score ->> 'total')::numeric),
    'gives_up', greatest(round(max(a.units) / 10000.0, 2) - (score ->> 'total')::numeric, 0),
    'ahead', coalesce(
      jsonb_agg(jsonb_build_object(
        'mentor_id', a.mentor_id, 'mentor_name', a.full_name,
        'total', round(a.units / 10000.0, 2)
      ) order by a.rank) filter (where a.ahead and a.rank <= 3),
      '[]'
    )
  )
  into answer
  from (
    select x.*, u.full_name, x.mentor_id <> p_mentor_id
      and (x.units, p_mentor_id) > ((score ->> 'units')::integer, x.mentor_id) as ahead
    from private.allowed_mentors(p_student_id, weights) as x
    inner join public.users as u on u.id = x.mentor_id
  ) as a;
  return score || answer || jsonb_build_object(
    'rule', blocked_by, 'rule_in_words', private.rule_words(blocked_by)
  );
end
$$;
comment on function private.explain_match(uuid, uuid) is
  'Why, or why not, these two; for those who may know.';

create function public.explain_match(p_student_id uuid, p_mentor_id uuid) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return private.explain_match(p_student_id, p_mentor_id);
end
$$;
comment on function public.explain_match(uuid, uuid) is
  'The score of a pair; to the student and admins also its rank for the student, the rule that keeps'
  ' the two apart, and what the student would give up against the best.';

create view public.v_mentor_capacity with (security_invoker = on) as
select
  u.id as mentor_id, u.full_name as mentor_name, s.declared, s.effective, s.taken,
  greatest(s.effective - s.taken, 0) as free, s.answer_hours, s.unanswered, s.rule
-- One call for all, which takes a tenth of the time that one call each would.
from private.mentor_states(array(
  select t.person_id from public.mentors as t where t.person_id is not null
)) as s
inner join public.users as u on u.id = s.mentor_id;
comment on view public.v_mentor_capacity is
  'How many students each mentor takes, has and may be offered, and what keeps offers away.';
comment on column public.v_mentor_capacity.mentor_id is 'The mentor: users.id.';
comment on column public.v_mentor_capacity.mentor_name is 'Name as shown.';
comment on column public.v_mentor_capacity.declared is 'As declared, or default_capacity.';
comment on column public.v_mentor_capacity.effective is 'Cut by how the mentor answers.';
comment on column public.v_mentor_capacity.taken is 'Students now.';
comment on column public.v_mentor_capacity.free is 'Seats that are offered.';
comment on column public.v_mentor_capacity.answer_hours is
  'Median hours from offer to answer, of the last 90 days.';
comment on column public.v_mentor_capacity.unanswered is 'Offers that passed since the last answer.';
comment on column public.v_mentor_capacity.rule is 'Why there are no offers; empty: there are.';

revoke all on table public.v_mentor_capacity from public, anon, authenticated, service_role;
grant select on table public.v_mentor_capacity to service_role;
revoke all on function
  private.capacity_of(uuid),
  private.mentor_states(uuid[]),
  private.pair_rules(uuid[], uuid[], uuid[]),
  private.blocking_rule(uuid, uuid, uuid),
  private.rule_words(text),
  private.ranked_mentors(uuid, public.match_weights),
  private.allowed_mentors(uuid, public.match_weights),
  private.recommend_mentors(uuid, integer),
  private.explain_match(uuid, uuid),
  public.recommend_mentors(uuid, integer),
  public.explain_match(uuid, uuid)
from public, anon, authenticated, service_role;
-- For the view, which has the rights of whoever asks.
grant execute on function private.mentor_states(uuid[]) to service_role;
grant execute on function
  private.recommend_mentors(uuid, integer),
  private.explain_match(uuid, uuid),
  public.recommend_mentors(uuid, integer),
  public.explain_match(uuid, uuid)
to authenticated, service_role;
