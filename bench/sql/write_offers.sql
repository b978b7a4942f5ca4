insert into public.match_offers (
  id, batch_id, request_id, student_id, mentor_id, rank, units, confidence, breakdown, reasons,
  status, answered_at, announced_at, created_at
)
select
  o.id, o.batch_id, o.request_id, o.student_id, o.mentor_id, o.rank, o.units, o.confidence,
  o.breakdown, o.reasons, o.status, o.answered_at, o.announced_at, o.created_at
from bench.match_offers as o
