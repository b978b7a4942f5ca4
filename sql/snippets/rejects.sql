-- Members that the database refused to make mentors, with the reason. Mend the cause; the
-- next sync takes them, and the row here goes.
select r.rejected_at, r.code, r.reason, m.name, m.email, m.id as member_id
from sync_rejects as r
left join members as m on m.id::text = r.source_id
order by r.rejected_at desc;
