-- What sql/migrations make of an empty project. Made by: python -m tests.schema.dump

CREATE SCHEMA private;

COMMENT ON SCHEMA private IS 'mentor_sync: helpers that the API never exposes. Execute is granted function by function.';

CREATE TYPE private.sync_outcome AS (
	member_id uuid,
	email text,
	name text,
	outcome text,
	reason text,
	code text,
	mentor_id uuid
);

COMMENT ON TYPE private.sync_outcome IS 'What became of one member: created, updated, exists, no_user, ambiguous, inactive, deactivated or rejected; why; for a rejected one the code of the error.';

CREATE TYPE private.undo_outcome AS (
	row_id uuid,
	relation text,
	action text,
	outcome text,
	reason text
);

COMMENT ON TYPE private.undo_outcome IS 'What became of one row of a run that is undone.';

CREATE TYPE public.mentor_listing AS (
	id uuid,
	user_id bigint,
	slug text,
	bio text,
	expertise jsonb,
	rating numeric,
	rating_count integer,
	total_sessions integer,
	is_approved boolean,
	is_active boolean,
	domain text,
	experience_years numeric,
	teaching_style text,
	timezone text,
	created_at timestamp with time zone,
	"user" jsonb,
	member jsonb
);

COMMENT ON TYPE public.mentor_listing IS 'A mentor as the directory shows it: own columns, the account, the member''s registration.';

CREATE FUNCTION private.accounts_changed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    SET lock_timeout TO '2s'
    AS $$
declare
  deadline constant timestamptz := private.trigger_deadline();
  addresses text[];
  place integer := 0;
begin
  if private.too_late_to_begin(deadline) then
    raise warning 'mentor_sync: up to % accounts wait for the next sync.',
      (select count(*) from new_rows);
    return null;
  end if;
  if tg_op = 'INSERT' then
    addresses := array(select distinct private.normalise_email(n.email) from new_rows as n);
  else
    addresses := array(
      select distinct private.normalise_email(n.email)
      from new_rows as n
      left join old_rows as o on o.id = n.id
      where n.email is distinct from o.email
    );
  end if;
  while place < cardinality(addresses) and clock_timestamp() < deadline loop
    perform private.sync_quietly(
      private.mentor_members_with(addresses[place + 1 : place + 5000])
    );
    place := place + 5000;
  end loop;
  if place < cardinality(addresses) then
    raise warning 'mentor_sync: up to % accounts wait for the next sync.',
      cardinality(addresses) - place;
  end if;
  return null;
exception
  when assert_failure or query_canceled or others then
    if private.was_cancelled(sqlstate) then
      raise;
    end if;
    raise warning 'mentor_sync: a change of users_user waits for the next sync: %', sqlerrm;
    return null;
end
$$;

COMMENT ON FUNCTION private.accounts_changed() IS 'Trigger: syncs the members whose account a statement inserted or readdressed.';

