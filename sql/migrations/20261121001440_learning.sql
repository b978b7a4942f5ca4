-- Learning: what old batches would be by other weights, and how scores went with what came of them.
-- For service_role and operators, who read; nothing here changes anything.

-- People ------------------------------------------------------------------------------------

create function public.find_people(p_who text) returns jsonb
language sql stable set search_path = '' as $$
  select coalesce(jsonb_agg(to_jsonb(found)), '[]')
  from (
    select
      u.id, u.full_name, u.email, u.role, u.status,
      (
        select r.status from public.mentorship_requests as r where r.student_id = u.id
        order by r.created_at desc, r.id limit 1
      ) as request
    from public.users as u
    where case
      when btrim(p_who) ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then u.id = btrim(p_who)::uuid
      else private.normalise_email(p_who) <> ''
        and private.normalise_email(u.email) = private.normalise_email(p_who)
    end
    limit 2
  ) as found
$$;
comment on function public.find_people(text) is
  'The people of this id or address, two at the most, with the state of their latest request.';

-- Replay ------------------------------------------------------------------------------------

-- A request that ended is no part of the student's terms any more; here it is again.
create function private.request_terms(p_request_id uuid)
returns table (factor smallint, term_id integer)
language sql stable set search_path = '' as $$
  with request as (
    select
      r.student_id, r.goals || r.focus_areas as goals, r.preference_overrides as changed,
      r.status in ('open', 'offered') as is_open,
      p.career_goals, p.industries, p.research_interests, p.skills
    from public.mentorship_requests as r
    inner join public.mentorship_profiles as p on p.user_id = r.student_id
    where r.id = p_request_id
  )
  select t.factor, t.term_id
  from request as r
  inner join private.profile_terms as t on t.user_id = r.student_id
  where r.is_open or t.factor >= 5
  union
  select l.factor, t.id
  from request as r
  cross join lateral (
    values
      (1::smallint, r.goals || case when r.changed ? 'career_goals'
        then private.texts_of(r.changed -> 'career_goals') else r.career_goals end),
      (2::smallint, case when r.changed ? 'industries'
        then private.texts_of(r.changed -> 'industries') else r.industries end),
      (3::smallint, case when r.changed ? 'research_interests'
        then private.texts_of(r.changed -> 'research_interests') else r.research_interests end),
      (4::smallint, case when r.changed ? 'skills'
        then private.texts_of(r.changed -> 'skills') else r.skills end)
  ) as l (factor, texts)
  cross join lateral private.terms_of(l.texts) as said (term)
  inner join public.match_terms as t on t.term = said.term
  where not r.is_open
  union
  select 6::smallint, t.id
  from request as r
  cross join lateral unnest(private.texts_of(r.changed -> 'channels')) as c (channel)
  inner join public.match_terms as t on t.term = 'channel ' || c.channel
  where not r.is_open
$$;
comment on function private.request_terms(uuid) is
  'What the student of a request names in it and in the profile, also where it has ended.';

-- As private.packed_people; the hash is of what the student tells now.
create function private.packed_requests(p_request_ids uuid[])
returns table (place bigint, terms text, n bigint, hash bigint)
language sql stable set search_path = '' as $$
  select p.place, t.terms, t.n, hashtextextended(coalesce(t.terms, ''), 0)
  from unnest(p_request_ids) with ordinality as p (id, place)
  cross join lateral (
    select
      string_agg((x.term_id * 6 + x.factor - 1)::text, ' ' order by x.factor, x.term_id) as terms,
      count(*) as n
    from private.request_terms(p.id) as x
  ) as t
$$;
comment on function private.packed_requests(uuid[]) is
  'The terms of the students of these requests, packed for the engine.';

-- What could be offered for each batch when it was made: not who was blocked, matched or asked
-- for the request before.
create function private.forbidden_then(p_batch_ids uuid[]) returns jsonb
language sql stable set search_path = '' as $$
  select jsonb_build_object(
    'places', coalesce(jsonb_agg(f.place - 1), '[]'),
    'mentors', coalesce(jsonb_agg(f.mentor_id), '[]')
  )
  from (
    select p.place, x.mentor_id
    from unnest(p_batch_ids) with ordinality as p (id, place)
    inner join public.match_batches as b on b.id = p.id
    cross join lateral (
      select k.mentor_id from public.blocked_pairs as k
      where k.student_id = b.student_id and k.created_at < b.created_at
      union
      select m.mentor_id from public.matches as m
      where m.student_id = b.student_id and m.started_at < b.created_at
        and m.request_id is distinct from b.request_id
      union
      select o.mentor_id
      from public.match_offers as o
      inner join public.match_batches as earlier on earlier.id = o.batch_id
      where o.request_id = b.request_id and earlier.number < b.number
      union
      select b.student_id
    ) as x
  ) as f
