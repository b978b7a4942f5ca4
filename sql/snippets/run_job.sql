-- Runs a job: a daemon takes it within seconds, and its answer lands in the row. Parameters go
-- into params, as in '{"dry_run": true}'; what the job does not take ends the run with the reason.
insert into job_runs (job, params)
values ('sync_mentor_profiles', '{}')
returning id, job, status, params;
