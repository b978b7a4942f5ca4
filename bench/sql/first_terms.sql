insert into private.profile_terms (user_id, factor, term_id)
select n.user_id, n.factor, t.id
from named as n
inner join public.match_terms as t on t.term = n.term
