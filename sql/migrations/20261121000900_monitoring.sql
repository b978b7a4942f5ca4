-- Monitoring: what is in step and what is not, for the dashboard and service_role.
-- Views with the rights of whoever asks; admins without direct access use the reports.

-- The questions of private.apply_members, in its order and its words; a test compares. A
-- question is only asked of those to whom the ones before gave no answer.
create view public.v_members_without_mentor with (security_invoker = on) as
select
  m.id as member_id,
  m.email,
  m.name,
  case
    when m.address = '' then 'rejected'
    when verdict.problem is not null then 'ambiguous'
    when account.n = 0 then 'no_user'
    when r.reason is not null then 'rejected'
    else 'waiting'
  end as state,
  case
    when m.address = '' then 'the member has no e-mail address'
    when verdict.problem is not null then verdict.problem
    when account.n = 0 then 'no account has this e-mail address'
    when r.reason is not null then r.reason
    else 'the next sync makes the mentor'
  end as reason
from (
  select x.id, x.email, x.name, coalesce(private.normalise_email(x.email), '') as address
  from public.members as x
  where x.is_active
    and private.is_mentor_type(x.membershiptype)
    and not exists (
      select
      from public.users as u
      inner join public.mentors as t on t.person_id = u.id
      where u.member_id = x.id
    )
  offset 0
) as m
left join public.sync_rejects as r on r.source = 'members' and r.source_id = m.id::text
left join public.users as by_member on by_member.member_id = m.id
cross join lateral (
  select count(*) as n from (
    select from public.members as x
    where private.normalise_email(x.email) = m.address
    limit 2
  ) as x
) as twin
cross join lateral (
  select count(*) as n, min(x.id) as id from (
    select u.id from public.users_user as u
    where private.normalise_email(u.email) = m.address
    limit 2
  ) as x
) as account
cross join lateral (
  select count(distinct x.id) as n, (array_agg(x.id))[1] as id
  from (
    select u.id from public.users as u where u.legacy_user_id = account.id
    union all
    select u.id from public.users as u
    where private.normalise_email(u.email) = m.address and by_member.id is null
  ) as x
  where m.address <> '' and twin.n = 1 and account.n = 1
    and by_member.legacy_user_id is distinct from account.id
) as other
left join lateral (
  select u.id, u.member_id, u.legacy_user_id from public.users as u
  where u.id = coalesce(by_member.id, other.id) and account.n = 1
) as p on true
left join lateral (
  select x.person_id, x.user_id from public.mentors as x where x.person_id = p.id
  union all
  select x.person_id, x.user_id from public.mentors as x
  where x.user_id = account.id and account.n = 1 and x.person_id is distinct from p.id
  limit 1
) as t on true
cross join lateral (
  select case
    when twin.n > 1 then 'another member has the same e-mail address'
    when account.n > 1 then 'more than one account has this e-mail address'
    when account.n = 0 then null
    when other.n > 1 or (by_member.id is not null and other.n > 0)
      then 'more than one person has this account or e-mail address'
    when p.member_id <> m.id
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
) as verdict;

comment on view public.v_members_without_mentor is
  'Active members of type mentor who have no mentor profile, and why.';
comment on column public.v_members_without_mentor.member_id is 'The member.';
comment on column public.v_members_without_mentor.email is 'Address of the member.';
comment on column public.v_members_without_mentor.name is 'Name of the member.';
comment on column public.v_members_without_mentor.state is
  'rejected, ambiguous, no_user or waiting.';
comment on column public.v_members_without_mentor.reason is 'Why, in words.';

-- Equal addresses spare most mentors the dearer questions.
create view public.v_mentors_without_account with (security_invoker = on) as
select
  l.mentor_id,
  l.member_id,
  l.email,
  l.name,
  case when l.is_gone then 'the account is gone' else 'the account has another e-mail address' end
    as reason
