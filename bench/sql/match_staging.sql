-- Rows that the job wrote elsewhere, for the floor to write here.
create schema bench;
create table bench.match_batches as table public.match_batches with no data;
create table bench.match_offers as table public.match_offers with no data;
alter table bench.match_offers drop column score;
create table bench.message_outbox as table public.message_outbox with no data
