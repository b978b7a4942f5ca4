-- The last notifications, and whether they were read and mailed.
select n.created_at, p.full_name, n.type, n.title, n.read_at, n.sent_at
from notifications as n
inner join users as p on p.id = n.user_id
order by n.created_at desc
limit 50;
