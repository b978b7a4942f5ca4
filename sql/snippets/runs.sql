-- What ran lately, and how it went.
select created_at, job, status, counts, error ->> 'message' as error, finished_at - started_at as took
from job_runs
order by created_at desc
limit 50;
