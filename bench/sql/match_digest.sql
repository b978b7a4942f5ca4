-- What the job wrote: equal for the floor and for the job.
select
  (select count(*) from public.match_batches),
  (select sum(hashtextextended(b::text, 0)) from public.match_batches as b),
  (select count(*) from public.match_offers),
  (select sum(hashtextextended(o::text, 0)) from public.match_offers as o),
  (select count(*) from public.message_outbox),
  (select sum(hashtextextended(m::text, 0)) from public.message_outbox as m),
  (select count(*) from public.mentorship_requests where status = 'offered')
