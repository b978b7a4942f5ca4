-- Lets runs that await approval do what they asked for. Look at error first: it says how much.
-- To refuse one, set its status to cancelled instead.
update job_runs set approved = true
where status = 'awaiting_approval'
returning id, job, error ->> 'message' as asked_for;
