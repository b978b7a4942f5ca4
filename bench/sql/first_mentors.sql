-- Its second half. It leaves the same rows as the job does, `synced` included.
insert into public.mentors (
  id, user_id, person_id, slug, bio, expertise, is_approved, is_active, rating, total_sessions,
  version, synced
)
select
  m.mentor_id, m.legacy_user_id, m.person_id,
  private.slug(coalesce(m.full_name, 'mentor'), m.mentor_id), m.bio, m.expertise,
  true, true, 0.00, 0, 1,
  jsonb_build_object(
    'bio', m.bio, 'expertise', m.expertise, 'is_active', true, 'email', m.email,
    'full_name', m.full_name, 'country', m.country, 'city', m.city, 'source', m.source
  )
from (
  select
    gen_random_uuid() as mentor_id,
    u.id as person_id, u.legacy_user_id, u.email, u.full_name, u.country, u.city,
    private.mentor_bio(m.experience, m.occupation, m.jobtitle) as bio,
    private.mentor_expertise(m.area_of_expertise, m.industry, m.skills) as expertise,
    hashtextextended(
      concat(
        m.email, chr(31), m.name, chr(31), m.area_of_expertise, chr(31), m.industry, chr(31),
        m.skills, chr(31), m.experience, chr(31), m.occupation, chr(31), m.jobtitle, chr(31),
        m.country, chr(31), m.city
      ), 0
    ) as source
  from private.source_members as m
  inner join public.users as u on u.member_id = m.id
  where m.is_active and private.is_mentor_type(m.membershiptype)
  -- Kept apart, so that no function above is called once for each time it is named.
  offset 0
) as m
