-- Students who look for a mentor, those who wait longest first, and what was offered so far.
select
  r.created_at as waiting_since, s.full_name as student, s.email, m.full_name as asked_for,
  r.status, r.focus_areas, r.expires_at, count(o.id) as offers,
  count(o.id) filter (where o.status = 'declined') as declined,
  count(o.id) filter (where o.status = 'expired') as expired
from mentorship_requests as r
inner join users as s on s.id = r.student_id
left join users as m on m.id = r.mentor_id
left join match_offers as o on o.request_id = r.id
where r.status in ('open', 'offered')
group by r.id, s.id, m.id
order by r.created_at;
