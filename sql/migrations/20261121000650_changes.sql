-- The change log: what each run changed, row by row, so that it can be shown and undone.
-- Written by triggers, and only within a run; service_role and admins read it.

-- No foreign key to the run: checking it row by row would cost a sync a tenth of its time. A
-- trigger on job_runs does what it would. One index, for the same reason.
create table public.job_changes (
  id bigint generated always as identity,
  run_id uuid not null,
  chunk bigint not null,
  relation text not null,
  row_id uuid not null,
  action text not null,
  before jsonb,
  after jsonb,
  rest bigint,
  changed_at timestamptz not null default now(),
  primary key (run_id, chunk, id),
  constraint job_changes_action_known check (action in ('insert', 'update', 'delete')),
  constraint job_changes_images_fit check (
    (before is null) = (action = 'insert') and (after is null) = (action = 'delete')
  )
);

comment on table public.job_changes is
  'What runs changed: a row each, before and after, in the columns that are logged.';
comment on column public.job_changes.id is 'Place in the order of changes.';
comment on column public.job_changes.run_id is 'The run.';
comment on column public.job_changes.chunk is 'The transaction: what was changed together.';
comment on column public.job_changes.relation is 'Which table of the schema public.';
comment on column public.job_changes.row_id is 'Which row: its id.';
comment on column public.job_changes.action is 'insert, update or delete.';
comment on column public.job_changes.before is 'The row before; empty where it is new.';
comment on column public.job_changes.after is 'The row after; empty where it is gone.';
comment on column public.job_changes.rest is
  'Hash of the columns of a new row that are not logged, where the table has such: undoing does'
  ' not delete a row in which one has been filled in since.';
comment on column public.job_changes.changed_at is 'When the transaction began.';

alter table public.job_changes enable row level security;
revoke all on table public.job_changes from public, anon, authenticated, service_role;
revoke all on sequence public.job_changes_id_seq from public, anon, authenticated, service_role;
grant select, delete on table public.job_changes to service_role;
grant select on table public.job_changes to authenticated;
create policy "Admins read the changes" on public.job_changes for select to authenticated
using ((select private.is_admin()));

create function private.hash_of_rest(p_row jsonb, p_logged text[]) returns bigint
language sql immutable set search_path = '' as $$
  select hashtextextended((p_row - p_logged - 'updated_at')::text, 0)
$$;
comment on function private.hash_of_rest(jsonb, text[]) is
  'Hash of the columns of a row that are not logged, but for when it was written.';

-- The run is named by private.assert_run, for its transaction only. No header is ever read, and
-- over the API nobody can set it. Definer: the log is not for writing by hand.
-- The arguments are the columns that are logged; a column that is not named here never is.
create function private.log_changes() returns trigger
language plpgsql volatile security definer set search_path = '' as $$
declare
  run constant uuid := nullif(current_setting('mentor_sync.run_id', true), '')::uuid;
  this_chunk constant bigint := pg_catalog.pg_current_xact_id()::text::bigint;
  unlogged text[];
  has_rest boolean;
begin
  if run is null then
    return null;
  end if;
  unlogged := array(
    select a.attname::text from pg_catalog.pg_attribute as a
    where a.attrelid = tg_relid and a.attnum > 0 and not a.attisdropped
      and a.attname <> all (tg_argv)
  );
  has_rest := unlogged <> '{updated_at}';
  if tg_op = 'INSERT' then
    insert into public.job_changes (run_id, chunk, relation, row_id, action, after, rest)
    select run, this_chunk, tg_table_name, n.id, 'insert', to_jsonb(n) - unlogged,
      case when has_rest then private.hash_of_rest(to_jsonb(n), tg_argv) end
    from new_rows as n;
    return null;
  end if;
  if tg_op = 'DELETE' then
    insert into public.job_changes (run_id, chunk, relation, row_id, action, before)
    select run, this_chunk, tg_table_name, o.id, 'delete', to_jsonb(o) - unlogged
    from old_rows as o;
    return null;
  end if;
  insert into public.job_changes (run_id, chunk, relation, row_id, action, before, after)
  select run, this_chunk, tg_table_name, c.id, 'update', c.before, c.after
  from (
    select n.id, to_jsonb(o) - unlogged as before, to_jsonb(n) - unlogged as after
    from new_rows as n
    inner join old_rows as o on o.id = n.id
  ) as c
  where c.before <> c.after;
  return null;
