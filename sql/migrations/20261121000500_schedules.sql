-- Schedules: one row a job, when it runs and within which limits.
-- Operators edit rows in the dashboard; daemons read them and report back what they made of an
-- edit. Nobody else may do anything here but admins, who read.

create table public.job_schedules (
  job text primary key,
  description text not null default '',
  cron text,
  timezone text,
  enabled boolean not null default true,
  params jsonb not null default '{}',
  catch_up text not null default 'one',
  max_age_seconds integer not null default 86400,
  coalesce_slots boolean not null default true,
  max_concurrent integer default 1,
  jitter_seconds integer not null default 0,
  timeout_seconds integer not null default 3600,
  lease_seconds integer not null default 60,
  max_attempts integer not null default 3,
  max_change_ratio numeric(4, 3) not null default 0.2,
  keep_days integer not null default 90,
  error text,
  accepted_cron text,
  accepted_timezone text,
  scheduled_until timestamptz not null default now(),
  next_slot_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint job_schedules_cron_fits check (length(cron) <= 200),
  constraint job_schedules_timezone_fits check (length(timezone) <= 100),
  constraint job_schedules_until_is_finite check (isfinite(scheduled_until)),
  constraint job_schedules_params_is_object check (jsonb_typeof(params) = 'object'),
  constraint job_schedules_catch_up_known check (catch_up in ('skip', 'one', 'all')),
  constraint job_schedules_max_age_range check (max_age_seconds between 60 and 2678400),
  constraint job_schedules_concurrent_range check (max_concurrent between 1 and 1000),
  constraint job_schedules_jitter_range check (jitter_seconds between 0 and 86400),
  constraint job_schedules_timeout_range check (timeout_seconds between 1 and 604800),
  constraint job_schedules_lease_range check (lease_seconds between 5 and 86400),
  constraint job_schedules_attempts_range check (max_attempts between 1 and 100),
  constraint job_schedules_change_ratio_range check (max_change_ratio between 0 and 1),
  constraint job_schedules_keep_range check (keep_days between 1 and 3650)
);

comment on table public.job_schedules is
  'The jobs. Filled from the defaults of the code; an edit here takes effect within seconds.';
comment on column public.job_schedules.job is 'Name of the job.';
comment on column public.job_schedules.description is 'What the job does.';
comment on column public.job_schedules.cron is
  'When it runs, in five fields or as @daily; empty: only by hand.';
comment on column public.job_schedules.timezone is
  'IANA time zone of cron; empty: that of the programme, in program_settings.';
comment on column public.job_schedules.enabled is
  'Off: paused. No further runs are scheduled; those asked for by hand still run.';
comment on column public.job_schedules.params is 'Parameters of scheduled runs.';
comment on column public.job_schedules.catch_up is
  'What becomes of slots that passed while no daemon ran: skip, one (the latest) or all of them.';
comment on column public.job_schedules.max_age_seconds is
  'A slot that is older than this is not caught up.';
comment on column public.job_schedules.coalesce_slots is
  'On: a slot that still waits when the next one is due is dropped.';
comment on column public.job_schedules.max_concurrent is
  'Most runs at a time that daemons take; empty: any number.';
comment on column public.job_schedules.jitter_seconds is
  'A scheduled run starts up to so much later, by chance, to spread the load.';
comment on column public.job_schedules.timeout_seconds is
  'An attempt that takes longer than this fails.';
comment on column public.job_schedules.lease_seconds is
  'A worker that is silent for this long has lost the run.';
comment on column public.job_schedules.max_attempts is 'After so many claims the run is dead.';
comment on column public.job_schedules.max_change_ratio is
  'A run that would stop a larger part of what there is (and more than 10 rows) asks first.';
comment on column public.job_schedules.keep_days is 'So long runs that ended are kept.';
comment on column public.job_schedules.error is
  'Why the latest edit is not in effect; the schedule before it still is.';
comment on column public.job_schedules.accepted_cron is 'The cron that is in effect.';
comment on column public.job_schedules.accepted_timezone is 'The time zone that is in effect.';
comment on column public.job_schedules.scheduled_until is
  'Every slot up to here has been dealt with.';
