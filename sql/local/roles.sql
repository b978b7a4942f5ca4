-- The roles that every hosted Supabase project has, for a whole cluster.
--
-- Creates what is missing and changes nothing that is there, so that it can run on every
-- database of a cluster, and on a server that belongs to somebody else. Not made here:
-- supabase_admin, the superuser that a stack's own cluster is initialised with, and
-- passwords, which mentor_sync/local/bootstrap.py gives to roles that have none.

-- Roles are shared by all databases; two bootstraps at once would collide on them.
-- Logins only read this catalogue, so they do not wait.
lock table pg_catalog.pg_authid in share row exclusive mode;

do $$
declare
  wanted record;
begin
  for wanted in
    select *
    from (values
      -- The Data API's roles.
      ('anon', 'nologin noinherit'),
      ('authenticated', 'nologin noinherit'),
      ('service_role', 'nologin noinherit bypassrls'),
      -- PostgREST logs in as this one and becomes one of the three for each request.
      ('authenticator', 'login noinherit'),
      -- The owner's role: powerful, and not a superuser.
      ('postgres', 'login nosuperuser createdb createrole replication bypassrls'),
      -- The platform's own.
      ('supabase_auth_admin', 'nologin noinherit createrole'),
      ('supabase_storage_admin', 'nologin noinherit createrole'),
      ('supabase_realtime_admin', 'nologin noinherit'),
      ('supabase_replication_admin', 'nologin replication'),
      ('supabase_read_only_user', 'nologin bypassrls'),
      ('dashboard_user', 'nologin createdb createrole replication')
    ) as role (name, attributes)
    where not exists (select from pg_catalog.pg_roles where rolname = role.name)
  loop
    execute format('create role %I with %s', wanted.name, wanted.attributes);
  end loop;
end;
$$;

-- Memberships. Postgres may hand out the three, and use them with `set role`.
do $$
declare
  wanted record;
begin
  for wanted in
    select *
    from (values
      ('anon', 'authenticator', ''),
      ('authenticated', 'authenticator', ''),
      ('service_role', 'authenticator', ''),
      ('anon', 'postgres', 'with admin option'),
      ('authenticated', 'postgres', 'with admin option'),
      ('service_role', 'postgres', 'with admin option'),
      ('authenticator', 'postgres', 'with admin option'),
      ('pg_monitor', 'postgres', 'with admin option'),
      ('pg_read_all_data', 'postgres', 'with admin option'),
      ('pg_signal_backend', 'postgres', 'with admin option'),
      ('pg_read_all_data', 'supabase_read_only_user', '')
    ) as membership (granted, member, options)
    where not exists (
      select
      from pg_catalog.pg_auth_members
      where roleid = to_regrole(membership.granted) and member = to_regrole(membership.member)
    )
  loop
    execute format('grant %I to %I %s', wanted.granted, wanted.member, wanted.options);
  end loop;
end;
$$;

-- Settings of a role, where it has none for that name. A request inherits the timeouts of
-- the login role, authenticator, unless PostgREST finds others on the role it becomes: so
-- service_role, without any, gets 8 s.
do $$
declare
  wanted record;
begin
  for wanted in
    select *
    from (values
      ('anon', 'statement_timeout', '''3s'''),
      ('authenticated', 'statement_timeout', '''8s'''),
      ('authenticator', 'statement_timeout', '''8s'''),
      ('authenticator', 'lock_timeout', '''8s'''),
      ('postgres', 'search_path', '"$user", public, extensions'),
      ('supabase_auth_admin', 'search_path', 'auth')
    ) as setting (role, name, value)
    where not exists (
      select
      from pg_catalog.pg_db_role_setting, unnest(setconfig) as entry
      where setdatabase = 0
        and setrole = to_regrole(setting.role)
        and split_part(entry, '=', 1) = setting.name
    )
  loop
    execute format('alter role %I set %s to %s', wanted.role, wanted.name, wanted.value);
  end loop;
end;
$$;
