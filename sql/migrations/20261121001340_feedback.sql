-- Feedback: what the two sides say of a match or a session, asked for by surveys or unasked.
-- The author reads their own; the other side what is meant for them; admins all.

create table public.mentorship_feedback (
  id uuid primary key default gen_random_uuid(),
  match_id uuid references public.matches (id) on delete cascade,
  session_id uuid references public.mentorship_sessions (session_id) on delete cascade,
  author_id uuid not null references public.users (id) on delete cascade,
  author_role text not null,
  about_id uuid references public.users (id) on delete set null,
  rating integer,
  comment text not null default '',
  feedback_type text not null default 'general',
  period integer not null default 0,
  is_shared boolean not null default false,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint mentorship_feedback_of_one check (num_nonnulls(match_id, session_id) >= 1),
  constraint mentorship_feedback_role_known check (author_role in ('student', 'mentor')),
  constraint mentorship_feedback_rating_range check (rating between 1 and 5),
  constraint mentorship_feedback_type_known
    check (feedback_type in ('survey', 'meeting', 'check_in', 'final', 'general')),
  constraint mentorship_feedback_comment_fits check (length(comment) <= 5000),
  constraint mentorship_feedback_says_something check (rating is not null or comment <> ''),
  constraint mentorship_feedback_period_not_negative check (period >= 0)
);

-- A survey of a period is answered once; answering again corrects it.
create unique index mentorship_feedback_once_idx
on public.mentorship_feedback (match_id, author_id, feedback_type, period)
where feedback_type in ('survey', 'final', 'check_in');
create index mentorship_feedback_match_idx on public.mentorship_feedback (match_id, created_at);
create index mentorship_feedback_session_idx on public.mentorship_feedback (session_id);
create index mentorship_feedback_author_idx on public.mentorship_feedback (author_id);
create index mentorship_feedback_about_idx on public.mentorship_feedback (about_id);

comment on table public.mentorship_feedback is 'What people say of their match or a session.';
comment on column public.mentorship_feedback.id is 'The feedback.';
comment on column public.mentorship_feedback.match_id is 'The match that it is about.';
comment on column public.mentorship_feedback.session_id is 'The session that it is about, if one.';
comment on column public.mentorship_feedback.author_id is 'Who says it: users.id.';
comment on column public.mentorship_feedback.author_role is 'student or mentor: what they are there.';
comment on column public.mentorship_feedback.about_id is 'The other side: users.id.';
comment on column public.mentorship_feedback.rating is '1 to 5.';
comment on column public.mentorship_feedback.comment is 'The rest, in words.';
comment on column public.mentorship_feedback.feedback_type is
  'survey, meeting, check_in, final or general.';
comment on column public.mentorship_feedback.period is
  'Of a survey: the how many-eth of the match; otherwise 0.';
comment on column public.mentorship_feedback.is_shared is 'Whether the other side may read it.';
comment on column public.mentorship_feedback.created_at is 'When it was given.';
comment on column public.mentorship_feedback.updated_at is 'When it was last changed.';

alter table public.mentorship_feedback enable row level security;
revoke all on table public.mentorship_feedback from public, anon, authenticated, service_role;
grant select, insert, update, delete on table public.mentorship_feedback to service_role;
grant select on table public.mentorship_feedback to authenticated;

create trigger mentor_sync_touch before update on public.mentorship_feedback
for each row when (old is distinct from new) execute function private.touch_updated_at();