$$;
comment on function private.forbidden_then(uuid[]) is
  'Places of batches, from 0 on, and mentors who could not be in them.';

create function private.replayed_requests(p_batch_ids uuid[]) returns jsonb
language sql stable set search_path = '' as $$
  with batch as (
    select p.place, b.*, r.created_at as since, r.required_languages, r.max_timezone_hours,
      r.mentor_id as asked, u.timezone, u.full_name, t.terms, t.n, t.hash
    from unnest(p_batch_ids) with ordinality as p (id, place)
    inner join public.match_batches as b on b.id = p.id
    inner join public.mentorship_requests as r on r.id = b.request_id
    inner join public.users as u on u.id = b.student_id
    cross join lateral private.packed_requests(array[b.request_id]) as t
  ),
  offered as (
    select b.place, o.mentors, o.told # b.hash = b.input_hash as fits,
      exists (
        select from public.match_offers as x where x.batch_id = b.id and x.mentor_id = b.asked
      ) as was_asked
    from batch as b
    cross join lateral (
      select
        bit_xor(h.hash) as told,
        jsonb_agg(jsonb_build_object(
          'mentor_id', o.mentor_id, 'name', m.full_name, 'score', o.score
        ) order by o.rank) as mentors
      from public.match_offers as o
      inner join public.users as m on m.id = o.mentor_id
      cross join lateral private.packed_terms(array[o.mentor_id]) as h
      where o.batch_id = b.id
    ) as o
  )
  select jsonb_build_object(
    'requests', jsonb_agg(b.id order by b.place),
    'students', jsonb_agg(b.student_id order by b.place),
    'names', jsonb_agg(coalesce(b.full_name, '') order by b.place),
    'made_at', jsonb_agg(b.created_at order by b.place),
    'versions', jsonb_agg(b.weights_version order by b.place),
    'offered', jsonb_agg(o.mentors order by b.place),
    'fits', jsonb_agg(coalesce(o.fits, false) order by b.place),
    'days', jsonb_agg(extract(day from b.created_at - b.since)::integer order by b.place),
    'languages', jsonb_agg(b.required_languages order by b.place),
    'hours', jsonb_agg(b.max_timezone_hours order by b.place),
    'zones', jsonb_agg(
      case when b.max_timezone_hours is not null then private.zone_hours(b.timezone) end
      order by b.place
    ),
    'wanted', jsonb_agg(case when o.was_asked then b.asked end order by b.place),
    'rules', jsonb_agg(null::text order by b.place),
    'forbidden', private.forbidden_then(p_batch_ids),
    'terms', coalesce(string_agg(b.terms, ' ' order by b.place), ''),
    'counts', jsonb_agg(b.n order by b.place),
    'hashes', jsonb_agg(b.hash order by b.place)
  )
  from batch as b
  inner join offered as o on o.place = b.place
$$;
comment on function private.replayed_requests(uuid[]) is
  'Batches as requests_to_match would have them, and what was offered.';

