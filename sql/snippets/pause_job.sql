-- Pauses a job: no further runs are scheduled, those asked for by hand still run. To go on, set
-- enabled to true; what was missed meanwhile is not caught up.
update job_schedules set enabled = false
where job = 'sync_mentor_profiles'
returning job, enabled, cron, timezone;
