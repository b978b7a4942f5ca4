-- Matches: who mentors whom, and who did. users.mentor_id follows the active primary match.
-- Both sides read theirs, admins all; verbs and service_role write.

create table public.matches (
  id uuid primary key default gen_random_uuid(),
  student_id uuid not null references public.users (id) on delete cascade,
  mentor_id uuid not null references public.users (id) on delete cascade,
  role text not null default 'primary',
  request_id uuid unique references public.mentorship_requests (id) on delete set null,
  status text not null default 'active',
  goals text[] not null default '{}',
  score numeric(5, 2),
  breakdown jsonb,
  started_at timestamptz not null default now(),
  ended_at timestamptz,
  end_reason text,
  last_contact_at timestamptz,
  health_score integer,
  health_status text not null default 'unknown',
  health_reasons jsonb not null default '[]',
  health_checked_at timestamptz,
  at_risk_since timestamptz,
  escalated_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint matches_role_known check (role in ('primary', 'substitute', 'peer')),
  constraint matches_status_known
    check (status in ('pending', 'active', 'paused', 'completed', 'dissolved')),
  constraint matches_not_oneself check (student_id <> mentor_id),
  constraint matches_score_range check (score between 0 and 100),
  constraint matches_health_range check (health_score between 0 and 100),
  constraint matches_health_known
    check (health_status in ('unknown', 'healthy', 'watch', 'at_risk')),
  constraint matches_reasons_are_list check (jsonb_typeof(health_reasons) = 'array'),
  constraint matches_ended_has_time
    check ((status in ('completed', 'dissolved')) = (ended_at is not null))
);

-- A student has one mentor at a time, beside substitutes and peers.
create unique index matches_one_primary_idx on public.matches (student_id)
where role = 'primary' and status in ('active', 'paused');
create index matches_student_idx on public.matches (student_id);
create index matches_mentor_idx on public.matches (mentor_id);
create index matches_active_idx on public.matches (id) where status = 'active';

comment on table public.matches is 'Mentors and their students, now and before.';
comment on column public.matches.id is 'The match.';
comment on column public.matches.student_id is 'The student: users.id.';
comment on column public.matches.mentor_id is 'The mentor: users.id.';
comment on column public.matches.role is 'primary; substitute, for a while; or peer.';
comment on column public.matches.request_id is 'The request that it answers, if any.';
comment on column public.matches.status is 'pending, active, paused, completed or dissolved.';
comment on column public.matches.goals is 'What the two want to reach.';
comment on column public.matches.score is 'How well they suited when it began, 0 to 100.';
comment on column public.matches.breakdown is 'The parts of that score, as calculate_match_score.';
comment on column public.matches.started_at is 'When it began.';
comment on column public.matches.ended_at is 'When it was completed or dissolved.';
comment on column public.matches.end_reason is 'Why it was dissolved.';
comment on column public.matches.last_contact_at is 'When the two were last heard of.';
comment on column public.matches.health_score is 'How well it goes, 0 to 100; see health_reasons.';
comment on column public.matches.health_status is 'unknown, healthy, watch or at_risk.';
comment on column public.matches.health_reasons is
  'What made the score: [{"part", "points", "of", "why"}].';
comment on column public.matches.health_checked_at is 'When the health last came out otherwise.';
comment on column public.matches.at_risk_since is 'Since when it is at risk; empty: it is not.';
comment on column public.matches.escalated_at is 'When admins were told of it.';
comment on column public.matches.created_at is 'When the row was made.';
comment on column public.matches.updated_at is 'When it was last changed.';

create table public.match_events (
  id uuid primary key default gen_random_uuid(),
  match_id uuid not null references public.matches (id) on delete cascade,
  old_status text,
  new_status text not null,
  reason text,
  actor_id uuid references public.users (id) on delete set null,
  run_id uuid,
  created_at timestamptz not null default now()
);

create index match_events_match_idx on public.match_events (match_id, created_at);
create index match_events_actor_idx on public.match_events (actor_id);

comment on table public.match_events is 'What became of each match, step by step.';
comment on column public.match_events.id is 'The step.';
comment on column public.match_events.match_id is 'The match.';
comment on column public.match_events.old_status is 'Its status before; empty: it was made.';
comment on column public.match_events.new_status is 'Its status after.';
comment on column public.match_events.reason is 'Why, where somebody said so.';
comment on column public.match_events.actor_id is 'Who did it; empty: a job or an operator.';
comment on column public.match_events.run_id is 'The run that did it, if one did.';
comment on column public.match_events.created_at is 'When.';

alter table public.matches enable row level security;
revoke all on table public.matches from public, anon, authenticated, service_role;
grant select, insert, update, delete on table public.matches to service_role;
grant select on table public.matches to authenticated;

alter table public.match_events enable row level security;
revoke all on table public.match_events from public, anon, authenticated, service_role;
grant select, insert, delete on table public.match_events to service_role;
grant select on table public.match_events to authenticated;

create trigger mentor_sync_touch before update on public.matches
for each row when (old is distinct from new) execute function private.touch_updated_at();
