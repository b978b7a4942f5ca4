-- Its second half: mentors who are missing or are not as mapped. It inserts nothing.
insert into public.mentors (user_id, person_id, bio, expertise, is_approved, is_active)
select m.account_id, m.person_id, m.bio, m.expertise, true, true
from (
  select
    a.id as account_id,
    u.id as person_id,
    private.mentor_bio(m.experience, m.occupation, m.jobtitle) as bio,
    private.mentor_expertise(m.area_of_expertise, m.industry, m.skills) as expertise
  from private.source_members as m
  inner join public.users_user as a
    on private.normalise_email(a.email) = private.normalise_email(m.email)
  left join public.users as u on u.member_id = m.id
  where m.is_active and private.is_mentor_type(m.membershiptype)
  offset 0
) as m
left join public.mentors as t on t.person_id = m.person_id
where t.id is null
  or (t.user_id, t.bio, t.expertise, t.is_active)
    is distinct from (m.account_id, m.bio, m.expertise, true)
