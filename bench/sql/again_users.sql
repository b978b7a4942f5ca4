-- The floor of the full no-op, its first half: people who are missing or are not as mapped.
insert into public.users (email, full_name, role, legacy_user_id, member_id, country, city)
select m.email, m.full_name, 'mentor', m.account_id, m.id, m.country, m.city
from (
  select
    m.id,
    a.id as account_id,
    private.trim_space(m.email) as email,
    nullif(private.trim_space(m.name), '') as full_name,
    nullif(private.trim_space(m.country), '') as country,
    nullif(private.trim_space(m.city), '') as city
  from private.source_members as m
  inner join public.users_user as a
    on private.normalise_email(a.email) = private.normalise_email(m.email)
  where m.is_active and private.is_mentor_type(m.membershiptype)
  offset 0
) as m
left join public.users as u on u.member_id = m.id
where u.id is null
  or (u.email, u.full_name, u.legacy_user_id, u.country, u.city)
    is distinct from (m.email, m.full_name, m.account_id, m.country, m.city)
