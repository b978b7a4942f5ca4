-- How many rows of each kind the job wrote, or SQL alone.
select
  (select count(*) from public.match_batches),
  (select count(*) from public.match_offers),
  (select count(*) from public.message_outbox),
  (select count(*) from public.mentorship_requests where status = 'offered')
