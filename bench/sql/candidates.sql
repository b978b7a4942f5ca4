-- How many members the naive loop would visit.
select count(*) from public.members where is_active and membershiptype ilike 'mentor'
