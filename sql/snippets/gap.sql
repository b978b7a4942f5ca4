-- Active members of type mentor who have no mentor profile, and why.
select state, reason, name, email, member_id
from v_members_without_mentor
order by state, name;
