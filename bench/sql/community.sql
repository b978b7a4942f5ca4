-- So many students who each wait for a mentor, or so many mentors; none of them fears a hard rule.
with person as (
  insert into public.users (id, email, full_name, role, timezone, country)
  select
    md5(%(kind)s || ' ' || n)::uuid,
    %(kind)s || '.' || n || '@example.org',
    initcap(%(kind)s) || ' ' || initcap(left(md5('name ' || n), 8)),
    %(kind)s,
    'Europe/Berlin',
    'Germany'
  from generate_series(0, %(people)s::integer - 1) as n
  returning id, role
),
profile as (
  insert into public.mentorship_profiles (user_id, role, languages)
  select p.id, p.role, '{en}' from person as p
),
mentor as (
  insert into public.mentors (person_id, slug, is_approved)
  select p.id, p.id, true from person as p where p.role = 'mentor'
)
insert into public.mentorship_requests (student_id, message, expires_at, created_at)
select
  p.id, 'I look for somebody who knows the way.', now() + interval '90 days',
  now() - make_interval(mins => (hashtext(p.id::text) & 32767))
from person as p
where p.role = 'student'