end
$$;
comment on function private.log_changes() is
  'Trigger: notes what a run changes, in the columns that the trigger names.';

create trigger mentor_sync_log_inserted after insert on public.users
referencing new table as new_rows
for each statement execute function private.log_changes(
  'id', 'email', 'full_name', 'role', 'status', 'auth_user_id', 'legacy_user_id', 'member_id',
  'mentor_id', 'timezone', 'country', 'city', 'contact_preference', 'locale', 'created_at'
);
create trigger mentor_sync_log_updated after update on public.users
referencing old table as old_rows new table as new_rows
for each statement execute function private.log_changes(
  'id', 'email', 'full_name', 'role', 'status', 'auth_user_id', 'legacy_user_id', 'member_id',
  'mentor_id', 'timezone', 'country', 'city', 'contact_preference', 'locale', 'created_at'
);
create trigger mentor_sync_log_deleted after delete on public.users
referencing old table as old_rows
for each statement execute function private.log_changes(
  'id', 'email', 'full_name', 'role', 'status', 'auth_user_id', 'legacy_user_id', 'member_id',
  'mentor_id', 'timezone', 'country', 'city', 'contact_preference', 'locale', 'created_at'
);
create trigger mentor_sync_log_inserted after insert on public.mentors
referencing new table as new_rows
for each statement execute function private.log_changes(
  'id', 'user_id', 'person_id', 'slug', 'bio', 'expertise', 'is_approved', 'is_active', 'rating',
  'rating_count', 'total_sessions', 'version', 'capacity', 'availability', 'timezone', 'domain',
  'experience_years', 'teaching_style', 'synced', 'created_at'
);
create trigger mentor_sync_log_updated after update on public.mentors
referencing old table as old_rows new table as new_rows
for each statement execute function private.log_changes(
  'id', 'user_id', 'person_id', 'slug', 'bio', 'expertise', 'is_approved', 'is_active', 'rating',
  'rating_count', 'total_sessions', 'version', 'capacity', 'availability', 'timezone', 'domain',
  'experience_years', 'teaching_style', 'synced', 'created_at'
);
create trigger mentor_sync_log_deleted after delete on public.mentors
referencing old table as old_rows
for each statement execute function private.log_changes(
  'id', 'user_id', 'person_id', 'slug', 'bio', 'expertise', 'is_approved', 'is_active', 'rating',
  'rating_count', 'total_sessions', 'version', 'capacity', 'availability', 'timezone', 'domain',
  'experience_years', 'teaching_style', 'synced', 'created_at'
);

create function private.forget_changes() returns trigger
language plpgsql volatile security definer set search_path = '' as $$
begin
  delete from public.job_changes as c
  where c.run_id in (select o.id from old_rows as o);
  return null;
end
$$;
comment on function private.forget_changes() is
  'Trigger: what a run changed goes with the run.';

create trigger mentor_sync_forgotten after delete on public.job_runs
referencing old table as old_rows
for each statement execute function private.forget_changes();

-- Showing -----------------------------------------------------------------------------------

create function public.changes_of_run(
  p_run_id uuid, p_after_chunk bigint, p_after bigint, p_limit integer
) returns jsonb
language sql stable set search_path = '' as $$
  select coalesce(jsonb_agg(to_jsonb(c) order by c.chunk, c.id), '[]')
  from (
    select x.id, x.chunk, x.relation, x.row_id, x.action, x.before, x.after, x.changed_at
    from public.job_changes as x
    where x.run_id = p_run_id and (x.chunk, x.id) > (p_after_chunk, p_after)
    -- A run's transactions follow each other, so both grow together.
    order by x.chunk, x.id
    limit least(p_limit, 1000)
  ) as c
$$;
comment on function public.changes_of_run(uuid, bigint, bigint, integer) is
  'What a run changed, in order, after this chunk and id; 1,000 at the most.';

-- Undoing -----------------------------------------------------------------------------------

create type private.undo_outcome as (
  row_id uuid, relation text, action text, outcome text, reason text
);
comment on type private.undo_outcome is 'What became of one row of a run that is undone.';

