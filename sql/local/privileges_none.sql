-- Default privileges of projects since 2026-10-30: what postgres creates in public is closed
-- to the Data API until it is granted, to service_role too. (PostgreSQL's own default stays:
-- everybody may execute a new function.)
-- Runs as a superuser, after roles.sql; may run again.

alter default privileges for role postgres in schema public
  revoke all on tables from anon, authenticated, service_role;
alter default privileges for role postgres in schema public
  revoke all on functions from anon, authenticated, service_role;
alter default privileges for role postgres in schema public
  revoke all on sequences from anon, authenticated, service_role;
