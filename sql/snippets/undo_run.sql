-- Takes back what a run changed, except in rows that anybody changed since. The rows that were
-- kept are counted in the new run; mentor-sync run undo lists them.
insert into job_runs (job, params)
select 'undo_run', jsonb_build_object('run_id', r.id)
from job_runs as r
where r.id = '00000000-0000-0000-0000-000000000000'
returning id, job, status, params;
