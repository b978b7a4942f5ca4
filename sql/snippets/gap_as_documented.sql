-- The gap query as the source document prints it: exact addresses, so that it also lists
-- members whose account differs in case or white space only. gap.sql is the better one.
SELECT m.email, m.name 
FROM members m
LEFT JOIN users_user u ON m.email = u.email
LEFT JOIN mentors mt ON u.id = mt.user_id
WHERE LOWER(m.membershiptype) = 'mentor'
  AND m.is_active = true
  AND mt.id IS NULL;