comment on column public.job_schedules.next_slot_at is 'When it runs next.';
comment on column public.job_schedules.created_at is 'When the row was made.';
comment on column public.job_schedules.updated_at is 'When somebody last edited the row.';

alter table public.job_schedules enable row level security;
revoke all on table public.job_schedules from public, anon, authenticated, service_role;
grant select, insert, update, delete on table public.job_schedules to service_role;
grant select on table public.job_schedules to authenticated;
create policy "Admins read the schedules" on public.job_schedules for select to authenticated
using ((select private.is_admin()));

-- What the slots of another schedule would have been, or those of a pause, is nobody's loss.
create function private.schedule_edited() returns trigger
language plpgsql volatile set search_path = '' as $$
begin
  new.updated_at := now();
  if (new.cron, new.timezone, new.enabled) is distinct from (old.cron, old.timezone, old.enabled)
  then
    new.scheduled_until := greatest(old.scheduled_until, clock_timestamp());
  end if;
  return new;
end
$$;
comment on function private.schedule_edited() is
  'Trigger: an edit counts from now on, and catches nothing up.';

create trigger mentor_sync_edited before update on public.job_schedules
for each row when (
  (
    old.cron, old.timezone, old.enabled, old.params, old.catch_up, old.max_age_seconds,
    old.coalesce_slots, old.max_concurrent, old.jitter_seconds, old.timeout_seconds,
    old.lease_seconds, old.max_attempts, old.max_change_ratio, old.keep_days
  ) is distinct from (
    new.cron, new.timezone, new.enabled, new.params, new.catch_up, new.max_age_seconds,
    new.coalesce_slots, new.max_concurrent, new.jitter_seconds, new.timeout_seconds,
    new.lease_seconds, new.max_attempts, new.max_change_ratio, new.keep_days
  )
) execute function private.schedule_edited();

create function public.register_jobs(p_jobs jsonb) returns integer
language sql volatile set search_path = '' as $$
  with registered as (
    insert into public.job_schedules (
      job, description, cron, catch_up, max_age_seconds, coalesce_slots, max_concurrent,
      jitter_seconds, timeout_seconds, lease_seconds, max_attempts, keep_days
    )
    select
      j.job, j.description, j.cron, j.catch_up, j.max_age_seconds, j.coalesce_slots,
      j.max_concurrent, j.jitter_seconds, j.timeout_seconds, j.lease_seconds, j.max_attempts,
      j.keep_days
    from jsonb_populate_recordset(null::public.job_schedules, p_jobs) as j
    where not exists (select from public.job_schedules as s where s.job = j.job)
    on conflict (job) do nothing
    returning 1
  )
  select count(*)::integer from registered
$$;
comment on function public.register_jobs(jsonb) is
  'Adds the jobs that job_schedules lacks, with the defaults of the code. Returns how many.';

create function public.accept_schedules(p_verdicts jsonb) returns integer
language sql volatile set search_path = '' as $$
  with verdict as (
    select * from jsonb_to_recordset(p_verdicts) as v (
      job text, error text, cron text, timezone text, next_slot_at timestamptz
    )
  ),
  changed as (
    update public.job_schedules as s
    set error = v.error, accepted_cron = v.cron, accepted_timezone = v.timezone,
      next_slot_at = v.next_slot_at
    from verdict as v
    where s.job = v.job
      and (s.error, s.accepted_cron, s.accepted_timezone, s.next_slot_at)
        is distinct from (v.error, v.cron, v.timezone, v.next_slot_at)
    returning 1
  )
  select count(*)::integer from changed
$$;
comment on function public.accept_schedules(jsonb) is
  'What a daemon made of the schedules: which is in effect, since when not the edited one, why.';

revoke all on function
  private.schedule_edited(),
  public.register_jobs(jsonb),
  public.accept_schedules(jsonb)
from public, anon, authenticated, service_role;
grant execute on function public.register_jobs(jsonb), public.accept_schedules(jsonb)
to service_role;
