create temporary table named on commit drop as
select t.user_id, t.factor, t.term, t.label
from private.terms_of_people(array(select p.user_id from public.mentorship_profiles as p)) as t
