-- The next requests offered without an engine: the three best by postings, their breakdown and
-- reasons set by set, written by the job's own function. Nobody is spared; quotas are not looked at.
with request as materialized (
  select r.id, r.student_id, r.created_at
  from public.mentorship_requests as r
  where r.status = 'open'
  order by r.created_at, r.id
  limit %(requests)s
),
worth as materialized (
  select w.*
  from pg_temp.worth(array(select r.student_id from request as r)) as w
),
asked as (
  select w.student_id, array_agg(t) as terms, array_agg(w.factor) as factors,
    array_agg(w.share / w.named) as units
  from worth as w
  cross join lateral unnest(w.terms) as t
  group by w.student_id
),
best as materialized (
  select a.student_id, m.n, m.mentor_id, m.factors, m.hash, b.units
  from asked as a
  cross join lateral (
    select mentor.n, sum(one.units)::integer as units
    from unnest(a.terms, a.factors, a.units) as one (term_id, factor, units)
    cross join lateral (
      select t.mentors from pg_temp.told as t
      where t.term_id = one.term_id and t.factor = one.factor offset 0
    ) as p
    cross join lateral unnest(p.mentors) as mentor (n)
    group by mentor.n
    order by 2 desc, 1
    limit 3
  ) as b
  inner join pg_temp.told_by as m on m.n = b.n
),
shared as (
  select b.student_id, b.n, s.factor, count(*)::integer as matched,
    jsonb_agg(t.label order by t.label collate "C", t.id) as labels,
    string_agg(t.label, ', ' order by t.label collate "C", t.id) as words
  from best as b
  inner join private.profile_terms as s on s.user_id = b.student_id
  inner join private.profile_terms as m
    on m.user_id = b.mentor_id and m.factor = s.factor and m.term_id = s.term_id
  inner join public.match_terms as t on t.id = s.term_id
  group by b.student_id, b.n, s.factor
),
offer as (
  select b.student_id, b.n, b.mentor_id, b.units, b.hash,
    coalesce(sum(f.weight) filter (where w.factor = any (b.factors)), 0) as confidence,
    jsonb_object_agg(f.name, jsonb_build_object(
      'weight', f.weight, 'share', w.share, 'named', w.named,
      'matched', coalesce(s.labels, '[]'),
      'score', round(w.share / w.named * coalesce(s.matched, 0) / 10000.0, 2)
    )) as breakdown,
    coalesce(
      jsonb_agg(f.words || ': ' || s.words order by f.factor) filter (where s.words is not null),
      '[]'
    ) as reasons
  from best as b
  inner join worth as w on w.student_id = b.student_id
  inner join pg_temp.factor_names as f on f.factor = w.factor
  left join shared as s on s.student_id = b.student_id and s.n = b.n and s.factor = w.factor
  group by b.student_id, b.n, b.mentor_id, b.units, b.hash
),
batch as (
  select o.student_id, bit_xor(o.hash) as hash, jsonb_agg(jsonb_build_object(
    'mentor_id', o.mentor_id, 'units', o.units, 'confidence', o.confidence,
    'breakdown', o.breakdown, 'reasons', o.reasons
  ) order by o.units desc, o.n) as offers
  from offer as o
  group by o.student_id
),
built as materialized (
  select
    jsonb_agg(jsonb_build_object(
      'request_id', r.id,
      'input_hash', b.hash # (select t.hash from private.packed_terms(array[r.student_id]) as t),
      'offers', b.offers
    ) order by r.created_at, r.id) as batches
  from request as r
  inner join batch as b on b.student_id = r.student_id
),
timed as materialized (
  select b.batches, clock_timestamp() as begun from built as b
)
select
  private.make_batches(
    null, t.batches, (select w.version from public.match_weights as w where w.is_current)
  ),
  extract(epoch from clock_timestamp() - t.begun)::float8
from timed as t
