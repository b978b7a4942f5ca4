-- Sync: active members of type mentor, with an account, become people and mentors.
-- The triggers on members and users_user, the nightly job and the verb for one member all
-- end in private.sync_members(). service_role runs the job; admins may sync one member.

create table public.sync_rejects (
  source text not null,
  source_id text not null,
  reason text not null,
  code text not null,
  rejected_at timestamptz not null default now(),
  primary key (source, source_id),
  constraint sync_rejects_source_known check (source in ('members', 'users_user'))
);

comment on table public.sync_rejects is
  'Rows of the sources that could not be synced, and why. A row goes when its cause has gone.';
comment on column public.sync_rejects.source is 'members or users_user.';
comment on column public.sync_rejects.source_id is 'Its id there.';
comment on column public.sync_rejects.reason is 'What the database said, or what is missing.';
comment on column public.sync_rejects.code is 'SQLSTATE, or MS010 for a row without an address.';
comment on column public.sync_rejects.rejected_at is 'When this reason was first seen.';

alter table public.sync_rejects enable row level security;
revoke all on table public.sync_rejects from public, anon, authenticated, service_role;
grant select, delete on table public.sync_rejects to service_role;
grant select on table public.sync_rejects to authenticated;
create policy "Admins read the rejects" on public.sync_rejects for select to authenticated
using ((select private.is_admin()));

-- The mapping -----------------------------------------------------------------------------

create function private.mentor_bio(p_experience text, p_occupation text, p_jobtitle text)
returns text
language plpgsql immutable parallel safe set search_path = '' as $$
begin
  return nullif(concat_ws(
    ' | ',
    'Experience: ' || nullif(private.trim_space(p_experience), ''),
    'Occupation: ' || nullif(private.trim_space(p_occupation), ''),
    'Job Title: ' || nullif(private.trim_space(p_jobtitle), '')
  ), '');
end
$$;
comment on function private.mentor_bio(text, text, text) is
  'The bio made from a member: the parts that are there; null when none is.';

create function private.mentor_expertise(p_area text, p_industry text, p_skills text)
returns jsonb
language plpgsql immutable parallel safe set search_path = '' as $$
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
comment on function private.mentor_expertise(text, text, text) is
  'The expertise made from a member: area, industry, the first three skills; each once.';

-- The work ----------------------------------------------------------------------------------

create type private.sync_outcome as (
  member_id uuid, email text, name text, outcome text, reason text, code text, mentor_id uuid
);
comment on type private.sync_outcome is
  'What became of one member: created, updated, exists, no_user, ambiguous, inactive, '
  'deactivated or rejected; why; for a rejected one the code of the error.';

-- One statement for a set of members. Every way to a row but the index is switched off, since
-- a plan made while the tables were small would otherwise read them whole for each member; the
-- rows that were just written are looked up in hashed sub-selects. Rows that are as they
-- should be are not touched. "lost" means that somebody else made the row meanwhile.
create function private.apply_members(p_ids uuid[], p_auto_approve boolean)
returns setof private.sync_outcome
language sql volatile
set search_path = ''
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
set enable_memoize = off set jit = off
-- Room for what the steps hand on of a thousand members.
set work_mem = '32MB'
as $$
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
comment on function private.apply_members(uuid[], boolean) is
  'Makes what these members are true in users and mentors, in one statement.';

-- A person whose member is gone stops being a mentor. p_ids are the members that exist
-- between p_after (exclusive) and p_until (inclusive; null: to the end).
create function private.stop_departed(p_after uuid, p_until uuid, p_ids uuid[])
returns setof private.sync_outcome
language sql volatile
set search_path = '' as $$
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
comment on function private.stop_departed(uuid, uuid, uuid[]) is
  'Deactivates the mentors whose member was deleted, within a range of member ids.';

