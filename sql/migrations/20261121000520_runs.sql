-- Runs: job_runs is queue and history in one; a row is a run of a job.
-- service_role enqueues, claims, keeps and finishes runs through the verbs below; admins
-- read; an operator may insert a row in the dashboard, for which `job` is enough, and may set
-- `status` to cancelled, or `approved`.

create table public.job_runs (
  id uuid primary key default gen_random_uuid(),
  job text not null references public.job_schedules (job) on update cascade,
  slot timestamptz,
  status text not null default 'queued',
  params jsonb not null default '{}',
  approved boolean not null default false,
  attempt integer not null default 0,
  max_attempts integer not null,
  fence bigint not null default 0,
  worker text,
  lease_seconds integer not null,
  lease_expires_at timestamptz,
  timeout_seconds integer not null,
  run_at timestamptz not null default now(),
  progress jsonb not null default '{}',
  counts jsonb,
  error jsonb,
  requested_by text not null default current_user,
  created_at timestamptz not null default now(),
  started_at timestamptz,
  claimed_at timestamptz,
  finished_at timestamptz,
  constraint job_runs_one_a_slot unique (job, slot),
  constraint job_runs_status_known check (
    status in (
      'queued', 'running', 'awaiting_approval', 'succeeded', 'partial', 'failed', 'dead',
      'cancelled'
    )
  ),
  constraint job_runs_params_is_object check (jsonb_typeof(params) = 'object'),
  constraint job_runs_attempts_range check (max_attempts between 1 and 100),
  constraint job_runs_attempt_range check (attempt between 0 and 1000000),
  constraint job_runs_fence_range check (fence between 0 and 9007199254740992),
  constraint job_runs_times_are_finite check (isfinite(slot) and isfinite(run_at)),
  constraint job_runs_progress_is_object check (jsonb_typeof(progress) = 'object'),
  constraint job_runs_lease_range check (lease_seconds between 5 and 86400),
  constraint job_runs_timeout_range check (timeout_seconds between 1 and 604800),
  constraint job_runs_running_is_leased check (status <> 'running' or lease_expires_at is not null)
);

-- Claiming looks at these few rows only, however long the history is.
create index job_runs_queued_idx on public.job_runs (run_at, id) where status = 'queued';
create index job_runs_lease_idx on public.job_runs (lease_expires_at) where status = 'running';
create index job_runs_running_idx on public.job_runs (job) where status = 'running';
create index job_runs_history_idx on public.job_runs (created_at desc, id);
create index job_runs_ended_idx on public.job_runs (job, finished_at)
where finished_at is not null;

comment on table public.job_runs is
  'Runs of jobs, waiting, under way and past. Insert a row with `job` to run it.';
comment on column public.job_runs.id is 'The run.';
comment on column public.job_runs.job is 'Which job.';
comment on column public.job_runs.slot is
  'The scheduled time that this run stands for (UTC); empty for runs asked for by hand.';
comment on column public.job_runs.status is
  'queued, running, awaiting_approval, succeeded, partial, failed, dead or cancelled.'
  ' Set it to cancelled to stop a run.';
comment on column public.job_runs.params is 'Parameters, validated by the worker.';
comment on column public.job_runs.approved is
  'Set it to let a run that awaits approval do what it asked for.';
comment on column public.job_runs.attempt is 'How often it was claimed.';
comment on column public.job_runs.max_attempts is
  'After so many claims it is dead; by default as job_schedules says.';
comment on column public.job_runs.fence is
  'Grows with every claim; a write must name the current one, so a stale worker writes nothing.';
comment on column public.job_runs.worker is 'Who claimed it last: host, process, start.';
comment on column public.job_runs.lease_seconds is
  'How long a silent worker keeps it; by default as job_schedules says.';
comment on column public.job_runs.lease_expires_at is
  'When a silent worker loses it, by the clock of the database.';
comment on column public.job_runs.timeout_seconds is
  'How long one attempt may take; by default as job_schedules says.';
