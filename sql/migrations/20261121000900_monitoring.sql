-- Monitoring: what is in step and what is not, for the dashboard and service_role.
-- Views with the rights of whoever asks; admins without direct access use the reports.

create view public.v_members_without_mentor with (security_invoker = on) as
select
  m.id as member_id,
  m.email,
  m.name,
  case
    when r.reason is not null then 'rejected'
    when private.normalise_email(m.email) = '' then 'rejected'
    when twins.n > 1 or accounts.n > 1 then 'ambiguous'
    when accounts.n = 0 then 'no_user'
    else 'waiting'
  end as state,
  case
    when r.reason is not null then r.reason
    when private.normalise_email(m.email) = '' then 'the member has no e-mail address'
    when twins.n > 1 then 'another member has the same e-mail address'
    when accounts.n > 1 then 'more than one account has this e-mail address'
    when accounts.n = 0 then 'no account has this e-mail address'
    else 'the next sync makes the mentor'
  end as reason
from public.members as m
left join public.users as p on p.member_id = m.id
left join public.mentors as t on t.person_id = p.id
left join public.sync_rejects as r on r.source = 'members' and r.source_id = m.id::text
cross join lateral (
  select count(*) as n from (
    select from public.members as x
    where private.normalise_email(x.email) = private.normalise_email(m.email)
    limit 2
  ) as x
) as twins
cross join lateral (
  select count(*) as n from (
    select from public.users_user as x
    where private.normalise_email(x.email) = private.normalise_email(m.email)
    limit 2
  ) as x
) as accounts
where m.is_active and private.is_mentor_type(m.membershiptype) and t.id is null;

comment on view public.v_members_without_mentor is
  'Active members of type mentor who have no mentor profile, and why.';
comment on column public.v_members_without_mentor.member_id is 'The member.';
comment on column public.v_members_without_mentor.email is 'Address of the member.';
comment on column public.v_members_without_mentor.name is 'Name of the member.';
comment on column public.v_members_without_mentor.state is
  'rejected, ambiguous, no_user or waiting.';
comment on column public.v_members_without_mentor.reason is 'Why, in words.';

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
  'Those of them whose address more than one member or account has.';
comment on column public.v_sync_health.rejects is 'Rows in sync_rejects.';
comment on column public.v_sync_health.last_status is 'Status of the latest sync run.';
comment on column public.v_sync_health.last_finished_at is 'When the latest sync run ended.';
comment on column public.v_sync_health.last_success_at is
  'When a sync run last ended well, dry runs left out.';

revoke all on table public.v_members_without_mentor, public.v_sync_health
from public, anon, authenticated, service_role;
grant select on table public.v_members_without_mentor, public.v_sync_health to service_role;
grant execute on function private.is_mentor_type(text) to service_role;
