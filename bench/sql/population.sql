-- Of five members three are mentors; of 25 in a row 20 have an account. One address in twenty
-- is spelt otherwise than that of the account. Ids are random, as gen_random_uuid makes them.
insert into bench.members (
  n, id, email, name, membershiptype, "areaOfExpertise", skills, experience, occupation,
  jobtitle, industry, is_active, country, city
)
select
  n,
  md5('member ' || n)::uuid,
  case
    when mod(n, 20) = 7 then ' Person.' || n || '@Example.org '
    else 'person.' || n || '@example.org'
  end,
  'Person ' || initcap(left(md5('name ' || n), 8)),
  case
    when mod(n, 5) >= 3 then 'student'
    when mod(n, 50) = 1 then ' Mentor '
    else 'mentor'
  end,
  (array['Software Engineering', 'Law', 'Medicine', 'Design', 'Finance', null])[1 + mod(n, 6)],
  (array[
    'Python, SQL, Leadership, Teaching', 'Contracts;Negotiation', 'Surgery, Research, Ethics',
    'Figma,  Typography , Research, Sketching', null
  ])[1 + mod(n / 3, 5)],
  mod(n, 30) + 1 || ' years',
  (array['Software Engineer', 'Lawyer', 'Physician', 'Designer', null])[1 + mod(n / 7, 5)],
  (array['Senior Developer', 'Partner', 'Head of Department', null])[1 + mod(n / 11, 4)],
  (array['Technology', 'Law', 'Health', 'Media', 'Banking'])[1 + mod(n / 13, 5)],
  true,
  (array['Germany', 'Kenya', 'USA', 'India'])[1 + mod(n / 2, 4)],
  (array['Berlin', 'Nairobi', 'Boston', 'Pune'])[1 + mod(n / 2, 4)]
from generate_series(1, %(members)s::integer) as n
