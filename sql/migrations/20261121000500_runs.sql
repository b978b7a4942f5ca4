-- Runs: job_runs is queue and history in one; a row is a run of a job.
-- service_role enqueues, claims, keeps and finishes runs through the verbs below; admins
-- read; an operator may insert a row in the dashboard, for which `job` is enough.

create table public.job_schedules (
  job text primary key,
  description text not null default '',
  cron text,
  timezone text not null default 'UTC',
  enabled boolean not null default true,
  params jsonb not null default '{}',
  lease_seconds integer not null default 60,
  max_attempts integer not null default 3,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint job_schedules_params_is_object check (jsonb_typeof(params) = 'object'),
  constraint job_schedules_lease_range check (lease_seconds between 5 and 86400),
  constraint job_schedules_attempts_range check (max_attempts between 1 and 100)
);

comment on table public.job_schedules is
  'The jobs. Filled from the defaults of the code; an edit here overrides them.';
comment on column public.job_schedules.job is 'Name of the job.';
comment on column public.job_schedules.description is 'What the job does.';
comment on column public.job_schedules.cron is 'When it runs, in five fields; empty: only by hand.';
comment on column public.job_schedules.timezone is 'IANA time zone of cron.';
comment on column public.job_schedules.enabled is 'Off: no further runs are scheduled.';
comment on column public.job_schedules.params is 'Parameters of scheduled runs.';
comment on column public.job_schedules.lease_seconds is
  'A worker that is silent for this long has lost the run.';
comment on column public.job_schedules.max_attempts is 'After so many claims the run is dead.';
comment on column public.job_schedules.created_at is 'When the row was made.';
comment on column public.job_schedules.updated_at is 'When the row was last changed.';

create table public.job_runs (
  id uuid primary key default gen_random_uuid(),
  job text not null references public.job_schedules (job) on update cascade,
  slot timestamptz,
  status text not null default 'queued',
  params jsonb not null default '{}',
  attempt integer not null default 0,
  max_attempts integer not null default 3,
  fence bigint not null default 0,
  worker text,
  lease_seconds integer not null default 60,
  lease_expires_at timestamptz,
  run_at timestamptz not null default now(),
  progress jsonb not null default '{}',
  counts jsonb,
  error jsonb,
  requested_by text not null default current_user,
  created_at timestamptz not null default now(),
  started_at timestamptz,
  finished_at timestamptz,
  constraint job_runs_one_a_slot unique (job, slot),
  constraint job_runs_status_known check (
    status in (
      'queued', 'running', 'awaiting_approval', 'succeeded', 'partial', 'failed', 'dead',
      'cancelled'
    )
  ),
  constraint job_runs_params_is_object check (jsonb_typeof(params) = 'object'),
  constraint job_runs_lease_range check (lease_seconds between 5 and 86400),
  constraint job_runs_running_is_leased check (status <> 'running' or lease_expires_at is not null)
);

-- Claiming looks at these few rows only, however long the history is.
create index job_runs_queued_idx on public.job_runs (run_at, id) where status = 'queued';
create index job_runs_lease_idx on public.job_runs (lease_expires_at) where status = 'running';
create index job_runs_history_idx on public.job_runs (created_at desc, id);

comment on table public.job_runs is
  'Runs of jobs, waiting, under way and past. Insert a row with `job` to run it.';
comment on column public.job_runs.id is 'The run.';
comment on column public.job_runs.job is 'Which job.';
comment on column public.job_runs.slot is
  'The scheduled time that this run stands for (UTC); empty for runs asked for by hand.';
comment on column public.job_runs.status is
  'queued, running, awaiting_approval, succeeded, partial, failed, dead or cancelled.';
comment on column public.job_runs.params is 'Parameters, validated by the worker.';
comment on column public.job_runs.attempt is 'How often it was claimed.';
comment on column public.job_runs.max_attempts is 'After so many claims it is dead.';
comment on column public.job_runs.fence is
  'Grows with every claim; a write must name the current one, so a stale worker writes nothing.';
comment on column public.job_runs.worker is 'Who claimed it last: host, process, start.';
comment on column public.job_runs.lease_seconds is 'How long a silent worker keeps it.';
comment on column public.job_runs.lease_expires_at is
  'When a silent worker loses it, by the clock of the database.';
comment on column public.job_runs.run_at is 'Not before this time.';
comment on column public.job_runs.progress is 'How far it has come; a further attempt goes on here.';
comment on column public.job_runs.counts is 'What came out, by kind.';
comment on column public.job_runs.error is 'Why it failed: code, message, hint.';
comment on column public.job_runs.requested_by is 'Who asked for it.';
comment on column public.job_runs.created_at is 'When it was asked for.';
comment on column public.job_runs.started_at is 'When it was first claimed.';
comment on column public.job_runs.finished_at is 'When it ended, in whatever way.';

