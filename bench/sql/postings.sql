-- What SQL alone scores with: for each factor and term the mentors who named it, by number. The
-- numbers follow the ids, so that ties go to the lower one.
create temporary table told_by as
select
  (row_number() over (order by p.user_id))::integer as n,
  p.user_id as mentor_id,
  array(
    select distinct t.factor from private.profile_terms as t where t.user_id = p.user_id
  ) as factors,
  (select t.hash from private.packed_terms(array[p.user_id]) as t) as hash
from public.mentorship_profiles as p
where p.role = 'mentor' and p.is_active;
create unique index told_by_n_idx on told_by (n);

create temporary table told as
select t.term_id, t.factor, array_agg(m.n order by m.n) as mentors
from told_by as m
inner join private.profile_terms as t on t.user_id = m.mentor_id
group by t.term_id, t.factor;
create unique index told_idx on told (term_id, factor);

create temporary table factor_names as
select f.*
from public.match_weights as w
cross join lateral (
  values
    (1::smallint, 'goals', w.goals, 'Goals in common'),
    (2::smallint, 'industry', w.industry, 'At home in the same field'),
    (3::smallint, 'research', w.research, 'Research in common'),
    (4::smallint, 'technical', w.technical, 'Skills wanted and known'),
    (5::smallint, 'location', w.location, 'Near each other'),
    (6::smallint, 'communication', w.communication, 'Ways to meet in common')
) as f (factor, name, weight, words)
where w.is_current and f.weight > 0;

analyze told_by;
analyze told;
analyze factor_names;

-- What each factor and each term is worth to a student, and the student's three best mentors.
create function pg_temp.worth(p_students uuid[])
returns table (
  student_id uuid, factor smallint, named integer, share integer, terms integer[]
)
language sql stable as $$
  select
    t.user_id, t.factor, count(*)::integer,
    (1000000 * min(f.weight) / sum(min(f.weight)) over (partition by t.user_id))::integer,
    array_agg(t.term_id)
  from private.profile_terms as t
  inner join pg_temp.factor_names as f on f.factor = t.factor
  where t.user_id = any (p_students)
  group by t.user_id, t.factor
$$
