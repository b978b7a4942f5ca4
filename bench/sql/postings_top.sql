-- The three best mentors of these students, by postings.
select a.student_id, m.mentor_id, best.units
from (
  select w.student_id, array_agg(t) as terms, array_agg(w.factor) as factors,
    array_agg(w.share / w.named) as units
  from pg_temp.worth(%(students)s::uuid[]) as w
  cross join lateral unnest(w.terms) as t
  group by w.student_id
) as a
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
) as best
inner join pg_temp.told_by as m on m.n = best.n
