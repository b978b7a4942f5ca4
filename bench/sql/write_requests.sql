update public.mentorship_requests as r
set status = 'offered'
from bench.match_batches as b
where r.id = b.request_id
