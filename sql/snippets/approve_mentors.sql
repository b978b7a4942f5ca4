-- Mentors who wait for approval. To list one, set is_approved to true in the table editor, or:
-- update mentors set is_approved = true where id = '...';
select t.id, p.full_name, p.email, t.expertise, t.bio, t.created_at
from mentors as t
left join users as p on p.id = t.person_id
where t.is_active and not t.is_approved
order by t.created_at;