CREATE FUNCTION private.add_counts(p_left jsonb, p_right jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    AS $$
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

COMMENT ON FUNCTION private.add_counts(p_left jsonb, p_right jsonb) IS 'The sum of two sets of counts.';

CREATE FUNCTION private.answer_message(p_token text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
  part constant text[] := string_to_array(private.unsigned('answer', p_token), '.');
  asked record;
begin
  select m.recipient, m.kind, q.asked, q.asked -> 'answers' ->> part[3]::integer as answer
  into asked
  from public.message_outbox as m
  cross join lateral (select m.data -> 'ask' -> part[2]::integer) as q (asked)
  where m.id = part[1]::uuid;
  if asked.answer is null or asked.asked ->> 'about' is null then
    return 'unknown';
  end if;
  if to_timestamp(part[4]::bigint) < now() then
    return 'expired';
  end if;
  insert into public.message_answers (message_id, question, user_id, kind, about, answer)
  values (
    part[1]::uuid, part[2]::integer, asked.recipient, asked.kind, asked.asked ->> 'about',
    asked.answer
  )
  on conflict do nothing;
  return case when found then 'recorded' else 'answered' end;
end
$$;

COMMENT ON FUNCTION private.answer_message(p_token text) IS 'Records the answer that a token stands for.';

CREATE FUNCTION private.answer_tokens(p_message_id uuid, p_data jsonb, p_created_at timestamp with time zone, p_expires_at timestamp with time zone) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select coalesce(jsonb_agg(asked.tokens order by asked.question), '[]')
  from (
    select q.place - 1 as question, jsonb_agg(
      private.signed(
        'answer', concat_ws(
          '.', p_message_id, q.place - 1, a.place - 1,
          extract(epoch from coalesce(
            p_expires_at,
            p_created_at + make_interval(days => private.number_setting('answer_days', 30))
          ))::bigint
        )
      ) order by a.place
    ) as tokens
    from jsonb_array_elements(
      case when jsonb_typeof(p_data -> 'ask') = 'array' then p_data -> 'ask' end
    ) with ordinality as q (asked, place)
    cross join lateral jsonb_array_elements(
      case when jsonb_typeof(q.asked -> 'answers') = 'array' then q.asked -> 'answers' end
    ) with ordinality as a (answer, place)
    group by q.place
  ) as asked
$$;

COMMENT ON FUNCTION private.answer_tokens(p_message_id uuid, p_data jsonb, p_created_at timestamp with time zone, p_expires_at timestamp with time zone) IS 'A token for each answer to each question of a message: signed, good until it expires.';

CREATE FUNCTION private.apply_members(p_ids uuid[], p_auto_approve boolean) RETURNS SETOF private.sync_outcome
    LANGUAGE sql
    SET search_path TO ''
    SET enable_seqscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET enable_memoize TO 'off'
    SET jit TO 'off'
    SET work_mem TO '32MB'
    AS $$
  with planned as materialized (
    select
      s.*,
      kind.is_mentor,
      kind.address,
      account.id as account_id,
      p.id as person_id,
      p.email as person_email,
      p.full_name as person_name,
      p.country as person_country,
      p.city as person_city,
      p.legacy_user_id as person_account_id,
      p.member_id is distinct from s.id or p.legacy_user_id is distinct from account.id
        as person_unlinked,
      t.id as mentor_id,
      t.person_id is null or t.user_id is distinct from account.id as mentor_unlinked,
      t.is_approved and t.is_active as mentor_is_listed,
      t.bio as mentor_bio,
      t.expertise as mentor_expertise,
      t.is_active as mentor_is_active,
      t.synced,
      case
        when twin.n > 1 then 'another member has the same e-mail address'
        when account.n > 1 then 'more than one account has this e-mail address'
        when account.n = 0 then null
        when other.n > 1 or (by_member.id is not null and other.n > 0)
          then 'more than one person has this account or e-mail address'
        -- A link to what is gone is free. Offset 0 keeps these from being read whole and hashed.
        when p.member_id <> s.id
          and exists (select from public.members as x where x.id = p.member_id offset 0)
          then 'the person with this account belongs to another member'
        when p.legacy_user_id <> account.id
          and exists (select from public.users_user as x where x.id = p.legacy_user_id offset 0)
          then 'the person belongs to another account'
        when t.person_id is not null and t.person_id is distinct from p.id
          then 'the mentor with this account belongs to another person'
        when t.user_id <> account.id
          and exists (select from public.users_user as x where x.id = t.user_id offset 0)
          then 'the mentor of this person has another account'
      end as problem
    from unnest(p_ids) as wanted (id)
    cross join lateral (
      select x.* from private.source_members as x where x.id = wanted.id limit 1
    ) as s
    left join lateral (
      select u.* from public.users as u where u.member_id = s.id limit 1
    ) as by_member on true
    cross join lateral (
      select
        k.is_mentor,
        case
          when s.is_active and k.is_mentor then coalesce(private.normalise_email(s.email), '')
        end as address
      from (select private.is_mentor_type(s.membershiptype) as is_mentor offset 0) as k
      offset 0
    ) as kind
    left join lateral (
      select count(*) as n
      from (
        select from public.members as x
        where private.normalise_email(x.email) = kind.address
        limit 2
      ) as x
    ) as twin on true
    left join lateral (
      select count(*) as n, min(x.id) as id
      from (
        select u.id from public.users_user as u
        where private.normalise_email(u.email) = kind.address
        limit 2
      ) as x
    ) as account on true
    -- People who have the account or the address, beside the one who has the member.
    left join lateral (
      select count(distinct x.id) as n, (array_agg(x.id))[1] as id
      from (
        select u.id from public.users as u where u.legacy_user_id = account.id
        -- Not union, which an empty, analysed table makes a walk through the primary key.
        union all
        select u.id from public.users as u
        where private.normalise_email(u.email) = kind.address and by_member.id is null
      ) as x
      where kind.address <> '' and by_member.legacy_user_id is distinct from account.id
    ) as other on true
    left join lateral (
      select by_member.* where by_member.id is not null
      union all
      select u.* from public.users as u where u.id = other.id and by_member.id is null
      limit 1
    ) as p on true
    left join lateral (
      select x.* from public.mentors as x where x.person_id = p.id
      union all
      select x.* from public.mentors as x
      where x.user_id = account.id and (p.id is null or x.person_id is distinct from p.id)
      limit 1
    ) as t on true
    where kind.is_mentor or by_member.id is not null
  ),
  judged as (
    select
      p.*,
      case
        when p.address is null and p.mentor_is_active and p.synced -> 'is_active' = 'true'
          then 'deactivated'
        when p.address is null and p.is_mentor then 'inactive'
        when p.address is null then null
        when p.address = '' then 'rejected'
        when p.problem is not null then 'ambiguous'
        when p.account_id is null then 'no_user'
        when p.mentor_id is null then 'created'
        else 'exists'
      end as outcome
    from planned as p
  ),
  -- What the member asks for, unless all that reaches the mentor is as it was last time.
  wanted as (
    select
      j.*,
      v.*,
      case when v.hash is not null then jsonb_build_object(
        'bio', v.bio, 'expertise', v.expertise, 'is_active', true, 'email', v.email_shown,
        'full_name', v.full_name, 'country', v.country_shown, 'city', v.city_shown
      ) end as wishes
    from judged as j
    left join lateral (
      select
        h.hash,
        private.trim_space(j.email) as email_shown,
        nullif(private.trim_space(j.name), '') as full_name,
        private.mentor_bio(j.experience, j.occupation, j.jobtitle) as bio,
        private.mentor_expertise(j.area_of_expertise, j.industry, j.skills) as expertise,
        nullif(private.trim_space(j.country), '') as country_shown,
        nullif(private.trim_space(j.city), '') as city_shown
      from (
        select hashtextextended(
          concat(
            j.email, chr(31), j.name, chr(31), j.area_of_expertise, chr(31), j.industry,
            chr(31), j.skills, chr(31), j.experience, chr(31), j.occupation, chr(31),
            j.jobtitle, chr(31), j.country, chr(31), j.city
          ), 0
        ) as hash
        where j.outcome in ('created', 'exists')
        offset 0
      ) as h
      where j.outcome = 'created'
        or j.person_id is null
        or not j.mentor_is_active
        or (j.synced ->> 'source')::bigint is distinct from h.hash
      offset 0
    ) as v on true
  ),
  -- A value is written only while it still is what the sync wrote last.
  changed as materialized (
    select
      w.*,
      case
        when w.outcome in ('created', 'exists') and w.person_id is null then gen_random_uuid()
      end as new_person_id,
      case when w.outcome = 'created' then gen_random_uuid() end as new_mentor_id,
      coalesce(
        case when w.hash is not null and w.outcome = 'exists' then (
          select jsonb_object_agg(wish.key, wish.value)
          from jsonb_each(w.wishes) as wish
          cross join lateral (
            select jsonb_build_object(
              'bio', w.mentor_bio, 'expertise', w.mentor_expertise,
              'is_active', w.mentor_is_active, 'email', w.person_email,
              'full_name', w.person_name, 'country', w.person_country, 'city', w.person_city
            ) -> wish.key as value
          ) as present
          where wish.value <> present.value and w.synced -> wish.key = present.value
        ) end,
        '{}'
      ) as changes
    from wanted as w
    where w.outcome is not null
  ),
  made_people as (
    insert into public.users (
      id, email, full_name, role, legacy_user_id, member_id, country, city
    )
    select
      c.new_person_id, c.email_shown, c.full_name, 'mentor', c.account_id, c.id,
      c.country_shown, c.city_shown
    from changed as c
    where c.outcome in ('created', 'exists') and c.person_id is null
    on conflict do nothing
    returning id
  ),
  changed_people as (
    update public.users as u
    set
      member_id = c.id,
      legacy_user_id = c.account_id,
      email = case when c.changes ? 'email' then c.email_shown else u.email end,
      full_name = case when c.changes ? 'full_name' then c.full_name else u.full_name end,
      country = case when c.changes ? 'country' then c.country_shown else u.country end,
      city = case when c.changes ? 'city' then c.city_shown else u.city end
    from changed as c
    where u.id = c.person_id
      and c.outcome in ('created', 'exists')
      and (c.person_unlinked or c.changes ?| array['email', 'full_name', 'country', 'city'])
  ),
  made_mentors as (
    insert into public.mentors (
      id, user_id, person_id, slug, bio, expertise, is_approved, is_active, rating,
      total_sessions, version, synced
    )
    select
      c.new_mentor_id, c.account_id, coalesce(c.person_id, c.new_person_id),
      private.slug(coalesce(c.full_name, 'mentor'), c.new_mentor_id), c.bio, c.expertise, p_auto_approve, true, 0.00,
      0, 1, c.wishes || jsonb_build_object('source', c.hash)
    from changed as c
    where c.outcome = 'created'
      and (c.person_id is not null or c.new_person_id in (select p.id from made_people as p))
    on conflict do nothing
    returning id
  ),
  -- From the first link on, the sync answers for whether the mentor is active.
  changed_mentors as (
    update public.mentors as t
    set
      person_id = coalesce(
        t.person_id,
        c.person_id,
        case when c.new_person_id in (select p.id from made_people as p) then c.new_person_id end
      ),
      user_id = c.account_id,
      bio = case when c.changes ? 'bio' then c.bio else t.bio end,
      expertise = case when c.changes ? 'expertise' then c.expertise else t.expertise end,
      is_active = t.is_active or c.changes ? 'is_active',
      version = t.version + (c.changes <> '{}')::integer,
      synced = case
        when t.synced = '{}' and t.is_active then '{"is_active": true}'::jsonb
        else t.synced
      end || c.changes || jsonb_build_object('source', c.hash)
    from changed as c
    where t.id = c.mentor_id
      and c.outcome = 'exists'
      and (c.mentor_unlinked or c.changes <> '{}')
  ),
  stopped_mentors as (
    update public.mentors as t
    set
      is_active = false,
      version = t.version + 1,
      synced = t.synced || '{"is_active": false}'
    from changed as c
    where c.outcome = 'deactivated' and t.id = c.mentor_id
  )
  select
    c.id,
    c.email,
    c.name,
    case
      when c.outcome = 'created' and c.new_mentor_id not in (select m.id from made_mentors as m)
        then 'lost'
      when c.outcome = 'exists' and c.changes <> '{}' then 'updated'
      else c.outcome
    end,
    case
      when c.outcome = 'rejected' then 'the member has no e-mail address'
      when c.outcome = 'ambiguous' then c.problem
      when c.outcome = 'no_user' and c.mentor_is_listed then
        case
          when exists (
            select from public.users_user as x where x.id = c.person_account_id offset 0
          ) then 'the account has another e-mail address; the mentor stays listed'
          else 'the account is gone; the mentor stays listed'
        end
      when c.outcome = 'no_user' then 'no account has this e-mail address'
      when c.outcome = 'deactivated' and not c.is_mentor
        then 'the membershiptype is no longer mentor'
      when c.outcome in ('deactivated', 'inactive') then 'the member is not active'
      when c.changes <> '{}' then (
        select string_agg(k.key, ', ' order by k.key) from jsonb_object_keys(c.changes) as k (key)
      )
    end,
    case when c.outcome = 'rejected' then 'MS010' end,
    case when c.outcome = 'created' then c.new_mentor_id else c.mentor_id end
  from changed as c
$$;

COMMENT ON FUNCTION private.apply_members(p_ids uuid[], p_auto_approve boolean) IS 'Makes what these members are true in users and mentors, in one statement.';


SET default_tablespace = '';

SET default_table_access_method = heap;

CREATE TABLE public.job_runs (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    job text NOT NULL,
    slot timestamp with time zone,
    status text DEFAULT 'queued'::text NOT NULL,
    params jsonb DEFAULT '{}'::jsonb NOT NULL,
    approved boolean DEFAULT false NOT NULL,
    attempt integer DEFAULT 0 NOT NULL,
    max_attempts integer NOT NULL,
    fence bigint DEFAULT 0 NOT NULL,
    worker text,
    lease_seconds integer NOT NULL,
    lease_expires_at timestamp with time zone,
    timeout_seconds integer NOT NULL,
    run_at timestamp with time zone DEFAULT now() NOT NULL,
    progress jsonb DEFAULT '{}'::jsonb NOT NULL,
    counts jsonb,
    error jsonb,
    requested_by text DEFAULT CURRENT_USER NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    started_at timestamp with time zone,
    claimed_at timestamp with time zone,
    finished_at timestamp with time zone,
    CONSTRAINT job_runs_attempt_range CHECK (((attempt >= 0) AND (attempt <= 1000000))),
    CONSTRAINT job_runs_attempts_range CHECK (((max_attempts >= 1) AND (max_attempts <= 100))),
    CONSTRAINT job_runs_fence_range CHECK (((fence >= 0) AND (fence <= '9007199254740992'::bigint))),
    CONSTRAINT job_runs_lease_range CHECK (((lease_seconds >= 5) AND (lease_seconds <= 86400))),
    CONSTRAINT job_runs_params_is_object CHECK ((jsonb_typeof(params) = 'object'::text)),
    CONSTRAINT job_runs_progress_is_object CHECK ((jsonb_typeof(progress) = 'object'::text)),
    CONSTRAINT job_runs_running_is_leased CHECK (((status <> 'running'::text) OR (lease_expires_at IS NOT NULL))),
    CONSTRAINT job_runs_status_known CHECK ((status = ANY (ARRAY['queued'::text, 'running'::text, 'awaiting_approval'::text, 'succeeded'::text, 'partial'::text, 'failed'::text, 'dead'::text, 'cancelled'::text]))),
    CONSTRAINT job_runs_timeout_range CHECK (((timeout_seconds >= 1) AND (timeout_seconds <= 604800))),
    CONSTRAINT job_runs_times_are_finite CHECK ((isfinite(slot) AND isfinite(run_at)))
);

COMMENT ON TABLE public.job_runs IS 'Runs of jobs, waiting, under way and past. Insert a row with `job` to run it.';

COMMENT ON COLUMN public.job_runs.id IS 'The run.';

COMMENT ON COLUMN public.job_runs.job IS 'Which job.';

COMMENT ON COLUMN public.job_runs.slot IS 'The scheduled time that this run stands for (UTC); empty for runs asked for by hand.';

COMMENT ON COLUMN public.job_runs.status IS 'queued, running, awaiting_approval, succeeded, partial, failed, dead or cancelled. Set it to cancelled to stop a run.';

COMMENT ON COLUMN public.job_runs.params IS 'Parameters, validated by the worker.';

COMMENT ON COLUMN public.job_runs.approved IS 'Set it to let a run that awaits approval do what it asked for.';

COMMENT ON COLUMN public.job_runs.attempt IS 'How often it was claimed.';

COMMENT ON COLUMN public.job_runs.max_attempts IS 'After so many claims it is dead; by default as job_schedules says.';

COMMENT ON COLUMN public.job_runs.fence IS 'Grows with every claim; a write must name the current one, so a stale worker writes nothing.';

COMMENT ON COLUMN public.job_runs.worker IS 'Who claimed it last: host, process, start.';

COMMENT ON COLUMN public.job_runs.lease_seconds IS 'How long a silent worker keeps it; by default as job_schedules says.';

COMMENT ON COLUMN public.job_runs.lease_expires_at IS 'When a silent worker loses it, by the clock of the database.';

COMMENT ON COLUMN public.job_runs.timeout_seconds IS 'How long one attempt may take; by default as job_schedules says.';

COMMENT ON COLUMN public.job_runs.run_at IS 'Not before this time.';

COMMENT ON COLUMN public.job_runs.progress IS 'How far it has come; a further attempt goes on here.';

COMMENT ON COLUMN public.job_runs.counts IS 'What came out, by kind.';

COMMENT ON COLUMN public.job_runs.error IS 'Why it failed, or waits: code, message, hint.';

COMMENT ON COLUMN public.job_runs.requested_by IS 'Who asked for it.';

COMMENT ON COLUMN public.job_runs.created_at IS 'When it was asked for.';

COMMENT ON COLUMN public.job_runs.started_at IS 'When it was first claimed.';

COMMENT ON COLUMN public.job_runs.claimed_at IS 'When it was last claimed.';

COMMENT ON COLUMN public.job_runs.finished_at IS 'When it ended, in whatever way.';

CREATE FUNCTION private.assert_run(p_run_id uuid, p_fence bigint) RETURNS public.job_runs
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
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

COMMENT ON FUNCTION private.assert_run(p_run_id uuid, p_fence bigint) IS 'Fence, heartbeat and lock in one: MS001 unless the caller still owns the run.';

CREATE FUNCTION private.auth_user_changed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    SET lock_timeout TO '2s'
    AS $$
begin
  if new.email_confirmed_at is not null and new.email is not null then
    perform private.link_auth_users(array[private.normalise_email(new.email)]);
  end if;
  return null;
exception
  when others then
    raise warning 'mentor_sync could not link an auth user: %', sqlerrm;
    return null;
end
$$;

COMMENT ON FUNCTION private.auth_user_changed() IS 'Trigger: a confirmed address links the Supabase Auth user to the person.';

CREATE FUNCTION private.auto_approve() RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
  select coalesce(
    (select s.value = 'true'::jsonb from public.program_settings as s where s.key = 'auto_approve'),
    true
  )
$$;

COMMENT ON FUNCTION private.auto_approve() IS 'The switch auto_approve; on where the row is missing.';

CREATE FUNCTION private.calendar_feed(p_token uuid) RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
  select coalesce(
    (
      select jsonb_build_object(
        'name', coalesce(u.full_name, ''),
        'timezone', private.known_zone(u.timezone),
        'meetings', coalesce(
          (
            select jsonb_agg(
              private.session_event(s) - 'attendees' || jsonb_build_object(
                'description', 'With ' || coalesce((
                  select o.full_name from public.users as o
                  where o.id = case s.mentor_id when u.id then s.user_id else s.mentor_id end
                ), '')
              ) order by s.scheduled_at, s.session_id
            )
            from public.mentorship_sessions as s
            where (s.mentor_id = u.id or s.user_id = u.id) and s.status <> 'PENDING'
              and s.scheduled_at between now() - interval '90 days' and now() + interval '2 years'
          ),
          '[]'
        )
      )
      from public.calendar_feeds as f
      inner join public.users as u on u.id = f.user_id
      where f.token = p_token
    ),
    '{}'
  )
$$;

COMMENT ON FUNCTION private.calendar_feed(p_token uuid) IS 'The calendar that a secret is of; else {}.';

CREATE FUNCTION private.change_log_kept() RETURNS interval
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select make_interval(days => coalesce((
    select (s.value #>> '{}')::integer from public.program_settings as s
    where s.key = 'change_log_days'
  ), 30))
$$;

COMMENT ON FUNCTION private.change_log_kept() IS 'How long a run can be undone.';

CREATE FUNCTION private.change_run(p_run_id uuid, p_to text, p_from text[]) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
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

COMMENT ON FUNCTION private.change_run(p_run_id uuid, p_to text, p_from text[]) IS 'Changes the state of a run, if it is in one of these states; MS004 otherwise.';

CREATE FUNCTION private.channel_for(p_user_id uuid, p_kind text) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select coalesce(
    (
      select p.channel from public.contact_preferences as p
      where p.user_id = p_user_id and p.kind in (p_kind, 'all')
      order by p.kind = 'all'
      limit 1
    ),
    'email'
  )
$$;

COMMENT ON FUNCTION private.channel_for(p_user_id uuid, p_kind text) IS 'How a person wants to be told this kind: by their choice for it, for all, or by e-mail.';

CREATE FUNCTION private.check_deferred() RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  names constant text := (
    select string_agg(distinct format('%s.%I', c.connamespace::regnamespace, c.conname), ', ')
    from pg_catalog.pg_constraint as c
    where c.conrelid in ('public.mentors'::regclass, 'public.users'::regclass) and c.condeferred
  );
begin
  if names is not null then
    execute 'set constraints ' || names || ' immediate';
    execute 'set constraints ' || names || ' deferred';
  end if;
end
$$;

COMMENT ON FUNCTION private.check_deferred() IS 'Checks now what the tables mentors and users would check at the end of the transaction.';

CREATE FUNCTION private.complete_run() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
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

COMMENT ON FUNCTION private.complete_run() IS 'Trigger: what a new run leaves open is as job_schedules says.';

CREATE FUNCTION private.count_calendar_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  new.calendar_sequence := old.calendar_sequence + 1;
  new.calendar_changed_at := now();
  return new;
end
$$;

COMMENT ON FUNCTION private.count_calendar_change() IS 'Trigger: one more change that calendars must hear of.';

CREATE FUNCTION private.create_notification(p_user_id uuid, p_type text, p_title text, p_message text, p_metadata jsonb) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
  made uuid;
begin
  if not private.sees_everything() then
    raise exception 'Only admins may notify others.' using errcode = '42501';
  end if;
  insert into public.notifications (user_id, type, title, message, metadata)
  values (p_user_id, p_type, left(p_title, 300), coalesce(p_message, ''), coalesce(p_metadata, '{}'))
  returning id into made;
  return made;
end
$$;

COMMENT ON FUNCTION private.create_notification(p_user_id uuid, p_type text, p_title text, p_message text, p_metadata jsonb) IS 'Tells a person something, for those who may.';

CREATE FUNCTION private.current_user_id() RETURNS uuid
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
  select u.id from public.users as u where u.auth_user_id = (select auth.uid())
$$;

COMMENT ON FUNCTION private.current_user_id() IS 'The person who is signed in: users.id; null for anon and for people not linked yet.';

CREATE FUNCTION private.departures(OUT stopping bigint, OUT active bigint) RETURNS record
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select
    count(*) filter (where not exists (
      select from public.members as m
      where m.id = u.member_id and m.is_active and private.is_mentor_type(m.membershiptype)
    )),
    count(*)
  from public.mentors as t
  inner join public.users as u on u.id = t.person_id
  where t.is_active and t.synced -> 'is_active' = 'true' and u.member_id is not null
$$;

COMMENT ON FUNCTION private.departures(OUT stopping bigint, OUT active bigint) IS 'How many active mentors a full sync would stop, and how many there are that it answers for.';

CREATE FUNCTION private.departures_allowed(p_active bigint) RETURNS bigint
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select greatest(10, floor(p_active * coalesce(
    (
      select s.max_change_ratio from public.job_schedules as s
      where s.job = 'sync_mentor_profiles'
    ), 0.2
  )))::bigint
$$;

COMMENT ON FUNCTION private.departures_allowed(p_active bigint) IS 'How many of so many mentors may stop at once without somebody being asked.';

CREATE FUNCTION private.directory_page(p_expertise text, p_limit integer, p_offset bigint, OUT ids uuid[], OUT total bigint) RETURNS record
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
  with listed as materialized (
    select t.id, t.rating, t.created_at
    from public.mentors as t
    cross join (
      select
        (select private.sees_everything()) as everything,
        (select private.current_user_id()) as myself
    ) as caller
    where ((t.is_approved and t.is_active) or caller.everything or t.person_id = caller.myself)
      and (
        p_expertise = ''
        or exists (
          select
          from jsonb_array_elements_text(
            case jsonb_typeof(t.expertise) when 'array' then t.expertise else '[]' end
          ) as word
          where strpos(lower(word), p_expertise) > 0
        )
      )
  )
  select
    array(
      select l.id from listed as l
      order by l.rating desc nulls last, l.created_at, l.id
      limit p_limit offset p_offset
    ),
    (select count(*) from listed)
$$;

COMMENT ON FUNCTION private.directory_page(p_expertise text, p_limit integer, p_offset bigint, OUT ids uuid[], OUT total bigint) IS 'The ids of one page of the directory, in its order, and how many mentors there are in all.';

CREATE FUNCTION private.due_messages(p_limit integer) RETURNS TABLE(id uuid, verdict text, later timestamp with time zone)
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  with candidate as materialized (
    select m.* from public.message_outbox as m
    where m.status = 'queued' and m.not_before <= now()
    order by m.priority desc, m.created_at, m.id
    limit p_limit
    for update skip locked
  ),
  judged as materialized (
    select
      c.id, c.recipient, c.priority, c.created_at, quiet.until,
      c.priority >= 8 or c.kind = 'digest' or c.data ?| array['ask', 'event']
      or coalesce(c.expires_at < now() + interval '24 hours', false) as stands_alone,
      case
        when c.expires_at < now() then 'expired'
        when exists (
          select from public.undeliverable_addresses as a
          where a.address = private.normalise_email(u.email)
        ) then 'failed'
        when c.priority < 8 and quiet.until is not null then 'quiet'
        else replace(private.route(c.kind, c.recipient, c.data), 'queued', 'sending')
      end as verdict
    from candidate as c
    inner join public.users as u on u.id = c.recipient
    left join public.contact_hours as h on h.user_id = c.recipient
    cross join lateral (
      select private.quiet_until(now(), u.timezone, h.quiet_from, h.quiet_until)
    ) as quiet (until)
  ),
  counted as (
    select
      j.*,
      row_number() over (
        partition by j.recipient, j.verdict order by j.priority desc, j.created_at, j.id
      ) + sent.n as place
    from judged as j
    cross join lateral (
      select count(*) as n from public.message_outbox as s
      where s.recipient = j.recipient and (
        s.sent_at > now() - interval '24 hours' or s.status in ('sending', 'uncertain')
      )
    ) as sent
  )
  select
    c.id,
    case
      when c.verdict = 'sending' and not c.stands_alone
        and c.place > private.number_setting('mail_daily_cap', 5) then 'digest'
      else c.verdict
    end,
    c.until
  from counted as c
$$;

COMMENT ON FUNCTION private.due_messages(p_limit integer) IS 'The next messages and what is to become of each: sending, expired, failed, quiet, digest, in_app or off.';

CREATE FUNCTION private.forget_changes() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
  delete from public.job_changes as c
  where c.run_id in (select o.id from old_rows as o);
  return null;
end
$$;

COMMENT ON FUNCTION private.forget_changes() IS 'Trigger: what a run changed goes with the run.';

CREATE FUNCTION private.forget_departed(p_after uuid, p_until uuid, p_ids uuid[]) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  delete from public.sync_rejects as r
  where r.source = 'members'
    and r.source_id collate "C" > coalesce(p_after::text, '')
    and r.source_id collate "C" <= coalesce(p_until::text, 'g')
    and r.source_id not in (select present.id::text from unnest(p_ids) as present (id))
    and not exists (select from public.members as m where m.id = r.source_id::uuid offset 0)
$$;

COMMENT ON FUNCTION private.forget_departed(p_after uuid, p_until uuid, p_ids uuid[]) IS 'Forgets the rejects of members who were deleted, within a range of member ids.';

CREATE FUNCTION private.hash_of_rest(p_row jsonb, p_logged text[]) RETURNS bigint
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    AS $$
  select hashtextextended((p_row - p_logged - 'updated_at')::text, 0)
$$;

COMMENT ON FUNCTION private.hash_of_rest(p_row jsonb, p_logged text[]) IS 'Hash of the columns of a row that are not logged, but for when it was written.';

CREATE FUNCTION private.held_back(p_ids uuid[]) RETURNS uuid[]
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  if cardinality(p_ids) <= 10
    or cardinality(p_ids) <= private.departures_allowed((private.departures()).active)
  then
    return '{}';
  end if;
  raise warning 'mentor_sync: % mentors left at once; they stay listed until a sync is approved.',
    cardinality(p_ids);
  insert into public.job_alerts (kind, job, message, hint)
  values (
    'held_back', 'sync_mentor_profiles',
    format('One statement made %s members stop being mentors.', cardinality(p_ids)),
    'Nothing has changed for the mentors. If it is meant: mentor-sync sync, then run approve.'
  );
  return p_ids;
end
$$;

COMMENT ON FUNCTION private.held_back(p_ids uuid[]) IS 'Those of the members who left that a trigger leaves to the next run: none, or all.';

CREATE FUNCTION private.hmac_pad(p_key bytea, p_byte integer) RETURNS bytea
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO ''
    AS $$
declare
  pad bytea := case when length(p_key) > 64 then sha256(p_key) else p_key end;
begin
  pad := pad || decode(repeat('00', 64 - length(pad)), 'hex');
  for i in 0..63 loop
    pad := set_byte(pad, i, get_byte(pad, i) # p_byte);
  end loop;
  return pad;
end
$$;

COMMENT ON FUNCTION private.hmac_pad(p_key bytea, p_byte integer) IS 'A key as HMAC-SHA256 uses it: there is no pgcrypto on every server that this builds on.';

CREATE FUNCTION private.holders_of(p_session_id uuid) RETURNS SETOF uuid
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select last.recipient
  from (
    select distinct on (m.recipient) m.recipient, m.data
    from public.message_outbox as m
    where m.kind = 'session_invite'
      and m.status in ('sending', 'uncertain', 'sent', 'bounced', 'complained')
      and starts_with(m.about, 'session:' || p_session_id || ':invite:')
    order by m.recipient, (m.data #>> '{event,sequence}')::integer desc
  ) as last
  where not (last.data -> 'is_cancelled')::boolean
$$;

COMMENT ON FUNCTION private.holders_of(p_session_id uuid) IS 'Who was told of a session and not of its end.';

CREATE FUNCTION private.is_admin() RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
  select exists (
    select
    from public.users as u
    where u.auth_user_id = (select auth.uid()) and u.role = 'admin' and u.status = 'Active'
  )
$$;

COMMENT ON FUNCTION private.is_admin() IS 'Whether the person who is signed in is an active admin.';

CREATE FUNCTION private.is_mentor_type(p_membershiptype text) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path TO ''
    AS $$
begin
  return coalesce(lower(private.trim_space(p_membershiptype)) = 'mentor', false);
end
$$;

COMMENT ON FUNCTION private.is_mentor_type(p_membershiptype text) IS 'Whether a membershiptype says mentor: trimmed, in any case.';

CREATE FUNCTION private.is_rows_fault(p_code text, p_context text) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    AS $$
  select left(p_code, 2) not in ('40', '53', '55', '57', '58', 'XX')
    or split_part(p_context, chr(10), 1) ~ '^PL/pgSQL.*\mRAISE\M'
$$;

COMMENT ON FUNCTION private.is_rows_fault(p_code text, p_context text) IS 'Whether an error lies in the rows, so that the others can go on without the one at fault.';

CREATE FUNCTION private.is_signed_by(p_key text, p_headers jsonb, p_body text) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
  select coalesce(
    abs(extract(epoch from clock_timestamp()) - (p_headers ->> 'svix-timestamp')::bigint) < 300
    and exists (
      select from regexp_split_to_table(p_headers ->> 'svix-signature', '\s+') as given (signature)
      where sha256(convert_to(given.signature, 'UTF8')) = sha256(convert_to(
        'v1,' || encode(
          private.signature(
            p_key, convert_to(
              (p_headers ->> 'svix-id') || '.' || (p_headers ->> 'svix-timestamp') || '.' || p_body,
              'UTF8'
            )
          ), 'base64'
        ), 'UTF8'
      ))
    ),
    false
  )
$$;

COMMENT ON FUNCTION private.is_signed_by(p_key text, p_headers jsonb, p_body text) IS 'Whether one of the signatures in the headers is of this body, by this key, and not older than five minutes.';

CREATE FUNCTION private.keep_rejects(p_ids uuid[], p_outcomes private.sync_outcome[]) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    SET enable_nestloop TO 'off'
    AS $$
  delete from public.sync_rejects as r
  where r.source = 'members'
    and r.source_id in (select p.id::text from unnest(p_ids) as p (id))
    and r.source_id not in (
      select o.member_id::text from unnest(p_outcomes) as o where o.outcome = 'rejected'
    );
  insert into public.sync_rejects as r (source, source_id, reason, code)
  select 'members', o.member_id::text, o.reason, o.code
  from unnest(p_outcomes) as o
  where o.outcome = 'rejected'
  on conflict (source, source_id) do update
  set reason = excluded.reason, code = excluded.code, rejected_at = now()
  where (r.reason, r.code) is distinct from (excluded.reason, excluded.code);
$$;

COMMENT ON FUNCTION private.keep_rejects(p_ids uuid[], p_outcomes private.sync_outcome[]) IS 'Notes the members that were rejected now, and forgets those that no longer are.';

CREATE FUNCTION private.kind_enabled(p_kind text) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select coalesce(
    (
      select s.value <> 'false'::jsonb from public.program_settings as s
      where s.key = case p_kind
        when 'new_student' then 'NEW_STUDENT_ASSIGNMENT'
        when 'submission_received' then 'PENDING_SUBMISSION_REMINDER'
        when 'milestone' then 'STUDENT_MILESTONE_ACHIEVED'
        when 'session_reminder' then 'SESSION_REMINDERS'
        when 'overdue_feedback' then 'OVERDUE_FEEDBACK_ALERT'
      end
    ),
    true
  )
$$;

COMMENT ON FUNCTION private.kind_enabled(p_kind text) IS 'Whether the programme sends this kind at all: the switches in program_settings.';

CREATE FUNCTION private.known_zone(p_zone text) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
begin
  perform now() at time zone p_zone;
  return coalesce(p_zone, 'UTC');
exception
  when invalid_parameter_value then
    return 'UTC';
end
$$;

COMMENT ON FUNCTION private.known_zone(p_zone text) IS 'The time zone, or UTC where it is none.';

CREATE FUNCTION private.limit_waits(p_deadline timestamp with time zone) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select set_config(
    'lock_timeout',
    greatest(1, least(
      2000, floor(extract(epoch from p_deadline - clock_timestamp()) * 1000 / 2)
    ))::text,
    true
  )
$$;

COMMENT ON FUNCTION private.limit_waits(p_deadline timestamp with time zone) IS 'Sets how long this function and what it calls wait for a lock: 2 seconds at the most.';

CREATE FUNCTION private.link_auth_users(p_addresses text[]) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO ''
    AS $$
  with one_auth_user as (
    select wanted.address, (array_agg(a.id))[1] as auth_user_id
    from unnest(p_addresses) as wanted (address)
    cross join lateral (
      select u.id, u.email_confirmed_at, u.is_anonymous
      from auth.users as u
      -- The instance is a constant on Supabase; naming it lets the index serve.
      where u.instance_id = '00000000-0000-0000-0000-000000000000'
        and lower(u.email::text) = wanted.address
      limit 2
    ) as a
    where wanted.address <> ''
    group by wanted.address
    having count(*) = 1
      and bool_and(a.email_confirmed_at is not null and a.is_anonymous is not true)
  ),
  one_person as (
    select o.auth_user_id, (array_agg(p.id))[1] as id
    from one_auth_user as o
    cross join lateral (
      select u.id from public.users as u
      where private.normalise_email(u.email) = o.address
      limit 2
    ) as p
    group by o.auth_user_id
    having count(*) = 1
  )
  update public.users as u
  set auth_user_id = o.auth_user_id
  from one_person as o
  where u.id = o.id
    and u.auth_user_id is null
    and u.role in ('student', 'mentor')
    and not exists (select from public.users as t where t.auth_user_id = o.auth_user_id)
$$;

COMMENT ON FUNCTION private.link_auth_users(p_addresses text[]) IS 'Links the Supabase Auth users with these normalised addresses to people, where that is safe.';

CREATE FUNCTION private.log_changes() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
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

COMMENT ON FUNCTION private.log_changes() IS 'Trigger: notes what a run changes, in the columns that the trigger names.';

CREATE FUNCTION private.mail_alert() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
  perform public.queue_message(
    'operator_alert', u.id, 'alert:' || new.id,
    jsonb_build_object(
      'title', new.job || ': ' || replace(new.kind, '_', ' '), 'message', new.message,
      'hint', new.hint, 'occurred_at', new.created_at
    ),
    8
  )
  from public.users as u
  where u.role = 'admin' and u.status = 'Active';
  return null;
exception
  when others then
    raise warning 'mentor_sync could not queue the mail of an alert: %', sqlerrm;
    return null;
end
$$;

COMMENT ON FUNCTION private.mail_alert() IS 'Trigger: admins get an alert by mail.';

CREATE FUNCTION private.members_changed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    SET lock_timeout TO '2s'
    AS $$
declare
  deadline constant timestamptz := private.trigger_deadline();
  held uuid[];
begin
  if private.too_late_to_begin(deadline) then
    raise warning 'mentor_sync: up to % members wait for the next sync.',
      (select count(*) from new_rows);
    return null;
  end if;
  perform private.limit_waits(deadline);
  if tg_op = 'INSERT' then
    perform private.sync_quietly(array(
      select n.id from new_rows as n
      where n.is_active and private.is_mentor_type(n.membershiptype)
      order by n.id
    ));
    return null;
  end if;
  held := private.held_back(array(
    select n.id
    from new_rows as n
    inner join old_rows as o on o.id = n.id
    where (o.is_active, o.membershiptype) is distinct from (n.is_active, n.membershiptype)
      and o.is_active and private.is_mentor_type(o.membershiptype)
      and not (n.is_active and private.is_mentor_type(n.membershiptype))
  ));
  perform private.sync_quietly(array(
    select n.id
    from new_rows as n
    left join old_rows as o on o.id = n.id
    where o is distinct from n
      and n.id <> all (held)
      and (private.is_mentor_type(n.membershiptype) or private.is_mentor_type(o.membershiptype))
      and (
        (
          n.email, n.name, n.membershiptype, n.is_active, n.industry, n.skills, n.experience,
          n.occupation, n.jobtitle, n.country, n.city
        ) is distinct from (
          o.email, o.name, o.membershiptype, o.is_active, o.industry, o.skills, o.experience,
          o.occupation, o.jobtitle, o.country, o.city
        )
        -- The one column whose spelling we do not know.
        or to_jsonb(n) ->> 'areaOfExpertise' is distinct from to_jsonb(o) ->> 'areaOfExpertise'
        or to_jsonb(n) ->> 'areaofexpertise' is distinct from to_jsonb(o) ->> 'areaofexpertise'
      )
    order by n.id
  ));
  return null;
exception
  when assert_failure or query_canceled or others then
    if private.was_cancelled(sqlstate) then
      raise;
    end if;
    raise warning 'mentor_sync: a change of members waits for the next sync: %', sqlerrm;
    return null;
end
$$;

COMMENT ON FUNCTION private.members_changed() IS 'Trigger: syncs the members that a statement inserted or changed.';

CREATE FUNCTION private.members_page(p_after uuid, p_limit integer, p_email text, p_only_rejected boolean) RETURNS uuid[]
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
begin
  if p_email is not null then
    return array(
      select m.id from public.members as m
      where private.normalise_email(m.email) = private.normalise_email(p_email)
      order by m.id
    );
  end if;
  if p_only_rejected then
    return array(
      select m.id
      from public.sync_rejects as r
      inner join public.members as m on m.id = r.source_id::uuid
      where r.source = 'members' and (p_after is null or m.id > p_after)
      order by m.id
      limit p_limit
    );
  end if;
  return array(
    select m.id from public.members as m
    where m.id >= coalesce(p_after, '00000000-0000-0000-0000-000000000000')
      and m.id is distinct from p_after
    order by m.id
    limit p_limit
  );
end
$$;

COMMENT ON FUNCTION private.members_page(p_after uuid, p_limit integer, p_email text, p_only_rejected boolean) IS 'The ids of the next members to sync.';

CREATE FUNCTION private.mentor_bio(p_experience text, p_occupation text, p_jobtitle text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path TO ''
    AS $$
begin
  return nullif(concat_ws(
    ' | ',
    'Experience: ' || nullif(private.trim_space(p_experience), ''),
    'Occupation: ' || nullif(private.trim_space(p_occupation), ''),
    'Job Title: ' || nullif(private.trim_space(p_jobtitle), '')
  ), '');
end
$$;

COMMENT ON FUNCTION private.mentor_bio(p_experience text, p_occupation text, p_jobtitle text) IS 'The bio made from a member: the parts that are there; null when none is.';

CREATE FUNCTION private.mentor_directory(p_ids uuid[] DEFAULT NULL::uuid[]) RETURNS SETOF public.mentor_listing
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
  select
    -- Nobody's text fills a page; the tables have it whole.
    t.id, t.user_id::bigint, t.slug, left(t.bio, 2000), t.expertise, t.rating, t.rating_count,
    t.total_sessions, t.is_approved, t.is_active, t.domain, t.experience_years,
    t.teaching_style, t.timezone, t.created_at,
    jsonb_build_object(
      'id', a.id,
      'email', case when see.contact then a.email end,
      'first_name', a.first_name,
      'last_name', a.last_name,
      'full_name', coalesce(
        nullif(private.trim_space(concat_ws(' ', a.first_name, a.last_name)), ''), p.full_name
      )
    ),
    case when m.id is not null then jsonb_build_object(
      'name', m.name,
      'country', m.country,
      'city', m.city,
      'linkedin', case when see.contact then m.linkedin end,
      'experience', left(m.experience, 2000),
      'areaOfExpertise', m.area_of_expertise,
      'school', m.school,
      'occupation', m.occupation,
      'jobtitle', m.jobtitle,
      'industry', m.industry,
      'skills', left(m.skills, 2000)
    ) end
  from public.mentors as t
  cross join (
    select
      (select private.sees_everything()) as everything,
      (select private.current_user_id()) as myself
  ) as caller
  cross join lateral (
    select caller.everything or coalesce(t.person_id = caller.myself, false) as contact
  ) as see
  left join public.users as p on p.id = t.person_id
  left join public.users_user as a on a.id = t.user_id
  -- Only where the addresses agree is it the same person's registration.
  left join lateral (
    select s.* from private.source_members as s
    where s.id = p.member_id
      and private.normalise_email(s.email) = private.normalise_email(a.email)
  ) as m on true
  where (p_ids is null or t.id = any (p_ids))
    and ((t.is_approved and t.is_active) or see.contact)
$$;

COMMENT ON FUNCTION private.mentor_directory(p_ids uuid[]) IS 'The mentors that the caller may see, of these or of all, with the fields that they may see.';

CREATE FUNCTION private.mentor_expertise(p_area text, p_industry text, p_skills text) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path TO ''
    AS $$
declare
  part text;
  word text;
  words text[] := '{}';
  compared text[] := '{}';
  skills integer := 0;
begin
  foreach part in array array[p_area, p_industry] loop
    word := private.trim_space(part);
    if word <> '' and lower(word) <> all (compared) then
      words := words || word;
      compared := compared || lower(word);
    end if;
  end loop;
  foreach part in array
    coalesce(string_to_array(translate(p_skills, E';\n\r', ',,,'), ','), '{}')
  loop
    word := private.trim_space(part);
    continue when word = '';
    if lower(word) <> all (compared) then
      words := words || word;
      compared := compared || lower(word);
    end if;
    skills := skills + 1;
    exit when skills = 3;
  end loop;
  return to_jsonb(words);
end
$$;

COMMENT ON FUNCTION private.mentor_expertise(p_area text, p_industry text, p_skills text) IS 'The expertise made from a member: area, industry, the first three skills; each once.';

CREATE FUNCTION private.mentor_members_with(p_addresses text[]) RETURNS uuid[]
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select array(
    select m.id
    from unnest(p_addresses) as a (address)
    cross join lateral (
      select x.id from public.members as x
      where private.normalise_email(x.email) = a.address
        and x.is_active
        and private.is_mentor_type(x.membershiptype)
      limit 2
    ) as m
    where a.address <> ''
    order by m.id
  )
$$;

COMMENT ON FUNCTION private.mentor_members_with(p_addresses text[]) IS 'The active members of type mentor with these normalised addresses.';

CREATE FUNCTION private.next_runs(p_limit integer, p_jobs text[]) RETURNS uuid[]
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
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

COMMENT ON FUNCTION private.next_runs(p_limit integer, p_jobs text[]) IS 'Runs that are due, the longest waiting first, locked; as many as may run now.';

CREATE FUNCTION private.next_step(p_step integer, p_began timestamp with time zone, p_deadline timestamp with time zone) RETURNS integer
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select case
    when f.fitting >= 1 then least(p_step * 16, greatest(f.fitting / 2, 1), 5000)::integer
    else 0
  end
  from (
    select floor(
      extract(epoch from p_deadline - clock_timestamp()) * p_step
        / greatest(extract(epoch from clock_timestamp() - p_began), 0.000001)
    ) as fitting
  ) as f
$$;

COMMENT ON FUNCTION private.next_step(p_step integer, p_began timestamp with time zone, p_deadline timestamp with time zone) IS 'How many members a trigger takes next, after a set of p_step that it began at p_began.';

CREATE FUNCTION private.normalise_email(p_email text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path TO ''
    AS $$
begin
  return lower(private.trim_space(p_email));
end
$$;

COMMENT ON FUNCTION private.normalise_email(p_email text) IS 'The form in which two e-mail addresses are compared, everywhere: trimmed, lower case.';

CREATE FUNCTION private.note_undeliverable(p_event jsonb, p_status text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  known_as constant text := p_event #>> '{data,email_id}';
  said constant text := left(coalesce(
    p_event #>> '{data,bounce,message}', replace(p_event ->> 'type', 'email.', '')
  ), 1000);
  message uuid;
begin
  update public.message_outbox as m
  set status = p_status, error = said
  where m.provider_id = known_as and m.status in ('sent', 'bounced')
  returning m.id into message;
  -- A full mailbox is no reason never to write again.
  if p_event #>> '{data,bounce,type}' is distinct from 'Transient' then
    insert into public.undeliverable_addresses (address, reason, message_id)
    select private.normalise_email(coalesce(u.email, (regexp_match(given.address, '<([^<>]*)>'))[1], given.address)),
      said, message
    from jsonb_array_elements_text(
      case when jsonb_typeof(p_event #> '{data,to}') = 'array' then p_event #> '{data,to}' end
    ) as given (address)
    left join public.message_outbox as m on m.id = message
    left join public.users as u on u.id = m.recipient
    on conflict do nothing;
  end if;
end
$$;

COMMENT ON FUNCTION private.note_undeliverable(p_event jsonb, p_status text) IS 'Marks the message, and its address where it cannot be reached at all.';

CREATE FUNCTION private.notify_in_app(p_recipient uuid, p_kind text, p_data jsonb) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  insert into public.notifications (user_id, type, title, metadata)
  values (
    p_recipient, p_kind,
    left(coalesce(nullif(p_data ->> 'title', ''), replace(p_kind, '_', ' ')), 300), p_data
  )
$$;

COMMENT ON FUNCTION private.notify_in_app(p_recipient uuid, p_kind text, p_data jsonb) IS 'Tells a person inside the application what else would be a mail.';

CREATE FUNCTION private.number_setting(p_key text, p_default integer) RETURNS integer
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select coalesce(
    (
      select least(greatest(round((s.value #>> '{}')::numeric), -2147483648), 2147483647)::integer
      from public.program_settings as s
      where s.key = p_key and jsonb_typeof(s.value) = 'number'
    ),
    p_default
  )
$$;

COMMENT ON FUNCTION private.number_setting(p_key text, p_default integer) IS 'A number of program_settings, rounded, or the default where it is none.';

CREATE FUNCTION private.open_jobs(p_jobs text[]) RETURNS text[]
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select coalesce(array_agg(s.job), '{}')
  from public.job_schedules as s
  left join (
    select r.job, count(*) as n from public.job_runs as r where r.status = 'running' group by r.job
  ) as running on running.job = s.job
  where (p_jobs is null or s.job = any (p_jobs))
    and (s.max_concurrent is null or coalesce(running.n, 0) < s.max_concurrent)
$$;

COMMENT ON FUNCTION private.open_jobs(p_jobs text[]) IS 'Those of the jobs (null: of all) that may have another run now.';

CREATE FUNCTION private.outcome_counts(p_outcomes private.sync_outcome[]) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    AS $$
  select coalesce(jsonb_object_agg(c.outcome, c.n), '{}')
  from (
    select o.outcome, count(*) as n from unnest(p_outcomes) as o group by o.outcome
  ) as c
$$;

COMMENT ON FUNCTION private.outcome_counts(p_outcomes private.sync_outcome[]) IS 'How many of each kind.';

CREATE FUNCTION private.outcome_records(p_outcomes private.sync_outcome[], p_most integer) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    AS $$
  select coalesce(jsonb_agg(
    jsonb_strip_nulls(jsonb_build_object(
      'member_id', o.member_id, 'email', left(o.email, 320), 'name', left(o.name, 200),
      'outcome', o.outcome, 'reason', o.reason, 'code', o.code, 'mentor_id', o.mentor_id
    ))
    order by o.place
  ), '[]')
  from (
    select r.*, row_number() over (partition by r.outcome order by r.place) as nth
    from unnest(p_outcomes) with ordinality
      as r (member_id, email, name, outcome, reason, code, mentor_id, place)
  ) as o
  where p_most is null or o.nth <= p_most
$$;

COMMENT ON FUNCTION private.outcome_records(p_outcomes private.sync_outcome[], p_most integer) IS 'The outcomes as JSON, in order, at the most so many of each kind.';

CREATE FUNCTION private.page_url(p_path text) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select rtrim(private.text_setting('app_url'), '/') || '/' || p_path
$$;

COMMENT ON FUNCTION private.page_url(p_path text) IS 'The address of a page of the application; null while app_url is not set.';

CREATE TABLE public.mentorship_sessions (
    session_id uuid DEFAULT gen_random_uuid() NOT NULL,
    mentor_id uuid,
    user_id uuid,
    session_type text NOT NULL,
    status text DEFAULT 'PENDING'::text NOT NULL,
    title text,
    scheduled_at timestamp with time zone,
    ends_at timestamp with time zone,
    session_duration_minutes integer,
    completed_at timestamp with time zone,
    meeting_url text,
    platform text,
    format text,
    notes text,
    request_data jsonb DEFAULT '{}'::jsonb NOT NULL,
    session_rating integer,
    session_feedback text,
    is_deleted boolean DEFAULT false NOT NULL,
    calendar_sequence integer DEFAULT 0 NOT NULL,
    calendar_changed_at timestamp with time zone DEFAULT now() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT mentorship_sessions_ends_after_start CHECK ((ends_at > scheduled_at)),
    CONSTRAINT mentorship_sessions_format_known CHECK ((format = ANY (ARRAY['video'::text, 'phone'::text, 'in_person'::text, 'chat'::text]))),
    CONSTRAINT mentorship_sessions_minutes_fit CHECK (((session_duration_minutes >= 1) AND (session_duration_minutes <= 1440))),
    CONSTRAINT mentorship_sessions_platform_known CHECK ((platform = ANY (ARRAY['zoom'::text, 'meet'::text, 'teams'::text]))),
    CONSTRAINT mentorship_sessions_scheduled_has_time CHECK (((status <> 'SCHEDULED'::text) OR (scheduled_at IS NOT NULL))),
    CONSTRAINT mentorship_sessions_session_rating_check CHECK (((session_rating >= 1) AND (session_rating <= 5))),
    CONSTRAINT mentorship_sessions_status_known CHECK ((status = ANY (ARRAY['PENDING'::text, 'SCHEDULED'::text, 'COMPLETED'::text, 'CANCELLED'::text]))),
    CONSTRAINT mentorship_sessions_type_is_upper_snake CHECK ((session_type ~ '^[A-Z][A-Z0-9_]*$'::text)),
    CONSTRAINT mentorship_sessions_url_is_web CHECK ((meeting_url ~ '^[Hh][Tt][Tt][Pp][Ss]?://[!#-;=?-\[\]_a-z~]+$'::text))
);

COMMENT ON TABLE public.mentorship_sessions IS 'Sessions of mentors with students.';

COMMENT ON COLUMN public.mentorship_sessions.session_id IS 'The session.';

COMMENT ON COLUMN public.mentorship_sessions.mentor_id IS 'The mentor: users.id.';

COMMENT ON COLUMN public.mentorship_sessions.user_id IS 'The student: users.id.';

COMMENT ON COLUMN public.mentorship_sessions.session_type IS 'Such as MOCK_INTERVIEW.';

COMMENT ON COLUMN public.mentorship_sessions.status IS 'PENDING, SCHEDULED, COMPLETED or CANCELLED.';

COMMENT ON COLUMN public.mentorship_sessions.title IS 'What it is called; else its type.';

COMMENT ON COLUMN public.mentorship_sessions.scheduled_at IS 'When it begins.';

COMMENT ON COLUMN public.mentorship_sessions.ends_at IS 'When it ends; empty: after its minutes.';

COMMENT ON COLUMN public.mentorship_sessions.session_duration_minutes IS 'How long it takes; empty: session_minutes of program_settings.';

COMMENT ON COLUMN public.mentorship_sessions.completed_at IS 'When it was held.';

COMMENT ON COLUMN public.mentorship_sessions.meeting_url IS 'The video call.';

COMMENT ON COLUMN public.mentorship_sessions.platform IS 'zoom, meet or teams.';

COMMENT ON COLUMN public.mentorship_sessions.format IS 'video, phone, in_person or chat.';

COMMENT ON COLUMN public.mentorship_sessions.notes IS 'What both sides wrote down.';

COMMENT ON COLUMN public.mentorship_sessions.request_data IS 'What the form asked.';

COMMENT ON COLUMN public.mentorship_sessions.session_rating IS '1 to 5.';

COMMENT ON COLUMN public.mentorship_sessions.session_feedback IS 'What was said of it.';

COMMENT ON COLUMN public.mentorship_sessions.is_deleted IS 'Deleted: shown to nobody, kept.';

COMMENT ON COLUMN public.mentorship_sessions.calendar_sequence IS 'Grows with each change that calendars must hear of (SEQUENCE).';

COMMENT ON COLUMN public.mentorship_sessions.calendar_changed_at IS 'When that last was.';

COMMENT ON COLUMN public.mentorship_sessions.created_at IS 'When the row was made.';

COMMENT ON COLUMN public.mentorship_sessions.updated_at IS 'When it was last changed.';

CREATE FUNCTION private.queue_invitation(p_session public.mentorship_sessions, p_person uuid, p_other uuid, p_change text) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select public.queue_message(
    'session_invite', p_person,
    'session:' || p_session.session_id || ':invite:' || p_session.calendar_sequence,
    private.session_mail(p_session, p_other) || jsonb_build_object(
      'is_moved', p_change = 'moved', 'is_cancelled', p_change = 'cancelled',
      'event', private.session_event(p_session)
      || jsonb_build_object('cancelled', p_change = 'cancelled')
    ),
    8, null, p_session.scheduled_at
  )
  from public.users as u
  where u.id = p_person and u.role <> 'system'
$$;

COMMENT ON FUNCTION private.queue_invitation(p_session public.mentorship_sessions, p_person uuid, p_other uuid, p_change text) IS 'Tells one side of a session that is new, moved or cancelled.';

CREATE FUNCTION private.queue_reminders(p_session public.mentorship_sessions, p_person uuid, p_other uuid) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select public.queue_message(
    'session_reminder', p_person,
    -- Moved, it is reminded of again; with another address of the call it is not.
    concat_ws(
      ':', 'session', p_session.session_id, h.hours,
      extract(epoch from p_session.scheduled_at)::bigint
    ),
    private.session_mail(p_session, p_other), 7,
    p_session.scheduled_at - h.hours * interval '1 hour', p_session.scheduled_at
  )
  from (
    select (x.value #>> '{}')::numeric as hours
    from public.program_settings as s
    cross join lateral jsonb_array_elements(s.value) as x (value)
    where s.key = 'reminder_hours' and jsonb_typeof(s.value) = 'array'
      and jsonb_typeof(x.value) = 'number'
  ) as h
  where p_session.scheduled_at - h.hours * interval '1 hour' > now()
$$;

COMMENT ON FUNCTION private.queue_reminders(p_session public.mentorship_sessions, p_person uuid, p_other uuid) IS 'Reminders of a session to one side, for those of the hours before it that are still to come.';

CREATE FUNCTION private.queue_session_mail(p_was public.mentorship_sessions, p_session public.mentorship_sessions, p_stands boolean) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  person uuid;
  holders constant uuid[] := array(select private.holders_of(p_session.session_id));
  sides constant uuid[] := case
    when p_stands then array[p_session.mentor_id, p_session.user_id] else '{}'
  end;
begin
  foreach person in array holders loop
    if person <> all (sides) then
      perform private.queue_invitation(
        p_was, person,
        case person when p_was.mentor_id then p_was.user_id else p_was.mentor_id end, 'cancelled'
      );
    end if;
  end loop;
  foreach person in array sides loop
    perform private.queue_invitation(
      p_session, person, case person when sides[1] then sides[2] else sides[1] end,
      case when person = any (holders) then 'moved' else 'new' end
    );
    perform private.queue_reminders(
      p_session, person, case person when sides[1] then sides[2] else sides[1] end
    );
  end loop;
end
$$;

COMMENT ON FUNCTION private.queue_session_mail(p_was public.mentorship_sessions, p_session public.mentorship_sessions, p_stands boolean) IS 'Tells those who have a session in the calendar, and those who take part now, what changed.';

CREATE FUNCTION private.quiet_until(p_now timestamp with time zone, p_zone text, p_from time without time zone, p_until time without time zone) RETURNS timestamp with time zone
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
declare
  zone constant text := private.known_zone(p_zone);
  here constant timestamp := p_now at time zone zone;
  quiet constant boolean := case
    when p_from < p_until then here::time >= p_from and here::time < p_until
    else here::time >= p_from or here::time < p_until
  end;
begin
  if quiet is not true then
    return null;
  end if;
  return (here::date + p_until + interval '1 day' * (here::time >= p_until)::integer)
    at time zone zone;
end
$$;

COMMENT ON FUNCTION private.quiet_until(p_now timestamp with time zone, p_zone text, p_from time without time zone, p_until time without time zone) IS 'The end of the quiet hours that it is in at that time, in that time zone; null outside them.';

CREATE FUNCTION private.receive_resend_event(p_body text, p_headers jsonb) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
  event constant jsonb := p_body;
begin
  if not private.is_signed_by('resend', p_headers, p_body) then
    raise exception 'The event is not signed by Resend, or older than five minutes.'
      using errcode = 'MS008', hint = 'Give the secret of the webhook: mentor-sync email webhook.';
  end if;
  case event ->> 'type'
    when 'email.bounced', 'email.suppressed' then
      perform private.note_undeliverable(event, 'bounced');
    when 'email.complained' then
      perform private.note_undeliverable(event, 'complained');
    else
      return 'ignored';
  end case;
  return 'noted';
end
$$;

COMMENT ON FUNCTION private.receive_resend_event(p_body text, p_headers jsonb) IS 'Takes an event of Resend''s webhook, if it is signed.';

CREATE FUNCTION private.referring_expression(p_relation regclass) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select coalesce(
    'case ' || string_agg(
      format(
        'when exists (select from %s as x where x.%I = t.id) then %L',
        c.conrelid::regclass, a.attname, replace(c.conrelid::regclass::text, 'public.', '')
      ),
      ' ' order by c.oid
    ) || ' end',
    'null::text'
  )
  from pg_catalog.pg_constraint as c
  inner join pg_catalog.pg_attribute as a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
  where c.contype = 'f' and c.confrelid = p_relation and cardinality(c.conkey) = 1
$$;

COMMENT ON FUNCTION private.referring_expression(p_relation regclass) IS 'SQL for the name of a table that has a foreign key to row t of this one, or null.';

CREATE FUNCTION private.reject_quietly(p_ids uuid[], p_reason text, p_code text, p_deadline timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    SET lock_timeout TO '2s'
    AS $$
begin
  if clock_timestamp() >= p_deadline then
    return;
  end if;
  perform private.limit_waits(p_deadline);
  insert into public.sync_rejects (source, source_id, reason, code)
  select 'members', p.id::text, p_reason, p_code from unnest(p_ids) as p (id)
  on conflict do nothing;
exception
  when assert_failure or query_canceled or others then
    if private.was_cancelled(sqlstate) then
      raise;
    end if;
    raise warning 'mentor_sync: sync_rejects cannot be written: %', sqlerrm;
end
$$;

COMMENT ON FUNCTION private.reject_quietly(p_ids uuid[], p_reason text, p_code text, p_deadline timestamp with time zone) IS 'Notes rejects where even that may not fail the statement.';

CREATE FUNCTION private.require_approval(p_run public.job_runs, p_stopped bigint, p_max_changes integer) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
declare
  active bigint;
  allowed bigint;
begin
  if p_run.approved or p_stopped <= coalesce(p_max_changes, 10) then
    return;
  end if;
  active := (private.departures()).active
    + coalesce((p_run.progress -> 'counts' ->> 'deactivated')::bigint, 0);
  allowed := coalesce(p_max_changes, private.departures_allowed(active));
  if p_stopped > allowed then
    raise exception 'The sync would stop % of % mentors, and may stop %; nothing was changed.',
      p_stopped, active, allowed
      using errcode = 'MS005', hint = 'Look at members. If it is meant: mentor-sync run approve '
        || p_run.id;
  end if;
end
$$;

COMMENT ON FUNCTION private.require_approval(p_run public.job_runs, p_stopped bigint, p_max_changes integer) IS 'MS005 where a run would stop more mentors than it may without approval.';

CREATE FUNCTION private.require_undoable(p_of uuid) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
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

COMMENT ON FUNCTION private.require_undoable(p_of uuid) IS 'An error where a run never was, has not ended, or its change log is gone.';

CREATE FUNCTION private.rescue_messages() RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  if not pg_try_advisory_xact_lock(hashtextextended('mentor_sync.rescue_messages', 0)) then
    return;
  end if;
  update public.message_outbox as m
  set status = 'uncertain', in_doubt = true
  where m.id in (
    select x.id
    from public.message_outbox as x
    left join public.job_runs as r on r.id = x.claimed_by
    where x.status = 'sending'
      and (r.status is distinct from 'running' or r.fence <> x.claimed_fence)
  );
end
$$;

COMMENT ON FUNCTION private.rescue_messages() IS 'Messages whose run ended, or was taken over, are uncertain.';

CREATE FUNCTION private.rescue_runs() RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$
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

COMMENT ON FUNCTION private.rescue_runs() IS 'Runs whose worker fell silent wait again, or are dead after their last attempt.';

CREATE FUNCTION private.reset_calendar_feed() RETURNS uuid
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO ''
    AS $$
  insert into public.calendar_feeds as f (user_id)
  select u.id from public.users as u where u.id = (select private.current_user_id())
  on conflict (user_id) do update set token = gen_random_uuid(), created_at = now()
  returning f.token
$$;

COMMENT ON FUNCTION private.reset_calendar_feed() IS 'A new secret for one''s own calendar.';

CREATE FUNCTION private.retry_delay(p_attempt integer) RETURNS interval
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select make_interval(secs => least(600, 5 * 2 ^ least(p_attempt, 10)) * (0.5 + random() / 2))
$$;

COMMENT ON FUNCTION private.retry_delay(p_attempt integer) IS 'How long a run waits after an attempt that failed: 5 to 10 seconds, then twice that, and on.';

CREATE FUNCTION private.route(p_kind text, p_recipient uuid, p_data jsonb) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
declare
  channel constant text := case
    when private.kind_enabled(p_kind) then private.channel_for(p_recipient, p_kind) else 'off'
  end;
begin
  return case
    when channel = 'email' or p_kind = 'digest' and channel <> 'off' then 'queued'
    when channel = 'digest' and p_data ?| array['ask', 'event'] then 'queued'
    else channel
  end;
end
$$;

COMMENT ON FUNCTION private.route(p_kind text, p_recipient uuid, p_data jsonb) IS 'How a message goes that is due now: queued for mail, in_app, digest or off.';

CREATE FUNCTION private.run_needs_somebody() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
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

COMMENT ON FUNCTION private.run_needs_somebody() IS 'Trigger: a run that failed for good, or awaits approval, makes an alert.';

CREATE FUNCTION private.run_was_seen_to() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
  update public.job_alerts as a
  set acknowledged_at = now()
  where a.run_id = new.id and a.acknowledged_at is null;
  return null;
end
$$;

COMMENT ON FUNCTION private.run_was_seen_to() IS 'Trigger: the alert of a run that was approved, cancelled or tried again is settled.';

CREATE FUNCTION private.schedule_edited() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  new.updated_at := now();
  if (new.cron, new.timezone, new.enabled) is distinct from (old.cron, old.timezone, old.enabled)
  then
    new.scheduled_until := greatest(old.scheduled_until, clock_timestamp());
  end if;
  return new;
end
$$;

COMMENT ON FUNCTION private.schedule_edited() IS 'Trigger: an edit counts from now on, and catches nothing up.';

CREATE FUNCTION private.schema_version() RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    AS $$ select '20261121001160' $$;

COMMENT ON FUNCTION private.schema_version() IS 'The version of these migrations; a daemon is not ready on an older one.';

CREATE FUNCTION private.sees_everything() RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
  select coalesce(current_setting('role', true), 'none') in ('none', 'postgres', 'service_role')
    or private.is_admin()
$$;

COMMENT ON FUNCTION private.sees_everything() IS 'Whether the caller may see contact fields and rows that are not public.';

CREATE FUNCTION private.session_changed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
  after public.mentorship_sessions := case tg_op when 'DELETE' then old else new end;
  before public.mentorship_sessions := case tg_op when 'INSERT' then new else old end;
begin
  if tg_op = 'DELETE' then
    after.calendar_sequence := old.calendar_sequence + 1;
    after.calendar_changed_at := now();
    after.status := 'CANCELLED';
  end if;
  -- As it was in calendars, and as the change that they are to hear of.
  before.calendar_sequence := after.calendar_sequence;
  before.calendar_changed_at := after.calendar_changed_at;
  perform private.withdraw_session_mail(after.session_id);
  if greatest(before.scheduled_at, after.scheduled_at) > now() and after.status <> 'COMPLETED' then
    perform private.queue_session_mail(
      before, after,
      after.status = 'SCHEDULED' and not after.is_deleted and after.scheduled_at > now()
      and after.mentor_id is not null and after.user_id is not null
    );
  end if;
  return null;
end
$$;

COMMENT ON FUNCTION private.session_changed() IS 'Trigger: both sides get an invitation, its change or its end, and reminders.';

CREATE FUNCTION private.session_end(p_session public.mentorship_sessions) RETURNS timestamp with time zone
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select coalesce(
    p_session.ends_at,
    p_session.scheduled_at + make_interval(mins => coalesce(
      p_session.session_duration_minutes, private.number_setting('session_minutes', 60)
    ))
  )
$$;

COMMENT ON FUNCTION private.session_end(p_session public.mentorship_sessions) IS 'When a session ends.';

CREATE FUNCTION private.session_event(p_session public.mentorship_sessions) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select jsonb_build_object(
    'id', p_session.session_id,
    'title', private.session_title(p_session),
    'starts_at', p_session.scheduled_at,
    'ends_at', private.session_end(p_session),
    'timezone', private.known_zone((
      select u.timezone from public.users as u where u.id = p_session.mentor_id
    )),
    'attendees', (
      select coalesce(
        jsonb_agg(jsonb_build_array(coalesce(u.full_name, ''), private.trim_space(u.email)) order by u.id),
        '[]'
      )
      from public.users as u
      where u.id in (p_session.mentor_id, p_session.user_id) and u.role <> 'system'
    ),
    'meeting_url', coalesce(p_session.meeting_url, ''),
    'sequence', p_session.calendar_sequence,
    'changed_at', p_session.calendar_changed_at,
    'cancelled', p_session.status = 'CANCELLED' or p_session.is_deleted
  )
$$;

COMMENT ON FUNCTION private.session_event(p_session public.mentorship_sessions) IS 'A session as calendars know it.';

CREATE FUNCTION private.session_mail(p_session public.mentorship_sessions, p_other uuid) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select jsonb_build_object(
    'title', private.session_title(p_session),
    'other_name', coalesce((select u.full_name from public.users as u where u.id = p_other), ''),
    'starts_at', p_session.scheduled_at,
    'minutes', ceil(extract(
      epoch from private.session_end(p_session) - p_session.scheduled_at
    ) / 60)::integer,
    'meeting_url', p_session.meeting_url,
    'session_url', private.page_url('sessions/' || p_session.session_id)
  )
$$;

COMMENT ON FUNCTION private.session_mail(p_session public.mentorship_sessions, p_other uuid) IS 'What mails say of a session to one side of it; the other side is given.';

CREATE FUNCTION private.session_title(p_session public.mentorship_sessions) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    AS $$
  select coalesce(
    nullif(private.trim_space(p_session.title), ''),
    initcap(left(p_session.session_type, 1)) || lower(replace(substr(p_session.session_type, 2), '_', ' '))
  )
$$;

COMMENT ON FUNCTION private.session_title(p_session public.mentorship_sessions) IS 'What a session is called: its title, or its type in words.';

CREATE FUNCTION private.set_resend_secret(p_secret text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $_$
begin
  if p_secret !~ '^whsec_[A-Za-z0-9+/]{16,}={0,2}$' then
    raise exception 'That is no secret of a webhook.'
      using errcode = 'MS009', hint = 'It begins with whsec_; Resend shows it with the webhook.';
  end if;
  perform private.set_signing_key('resend', decode(substr(p_secret, 7), 'base64'));
  return true;
exception
  when invalid_parameter_value then
    raise exception 'That is no secret of a webhook.'
      using errcode = 'MS009', hint = 'It was not copied whole.';
end
$_$;

COMMENT ON FUNCTION private.set_resend_secret(p_secret text) IS 'Sets the key that Resend signs with.';

CREATE FUNCTION private.set_signing_key(p_name text, p_key bytea) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  insert into private.signing_keys as k (name, inner_pad, outer_pad)
  values (p_name, private.hmac_pad(p_key, 54), private.hmac_pad(p_key, 92))
  on conflict (name) do update
  set inner_pad = excluded.inner_pad, outer_pad = excluded.outer_pad, changed_at = now()
$$;

COMMENT ON FUNCTION private.set_signing_key(p_name text, p_key bytea) IS 'Sets, or replaces, a key.';

CREATE FUNCTION private.settle_lost(p_outcomes private.sync_outcome[], p_auto_approve boolean) RETURNS private.sync_outcome[]
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  lost uuid[] := array(select o.member_id from unnest(p_outcomes) as o where o.outcome = 'lost');
begin
  if lost = '{}' then
    return p_outcomes;
  end if;
  return array(
    select o from unnest(p_outcomes) as o where o.outcome <> 'lost'
    union all
    select row(
      a.member_id, a.email, a.name,
      case a.outcome when 'lost' then 'rejected' else a.outcome end,
      case a.outcome when 'lost' then 'another row holds one of its unique values' else a.reason end,
      case a.outcome when 'lost' then '23505' else a.code end,
      a.mentor_id
    )::private.sync_outcome
    from private.apply_members(lost, p_auto_approve) as a
  );
end
$$;

COMMENT ON FUNCTION private.settle_lost(p_outcomes private.sync_outcome[], p_auto_approve boolean) IS 'Decides the members whose row somebody else made at the same moment.';

CREATE FUNCTION private.settle_run() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
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

COMMENT ON FUNCTION private.settle_run() IS 'Trigger: keeps times and leases in step with a status, whoever changed it.';

CREATE FUNCTION private.signature(p_key text, p_message bytea) RETURNS bytea
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select sha256(k.outer_pad || sha256(k.inner_pad || p_message))
  from private.signing_keys as k where k.name = p_key
$$;

COMMENT ON FUNCTION private.signature(p_key text, p_message bytea) IS 'HMAC-SHA256 of a message with the key of this name; null where there is no such key.';

CREATE FUNCTION private.signed(p_purpose text, p_payload text) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
  select p_payload || '.' || left(
    encode(private.signature('links', convert_to(p_purpose || ':' || p_payload, 'UTF8')), 'hex'), 32
  )
$$;

COMMENT ON FUNCTION private.signed(p_purpose text, p_payload text) IS 'A token: the payload and its signature. It is good for this purpose only.';

CREATE FUNCTION private.slug(p_name text, p_id uuid) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path TO ''
    AS $$
declare
  plain text := regexp_replace(
    normalize(lower(left(p_name, 60)), nfkd), U&'[\0300-\036F]', '', 'g'
  );
begin
  return btrim(regexp_replace(plain || '-' || left(p_id::text, 8), '[^a-z0-9]+', '-', 'g'), '-');
end
$$;

COMMENT ON FUNCTION private.slug(p_name text, p_id uuid) IS 'A readable part of an address: the name in plain letters and the start of the id.';

CREATE FUNCTION private.stop_departed(p_after uuid, p_until uuid, p_ids uuid[]) RETURNS SETOF private.sync_outcome
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  with departed as materialized (
    select u.id, u.member_id, u.email, u.full_name
    from public.users as u
    where u.member_id >= coalesce(p_after, '00000000-0000-0000-0000-000000000000')
      and u.member_id is distinct from p_after
      and u.member_id <= coalesce(p_until, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
      -- Hashed, however few people there were when the plan was made.
      and u.member_id not in (select present.id from unnest(p_ids) as present (id))
      -- Nor came in since p_ids were read.
      and not exists (select from public.members as m where m.id = u.member_id offset 0)
  ),
  stopped as (
    update public.mentors as t
    set
      is_active = false,
      version = t.version + 1,
      synced = t.synced || '{"is_active": false}'
    from departed as d
    where t.person_id = d.id and t.is_active and t.synced -> 'is_active' = 'true'
    returning t.id, t.person_id
  )
  select d.member_id, d.email, d.full_name, 'deactivated', 'the member is gone', null, s.id
  from stopped as s
  inner join departed as d on d.id = s.person_id
$$;

COMMENT ON FUNCTION private.stop_departed(p_after uuid, p_until uuid, p_ids uuid[]) IS 'Deactivates the mentors whose member was deleted, within a range of member ids.';

CREATE FUNCTION private.sync_chunk(p_run_id uuid, p_fence bigint, p_after uuid, p_limit integer, p_dry_run boolean, p_auto_approve boolean, p_email text, p_only_rejected boolean, p_max_changes integer, p_records integer) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
  began constant timestamptz := clock_timestamp();
  run constant public.job_runs := private.assert_run(p_run_id, p_fence);
  ids constant uuid[] := private.members_page(p_after, p_limit, p_email, p_only_rejected);
  sweeps constant boolean := p_email is null and not p_only_rejected;
  found_all boolean;
  cursor_id uuid;
  outcomes private.sync_outcome[];
  taken integer;
  warning text;
  answer jsonb;
begin
  -- The answer to the same call may have been lost on its way.
  if run.progress ? 'answer' and run.progress ->> 'after' is not distinct from p_after::text then
    return run.progress -> 'answer';
  end if;
  if sweeps and p_after is null then
    begin
      perform private.require_approval(run, (private.departures()).stopping, p_max_changes);
    exception
      when sqlstate 'MS005' then
        if not p_dry_run then
          raise;
        end if;
        warning := sqlerrm;
    end;
  end if;
  begin
    select s.outcomes, s.taken into outcomes, taken
    from private.sync_members(
      ids, coalesce(p_auto_approve, private.auto_approve()), began + interval '3 seconds'
    ) as s;
    found_all := taken = cardinality(ids) and (p_email is not null or taken < p_limit);
    cursor_id := case when not found_all then ids[taken] end;
    if sweeps then
      outcomes := outcomes || array(
        select d from private.stop_departed(p_after, cursor_id, ids) as d
      );
      perform private.forget_departed(p_after, cursor_id, ids);
    end if;
    if p_dry_run then
      raise exception using errcode = 'MS000', message = 'dry run';
    end if;
  exception
    when sqlstate 'MS000' then null;
  end;
  if not p_dry_run then
    -- Once more for what left while we were at it.
    perform private.require_approval(
      run,
      coalesce((run.progress -> 'counts' ->> 'deactivated')::bigint, 0)
        + (select count(*) from unnest(outcomes) as o where o.outcome = 'deactivated'),
      p_max_changes
    );
  end if;
  answer := jsonb_build_object(
    'cursor', cursor_id,
    'done', found_all,
    'read', taken,
    'counts', private.outcome_counts(outcomes),
    'records', private.outcome_records(outcomes, p_records),
    'about', (
      select greatest(c.reltuples, 0)::bigint
      from pg_catalog.pg_class as c
      where c.oid = 'public.members'::regclass
    ),
    'warning', warning,
    'milliseconds', round(extract(epoch from clock_timestamp() - began) * 1000)
  );
  update public.job_runs as r
  set progress = jsonb_build_object(
    'after', p_after,
    'cursor', cursor_id,
    'done', found_all,
    'read', coalesce((run.progress -> 'read')::bigint, 0) + taken,
    'counts', private.add_counts(
      coalesce(run.progress -> 'counts', '{}'), answer -> 'counts'
    ),
    'answer', answer
  )
  where r.id = p_run_id;
  return answer;
end
$$;

COMMENT ON FUNCTION private.sync_chunk(p_run_id uuid, p_fence bigint, p_after uuid, p_limit integer, p_dry_run boolean, p_auto_approve boolean, p_email text, p_only_rejected boolean, p_max_changes integer, p_records integer) IS 'One chunk of the job sync_mentor_profiles.';

CREATE FUNCTION private.sync_members(p_ids uuid[], p_auto_approve boolean, p_deadline timestamp with time zone, OUT outcomes private.sync_outcome[], OUT taken integer) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  total constant integer := coalesce(cardinality(p_ids), 0);
  step integer := total;
  part uuid[];
  got private.sync_outcome[];
begin
  outcomes := '{}';
  taken := 0;
  while taken < total and (taken = 0 or clock_timestamp() < p_deadline) loop
    part := p_ids[taken + 1 : taken + step];
    got := private.try_members(part, p_auto_approve);
    if got is null then
      step := (cardinality(part) + 3) / 4;
      continue;
    end if;
    perform private.keep_rejects(part, got);
    outcomes := outcomes || got;
    taken := taken + cardinality(part);
    step := step * 4;
  end loop;
  perform private.link_auth_users(array(
    select private.normalise_email(o.email) from unnest(outcomes) as o where o.outcome = 'created'
  ));
end
$$;

COMMENT ON FUNCTION private.sync_members(p_ids uuid[], p_auto_approve boolean, p_deadline timestamp with time zone, OUT outcomes private.sync_outcome[], OUT taken integer) IS 'Syncs these members: what became of each, and how many were taken before the deadline.';

CREATE FUNCTION private.sync_one(p_member_id uuid) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
  outcomes private.sync_outcome[];
begin
  if not private.sees_everything() then
    raise exception 'Only admins may sync a member.' using errcode = '42501';
  end if;
  select s.outcomes into outcomes
  from private.sync_members(array[p_member_id], private.auto_approve(), 'infinity') as s;
  if cardinality(outcomes) > 0 then
    return private.outcome_records(outcomes, null) -> 0;
  end if;
  if exists (select from public.members as m where m.id = p_member_id) then
    return jsonb_build_object(
      'member_id', p_member_id, 'outcome', 'not_a_mentor',
      'reason', 'the membershiptype is not mentor'
    );
  end if;
  raise exception 'There is no member %.', p_member_id
    using errcode = 'MS011', hint = 'Give an id of the table members.';
end
$$;

COMMENT ON FUNCTION private.sync_one(p_member_id uuid) IS 'Syncs one member, for those who may.';

CREATE FUNCTION private.sync_quietly(p_ids uuid[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  deadline constant timestamptz := private.trigger_deadline();
  total constant integer := coalesce(cardinality(p_ids), 0);
  step integer := case when deadline < clock_timestamp() + interval '1 hour' then 1 else 5000 end;
  began timestamptz;
  taken integer;
  place integer := 0;
begin
  while place < total and step > 0 and clock_timestamp() < deadline loop
    began := clock_timestamp();
    taken := private.sync_set_quietly(p_ids[place + 1 : place + step], deadline);
    exit when taken = 0;
    place := place + taken;
    step := private.next_step(step, began, deadline);
  end loop;
  if place < total then
    raise warning 'mentor_sync: % of % members wait for the next sync.', total - place, total;
  end if;
end
$$;

COMMENT ON FUNCTION private.sync_quietly(p_ids uuid[]) IS 'Syncs members from a trigger, as far as the time of the statement allows.';

CREATE FUNCTION private.sync_set_quietly(p_ids uuid[], p_deadline timestamp with time zone) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO ''
    SET lock_timeout TO '2s'
    AS $$
begin
  perform private.limit_waits(p_deadline);
  return (private.sync_members(p_ids, private.auto_approve(), p_deadline)).taken;
exception
  when assert_failure or query_canceled or others then
    if private.was_cancelled(sqlstate) then
      raise;
    end if;
    raise warning 'mentor_sync: %', sqlerrm;
    perform private.reject_quietly(p_ids, sqlerrm, sqlstate, p_deadline);
    return 0;
end
$$;

COMMENT ON FUNCTION private.sync_set_quietly(p_ids uuid[], p_deadline timestamp with time zone) IS 'Syncs a set from a trigger: how many were taken; an error becomes a warning and rejects.';

CREATE FUNCTION private.take_runs(p_worker text, p_ids uuid[]) RETURNS jsonb
    LANGUAGE sql
    SET search_path TO ''
    AS $$
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

COMMENT ON FUNCTION private.take_runs(p_worker text, p_ids uuid[]) IS 'Makes these runs the worker''s, with a new fence each. They must be locked.';

CREATE FUNCTION private.text_setting(p_key text) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select nullif(s.value #>> '{}', '') from public.program_settings as s where s.key = p_key
$$;

COMMENT ON FUNCTION private.text_setting(p_key text) IS 'A text of program_settings; null where empty.';

CREATE FUNCTION private.too_late_to_begin(p_deadline timestamp with time zone) RETURNS boolean
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select clock_timestamp() + (clock_timestamp() - statement_timestamp()) / 3 >= p_deadline
$$;

COMMENT ON FUNCTION private.too_late_to_begin(p_deadline timestamp with time zone) IS 'Whether a statement has taken so much of its time that a trigger of ours leaves it alone.';

CREATE FUNCTION private.touch_updated_at() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  new.updated_at := now();
  return new;
end
$$;

COMMENT ON FUNCTION private.touch_updated_at() IS 'Trigger: notes when a row was last changed.';

CREATE FUNCTION private.trigger_deadline() RETURNS timestamp with time zone
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select least(
    statement_timestamp() + nullif(current_setting('statement_timeout')::interval, '0') * 2 / 3,
    transaction_timestamp()
      + nullif(current_setting('transaction_timeout', true)::interval, '0') * 2 / 3,
    clock_timestamp() + interval '1 day'
  )
$$;

COMMENT ON FUNCTION private.trigger_deadline() IS 'Until when a trigger of ours may work without endangering the statement that fired it.';

CREATE FUNCTION private.trim_space(p_text text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path TO ''
    AS $$
begin
  return btrim(
    p_text,
    U&'\0020\0009\000A\000B\000C\000D\0085\00A0\1680\2000\2001\2002\2003\2004\2005\2006'
    '\2007\2008\2009\200A\200B\2028\2029\202F\205F\3000\FEFF'
  );
end
$$;

COMMENT ON FUNCTION private.trim_space(p_text text) IS 'The text without white space at both ends, no-break and zero-width spaces included.';

CREATE FUNCTION private.try_members(p_ids uuid[], p_auto_approve boolean) RETURNS private.sync_outcome[]
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  outcomes private.sync_outcome[];
  message text;
  context text;
begin
  outcomes := private.settle_lost(
    array(select a from private.apply_members(p_ids, p_auto_approve) as a), p_auto_approve
  );
  perform private.check_deferred();
  return outcomes;
exception
  when assert_failure or query_canceled or others then
    get stacked diagnostics message = message_text, context = pg_exception_context;
    if not private.is_rows_fault(sqlstate, context) then
      raise;
    end if;
    if cardinality(p_ids) > 1 then
      return null;
    end if;
    return array(
      select row(m.id, m.email, m.name, 'rejected', message, sqlstate, null)::private.sync_outcome
      from public.members as m
      where m.id = p_ids[1]
    );
end
$$;

COMMENT ON FUNCTION private.try_members(p_ids uuid[], p_auto_approve boolean) IS 'The outcomes of a set of members; null when one of several rows is at fault.';

CREATE FUNCTION private.uncertain_messages() RETURNS TABLE(id uuid, verdict text, later timestamp with time zone)
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  with first as materialized (
    select m.batch from public.message_outbox as m
    where m.status = 'uncertain' and not exists (
      select from public.message_outbox as x
      where x.batch = m.batch and x.status = 'uncertain'
        and (x.id < m.id or x.not_before > now())
    )
      and m.not_before <= now()
    order by m.created_at, m.id
    limit 1
    for update skip locked
  )
  select
    m.id,
    case when m.attempt >= m.max_attempts then 'dead' else 'sending' end,
    null::timestamptz
  from first
  inner join public.message_outbox as m on m.batch = first.batch and m.status = 'uncertain'
$$;

COMMENT ON FUNCTION private.uncertain_messages() IS 'A batch that may have been sent, to be sent again as it was: no rule looks at it anew.';

CREATE FUNCTION private.undo_changes(p_run_id uuid, p_fence bigint, p_of uuid, p_before bigint, p_limit integer, p_dry_run boolean) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
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

COMMENT ON FUNCTION private.undo_changes(p_run_id uuid, p_fence bigint, p_of uuid, p_before bigint, p_limit integer, p_dry_run boolean) IS 'One call of the job undo_run.';

CREATE FUNCTION private.undo_chunk(p_of uuid, p_chunk bigint) RETURNS SETOF private.undo_outcome
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
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

COMMENT ON FUNCTION private.undo_chunk(p_of uuid, p_chunk bigint) IS 'Takes back one chunk of a run.';

CREATE FUNCTION private.undo_table(p_of uuid, p_chunk bigint, p_relation text) RETURNS SETOF private.undo_outcome
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $_$
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
$_$;

COMMENT ON FUNCTION private.undo_table(p_of uuid, p_chunk bigint, p_relation text) IS 'Takes back what one chunk of a run did to one table: what became of each row.';

CREATE FUNCTION private.unsigned(p_purpose text, p_token text) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
  select given.payload
  from (select left(p_token, -33)) as given (payload)
  where length(p_token) between 34 and 500
    and sha256(convert_to(p_token, 'UTF8'))
    = sha256(convert_to(private.signed(p_purpose, given.payload), 'UTF8'))
$$;

COMMENT ON FUNCTION private.unsigned(p_purpose text, p_token text) IS 'The payload of a token that was signed here for this purpose; null of any other.';

CREATE FUNCTION private.unsubscribe(p_token text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
  payload constant text := private.unsigned('unsubscribe', p_token);
  person constant uuid := split_part(payload, '.', 1);
  -- From a digest nobody wants what it gathers either.
  ended constant text := case split_part(payload, '.', 2)
    when 'digest' then 'all' else split_part(payload, '.', 2)
  end;
begin
  insert into public.contact_preferences as p (user_id, kind, channel)
  select u.id, ended, 'off' from public.users as u where u.id = person
  on conflict (user_id, kind) do update set channel = 'off';
  update public.contact_preferences as p
  set channel = 'off'
  where p.user_id = person and ended = 'all' and p.channel <> 'off';
  update public.message_outbox as m
  set status = 'off'
  where m.recipient = person and (m.kind = ended or ended = 'all')
    and m.status in ('queued', 'digest');
  return true;
end
$$;

COMMENT ON FUNCTION private.unsubscribe(p_token text) IS 'Switches a kind off for the person of the token. Says the same of a token that is none.';

CREATE FUNCTION private.unsubscribe_token(p_user_id uuid, p_kind text) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select private.signed('unsubscribe', p_user_id || '.' || p_kind)
$$;

COMMENT ON FUNCTION private.unsubscribe_token(p_user_id uuid, p_kind text) IS 'Whoever has it may end mails of this kind to this person.';

CREATE FUNCTION private.was_cancelled(p_code text) RETURNS boolean
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select p_code = '57014' and coalesce(
    clock_timestamp() - statement_timestamp()
      < nullif(current_setting('statement_timeout')::interval, '0') * 0.9,
    true
  )
$$;

COMMENT ON FUNCTION private.was_cancelled(p_code text) IS 'Whether an error with this code is somebody cancelling the statement.';

CREATE FUNCTION private.withdraw_session_mail(p_session_id uuid) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  delete from public.message_outbox as m
  where m.kind = 'session_reminder' and m.status in ('queued', 'digest', 'superseded')
    and starts_with(m.about, 'session:' || p_session_id || ':');
  update public.message_outbox as m
  set
    status = case m.status when 'sending' then m.status else 'superseded' end,
    superseded_at = now()
  where m.kind in ('session_invite', 'session_reminder')
    and m.status in ('queued', 'digest', 'sending')
    and starts_with(m.about, 'session:' || p_session_id || ':')
$$;

COMMENT ON FUNCTION private.withdraw_session_mail(p_session_id uuid) IS 'Takes back what was not sent yet about a session.';

CREATE FUNCTION public.accept_schedules(p_verdicts jsonb) RETURNS integer
    LANGUAGE sql
    SET search_path TO ''
    AS $$
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

COMMENT ON FUNCTION public.accept_schedules(p_verdicts jsonb) IS 'What a daemon made of the schedules: which is in effect, since when not the edited one, why.';

CREATE FUNCTION public.answer_message(p_token text) RETURNS jsonb
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select jsonb_build_object('outcome', private.answer_message(p_token))
$$;

COMMENT ON FUNCTION public.answer_message(p_token text) IS 'One click: {outcome}, which is recorded; answered, if the question was before; expired; unknown. Anybody with the token.';

CREATE FUNCTION public.approve_run(p_run_id uuid) RETURNS jsonb
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select private.change_run(p_run_id, 'approved', '{awaiting_approval}')
$$;

COMMENT ON FUNCTION public.approve_run(p_run_id uuid) IS 'Lets a run do what it asked for.';

CREATE FUNCTION public.calendar_feed(p_token uuid) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$ select private.calendar_feed(p_token) $$;

COMMENT ON FUNCTION public.calendar_feed(p_token uuid) IS 'A person''s sessions of the last 90 days and the next two years, by the secret of their calendar: {name, timezone, meetings}; {} where there is none.';

CREATE FUNCTION public.cancel_run(p_run_id uuid) RETURNS jsonb
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select private.change_run(p_run_id, 'cancelled', '{queued,running,awaiting_approval}')
$$;

COMMENT ON FUNCTION public.cancel_run(p_run_id uuid) IS 'Stops a run: what its worker has not committed by now is refused.';

CREATE FUNCTION public.changes_of_run(p_run_id uuid, p_after_chunk bigint, p_after bigint, p_limit integer) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
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

COMMENT ON FUNCTION public.changes_of_run(p_run_id uuid, p_after_chunk bigint, p_after bigint, p_limit integer) IS 'What a run changed, in order, after this chunk and id; 1,000 at the most.';

CREATE FUNCTION public.claim_messages(p_run_id uuid, p_fence bigint, p_limit integer DEFAULT 500) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  run constant public.job_runs := private.assert_run(p_run_id, p_fence);
  claimed jsonb;
begin
  perform private.rescue_messages();
  with again as materialized (
    select u.* from private.uncertain_messages() as u
  ),
  due as materialized (
    select a.* from again as a
    union all
    select d.* from private.due_messages(least(greatest(p_limit, 1), 5000)) as d
    where not exists (select from again)
  ),
  -- A message that goes alone is known by its own id.
  handed_over (batch) as materialized (
    select case when count(*) = 1 then (array_agg(d.id))[1] else gen_random_uuid() end
    from due as d where d.verdict = 'sending'
  ),
  taken as (
    update public.message_outbox as m
    set
      status = case d.verdict when 'quiet' then 'queued' else d.verdict end,
      not_before = case d.verdict when 'quiet' then d.later else m.not_before end,
      attempt = m.attempt + (d.verdict = 'sending')::integer,
      error = case d.verdict
        when 'failed' then 'The address is in undeliverable_addresses.'
        when 'dead' then coalesce(m.error, 'No worker lived to tell what became of it.')
        else m.error
      end,
      claimed_by = case d.verdict when 'sending' then p_run_id else m.claimed_by end,
      claimed_fence = case d.verdict when 'sending' then p_fence else m.claimed_fence end,
      batch = case
        when m.status = 'queued' and d.verdict = 'sending' then (select h.batch from handed_over as h)
        else m.batch
      end
    from due as d
    where m.id = d.id
    returning m.*
  ),
  told as (
    select private.notify_in_app(t.recipient, t.kind, t.data) from taken as t
    where t.status = 'in_app'
  )
  select jsonb_build_object(
    'told', (select count(*) from told),
    'looked_at', (select count(*) from due),
    'messages', coalesce(
      jsonb_agg(
        jsonb_build_object(
          'id', t.id, 'kind', t.kind, 'data', t.data, 'attempt', t.attempt, 'batch', t.batch,
          'in_doubt', t.in_doubt,
          'address', private.trim_space(u.email), 'name', u.full_name,
          'timezone', private.known_zone(u.timezone),
          'locale', u.locale,
          'unsubscribe', private.unsubscribe_token(t.recipient, t.kind),
          'asked', private.answer_tokens(t.id, t.data, t.created_at, t.expires_at)
        )
        order by t.priority desc, t.created_at, t.id
      ) filter (where t.status = 'sending'),
      '[]'
    )
  ) into claimed
  from taken as t
  inner join public.users as u on u.id = t.recipient;
  return claimed;
end
$$;

COMMENT ON FUNCTION public.claim_messages(p_run_id uuid, p_fence bigint, p_limit integer) IS 'Takes messages that are due for a run of deliver_messages, and puts off those that are not.';

CREATE FUNCTION public.claim_runs(p_worker text, p_limit integer DEFAULT 1, p_run_id uuid DEFAULT NULL::uuid, p_jobs text[] DEFAULT NULL::text[], p_holding uuid[] DEFAULT '{}'::uuid[]) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
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

COMMENT ON FUNCTION public.claim_runs(p_worker text, p_limit integer, p_run_id uuid, p_jobs text[], p_holding uuid[]) IS 'Takes runs that are due, p_limit at the most, as a JSON list. A run that is asked for by its id is taken alone, and beyond max_concurrent. p_holding: what the worker knows it has.';

CREATE FUNCTION public.compose_digests(p_run_id uuid, p_fence bigint, p_limit integer DEFAULT 500) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  run constant public.job_runs := private.assert_run(p_run_id, p_fence);
  composed integer;
begin
  update public.message_outbox as m
  set status = 'expired'
  where m.status = 'digest' and m.expires_at <= now();
  with waiting as materialized (
    select distinct on (m.recipient) m.recipient, here.at::date as day
    from public.message_outbox as m
    inner join public.users as u on u.id = m.recipient
    cross join lateral (
      select now() at time zone private.known_zone(u.timezone) as at
    ) as here
    where m.status = 'digest' and coalesce(m.expires_at > now(), true)
      and not exists (
        select from public.message_outbox as d
        where d.kind = 'digest' and d.recipient = m.recipient
          and d.about = 'digest:' || here.at::date
      )
      and extract(hour from here.at) >= private.number_setting('digest_hour', 8)
    limit p_limit
  ),
  mine as materialized (
    select m.id, m.recipient, w.day, m.kind, m.data, m.created_at
    from waiting as w
    inner join public.message_outbox as m
      on m.recipient = w.recipient and m.status = 'digest' and coalesce(m.expires_at > now(), true)
    for update of m skip locked
  ),
  made as (
    insert into public.message_outbox (kind, recipient, about, data)
    select 'digest', m.recipient, 'digest:' || m.day, jsonb_build_object(
      'messages', jsonb_agg(
        jsonb_build_object('kind', m.kind, 'data', m.data) order by m.created_at, m.id
      )
    )
    from mine as m
    group by m.recipient, m.day
    on conflict do nothing
    returning recipient
  ),
  marked as (
    update public.message_outbox as m
    set status = 'digested'
    from mine as x
    where m.id = x.id and x.recipient in (select made.recipient from made)
  )
  select count(*) into composed from made;
  return jsonb_build_object('digests', composed);
end
$$;

COMMENT ON FUNCTION public.compose_digests(p_run_id uuid, p_fence bigint, p_limit integer) IS 'Makes one message of those that wait for a person''s digest, once a day there.';

CREATE FUNCTION public.create_notification(user_id uuid, type text, title text, message text DEFAULT ''::text, metadata jsonb DEFAULT '{}'::jsonb) RETURNS uuid
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select private.create_notification(user_id, type, title, message, metadata)
$$;

COMMENT ON FUNCTION public.create_notification(user_id uuid, type text, title text, message text, metadata jsonb) IS 'Tells a person something: the id of the notification. For admins and service_role.';

CREATE FUNCTION public.enqueue_run(p_job text, p_params jsonb DEFAULT '{}'::jsonb, p_id uuid DEFAULT gen_random_uuid(), p_max_attempts integer DEFAULT NULL::integer, p_requested_by text DEFAULT NULL::text, p_worker text DEFAULT NULL::text) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
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

COMMENT ON FUNCTION public.enqueue_run(p_job text, p_params jsonb, p_id uuid, p_max_attempts integer, p_requested_by text, p_worker text) IS 'Asks for a run, and gives it to p_worker at once if one is named. The same id gives the run that is there already.';

CREATE FUNCTION public.enqueue_slots(p_due jsonb) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
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

COMMENT ON FUNCTION public.enqueue_slots(p_due jsonb) IS 'Makes runs of these slots, [{job, slots, until}], each once: the job and slot of those made.';

CREATE FUNCTION public.find_runs(p_beginning text) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select coalesce(jsonb_agg(to_jsonb(found)), '[]')
  from (
    select r.* from public.job_runs as r
    where r.id >= (rpad(replace(p_beginning, '-', ''), 32, '0'))::uuid
      and r.id <= (rpad(replace(p_beginning, '-', ''), 32, 'f'))::uuid
    limit 2
  ) as found
$$;

COMMENT ON FUNCTION public.find_runs(p_beginning text) IS 'The runs whose id begins so, two at the most: one is the answer, two are too many.';

CREATE FUNCTION public.finish_messages(p_run_id uuid, p_fence bigint, p_results jsonb) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  run constant public.job_runs := private.assert_run(p_run_id, p_fence);
  counts jsonb;
begin
  with given as (
    select * from jsonb_to_recordset(p_results) as g (
      id uuid, outcome text, alone boolean, provider_id text, reason text,
      retry_after double precision
    )
  ),
  ended as (
    update public.message_outbox as m
    set
      status = case
        when g.outcome in ('sent', 'failed') then g.outcome
        when g.outcome not in ('released', 'held') and m.attempt >= m.max_attempts then 'dead'
        when g.outcome = 'uncertain' or m.in_doubt then 'uncertain'
        when m.superseded_at is not null then 'superseded'
        else 'queued'
      end,
      in_doubt = m.in_doubt or g.outcome = 'uncertain',
      attempt = m.attempt - (g.outcome in ('released', 'held'))::integer,
      batch = case when g.alone then m.id else m.batch end,
      not_before = case
        when g.outcome = 'held' then clock_timestamp() + interval '5 minutes'
        when g.outcome in ('retry', 'uncertain') then clock_timestamp() + greatest(
          private.retry_delay(m.attempt), make_interval(secs => least(coalesce(g.retry_after, 0), 86400))
        )
        else m.not_before
      end,
      provider_id = coalesce(nullif(g.provider_id, ''), m.provider_id),
      error = nullif(left(g.reason, 1000), ''),
      sent_at = case g.outcome when 'sent' then clock_timestamp() end
    from given as g
    where m.id = g.id and m.status = 'sending' and m.claimed_by = p_run_id
      and m.claimed_fence = p_fence and g.outcome in ('sent', 'retry', 'uncertain', 'failed', 'released', 'held')
    returning m.status
  )
  select coalesce(jsonb_object_agg(e.status, e.n), '{}') into counts
  from (select x.status, count(*) as n from ended as x group by x.status) as e;
  return counts;
end
$$;

COMMENT ON FUNCTION public.finish_messages(p_run_id uuid, p_fence bigint, p_results jsonb) IS 'What became of messages that this run had: how many of each status.';

CREATE FUNCTION public.finish_runs(p_results jsonb) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
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

COMMENT ON FUNCTION public.finish_runs(p_results jsonb) IS 'Ends runs: succeeded, partial, failed, cancelled, awaiting_approval or released. Those that somebody else has by now are left alone and listed as stale.';

CREATE FUNCTION public.get_mentors_with_member_data() RETURNS SETOF public.mentor_listing
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select * from private.mentor_directory(null)
$$;

COMMENT ON FUNCTION public.get_mentors_with_member_data() IS 'The directory as rows, for the filters, the order and the paging of the API.';

CREATE FUNCTION public.heartbeat_run(p_run_id uuid, p_fence bigint) RETURNS jsonb
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select jsonb_build_object(
    'lease_expires_at', (private.assert_run(p_run_id, p_fence)).lease_expires_at
  )
$$;

COMMENT ON FUNCTION public.heartbeat_run(p_run_id uuid, p_fence bigint) IS 'Keeps a run alive while its worker is busy outside the database; MS001 when it is lost.';

CREATE FUNCTION public.list_mentors(expertise text DEFAULT NULL::text, page integer DEFAULT 1, page_size integer DEFAULT 12) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
declare
  page_found record;
begin
  if coalesce(page, 0) < 1 or coalesce(page_size, 0) not between 1 and 100 then
    raise exception 'page starts at 1; page_size is 1 to 100.'
      using errcode = 'MS012', hint = 'Ask for page=1 and page_size=12.';
  end if;
  select d.ids, d.total into page_found
  from private.directory_page(
    lower(private.trim_space(coalesce(list_mentors.expertise, ''))),
    list_mentors.page_size,
    (list_mentors.page - 1)::bigint * list_mentors.page_size
  ) as d;
  return jsonb_build_object(
    'results', coalesce(
      (
        select jsonb_agg(to_jsonb(m) order by array_position(page_found.ids, m.id))
        from private.mentor_directory(page_found.ids) as m
      ),
      '[]'
    ),
    'count', page_found.total,
    'page', list_mentors.page,
    'page_size', list_mentors.page_size
  );
end
$$;

COMMENT ON FUNCTION public.list_mentors(expertise text, page integer, page_size integer) IS 'One page of the directory: results, count, page, page_size; expertise is any part of a word.';

CREATE FUNCTION public.prune_runs(p_limit integer DEFAULT 20000) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
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

COMMENT ON FUNCTION public.prune_runs(p_limit integer) IS 'Deletes change logs and ended runs that are past their time: how many. Again until none.';

CREATE FUNCTION public.queue_message(p_kind text, p_recipient uuid, p_about text, p_data jsonb DEFAULT '{}'::jsonb, p_priority integer DEFAULT 5, p_not_before timestamp with time zone DEFAULT NULL::timestamp with time zone, p_expires_at timestamp with time zone DEFAULT NULL::timestamp with time zone) RETURNS uuid
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  how constant text := case
    when p_not_before > now() then 'queued' else private.route(p_kind, p_recipient, p_data)
  end;
  made uuid;
begin
  insert into public.message_outbox (
    kind, recipient, about, data, priority, not_before, expires_at, status
  )
  values (
    p_kind, p_recipient, p_about, p_data, p_priority, coalesce(p_not_before, now()), p_expires_at,
    how
  )
  on conflict do nothing
  returning id into made;
  if made is null then
    return (
      select m.id from public.message_outbox as m
      where m.kind = p_kind and m.recipient = p_recipient and m.about = p_about
    );
  end if;
  if how = 'in_app' then
    perform private.notify_in_app(p_recipient, p_kind, p_data);
  end if;
  return made;
end
$$;

COMMENT ON FUNCTION public.queue_message(p_kind text, p_recipient uuid, p_about text, p_data jsonb, p_priority integer, p_not_before timestamp with time zone, p_expires_at timestamp with time zone) IS 'Queues a mail, in the transaction of its cause: its id. The same kind, recipient and about give the message that is there.';

CREATE FUNCTION public.register_jobs(p_jobs jsonb) RETURNS integer
    LANGUAGE sql
    SET search_path TO ''
    AS $$
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

COMMENT ON FUNCTION public.register_jobs(p_jobs jsonb) IS 'Adds the jobs that job_schedules lacks, with the defaults of the code. Returns how many.';

CREATE FUNCTION public.resend_webhook(json) RETURNS text
    LANGUAGE sql
    SET search_path TO ''
    AS $_$
  select private.receive_resend_event($1::text, current_setting('request.headers', true)::jsonb)
$_$;

COMMENT ON FUNCTION public.resend_webhook(json) IS 'The address for Resend''s webhook: bounces and complaints mark messages and addresses.';

CREATE FUNCTION public.reset_calendar_feed() RETURNS uuid
    LANGUAGE sql
    SET search_path TO ''
    AS $$ select private.reset_calendar_feed() $$;

COMMENT ON FUNCTION public.reset_calendar_feed() IS 'The secret of one''s own calendar, made anew: what was subscribed with the old one ends.';

CREATE FUNCTION public.retry_run(p_run_id uuid) RETURNS jsonb
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select private.change_run(p_run_id, 'queued', '{failed,dead,cancelled}')
$$;

COMMENT ON FUNCTION public.retry_run(p_run_id uuid) IS 'A run that did not end well goes on from where it was.';

CREATE FUNCTION public.scheduler_state() RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
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

COMMENT ON FUNCTION public.scheduler_state() IS 'The schema''s version, the schedules, the time, and how many runs wait for how long.';

CREATE FUNCTION public.set_resend_secret(p_secret text) RETURNS boolean
    LANGUAGE sql
    SET search_path TO ''
    AS $$ select private.set_resend_secret(p_secret) $$;

COMMENT ON FUNCTION public.set_resend_secret(p_secret text) IS 'Sets the signing secret of the webhook at Resend, whsec_...; it cannot be read back.';

CREATE FUNCTION public.supersede_messages(p_about text, p_kinds text[] DEFAULT NULL::text[]) RETURNS integer
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  with superseded as (
    update public.message_outbox as m
    set
      status = case m.status when 'sending' then m.status else 'superseded' end,
      superseded_at = now()
    where m.about = p_about and (p_kinds is null or m.kind = any (p_kinds))
      and m.status in ('queued', 'digest', 'sending')
    returning m.status
  )
  select count(*)::integer from superseded as s where s.status = 'superseded'
$$;

COMMENT ON FUNCTION public.supersede_messages(p_about text, p_kinds text[]) IS 'What is not sent yet about this is not sent any more: how many.';

CREATE FUNCTION public.sync_mentor_from_member(p_member_id uuid) RETURNS jsonb
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select private.sync_one(p_member_id)
$$;

COMMENT ON FUNCTION public.sync_mentor_from_member(p_member_id uuid) IS 'Syncs one member by hand: its outcome. For admins.';

CREATE FUNCTION public.sync_mentor_profiles(p_run_id uuid, p_fence bigint, p_after uuid DEFAULT NULL::uuid, p_limit integer DEFAULT 20000, p_dry_run boolean DEFAULT false, p_auto_approve boolean DEFAULT NULL::boolean, p_email text DEFAULT NULL::text, p_only_rejected boolean DEFAULT false, p_max_changes integer DEFAULT NULL::integer, p_records integer DEFAULT 20) RETURNS jsonb
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select private.sync_chunk(
    p_run_id, p_fence, p_after, least(greatest(p_limit, 1), 20000), p_dry_run, p_auto_approve,
    p_email, p_only_rejected, p_max_changes, p_records
  )
$$;

COMMENT ON FUNCTION public.sync_mentor_profiles(p_run_id uuid, p_fence bigint, p_after uuid, p_limit integer, p_dry_run boolean, p_auto_approve boolean, p_email text, p_only_rejected boolean, p_max_changes integer, p_records integer) IS 'Syncs the members after p_after, p_limit of them: counts, records, the next cursor, done.';

CREATE FUNCTION public.undo_changes(p_run_id uuid, p_fence bigint, p_of uuid, p_before bigint DEFAULT NULL::bigint, p_limit integer DEFAULT 20000, p_dry_run boolean DEFAULT false) RETURNS jsonb
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select private.undo_changes(p_run_id, p_fence, p_of, p_before, p_limit, p_dry_run)
$$;

COMMENT ON FUNCTION public.undo_changes(p_run_id uuid, p_fence bigint, p_of uuid, p_before bigint, p_limit integer, p_dry_run boolean) IS 'Takes back chunks of a run, the latest before p_before first, until that is p_limit rows: counts, the rows that were kept, the cursor.';

CREATE FUNCTION public.unsubscribe(p_token text) RETURNS boolean
    LANGUAGE sql
    SET search_path TO ''
    AS $$ select private.unsubscribe(p_token) $$;

COMMENT ON FUNCTION public.unsubscribe(p_token text) IS 'One click: no more messages of this kind to whom this one went. Anybody with the token.';

CREATE TABLE private.signing_keys (
    name text NOT NULL,
    inner_pad bytea NOT NULL,
    outer_pad bytea NOT NULL,
    changed_at timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON TABLE private.signing_keys IS 'Secret keys. links: made here, signs what mails link to. resend: of the provider''s webhook.';

COMMENT ON COLUMN private.signing_keys.name IS 'What it is for.';

COMMENT ON COLUMN private.signing_keys.inner_pad IS 'The key as HMAC''s inner pad (RFC 2104).';

COMMENT ON COLUMN private.signing_keys.outer_pad IS 'The key as HMAC''s outer pad.';

COMMENT ON COLUMN private.signing_keys.changed_at IS 'When it was last changed.';

CREATE TABLE public.members (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    email text NOT NULL,
    name text NOT NULL,
    membershiptype text NOT NULL,
    "areaOfExpertise" text,
    skills text,
    experience text,
    occupation text,
    jobtitle text,
    industry text,
    is_active boolean DEFAULT true,
    country text,
    city text,
    linkedin text,
    school text
);

COMMENT ON TABLE public.members IS 'Community members, as registered. Another application writes them.';

COMMENT ON COLUMN public.members.id IS 'The member.';

COMMENT ON COLUMN public.members.email IS 'Address given at registration; finds the account.';

COMMENT ON COLUMN public.members.name IS 'Full name.';

COMMENT ON COLUMN public.members.membershiptype IS 'mentor, mentee, student ...; mentor makes a mentor.';

COMMENT ON COLUMN public.members."areaOfExpertise" IS 'Area of expertise; first entry of the expertise.';

COMMENT ON COLUMN public.members.skills IS 'Skills, separated by commas; the first three count.';

COMMENT ON COLUMN public.members.experience IS 'Experience in words; part of the bio.';

COMMENT ON COLUMN public.members.occupation IS 'Occupation; part of the bio.';

COMMENT ON COLUMN public.members.jobtitle IS 'Job title; part of the bio.';

COMMENT ON COLUMN public.members.industry IS 'Industry; second entry of the expertise.';

COMMENT ON COLUMN public.members.is_active IS 'Only active members become mentors.';

COMMENT ON COLUMN public.members.country IS 'Country of residence.';

COMMENT ON COLUMN public.members.city IS 'City of residence.';

COMMENT ON COLUMN public.members.linkedin IS 'Address of the LinkedIn profile; shown to admins only.';

COMMENT ON COLUMN public.members.school IS 'School or university.';

CREATE VIEW private.source_members WITH (security_invoker='on') AS
 SELECT id,
    email,
    name,
    membershiptype,
    (is_active IS TRUE) AS is_active,
    "areaOfExpertise" AS area_of_expertise,
    industry,
    skills,
    experience,
    occupation,
    jobtitle,
    country,
    city,
    school,
    linkedin
   FROM public.members;

COMMENT ON VIEW private.source_members IS 'members with the columns that mentor_sync maps, under one spelling.';

CREATE TABLE public.calendar_feeds (
    user_id uuid NOT NULL,
    token uuid DEFAULT gen_random_uuid() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON TABLE public.calendar_feeds IS 'The secret of each person''s calendar; another one ends the subscriptions with the old one.';

COMMENT ON COLUMN public.calendar_feeds.user_id IS 'Whose calendar.';

COMMENT ON COLUMN public.calendar_feeds.token IS 'Whoever has it reads the calendar.';

COMMENT ON COLUMN public.calendar_feeds.created_at IS 'When the secret was made.';

CREATE TABLE public.contact_hours (
    user_id uuid NOT NULL,
    quiet_from time without time zone NOT NULL,
    quiet_until time without time zone NOT NULL,
    CONSTRAINT contact_hours_differ CHECK ((quiet_from <> quiet_until))
);

COMMENT ON TABLE public.contact_hours IS 'When a person does not want mail. What comes then waits until it is over.';

COMMENT ON COLUMN public.contact_hours.user_id IS 'The person.';

COMMENT ON COLUMN public.contact_hours.quiet_from IS 'From, by the clock of users.timezone.';

COMMENT ON COLUMN public.contact_hours.quiet_until IS 'Until; before quiet_from: on the next day.';

CREATE TABLE public.contact_preferences (
    user_id uuid NOT NULL,
    kind text NOT NULL,
    channel text NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT contact_preferences_channel_known CHECK ((channel = ANY (ARRAY['email'::text, 'in_app'::text, 'digest'::text, 'off'::text])))
);

COMMENT ON TABLE public.contact_preferences IS 'How a person wants to be told what. Without a row: by e-mail.';

COMMENT ON COLUMN public.contact_preferences.user_id IS 'The person.';

COMMENT ON COLUMN public.contact_preferences.kind IS 'A kind of message, or all for the others.';

COMMENT ON COLUMN public.contact_preferences.channel IS 'email; in_app: a notification only; digest: one mail a day; off.';

COMMENT ON COLUMN public.contact_preferences.updated_at IS 'When it was last changed.';

CREATE TABLE public.job_alerts (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    kind text NOT NULL,
    job text NOT NULL,
    run_id uuid,
    message text NOT NULL,
    hint text DEFAULT ''::text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    acknowledged_at timestamp with time zone,
    CONSTRAINT job_alerts_kind_known CHECK ((kind = ANY (ARRAY['failed'::text, 'dead'::text, 'awaiting_approval'::text, 'held_back'::text])))
);

COMMENT ON TABLE public.job_alerts IS 'What an operator should look at. Set acknowledged_at when it has been seen to.';

COMMENT ON COLUMN public.job_alerts.id IS 'The alert.';

COMMENT ON COLUMN public.job_alerts.kind IS 'failed, dead, awaiting_approval; held_back: a trigger left a large change to the next run.';

COMMENT ON COLUMN public.job_alerts.job IS 'Which job it is about.';

COMMENT ON COLUMN public.job_alerts.run_id IS 'Which run, if one.';

COMMENT ON COLUMN public.job_alerts.message IS 'What happened.';

COMMENT ON COLUMN public.job_alerts.hint IS 'What to do next.';

COMMENT ON COLUMN public.job_alerts.created_at IS 'When it happened.';

COMMENT ON COLUMN public.job_alerts.acknowledged_at IS 'When somebody had seen to it.';

CREATE TABLE public.job_changes (
    id bigint NOT NULL,
    run_id uuid NOT NULL,
    chunk bigint NOT NULL,
    relation text NOT NULL,
    row_id uuid NOT NULL,
    action text NOT NULL,
    before jsonb,
    after jsonb,
    rest bigint,
    changed_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT job_changes_action_known CHECK ((action = ANY (ARRAY['insert'::text, 'update'::text, 'delete'::text]))),
    CONSTRAINT job_changes_images_fit CHECK ((((before IS NULL) = (action = 'insert'::text)) AND ((after IS NULL) = (action = 'delete'::text))))
);

COMMENT ON TABLE public.job_changes IS 'What runs changed: a row each, before and after, in the columns that are logged.';

COMMENT ON COLUMN public.job_changes.id IS 'Place in the order of changes.';

COMMENT ON COLUMN public.job_changes.run_id IS 'The run.';

COMMENT ON COLUMN public.job_changes.chunk IS 'The transaction: what was changed together.';

COMMENT ON COLUMN public.job_changes.relation IS 'Which table of the schema public.';

COMMENT ON COLUMN public.job_changes.row_id IS 'Which row: its id.';

COMMENT ON COLUMN public.job_changes.action IS 'insert, update or delete.';

COMMENT ON COLUMN public.job_changes.before IS 'The row before; empty where it is new.';

COMMENT ON COLUMN public.job_changes.after IS 'The row after; empty where it is gone.';

COMMENT ON COLUMN public.job_changes.rest IS 'Hash of the columns of a new row that are not logged, where the table has such: undoing does not delete a row in which one has been filled in since.';

COMMENT ON COLUMN public.job_changes.changed_at IS 'When the transaction began.';

ALTER TABLE public.job_changes ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.job_changes_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.job_schedules (
    job text NOT NULL,
    description text DEFAULT ''::text NOT NULL,
    cron text,
    timezone text,
    enabled boolean DEFAULT true NOT NULL,
    params jsonb DEFAULT '{}'::jsonb NOT NULL,
    catch_up text DEFAULT 'one'::text NOT NULL,
    max_age_seconds integer DEFAULT 86400 NOT NULL,
    coalesce_slots boolean DEFAULT true NOT NULL,
    max_concurrent integer DEFAULT 1,
    jitter_seconds integer DEFAULT 0 NOT NULL,
    timeout_seconds integer DEFAULT 3600 NOT NULL,
    lease_seconds integer DEFAULT 60 NOT NULL,
    max_attempts integer DEFAULT 3 NOT NULL,
    max_change_ratio numeric(4,3) DEFAULT 0.2 NOT NULL,
    keep_days integer DEFAULT 90 NOT NULL,
    error text,
    accepted_cron text,
    accepted_timezone text,
    scheduled_until timestamp with time zone DEFAULT now() NOT NULL,
    next_slot_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT job_schedules_attempts_range CHECK (((max_attempts >= 1) AND (max_attempts <= 100))),
    CONSTRAINT job_schedules_catch_up_known CHECK ((catch_up = ANY (ARRAY['skip'::text, 'one'::text, 'all'::text]))),
    CONSTRAINT job_schedules_change_ratio_range CHECK (((max_change_ratio >= (0)::numeric) AND (max_change_ratio <= (1)::numeric))),
    CONSTRAINT job_schedules_concurrent_range CHECK (((max_concurrent >= 1) AND (max_concurrent <= 1000))),
    CONSTRAINT job_schedules_cron_fits CHECK ((length(cron) <= 200)),
    CONSTRAINT job_schedules_jitter_range CHECK (((jitter_seconds >= 0) AND (jitter_seconds <= 86400))),
    CONSTRAINT job_schedules_keep_range CHECK (((keep_days >= 1) AND (keep_days <= 3650))),
    CONSTRAINT job_schedules_lease_range CHECK (((lease_seconds >= 5) AND (lease_seconds <= 86400))),
    CONSTRAINT job_schedules_max_age_range CHECK (((max_age_seconds >= 60) AND (max_age_seconds <= 2678400))),
    CONSTRAINT job_schedules_params_is_object CHECK ((jsonb_typeof(params) = 'object'::text)),
    CONSTRAINT job_schedules_timeout_range CHECK (((timeout_seconds >= 1) AND (timeout_seconds <= 604800))),
    CONSTRAINT job_schedules_timezone_fits CHECK ((length(timezone) <= 100)),
    CONSTRAINT job_schedules_until_is_finite CHECK (isfinite(scheduled_until))
);

COMMENT ON TABLE public.job_schedules IS 'The jobs. Filled from the defaults of the code; an edit here takes effect within seconds.';

COMMENT ON COLUMN public.job_schedules.job IS 'Name of the job.';

COMMENT ON COLUMN public.job_schedules.description IS 'What the job does.';

COMMENT ON COLUMN public.job_schedules.cron IS 'When it runs, in five fields or as @daily; empty: only by hand.';

COMMENT ON COLUMN public.job_schedules.timezone IS 'IANA time zone of cron; empty: that of the programme, in program_settings.';

COMMENT ON COLUMN public.job_schedules.enabled IS 'Off: paused. No further runs are scheduled; those asked for by hand still run.';

COMMENT ON COLUMN public.job_schedules.params IS 'Parameters of scheduled runs.';

COMMENT ON COLUMN public.job_schedules.catch_up IS 'What becomes of slots that passed while no daemon ran: skip, one (the latest) or all of them.';

COMMENT ON COLUMN public.job_schedules.max_age_seconds IS 'A slot that is older than this is not caught up.';

COMMENT ON COLUMN public.job_schedules.coalesce_slots IS 'On: a slot that still waits when the next one is due is dropped.';

COMMENT ON COLUMN public.job_schedules.max_concurrent IS 'Most runs at a time that daemons take; empty: any number.';

COMMENT ON COLUMN public.job_schedules.jitter_seconds IS 'A scheduled run starts up to so much later, by chance, to spread the load.';

COMMENT ON COLUMN public.job_schedules.timeout_seconds IS 'An attempt that takes longer than this fails.';

COMMENT ON COLUMN public.job_schedules.lease_seconds IS 'A worker that is silent for this long has lost the run.';

COMMENT ON COLUMN public.job_schedules.max_attempts IS 'After so many claims the run is dead.';

COMMENT ON COLUMN public.job_schedules.max_change_ratio IS 'A run that would stop a larger part of what there is (and more than 10 rows) asks first.';

COMMENT ON COLUMN public.job_schedules.keep_days IS 'So long runs that ended are kept.';

COMMENT ON COLUMN public.job_schedules.error IS 'Why the latest edit is not in effect; the schedule before it still is.';

COMMENT ON COLUMN public.job_schedules.accepted_cron IS 'The cron that is in effect.';

COMMENT ON COLUMN public.job_schedules.accepted_timezone IS 'The time zone that is in effect.';

COMMENT ON COLUMN public.job_schedules.scheduled_until IS 'Every slot up to here has been dealt with.';

COMMENT ON COLUMN public.job_schedules.next_slot_at IS 'When it runs next.';

COMMENT ON COLUMN public.job_schedules.created_at IS 'When the row was made.';

COMMENT ON COLUMN public.job_schedules.updated_at IS 'When somebody last edited the row.';

CREATE TABLE public.mentors (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    user_id integer,
    person_id uuid,
    slug text,
    bio text,
    expertise jsonb DEFAULT '[]'::jsonb,
    is_approved boolean DEFAULT false,
    is_active boolean DEFAULT true NOT NULL,
    rating numeric(3,2) DEFAULT 0.00,
    rating_count integer DEFAULT 0 NOT NULL,
    total_sessions integer DEFAULT 0,
    version integer DEFAULT 1,
    capacity integer,
    availability jsonb,
    timezone text,
    domain text,
    experience_years numeric(4,1),
    teaching_style text,
    synced jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now(),
    updated_at timestamp with time zone DEFAULT now(),
    CONSTRAINT mentors_capacity_not_negative CHECK ((capacity >= 0)),
    CONSTRAINT mentors_experience_not_negative CHECK ((experience_years >= (0)::numeric)),
    CONSTRAINT mentors_expertise_is_list CHECK ((jsonb_typeof(expertise) = 'array'::text)),
    CONSTRAINT mentors_teaching_style_known CHECK ((teaching_style = ANY (ARRAY['visual'::text, 'auditory'::text, 'kinesthetic'::text, 'mixed'::text])))
);

COMMENT ON TABLE public.mentors IS 'Mentors as the directory shows them.';

COMMENT ON COLUMN public.mentors.id IS 'The directory row.';

COMMENT ON COLUMN public.mentors.user_id IS 'The account: users_user.id.';

COMMENT ON COLUMN public.mentors.person_id IS 'The person: users.id.';

COMMENT ON COLUMN public.mentors.slug IS 'Readable part of the address of the mentor''s page.';

COMMENT ON COLUMN public.mentors.bio IS 'About the mentor; first made from the member.';

COMMENT ON COLUMN public.mentors.expertise IS 'JSON list of words; first made from the member.';

COMMENT ON COLUMN public.mentors.is_approved IS 'Only approved mentors are listed.';

COMMENT ON COLUMN public.mentors.is_active IS 'Off: not listed; set off when the member stops being a mentor, or by hand.';

COMMENT ON COLUMN public.mentors.rating IS 'Mean rating, 0 to 5; unrated while rating_count is 0.';

COMMENT ON COLUMN public.mentors.rating_count IS 'How many ratings the mean is of.';

COMMENT ON COLUMN public.mentors.total_sessions IS 'Sessions held.';

COMMENT ON COLUMN public.mentors.version IS 'Grows when the sync changes what the row shows.';

COMMENT ON COLUMN public.mentors.capacity IS 'Most students at a time; empty: the default.';

COMMENT ON COLUMN public.mentors.availability IS 'When the mentor can meet.';

COMMENT ON COLUMN public.mentors.timezone IS 'IANA time zone, such as Europe/Berlin.';

COMMENT ON COLUMN public.mentors.domain IS 'Field of work.';

COMMENT ON COLUMN public.mentors.experience_years IS 'Years of experience.';

COMMENT ON COLUMN public.mentors.teaching_style IS 'visual, auditory, kinesthetic or mixed.';

COMMENT ON COLUMN public.mentors.synced IS 'What the sync last wrote. A value that differs from it was edited, and is left alone.';

COMMENT ON COLUMN public.mentors.created_at IS 'When the row was made.';

COMMENT ON COLUMN public.mentors.updated_at IS 'When something the row shows last changed.';

CREATE TABLE public.message_answers (
    message_id uuid NOT NULL,
    question integer NOT NULL,
    user_id uuid NOT NULL,
    kind text NOT NULL,
    about text NOT NULL,
    answer text NOT NULL,
    answered_at timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON TABLE public.message_answers IS 'What people answered by a click in a mail: the first click on a question counts.';

COMMENT ON COLUMN public.message_answers.message_id IS 'The message: message_outbox.id.';

COMMENT ON COLUMN public.message_answers.question IS 'Which of its questions, from 0 on.';

COMMENT ON COLUMN public.message_answers.user_id IS 'Who answered.';

COMMENT ON COLUMN public.message_answers.kind IS 'Which kind of message asked.';

COMMENT ON COLUMN public.message_answers.about IS 'What the question is about, such as match:<id>.';

COMMENT ON COLUMN public.message_answers.answer IS 'The answer, such as 4.';

COMMENT ON COLUMN public.message_answers.answered_at IS 'When.';

CREATE TABLE public.message_outbox (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    kind text NOT NULL,
    recipient uuid NOT NULL,
    about text NOT NULL,
    data jsonb DEFAULT '{}'::jsonb NOT NULL,
    priority integer DEFAULT 5 NOT NULL,
    status text DEFAULT 'queued'::text NOT NULL,
    not_before timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone,
    attempt integer DEFAULT 0 NOT NULL,
    max_attempts integer DEFAULT 8 NOT NULL,
    claimed_by uuid,
    claimed_fence bigint,
    batch uuid,
    in_doubt boolean DEFAULT false NOT NULL,
    superseded_at timestamp with time zone,
    provider_id text,
    error text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    sent_at timestamp with time zone,
    CONSTRAINT message_outbox_data_is_object CHECK ((jsonb_typeof(data) = 'object'::text)),
    CONSTRAINT message_outbox_status_known CHECK ((status = ANY (ARRAY['queued'::text, 'sending'::text, 'uncertain'::text, 'sent'::text, 'failed'::text, 'dead'::text, 'superseded'::text, 'expired'::text, 'off'::text, 'in_app'::text, 'digest'::text, 'digested'::text, 'bounced'::text, 'complained'::text])))
);

COMMENT ON TABLE public.message_outbox IS 'Mails: a row each. The same kind to the same person about the same thing is one row for ever.';

COMMENT ON COLUMN public.message_outbox.id IS 'The message: part of its Message-ID, and the key by which the provider knows it again.';

COMMENT ON COLUMN public.message_outbox.kind IS 'Which template.';

COMMENT ON COLUMN public.message_outbox.recipient IS 'Whom it is for.';

COMMENT ON COLUMN public.message_outbox.about IS 'What it is about, such as session:<id>:24h.';

COMMENT ON COLUMN public.message_outbox.data IS 'What the template shows.';

COMMENT ON COLUMN public.message_outbox.priority IS 'Higher goes first; from 8 on it ignores caps.';

COMMENT ON COLUMN public.message_outbox.status IS 'queued, sending, sent; uncertain: it may have been sent, and is sent again as the very same; failed: it cannot be sent; dead: it could not in all attempts; superseded, expired; off, in_app, digest: as the person prefers; digested; bounced, complained.';

COMMENT ON COLUMN public.message_outbox.not_before IS 'Not sent before this time.';

COMMENT ON COLUMN public.message_outbox.expires_at IS 'Not worth sending after this time.';

COMMENT ON COLUMN public.message_outbox.attempt IS 'How often it was handed over.';

COMMENT ON COLUMN public.message_outbox.max_attempts IS 'After so many it is dead.';

COMMENT ON COLUMN public.message_outbox.claimed_by IS 'The run that sends it, or sent it.';

COMMENT ON COLUMN public.message_outbox.claimed_fence IS 'The fence of that run.';

COMMENT ON COLUMN public.message_outbox.batch IS 'With which others it was handed over: the provider knows them again as the same set only.';

COMMENT ON COLUMN public.message_outbox.in_doubt IS 'It may have been sent: no rule holds it back any more, and it is sent as the very same.';

COMMENT ON COLUMN public.message_outbox.superseded_at IS 'When it became pointless while it was being sent: it is not tried again.';

COMMENT ON COLUMN public.message_outbox.provider_id IS 'What the provider calls it.';

COMMENT ON COLUMN public.message_outbox.error IS 'Why it was not sent.';

COMMENT ON COLUMN public.message_outbox.created_at IS 'When its cause was.';

COMMENT ON COLUMN public.message_outbox.sent_at IS 'When the provider took it.';

CREATE TABLE public.notifications (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    user_id uuid NOT NULL,
    type text NOT NULL,
    title text NOT NULL,
    message text DEFAULT ''::text NOT NULL,
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    read_at timestamp with time zone,
    sent_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT notifications_message_fits CHECK ((length(message) <= 10000)),
    CONSTRAINT notifications_metadata_is_object CHECK ((jsonb_typeof(metadata) = 'object'::text)),
    CONSTRAINT notifications_title_fits CHECK (((length(title) >= 1) AND (length(title) <= 300)))
);

COMMENT ON TABLE public.notifications IS 'What people are told inside the application.';

COMMENT ON COLUMN public.notifications.id IS 'The notification.';

COMMENT ON COLUMN public.notifications.user_id IS 'Who is told.';

COMMENT ON COLUMN public.notifications.type IS 'Which kind, such as session_reminder.';

COMMENT ON COLUMN public.notifications.title IS 'One line.';

COMMENT ON COLUMN public.notifications.message IS 'The rest.';

COMMENT ON COLUMN public.notifications.metadata IS 'What the application needs to link it.';

COMMENT ON COLUMN public.notifications.read_at IS 'When the person read it.';

COMMENT ON COLUMN public.notifications.sent_at IS 'When the same was sent by mail, if it was.';

COMMENT ON COLUMN public.notifications.created_at IS 'When it was made.';

CREATE TABLE public.program_settings (
    key text NOT NULL,
    value jsonb NOT NULL,
    description text NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT program_settings_days_are_whole CHECK (((key <> 'change_log_days'::text) OR ((value)::text ~ '^[1-9][0-9]{0,3}$'::text))),
    CONSTRAINT program_settings_switch_is_boolean CHECK (((key <> 'auto_approve'::text) OR (jsonb_typeof(value) = 'boolean'::text))),
    CONSTRAINT program_settings_timezone_is_text CHECK (((key <> 'timezone'::text) OR (jsonb_typeof(value) = 'string'::text)))
);

COMMENT ON TABLE public.program_settings IS 'Settings of the programme. Edit a value here; it holds from the next statement on.';

COMMENT ON COLUMN public.program_settings.key IS 'Name of the setting.';

COMMENT ON COLUMN public.program_settings.value IS 'Its value, as JSON: true, 20, "UTC".';

COMMENT ON COLUMN public.program_settings.description IS 'What the setting does.';

COMMENT ON COLUMN public.program_settings.updated_at IS 'When it was last changed.';

CREATE TABLE public.sync_rejects (
    source text NOT NULL,
    source_id text NOT NULL,
    reason text NOT NULL,
    code text NOT NULL,
    rejected_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT sync_rejects_source_known CHECK ((source = ANY (ARRAY['members'::text, 'users_user'::text])))
);

COMMENT ON TABLE public.sync_rejects IS 'Rows of the sources that could not be synced, and why. A row goes when its cause has gone.';

COMMENT ON COLUMN public.sync_rejects.source IS 'members or users_user.';

COMMENT ON COLUMN public.sync_rejects.source_id IS 'Its id there.';

COMMENT ON COLUMN public.sync_rejects.reason IS 'What the database said, or what is missing.';

COMMENT ON COLUMN public.sync_rejects.code IS 'SQLSTATE, or MS010 for a row without an address.';

COMMENT ON COLUMN public.sync_rejects.rejected_at IS 'When this reason was first seen.';

CREATE TABLE public.undeliverable_addresses (
    address text NOT NULL,
    reason text NOT NULL,
    message_id uuid,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON TABLE public.undeliverable_addresses IS 'Addresses that bounced, or whose owner complained: nothing is sent there. Delete a row to try again.';

COMMENT ON COLUMN public.undeliverable_addresses.address IS 'The address as private.normalise_email writes it.';

COMMENT ON COLUMN public.undeliverable_addresses.reason IS 'What the provider said.';

COMMENT ON COLUMN public.undeliverable_addresses.message_id IS 'The message it was about.';

COMMENT ON COLUMN public.undeliverable_addresses.created_at IS 'When it was noted.';

CREATE TABLE public.users (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    email text NOT NULL,
    full_name text,
    role text DEFAULT 'student'::text NOT NULL,
    status text DEFAULT 'Active'::text NOT NULL,
    auth_user_id uuid,
    legacy_user_id bigint,
    member_id uuid,
    mentor_id uuid,
    timezone text,
    country text,
    city text,
    contact_preference text,
    locale text,
    created_at timestamp with time zone DEFAULT now(),
    updated_at timestamp with time zone DEFAULT now(),
    CONSTRAINT users_role_known CHECK ((role = ANY (ARRAY['student'::text, 'mentor'::text, 'admin'::text, 'system'::text]))),
    CONSTRAINT users_status_known CHECK ((status = ANY (ARRAY['Active'::text, 'Inactive'::text, 'Passed out / Completed'::text])))
);

COMMENT ON TABLE public.users IS 'People: students, mentors, admins and system accounts.';

COMMENT ON COLUMN public.users.id IS 'The person, everywhere in mentor_sync.';

COMMENT ON COLUMN public.users.email IS 'Where the person is written to.';

COMMENT ON COLUMN public.users.full_name IS 'Name as shown.';

COMMENT ON COLUMN public.users.role IS 'student, mentor, admin or system.';

COMMENT ON COLUMN public.users.status IS 'Active, Inactive or Passed out / Completed.';

COMMENT ON COLUMN public.users.auth_user_id IS 'The Supabase Auth user who signs in as this person; linked once, by the confirmed address.';

COMMENT ON COLUMN public.users.legacy_user_id IS 'The account: users_user.id.';

COMMENT ON COLUMN public.users.member_id IS 'The member: members.id.';

COMMENT ON COLUMN public.users.mentor_id IS 'The mentor of this student: users.id.';

COMMENT ON COLUMN public.users.timezone IS 'IANA time zone, such as Europe/Berlin.';

COMMENT ON COLUMN public.users.country IS 'Country of residence.';

COMMENT ON COLUMN public.users.city IS 'City of residence.';

COMMENT ON COLUMN public.users.contact_preference IS 'How the person wishes to be reached.';

COMMENT ON COLUMN public.users.locale IS 'Language of messages, such as de; empty: English.';

COMMENT ON COLUMN public.users.created_at IS 'When the row was made.';

COMMENT ON COLUMN public.users.updated_at IS 'When something a person can see last changed.';

CREATE TABLE public.users_user (
    id integer NOT NULL,
    email text NOT NULL,
    first_name text,
    last_name text
);

COMMENT ON TABLE public.users_user IS 'Accounts of the Django application, which writes them.';

COMMENT ON COLUMN public.users_user.id IS 'The account.';

COMMENT ON COLUMN public.users_user.email IS 'Address of the account.';

COMMENT ON COLUMN public.users_user.first_name IS 'Given name.';

COMMENT ON COLUMN public.users_user.last_name IS 'Family name.';

ALTER TABLE public.users_user ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.users_user_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE VIEW public.v_members_without_mentor WITH (security_invoker='on') AS
 SELECT m.id AS member_id,
    m.email,
    m.name,
        CASE
            WHEN (m.address = ''::text) THEN 'rejected'::text
            WHEN (verdict.problem IS NOT NULL) THEN 'ambiguous'::text
            WHEN (account.n = 0) THEN 'no_user'::text
            WHEN (r.reason IS NOT NULL) THEN 'rejected'::text
            ELSE 'waiting'::text
        END AS state,
        CASE
            WHEN (m.address = ''::text) THEN 'the member has no e-mail address'::text
            WHEN (verdict.problem IS NOT NULL) THEN verdict.problem
            WHEN (account.n = 0) THEN 'no account has this e-mail address'::text
            WHEN (r.reason IS NOT NULL) THEN r.reason
            ELSE 'the next sync makes the mentor'::text
        END AS reason
   FROM ((((((((( SELECT x.id,
            x.email,
            x.name,
            COALESCE(private.normalise_email(x.email), ''::text) AS address
           FROM public.members x
          WHERE (x.is_active AND private.is_mentor_type(x.membershiptype) AND (NOT (EXISTS ( SELECT
                   FROM (public.users u
                     JOIN public.mentors t_1 ON ((t_1.person_id = u.id)))
                  WHERE (u.member_id = x.id)))))
         OFFSET 0) m
     LEFT JOIN public.sync_rejects r ON (((r.source = 'members'::text) AND (r.source_id = (m.id)::text))))
     LEFT JOIN public.users by_member ON ((by_member.member_id = m.id)))
     CROSS JOIN LATERAL ( SELECT count(*) AS n
           FROM ( SELECT
                   FROM public.members x_1
                  WHERE (private.normalise_email(x_1.email) = m.address)
                 LIMIT 2) x) twin)
     CROSS JOIN LATERAL ( SELECT count(*) AS n,
            min(x.id) AS id
           FROM ( SELECT u.id
                   FROM public.users_user u
                  WHERE (private.normalise_email(u.email) = m.address)
                 LIMIT 2) x) account)
     CROSS JOIN LATERAL ( SELECT count(DISTINCT x.id) AS n,
            (array_agg(x.id))[1] AS id
           FROM ( SELECT u.id
                   FROM public.users u
                  WHERE (u.legacy_user_id = account.id)
                UNION ALL
                 SELECT u.id
                   FROM public.users u
                  WHERE ((private.normalise_email(u.email) = m.address) AND (by_member.id IS NULL))) x
          WHERE ((m.address <> ''::text) AND (twin.n = 1) AND (account.n = 1) AND (by_member.legacy_user_id IS DISTINCT FROM account.id))) other)
     LEFT JOIN LATERAL ( SELECT u.id,
            u.member_id,
            u.legacy_user_id
           FROM public.users u
          WHERE ((u.id = COALESCE(by_member.id, other.id)) AND (account.n = 1))) p ON (true))
     LEFT JOIN LATERAL ( SELECT x.person_id,
            x.user_id
           FROM public.mentors x
          WHERE (x.person_id = p.id)
        UNION ALL
         SELECT x.person_id,
            x.user_id
           FROM public.mentors x
          WHERE ((x.user_id = account.id) AND (account.n = 1) AND (x.person_id IS DISTINCT FROM p.id))
 LIMIT 1) t ON (true))
     CROSS JOIN LATERAL ( SELECT
                CASE
                    WHEN (twin.n > 1) THEN 'another member has the same e-mail address'::text
                    WHEN (account.n > 1) THEN 'more than one account has this e-mail address'::text
                    WHEN (account.n = 0) THEN NULL::text
                    WHEN ((other.n > 1) OR ((by_member.id IS NOT NULL) AND (other.n > 0))) THEN 'more than one person has this account or e-mail address'::text
                    WHEN ((p.member_id <> m.id) AND (EXISTS ( SELECT
                       FROM public.members x
                      WHERE (x.id = p.member_id)
                     OFFSET 0))) THEN 'the person with this account belongs to another member'::text
                    WHEN ((p.legacy_user_id <> account.id) AND (EXISTS ( SELECT
                       FROM public.users_user x
                      WHERE (x.id = p.legacy_user_id)
                     OFFSET 0))) THEN 'the person belongs to another account'::text
                    WHEN ((t.person_id IS NOT NULL) AND (t.person_id IS DISTINCT FROM p.id)) THEN 'the mentor with this account belongs to another person'::text
                    WHEN ((t.user_id <> account.id) AND (EXISTS ( SELECT
                       FROM public.users_user x
                      WHERE (x.id = t.user_id)
                     OFFSET 0))) THEN 'the mentor of this person has another account'::text
                    ELSE NULL::text
                END AS problem) verdict);

COMMENT ON VIEW public.v_members_without_mentor IS 'Active members of type mentor who have no mentor profile, and why.';

COMMENT ON COLUMN public.v_members_without_mentor.member_id IS 'The member.';

COMMENT ON COLUMN public.v_members_without_mentor.email IS 'Address of the member.';

COMMENT ON COLUMN public.v_members_without_mentor.name IS 'Name of the member.';

COMMENT ON COLUMN public.v_members_without_mentor.state IS 'rejected, ambiguous, no_user or waiting.';

COMMENT ON COLUMN public.v_members_without_mentor.reason IS 'Why, in words.';

CREATE VIEW public.v_mentors_without_account WITH (security_invoker='on') AS
 SELECT mentor_id,
    member_id,
    email,
    name,
        CASE
            WHEN is_gone THEN 'the account is gone'::text
            ELSE 'the account has another e-mail address'::text
        END AS reason
   FROM ( SELECT t.id AS mentor_id,
            m.id AS member_id,
            m.email,
            m.name,
            m.membershiptype,
            (a.id IS NULL) AS is_gone
           FROM (((public.mentors t
             JOIN public.users p ON ((p.id = t.person_id)))
             JOIN public.members m ON ((m.id = p.member_id)))
             LEFT JOIN public.users_user a ON ((a.id = p.legacy_user_id)))
          WHERE (t.is_approved AND t.is_active AND m.is_active AND (a.email IS DISTINCT FROM m.email))
         OFFSET 0) l
  WHERE (private.is_mentor_type(membershiptype) AND (private.normalise_email(email) <> ''::text) AND (NOT (EXISTS ( SELECT
           FROM public.users_user x
          WHERE (private.normalise_email(x.email) = private.normalise_email(l.email))
         OFFSET 0))));

COMMENT ON VIEW public.v_mentors_without_account IS 'Listed mentors whose member''s address no account has any more. They stay listed.';

COMMENT ON COLUMN public.v_mentors_without_account.mentor_id IS 'The mentor.';

COMMENT ON COLUMN public.v_mentors_without_account.member_id IS 'The member.';

COMMENT ON COLUMN public.v_mentors_without_account.email IS 'Address of the member.';

COMMENT ON COLUMN public.v_mentors_without_account.name IS 'Name of the member.';

COMMENT ON COLUMN public.v_mentors_without_account.reason IS 'Whether the account is gone or has another address.';

CREATE VIEW public.v_sync_health WITH (security_invoker='on') AS
 SELECT ( SELECT count(*) AS count
           FROM public.members m
          WHERE (m.is_active AND private.is_mentor_type(m.membershiptype))) AS mentor_members,
    ( SELECT count(*) AS count
           FROM public.mentors) AS mentor_profiles,
    ( SELECT count(*) AS count
           FROM public.mentors t
          WHERE (t.is_approved AND t.is_active)) AS listed_mentors,
    without.members_without_mentor,
    without.members_without_account,
    without.members_ambiguous,
    ( SELECT count(*) AS count
           FROM public.v_mentors_without_account) AS mentors_without_account,
    ( SELECT count(*) AS count
           FROM public.sync_rejects) AS rejects,
    last_run.status AS last_status,
    last_run.finished_at AS last_finished_at,
    ( SELECT max(r.finished_at) AS max
           FROM public.job_runs r
          WHERE ((r.job = 'sync_mentor_profiles'::text) AND (r.status = ANY (ARRAY['succeeded'::text, 'partial'::text])) AND ((r.params -> 'dry_run'::text) IS DISTINCT FROM 'true'::jsonb))) AS last_success_at
   FROM (( SELECT count(*) AS members_without_mentor,
            count(*) FILTER (WHERE (w.state = 'no_user'::text)) AS members_without_account,
            count(*) FILTER (WHERE (w.state = 'ambiguous'::text)) AS members_ambiguous
           FROM public.v_members_without_mentor w) without
     LEFT JOIN LATERAL ( SELECT r.status,
            r.finished_at
           FROM public.job_runs r
          WHERE (r.job = 'sync_mentor_profiles'::text)
          ORDER BY r.created_at DESC, r.id
         LIMIT 1) last_run ON (true));

COMMENT ON VIEW public.v_sync_health IS 'One row: how far members and mentors are in step.';

COMMENT ON COLUMN public.v_sync_health.mentor_members IS 'Active members of type mentor.';

COMMENT ON COLUMN public.v_sync_health.mentor_profiles IS 'Rows of mentors.';

COMMENT ON COLUMN public.v_sync_health.listed_mentors IS 'Approved and active mentors.';

COMMENT ON COLUMN public.v_sync_health.members_without_mentor IS 'Active members of type mentor without a profile.';

COMMENT ON COLUMN public.v_sync_health.members_without_account IS 'Those of them whose address no account has.';

COMMENT ON COLUMN public.v_sync_health.members_ambiguous IS 'Those of them whose address or account more than one member, account or person has.';

COMMENT ON COLUMN public.v_sync_health.mentors_without_account IS 'Listed mentors whose member''s address no account has any more.';

COMMENT ON COLUMN public.v_sync_health.rejects IS 'Rows in sync_rejects.';

COMMENT ON COLUMN public.v_sync_health.last_status IS 'Status of the latest sync run.';

COMMENT ON COLUMN public.v_sync_health.last_finished_at IS 'When the latest sync run ended.';

COMMENT ON COLUMN public.v_sync_health.last_success_at IS 'When a sync run last ended well, dry runs left out.';

ALTER TABLE ONLY private.signing_keys
    ADD CONSTRAINT signing_keys_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.calendar_feeds
    ADD CONSTRAINT calendar_feeds_pkey PRIMARY KEY (user_id);

ALTER TABLE ONLY public.calendar_feeds
    ADD CONSTRAINT calendar_feeds_token_key UNIQUE (token);

ALTER TABLE ONLY public.contact_hours
    ADD CONSTRAINT contact_hours_pkey PRIMARY KEY (user_id);

ALTER TABLE ONLY public.contact_preferences
    ADD CONSTRAINT contact_preferences_pkey PRIMARY KEY (user_id, kind);

ALTER TABLE ONLY public.job_alerts
    ADD CONSTRAINT job_alerts_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.job_changes
    ADD CONSTRAINT job_changes_pkey PRIMARY KEY (run_id, chunk, id);

ALTER TABLE ONLY public.job_runs
    ADD CONSTRAINT job_runs_one_a_slot UNIQUE (job, slot);

ALTER TABLE ONLY public.job_runs
    ADD CONSTRAINT job_runs_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.job_schedules
    ADD CONSTRAINT job_schedules_pkey PRIMARY KEY (job);

ALTER TABLE ONLY public.members
    ADD CONSTRAINT members_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.mentors
    ADD CONSTRAINT mentors_person_id_key UNIQUE (person_id);

ALTER TABLE ONLY public.mentors
    ADD CONSTRAINT mentors_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.mentors
    ADD CONSTRAINT mentors_slug_key UNIQUE (slug);

ALTER TABLE ONLY public.mentors
    ADD CONSTRAINT mentors_user_id_key UNIQUE (user_id);

ALTER TABLE ONLY public.mentorship_sessions
    ADD CONSTRAINT mentorship_sessions_pkey PRIMARY KEY (session_id);

ALTER TABLE ONLY public.message_answers
    ADD CONSTRAINT message_answers_pkey PRIMARY KEY (message_id, question);

ALTER TABLE ONLY public.message_outbox
    ADD CONSTRAINT message_outbox_once UNIQUE (kind, recipient, about);

ALTER TABLE ONLY public.message_outbox
    ADD CONSTRAINT message_outbox_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.notifications
    ADD CONSTRAINT notifications_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.program_settings
    ADD CONSTRAINT program_settings_pkey PRIMARY KEY (key);

ALTER TABLE ONLY public.sync_rejects
    ADD CONSTRAINT sync_rejects_pkey PRIMARY KEY (source, source_id);

ALTER TABLE ONLY public.undeliverable_addresses
    ADD CONSTRAINT undeliverable_addresses_pkey PRIMARY KEY (address);

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_auth_user_id_key UNIQUE (auth_user_id);

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_legacy_user_id_key UNIQUE (legacy_user_id);

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_member_id_key UNIQUE (member_id);

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.users_user
    ADD CONSTRAINT users_user_pkey PRIMARY KEY (id);

CREATE INDEX idx_users_mentor_id ON public.users USING btree (mentor_id);

CREATE INDEX job_alerts_open_idx ON public.job_alerts USING btree (created_at) WHERE (acknowledged_at IS NULL);

CREATE INDEX job_alerts_run_idx ON public.job_alerts USING btree (run_id);

CREATE INDEX job_runs_ended_idx ON public.job_runs USING btree (job, finished_at) WHERE (finished_at IS NOT NULL);

CREATE INDEX job_runs_history_idx ON public.job_runs USING btree (created_at DESC, id);

CREATE INDEX job_runs_lease_idx ON public.job_runs USING btree (lease_expires_at) WHERE (status = 'running'::text);

CREATE INDEX job_runs_queued_idx ON public.job_runs USING btree (run_at, id) WHERE (status = 'queued'::text);

CREATE INDEX job_runs_running_idx ON public.job_runs USING btree (job) WHERE (status = 'running'::text);

CREATE INDEX members_normalised_email_idx ON public.members USING btree (private.normalise_email(email));

CREATE INDEX mentorship_sessions_mentor_idx ON public.mentorship_sessions USING btree (mentor_id);

CREATE INDEX mentorship_sessions_scheduled_idx ON public.mentorship_sessions USING btree (scheduled_at);

CREATE INDEX mentorship_sessions_type_idx ON public.mentorship_sessions USING btree (session_type);

CREATE INDEX mentorship_sessions_updated_idx ON public.mentorship_sessions USING btree (updated_at);

CREATE INDEX mentorship_sessions_user_idx ON public.mentorship_sessions USING btree (user_id);

CREATE INDEX message_answers_about_idx ON public.message_answers USING btree (about);

CREATE INDEX message_answers_user_idx ON public.message_answers USING btree (user_id);

CREATE INDEX message_outbox_claimed_idx ON public.message_outbox USING btree (claimed_by);

CREATE INDEX message_outbox_digest_idx ON public.message_outbox USING btree (recipient) WHERE (status = 'digest'::text);

CREATE INDEX message_outbox_provider_idx ON public.message_outbox USING btree (provider_id);

CREATE INDEX message_outbox_queued_idx ON public.message_outbox USING btree (priority DESC, created_at, id) WHERE (status = 'queued'::text);

CREATE INDEX message_outbox_recipient_idx ON public.message_outbox USING btree (recipient, sent_at);

CREATE INDEX message_outbox_sending_idx ON public.message_outbox USING btree (claimed_by) WHERE (status = 'sending'::text);

CREATE INDEX message_outbox_uncertain_idx ON public.message_outbox USING btree (batch, id) WHERE (status = 'uncertain'::text);

CREATE INDEX notifications_user_idx ON public.notifications USING btree (user_id, created_at DESC);

CREATE INDEX undeliverable_addresses_message_idx ON public.undeliverable_addresses USING btree (message_id);

CREATE INDEX users_normalised_email_idx ON public.users USING btree (private.normalise_email(email));

CREATE INDEX users_user_normalised_email_idx ON public.users_user USING btree (private.normalise_email(email));

CREATE TRIGGER mentor_sync_alerts AFTER UPDATE ON public.job_runs FOR EACH ROW WHEN (((new.status = ANY (ARRAY['failed'::text, 'dead'::text, 'awaiting_approval'::text])) AND (old.status IS DISTINCT FROM new.status))) EXECUTE FUNCTION private.run_needs_somebody();

CREATE TRIGGER mentor_sync_completed BEFORE INSERT ON public.job_runs FOR EACH ROW EXECUTE FUNCTION private.complete_run();

CREATE TRIGGER mentor_sync_edited BEFORE UPDATE ON public.job_schedules FOR EACH ROW WHEN (((((((((((((((old.cron IS DISTINCT FROM new.cron) OR (old.timezone IS DISTINCT FROM new.timezone)) OR (old.enabled IS DISTINCT FROM new.enabled)) OR (old.params IS DISTINCT FROM new.params)) OR (old.catch_up IS DISTINCT FROM new.catch_up)) OR (old.max_age_seconds IS DISTINCT FROM new.max_age_seconds)) OR (old.coalesce_slots IS DISTINCT FROM new.coalesce_slots)) OR (old.max_concurrent IS DISTINCT FROM new.max_concurrent)) OR (old.jitter_seconds IS DISTINCT FROM new.jitter_seconds)) OR (old.timeout_seconds IS DISTINCT FROM new.timeout_seconds)) OR (old.lease_seconds IS DISTINCT FROM new.lease_seconds)) OR (old.max_attempts IS DISTINCT FROM new.max_attempts)) OR (old.max_change_ratio IS DISTINCT FROM new.max_change_ratio)) OR (old.keep_days IS DISTINCT FROM new.keep_days))) EXECUTE FUNCTION private.schedule_edited();

CREATE TRIGGER mentor_sync_forgotten AFTER DELETE ON public.job_runs REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION private.forget_changes();

CREATE TRIGGER mentor_sync_gone AFTER DELETE ON public.mentorship_sessions FOR EACH ROW WHEN ((old.status = 'SCHEDULED'::text)) EXECUTE FUNCTION private.session_changed();

CREATE TRIGGER mentor_sync_inserted AFTER INSERT ON public.members REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION private.members_changed();

CREATE TRIGGER mentor_sync_inserted AFTER INSERT ON public.users_user REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION private.accounts_changed();

CREATE TRIGGER mentor_sync_log_deleted AFTER DELETE ON public.mentors REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION private.log_changes('id', 'user_id', 'person_id', 'slug', 'bio', 'expertise', 'is_approved', 'is_active', 'rating', 'rating_count', 'total_sessions', 'version', 'capacity', 'availability', 'timezone', 'domain', 'experience_years', 'teaching_style', 'synced', 'created_at');

CREATE TRIGGER mentor_sync_log_deleted AFTER DELETE ON public.users REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION private.log_changes('id', 'email', 'full_name', 'role', 'status', 'auth_user_id', 'legacy_user_id', 'member_id', 'mentor_id', 'timezone', 'country', 'city', 'contact_preference', 'locale', 'created_at');

CREATE TRIGGER mentor_sync_log_inserted AFTER INSERT ON public.mentors REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION private.log_changes('id', 'user_id', 'person_id', 'slug', 'bio', 'expertise', 'is_approved', 'is_active', 'rating', 'rating_count', 'total_sessions', 'version', 'capacity', 'availability', 'timezone', 'domain', 'experience_years', 'teaching_style', 'synced', 'created_at');

CREATE TRIGGER mentor_sync_log_inserted AFTER INSERT ON public.users REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION private.log_changes('id', 'email', 'full_name', 'role', 'status', 'auth_user_id', 'legacy_user_id', 'member_id', 'mentor_id', 'timezone', 'country', 'city', 'contact_preference', 'locale', 'created_at');

CREATE TRIGGER mentor_sync_log_updated AFTER UPDATE ON public.mentors REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION private.log_changes('id', 'user_id', 'person_id', 'slug', 'bio', 'expertise', 'is_approved', 'is_active', 'rating', 'rating_count', 'total_sessions', 'version', 'capacity', 'availability', 'timezone', 'domain', 'experience_years', 'teaching_style', 'synced', 'created_at');

CREATE TRIGGER mentor_sync_log_updated AFTER UPDATE ON public.users REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION private.log_changes('id', 'email', 'full_name', 'role', 'status', 'auth_user_id', 'legacy_user_id', 'member_id', 'mentor_id', 'timezone', 'country', 'city', 'contact_preference', 'locale', 'created_at');

CREATE TRIGGER mentor_sync_mailed AFTER INSERT ON public.job_alerts FOR EACH ROW EXECUTE FUNCTION private.mail_alert();

CREATE TRIGGER mentor_sync_rescheduled AFTER UPDATE ON public.mentorship_sessions FOR EACH ROW WHEN (((old.calendar_sequence <> new.calendar_sequence) OR (old.status <> new.status))) EXECUTE FUNCTION private.session_changed();

CREATE TRIGGER mentor_sync_scheduled AFTER INSERT ON public.mentorship_sessions FOR EACH ROW WHEN ((new.status = 'SCHEDULED'::text)) EXECUTE FUNCTION private.session_changed();

CREATE TRIGGER mentor_sync_seen_to AFTER UPDATE ON public.job_runs FOR EACH ROW WHEN (((old.status = ANY (ARRAY['failed'::text, 'dead'::text, 'awaiting_approval'::text])) AND (old.status IS DISTINCT FROM new.status))) EXECUTE FUNCTION private.run_was_seen_to();

CREATE TRIGGER mentor_sync_sequence BEFORE UPDATE ON public.mentorship_sessions FOR EACH ROW WHEN ((((old.status <> 'SCHEDULED'::text) AND (new.status = 'SCHEDULED'::text)) OR ((old.status = 'SCHEDULED'::text) AND (((((((((old.scheduled_at IS DISTINCT FROM new.scheduled_at) OR (old.ends_at IS DISTINCT FROM new.ends_at)) OR (old.session_duration_minutes IS DISTINCT FROM new.session_duration_minutes)) OR (old.meeting_url IS DISTINCT FROM new.meeting_url)) OR (old.title IS DISTINCT FROM new.title)) OR (old.mentor_id IS DISTINCT FROM new.mentor_id)) OR (old.user_id IS DISTINCT FROM new.user_id)) OR (old.is_deleted IS DISTINCT FROM new.is_deleted)) OR (new.status = ANY (ARRAY['PENDING'::text, 'CANCELLED'::text])))))) EXECUTE FUNCTION private.count_calendar_change();

CREATE TRIGGER mentor_sync_settled BEFORE UPDATE ON public.job_runs FOR EACH ROW WHEN (((old.status IS DISTINCT FROM new.status) OR (old.approved <> new.approved))) EXECUTE FUNCTION private.settle_run();

CREATE TRIGGER mentor_sync_touch BEFORE UPDATE ON public.contact_preferences FOR EACH ROW WHEN ((old.* IS DISTINCT FROM new.*)) EXECUTE FUNCTION private.touch_updated_at();

CREATE TRIGGER mentor_sync_touch BEFORE UPDATE ON public.mentors FOR EACH ROW WHEN (((((((((((((((old.slug IS DISTINCT FROM new.slug) OR (old.bio IS DISTINCT FROM new.bio)) OR (old.expertise IS DISTINCT FROM new.expertise)) OR (old.is_approved IS DISTINCT FROM new.is_approved)) OR (old.is_active IS DISTINCT FROM new.is_active)) OR (old.rating IS DISTINCT FROM new.rating)) OR (old.rating_count IS DISTINCT FROM new.rating_count)) OR (old.total_sessions IS DISTINCT FROM new.total_sessions)) OR (old.capacity IS DISTINCT FROM new.capacity)) OR (old.availability IS DISTINCT FROM new.availability)) OR (old.timezone IS DISTINCT FROM new.timezone)) OR (old.domain IS DISTINCT FROM new.domain)) OR (old.experience_years IS DISTINCT FROM new.experience_years)) OR (old.teaching_style IS DISTINCT FROM new.teaching_style))) EXECUTE FUNCTION private.touch_updated_at();

CREATE TRIGGER mentor_sync_touch BEFORE UPDATE ON public.mentorship_sessions FOR EACH ROW WHEN ((old.* IS DISTINCT FROM new.*)) EXECUTE FUNCTION private.touch_updated_at();

CREATE TRIGGER mentor_sync_touch BEFORE UPDATE ON public.program_settings FOR EACH ROW WHEN ((old.* IS DISTINCT FROM new.*)) EXECUTE FUNCTION private.touch_updated_at();

CREATE TRIGGER mentor_sync_touch BEFORE UPDATE ON public.users FOR EACH ROW WHEN (((((((((((old.email IS DISTINCT FROM new.email) OR (old.full_name IS DISTINCT FROM new.full_name)) OR (old.role IS DISTINCT FROM new.role)) OR (old.status IS DISTINCT FROM new.status)) OR (old.mentor_id IS DISTINCT FROM new.mentor_id)) OR (old.timezone IS DISTINCT FROM new.timezone)) OR (old.country IS DISTINCT FROM new.country)) OR (old.city IS DISTINCT FROM new.city)) OR (old.contact_preference IS DISTINCT FROM new.contact_preference)) OR (old.locale IS DISTINCT FROM new.locale))) EXECUTE FUNCTION private.touch_updated_at();

CREATE TRIGGER mentor_sync_updated AFTER UPDATE ON public.members REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION private.members_changed();

CREATE TRIGGER mentor_sync_updated AFTER UPDATE ON public.users_user REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION private.accounts_changed();

ALTER TABLE ONLY public.calendar_feeds
    ADD CONSTRAINT calendar_feeds_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.contact_hours
    ADD CONSTRAINT contact_hours_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.contact_preferences
    ADD CONSTRAINT contact_preferences_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.job_alerts
    ADD CONSTRAINT job_alerts_run_id_fkey FOREIGN KEY (run_id) REFERENCES public.job_runs(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.job_runs
    ADD CONSTRAINT job_runs_job_fkey FOREIGN KEY (job) REFERENCES public.job_schedules(job) ON UPDATE CASCADE;

ALTER TABLE ONLY public.mentors
    ADD CONSTRAINT mentors_person_id_fkey FOREIGN KEY (person_id) REFERENCES public.users(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.mentors
    ADD CONSTRAINT mentors_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users_user(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.mentorship_sessions
    ADD CONSTRAINT mentorship_sessions_mentor_id_fkey FOREIGN KEY (mentor_id) REFERENCES public.users(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.mentorship_sessions
    ADD CONSTRAINT mentorship_sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.message_answers
    ADD CONSTRAINT message_answers_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.message_outbox
    ADD CONSTRAINT message_outbox_claimed_by_fkey FOREIGN KEY (claimed_by) REFERENCES public.job_runs(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.message_outbox
    ADD CONSTRAINT message_outbox_recipient_fkey FOREIGN KEY (recipient) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.notifications
    ADD CONSTRAINT notifications_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.undeliverable_addresses
    ADD CONSTRAINT undeliverable_addresses_message_id_fkey FOREIGN KEY (message_id) REFERENCES public.message_outbox(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_auth_user_id_fkey FOREIGN KEY (auth_user_id) REFERENCES auth.users(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_mentor_id_fkey FOREIGN KEY (mentor_id) REFERENCES public.users(id) ON DELETE SET NULL;

ALTER TABLE private.signing_keys ENABLE ROW LEVEL SECURITY;

CREATE POLICY "Admins read the alerts" ON public.job_alerts FOR SELECT TO authenticated USING (( SELECT private.is_admin() AS is_admin));

CREATE POLICY "Admins read the changes" ON public.job_changes FOR SELECT TO authenticated USING (( SELECT private.is_admin() AS is_admin));

CREATE POLICY "Admins read the rejects" ON public.sync_rejects FOR SELECT TO authenticated USING (( SELECT private.is_admin() AS is_admin));

CREATE POLICY "Admins read the runs" ON public.job_runs FOR SELECT TO authenticated USING (( SELECT private.is_admin() AS is_admin));

CREATE POLICY "Admins read the schedules" ON public.job_schedules FOR SELECT TO authenticated USING (( SELECT private.is_admin() AS is_admin));

CREATE POLICY "Both sides read their sessions, admins all" ON public.mentorship_sessions FOR SELECT TO authenticated USING (((((mentor_id = ( SELECT private.current_user_id() AS current_user_id)) OR (user_id = ( SELECT private.current_user_id() AS current_user_id))) AND (NOT is_deleted)) OR ( SELECT private.is_admin() AS is_admin)));

CREATE POLICY "Mentors change their own row" ON public.mentors FOR UPDATE TO authenticated USING ((person_id = ( SELECT private.current_user_id() AS current_user_id))) WITH CHECK ((person_id = ( SELECT private.current_user_id() AS current_user_id)));

CREATE POLICY "Mentors read their own row, admins every row" ON public.mentors FOR SELECT TO authenticated USING (((person_id = ( SELECT private.current_user_id() AS current_user_id)) OR ( SELECT private.is_admin() AS is_admin)));

CREATE POLICY "People add their own preferences" ON public.contact_preferences FOR INSERT TO authenticated WITH CHECK ((user_id = ( SELECT private.current_user_id() AS current_user_id)));

CREATE POLICY "People add their own quiet hours" ON public.contact_hours FOR INSERT TO authenticated WITH CHECK ((user_id = ( SELECT private.current_user_id() AS current_user_id)));

CREATE POLICY "People change their own preferences" ON public.contact_preferences FOR UPDATE TO authenticated USING ((user_id = ( SELECT private.current_user_id() AS current_user_id))) WITH CHECK ((user_id = ( SELECT private.current_user_id() AS current_user_id)));

CREATE POLICY "People change their own quiet hours" ON public.contact_hours FOR UPDATE TO authenticated USING ((user_id = ( SELECT private.current_user_id() AS current_user_id))) WITH CHECK ((user_id = ( SELECT private.current_user_id() AS current_user_id)));

CREATE POLICY "People change their own row" ON public.users FOR UPDATE TO authenticated USING ((id = ( SELECT private.current_user_id() AS current_user_id))) WITH CHECK ((id = ( SELECT private.current_user_id() AS current_user_id)));

CREATE POLICY "People drop their own preferences" ON public.contact_preferences FOR DELETE TO authenticated USING ((user_id = ( SELECT private.current_user_id() AS current_user_id)));

CREATE POLICY "People drop their own quiet hours" ON public.contact_hours FOR DELETE TO authenticated USING ((user_id = ( SELECT private.current_user_id() AS current_user_id)));

CREATE POLICY "People end their own calendar" ON public.calendar_feeds FOR DELETE TO authenticated USING ((user_id = ( SELECT private.current_user_id() AS current_user_id)));

CREATE POLICY "People mark their own notifications as read" ON public.notifications FOR UPDATE TO authenticated USING ((user_id = ( SELECT private.current_user_id() AS current_user_id))) WITH CHECK ((user_id = ( SELECT private.current_user_id() AS current_user_id)));

CREATE POLICY "People read their own answers, admins all" ON public.message_answers FOR SELECT TO authenticated USING (((user_id = ( SELECT private.current_user_id() AS current_user_id)) OR ( SELECT private.is_admin() AS is_admin)));

CREATE POLICY "People read their own notifications" ON public.notifications FOR SELECT TO authenticated USING ((user_id = ( SELECT private.current_user_id() AS current_user_id)));

CREATE POLICY "People read their own preferences" ON public.contact_preferences FOR SELECT TO authenticated USING ((user_id = ( SELECT private.current_user_id() AS current_user_id)));

CREATE POLICY "People read their own quiet hours" ON public.contact_hours FOR SELECT TO authenticated USING ((user_id = ( SELECT private.current_user_id() AS current_user_id)));

CREATE POLICY "People read their own secret" ON public.calendar_feeds FOR SELECT TO authenticated USING ((user_id = ( SELECT private.current_user_id() AS current_user_id)));

CREATE POLICY "People read themselves and their students, admins everybody" ON public.users FOR SELECT TO authenticated USING (((id = ( SELECT private.current_user_id() AS current_user_id)) OR (mentor_id = ( SELECT private.current_user_id() AS current_user_id)) OR ( SELECT private.is_admin() AS is_admin)));

ALTER TABLE public.calendar_feeds ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.contact_hours ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.contact_preferences ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.job_alerts ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.job_changes ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.job_runs ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.job_schedules ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.members ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.mentors ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.mentorship_sessions ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.message_answers ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.message_outbox ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.notifications ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.program_settings ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.sync_rejects ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.undeliverable_addresses ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.users ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.users_user ENABLE ROW LEVEL SECURITY;

GRANT USAGE ON SCHEMA private TO PUBLIC;

REVOKE ALL ON FUNCTION private.accounts_changed() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.add_counts(p_left jsonb, p_right jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.answer_message(p_token text) FROM PUBLIC;
GRANT ALL ON FUNCTION private.answer_message(p_token text) TO anon;
GRANT ALL ON FUNCTION private.answer_message(p_token text) TO authenticated;
GRANT ALL ON FUNCTION private.answer_message(p_token text) TO service_role;

REVOKE ALL ON FUNCTION private.answer_tokens(p_message_id uuid, p_data jsonb, p_created_at timestamp with time zone, p_expires_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION private.answer_tokens(p_message_id uuid, p_data jsonb, p_created_at timestamp with time zone, p_expires_at timestamp with time zone) TO service_role;

REVOKE ALL ON FUNCTION private.apply_members(p_ids uuid[], p_auto_approve boolean) FROM PUBLIC;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.job_runs TO service_role;
GRANT SELECT ON TABLE public.job_runs TO authenticated;

REVOKE ALL ON FUNCTION private.assert_run(p_run_id uuid, p_fence bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION private.assert_run(p_run_id uuid, p_fence bigint) TO service_role;

REVOKE ALL ON FUNCTION private.auth_user_changed() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.auto_approve() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.calendar_feed(p_token uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION private.calendar_feed(p_token uuid) TO anon;
GRANT ALL ON FUNCTION private.calendar_feed(p_token uuid) TO authenticated;
GRANT ALL ON FUNCTION private.calendar_feed(p_token uuid) TO service_role;

REVOKE ALL ON FUNCTION private.change_log_kept() FROM PUBLIC;
GRANT ALL ON FUNCTION private.change_log_kept() TO service_role;

REVOKE ALL ON FUNCTION private.change_run(p_run_id uuid, p_to text, p_from text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION private.change_run(p_run_id uuid, p_to text, p_from text[]) TO service_role;

REVOKE ALL ON FUNCTION private.channel_for(p_user_id uuid, p_kind text) FROM PUBLIC;
GRANT ALL ON FUNCTION private.channel_for(p_user_id uuid, p_kind text) TO service_role;

REVOKE ALL ON FUNCTION private.check_deferred() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.complete_run() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.count_calendar_change() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.create_notification(p_user_id uuid, p_type text, p_title text, p_message text, p_metadata jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION private.create_notification(p_user_id uuid, p_type text, p_title text, p_message text, p_metadata jsonb) TO authenticated;
GRANT ALL ON FUNCTION private.create_notification(p_user_id uuid, p_type text, p_title text, p_message text, p_metadata jsonb) TO service_role;

REVOKE ALL ON FUNCTION private.current_user_id() FROM PUBLIC;
GRANT ALL ON FUNCTION private.current_user_id() TO authenticated;
GRANT ALL ON FUNCTION private.current_user_id() TO service_role;

REVOKE ALL ON FUNCTION private.departures(OUT stopping bigint, OUT active bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.departures_allowed(p_active bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.directory_page(p_expertise text, p_limit integer, p_offset bigint, OUT ids uuid[], OUT total bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION private.directory_page(p_expertise text, p_limit integer, p_offset bigint, OUT ids uuid[], OUT total bigint) TO anon;
GRANT ALL ON FUNCTION private.directory_page(p_expertise text, p_limit integer, p_offset bigint, OUT ids uuid[], OUT total bigint) TO authenticated;
GRANT ALL ON FUNCTION private.directory_page(p_expertise text, p_limit integer, p_offset bigint, OUT ids uuid[], OUT total bigint) TO service_role;

REVOKE ALL ON FUNCTION private.due_messages(p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION private.due_messages(p_limit integer) TO service_role;

REVOKE ALL ON FUNCTION private.forget_changes() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.forget_departed(p_after uuid, p_until uuid, p_ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.hash_of_rest(p_row jsonb, p_logged text[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.held_back(p_ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.hmac_pad(p_key bytea, p_byte integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.holders_of(p_session_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.is_admin() FROM PUBLIC;
GRANT ALL ON FUNCTION private.is_admin() TO authenticated;
GRANT ALL ON FUNCTION private.is_admin() TO service_role;

REVOKE ALL ON FUNCTION private.is_mentor_type(p_membershiptype text) FROM PUBLIC;
GRANT ALL ON FUNCTION private.is_mentor_type(p_membershiptype text) TO service_role;

REVOKE ALL ON FUNCTION private.is_rows_fault(p_code text, p_context text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.is_signed_by(p_key text, p_headers jsonb, p_body text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.keep_rejects(p_ids uuid[], p_outcomes private.sync_outcome[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.kind_enabled(p_kind text) FROM PUBLIC;
GRANT ALL ON FUNCTION private.kind_enabled(p_kind text) TO service_role;

REVOKE ALL ON FUNCTION private.known_zone(p_zone text) FROM PUBLIC;
GRANT ALL ON FUNCTION private.known_zone(p_zone text) TO service_role;

REVOKE ALL ON FUNCTION private.limit_waits(p_deadline timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.link_auth_users(p_addresses text[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.log_changes() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.mail_alert() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.members_changed() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.members_page(p_after uuid, p_limit integer, p_email text, p_only_rejected boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.mentor_bio(p_experience text, p_occupation text, p_jobtitle text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.mentor_directory(p_ids uuid[]) FROM PUBLIC;
GRANT ALL ON FUNCTION private.mentor_directory(p_ids uuid[]) TO anon;
GRANT ALL ON FUNCTION private.mentor_directory(p_ids uuid[]) TO authenticated;
GRANT ALL ON FUNCTION private.mentor_directory(p_ids uuid[]) TO service_role;

REVOKE ALL ON FUNCTION private.mentor_expertise(p_area text, p_industry text, p_skills text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.mentor_members_with(p_addresses text[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.next_runs(p_limit integer, p_jobs text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION private.next_runs(p_limit integer, p_jobs text[]) TO service_role;

REVOKE ALL ON FUNCTION private.next_step(p_step integer, p_began timestamp with time zone, p_deadline timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.note_undeliverable(p_event jsonb, p_status text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.notify_in_app(p_recipient uuid, p_kind text, p_data jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION private.notify_in_app(p_recipient uuid, p_kind text, p_data jsonb) TO service_role;

REVOKE ALL ON FUNCTION private.number_setting(p_key text, p_default integer) FROM PUBLIC;
GRANT ALL ON FUNCTION private.number_setting(p_key text, p_default integer) TO service_role;

REVOKE ALL ON FUNCTION private.open_jobs(p_jobs text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION private.open_jobs(p_jobs text[]) TO service_role;

REVOKE ALL ON FUNCTION private.outcome_counts(p_outcomes private.sync_outcome[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.outcome_records(p_outcomes private.sync_outcome[], p_most integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.page_url(p_path text) FROM PUBLIC;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.mentorship_sessions TO service_role;
GRANT SELECT ON TABLE public.mentorship_sessions TO authenticated;

REVOKE ALL ON FUNCTION private.queue_invitation(p_session public.mentorship_sessions, p_person uuid, p_other uuid, p_change text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.queue_reminders(p_session public.mentorship_sessions, p_person uuid, p_other uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.queue_session_mail(p_was public.mentorship_sessions, p_session public.mentorship_sessions, p_stands boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.quiet_until(p_now timestamp with time zone, p_zone text, p_from time without time zone, p_until time without time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION private.quiet_until(p_now timestamp with time zone, p_zone text, p_from time without time zone, p_until time without time zone) TO service_role;

REVOKE ALL ON FUNCTION private.receive_resend_event(p_body text, p_headers jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION private.receive_resend_event(p_body text, p_headers jsonb) TO anon;
GRANT ALL ON FUNCTION private.receive_resend_event(p_body text, p_headers jsonb) TO authenticated;
GRANT ALL ON FUNCTION private.receive_resend_event(p_body text, p_headers jsonb) TO service_role;

REVOKE ALL ON FUNCTION private.referring_expression(p_relation regclass) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.reject_quietly(p_ids uuid[], p_reason text, p_code text, p_deadline timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.require_approval(p_run public.job_runs, p_stopped bigint, p_max_changes integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.require_undoable(p_of uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.rescue_messages() FROM PUBLIC;
GRANT ALL ON FUNCTION private.rescue_messages() TO service_role;

REVOKE ALL ON FUNCTION private.rescue_runs() FROM PUBLIC;
GRANT ALL ON FUNCTION private.rescue_runs() TO service_role;

REVOKE ALL ON FUNCTION private.reset_calendar_feed() FROM PUBLIC;
GRANT ALL ON FUNCTION private.reset_calendar_feed() TO authenticated;

REVOKE ALL ON FUNCTION private.retry_delay(p_attempt integer) FROM PUBLIC;
GRANT ALL ON FUNCTION private.retry_delay(p_attempt integer) TO service_role;

REVOKE ALL ON FUNCTION private.route(p_kind text, p_recipient uuid, p_data jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION private.route(p_kind text, p_recipient uuid, p_data jsonb) TO service_role;

REVOKE ALL ON FUNCTION private.run_needs_somebody() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.run_was_seen_to() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.schedule_edited() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.schema_version() FROM PUBLIC;
GRANT ALL ON FUNCTION private.schema_version() TO service_role;

REVOKE ALL ON FUNCTION private.sees_everything() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.session_changed() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.session_end(p_session public.mentorship_sessions) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.session_event(p_session public.mentorship_sessions) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.session_mail(p_session public.mentorship_sessions, p_other uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.session_title(p_session public.mentorship_sessions) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.set_resend_secret(p_secret text) FROM PUBLIC;
GRANT ALL ON FUNCTION private.set_resend_secret(p_secret text) TO service_role;

REVOKE ALL ON FUNCTION private.set_signing_key(p_name text, p_key bytea) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.settle_lost(p_outcomes private.sync_outcome[], p_auto_approve boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.settle_run() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.signature(p_key text, p_message bytea) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.signed(p_purpose text, p_payload text) FROM PUBLIC;
GRANT ALL ON FUNCTION private.signed(p_purpose text, p_payload text) TO service_role;

REVOKE ALL ON FUNCTION private.slug(p_name text, p_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.stop_departed(p_after uuid, p_until uuid, p_ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.sync_chunk(p_run_id uuid, p_fence bigint, p_after uuid, p_limit integer, p_dry_run boolean, p_auto_approve boolean, p_email text, p_only_rejected boolean, p_max_changes integer, p_records integer) FROM PUBLIC;
GRANT ALL ON FUNCTION private.sync_chunk(p_run_id uuid, p_fence bigint, p_after uuid, p_limit integer, p_dry_run boolean, p_auto_approve boolean, p_email text, p_only_rejected boolean, p_max_changes integer, p_records integer) TO service_role;

REVOKE ALL ON FUNCTION private.sync_members(p_ids uuid[], p_auto_approve boolean, p_deadline timestamp with time zone, OUT outcomes private.sync_outcome[], OUT taken integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.sync_one(p_member_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION private.sync_one(p_member_id uuid) TO authenticated;
GRANT ALL ON FUNCTION private.sync_one(p_member_id uuid) TO service_role;

REVOKE ALL ON FUNCTION private.sync_quietly(p_ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.sync_set_quietly(p_ids uuid[], p_deadline timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.take_runs(p_worker text, p_ids uuid[]) FROM PUBLIC;
GRANT ALL ON FUNCTION private.take_runs(p_worker text, p_ids uuid[]) TO service_role;

REVOKE ALL ON FUNCTION private.text_setting(p_key text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.too_late_to_begin(p_deadline timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.touch_updated_at() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.trigger_deadline() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.try_members(p_ids uuid[], p_auto_approve boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.uncertain_messages() FROM PUBLIC;
GRANT ALL ON FUNCTION private.uncertain_messages() TO service_role;

REVOKE ALL ON FUNCTION private.undo_changes(p_run_id uuid, p_fence bigint, p_of uuid, p_before bigint, p_limit integer, p_dry_run boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION private.undo_changes(p_run_id uuid, p_fence bigint, p_of uuid, p_before bigint, p_limit integer, p_dry_run boolean) TO service_role;

REVOKE ALL ON FUNCTION private.undo_chunk(p_of uuid, p_chunk bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.undo_table(p_of uuid, p_chunk bigint, p_relation text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.unsigned(p_purpose text, p_token text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.unsubscribe(p_token text) FROM PUBLIC;
GRANT ALL ON FUNCTION private.unsubscribe(p_token text) TO anon;
GRANT ALL ON FUNCTION private.unsubscribe(p_token text) TO authenticated;
GRANT ALL ON FUNCTION private.unsubscribe(p_token text) TO service_role;

REVOKE ALL ON FUNCTION private.unsubscribe_token(p_user_id uuid, p_kind text) FROM PUBLIC;
GRANT ALL ON FUNCTION private.unsubscribe_token(p_user_id uuid, p_kind text) TO service_role;

REVOKE ALL ON FUNCTION private.was_cancelled(p_code text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.withdraw_session_mail(p_session_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.accept_schedules(p_verdicts jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION public.accept_schedules(p_verdicts jsonb) TO service_role;

REVOKE ALL ON FUNCTION public.answer_message(p_token text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.answer_message(p_token text) TO anon;
GRANT ALL ON FUNCTION public.answer_message(p_token text) TO authenticated;
GRANT ALL ON FUNCTION public.answer_message(p_token text) TO service_role;

REVOKE ALL ON FUNCTION public.approve_run(p_run_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.approve_run(p_run_id uuid) TO service_role;

REVOKE ALL ON FUNCTION public.calendar_feed(p_token uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.calendar_feed(p_token uuid) TO anon;
GRANT ALL ON FUNCTION public.calendar_feed(p_token uuid) TO authenticated;
GRANT ALL ON FUNCTION public.calendar_feed(p_token uuid) TO service_role;

REVOKE ALL ON FUNCTION public.cancel_run(p_run_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.cancel_run(p_run_id uuid) TO service_role;

REVOKE ALL ON FUNCTION public.changes_of_run(p_run_id uuid, p_after_chunk bigint, p_after bigint, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.changes_of_run(p_run_id uuid, p_after_chunk bigint, p_after bigint, p_limit integer) TO service_role;

REVOKE ALL ON FUNCTION public.claim_messages(p_run_id uuid, p_fence bigint, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.claim_messages(p_run_id uuid, p_fence bigint, p_limit integer) TO service_role;

REVOKE ALL ON FUNCTION public.claim_runs(p_worker text, p_limit integer, p_run_id uuid, p_jobs text[], p_holding uuid[]) FROM PUBLIC;
GRANT ALL ON FUNCTION public.claim_runs(p_worker text, p_limit integer, p_run_id uuid, p_jobs text[], p_holding uuid[]) TO service_role;

REVOKE ALL ON FUNCTION public.compose_digests(p_run_id uuid, p_fence bigint, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.compose_digests(p_run_id uuid, p_fence bigint, p_limit integer) TO service_role;

REVOKE ALL ON FUNCTION public.create_notification(user_id uuid, type text, title text, message text, metadata jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION public.create_notification(user_id uuid, type text, title text, message text, metadata jsonb) TO authenticated;
GRANT ALL ON FUNCTION public.create_notification(user_id uuid, type text, title text, message text, metadata jsonb) TO service_role;

REVOKE ALL ON FUNCTION public.enqueue_run(p_job text, p_params jsonb, p_id uuid, p_max_attempts integer, p_requested_by text, p_worker text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.enqueue_run(p_job text, p_params jsonb, p_id uuid, p_max_attempts integer, p_requested_by text, p_worker text) TO service_role;

REVOKE ALL ON FUNCTION public.enqueue_slots(p_due jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION public.enqueue_slots(p_due jsonb) TO service_role;

REVOKE ALL ON FUNCTION public.find_runs(p_beginning text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.find_runs(p_beginning text) TO service_role;

REVOKE ALL ON FUNCTION public.finish_messages(p_run_id uuid, p_fence bigint, p_results jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION public.finish_messages(p_run_id uuid, p_fence bigint, p_results jsonb) TO service_role;

REVOKE ALL ON FUNCTION public.finish_runs(p_results jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION public.finish_runs(p_results jsonb) TO service_role;

REVOKE ALL ON FUNCTION public.get_mentors_with_member_data() FROM PUBLIC;
GRANT ALL ON FUNCTION public.get_mentors_with_member_data() TO anon;
GRANT ALL ON FUNCTION public.get_mentors_with_member_data() TO authenticated;
GRANT ALL ON FUNCTION public.get_mentors_with_member_data() TO service_role;

REVOKE ALL ON FUNCTION public.heartbeat_run(p_run_id uuid, p_fence bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION public.heartbeat_run(p_run_id uuid, p_fence bigint) TO service_role;

REVOKE ALL ON FUNCTION public.list_mentors(expertise text, page integer, page_size integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.list_mentors(expertise text, page integer, page_size integer) TO anon;
GRANT ALL ON FUNCTION public.list_mentors(expertise text, page integer, page_size integer) TO authenticated;
GRANT ALL ON FUNCTION public.list_mentors(expertise text, page integer, page_size integer) TO service_role;

REVOKE ALL ON FUNCTION public.prune_runs(p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.prune_runs(p_limit integer) TO service_role;

REVOKE ALL ON FUNCTION public.queue_message(p_kind text, p_recipient uuid, p_about text, p_data jsonb, p_priority integer, p_not_before timestamp with time zone, p_expires_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION public.queue_message(p_kind text, p_recipient uuid, p_about text, p_data jsonb, p_priority integer, p_not_before timestamp with time zone, p_expires_at timestamp with time zone) TO service_role;

REVOKE ALL ON FUNCTION public.register_jobs(p_jobs jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION public.register_jobs(p_jobs jsonb) TO service_role;

REVOKE ALL ON FUNCTION public.resend_webhook(json) FROM PUBLIC;
GRANT ALL ON FUNCTION public.resend_webhook(json) TO anon;
GRANT ALL ON FUNCTION public.resend_webhook(json) TO authenticated;
GRANT ALL ON FUNCTION public.resend_webhook(json) TO service_role;

REVOKE ALL ON FUNCTION public.reset_calendar_feed() FROM PUBLIC;
GRANT ALL ON FUNCTION public.reset_calendar_feed() TO authenticated;

REVOKE ALL ON FUNCTION public.retry_run(p_run_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.retry_run(p_run_id uuid) TO service_role;

REVOKE ALL ON FUNCTION public.scheduler_state() FROM PUBLIC;
GRANT ALL ON FUNCTION public.scheduler_state() TO service_role;

REVOKE ALL ON FUNCTION public.set_resend_secret(p_secret text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.set_resend_secret(p_secret text) TO service_role;

REVOKE ALL ON FUNCTION public.supersede_messages(p_about text, p_kinds text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION public.supersede_messages(p_about text, p_kinds text[]) TO service_role;

REVOKE ALL ON FUNCTION public.sync_mentor_from_member(p_member_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.sync_mentor_from_member(p_member_id uuid) TO authenticated;
GRANT ALL ON FUNCTION public.sync_mentor_from_member(p_member_id uuid) TO service_role;

REVOKE ALL ON FUNCTION public.sync_mentor_profiles(p_run_id uuid, p_fence bigint, p_after uuid, p_limit integer, p_dry_run boolean, p_auto_approve boolean, p_email text, p_only_rejected boolean, p_max_changes integer, p_records integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.sync_mentor_profiles(p_run_id uuid, p_fence bigint, p_after uuid, p_limit integer, p_dry_run boolean, p_auto_approve boolean, p_email text, p_only_rejected boolean, p_max_changes integer, p_records integer) TO service_role;

REVOKE ALL ON FUNCTION public.undo_changes(p_run_id uuid, p_fence bigint, p_of uuid, p_before bigint, p_limit integer, p_dry_run boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION public.undo_changes(p_run_id uuid, p_fence bigint, p_of uuid, p_before bigint, p_limit integer, p_dry_run boolean) TO service_role;

REVOKE ALL ON FUNCTION public.unsubscribe(p_token text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.unsubscribe(p_token text) TO anon;
GRANT ALL ON FUNCTION public.unsubscribe(p_token text) TO authenticated;
GRANT ALL ON FUNCTION public.unsubscribe(p_token text) TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.members TO service_role;

GRANT SELECT,DELETE ON TABLE public.calendar_feeds TO authenticated;
GRANT SELECT,DELETE ON TABLE public.calendar_feeds TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.contact_hours TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.contact_hours TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.contact_preferences TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.contact_preferences TO service_role;

GRANT SELECT,DELETE,UPDATE ON TABLE public.job_alerts TO service_role;
GRANT SELECT ON TABLE public.job_alerts TO authenticated;

GRANT SELECT,DELETE ON TABLE public.job_changes TO service_role;
GRANT SELECT ON TABLE public.job_changes TO authenticated;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.job_schedules TO service_role;
GRANT SELECT ON TABLE public.job_schedules TO authenticated;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.mentors TO service_role;
GRANT SELECT ON TABLE public.mentors TO authenticated;

GRANT UPDATE(bio) ON TABLE public.mentors TO authenticated;

GRANT UPDATE(expertise) ON TABLE public.mentors TO authenticated;

GRANT UPDATE(capacity) ON TABLE public.mentors TO authenticated;

GRANT UPDATE(availability) ON TABLE public.mentors TO authenticated;

GRANT UPDATE(timezone) ON TABLE public.mentors TO authenticated;

GRANT UPDATE(domain) ON TABLE public.mentors TO authenticated;

GRANT UPDATE(experience_years) ON TABLE public.mentors TO authenticated;

GRANT UPDATE(teaching_style) ON TABLE public.mentors TO authenticated;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.message_answers TO service_role;
GRANT SELECT ON TABLE public.message_answers TO authenticated;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.message_outbox TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.notifications TO service_role;
GRANT SELECT ON TABLE public.notifications TO authenticated;

GRANT UPDATE(read_at) ON TABLE public.notifications TO authenticated;

GRANT SELECT,INSERT,UPDATE ON TABLE public.program_settings TO service_role;

GRANT SELECT,DELETE ON TABLE public.sync_rejects TO service_role;
GRANT SELECT ON TABLE public.sync_rejects TO authenticated;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.undeliverable_addresses TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.users TO service_role;
GRANT SELECT ON TABLE public.users TO authenticated;

GRANT UPDATE(full_name) ON TABLE public.users TO authenticated;

GRANT UPDATE(timezone) ON TABLE public.users TO authenticated;

GRANT UPDATE(country) ON TABLE public.users TO authenticated;

GRANT UPDATE(city) ON TABLE public.users TO authenticated;

GRANT UPDATE(contact_preference) ON TABLE public.users TO authenticated;

GRANT UPDATE(locale) ON TABLE public.users TO authenticated;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.users_user TO service_role;

GRANT SELECT ON TABLE public.v_members_without_mentor TO service_role;

GRANT SELECT ON TABLE public.v_mentors_without_account TO service_role;

GRANT SELECT ON TABLE public.v_sync_health TO service_role;

CREATE TRIGGER mentor_sync_auth_user_confirmed AFTER UPDATE ON auth.users FOR EACH ROW WHEN (((((old.email)::text IS DISTINCT FROM (new.email)::text) OR (old.email_confirmed_at IS DISTINCT FROM new.email_confirmed_at)) OR (old.is_anonymous IS DISTINCT FROM new.is_anonymous))) EXECUTE FUNCTION private.auth_user_changed();

CREATE TRIGGER mentor_sync_auth_user_inserted AFTER INSERT ON auth.users FOR EACH ROW EXECUTE FUNCTION private.auth_user_changed();
