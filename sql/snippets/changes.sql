-- What the latest run changed, row by row.
select c.changed_at, c.action, c.relation, c.row_id, c.before, c.after
from job_changes as c
where c.run_id = (select r.id from job_runs as r order by r.created_at desc limit 1)
order by c.id
limit 200;
