-- Questions that no mentor has taken, the oldest first, and how many mentors were written to.
select
  q.created_at, u.full_name as student, q.title, q.topics, q.expires_at,
  now() - q.created_at > interval '24 hours' as is_late,
  (
    select count(*) from message_outbox as m
    where m.kind = 'quick_question' and m.about = 'question:' || q.id
  ) as mentors_asked
from quick_questions as q
inner join users as u on u.id = q.student_id
where q.status = 'open'
order by q.created_at;