alter table public.job_schedules enable row level security;
revoke all on table public.job_schedules from public, anon, authenticated, service_role;
grant select, insert, update, delete on table public.job_schedules to service_role;
grant select on table public.job_schedules to authenticated;
create policy "Admins read the schedules" on public.job_schedules for select to authenticated
using ((select private.is_admin()));

alter table public.job_runs enable row level security;
revoke all on table public.job_runs from public, anon, authenticated, service_role;
grant select, insert, update, delete on table public.job_runs to service_role;
grant select on table public.job_runs to authenticated;
create policy "Admins read the runs" on public.job_runs for select to authenticated
using ((select private.is_admin()));

create trigger mentor_sync_touch before update on public.job_schedules
for each row when (old is distinct from new) execute function private.touch_updated_at();

-- The first statement of every verb by which a job writes. It takes the row's lock to the
-- end of the transaction, so a stale worker cannot commit after the new one has begun.
create function private.assert_run(p_run_id uuid, p_fence bigint) returns public.job_runs
language plpgsql volatile set search_path = '' as $$
declare
  run public.job_runs;
begin
  update public.job_runs as r
  set lease_expires_at = clock_timestamp() + make_interval(secs => r.lease_seconds)
  where r.id = p_run_id and r.fence = p_fence and r.status = 'running'
  returning r.* into run;
  if not found then
    raise exception 'Run % is not yours any more; nothing was written.', p_run_id
      using errcode = 'MS001',
        hint = 'Another worker claimed it, or it was cancelled. See: mentor-sync run show '
          || p_run_id;
  end if;
  perform set_config('mentor_sync.run_id', p_run_id::text, true);
  return run;
end
$$;
comment on function private.assert_run(uuid, bigint) is
  'Fence, heartbeat and lock in one: MS001 unless the caller still owns the run.';
revoke all on function private.assert_run(uuid, bigint)
from public, anon, authenticated, service_role;
grant execute on function private.assert_run(uuid, bigint) to service_role;

create function public.register_jobs(p_jobs jsonb) returns integer
language sql volatile set search_path = '' as $$
  with registered as (
    insert into public.job_schedules (job, description, cron, timezone, lease_seconds, max_attempts)
    select j.job, j.description, j.cron, j.timezone, j.lease_seconds, j.max_attempts
    from jsonb_to_recordset(p_jobs) as j (
      job text, description text, cron text, timezone text, lease_seconds integer,
      max_attempts integer
    )
    where not exists (select from public.job_schedules as s where s.job = j.job)
    on conflict (job) do nothing
    returning 1
  )
  select count(*)::integer from registered
$$;
comment on function public.register_jobs(jsonb) is
  'Adds the jobs that job_schedules lacks, with the defaults of the code. Returns how many.';

create function public.enqueue_run(
  p_job text,
  p_params jsonb default '{}',
  p_slot timestamptz default null,
  p_id uuid default gen_random_uuid(),
  p_max_attempts integer default null,
  p_requested_by text default null
) returns jsonb
language plpgsql volatile set search_path = '' as $$
declare
  run public.job_runs;
begin
  insert into public.job_runs (
    id, job, slot, params, lease_seconds, max_attempts, requested_by
  )
  select
    p_id, s.job, p_slot, p_params, s.lease_seconds, coalesce(p_max_attempts, s.max_attempts),
    coalesce(p_requested_by, current_user)
  from public.job_schedules as s
  where s.job = p_job
  on conflict do nothing
  returning * into run;
  if found then
    return to_jsonb(run);
  end if;
  select r.* into run
  from public.job_runs as r
  where r.id = p_id or (r.job = p_job and r.slot = p_slot);
  if not found then
    raise exception 'There is no job %.', p_job
      using errcode = 'MS002', hint = 'job_schedules lists the jobs.';
  end if;
  return to_jsonb(run);
end
$$;
comment on function public.enqueue_run(text, jsonb, timestamptz, uuid, integer, text) is
  'Asks for a run. The same id, or the same job and slot, gives the run that is there already.';

-- Two claims never take one run: the row is locked, and others skip it.
create function public.claim_run(
  p_worker text,
  p_run_id uuid default null,
  p_jobs text[] default null
) returns jsonb
language plpgsql volatile set search_path = '' as $$
declare
  run public.job_runs;
