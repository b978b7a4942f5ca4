-- The terms of the six factors, so many each: their ids in order.
with word as (
  select row_number() over (order by factor, n) as place, 'bench ' || factor || ' ' || n as term
  from unnest(%(counts)s::integer[]) with ordinality as f (terms, factor)
  cross join lateral generate_series(1, f.terms) as n
),
term as (
  insert into public.match_terms (term, label)
  select w.term, initcap(w.term) from word as w order by w.place
  returning id, term
)
select array_agg(t.id order by w.place)
from word as w
inner join term as t on t.term = w.term
