-- One batch of the other application.
insert into public.members (
  id, email, name, membershiptype, "areaOfExpertise", skills, experience, occupation, jobtitle,
  industry, is_active, country, city
)
select
  id, email, name, membershiptype, "areaOfExpertise", skills, experience, occupation, jobtitle,
  industry, is_active, country, city
from bench.members
where n > %(after)s and n <= %(until)s
order by n
