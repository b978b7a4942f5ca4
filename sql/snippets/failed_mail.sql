-- Mails that did not go out, and why. Mend the cause, then: update message_outbox
-- set status = 'queued', attempt = 0, not_before = now() where id = '...';
select m.created_at, m.kind, p.full_name, p.email, m.status, m.attempt, m.error
from message_outbox as m
inner join users as p on p.id = m.recipient
where m.status in ('failed', 'dead', 'bounced') or (m.status = 'queued' and m.error is not null)
order by m.created_at desc
limit 100;