comment on column public.job_runs.run_at is 'Not before this time.';
comment on column public.job_runs.progress is 'How far it has come; a further attempt goes on here.';
comment on column public.job_runs.counts is 'What came out, by kind.';
comment on column public.job_runs.error is 'Why it failed, or waits: code, message, hint.';
comment on column public.job_runs.requested_by is 'Who asked for it.';
comment on column public.job_runs.created_at is 'When it was asked for.';
comment on column public.job_runs.started_at is 'When it was first claimed.';
comment on column public.job_runs.claimed_at is 'When it was last claimed.';
comment on column public.job_runs.finished_at is 'When it ended, in whatever way.';

alter table public.job_runs enable row level security;
revoke all on table public.job_runs from public, anon, authenticated, service_role;
grant select, insert, update, delete on table public.job_runs to service_role;
grant select on table public.job_runs to authenticated;
create policy "Admins read the runs" on public.job_runs for select to authenticated
using ((select private.is_admin()));

-- Realtime follows the runs. A project may have no such publication, one FOR ALL TABLES, or
-- one that is not ours to change; none of that is worth a failed migration.
do $$
begin
  alter publication supabase_realtime add table public.job_runs;
exception
  when undefined_object or duplicate_object or object_not_in_prerequisite_state
    or insufficient_privilege then
    raise notice 'job_runs was not added to supabase_realtime: %', sqlerrm;
end
$$;

-- Rows that people make and cells that they change -----------------------------------------

create function private.complete_run() returns trigger
language plpgsql volatile set search_path = '' as $$
declare
  schedule public.job_schedules;
begin
  select s.* into schedule from public.job_schedules as s where s.job = new.job;
  new.max_attempts := coalesce(new.max_attempts, schedule.max_attempts, 3);
  new.lease_seconds := coalesce(new.lease_seconds, schedule.lease_seconds, 60);
  new.timeout_seconds := coalesce(new.timeout_seconds, schedule.timeout_seconds, 3600);
  return new;
end
$$;
comment on function private.complete_run() is
  'Trigger: what a new run leaves open is as job_schedules says.';

create trigger mentor_sync_completed before insert on public.job_runs
for each row execute function private.complete_run();

create function private.settle_run() returns trigger
language plpgsql volatile set search_path = '' as $$
begin
  if new.approved and not old.approved and new.status = 'awaiting_approval' then
    new.status := 'queued';
    new.attempt := 0;
    new.run_at := clock_timestamp();
    new.error := null;
  end if;
  if new.status = 'awaiting_approval' then
    new.approved := false;
  end if;
  if new.status <> 'running' then
    new.lease_expires_at := null;
  end if;
  if new.status in ('queued', 'running', 'awaiting_approval') then
    new.finished_at := null;
  elsif old.status in ('queued', 'running', 'awaiting_approval') then
    new.finished_at := clock_timestamp();
  end if;
  return new;
end
$$;
comment on function private.settle_run() is
  'Trigger: keeps times and leases in step with a status, whoever changed it.';

create trigger mentor_sync_settled before update on public.job_runs
for each row when (old.status is distinct from new.status or old.approved <> new.approved)
execute function private.settle_run();

-- Owning a run ------------------------------------------------------------------------------

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
  if run.claimed_at + make_interval(secs => run.timeout_seconds) < clock_timestamp() then
    raise exception 'Run % took longer than % seconds.', p_run_id, run.timeout_seconds
      using errcode = 'MS003',
        hint = 'It goes on from where it was. timeout_seconds is in job_schedules.';
  end if;
  perform set_config('mentor_sync.run_id', p_run_id::text, true);
  return run;
end
$$;
comment on function private.assert_run(uuid, bigint) is
  'Fence, heartbeat and lock in one: MS001 unless the caller still owns the run.';

-- How far a run has come is kept as counts by outcome.
create function private.add_counts(p_left jsonb, p_right jsonb) returns jsonb
language sql immutable set search_path = '' as $$
  select coalesce(jsonb_object_agg(s.key, s.n), '{}')
  from (
    select c.key, sum(c.value::bigint) as n
    from (
      select * from jsonb_each_text(p_left)
      union all
      select * from jsonb_each_text(p_right)
    ) as c
    group by c.key
  ) as s
$$;
comment on function private.add_counts(jsonb, jsonb) is 'The sum of two sets of counts.';

create function public.heartbeat_run(p_run_id uuid, p_fence bigint) returns jsonb
language sql volatile set search_path = '' as $$
  select jsonb_build_object(
    'lease_expires_at', (private.assert_run(p_run_id, p_fence)).lease_expires_at
  )
