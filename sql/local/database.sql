-- What every database of a hosted Supabase project has besides the auth schema.
-- Runs as a superuser, after roles.sql; may run again.

-- Schema extensions: what the dashboard installs extensions into.
do $$
begin
  if to_regnamespace('extensions') is null then
    create schema extensions authorization postgres;
  end if;
end;
$$;

grant usage on schema extensions to postgres, anon, authenticated, service_role;
grant all on schema extensions to dashboard_user;

-- Hosted projects have these two; not every build of PostgreSQL does.
do $$
declare
  wanted text;
begin
  for wanted in
    select name
    from pg_catalog.pg_available_extensions
    where name in ('pgcrypto', 'uuid-ossp') and installed_version is null
  loop
    execute format('create extension %I with schema extensions', wanted);
  end loop;
end;
$$;

-- The Data API may enter public; what it may do there is granted table by table.
grant usage on schema public to postgres, anon, authenticated, service_role;

-- Realtime publishes the tables that the owner adds to it: none at first.
do $$
begin
  if not exists (select from pg_catalog.pg_publication where pubname = 'supabase_realtime') then
    create publication supabase_realtime;
    alter publication supabase_realtime owner to postgres;
  end if;
end;
$$;

-- PostgREST reads the schema again after each change of it.
create or replace function extensions.pgrst_ddl_watch()
returns event_trigger
language plpgsql
as $$
declare
  command record;
begin
  for command in select * from pg_event_trigger_ddl_commands()
  loop
    if command.command_tag in (
      'CREATE SCHEMA', 'ALTER SCHEMA',
      'CREATE TABLE', 'CREATE TABLE AS', 'SELECT INTO', 'ALTER TABLE',
      'CREATE FOREIGN TABLE', 'ALTER FOREIGN TABLE',
      'CREATE VIEW', 'ALTER VIEW',
      'CREATE MATERIALIZED VIEW', 'ALTER MATERIALIZED VIEW',
      'CREATE FUNCTION', 'ALTER FUNCTION',
      'CREATE TRIGGER',
      'CREATE TYPE', 'ALTER TYPE',
      'CREATE RULE',
      'COMMENT'
    )
    -- A temporary table concerns nobody but its session.
    and command.schema_name is distinct from 'pg_temp'
    then
      notify pgrst, 'reload schema';
    end if;
  end loop;
end;
$$;

create or replace function extensions.pgrst_drop_watch()
returns event_trigger
language plpgsql
as $$
declare
  dropped record;
begin
  for dropped in select * from pg_event_trigger_dropped_objects()
  loop
    if dropped.object_type in (
      'schema', 'table', 'foreign table', 'view', 'materialized view',
      'function', 'trigger', 'type', 'rule'
    )
    and not dropped.is_temporary
    then
      notify pgrst, 'reload schema';
    end if;
  end loop;
end;
$$;

do $$
begin
  if not exists (select from pg_catalog.pg_event_trigger where evtname = 'pgrst_ddl_watch') then
    create event trigger pgrst_ddl_watch on ddl_command_end
      execute function extensions.pgrst_ddl_watch();
  end if;
  if not exists (select from pg_catalog.pg_event_trigger where evtname = 'pgrst_drop_watch') then
    create event trigger pgrst_drop_watch on sql_drop
      execute function extensions.pgrst_drop_watch();
  end if;
end;
$$;