from (
  select
    t.id as mentor_id, m.id as member_id, m.email, m.name, m.membershiptype, a.id is null as is_gone
  from public.mentors as t
  inner join public.users as p on p.id = t.person_id
  inner join public.members as m on m.id = p.member_id
  left join public.users_user as a on a.id = p.legacy_user_id
  where t.is_approved and t.is_active and m.is_active and a.email is distinct from m.email
  offset 0
) as l
where private.is_mentor_type(l.membershiptype)
  and private.normalise_email(l.email) <> ''
  and not exists (
    select from public.users_user as x
    where private.normalise_email(x.email) = private.normalise_email(l.email)
    offset 0
  );

comment on view public.v_mentors_without_account is
  'Listed mentors whose member''s address no account has any more. They stay listed.';
comment on column public.v_mentors_without_account.mentor_id is 'The mentor.';
comment on column public.v_mentors_without_account.member_id is 'The member.';
comment on column public.v_mentors_without_account.email is 'Address of the member.';
comment on column public.v_mentors_without_account.name is 'Name of the member.';
comment on column public.v_mentors_without_account.reason is
  'Whether the account is gone or has another address.';

create view public.v_sync_health with (security_invoker = on) as
select
  (
    select count(*) from public.members as m
    where m.is_active and private.is_mentor_type(m.membershiptype)
  ) as mentor_members,
  (select count(*) from public.mentors) as mentor_profiles,
  (select count(*) from public.mentors as t where t.is_approved and t.is_active) as listed_mentors,
  without.members_without_mentor,
  without.members_without_account,
  without.members_ambiguous,
  (select count(*) from public.v_mentors_without_account) as mentors_without_account,
  (select count(*) from public.sync_rejects) as rejects,
  last_run.status as last_status,
  last_run.finished_at as last_finished_at,
  (
    select max(r.finished_at) from public.job_runs as r
    where r.job = 'sync_mentor_profiles' and r.status in ('succeeded', 'partial')
      and r.params -> 'dry_run' is distinct from 'true'
  ) as last_success_at
from (
  select
    count(*) as members_without_mentor,
    count(*) filter (where w.state = 'no_user') as members_without_account,
    count(*) filter (where w.state = 'ambiguous') as members_ambiguous
  from public.v_members_without_mentor as w
) as without
left join lateral (
  select r.status, r.finished_at
  from public.job_runs as r
  where r.job = 'sync_mentor_profiles'
  order by r.created_at desc, r.id
  limit 1
) as last_run on true;

comment on view public.v_sync_health is 'One row: how far members and mentors are in step.';
comment on column public.v_sync_health.mentor_members is 'Active members of type mentor.';
comment on column public.v_sync_health.mentor_profiles is 'Rows of mentors.';
comment on column public.v_sync_health.listed_mentors is 'Approved and active mentors.';
comment on column public.v_sync_health.members_without_mentor is
  'Active members of type mentor without a profile.';
comment on column public.v_sync_health.members_without_account is
  'Those of them whose address no account has.';
comment on column public.v_sync_health.members_ambiguous is
  'Those of them whose address or account more than one member, account or person has.';
comment on column public.v_sync_health.mentors_without_account is
  'Listed mentors whose member''s address no account has any more.';
comment on column public.v_sync_health.rejects is 'Rows in sync_rejects.';
comment on column public.v_sync_health.last_status is 'Status of the latest sync run.';
comment on column public.v_sync_health.last_finished_at is 'When the latest sync run ended.';
comment on column public.v_sync_health.last_success_at is
  'When a sync run last ended well, dry runs left out.';

revoke all on table
  public.v_members_without_mentor, public.v_mentors_without_account, public.v_sync_health
from public, anon, authenticated, service_role;
grant select on table
  public.v_members_without_mentor, public.v_mentors_without_account, public.v_sync_health
to service_role;
grant execute on function private.is_mentor_type(text) to service_role;

-- The last file says so; a test compares.
create function private.schema_version() returns text
language sql immutable set search_path = '' as $$ select '20261121001440' $$;
comment on function private.schema_version() is
  'The version of these migrations; a daemon is not ready on an older one.';
revoke all on function private.schema_version() from public, anon, authenticated, service_role;
grant execute on function private.schema_version() to service_role;