-- The text of an id sorts as the id does where no language has a say.
create function private.forget_departed(p_after uuid, p_until uuid, p_ids uuid[]) returns void
language sql volatile set search_path = '' as $$
  delete from public.sync_rejects as r
  where r.source = 'members'
    and r.source_id collate "C" > coalesce(p_after::text, '')
    and r.source_id collate "C" <= coalesce(p_until::text, 'g')
    and r.source_id not in (select present.id::text from unnest(p_ids) as present (id))
    and not exists (select from public.members as m where m.id = r.source_id::uuid offset 0)
$$;
comment on function private.forget_departed(uuid, uuid, uuid[]) is
  'Forgets the rejects of members who were deleted, within a range of member ids.';

-- Rows that somebody else made while we looked: look again. What is lost twice collides with
-- a row that we cannot see the connection to.
create function private.settle_lost(p_outcomes private.sync_outcome[], p_auto_approve boolean)
returns private.sync_outcome[]
language plpgsql volatile set search_path = '' as $$
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
comment on function private.settle_lost(private.sync_outcome[], boolean) is
  'Decides the members whose row somebody else made at the same moment.';

create function private.keep_rejects(p_ids uuid[], p_outcomes private.sync_outcome[])
returns void
language sql volatile
set search_path = '' set enable_nestloop = off as $$
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
comment on function private.keep_rejects(uuid[], private.sync_outcome[]) is
  'Notes the members that were rejected now, and forgets those that no longer are.';

-- What an operator put off to the end of the transaction would then fail all of it, and with it
-- the statement that fired us. Only constraints of the tables that we write, and only those that
-- begin deferred: whoever deferred another one for a while still needs it so.
create function private.check_deferred() returns void
language plpgsql volatile set search_path = '' as $$
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
comment on function private.check_deferred() is
  'Checks now what the tables mentors and users would check at the end of the transaction.';

-- Errors such as no memory, no disk, a lost lock or the end of the time are no row's fault; what
-- a trigger of somebody raises is, under any code. Its own line of the context says so.
create function private.is_rows_fault(p_code text, p_context text) returns boolean
language sql immutable set search_path = '' as $$
  select left(p_code, 2) not in ('40', '53', '55', '57', '58', 'XX')
    or split_part(p_context, chr(10), 1) ~ '^PL/pgSQL.*\mRAISE\M'
$$;
comment on function private.is_rows_fault(text, text) is
  'Whether an error lies in the rows, so that the others can go on without the one at fault.';

-- One set, all of it or, where a row is at fault, the error. A single row at fault is the
-- outcome. Errors that are no row's fault are the caller's. "Others" leaves out the first two.
create function private.try_members(p_ids uuid[], p_auto_approve boolean)
returns private.sync_outcome[]
language plpgsql volatile set search_path = '' as $$
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
comment on function private.try_members(uuid[], boolean) is
  'The outcomes of a set of members; null when one of several rows is at fault.';

-- Set by set; a set with a row at fault is tried again in smaller ones, down to the row, which
-- is set aside. Stops after p_deadline, having taken at least one set.
create function private.sync_members(
  p_ids uuid[],
  p_auto_approve boolean,
  p_deadline timestamptz,
  out outcomes private.sync_outcome[],
  out taken integer
)
language plpgsql volatile set search_path = '' as $$
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
  -- What matching compares is not all that the directory shows.
  perform private.note_stale_members(p_ids[1 : taken]);
end
$$;
comment on function private.sync_members(uuid[], boolean, timestamptz) is
  'Syncs these members: what became of each, and how many were taken before the deadline.';

-- The job -----------------------------------------------------------------------------------

create function private.outcome_counts(p_outcomes private.sync_outcome[]) returns jsonb
language sql immutable set search_path = '' as $$
  select coalesce(jsonb_object_agg(c.outcome, c.n), '{}')
  from (
    select o.outcome, count(*) as n from unnest(p_outcomes) as o group by o.outcome
  ) as c
