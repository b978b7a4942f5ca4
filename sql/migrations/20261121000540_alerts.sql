-- Alerts: what an operator should look at. Made by the database whenever something ends badly
-- or waits for a person, whoever noticed it; admins read them, service_role settles them.

create table public.job_alerts (
  id uuid primary key default gen_random_uuid(),
  kind text not null,
  job text not null,
  run_id uuid references public.job_runs (id) on delete cascade,
  message text not null,
  hint text not null default '',
  created_at timestamptz not null default now(),
  acknowledged_at timestamptz,
  constraint job_alerts_kind_known
    check (kind in ('failed', 'dead', 'awaiting_approval', 'held_back', 'match_at_risk'))
);

create index job_alerts_run_idx on public.job_alerts (run_id);
create index job_alerts_open_idx on public.job_alerts (created_at) where acknowledged_at is null;

comment on table public.job_alerts is
  'What an operator should look at. Set acknowledged_at when it has been seen to.';
comment on column public.job_alerts.id is 'The alert.';
comment on column public.job_alerts.kind is
  'failed, dead, awaiting_approval; held_back: a trigger left a large change to the next run;'
  ' match_at_risk: matches that need an admin.';
comment on column public.job_alerts.job is 'Which job it is about.';
comment on column public.job_alerts.run_id is 'Which run, if one.';
comment on column public.job_alerts.message is 'What happened.';
comment on column public.job_alerts.hint is 'What to do next.';
comment on column public.job_alerts.created_at is 'When it happened.';
comment on column public.job_alerts.acknowledged_at is 'When somebody had seen to it.';

alter table public.job_alerts enable row level security;
revoke all on table public.job_alerts from public, anon, authenticated, service_role;
grant select, update, delete on table public.job_alerts to service_role;
grant select on table public.job_alerts to authenticated;
create policy "Admins read the alerts" on public.job_alerts for select to authenticated
using ((select private.is_admin()));

-- Definer: nobody makes alerts up.
create function private.run_needs_somebody() returns trigger
language plpgsql volatile security definer set search_path = '' as $$
declare
  what constant text := coalesce(
    new.error ->> 'message', 'Run ' || new.id || ' is ' || new.status || '.'
  );
begin
  -- A job of every minute that fails for the same reason is one alert.
  if new.slot is not null and exists (
    select from public.job_alerts as a
    where a.job = new.job and a.kind = new.status and a.message = what
      and a.acknowledged_at is null and a.kind <> 'awaiting_approval'
  ) then
    return null;
  end if;
  insert into public.job_alerts (kind, job, run_id, message, hint)
  values (
    new.status, new.job, new.id, what,
    coalesce(nullif(new.error ->> 'hint', ''), 'See: mentor-sync run show ' || new.id)
  );
  return null;
end
$$;
comment on function private.run_needs_somebody() is
  'Trigger: a run that failed for good, or awaits approval, makes an alert.';

create trigger mentor_sync_alerts after update on public.job_runs
for each row when (
  new.status in ('failed', 'dead', 'awaiting_approval') and old.status is distinct from new.status
) execute function private.run_needs_somebody();

-- Whoever changed the run's row has seen to it.
create function private.run_was_seen_to() returns trigger
language plpgsql volatile security definer set search_path = '' as $$
begin
  update public.job_alerts as a
  set acknowledged_at = now()
  where a.run_id = new.id and a.acknowledged_at is null;
  return null;
end
$$;
comment on function private.run_was_seen_to() is
  'Trigger: the alert of a run that was approved, cancelled or tried again is settled.';

create trigger mentor_sync_seen_to after update on public.job_runs
for each row when (
  old.status in ('failed', 'dead', 'awaiting_approval') and old.status is distinct from new.status
) execute function private.run_was_seen_to();

revoke all on function private.run_needs_somebody(), private.run_was_seen_to()
from public, anon, authenticated, service_role;
