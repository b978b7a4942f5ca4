-- What the mentors are, whatever ids they got: equal for the floor and for the job.
select
  count(*),
  sum(hashtextextended(concat_ws(
    '|', u.member_id, u.legacy_user_id, u.email, u.full_name, u.role, u.country, u.city,
    t.user_id, t.bio, t.expertise, t.is_approved, t.is_active, t.rating, t.total_sessions,
    t.version, t.synced, t.slug like private.slug(u.full_name, t.id)
  ), 0))
from public.mentors as t
inner join public.users as u on u.id = t.person_id