$$;
comment on function public.heartbeat_run(uuid, bigint) is
  'Keeps a run alive while its worker is busy outside the database; MS001 when it is lost.';

-- Asking ------------------------------------------------------------------------------------

create function public.enqueue_run(
  p_job text,
  p_params jsonb default '{}',
  p_id uuid default gen_random_uuid(),
  p_max_attempts integer default null,
  p_requested_by text default null,
  p_worker text default null
) returns jsonb
language plpgsql volatile set search_path = '' as $$
declare
  run public.job_runs;
begin
  insert into public.job_runs (id, job, params, max_attempts, requested_by)
  select p_id, s.job, p_params, p_max_attempts, coalesce(p_requested_by, current_user)
  from public.job_schedules as s
  where s.job = p_job
  on conflict do nothing
  returning * into run;
  if found and p_worker is not null then
    perform private.rescue_runs();
    return private.take_runs(p_worker, array[p_id]) -> 0;
  end if;
  if not found then
    select r.* into run from public.job_runs as r where r.id = p_id;
  end if;
  if not found then
    raise exception 'There is no job %.', p_job
      using errcode = 'MS002', hint = 'job_schedules lists the jobs.';
  end if;
  return to_jsonb(run);
end
$$;
comment on function public.enqueue_run(text, jsonb, uuid, integer, text, text) is
  'Asks for a run, and gives it to p_worker at once if one is named. The same id gives the run'
  ' that is there already.';

-- Of any number of daemons that bring the same slots, one makes the runs: the schedule's row is
-- locked, and what lies before scheduled_until has been dealt with.
create function public.enqueue_slots(p_due jsonb) returns jsonb
language plpgsql volatile set search_path = '' as $$
declare
  due record;
  schedule public.job_schedules;
  latest timestamptz;
  made jsonb := '[]';
begin
  for due in
    select d.job, d.slots, d.until
    from jsonb_to_recordset(p_due) as d (job text, slots timestamptz[], until timestamptz)
    order by d.job
  loop
    select s.* into schedule from public.job_schedules as s where s.job = due.job for update;
    continue when not found or not schedule.enabled
      or schedule.scheduled_until >= least(due.until, clock_timestamp());
    with slot as (
      insert into public.job_runs (job, slot, params, run_at, requested_by)
      select
        schedule.job, s.at, schedule.params,
        s.at + random() * make_interval(secs => schedule.jitter_seconds), 'schedule'
      from unnest(due.slots) as s (at)
      where s.at > schedule.scheduled_until and s.at <= clock_timestamp()
      on conflict (job, slot) do nothing
      returning job_runs.slot
    )
    select made || coalesce(jsonb_agg(jsonb_build_object('job', due.job, 'slot', s.slot)), '[]'),
      max(s.slot)
    into made, latest
    from slot as s;
    if schedule.coalesce_slots and schedule.catch_up <> 'all' then
      update public.job_runs as r
      set status = 'cancelled', error = jsonb_build_object(
        'code', 'coalesced', 'message', 'The next slot came before this one had begun.',
        'hint', 'coalesce_slots in job_schedules says so.'
      )
      where r.id in (
        -- One that is locked is just being claimed, by somebody who waits for our schedule.
        select x.id from public.job_runs as x
        where x.job = due.job and x.status = 'queued' and x.slot < latest and x.attempt = 0
          and not x.approved
        for update skip locked
      );
    end if;
    update public.job_schedules as s
    set scheduled_until = least(due.until, clock_timestamp())
    where s.job = due.job;
  end loop;
  return made;
end
$$;
comment on function public.enqueue_slots(jsonb) is
  'Makes runs of these slots, [{job, slots, until}], each once: the job and slot of those made.';

-- Taking ------------------------------------------------------------------------------------

create function private.rescue_runs() returns void
language sql volatile set search_path = '' as $$
  update public.job_runs as r
  set
    status = case when r.attempt >= r.max_attempts then 'dead' else 'queued' end,
    run_at = clock_timestamp(),
    error = jsonb_build_object(
      'code', 'lease_expired',
      'message', format('The worker fell silent in attempt %s of %s.', r.attempt, r.max_attempts),
      'hint', 'Look at the logs of ' || coalesce(r.worker, 'the worker') || '.'
    )
  where r.id in (
    select d.id
    from public.job_runs as d
    where d.status = 'running' and d.lease_expires_at < clock_timestamp()
    order by d.lease_expires_at
    limit 1000
    for update skip locked
  )
