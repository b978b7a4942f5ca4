-- Offers that mentors have not answered yet, those that end first at the top.
select
  b.expires_at, m.full_name as mentor, m.email, s.full_name as student, o.rank, o.score,
  o.confidence, o.reasons, o.announced_at
from match_offers as o
inner join match_batches as b on b.id = o.batch_id
inner join users as m on m.id = o.mentor_id
inner join users as s on s.id = o.student_id
where o.status = 'offered'
order by b.expires_at, o.request_id, o.rank;
