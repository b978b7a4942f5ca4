-- Rows ever inserted, updated or deleted in the tables that the sync writes.
select coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::bigint
from pg_stat_user_tables
where schemaname = 'public' and relname in ('users', 'mentors', 'sync_rejects')