$$;
comment on function private.rescue_runs() is
  'Runs whose worker fell silent wait again, or are dead after their last attempt.';

create function private.open_jobs(p_jobs text[]) returns text[]
language sql volatile set search_path = '' as $$
  select coalesce(array_agg(s.job), '{}')
  from public.job_schedules as s
  left join (
    select r.job, count(*) as n from public.job_runs as r where r.status = 'running' group by r.job
  ) as running on running.job = s.job
  where (p_jobs is null or s.job = any (p_jobs))
    and (s.max_concurrent is null or coalesce(running.n, 0) < s.max_concurrent)
$$;
comment on function private.open_jobs(text[]) is
  'Those of the jobs (null: of all) that may have another run now.';

-- Two claims never take one run: rows are locked, and others skip them. Where a job may have
-- so many runs at a time only, its schedule is locked too, and the room is counted again after
-- that; what does not fit is left, and the next look finds other jobs.
create function private.next_runs(p_limit integer, p_jobs text[]) returns uuid[]
language plpgsql volatile set search_path = '' as $$
declare
  open_jobs text[];
  picked uuid[];
  fitting uuid[];
begin
  loop
    open_jobs := private.open_jobs(p_jobs);
    picked := array(
      select r.id from public.job_runs as r
      where r.status = 'queued' and r.run_at <= clock_timestamp() and r.job = any (open_jobs)
      order by r.run_at, r.id
      limit p_limit
      for update skip locked
    );
    perform from public.job_schedules as s
    where s.max_concurrent is not null
      and s.job in (select r.job from public.job_runs as r where r.id = any (picked))
    order by s.job
    for no key update;
    fitting := array(
      select placed.id
      from (
        select r.id, s.max_concurrent,
          row_number() over (partition by r.job order by r.run_at, r.id)
            + case when s.max_concurrent is not null then (
              select count(*) from public.job_runs as x
              where x.job = r.job and x.status = 'running'
            ) end as place
        from public.job_runs as r
        inner join public.job_schedules as s on s.job = r.job
        where r.id = any (picked)
      ) as placed
      where placed.max_concurrent is null or placed.place <= placed.max_concurrent
    );
    exit when fitting <> '{}' or picked = '{}';
  end loop;
  return fitting;
end
$$;
comment on function private.next_runs(integer, text[]) is
  'Runs that are due, the longest waiting first, locked; as many as may run now.';

create function private.take_runs(p_worker text, p_ids uuid[]) returns jsonb
language sql volatile set search_path = '' as $$
  with taken as (
    update public.job_runs as r
    set status = 'running', attempt = r.attempt + 1, fence = r.fence + 1, worker = p_worker,
      lease_expires_at = clock_timestamp() + make_interval(secs => r.lease_seconds),
      started_at = coalesce(r.started_at, clock_timestamp()), claimed_at = clock_timestamp()
    where r.id = any (p_ids)
    returning r.*
  )
  select coalesce(jsonb_agg(to_jsonb(t) order by t.run_at, t.id), '[]') from taken as t
$$;
comment on function private.take_runs(text, uuid[]) is
  'Makes these runs the worker''s, with a new fence each. They must be locked.';

create function public.claim_runs(
  p_worker text,
  p_limit integer default 1,
  p_run_id uuid default null,
  p_jobs text[] default null,
  p_holding uuid[] default '{}'
) returns jsonb
language plpgsql volatile set search_path = '' as $$
declare
  claimed jsonb;
  due uuid[];
begin
  perform private.rescue_runs();

  -- The answer to an earlier claim of the same worker may have been lost.
  select jsonb_agg(to_jsonb(r) order by r.run_at, r.id) into claimed
  from public.job_runs as r
  where r.status = 'running' and r.worker = p_worker and r.id <> all (p_holding)
    and (p_run_id is null or r.id = p_run_id);
  if claimed is not null then
    return claimed;
  end if;

  if p_run_id is not null then
    due := array(
      select r.id from public.job_runs as r
      where r.id = p_run_id and r.status = 'queued' and r.run_at <= clock_timestamp()
      for update skip locked
    );
    return private.take_runs(p_worker, due);
  end if;

  claimed := '[]';
  while jsonb_array_length(claimed) < p_limit loop
    due := private.next_runs(p_limit - jsonb_array_length(claimed), p_jobs);
    exit when due = '{}';
    claimed := claimed || private.take_runs(p_worker, due);
  end loop;
  return claimed;