$$;
comment on function private.outcome_counts(private.sync_outcome[]) is 'How many of each kind.';

create function private.outcome_records(p_outcomes private.sync_outcome[], p_most integer)
returns jsonb
language sql immutable set search_path = '' as $$
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
comment on function private.outcome_records(private.sync_outcome[], integer) is
  'The outcomes as JSON, in order, at the most so many of each kind.';

-- The members after the cursor, in the order of their ids, or those of them that were set aside;
-- or those with one address.
create function private.members_page(
  p_after uuid, p_limit integer, p_email text, p_only_rejected boolean
) returns uuid[]
language plpgsql stable set search_path = '' as $$
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
comment on function private.members_page(uuid, integer, text, boolean) is
  'The ids of the next members to sync.';

-- A source that was emptied by accident must not empty the directory --------------------------

create function private.departures(out stopping bigint, out active bigint)
language sql stable set search_path = '' as $$
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
comment on function private.departures() is
  'How many active mentors a full sync would stop, and how many there are that it answers for.';

create function private.departures_allowed(p_active bigint) returns bigint
language sql stable set search_path = '' as $$
  select greatest(10, floor(p_active * coalesce(
    (
      select s.max_change_ratio from public.job_schedules as s
      where s.job = 'sync_mentor_profiles'
    ), 0.2
  )))::bigint
$$;
comment on function private.departures_allowed(bigint) is
  'How many of so many mentors may stop at once without somebody being asked.';

create function private.require_approval(
  p_run public.job_runs, p_stopped bigint, p_max_changes integer
) returns void
language plpgsql stable set search_path = '' as $$
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
comment on function private.require_approval(public.job_runs, bigint, integer) is
  'MS005 where a run would stop more mentors than it may without approval.';

-- Definer: the tables of the sources may be closed to service_role. In a dry run the chunk
-- executes like any other, and its subtransaction is rolled back; what it found is kept.
create function private.sync_chunk(
  p_run_id uuid,
  p_fence bigint,
  p_after uuid,
  p_limit integer,
  p_dry_run boolean,
  p_auto_approve boolean,
  p_email text,
  p_only_rejected boolean,
  p_max_changes integer,
  p_records integer
) returns jsonb
language plpgsql volatile security definer set search_path = '' as $$
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
comment on function private.sync_chunk(
  uuid, bigint, uuid, integer, boolean, boolean, text, boolean, integer, integer
) is 'One chunk of the job sync_mentor_profiles.';

create function public.sync_mentor_profiles(
  p_run_id uuid,
  p_fence bigint,
  p_after uuid default null,
  p_limit integer default 20000,
  p_dry_run boolean default false,
  p_auto_approve boolean default null,
  p_email text default null,
  p_only_rejected boolean default false,
  p_max_changes integer default null,
  p_records integer default 20
) returns jsonb
language sql volatile set search_path = '' as $$
  select private.sync_chunk(
    p_run_id, p_fence, p_after, least(greatest(p_limit, 1), 20000), p_dry_run, p_auto_approve,
    p_email, p_only_rejected, p_max_changes, p_records
  )
$$;
comment on function public.sync_mentor_profiles(
  uuid, bigint, uuid, integer, boolean, boolean, text, boolean, integer, integer
) is 'Syncs the members after p_after, p_limit of them: counts, records, the next cursor, done.';

-- Definer, for admins, who may not write mentors themselves.
create function private.sync_one(p_member_id uuid) returns jsonb
language plpgsql volatile security definer set search_path = '' as $$
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
comment on function private.sync_one(uuid) is 'Syncs one member, for those who may.';

create function public.sync_mentor_from_member(p_member_id uuid) returns jsonb
language sql volatile set search_path = '' as $$
  select private.sync_one(p_member_id)
$$;
comment on function public.sync_mentor_from_member(uuid) is
  'Syncs one member by hand: its outcome. For admins.';

-- The triggers ------------------------------------------------------------------------------