-- A row that another refers to is kept: deleting it would change one that may not be the run's.
create function private.referring_expression(p_relation regclass) returns text
language sql stable set search_path = '' as $$
  select coalesce(
    'case ' || string_agg(
      format(
        'when exists (select from %s as x where x.%I = t.id%s) then %L',
        c.conrelid::regclass, a.attname,
        -- What was made of the row alone goes with it.
        case when c.conrelid = to_regclass('public.mentorship_profiles')
          then ' and not private.is_as_derived(x)' end,
        replace(c.conrelid::regclass::text, 'public.', '')
      ),
      ' ' order by c.oid
    ) || ' end',
    'null::text'
  )
  from pg_catalog.pg_constraint as c
  inner join pg_catalog.pg_attribute as a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
  where c.contype = 'f' and c.confrelid = p_relation and cardinality(c.conkey) = 1
    and c.connamespace = 'public'::regnamespace
$$;
comment on function private.referring_expression(regclass) is
  'SQL for the name of a table that has a foreign key to row t of this one, or null.';

-- What a chunk of a run did to one table, taken back: rows that it made are deleted, rows that
-- it changed get their values back, rows that it deleted come again; as long as each is in all
-- logged columns as the run left it.
create function private.undo_table(p_of uuid, p_chunk bigint, p_relation text)
returns setof private.undo_outcome
language plpgsql volatile set search_path = '' as $$
declare
  relation constant regclass := format('public.%I', p_relation)::regclass;
  -- The columns that were logged then. One that is gone by now makes every row a changed one.
  logged constant text[] := array(
    select jsonb_object_keys(coalesce(c.after, c.before))
    from (
      select x.before, x.after from public.job_changes as x
      where x.run_id = p_of and x.chunk = p_chunk and x.relation = p_relation
      limit 1
    ) as c
  );
  restorable text;
  unlogged text[];
  -- Columns that came after the run, and that nobody has filled in.
  nothing bigint;
  statement text;
begin
  select
    string_agg(format('%I', a.attname), ', ' order by a.attnum)
      filter (where a.attname = any (logged) and a.attname <> 'id'),
    coalesce(array_agg(a.attname::text) filter (where a.attname <> all (logged)), '{}')
  into restorable, unlogged
  from pg_catalog.pg_attribute as a
  where a.attrelid = relation and a.attnum > 0 and not a.attisdropped;
  select private.hash_of_rest(coalesce(jsonb_object_agg(c.name, null), '{}'), '{}') into nothing
  from unnest(unlogged) as c (name)
  where c.name <> 'updated_at';
  statement := $sql$
    with net as materialized (
      select distinct on (c.row_id)
        c.row_id, first_value(c.action) over w as action, first_value(c.before) over w as before,
        c.after, first_value(c.rest) over w as rest
      from public.job_changes as c
      where c.run_id = $1 and c.chunk = $2 and c.relation = $3
      window w as (partition by c.row_id order by c.id)
      order by c.row_id, c.id desc
    ),
    seen as materialized (
      select n.*, t.id is not null as present,
        coalesce(to_jsonb(t) - $4 = n.after, false) as untouched,
        case when n.before is null then %3$s end as referring
      from net as n
      left join %1$s as t on t.id = n.row_id
    ),
    deleted as (
      delete from %1$s as t using seen as s
      where t.id = s.row_id and s.before is null and s.referring is null
        and to_jsonb(t) - $4 = s.after
        and coalesce(s.rest, $6) = private.hash_of_rest(to_jsonb(t), $5)
      returning t.id
    ),
    restored as (
      update %1$s as t set (%2$s) = (
        select %2$s from jsonb_populate_record(null::%1$s, s.before)
      )
      from seen as s
      where t.id = s.row_id and s.before is not null and to_jsonb(t) - $4 = s.after
      returning t.id
    ),
    brought_back as (
      insert into %1$s (id, %2$s)
      select r.id, %4$s
      from seen as s
      cross join lateral jsonb_populate_record(null::%1$s, s.before) as r
      where s.before is not null and s.after is null and not s.present
      on conflict do nothing
      returning id
    )
    select s.row_id, $3, s.action,
      case when done.so then 'undone' else 'kept' end,
      case
        when done.so then null
        when not s.present and s.after is null then 'another row has taken its place'
        when not s.present then 'the row is gone'
        when s.untouched and s.referring is not null then s.referring || ' refers to it'
        else 'changed since'
      end
    from seen as s
    -- Hashed, however few rows were expected.
    cross join lateral (
      select (s.before is null and s.after is null)
        or s.row_id in (select d.id from deleted as d)
        or s.row_id in (select r.id from restored as r)
        or s.row_id in (select b.id from brought_back as b) as so
    ) as done
    order by s.row_id
  $sql$;
  return query execute format(
    statement, relation, restorable, private.referring_expression(relation),
    'r.' || replace(restorable, ', ', ', r.')
  ) using p_of, p_chunk, p_relation, unlogged, logged, nothing;
