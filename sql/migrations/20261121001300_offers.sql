-- Offers: a request is offered to its three best mentors at a time; the first to accept has it.
-- A student reads their batches, a mentor the offers made to them, admins all; the verbs and
-- the jobs build_match_batches and expire_stale write.

create table public.match_batches (
  id uuid primary key default gen_random_uuid(),
  request_id uuid not null references public.mentorship_requests (id) on delete cascade,
  student_id uuid not null references public.users (id) on delete cascade,
  number integer not null default 1,
  weights_version integer not null references public.match_weights (version),
  input_hash bigint not null,
  status text not null default 'offered',
  selected_by uuid references public.users (id) on delete set null,
  selected_at timestamptz,
  run_id uuid,
  expires_at timestamptz not null,
  created_at timestamptz not null default now(),
  constraint match_batches_once unique (request_id, number),
  constraint match_batches_status_known
    check (status in ('offered', 'accepted', 'exhausted', 'expired', 'cancelled')),
  constraint match_batches_number_positive check (number > 0)
);

create unique index match_batches_one_open_idx on public.match_batches (request_id)
where status = 'offered';
create index match_batches_student_idx on public.match_batches (student_id);
create index match_batches_weights_idx on public.match_batches (weights_version);
create index match_batches_selected_idx on public.match_batches (selected_by);
create index match_batches_expiring_idx on public.match_batches (expires_at)
where status = 'offered';

comment on table public.match_batches is
  'The best mentors for a request, offered together; the first to accept has it.';
comment on column public.match_batches.id is 'The batch.';
comment on column public.match_batches.request_id is 'The request.';
comment on column public.match_batches.student_id is 'Whose it is: users.id.';
comment on column public.match_batches.number is 'The first, second ... of the request.';
comment on column public.match_batches.weights_version is 'By which match_weights it was scored.';
comment on column public.match_batches.input_hash is
  'Hash of what the student and the mentors had told when it was scored.';
comment on column public.match_batches.status is
  'offered, accepted; exhausted: all declined; expired: none answered in time; cancelled.';
comment on column public.match_batches.selected_by is 'The mentor who accepted: users.id.';
comment on column public.match_batches.selected_at is 'When.';
comment on column public.match_batches.run_id is 'The run that made it.';
comment on column public.match_batches.expires_at is 'Until when the mentors may answer.';
comment on column public.match_batches.created_at is 'When it was made.';

create table public.match_offers (
  id uuid primary key default gen_random_uuid(),
  batch_id uuid not null references public.match_batches (id) on delete cascade,
  request_id uuid not null references public.mentorship_requests (id) on delete cascade,
  student_id uuid not null references public.users (id) on delete cascade,
  mentor_id uuid not null references public.users (id) on delete cascade,
  rank integer not null,
  units integer not null,
  score numeric(5, 2) not null generated always as (round(units / 10000.0, 2)) stored,
  confidence integer not null,
  breakdown jsonb not null,
  reasons jsonb not null default '[]',
  status text not null default 'offered',
  decline_reason text,
  answered_at timestamptz,
  announced_at timestamptz,
  created_at timestamptz not null default now(),
  -- The same mentor is never asked twice for one request.
  constraint match_offers_once unique (request_id, mentor_id),
  constraint match_offers_rank_once unique (batch_id, rank),
  constraint match_offers_rank_positive check (rank > 0),
  constraint match_offers_units_range check (units between 0 and 1000000),
  constraint match_offers_confidence_range check (confidence between 0 and 100),
  constraint match_offers_status_known
    check (status in ('offered', 'accepted', 'declined', 'expired', 'withdrawn')),
  constraint match_offers_reasons_are_list check (jsonb_typeof(reasons) = 'array'),
  constraint match_offers_decline_reason_fits check (length(decline_reason) <= 1000)
);

create index match_offers_mentor_idx on public.match_offers (mentor_id, status);
create index match_offers_student_idx on public.match_offers (student_id);
create index match_offers_unannounced_idx on public.match_offers (id)
where status = 'offered' and announced_at is null;

comment on table public.match_offers is 'Students offered to mentors, with score and reasons.';
comment on column public.match_offers.id is 'The offer.';
comment on column public.match_offers.batch_id is 'With which others it was made.';
comment on column public.match_offers.request_id is 'The request.';
comment on column public.match_offers.student_id is 'Who is offered: users.id.';
comment on column public.match_offers.mentor_id is 'To whom: users.id.';
comment on column public.match_offers.rank is 'Place in the batch: 1 suits best.';
comment on column public.match_offers.units is 'The score in millionths of the whole.';
comment on column public.match_offers.score is 'The score, 0 to 100.';
comment on column public.match_offers.confidence is
  'How much was known of both, in per cent of the weights.';
comment on column public.match_offers.breakdown is 'The parts of the score, a factor each.';
comment on column public.match_offers.reasons is 'Why, in words: a list.';
comment on column public.match_offers.status is
  'offered, accepted, declined, expired; withdrawn: another was quicker, or it became pointless.';
comment on column public.match_offers.decline_reason is 'Why the mentor declined.';
comment on column public.match_offers.answered_at is 'When it was answered, or ended.';
comment on column public.match_offers.announced_at is 'When the mentor was told.';
comment on column public.match_offers.created_at is 'When it was made.';

alter table public.match_batches enable row level security;
revoke all on table public.match_batches from public, anon, authenticated, service_role;
grant select, insert, update, delete on table public.match_batches to service_role;
grant select on table public.match_batches to authenticated;

alter table public.match_offers enable row level security;
revoke all on table public.match_offers from public, anon, authenticated, service_role;
grant select, insert, update, delete on table public.match_offers to service_role;
grant select on table public.match_offers to authenticated;
