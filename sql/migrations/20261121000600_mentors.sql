-- Mentors: the directory row of a mentor.
-- A mentor reads and edits the listed columns of their own row; admins read all; everybody
-- else sees mentors through list_mentors() and get_mentors_with_member_data() only.

create table if not exists public.mentors (
  id uuid primary key default gen_random_uuid(),
  user_id integer unique references public.users_user (id) on delete set null
);

alter table public.mentors
  add column if not exists person_id uuid unique references public.users (id) on delete set null,
  add column if not exists slug text unique,
  add column if not exists bio text,
  add column if not exists expertise jsonb default '[]',
  add column if not exists is_approved boolean default false,
  add column if not exists is_active boolean not null default true,
  add column if not exists rating numeric(3, 2) default 0.00,
  add column if not exists rating_count integer not null default 0,
  add column if not exists total_sessions integer default 0,
  add column if not exists version integer default 1,
  add column if not exists capacity integer,
  add column if not exists availability jsonb,
  add column if not exists timezone text,
  add column if not exists domain text,
  add column if not exists experience_years numeric(4, 1),
  add column if not exists teaching_style text,
  add column if not exists synced jsonb not null default '{}',
  add column if not exists created_at timestamptz default now(),
  add column if not exists updated_at timestamptz default now();

alter table public.mentors
  add constraint mentors_capacity_not_negative check (capacity >= 0),
  add constraint mentors_experience_not_negative check (experience_years >= 0),
  add constraint mentors_teaching_style_known
    check (teaching_style in ('visual', 'auditory', 'kinesthetic', 'mixed'));

-- Mentors write it themselves, over the API. Left off where a table that was here before us holds
-- something else: its application could not write those rows any more.
do $$
begin
  if exists (select from public.mentors as t where jsonb_typeof(t.expertise) <> 'array') then
    raise warning 'mentor_sync: some mentors.expertise are no lists; mentors may write others.';
    return;
  end if;
  alter table public.mentors
    add constraint mentors_expertise_is_list check (jsonb_typeof(expertise) = 'array');
end
$$;

comment on table public.mentors is 'Mentors as the directory shows them.';
comment on column public.mentors.id is 'The directory row.';
comment on column public.mentors.user_id is 'The account: users_user.id.';
comment on column public.mentors.person_id is 'The person: users.id.';
comment on column public.mentors.slug is 'Readable part of the address of the mentor''s page.';
comment on column public.mentors.bio is 'About the mentor; first made from the member.';
comment on column public.mentors.expertise is 'JSON list of words; first made from the member.';
comment on column public.mentors.is_approved is 'Only approved mentors are listed.';
comment on column public.mentors.is_active is
  'Off: not listed; set off when the member stops being a mentor, or by hand.';
comment on column public.mentors.rating is 'Mean rating, 0 to 5; unrated while rating_count is 0.';
comment on column public.mentors.rating_count is 'How many ratings the mean is of.';
comment on column public.mentors.total_sessions is 'Sessions held.';
comment on column public.mentors.version is 'Grows when the sync changes what the row shows.';
comment on column public.mentors.capacity is 'Most students at a time; empty: the default.';
comment on column public.mentors.availability is 'When the mentor can meet.';
comment on column public.mentors.timezone is 'IANA time zone, such as Europe/Berlin.';
comment on column public.mentors.domain is 'Field of work.';
comment on column public.mentors.experience_years is 'Years of experience.';
comment on column public.mentors.teaching_style is 'visual, auditory, kinesthetic or mixed.';
comment on column public.mentors.synced is
  'What the sync last wrote. A value that differs from it was edited, and is left alone.';
comment on column public.mentors.created_at is 'When the row was made.';
comment on column public.mentors.updated_at is 'When something the row shows last changed.';

alter table public.mentors enable row level security;
revoke all on table public.mentors from public, anon, authenticated, service_role;
grant select, insert, update, delete on table public.mentors to service_role;
grant select on table public.mentors to authenticated;
grant update (
  bio, expertise, capacity, availability, timezone, domain, experience_years, teaching_style
) on table public.mentors to authenticated;

create policy "Mentors read their own row, admins every row"
on public.mentors for select to authenticated
using (person_id = (select private.current_user_id()) or (select private.is_admin()));

create policy "Mentors change their own row"
on public.mentors for update to authenticated
using (person_id = (select private.current_user_id()))
with check (person_id = (select private.current_user_id()));

-- Links and the sync's own memory do not show, and leave updated_at alone.
create trigger mentor_sync_touch before update on public.mentors
for each row when (
  (
    old.slug, old.bio, old.expertise, old.is_approved, old.is_active, old.rating,
    old.rating_count, old.total_sessions, old.capacity, old.availability, old.timezone,
    old.domain, old.experience_years, old.teaching_style
  ) is distinct from (
    new.slug, new.bio, new.expertise, new.is_approved, new.is_active, new.rating,
    new.rating_count, new.total_sessions, new.capacity, new.availability, new.timezone,
    new.domain, new.experience_years, new.teaching_style
  )
) execute function private.touch_updated_at();
