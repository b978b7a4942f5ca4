-- People: one row a person, the id that everything of mentor_sync refers to.
-- A signed-in person reads their own row and those of people they are matched with, an admin all;
-- a person changes the listed columns of their own row; service_role does the rest.

create table if not exists public.users (
  id uuid primary key default gen_random_uuid(),
  email text not null
);

alter table public.users
  add column if not exists full_name text,
  add column if not exists role text not null default 'student',
  add column if not exists status text not null default 'Active',
  add column if not exists auth_user_id uuid unique references auth.users (id) on delete set null,
  -- No foreign keys to the sources: they belong to others, who may truncate or rebuild them.
  add column if not exists legacy_user_id bigint unique,
  add column if not exists member_id uuid unique,
  add column if not exists mentor_id uuid references public.users (id) on delete set null,
  add column if not exists timezone text,
  add column if not exists country text,
  add column if not exists city text,
  add column if not exists contact_preference text,
  add column if not exists locale text,
  add column if not exists created_at timestamptz default now(),
  add column if not exists updated_at timestamptz default now();

alter table public.users
  add constraint users_role_known check (role in ('student', 'mentor', 'admin', 'system')),
  add constraint users_status_known
    check (status in ('Active', 'Inactive', 'Passed out / Completed'));

create index if not exists users_normalised_email_idx
on public.users (private.normalise_email(email));
create index if not exists idx_users_mentor_id on public.users (mentor_id);

comment on table public.users is 'People: students, mentors, admins and system accounts.';
comment on column public.users.id is 'The person, everywhere in mentor_sync.';
comment on column public.users.email is 'Where the person is written to.';
comment on column public.users.full_name is 'Name as shown.';
comment on column public.users.role is 'student, mentor, admin or system.';
comment on column public.users.status is 'Active, Inactive or Passed out / Completed.';
comment on column public.users.auth_user_id is
  'The Supabase Auth user who signs in as this person; linked once, by the confirmed address.';
comment on column public.users.legacy_user_id is 'The account: users_user.id.';
comment on column public.users.member_id is 'The member: members.id.';
comment on column public.users.mentor_id is 'The mentor of this student: users.id.';
comment on column public.users.timezone is 'IANA time zone, such as Europe/Berlin.';
comment on column public.users.country is 'Country of residence.';
comment on column public.users.city is 'City of residence.';
comment on column public.users.contact_preference is 'How the person wishes to be reached.';
comment on column public.users.locale is
  'Language of messages, such as de; empty: English.';
comment on column public.users.created_at is 'When the row was made.';
comment on column public.users.updated_at is 'When something a person can see last changed.';

-- In a table that was here before us the ids may be those of Supabase Auth.
update public.users as u
set auth_user_id = u.id
where u.auth_user_id is null
  and exists (select from auth.users as a where a.id = u.id);

alter table public.users enable row level security;
revoke all on table public.users from public, anon, authenticated, service_role;
grant select, insert, update, delete on table public.users to service_role;
grant select on table public.users to authenticated;
grant update (full_name, timezone, country, city, contact_preference, locale)
on table public.users to authenticated;

-- Definer: a policy on users that reads users would recurse.
create function private.current_user_id() returns uuid
language sql stable security definer set search_path = '' as $$
  select u.id from public.users as u where u.auth_user_id = (select auth.uid())
$$;
comment on function private.current_user_id() is
  'The person who is signed in: users.id; null for anon and for people not linked yet.';

-- Definer, for the same reason.
create function private.is_admin() returns boolean
language sql stable security definer set search_path = '' as $$
  select exists (
    select
    from public.users as u
    where u.auth_user_id = (select auth.uid()) and u.role = 'admin' and u.status = 'Active'
  )
$$;
comment on function private.is_admin() is 'Whether the person who is signed in is an active admin.';

-- The role that the API set, not current_user: this is asked inside definers. "none" is a
-- direct connection, where whoever may execute this function at all is an operator.
create function private.sees_everything() returns boolean
language sql stable security definer set search_path = '' as $$
  select coalesce(current_setting('role', true), 'none') in ('none', 'postgres', 'service_role')
    or private.is_admin()
$$;
comment on function private.sees_everything() is
  'Whether the caller may see contact fields and rows that are not public.';

-- Definer: the policy would need a right on the matches. plpgsql: they come later than this file.
create function private.matched_people() returns uuid[]
language plpgsql stable security definer set search_path = '' as $$
declare
  me constant uuid := private.current_user_id();
begin
  return array(
    select case m.student_id when me then m.mentor_id else m.student_id end
    from public.matches as m
    where (m.student_id = me or m.mentor_id = me) and m.status in ('active', 'paused')
  );
end
$$;
comment on function private.matched_people() is
  'The mentors and students that the person who is signed in has now: the other sides of their'
  ' matches that are active or paused.';

create policy "People read themselves and their matches, admins everybody"
on public.users for select to authenticated
using (
  id = (select private.current_user_id())
  or id = any ((select private.matched_people())::uuid[])
  or (select private.is_admin())
);

create policy "People change their own row"
on public.users for update to authenticated
using (id = (select private.current_user_id()))
with check (id = (select private.current_user_id()));

-- Links to the sources are not the person's doing, and leave updated_at alone.
create trigger mentor_sync_touch before update on public.users
for each row when (
  (
    old.email, old.full_name, old.role, old.status, old.mentor_id, old.timezone,
    old.country, old.city, old.contact_preference, old.locale
  ) is distinct from (
    new.email, new.full_name, new.role, new.status, new.mentor_id, new.timezone,
    new.country, new.city, new.contact_preference, new.locale
  )
) execute function private.touch_updated_at();

-- The one place where a Supabase Auth user becomes a person. Only a confirmed address that
-- exactly one auth user and one person have; never an admin or a system account, which are
-- linked by hand. Definer: nobody but its owner may read auth.users.
create function private.link_auth_users(p_addresses text[]) returns void
language sql volatile security definer set search_path = '' as $$
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
comment on function private.link_auth_users(text[]) is
  'Links the Supabase Auth users with these normalised addresses to people, where that is safe.';

-- Definer, and it never fails: an error here would stop people from signing up.
create function private.auth_user_changed() returns trigger
language plpgsql volatile security definer set search_path = '' set lock_timeout = '2s' as $$
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
comment on function private.auth_user_changed() is
  'Trigger: a confirmed address links the Supabase Auth user to the person.';

create trigger mentor_sync_auth_user_inserted after insert on auth.users
for each row execute function private.auth_user_changed();
create trigger mentor_sync_auth_user_confirmed after update on auth.users
for each row when (
  (old.email, old.email_confirmed_at, old.is_anonymous)
  is distinct from (new.email, new.email_confirmed_at, new.is_anonymous)
) execute function private.auth_user_changed();

revoke all on function
  private.current_user_id(),
  private.is_admin(),
  private.sees_everything(),
  private.matched_people(),
  private.link_auth_users(text[]),
  private.auth_user_changed()
from public, anon, authenticated, service_role;
grant execute on function private.current_user_id(), private.is_admin()
to authenticated, service_role;
grant execute on function private.matched_people() to authenticated;