end
$$;
comment on function private.undo_table(uuid, bigint, text) is
  'Takes back what one chunk of a run did to one table: what became of each row.';

-- Nearly everything refers to people: they go last, and where rows come back, first.
create function private.undo_chunk(p_of uuid, p_chunk bigint)
returns setof private.undo_outcome
language plpgsql volatile set search_path = '' as $$
declare
  changed text;
begin
  for changed in
    select c.relation
    from (
      select x.relation, bool_or(x.action = 'delete') over () as brings_back
      from public.job_changes as x
      where x.run_id = p_of and x.chunk = p_chunk
    ) as c
    group by c.relation, c.brings_back
    order by (c.relation = 'users') <> c.brings_back, c.relation
  loop
    return query select u.* from private.undo_table(p_of, p_chunk, changed) as u;
  end loop;
end
$$;
comment on function private.undo_chunk(uuid, bigint) is 'Takes back one chunk of a run.';

create function private.require_undoable(p_of uuid) returns void
language plpgsql stable set search_path = '' as $$
declare
  run public.job_runs;
begin
  select r.* into run from public.job_runs as r where r.id = p_of;
  if not found then
    raise exception 'There is no run %.', p_of
      using errcode = 'MS011', hint = 'See: mentor-sync run list';
  end if;
  if run.status in ('queued', 'running') then
    raise exception 'Run % is %.', p_of, run.status
      using errcode = 'MS004', hint = 'First: mentor-sync run cancel ' || p_of;
  end if;
  if run.finished_at < now() - private.change_log_kept()
    and not exists (select from public.job_changes as c where c.run_id = p_of)
  then
    raise exception 'What run % changed is not known any more.', p_of
      using errcode = 'MS004', hint = 'change_log_days in program_settings says for how long it is.';
  end if;
end
$$;
comment on function private.require_undoable(uuid) is
  'An error where a run never was, has not ended, or its change log is gone.';

-- Definer: only the log's own verbs write the tables of others on behalf of a run. p_before is
-- the cursor: the latest chunk comes first, so that each finds the rows as it left them.
create function private.undo_changes(
  p_run_id uuid, p_fence bigint, p_of uuid, p_before bigint, p_limit integer, p_dry_run boolean
) returns jsonb
language plpgsql volatile security definer set search_path = '' as $$
declare
  run constant public.job_runs := private.assert_run(p_run_id, p_fence);
  began constant timestamptz := clock_timestamp();
  latest_chunk bigint;
  cursor_chunk bigint := p_before;
  outcomes private.undo_outcome[] := '{}';
  answer jsonb;
