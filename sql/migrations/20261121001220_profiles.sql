-- Profiles: what matching reads of students and mentors, and the terms made of it.
-- A person makes, reads and changes their own; the other side of an offer or match reads it;
-- admins read all; the sync fills the profiles of mentors from what members told.

insert into public.program_settings (key, value, description) values
  ('default_capacity', '20', 'Most students of a mentor whose capacity says nothing.');

create table public.mentorship_profiles (
  user_id uuid primary key references public.users (id) on delete cascade,
  role text not null,
  is_active boolean not null default true,
  career_goals text[] not null default '{}',
  industries text[] not null default '{}',
  research_interests text[] not null default '{}',
  skills text[] not null default '{}',
  languages text[] not null default '{}',
  channels text[] not null default '{}',
  learning_style text,
  about text not null default '',
  available_hours numeric(4, 1),
  availability jsonb not null default '{}',
  preferences jsonb not null default '{}',
  paused_until timestamptz,
  mentee_count integer not null default 0,
  synced jsonb not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint mentorship_profiles_role_known check (role in ('student', 'mentor')),
  constraint mentorship_profiles_style_known
    check (learning_style in ('visual', 'auditory', 'kinesthetic', 'mixed')),
  constraint mentorship_profiles_channels_known
    check (channels <@ '{video,phone,chat,email,in_person}'::text[]),
  constraint mentorship_profiles_lists_fit check (
    cardinality(career_goals) <= 50 and cardinality(industries) <= 50
    and cardinality(research_interests) <= 50 and cardinality(skills) <= 100
    and cardinality(languages) <= 30
  ),
  constraint mentorship_profiles_about_fits check (length(about) <= 5000),
  constraint mentorship_profiles_hours_fit check (available_hours between 0 and 168),
  constraint mentorship_profiles_objects check (
    jsonb_typeof(availability) in ('object', 'array') and jsonb_typeof(preferences) = 'object'
  ),
  constraint mentorship_profiles_count_not_negative check (mentee_count >= 0)
);

create index mentorship_profiles_role_idx on public.mentorship_profiles (role, user_id);

comment on table public.mentorship_profiles is 'What matching knows of students and mentors.';
comment on column public.mentorship_profiles.user_id is 'The person: users.id.';
comment on column public.mentorship_profiles.role is 'student or mentor.';
comment on column public.mentorship_profiles.is_active is 'Off: neither offered nor matched.';
comment on column public.mentorship_profiles.career_goals is
  'What a student wants to reach; what a mentor helps to reach.';
comment on column public.mentorship_profiles.industries is 'Fields of work.';
comment on column public.mentorship_profiles.research_interests is 'Subjects of research.';
comment on column public.mentorship_profiles.skills is
  'What a student wants to learn, and what a mentor knows.';
comment on column public.mentorship_profiles.languages is 'Languages spoken, as codes such as de.';
comment on column public.mentorship_profiles.channels is
  'How to meet: video, phone, chat, email, in_person.';
comment on column public.mentorship_profiles.learning_style is
  'visual, auditory, kinesthetic or mixed; of mentors, mentors.teaching_style goes before it.';
comment on column public.mentorship_profiles.about is 'About the person, in their words.';
comment on column public.mentorship_profiles.available_hours is
  'Hours a week; a mentor with 0 is offered to nobody.';
comment on column public.mentorship_profiles.availability is 'When the person can meet.';
comment on column public.mentorship_profiles.preferences is 'Further wishes of the application.';
comment on column public.mentorship_profiles.paused_until is
  'Until when a mentor takes nobody new.';
comment on column public.mentorship_profiles.mentee_count is
  'Students that a mentor has now; kept by the matches.';
comment on column public.mentorship_profiles.synced is
  'What the sync last wrote. A value that differs from it was edited, and is left alone.';
comment on column public.mentorship_profiles.created_at is 'When the row was made.';
comment on column public.mentorship_profiles.updated_at is 'When it was last changed.';

create table public.mentor_specializations (
  id uuid primary key default gen_random_uuid(),
  mentor_id uuid not null references public.users (id) on delete cascade,
  specialization text not null,
  proficiency_level integer,
  certification_url text,
  verified boolean not null default false,
  created_at timestamptz not null default now(),
  constraint mentor_specializations_once unique (mentor_id, specialization),
  constraint mentor_specializations_level_range check (proficiency_level between 1 and 5),
  constraint mentor_specializations_text_fits check (length(specialization) between 1 and 200),
  constraint mentor_specializations_url_is_web check (certification_url ~ '^[Hh][Tt][Tt][Pp][Ss]?://')
);

comment on table public.mentor_specializations is
  'What mentors are particularly good at; counts as skills and industries in matching.';
comment on column public.mentor_specializations.id is 'The entry.';
comment on column public.mentor_specializations.mentor_id is 'The mentor: users.id.';
comment on column public.mentor_specializations.specialization is 'What.';
comment on column public.mentor_specializations.proficiency_level is 'How good, 1 to 5.';
comment on column public.mentor_specializations.certification_url is 'Where it is certified.';
comment on column public.mentor_specializations.verified is 'Whether an admin has checked it.';
comment on column public.mentor_specializations.created_at is 'When it was added.';

-- Postings: the terms of each person, a factor each; what all three engines read.
create table private.profile_terms (
  user_id uuid not null references public.users (id) on delete cascade,
  factor smallint not null,
  term_id integer not null references public.match_terms (id),
  primary key (user_id, factor, term_id),
  constraint profile_terms_factor_known check (factor between 1 and 6)
);

create index profile_terms_posting_idx on private.profile_terms (term_id, factor, user_id);

comment on table private.profile_terms is
  'What each person named, as terms; matching compares these and nothing else.';
comment on column private.profile_terms.user_id is 'The person.';
comment on column private.profile_terms.factor is
  '1 goals, 2 industry, 3 research, 4 technical, 5 location, 6 communication.';
comment on column private.profile_terms.term_id is 'The term.';

create table private.stale_profiles (
  user_id uuid primary key references public.users (id) on delete cascade,
  since timestamptz not null default now()
);

comment on table private.stale_profiles is
  'People whose terms have to be made again; small changes are dealt with at once.';
comment on column private.stale_profiles.user_id is 'The person.';
comment on column private.stale_profiles.since is 'Since when.';

alter table public.mentorship_profiles enable row level security;
revoke all on table public.mentorship_profiles from public, anon, authenticated, service_role;
grant select, insert, update, delete on table public.mentorship_profiles to service_role;
grant select on table public.mentorship_profiles to authenticated;

alter table public.mentor_specializations enable row level security;
revoke all on table public.mentor_specializations from public, anon, authenticated, service_role;
grant select, insert, update, delete on table public.mentor_specializations to service_role;
grant select on table public.mentor_specializations to authenticated;

revoke all on table private.profile_terms, private.stale_profiles
from public, anon, authenticated, service_role;

create trigger mentor_sync_touch before update on public.mentorship_profiles
for each row when (old is distinct from new) execute function private.touch_updated_at();