end
$$;
comment on function public.claim_runs(text, integer, uuid, text[], uuid[]) is
  'Takes runs that are due, p_limit at the most, as a JSON list. A run that is asked for by its'
  ' id is taken alone, and beyond max_concurrent. p_holding: what the worker knows it has.';

-- Ending ------------------------------------------------------------------------------------

create function private.retry_delay(p_attempt integer) returns interval
language sql volatile set search_path = '' as $$
  select make_interval(secs => least(600, 5 * 2 ^ least(p_attempt, 10)) * (0.5 + random() / 2))
$$;
comment on function private.retry_delay(integer) is
  'How long a run waits after an attempt that failed: 5 to 10 seconds, then twice that, and on.';

-- [{id, fence, status, counts, error}]. What failed and may go better next time waits for its
-- next attempt; what a worker gives back untouched (released) does not count as one.
create function public.finish_runs(p_results jsonb) returns jsonb
language plpgsql volatile set search_path = '' as $$
declare
  stale jsonb;
  unknown text;
begin
  select g.status into unknown
  from jsonb_to_recordset(p_results) as g (status text)
  where g.status is null or g.status <> all (
    '{succeeded,partial,failed,cancelled,awaiting_approval,released}'::text[]
  )
  limit 1;
  if found then
    raise exception 'A run cannot end as %.', coalesce(unknown, 'null')
      using errcode = '23514', hint = 'See the comment of finish_runs.';
  end if;
  with given as (
    select g.*, coalesce((g.error ->> 'retryable')::boolean, false) as retryable
    from jsonb_to_recordset(p_results) as g (
      id uuid, fence bigint, status text, counts jsonb, error jsonb
    )
  ),
  -- Likewise an answer that was lost: the same worker says the same again.
  known as (
    select r.id
    from public.job_runs as r
    inner join given as g on g.id = r.id and g.fence = r.fence
    where r.status = g.status
      or (g.status = 'failed' and r.status in ('queued', 'dead'))
      or (g.status = 'released' and r.status = 'queued')
  ),
  ended as (
    update public.job_runs as r
    set
      status = case
        when g.status = 'released' then 'queued'
        when g.status <> 'failed' or not g.retryable then g.status
        when r.attempt < r.max_attempts then 'queued'
        when r.max_attempts > 1 then 'dead'
        else 'failed'
      end,
      attempt = r.attempt - (g.status = 'released')::integer,
      run_at = case
        when g.status = 'released' then clock_timestamp()
        when g.status = 'failed' and g.retryable
          then clock_timestamp() + private.retry_delay(r.attempt)
        else r.run_at
      end,
      counts = coalesce(g.counts, r.counts),
      error = g.error,
      progress = r.progress - 'answer'
    from given as g
    where r.id = g.id and r.fence = g.fence and r.status = 'running'
    returning r.id
  )
  select coalesce(jsonb_agg(g.id), '[]') into stale
  from given as g
  where g.id not in (select e.id from ended as e union all select k.id from known as k);
  return jsonb_build_object('stale', stale);
end
$$;
comment on function public.finish_runs(jsonb) is
  'Ends runs: succeeded, partial, failed, cancelled, awaiting_approval or released. Those that'
  ' somebody else has by now are left alone and listed as stale.';

-- By hand -----------------------------------------------------------------------------------

-- A transition that a person asks for; p_from are the states in which it makes sense.
create function private.change_run(p_run_id uuid, p_to text, p_from text[]) returns jsonb
language plpgsql volatile set search_path = '' as $$
declare
  run public.job_runs;
