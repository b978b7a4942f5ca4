-- Stops a run that waits or is under way. What it has committed stays; undo_run.sql takes it back.
update job_runs set status = 'cancelled'
where id = '00000000-0000-0000-0000-000000000000' and status in ('queued', 'running')
returning id, job, status, counts;
