-- What somebody should look at. It goes by itself when the run is approved, cancelled or tried
-- again; otherwise set acknowledged_at.
select created_at, kind, job, message, hint, run_id
from job_alerts
where acknowledged_at is null
order by created_at desc;