begin
  update public.job_runs as r
  set status = 'dead', finished_at = clock_timestamp(), lease_expires_at = null,
    error = jsonb_build_object(
      'code', 'lease_expired',
      'message', format('The worker fell silent in attempt %s of %s.', r.attempt, r.max_attempts),
      'hint', 'Look at the logs of ' || coalesce(r.worker, 'the worker') || '.'
    )
  where r.id in (
    select d.id
    from public.job_runs as d
    where d.status = 'running'
      and d.lease_expires_at < clock_timestamp()
      and d.attempt >= d.max_attempts
    for update skip locked
  );

  -- The answer to an earlier claim of the same worker may have been lost.
  select r.* into run
  from public.job_runs as r
  where r.id = p_run_id and r.status = 'running' and r.worker = p_worker;
  if found then
    return to_jsonb(run);
  end if;

  update public.job_runs as r
  set status = 'running', attempt = r.attempt + 1, fence = r.fence + 1, worker = p_worker,
    lease_expires_at = clock_timestamp() + make_interval(secs => r.lease_seconds),
    started_at = coalesce(r.started_at, clock_timestamp())
  where r.id = (
    select c.id
    from public.job_runs as c
    where (
        (c.status = 'queued' and c.run_at <= clock_timestamp())
        or (c.status = 'running' and c.lease_expires_at < clock_timestamp())
      )
      and (p_run_id is null or c.id = p_run_id)
      and (p_jobs is null or c.job = any (p_jobs))
    order by c.run_at, c.id
    limit 1
    for update skip locked
  )
  returning r.* into run;
  return case when found then to_jsonb(run) end;
end
$$;
comment on function public.claim_run(text, uuid, text[]) is
  'Takes a run that waits, or whose worker fell silent: the run, or null when there is none.';

create function public.heartbeat_run(p_run_id uuid, p_fence bigint) returns jsonb
language sql volatile set search_path = '' as $$
  select jsonb_build_object(
    'lease_expires_at', (private.assert_run(p_run_id, p_fence)).lease_expires_at
  )
$$;
comment on function public.heartbeat_run(uuid, bigint) is
  'Keeps a run alive while its worker is busy outside the database; MS001 when it is lost.';

create function public.finish_run(
  p_run_id uuid,
  p_fence bigint,
  p_status text,
  p_counts jsonb default null,
  p_error jsonb default null
) returns jsonb
language plpgsql volatile set search_path = '' as $$
declare
  run public.job_runs;
begin
  -- The answer to the same call may have been lost.
  select r.* into run
  from public.job_runs as r
  where r.id = p_run_id and r.fence = p_fence and r.status = p_status
    and r.finished_at is not null;
  if found then
    return to_jsonb(run);
  end if;
  perform private.assert_run(p_run_id, p_fence);
  update public.job_runs as r
  set status = p_status, counts = p_counts, error = p_error, progress = r.progress - 'answer',
    finished_at = clock_timestamp(), lease_expires_at = null
  where r.id = p_run_id
  returning r.* into run;
  return to_jsonb(run);
end
$$;
comment on function public.finish_run(uuid, bigint, text, jsonb, jsonb) is
  'Ends a run: succeeded, partial, failed, dead or cancelled. MS001 when it is lost.';

create function public.find_runs(p_beginning text) returns jsonb
language sql stable set search_path = '' as $$
  select coalesce(jsonb_agg(to_jsonb(found)), '[]')
  from (
    select r.* from public.job_runs as r
    where r.id >= (rpad(replace(p_beginning, '-', ''), 32, '0'))::uuid
      and r.id <= (rpad(replace(p_beginning, '-', ''), 32, 'f'))::uuid
    limit 2
  ) as found
$$;
comment on function public.find_runs(text) is
  'The runs whose id begins so, two at the most: one is the answer, two are too many.';

revoke all on function
  public.register_jobs(jsonb),
  public.enqueue_run(text, jsonb, timestamptz, uuid, integer, text),
  public.claim_run(text, uuid, text[]),
  public.heartbeat_run(uuid, bigint),
  public.finish_run(uuid, bigint, text, jsonb, jsonb),
  public.find_runs(text)
from public, anon, authenticated, service_role;
grant execute on function
  public.register_jobs(jsonb),
  public.enqueue_run(text, jsonb, timestamptz, uuid, integer, text),
  public.claim_run(text, uuid, text[]),
  public.heartbeat_run(uuid, bigint),
  public.finish_run(uuid, bigint, text, jsonb, jsonb),
  public.find_runs(text)
to service_role;