-- A fixed point of the statement's time, or a statement that fires us again and again would lose
-- its end bit by bit. transaction_timeout came with version 17. A day stands for no limit.
create function private.trigger_deadline() returns timestamptz
language sql volatile set search_path = '' as $$
  select least(
    statement_timestamp() + nullif(current_setting('statement_timeout')::interval, '0') * 2 / 3,
    transaction_timestamp()
      + nullif(current_setting('transaction_timeout', true)::interval, '0') * 2 / 3,
    clock_timestamp() + interval '1 day'
  )
$$;
comment on function private.trigger_deadline() is
  'Until when a trigger of ours may work without endangering the statement that fired it.';

-- Finding out which rows matter takes up to a third of what writing them took.
create function private.too_late_to_begin(p_deadline timestamptz) returns boolean
language sql volatile set search_path = '' as $$
  select clock_timestamp() + (clock_timestamp() - statement_timestamp()) / 3 >= p_deadline
$$;
comment on function private.too_late_to_begin(timestamptz) is
  'Whether a statement has taken so much of its time that a trigger of ours leaves it alone.';

-- Each wait takes at the most half of what is left. Whoever calls has a lock_timeout of its own
-- in its definition, which puts the caller's back.
create function private.limit_waits(p_deadline timestamptz) returns void
language sql volatile set search_path = '' as $$
  select set_config(
    'lock_timeout',
    greatest(1, least(
      2000, floor(extract(epoch from p_deadline - clock_timestamp()) * 1000 / 2)
    ))::text,
    true
  )
$$;
comment on function private.limit_waits(timestamptz) is
  'Sets how long this function and what it calls wait for a lock: 2 seconds at the most.';

-- The end of the statement's time comes once, and PostgreSQL does not set the alarm again: the
-- trigger that took too long gives up, and the statement goes through. Somebody's cancelling it
-- is not for us to swallow. The time is measured, since messages are translated; the alarm is
-- set when the statement is parsed, which is a little earlier than its timestamp says.
create function private.was_cancelled(p_code text) returns boolean
language sql volatile set search_path = '' as $$
  select p_code = '57014' and coalesce(
    clock_timestamp() - statement_timestamp()
      < nullif(current_setting('statement_timeout')::interval, '0') * 0.9,
    true
  )
$$;
comment on function private.was_cancelled(text) is
  'Whether an error with this code is somebody cancelling the statement.';

-- How many members fit into half of what is left, as the last set went; none where not even one
-- fits. Sixteen times the last set at the most, since its members may have been the quick ones.
create function private.next_step(p_step integer, p_began timestamptz, p_deadline timestamptz)
returns integer
language sql volatile set search_path = '' as $$
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
comment on function private.next_step(integer, timestamptz, timestamptz) is
  'How many members a trigger takes next, after a set of p_step that it began at p_began.';

create function private.reject_quietly(
  p_ids uuid[], p_reason text, p_code text, p_deadline timestamptz
) returns void
language plpgsql volatile set search_path = '' set lock_timeout = '2s' as $$
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
comment on function private.reject_quietly(uuid[], text, text, timestamptz) is
  'Notes rejects where even that may not fail the statement.';

create function private.sync_set_quietly(p_ids uuid[], p_deadline timestamptz) returns integer
language plpgsql volatile set search_path = '' set lock_timeout = '2s' as $$
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
comment on function private.sync_set_quietly(uuid[], timestamptz) is
  'Syncs a set from a trigger: how many were taken; an error becomes a warning and rejects.';

-- Never fails: the statement belongs to another application. What is done stays done. The first
-- set is one member where there is a limit: nobody knows what an operator's triggers take.
create function private.sync_quietly(p_ids uuid[]) returns void
language plpgsql volatile set search_path = '' as $$
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
comment on function private.sync_quietly(uuid[]) is
  'Syncs members from a trigger, as far as the time of the statement allows.';