-- The mentors who were offered in these batches, or could have been; each may have as many offers
-- as there was room for then, as far as that is still known.
create function private.replayed_mentors(p_batch_ids uuid[]) returns jsonb
language sql stable set search_path = '' as $$
  with moment as (
    select min(b.created_at) as first, max(b.created_at) as latest
    from public.match_batches as b where b.id = any (p_batch_ids)
  ),
  here as materialized (
    select o.mentor_id, count(*) as n from public.match_offers as o
    where o.batch_id = any (p_batch_ids) group by o.mentor_id
  ),
  pool as materialized (
    select s.mentor_id, coalesce(h.n, 0) as n,
      case s.rule when 'silent' then s.declared else s.effective end as seats
    from moment as t
    cross join lateral private.mentor_states(array(
      select p.user_id from public.mentorship_profiles as p
      where p.role = 'mentor' and p.created_at <= t.latest
      union
      select x.mentor_id from here as x
    )) as s
    left join here as h on h.mentor_id = s.mentor_id
    where h.n is not null or s.rule is null or s.rule in ('full', 'silent')
  ),
  mentor as (
    select
      row_number() over (order by p.mentor_id) as place, p.mentor_id,
      greatest(
        p.n, (p.seats - taken.n) * private.number_setting('offers_per_seat', 3) - open_then.n, 0
      ) as quota
    from pool as p
    cross join moment as t
    cross join lateral (
      select count(*) as n from public.matches as m
      where m.mentor_id = p.mentor_id and m.role <> 'peer' and m.status <> 'pending'
        and m.started_at < t.first and (m.ended_at is null or m.ended_at > t.first)
    ) as taken
    cross join lateral (
      select count(*) as n from public.match_offers as o
      where o.mentor_id = p.mentor_id and o.batch_id <> all (p_batch_ids)
        and o.created_at <= t.latest and (o.answered_at is null or o.answered_at > t.first)
    ) as open_then
  ),
  ids as (
    select coalesce(array_agg(m.mentor_id order by m.place), '{}') as all_ids from mentor as m
  )
  select private.packed_people((select i.all_ids from ids as i)) || jsonb_build_object(
    'mentors', coalesce(jsonb_agg(m.mentor_id order by m.place), '[]'),
    'names', coalesce(jsonb_agg(coalesce(u.full_name, '') order by m.place), '[]'),
    'quotas', coalesce(jsonb_agg(m.quota order by m.place), '[]'),
    'languages', coalesce(jsonb_agg(coalesce(p.languages, '{}') order by m.place), '[]'),
    'zones', coalesce(
      jsonb_agg(private.zone_hours(coalesce(t.timezone, u.timezone)) order by m.place), '[]'
    )
  )
  from mentor as m
  inner join public.users as u on u.id = m.mentor_id
  left join public.mentorship_profiles as p on p.user_id = m.mentor_id
  left join public.mentors as t on t.person_id = m.mentor_id
$$;
comment on function private.replayed_mentors(uuid[]) is
  'Mentors as mentors_to_match would have had them when these batches were made.';

-- Definer: terms and blocked pairs are not for service_role to read. Those that wait longest come
-- first, as when the batches were made.
create function private.replay_inputs(p_batch_ids uuid[]) returns jsonb
language plpgsql stable security definer set search_path = '' as $$
declare
  ids constant uuid[] := array(
    select b.id from public.match_batches as b
    inner join public.mentorship_requests as r on r.id = b.request_id
    where b.id = any (p_batch_ids)
      and exists (select from public.match_offers as o where o.batch_id = b.id)
    order by r.created_at, r.id
  );
begin
  return jsonb_build_object(
    'batches', cardinality(ids),
    'requests', private.replayed_requests(ids),
    'mentors', private.replayed_mentors(ids)
  );
end
$$;
comment on function private.replay_inputs(uuid[]) is 'One call of replay_inputs.';

create function public.replay_inputs(p_batch_ids uuid[]) returns jsonb
language sql stable set search_path = '' as $$ select private.replay_inputs(p_batch_ids) $$;
comment on function public.replay_inputs(uuid[]) is
  'What batches of one run were made of, and what they offered; profiles are those of now.';

-- Outcomes ----------------------------------------------------------------------------------

-- Good and other ends of offers and matches. An offer that another mentor was quicker to take
-- says nothing. Of matches, those count that are old enough to tell.
create function private.outcomes(p_alive_days integer, p_good_rating numeric)
returns table (outcome text, is_good boolean, breakdown jsonb)
language sql stable set search_path = '' as $$
  select 'accepted', o.status = 'accepted', o.breakdown
  from public.match_offers as o
  where o.status in ('accepted', 'declined', 'expired')
  union all
  select
    'alive',
    m.status = 'completed' or m.ended_at is null
      or m.ended_at >= m.started_at + make_interval(days => p_alive_days),
    m.breakdown
  from public.matches as m
  where m.role = 'primary' and m.status <> 'pending' and m.breakdown is not null
    and m.started_at <= now() - make_interval(days => p_alive_days)
  union all
  select 'rated', r.rating >= p_good_rating, m.breakdown
  from public.matches as m
  cross join lateral (
    select avg(f.rating) as rating from public.mentorship_feedback as f
    where f.match_id = m.id and f.author_role = 'student'
  ) as r
  where m.breakdown is not null and r.rating is not null
$$;
comment on function private.outcomes(integer, numeric) is
  'How offers and matches went, with the parts of their scores.';

