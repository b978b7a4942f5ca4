insert into public.message_outbox
select m.* from bench.message_outbox as m
