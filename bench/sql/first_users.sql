-- The floor of the first sync, its first half: everybody, as if there were nobody yet.
insert into public.users (email, full_name, role, legacy_user_id, member_id, country, city)
select
  private.trim_space(m.email),
  nullif(private.trim_space(m.name), ''),
  'mentor', a.id, m.id,
  nullif(private.trim_space(m.country), ''),
  nullif(private.trim_space(m.city), '')
from private.source_members as m
inner join public.users_user as a
  on private.normalise_email(a.email) = private.normalise_email(m.email)
where m.is_active and private.is_mentor_type(m.membershiptype)