-- By the country of the student; of small groups nothing is told.
create function private.country_rates(p_least integer) returns jsonb
language sql stable set search_path = '' as $$
  with request as materialized (
    select r.id, r.status, nullif(private.normalise_term(u.country), '') as word,
      private.trim_space(u.country) as written
    from public.mentorship_requests as r
    inner join public.users as u on u.id = r.student_id
    where exists (select from public.match_batches as b where b.request_id = r.id)
  ),
  country as materialized (
    select w.word, private.meaning_of(w.word) as term, w.written
    from (
      select x.word, min(x.written) as written from request as x
      where x.word is not null group by x.word
    ) as w
  ),
  counted as (
    select
      c.term, coalesce(min(t.label), min(c.written)) as label,
      count(*) filter (where r.status not in ('open', 'offered')) as requests,
      count(*) filter (where r.status = 'matched') as matched,
      coalesce(sum(o.answered), 0) as offers,
      coalesce(sum(o.accepted), 0) as accepted
    from request as r
    inner join country as c on c.word = r.word
    left join public.match_terms as t on t.term = c.term
    cross join lateral (
      select
        count(*) filter (where x.status in ('accepted', 'declined', 'expired')) as answered,
        count(*) filter (where x.status = 'accepted') as accepted
      from public.match_offers as x where x.request_id = r.id
    ) as o
    group by c.term
  )
  select coalesce(jsonb_agg(jsonb_build_object(
    'country', c.label,
    'requests', case when c.requests >= p_least then c.requests end,
    'matched', case when c.requests >= p_least then c.matched end,
    'offers', case when c.offers >= p_least then c.offers end,
    'accepted', case when c.offers >= p_least then c.accepted end
  ) order by c.label, c.term), '[]')
  from counted as c
  where greatest(c.requests, c.offers) >= p_least
$$;
comment on function private.country_rates(integer) is
  'How many requests were matched and offers accepted, by country, where there are enough.';

create function public.match_outcomes(
  p_alive_days integer default 60, p_good_rating numeric default 4, p_least_group integer default 10
) returns jsonb
language sql stable set search_path = '' as $$
  with told as materialized (
    select x.* from private.outcomes(p_alive_days, p_good_rating) as x
  ),
  reached as (
    select t.outcome, f.key as factor, t.is_good,
      least((f.value ->> 'score')::numeric * 10000 / (f.value ->> 'share')::numeric, 1) as part
    from told as t
    cross join lateral jsonb_each(t.breakdown) as f
    where (f.value ->> 'share')::numeric > 0
  )
  select jsonb_build_object(
    'outcomes', (
      select coalesce(jsonb_agg(jsonb_build_object(
        'outcome', o.outcome, 'good', o.good, 'other', o.other
      ) order by o.outcome), '[]')
      from (
        select t.outcome, count(*) filter (where t.is_good) as good,
          count(*) filter (where not t.is_good) as other
        from told as t group by t.outcome
      ) as o
    ),
    'factors', (
      select coalesce(jsonb_agg(jsonb_build_object(
        'outcome', f.outcome, 'factor', f.factor, 'good', f.good, 'other', f.other,
        'good_reached', f.good_reached, 'other_reached', f.other_reached
      ) order by f.outcome, f.factor), '[]')
      from (
        select r.outcome, r.factor, count(*) filter (where r.is_good) as good,
          count(*) filter (where not r.is_good) as other,
          round(avg(r.part) filter (where r.is_good), 4) as good_reached,
          round(avg(r.part) filter (where not r.is_good), 4) as other_reached
        from reached as r group by r.outcome, r.factor
      ) as f
    ),
    'countries', private.country_rates(p_least_group)
  )
$$;
comment on function public.match_outcomes(integer, numeric, integer) is
  'Offers accepted, matches alive after some days, ratings of students: by factor the share of its'
  ' points that good and other ones had reached; and rates by country.';

revoke all on function
  public.find_people(text),
  private.request_terms(uuid),
  private.packed_requests(uuid[]),
  private.forbidden_then(uuid[]),
  private.replayed_requests(uuid[]),
  private.replayed_mentors(uuid[]),
  private.replay_inputs(uuid[]),
  public.replay_inputs(uuid[]),
  private.outcomes(integer, numeric),
  private.country_rates(integer),
  public.match_outcomes(integer, numeric, integer)
from public, anon, authenticated, service_role;
-- The outcomes have the rights of whoever asks, down to the tables.
grant execute on function
  public.find_people(text),
  private.replay_inputs(uuid[]),
  public.replay_inputs(uuid[]),
  private.outcomes(integer, numeric),
  private.country_rates(integer),
  public.match_outcomes(integer, numeric, integer)
to service_role;