-- What one statement makes leave, where that is too much to be meant: the next run of the job
-- asks for approval.
create function private.held_back(p_ids uuid[]) returns uuid[]
language plpgsql volatile set search_path = '' as $$
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
comment on function private.held_back(uuid[]) is
  'Those of the members who left that a trigger leaves to the next run: none, or all.';

-- Definer: whoever writes members need not be able to write mentors. The columns that we do
-- not map are none of our business, so their changes end here.
create function private.members_changed() returns trigger
language plpgsql volatile security definer set search_path = '' set lock_timeout = '2s' as $$
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
comment on function private.members_changed() is
  'Trigger: syncs the members that a statement inserted or changed.';

create function private.mentor_members_with(p_addresses text[]) returns uuid[]
language sql stable set search_path = '' as $$
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
comment on function private.mentor_members_with(text[]) is
  'The active members of type mentor with these normalised addresses.';

-- Definer, likewise: an account that comes after its member makes the mentor. Piece by piece,
-- since finding the members takes its time, too.
create function private.accounts_changed() returns trigger
language plpgsql volatile security definer set search_path = '' set lock_timeout = '2s' as $$
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
comment on function private.accounts_changed() is
  'Trigger: syncs the members whose account a statement inserted or readdressed.';

create trigger mentor_sync_inserted after insert on public.members
referencing new table as new_rows
for each statement execute function private.members_changed();
create trigger mentor_sync_updated after update on public.members
referencing old table as old_rows new table as new_rows
for each statement execute function private.members_changed();
create trigger mentor_sync_inserted after insert on public.users_user
referencing new table as new_rows
for each statement execute function private.accounts_changed();
create trigger mentor_sync_updated after update on public.users_user
referencing old table as old_rows new table as new_rows
for each statement execute function private.accounts_changed();

revoke all on function
  private.mentor_bio(text, text, text),
  private.mentor_expertise(text, text, text),
  private.apply_members(uuid[], boolean),
  private.stop_departed(uuid, uuid, uuid[]),
  private.forget_departed(uuid, uuid, uuid[]),
  private.settle_lost(private.sync_outcome[], boolean),
  private.keep_rejects(uuid[], private.sync_outcome[]),
  private.check_deferred(),
  private.is_rows_fault(text, text),
  private.try_members(uuid[], boolean),
  private.sync_members(uuid[], boolean, timestamptz),
  private.outcome_counts(private.sync_outcome[]),
  private.outcome_records(private.sync_outcome[], integer),
  private.members_page(uuid, integer, text, boolean),
  private.departures(),
  private.departures_allowed(bigint),
  private.require_approval(public.job_runs, bigint, integer),
  private.sync_chunk(uuid, bigint, uuid, integer, boolean, boolean, text, boolean, integer, integer),
  private.sync_one(uuid),
  private.trigger_deadline(),
  private.too_late_to_begin(timestamptz),
  private.limit_waits(timestamptz),
  private.was_cancelled(text),
  private.next_step(integer, timestamptz, timestamptz),
  private.reject_quietly(uuid[], text, text, timestamptz),
  private.sync_set_quietly(uuid[], timestamptz),
  private.sync_quietly(uuid[]),
  private.held_back(uuid[]),
  private.mentor_members_with(text[]),
  private.members_changed(),
  private.accounts_changed(),
  public.sync_mentor_profiles(uuid, bigint, uuid, integer, boolean, boolean, text, boolean, integer, integer),
  public.sync_mentor_from_member(uuid)
from public, anon, authenticated, service_role;
grant execute on function
  private.sync_chunk(uuid, bigint, uuid, integer, boolean, boolean, text, boolean, integer, integer),
  public.sync_mentor_profiles(uuid, bigint, uuid, integer, boolean, boolean, text, boolean, integer, integer)
to service_role;
grant execute on function
  private.sync_one(uuid),
  public.sync_mentor_from_member(uuid)
to authenticated, service_role;