begin
  if run.progress ? 'answer' and run.progress ->> 'before' is not distinct from p_before::text then
    return run.progress -> 'answer';
  end if;
  perform private.require_undoable(p_of);
  begin
    -- Several chunks, while that takes no time: a dry run that sees them together counts exactly.
    loop
      select c.chunk into latest_chunk from public.job_changes as c
      where c.run_id = p_of and (cursor_chunk is null or c.chunk < cursor_chunk)
      order by c.chunk desc limit 1;
      exit when not found;
      outcomes := outcomes || array(select u from private.undo_chunk(p_of, latest_chunk) as u);
      cursor_chunk := latest_chunk;
      exit when cardinality(outcomes) >= p_limit
        or clock_timestamp() > began + interval '1 second';
    end loop;
    if p_dry_run then
      raise exception using errcode = 'MS000', message = 'dry run';
    end if;
  exception
    when sqlstate 'MS000' then null;
  end;
  answer := jsonb_build_object(
    'cursor', cursor_chunk,
    'done', latest_chunk is null,
    'counts', (
      select coalesce(jsonb_object_agg(n.outcome, n.n), '{}')
      from (select o.outcome, count(*) as n from unnest(outcomes) as o group by 1) as n
    ),
    'kept', (
      select coalesce(jsonb_agg(to_jsonb(k)), '[]')
      from (
        select o.relation, o.row_id, o.action, o.reason
        from unnest(outcomes) as o where o.outcome = 'kept' limit 1000
      ) as k
    )
  );
  update public.job_runs as r
  set progress = jsonb_build_object(
    'before', p_before, 'cursor', answer -> 'cursor', 'done', answer -> 'done',
    'counts', private.add_counts(coalesce(run.progress -> 'counts', '{}'), answer -> 'counts'),
    'answer', answer
  )
  where r.id = p_run_id;
  return answer;
end
$$;
comment on function private.undo_changes(uuid, bigint, uuid, bigint, integer, boolean) is
  'One call of the job undo_run.';

create function public.undo_changes(
  p_run_id uuid, p_fence bigint, p_of uuid, p_before bigint default null,
  p_limit integer default 20000, p_dry_run boolean default false
) returns jsonb
language sql volatile set search_path = '' as $$
  select private.undo_changes(p_run_id, p_fence, p_of, p_before, p_limit, p_dry_run)
$$;
comment on function public.undo_changes(uuid, bigint, uuid, bigint, integer, boolean) is
  'Takes back chunks of a run, the latest before p_before first, until that is p_limit rows:'
  ' counts, the rows that were kept, the cursor.';

-- Forgetting --------------------------------------------------------------------------------

create function private.change_log_kept() returns interval
language sql stable set search_path = '' as $$
  select make_interval(days => coalesce((
    select (s.value #>> '{}')::integer from public.program_settings as s
    where s.key = 'change_log_days'
  ), 30))
$$;
comment on function private.change_log_kept() is 'How long a run can be undone.';

create function public.prune_runs(p_limit integer default 20000) returns jsonb
language plpgsql volatile set search_path = '' as $$
declare
  changes integer;
  runs integer;
begin
  -- Run by run: of half a log nothing could be undone rightly.
  delete from public.job_changes as c
  where c.run_id in (
    select r.id from public.job_runs as r
    where r.finished_at < now() - private.change_log_kept()
      and exists (select from public.job_changes as x where x.run_id = r.id)
    order by r.finished_at
    limit 5
  );
  get diagnostics changes = row_count;
  delete from public.job_runs as r
  where r.id in (
    select x.id
    from public.job_runs as x
    inner join public.job_schedules as s on s.job = x.job
    where x.finished_at < now() - make_interval(days => s.keep_days)
      and not exists (select from public.job_changes as c where c.run_id = x.id)
    order by x.finished_at limit least(p_limit, 5000)
    for update of x skip locked
  );
  get diagnostics runs = row_count;
  delete from public.job_alerts as a
  where a.run_id is null and a.created_at < now() - interval '90 days';
  return jsonb_build_object('changes', changes, 'runs', runs);
end
$$;
comment on function public.prune_runs(integer) is
  'Deletes change logs and ended runs that are past their time: how many. Again until none.';

revoke all on function
  private.hash_of_rest(jsonb, text[]),
  private.log_changes(),
  private.forget_changes(),
  private.referring_expression(regclass),
  private.undo_table(uuid, bigint, text),
  private.undo_chunk(uuid, bigint),
  private.require_undoable(uuid),
  private.change_log_kept(),
  private.undo_changes(uuid, bigint, uuid, bigint, integer, boolean),
  public.changes_of_run(uuid, bigint, bigint, integer),
  public.undo_changes(uuid, bigint, uuid, bigint, integer, boolean),
  public.prune_runs(integer)
from public, anon, authenticated, service_role;
grant execute on function
  private.change_log_kept(),
  private.undo_changes(uuid, bigint, uuid, bigint, integer, boolean),
  public.changes_of_run(uuid, bigint, bigint, integer),
  public.undo_changes(uuid, bigint, uuid, bigint, integer, boolean),
  public.prune_runs(integer)
to service_role;
