-- What each offer says; of numbers in JSON the value counts, not how many zeros end it.
select
  o.request_id::text, o.mentor_id::text, o.units, o.confidence,
  jsonb_hash_extended(o.breakdown, 0), jsonb_hash_extended(o.reasons, 0)
from public.match_offers as o