begin
  select r.* into run from public.job_runs as r where r.id = p_run_id for update;
  if not found then
    raise exception 'There is no run %.', p_run_id
      using errcode = 'MS011', hint = 'See: mentor-sync run list';
  end if;
  if run.status <> all (p_from) then
    raise exception 'Run % is %.', p_run_id, run.status
      using errcode = 'MS004', hint = 'This is for runs that are ' || array_to_string(p_from, ', ');
  end if;
  update public.job_runs as r
  set status = case p_to when 'approved' then r.status else p_to end,
    approved = r.approved or p_to = 'approved',
    attempt = case p_to when 'queued' then 0 else r.attempt end,
    run_at = case p_to when 'queued' then clock_timestamp() else r.run_at end
  where r.id = p_run_id
  returning r.* into run;
  return to_jsonb(run);
end
$$;
comment on function private.change_run(uuid, text, text[]) is
  'Changes the state of a run, if it is in one of these states; MS004 otherwise.';

create function public.cancel_run(p_run_id uuid) returns jsonb
language sql volatile set search_path = '' as $$
  select private.change_run(p_run_id, 'cancelled', '{queued,running,awaiting_approval}')
$$;
comment on function public.cancel_run(uuid) is
  'Stops a run: what its worker has not committed by now is refused.';

create function public.approve_run(p_run_id uuid) returns jsonb
language sql volatile set search_path = '' as $$
  select private.change_run(p_run_id, 'approved', '{awaiting_approval}')
$$;
comment on function public.approve_run(uuid) is 'Lets a run do what it asked for.';

create function public.retry_run(p_run_id uuid) returns jsonb
language sql volatile set search_path = '' as $$
  select private.change_run(p_run_id, 'queued', '{failed,dead,cancelled}')
$$;
comment on function public.retry_run(uuid) is
  'A run that did not end well goes on from where it was.';

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

-- What a daemon needs to know, in one answer ------------------------------------------------

create function public.scheduler_state() returns jsonb
language plpgsql volatile set search_path = '' as $$
begin
  return jsonb_build_object(
    'now', clock_timestamp(),
    'schema', private.schema_version(),
    'timezone', coalesce(
      (select s.value #>> '{}' from public.program_settings as s where s.key = 'timezone'), 'UTC'
    ),
    'schedules', (select coalesce(jsonb_agg(to_jsonb(s) order by s.job), '[]')
      from public.job_schedules as s),
    'queue', (
      select coalesce(jsonb_agg(to_jsonb(q) order by q.job), '[]')
      from (
        select r.job, count(*) as queued,
          extract(epoch from clock_timestamp() - min(r.run_at)) as oldest_seconds
        from public.job_runs as r
        where r.status = 'queued' and r.run_at <= clock_timestamp()
        group by r.job
      ) as q
    )
  );
end
$$;
comment on function public.scheduler_state() is
  'The schema''s version, the schedules, the time, and how many runs wait for how long.';

revoke all on function
  private.complete_run(),
  private.settle_run(),
  private.assert_run(uuid, bigint),
  private.add_counts(jsonb, jsonb),
  private.rescue_runs(),
  private.open_jobs(text[]),
  private.next_runs(integer, text[]),
  private.take_runs(text, uuid[]),
  private.retry_delay(integer),
  private.change_run(uuid, text, text[]),
  public.heartbeat_run(uuid, bigint),
  public.enqueue_run(text, jsonb, uuid, integer, text, text),
  public.enqueue_slots(jsonb),
  public.claim_runs(text, integer, uuid, text[], uuid[]),
  public.finish_runs(jsonb),
  public.cancel_run(uuid),
  public.approve_run(uuid),
  public.retry_run(uuid),
  public.find_runs(text),
  public.scheduler_state()
from public, anon, authenticated, service_role;
grant execute on function
  private.assert_run(uuid, bigint),
  private.rescue_runs(),
  private.open_jobs(text[]),
  private.next_runs(integer, text[]),
  private.take_runs(text, uuid[]),
  private.retry_delay(integer),
  private.change_run(uuid, text, text[]),
  public.heartbeat_run(uuid, bigint),
  public.enqueue_run(text, jsonb, uuid, integer, text, text),
  public.enqueue_slots(jsonb),
  public.claim_runs(text, integer, uuid, text[], uuid[]),
  public.finish_runs(jsonb),
  public.cancel_run(uuid),
  public.approve_run(uuid),
  public.retry_run(uuid),
  public.find_runs(text),
  public.scheduler_state()
to service_role;
