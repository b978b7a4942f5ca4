-- Settings of the programme: one row a setting, edited in the dashboard.
-- Read by everything of mentor_sync; written by operators (service_role, dashboard).

create table public.program_settings (
  key text primary key,
  value jsonb not null,
  description text not null,
  updated_at timestamptz not null default now(),
  constraint program_settings_switch_is_boolean
    check (key <> 'auto_approve' or jsonb_typeof(value) = 'boolean'),
  constraint program_settings_timezone_is_text
    check (key <> 'timezone' or jsonb_typeof(value) = 'string'),
  constraint program_settings_days_are_whole
    check (key <> 'change_log_days' or value::text ~ '^[1-9][0-9]{0,3}$')
);

comment on table public.program_settings is
  'Settings of the programme. Edit a value here; it holds from the next statement on.';
comment on column public.program_settings.key is 'Name of the setting.';
comment on column public.program_settings.value is 'Its value, as JSON: true, 20, "UTC".';
comment on column public.program_settings.description is 'What the setting does.';
comment on column public.program_settings.updated_at is 'When it was last changed.';

alter table public.program_settings enable row level security;
revoke all on table public.program_settings from public, anon, authenticated, service_role;
grant select, insert, update on table public.program_settings to service_role;

create trigger mentor_sync_touch before update on public.program_settings
for each row when (old is distinct from new) execute function private.touch_updated_at();

insert into public.program_settings (key, value, description) values
  ('auto_approve', 'true', 'A mentor made from a member is approved, and so listed, at once.'),
  ('timezone', '"UTC"', 'Time zone of the programme (IANA): schedules without one run by it.'),
  ('change_log_days', '30', 'So many days a run can be undone; then its change log is deleted.');

create function private.auto_approve() returns boolean
language sql stable security definer set search_path = '' as $$
  select coalesce(
    (select s.value = 'true'::jsonb from public.program_settings as s where s.key = 'auto_approve'),
    true
  )
$$;
comment on function private.auto_approve() is 'The switch auto_approve; on where the row is missing.';
revoke all on function private.auto_approve() from public, anon, authenticated, service_role;
