-- Requests: a student asks for a mentor, anybody or one in particular.
-- A student makes, reads and withdraws their own; a mentor reads those offered to them; admins
-- read all; service_role writes.

create table public.mentorship_requests (
  id uuid primary key default gen_random_uuid(),
  student_id uuid not null references public.users (id) on delete cascade,
  mentor_id uuid references public.users (id) on delete set null,
  message text not null default '',
  focus_areas text[] not null default '{}',
  goals text[] not null default '{}',
  preference_overrides jsonb not null default '{}',
  required_languages text[] not null default '{}',
  max_timezone_hours integer,
  status text not null default 'open',
  closed_at timestamptz,
  expires_at timestamptz not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint mentorship_requests_status_known
    check (status in ('open', 'offered', 'matched', 'cancelled', 'expired')),
  constraint mentorship_requests_not_oneself check (mentor_id <> student_id),
  constraint mentorship_requests_message_fits check (length(message) <= 5000),
  constraint mentorship_requests_lists_fit
    check (cardinality(focus_areas) <= 50 and cardinality(goals) <= 50),
  constraint mentorship_requests_overrides_are_lists check (
    jsonb_typeof(preference_overrides) = 'object'
  ),
  constraint mentorship_requests_hours_fit check (max_timezone_hours between 0 and 12)
);

-- One at a time: a student who asks twice waits once.
create unique index mentorship_requests_one_open_idx on public.mentorship_requests (student_id)
where status in ('open', 'offered');
create index mentorship_requests_student_idx on public.mentorship_requests (student_id);
create index mentorship_requests_mentor_idx on public.mentorship_requests (mentor_id);
create index mentorship_requests_waiting_idx on public.mentorship_requests (created_at, id)
where status in ('open', 'offered');

comment on table public.mentorship_requests is 'Students who look for a mentor, and looked for one.';
comment on column public.mentorship_requests.id is 'The request.';
comment on column public.mentorship_requests.student_id is 'Who asks: users.id.';
comment on column public.mentorship_requests.mentor_id is
  'Whom they ask: users.id; empty: whoever suits best.';
comment on column public.mentorship_requests.message is 'What they write to the mentor.';
comment on column public.mentorship_requests.focus_areas is
  'What it is to be about; counts as goals while the request is open.';
comment on column public.mentorship_requests.goals is
  'What they want to reach; counts as career goals while the request is open.';
comment on column public.mentorship_requests.preference_overrides is
  'Lists of the profile that are others for this request: {"industries": ["law"]}.';
comment on column public.mentorship_requests.required_languages is
  'Codes of languages of which the mentor must speak one, such as de; empty: any.';
comment on column public.mentorship_requests.max_timezone_hours is
  'Most hours between the time zones of the two; empty: any.';
comment on column public.mentorship_requests.status is
  'open: waits for offers; offered: mentors look at it; matched, cancelled or expired.';
comment on column public.mentorship_requests.closed_at is 'When it was matched or given up.';
comment on column public.mentorship_requests.expires_at is 'When it is given up.';
comment on column public.mentorship_requests.created_at is 'Since when the student waits.';
comment on column public.mentorship_requests.updated_at is 'When it was last changed.';

alter table public.mentorship_requests enable row level security;
revoke all on table public.mentorship_requests from public, anon, authenticated, service_role;
grant select, insert, update, delete on table public.mentorship_requests to service_role;
grant select on table public.mentorship_requests to authenticated;

create trigger mentor_sync_touch before update on public.mentorship_requests
for each row when (old is distinct from new) execute function private.touch_updated_at();
