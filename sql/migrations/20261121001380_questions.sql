-- Quick questions: a student asks, a mentor takes the question, answers it, and is rated.
-- Students read their own, mentors the open ones and those they took; the verbs write.

create table public.quick_questions (
  id uuid primary key default gen_random_uuid(),
  student_id uuid not null references public.users (id) on delete cascade,
  title text not null,
  question text not null default '',
  topics text[] not null default '{}',
  status text not null default 'open',
  claimed_by uuid references public.users (id) on delete set null,
  claimed_at timestamptz,
  answer text,
  completed_at timestamptz,
  rating integer,
  rating_comment text,
  rated_at timestamptz,
  expires_at timestamptz not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint quick_questions_status_known
    check (status in ('open', 'claimed', 'completed', 'expired', 'cancelled')),
  constraint quick_questions_title_fits check (length(title) between 1 and 200),
  constraint quick_questions_text_fits
    check (length(question) <= 5000 and length(answer) <= 10000 and length(rating_comment) <= 2000),
  constraint quick_questions_topics_fit check (cardinality(topics) <= 20),
  constraint quick_questions_rating_range check (rating between 1 and 5),
  constraint quick_questions_rated_when_completed check (rating is null or status = 'completed'),
  constraint quick_questions_not_oneself check (claimed_by <> student_id)
);

create index quick_questions_student_idx on public.quick_questions (student_id);
create index quick_questions_claimed_idx on public.quick_questions (claimed_by);
create index quick_questions_open_idx on public.quick_questions (created_at) where status = 'open';

comment on table public.quick_questions is 'Questions of students that any mentor may answer.';
comment on column public.quick_questions.id is 'The question.';
comment on column public.quick_questions.student_id is 'Who asks: users.id.';
comment on column public.quick_questions.title is 'The question in a line.';
comment on column public.quick_questions.question is 'The question.';
comment on column public.quick_questions.topics is 'What it is about.';
comment on column public.quick_questions.status is
  'open, claimed, completed, expired or cancelled.';
comment on column public.quick_questions.claimed_by is 'The mentor who took it: users.id.';
comment on column public.quick_questions.claimed_at is 'When it was taken.';
comment on column public.quick_questions.answer is 'The answer.';
comment on column public.quick_questions.completed_at is 'When it was answered.';
comment on column public.quick_questions.rating is 'What the student gave for it, 1 to 5.';
comment on column public.quick_questions.rating_comment is 'What the student said of it.';
comment on column public.quick_questions.rated_at is 'When.';
comment on column public.quick_questions.expires_at is 'Until when it can be taken.';
comment on column public.quick_questions.created_at is 'When it was asked.';
comment on column public.quick_questions.updated_at is 'When it was last changed.';

create table public.mentor_leaderboard (
  mentor_id uuid primary key references public.users (id) on delete cascade,
  rank integer not null,
  points integer not null,
  questions_completed integer not null default 0,
  question_rating numeric(3, 2),
  sessions_held integer not null default 0,
  matches_completed integer not null default 0,
  refreshed_at timestamptz not null default now()
);

create index mentor_leaderboard_rank_idx on public.mentor_leaderboard (rank);

comment on table public.mentor_leaderboard is
  'Mentors by what they gave; the job refresh_leaderboard keeps it.';
comment on column public.mentor_leaderboard.mentor_id is 'The mentor: users.id.';
comment on column public.mentor_leaderboard.rank is 'Place: 1 has most points; equal points share it.';
comment on column public.mentor_leaderboard.points is 'How the points are made: leaderboard_points.';
comment on column public.mentor_leaderboard.questions_completed is 'Questions answered.';
comment on column public.mentor_leaderboard.question_rating is 'Their mean rating; empty: unrated.';
comment on column public.mentor_leaderboard.sessions_held is 'Sessions and meetings held.';
comment on column public.mentor_leaderboard.matches_completed is 'Matches completed.';
comment on column public.mentor_leaderboard.refreshed_at is 'As of when.';

alter table public.quick_questions enable row level security;
revoke all on table public.quick_questions from public, anon, authenticated, service_role;
grant select, insert, update, delete on table public.quick_questions to service_role;
grant select on table public.quick_questions to authenticated;

alter table public.mentor_leaderboard enable row level security;
revoke all on table public.mentor_leaderboard from public, anon, authenticated, service_role;
grant select, insert, update, delete on table public.mentor_leaderboard to service_role;
grant select on table public.mentor_leaderboard to authenticated;

create trigger mentor_sync_touch before update on public.quick_questions
for each row when (old is distinct from new) execute function private.touch_updated_at();
