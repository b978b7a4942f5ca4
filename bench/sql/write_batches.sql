insert into public.match_batches
select b.* from bench.match_batches as b
