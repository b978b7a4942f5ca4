-- For information, the least that could be asked: which mentor has no row at all?
insert into public.mentors (user_id)
select a.id
from private.source_members as m
inner join public.users_user as a
  on private.normalise_email(a.email) = private.normalise_email(m.email)
where m.is_active
  and private.is_mentor_type(m.membershiptype)
  and not exists (select from public.mentors as t where t.user_id = a.id)
