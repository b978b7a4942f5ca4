-- Default privileges of projects before 2026-10-30: what postgres creates in public is open
-- to every role of the Data API at once. Only row level security stands before the rows.
-- Runs as a superuser, after roles.sql; may run again.

alter default privileges for role postgres in schema public
  grant all on tables to postgres, anon, authenticated, service_role;
alter default privileges for role postgres in schema public
  grant all on functions to postgres, anon, authenticated, service_role;
alter default privileges for role postgres in schema public
  grant all on sequences to postgres, anon, authenticated, service_role;
