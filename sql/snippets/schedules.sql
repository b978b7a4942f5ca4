-- When jobs run. error tells why an edit is not in effect; then accepted_cron still is.
select job, enabled, next_slot_at, cron, timezone, catch_up, error, accepted_cron
from job_schedules
order by next_slot_at nulls last, job;
