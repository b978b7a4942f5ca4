-- Offers: a request is offered to its three best mentors at a time; the first to accept has it.
-- A student reads their batches, a mentor the offers made to them, admins all; the verbs and
-- the jobs build_match_batches and expire_stale write.

insert into public.program_settings (key, value, description) values
  ('auto_match', 'true', 'Open requests are offered to mentors by the job build_match_batches.'),
  ('offer_days', '5', 'So many days mentors may answer an offer; then the next three are asked.'),
  ('offers_per_seat', '3', 'Most open offers of a mentor for each seat that is free.'),
  ('waiting_credit_per_day', '0.5',
   'Points of 100 by which a student goes before others for each day of waiting.'),
  ('waiting_credit_most', '15', 'Most points that waiting is worth.');

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
  constraint match_batches_whole unique (id, request_id, student_id),
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
  'offered, accepted; exhausted: all declined or were withdrawn; expired: none answered in time; cancelled.';
comment on column public.match_batches.selected_by is 'The mentor who accepted: users.id.';
comment on column public.match_batches.selected_at is 'When.';
comment on column public.match_batches.run_id is 'The run that made it.';
comment on column public.match_batches.expires_at is 'Until when the mentors may answer.';
comment on column public.match_batches.created_at is 'When it was made.';

create table public.match_offers (
  id uuid primary key default gen_random_uuid(),
  batch_id uuid not null,
  request_id uuid not null,
  student_id uuid not null,
  mentor_id uuid not null references public.users (id) on delete cascade,
  rank integer not null,
  units integer not null,
  score numeric(5, 2) not null generated always as (round(units / 10000.0, 2)) stored,
  confidence integer not null,
  breakdown jsonb not null,
  reasons jsonb not null default '[]',
  status text not null default 'offered',
  answered_at timestamptz,
  announced_at timestamptz,
  created_at timestamptz not null default now(),
  -- The same mentor is never asked twice for one request.
  constraint match_offers_once unique (request_id, mentor_id),
  -- One key for all three: an offer cannot be of another request or student than its batch.
  constraint match_offers_of_batch foreign key (batch_id, request_id, student_id)
    references public.match_batches (id, request_id, student_id) on delete cascade,
  constraint match_offers_rank_once unique (batch_id, request_id, student_id, rank),
  constraint match_offers_rank_positive check (rank > 0),
  constraint match_offers_units_range check (units between 0 and 1000000),
  constraint match_offers_confidence_range check (confidence between 0 and 100),
  constraint match_offers_status_known
    check (status in ('offered', 'accepted', 'declined', 'expired', 'withdrawn')),
  constraint match_offers_reasons_are_list check (jsonb_typeof(reasons) = 'array')
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
comment on column public.match_offers.answered_at is 'When it was answered, or ended.';
comment on column public.match_offers.announced_at is 'When the mentor was told.';
comment on column public.match_offers.created_at is 'When it was made.';

-- A table of its own: the student reads the offers, and is not to read this.
create table public.decline_reasons (
  offer_id uuid primary key references public.match_offers (id) on delete cascade,
  reason text not null,
  created_at timestamptz not null default now(),
  constraint decline_reasons_reason_fits check (length(reason) between 1 and 1000)
);

comment on table public.decline_reasons is 'Why mentors declined offers, where they said so.';
comment on column public.decline_reasons.offer_id is 'The offer.';
comment on column public.decline_reasons.reason is 'Why; the student never reads it.';
comment on column public.decline_reasons.created_at is 'When.';

alter table public.match_batches enable row level security;
revoke all on table public.match_batches from public, anon, authenticated, service_role;
grant select, insert, update, delete on table public.match_batches to service_role;
grant select on table public.match_batches to authenticated;

alter table public.match_offers enable row level security;
revoke all on table public.match_offers from public, anon, authenticated, service_role;
grant select, insert, update, delete on table public.match_offers to service_role;
-- Not the rank: a mentor is not to read how many suit better. Students see it by get_match_batch.
grant select (
  id, request_id, student_id, mentor_id, units, score, confidence, breakdown, reasons, status,
  answered_at, announced_at, created_at
) on table public.match_offers to authenticated;

alter table public.decline_reasons enable row level security;
revoke all on table public.decline_reasons from public, anon, authenticated, service_role;
grant select, insert, update, delete on table public.decline_reasons to service_role;
grant select on table public.decline_reasons to authenticated;

create policy "Students read their own batches, admins all"
on public.match_batches for select to authenticated
using (student_id = (select private.current_user_id()) or (select private.is_admin()));

create policy "Students and mentors read their own offers, admins all"
on public.match_offers for select to authenticated
using (
  student_id = (select private.current_user_id())
  or mentor_id = (select private.current_user_id())
  or (select private.is_admin())
);

create policy "Mentors read the reasons that they gave, admins all"
on public.decline_reasons for select to authenticated
using (
  exists (
    select from public.match_offers as o
    where o.id = offer_id and o.mentor_id = (select private.current_user_id())
  )
  or (select private.is_admin())
);

-- Definer: policies of other tables ask it, and must not depend on those of the offers.
create function private.offered_people() returns uuid[]
language sql stable security definer set search_path = '' as $$
  select array(
    select o.student_id from public.match_offers as o
    where o.mentor_id = (select private.current_user_id()) and o.status = 'offered'
  )
$$;
comment on function private.offered_people() is
  'The students who are offered to the person who is signed in.';

-- What people see ---------------------------------------------------------------------------

-- Definer: names and requests of others. A mentor does not see who else was asked, nor in what
-- order.
create function private.match_batch() returns table (
  offer_id uuid, batch_id uuid, request_id uuid, side text, person_id uuid, person_name text,
  rank integer, status text, score numeric, confidence integer, breakdown jsonb, reasons jsonb,
  message text, focus_areas text[], goals text[], expires_at timestamptz, created_at timestamptz
)
language sql stable security definer set search_path = '' as $$
  with me as (
    select private.current_user_id() as id
  ),
  visible as (
    select 'student' as side, o.mentor_id as person_id, o.rank as shown_rank, o
    from me
    cross join lateral (
      select b.id from public.match_batches as b
      where b.student_id = me.id
      order by b.created_at desc, b.number desc limit 1
    ) as latest
    inner join public.match_offers as o on o.batch_id = latest.id
    union all
    select 'mentor', o.student_id, null, o
    from me
    inner join public.match_offers as o on o.mentor_id = me.id and o.status = 'offered'
  )
  select
    (v.o).id, (v.o).batch_id, (v.o).request_id, v.side, v.person_id, coalesce(u.full_name, ''),
    v.shown_rank, (v.o).status, (v.o).score, (v.o).confidence, (v.o).breakdown, (v.o).reasons,
    r.message, r.focus_areas, r.goals, b.expires_at, (v.o).created_at
  from visible as v
  inner join public.match_batches as b on b.id = (v.o).batch_id
  inner join public.mentorship_requests as r on r.id = (v.o).request_id
  inner join public.users as u on u.id = v.person_id
  where v.side = 'student' or b.expires_at > now()
  order by v.side, v.shown_rank, (v.o).units desc, (v.o).id
$$;
comment on function private.match_batch() is 'The offers that concern who is signed in.';

create function public.get_match_batch() returns table (
  offer_id uuid, batch_id uuid, request_id uuid, side text, person_id uuid, person_name text,
  rank integer, status text, score numeric, confidence integer, breakdown jsonb, reasons jsonb,
  message text, focus_areas text[], goals text[], expires_at timestamptz, created_at timestamptz
)
language sql stable set search_path = '' as $$
  select b.* from private.match_batch() as b
$$;
comment on function public.get_match_batch() is
  'For a student: the mentors of their latest batch. For a mentor: the students offered to them.';

-- Answers -----------------------------------------------------------------------------------

-- As supersede_messages, for many offers, by the key of the outbox.
create function private.supersede_offers(p_offer_ids uuid[]) returns void
language sql volatile set search_path = '' as $$
  update public.message_outbox as m
  set
    status = case m.status when 'sending' then m.status else 'superseded' end,
    superseded_at = now()
  from public.match_offers as o
  where o.id = any (p_offer_ids)
    and m.kind = 'mentor_recommendation' and m.recipient = o.mentor_id
    and m.about = 'offer:' || o.id
    and m.status in ('queued', 'digest', 'sending')
$$;
comment on function private.supersede_offers(uuid[]) is
  'The mails about these offers that are not sent yet are not sent any more.';

-- Whoever answers locks the student and the request first, so that of two who answer at once one
-- waits and then sees what the other did. An offer to somebody else is as good as none.
create function private.lock_offer(p_offer_id uuid) returns public.match_offers
language plpgsql volatile set search_path = '' as $$
declare
  offer public.match_offers;
begin
  perform private.lock_student(o.student_id, o.request_id)
  from public.match_offers as o
  where o.id = p_offer_id and o.mentor_id = private.current_user_id();
  select o.* into offer from public.match_offers as o
  where o.id = p_offer_id and o.mentor_id = private.current_user_id()
  for update;
  if not found then
    raise exception 'No such offer was made to you.'
      using errcode = 'MS023', hint = 'get_match_batch lists the offers that are open.';
  end if;
  return offer;
end
$$;
comment on function private.lock_offer(uuid) is
  'The offer, with its student and request locked: MS023 unless it was made to who is signed in.';

create function private.require_open(p_offer public.match_offers) returns void
language plpgsql stable set search_path = '' as $$
begin
  if exists (
    select from public.mentorship_requests as r
    where r.id = p_offer.request_id and r.status = 'matched'
  ) then
    raise exception 'Another mentor was quicker.'
      using errcode = 'MS020', hint = 'get_match_batch lists the offers that are open.';
  end if;
  if p_offer.status <> 'offered' or not exists (
    select from public.match_batches as b
    where b.id = p_offer.batch_id and b.status = 'offered' and b.expires_at > now()
  ) then
    raise exception 'This offer is not open any more.'
      using errcode = 'MS023', hint = 'get_match_batch lists the offers that are open.';
  end if;
end
$$;
comment on function private.require_open(public.match_offers) is
  'MS020 where another mentor was quicker, MS023 where the offer is not open otherwise.';

-- Of the rules this may have changed since the offer was made; the wishes of the student are for
-- new offers, and a mentor who pauses may accept until expire_stale withdraws the offer.
create function private.require_listed(p_mentor_id uuid) returns void
language plpgsql stable set search_path = '' as $$
begin
  if not exists (
    select from public.mentors as t
    where t.person_id = p_mentor_id and t.is_approved and t.is_active
  ) then
    raise exception 'Only approved, active mentors accept students.'
      using errcode = 'MS022', detail = 'not_approved',
        hint = 'Ask whoever runs the programme why you are not listed any more.';
  end if;
end
$$;
comment on function private.require_listed(uuid) is
  'MS022 for a mentor who is not approved, or not active, any more.';

create function private.require_active(p_student_id uuid) returns void
language plpgsql stable set search_path = '' as $$
begin
  if exists (
    select from public.users as u where u.id = p_student_id and u.status <> 'Active'
  ) then
    raise exception 'The student is not active any more.'
      using errcode = 'MS024', hint = 'get_match_batch lists the other offers that are open.';
  end if;
end
$$;
comment on function private.require_active(uuid) is
  'MS024 for a student who is not active any more.';

-- Definer: only the verbs write offers and matches; the match ends the other offers. What was
-- accepted already is accepted: the answer to the first call may have been lost.
create function private.select_student(p_offer_id uuid) returns public.matches
language plpgsql volatile security definer set search_path = '' as $$
declare
  offer constant public.match_offers := private.lock_offer(p_offer_id);
  made public.matches;
begin
  if offer.status = 'accepted' then
    select m.* into made from public.matches as m where m.request_id = offer.request_id;
    return private.without_health(made);
  end if;
  perform private.require_open(offer);
  perform private.require_listed(offer.mentor_id);
  perform private.require_active(offer.student_id);
  return private.begin_match(
    offer.student_id, offer.mentor_id, 'primary', offer.request_id,
    (select r.goals from public.mentorship_requests as r where r.id = offer.request_id),
    offer.score, offer.breakdown, offer.mentor_id, 'The mentor accepted the offer.'
  );
end
$$;
comment on function private.select_student(uuid) is 'Accepts an offer, if nobody was quicker.';

create function public.select_student(p_offer_id uuid) returns public.matches
language sql volatile set search_path = '' as $$ select private.select_student(p_offer_id) $$;
comment on function public.select_student(uuid) is
  'A mentor takes the student who was offered to them: the match. The first to accept has it.';

-- Under the locks of their requests.
create function private.reopen_exhausted(p_batches uuid[]) returns integer
language plpgsql volatile set search_path = '' as $$
declare
  reopened integer;
begin
  with exhausted as (
    update public.match_batches as b
    set status = 'exhausted'
    where b.id = any (p_batches) and b.status = 'offered' and not exists (
      select from public.match_offers as o where o.batch_id = b.id and o.status = 'offered'
    )
    returning b.request_id
  )
  update public.mentorship_requests as r
  set status = 'open'
  from exhausted as e
  where r.id = e.request_id and r.status = 'offered';
  get diagnostics reopened = row_count;
  return reopened;
end
$$;
comment on function private.reopen_exhausted(uuid[]) is
  'Batches of which no offer is left are exhausted, and their requests wait for the next mentors:'
  ' how many.';

-- Definer: whoever blocks a pair may not write offers. From then on the mentor does not read the
-- request any more.
create function private.pair_blocked() returns trigger
language plpgsql volatile security definer set search_path = '' as $$
declare
  offer public.match_offers;
begin
  perform private.lock_student(new.student_id);
  update public.match_offers as o
  set status = 'withdrawn', answered_at = now()
  where o.student_id = new.student_id and o.mentor_id = new.mentor_id and o.status = 'offered'
  returning o.* into offer;
  if found then
    perform private.supersede_offers(array[offer.id]);
    perform private.reopen_exhausted(array[offer.batch_id]);
  end if;
  return null;
end
$$;
comment on function private.pair_blocked() is
  'Trigger: what is offered to a mentor who is to be kept from the student is withdrawn.';

create trigger mentor_sync_blocked after insert or update on public.blocked_pairs
for each row execute function private.pair_blocked();

create function private.without_rank(p_offer public.match_offers) returns public.match_offers
language plpgsql immutable set search_path = '' as $$
begin
  p_offer.rank := null;
  p_offer.batch_id := null;
  return p_offer;
end
$$;
comment on function private.without_rank(public.match_offers) is
  'An offer as its mentor may see it: with neither its place nor the others.';

-- Definer, likewise.
create function private.decline_offer(p_offer_id uuid, p_reason text) returns public.match_offers
language plpgsql volatile security definer set search_path = '' as $$
declare
  offer public.match_offers := private.lock_offer(p_offer_id);
begin
  if offer.status = 'declined' then
    return private.without_rank(offer);
  end if;
  perform private.require_open(offer);
  update public.match_offers as o
  set status = 'declined', answered_at = now()
  where o.id = offer.id
  returning o.* into offer;
  insert into public.decline_reasons (offer_id, reason)
  select offer.id, left(private.trim_space(p_reason), 1000)
  where private.trim_space(p_reason) <> '';
  perform private.supersede_offers(array[offer.id]);
  perform private.reopen_exhausted(array[offer.batch_id]);
  return private.without_rank(offer);
end
$$;
comment on function private.decline_offer(uuid, text) is 'Declines an offer.';

create function public.decline_offer(p_offer_id uuid, p_reason text default null)
returns public.match_offers
language sql volatile set search_path = '' as $$
  select private.decline_offer(p_offer_id, p_reason)
$$;
comment on function public.decline_offer(uuid, text) is
  'A mentor does not take the student who was offered to them. The student never sees why.';

-- What the job reads ------------------------------------------------------------------------

create function private.decimal_setting(p_key text, p_default numeric) returns numeric
language sql stable set search_path = '' as $$
  select coalesce(
    (
      select (s.value #>> '{}')::numeric from public.program_settings as s
      where s.key = p_key and jsonb_typeof(s.value) = 'number'
    ),
    p_default
  )
$$;
comment on function private.decimal_setting(text, numeric) is
  'A number of program_settings, or the default where it is none.';

create function private.matching_settings() returns jsonb
language plpgsql stable security definer set search_path = '' as $$
declare
  weights constant public.match_weights := private.current_weights();
begin
  return jsonb_build_object(
    'auto_match', coalesce(
      (
        select s.value <> 'false'::jsonb from public.program_settings as s
        where s.key = 'auto_match'
      ),
      true
    ),
    'units_a_day', round(private.decimal_setting('waiting_credit_per_day', 0.5) * 10000),
    'units_at_most', round(private.decimal_setting('waiting_credit_most', 15) * 10000),
    'version', weights.version,
    'weights', jsonb_build_object(
      'goals', weights.goals, 'industry', weights.industry, 'research', weights.research,
      'technical', weights.technical, 'location', weights.location,
      'communication', weights.communication
    )
  );
end
$$;
comment on function private.matching_settings() is 'By what the engine matches.';

create function public.matching_settings() returns jsonb
language sql stable set search_path = '' as $$ select private.matching_settings() $$;
comment on function public.matching_settings() is
  'auto_match; units_a_day and units_at_most of waiting; weights and their version.';

-- A person's terms as one word: term * 6 + factor - 1 each, in order, and the hash of it, by which
-- a change is seen. The index has all of it.
create function private.packed_terms(p_ids uuid[])
returns table (place bigint, terms text, n bigint, hash bigint)
language sql stable set search_path = '' as $$
  select p.place, t.terms, t.n, hashtextextended(coalesce(t.terms, ''), 0)
  from unnest(p_ids) with ordinality as p (id, place)
  cross join lateral (
    select
      string_agg((x.term_id * 6 + x.factor - 1)::text, ' ' order by x.factor, x.term_id) as terms,
      count(*) as n
    from private.profile_terms as x
    where x.user_id = p.id
  ) as t
$$;
comment on function private.packed_terms(uuid[]) is
  'The terms of people in the order in which they are named, packed for the engine.';

create function private.packed_people(p_ids uuid[]) returns jsonb
language sql stable set search_path = '' as $$
  select jsonb_build_object(
    'terms', coalesce(string_agg(t.terms, ' ' order by t.place), ''),
    'counts', coalesce(jsonb_agg(t.n order by t.place), '[]'),
    'hashes', coalesce(jsonb_agg(t.hash order by t.place), '[]')
  )
  from private.packed_terms(p_ids) as t
$$;
comment on function private.packed_people(uuid[]) is
  'Terms, how many each person has, and their hashes, as JSON.';

-- Mentors who must not be brought together with students whatever the engine finds: blocked,
-- matched before, asked for this request. The other rules concern the mentor alone, or are the
-- engine's requirements.
create function private.forbidden_pairs(p_students uuid[], p_requests uuid[]) returns jsonb
language sql stable set search_path = '' as $$
  select jsonb_build_object(
    'places', coalesce(jsonb_agg(f.place - 1), '[]'),
    'mentors', coalesce(jsonb_agg(f.mentor_id), '[]')
  )
  from (
    select p.place, x.mentor_id
    from unnest(p_students, p_requests) with ordinality as p (student_id, request_id, place)
    cross join lateral (
      select b.mentor_id from public.blocked_pairs as b where b.student_id = p.student_id
      union
      select m.mentor_id from public.matches as m
      where m.student_id = p.student_id and not m.undone
      union
      select o.mentor_id from public.match_offers as o where o.request_id = p.request_id
    ) as x
  ) as f
$$;
comment on function private.forbidden_pairs(uuid[], uuid[]) is
  'Places of students, from 0 on, and mentors who are not for them; with the requests, if any.';

-- What students named and wish, as parallel lists; with the request of each, or null.
create function private.packed_students(p_students uuid[], p_requests uuid[]) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return private.packed_people(p_students) || (
    select jsonb_build_object(
      'students', to_jsonb(p_students),
      'requests', to_jsonb(p_requests),
      'names', coalesce(jsonb_agg(coalesce(u.full_name, '') order by p.place), '[]'),
      'days', coalesce(
        jsonb_agg(
          coalesce(extract(day from now() - r.created_at)::integer, 0) order by p.place
        ), '[]'
      ),
      'languages', coalesce(jsonb_agg(coalesce(r.required_languages, '{}') order by p.place), '[]'),
      'hours', coalesce(jsonb_agg(r.max_timezone_hours order by p.place), '[]'),
      'zones', coalesce(jsonb_agg(
        case when r.max_timezone_hours is not null then private.zone_hours(u.timezone) end
        order by p.place
      ), '[]'),
      'wanted', coalesce(jsonb_agg(r.mentor_id order by p.place), '[]'),
      'rules', coalesce(jsonb_agg(
        case when r.mentor_id is not null
          then private.blocking_rule(r.student_id, r.mentor_id, r.id) end
        order by p.place
      ), '[]')
    )
    from unnest(p_students, p_requests) with ordinality as p (student_id, request_id, place)
    inner join public.users as u on u.id = p.student_id
    left join public.mentorship_requests as r on r.id = p.request_id
  );
end
$$;
comment on function private.packed_students(uuid[], uuid[]) is
  'Students and what they look for, packed for the engine.';

create function private.packed_mentors(p_ids uuid[]) returns jsonb
language sql stable set search_path = '' as $$
  select private.packed_people(p_ids) || jsonb_build_object(
    'mentors', to_jsonb(p_ids),
    'names', coalesce(jsonb_agg(coalesce(u.full_name, '') order by m.place), '[]'),
    'languages', coalesce(jsonb_agg(coalesce(p.languages, '{}') order by m.place), '[]'),
    'zones', coalesce(
      jsonb_agg(private.zone_hours(coalesce(t.timezone, u.timezone)) order by m.place), '[]'
    )
  )
  from unnest(p_ids) with ordinality as m (id, place)
  inner join public.users as u on u.id = m.id
  left join public.mentorship_profiles as p on p.user_id = m.id
  left join public.mentors as t on t.person_id = m.id
$$;
comment on function private.packed_mentors(uuid[]) is
  'Mentors and what they have to give, packed for the engine.';

create function private.waiting_requests(p_after jsonb, p_limit integer, p_student_id uuid)
returns uuid[]
language sql stable set search_path = '' as $$
  select array(
    select r.id
    from public.mentorship_requests as r
    inner join public.users as u on u.id = r.student_id and u.status = 'Active'
    inner join public.mentorship_profiles as p on p.user_id = r.student_id and p.is_active
    where r.status = 'open' and r.expires_at > now()
      and (p_student_id is null or r.student_id = p_student_id)
      and (
        p_after is null
        or (r.created_at, r.id) > ((p_after ->> 0)::timestamptz, (p_after ->> 1)::uuid)
      )
    order by r.created_at, r.id
    limit p_limit
  )
$$;
comment on function private.waiting_requests(jsonb, integer, uuid) is
  'The next open requests of active students, those that wait longest first.';

-- Definer: terms and blocked pairs are not for service_role to read. The cursor is what the
-- answer before gave.
create function private.requests_to_match(p_after jsonb, p_limit integer, p_student_id uuid)
returns jsonb
language plpgsql stable security definer set search_path = '' as $$
declare
  ids constant uuid[] := private.waiting_requests(p_after, p_limit, p_student_id);
  students constant uuid[] := array(
    select r.student_id
    from unnest(ids) with ordinality as p (id, place)
    inner join public.mentorship_requests as r on r.id = p.id
    order by p.place
  );
begin
  return private.packed_students(students, ids) || jsonb_build_object(
    'forbidden', private.forbidden_pairs(students, ids),
    'cursor', (
      select jsonb_build_array(r.created_at, r.id) from public.mentorship_requests as r
      where r.id = ids[cardinality(ids)]
    ),
    'done', cardinality(ids) < p_limit
  );
end
$$;
comment on function private.requests_to_match(jsonb, integer, uuid) is
  'One page of requests_to_match.';

create function public.requests_to_match(
  p_after jsonb default null, p_limit integer default 20000, p_student_id uuid default null
) returns jsonb
language sql stable set search_path = '' as $$
  select private.requests_to_match(p_after, least(greatest(p_limit, 1), 20000), p_student_id)
$$;
comment on function public.requests_to_match(jsonb, integer, uuid) is
  'Open requests that wait for mentors, as parallel lists, with what their students named.';

-- Definer, likewise. Only mentors whom no rule keeps from everybody, with room for offers.
create function private.mentors_to_match(p_after uuid, p_limit integer) returns jsonb
language plpgsql stable security definer set search_path = '' as $$
declare
  page constant uuid[] := array(
    select p.user_id from public.mentorship_profiles as p
    where p.role = 'mentor' and p.is_active and (p_after is null or p.user_id > p_after)
    order by p.user_id limit p_limit
  );
  ids uuid[];
  quotas integer[];
begin
  select coalesce(array_agg(f.mentor_id), '{}'), array_agg(f.quota)
  into ids, quotas
  from (
    select
      s.mentor_id,
      greatest(
        (s.effective - s.taken) * private.number_setting('offers_per_seat', 3) - (
          select count(*) from public.match_offers as o
          where o.mentor_id = s.mentor_id and o.status = 'offered'
        ), 0
      )::integer as quota
    from private.mentor_states(page) as s
    where s.rule is null
    order by s.mentor_id
  ) as f;
  return private.packed_mentors(ids) || jsonb_build_object(
    'quotas', coalesce(to_jsonb(quotas), '[]'),
    'cursor', page[cardinality(page)],
    'done', cardinality(page) < p_limit
  );
end
$$;
comment on function private.mentors_to_match(uuid, integer) is 'One page of mentors_to_match.';

create function public.mentors_to_match(p_after uuid default null, p_limit integer default 5000)
returns jsonb
language sql stable set search_path = '' as $$
  select private.mentors_to_match(p_after, least(greatest(p_limit, 1), 20000))
$$;
comment on function public.mentors_to_match(uuid, integer) is
  'Mentors who may be offered students, as parallel lists: how many, and what they named.';

-- In the order in which the breakdown of a score lists them.
create function public.term_labels(p_term_ids integer[]) returns jsonb
language sql stable set search_path = '' as $$
  select jsonb_build_object(
    'ids', coalesce(jsonb_agg(t.id order by t.label collate "C", t.id), '[]'),
    'labels', coalesce(jsonb_agg(t.label order by t.label collate "C", t.id), '[]')
  )
  from public.match_terms as t
  where t.id = any (p_term_ids)
$$;
comment on function public.term_labels(integer[]) is
  'How terms are shown, as two parallel lists in the order in which they are listed.';

-- What the definition says of a sample, to hold the engine against. With the hashes: who changed
-- since the engine read them proves nothing.
create function private.scores_of_pairs(p_students uuid[], p_mentors uuid[]) returns jsonb
language plpgsql stable security definer set search_path = '' as $$
declare
  weights constant public.match_weights := private.current_weights();
begin
  return (
    select coalesce(jsonb_agg(
      private.score_pair(p.student_id, p.mentor_id, weights)
      || jsonb_build_object(
        'student_hash', (select t.hash from private.packed_terms(array[p.student_id]) as t),
        'mentor_hash', (select t.hash from private.packed_terms(array[p.mentor_id]) as t)
      )
      order by p.place
    ), '[]')
    from unnest(p_students, p_mentors) with ordinality as p (student_id, mentor_id, place)
  );
end
$$;
comment on function private.scores_of_pairs(uuid[], uuid[]) is 'The scores of pairs, one by one.';

create function public.scores_of_pairs(p_students uuid[], p_mentors uuid[]) returns jsonb
language sql stable set search_path = '' as $$
  select private.scores_of_pairs(p_students, p_mentors)
$$;
comment on function public.scores_of_pairs(uuid[], uuid[]) is
  'calculate_match_score of each pair of two parallel lists, as a list, with hashes of the terms.';

-- What the job writes -----------------------------------------------------------------------

-- Set by set. An offer that breaks a hard rule by now is dropped, a request that is not open any
-- more is passed over.
create function private.make_batches(p_run_id uuid, p_batches jsonb, p_weights_version integer)
returns jsonb
language plpgsql volatile set search_path = '' as $$
declare
  counts jsonb;
  made uuid[];
  stand constant interval := make_interval(days => private.number_setting('offer_days', 5));
begin
  perform from public.mentorship_requests as r
  where r.id in (
    select b.request_id from jsonb_to_recordset(p_batches) as b (request_id uuid)
  )
  order by r.id for update;
  with given as materialized (
    select
      r.id as request_id, r.student_id, b.input_hash, o.mentor_id, o.units, o.confidence,
      o.breakdown, o.reasons, row_number() over () as place, gen_random_uuid() as id
    from jsonb_to_recordset(p_batches) as b (request_id uuid, input_hash bigint, offers jsonb)
    inner join public.mentorship_requests as r on r.id = b.request_id and r.status = 'open'
    cross join lateral jsonb_to_recordset(b.offers) as o (
      mentor_id uuid, units integer, confidence integer, breakdown jsonb, reasons jsonb
    )
  ),
  judged as materialized (
    select r.place, r.rule
    from (
      select
        array_agg(g.student_id order by g.place) as students,
        array_agg(g.mentor_id order by g.place) as mentors,
        array_agg(g.request_id order by g.place) as requests
      from given as g
    ) as l
    cross join lateral private.pair_rules(l.students, l.mentors, l.requests) as r
  ),
  -- The id of a batch comes first, so that nothing has to be joined to what is inserted.
  kept as materialized (
    select g.*, row_number() over w as rank, first_value(g.id) over w as batch_id
    from given as g
    inner join judged as j on j.place = g.place and j.rule is null
    window w as (partition by g.request_id order by g.place)
  ),
  batch as (
    insert into public.match_batches (
      id, request_id, student_id, number, weights_version, input_hash, run_id, expires_at
    )
    select
      k.batch_id, k.request_id, k.student_id,
      1 + coalesce(
        (select max(b.number) from public.match_batches as b where b.request_id = k.request_id), 0
      ),
      p_weights_version, k.input_hash, p_run_id, now() + stand
    from kept as k
    where k.rank = 1
  ),
  offered as (
    insert into public.match_offers (
      batch_id, request_id, student_id, mentor_id, rank, units, confidence, breakdown, reasons,
      announced_at
    )
    select
      k.batch_id, k.request_id, k.student_id, k.mentor_id, k.rank, k.units, k.confidence,
      k.breakdown, k.reasons, now()
    from kept as k
    returning id
  ),
  changed as (
    update public.mentorship_requests as r
    set status = 'offered'
    from kept as k
    where k.rank = 1 and r.id = k.request_id
    returning r.id
  )
  select array(select o.id from offered as o), jsonb_build_object(
    'batches', (select count(*) from changed),
    'refused', (select count(*) from judged as j where j.rule is not null),
    'passed_over', jsonb_array_length(p_batches) - (select count(*) from changed)
  )
  into made, counts;
  return counts || jsonb_build_object(
    'offers', cardinality(made), 'announced', private.queue_offers(made)
  );
end
$$;
comment on function private.make_batches(uuid, jsonb, integer) is
  'Offers requests to these mentors, as far as the rules still allow it: counts.';

create function private.batch_records(p_run_id uuid, p_request_ids uuid[]) returns jsonb
language sql stable set search_path = '' as $$
  select coalesce(jsonb_agg(jsonb_build_object(
    'request_id', b.request_id, 'student_id', b.student_id, 'student_name', u.full_name,
    'outcome', 'offered', 'mentors', offered.mentors
  ) order by p.place), '[]')
  from unnest(p_request_ids) with ordinality as p (id, place)
  cross join lateral (
    select x.* from public.match_batches as x
    where x.request_id = p.id and x.run_id = p_run_id
    order by x.number desc limit 1
  ) as b
  inner join public.users as u on u.id = b.student_id
  cross join lateral (
    select jsonb_agg(jsonb_build_object(
      'mentor_id', o.mentor_id,
      'name', (select m.full_name from public.users as m where m.id = o.mentor_id),
      'score', o.score, 'confidence', o.confidence, 'reasons', o.reasons
    ) order by o.rank) as mentors
    from public.match_offers as o
    where o.batch_id = b.id
  ) as offered
$$;
comment on function private.batch_records(uuid, uuid[]) is
  'What a run offered for these requests, for people to read.';

-- As queue_message, for many. Who never chose how to be told is told as everybody. Planned anew
-- each time: a plan for any number of offers is one for ten.
create function private.queue_offers(p_offer_ids uuid[]) returns integer
language plpgsql volatile set search_path = '' set plan_cache_mode = force_custom_plan as $$
declare
  queued integer;
  usual constant text := private.route('mentor_recommendation', null, '{}');
begin
  with due as materialized (
    select o.id, o.mentor_id, o.student_id, o.score, o.reasons, o.request_id, b.expires_at
    from public.match_offers as o
    inner join public.match_batches as b on b.id = o.batch_id
    where o.id = any (p_offer_ids)
  ),
  way as materialized (
    select p.user_id, private.route('mentor_recommendation', p.user_id, '{}') as status
    from public.contact_preferences as p
    where p.user_id in (select d.mentor_id from due as d)
      and p.kind in ('mentor_recommendation', 'all')
    group by p.user_id
  ),
  page as materialized (
    select private.page_url('offers/') as url
  ),
  mail as (
    insert into public.message_outbox as m (kind, recipient, about, data, status, expires_at)
    select
      'mentor_recommendation', d.mentor_id, 'offer:' || d.id,
      jsonb_build_object(
        'student_name', coalesce(u.full_name, ''), 'score', d.score, 'reasons', d.reasons,
        'message', nullif(r.message, ''), 'expires_at', d.expires_at,
        'offer_url', page.url || d.id
      ),
      coalesce(way.status, usual), d.expires_at
    from due as d
    cross join page
    inner join public.users as u on u.id = d.student_id
    inner join public.mentorship_requests as r on r.id = d.request_id
    left join way on way.user_id = d.mentor_id
    on conflict do nothing
    returning m.recipient, m.status, m.data
  ),
  told as (
    select count(private.notify_in_app(m.recipient, 'mentor_recommendation', m.data)) as n
    from mail as m where m.status = 'in_app'
  )
  select count(*) + 0 * (select told.n from told) into queued from mail;
  return queued;
end
$$;
comment on function private.queue_offers(uuid[]) is
  'Tells mentors of these offers: how many messages that are new.';

-- Definer: batches come of requests, rules and terms that are closed to service_role. In a dry
-- run the chunk executes like any other, its mails too, and is rolled back.
create function private.save_match_batches(
  p_run_id uuid, p_fence bigint, p_batches jsonb, p_weights_version integer, p_dry_run boolean,
  p_records integer
) returns jsonb
language plpgsql volatile security definer set search_path = '' as $$
declare
  run constant public.job_runs := private.assert_run(p_run_id, p_fence);
  -- Of this attempt: another one looks anew.
  chunk constant text := concat_ws(':', p_fence, p_batches #>> '{0,request_id}');
  made jsonb;
  records jsonb;
  answer jsonb;
begin
  -- The answer to the same call may have been lost on its way.
  if run.progress ? 'answer' and run.progress ->> 'chunk' = chunk then
    return run.progress -> 'answer';
  end if;
  begin
    made := private.make_batches(p_run_id, p_batches, p_weights_version);
    records := private.batch_records(p_run_id, array(
      select (p_batches -> b.place ->> 'request_id')::uuid
      from generate_series(0, least(p_records, jsonb_array_length(p_batches)) - 1) as b (place)
      order by b.place
    ));
    if p_dry_run then
      raise exception using errcode = 'MS000', message = 'dry run';
    end if;
  exception
    when sqlstate 'MS000' then null;
  end;
  answer := jsonb_build_object('counts', made, 'records', records);
  update public.job_runs as r
  set progress = jsonb_build_object(
    'chunk', chunk,
    'counts', private.add_counts(coalesce(run.progress -> 'counts', '{}'), made),
    'answer', answer
  )
  where r.id = p_run_id and not p_dry_run;
  return answer;
end
$$;
comment on function private.save_match_batches(
  uuid, bigint, jsonb, integer, boolean, integer
) is 'One call of save_match_batches.';

create function public.save_match_batches(
  p_run_id uuid, p_fence bigint, p_batches jsonb, p_weights_version integer,
  p_dry_run boolean default false, p_records integer default 20
) returns jsonb
language sql volatile set search_path = '' as $$
  select private.save_match_batches(
    p_run_id, p_fence, p_batches, p_weights_version, p_dry_run, p_records
  )
$$;
comment on function public.save_match_batches(uuid, bigint, jsonb, integer, boolean, integer) is
  'Offers requests to mentors, [{request_id, input_hash, offers: [{mentor_id, units, confidence,'
  ' breakdown, reasons}]}], the best first: counts, and what was offered for the first p_records.';

-- Definer, likewise. What the job offers is announced at once; this is for offers made by hand.
create function private.announce_offers(p_run_id uuid, p_fence bigint, p_limit integer)
returns jsonb
language plpgsql volatile security definer set search_path = '' as $$
declare
  run constant public.job_runs := private.assert_run(p_run_id, p_fence);
  due constant uuid[] := array(
    select o.id from public.match_offers as o
    where o.status = 'offered' and o.announced_at is null
    order by o.id limit p_limit
    for update skip locked
  );
begin
  update public.match_offers as o set announced_at = now() where o.id = any (due);
  return jsonb_build_object(
    'announced', private.queue_offers(due), 'done', cardinality(due) < p_limit
  );
end
$$;
comment on function private.announce_offers(uuid, bigint, integer) is
  'One call of announce_offers.';

create function public.announce_offers(p_run_id uuid, p_fence bigint, p_limit integer default 10000)
returns jsonb
language sql volatile set search_path = '' as $$
  select private.announce_offers(p_run_id, p_fence, least(greatest(p_limit, 1), 20000))
$$;
comment on function public.announce_offers(uuid, bigint, integer) is
  'Tells mentors of offers that were made by hand: how many. Again until done.';

-- What expires ------------------------------------------------------------------------------

-- A request that is locked is just being answered; it is looked at the next time.
create function private.expire_offers(p_limit integer) returns jsonb
language plpgsql volatile set search_path = '' as $$
declare
  batches uuid[];
  counts jsonb;
begin
  batches := array(
    select b.id
    from public.match_batches as b
    inner join public.mentorship_requests as r on r.id = b.request_id
    where b.status = 'offered' and b.expires_at <= now()
    order by b.expires_at limit p_limit
    for update of r skip locked
  );
  -- Once more, now that nobody else answers them.
  batches := array(
    select b.id from public.match_batches as b where b.id = any (batches) and b.status = 'offered'
  );
  perform private.supersede_offers(array(
    select o.id from public.match_offers as o
    where o.batch_id = any (batches) and o.status = 'offered'
  ));
  with ended as (
    update public.match_batches as b
    set status = case
      when exists (
        select from public.match_offers as o where o.batch_id = b.id and o.status = 'declined'
      ) then 'exhausted'
      else 'expired'
    end
    where b.id = any (batches)
    returning b.request_id
  ),
  expired as (
    update public.match_offers as o
    set status = 'expired', answered_at = now()
    where o.batch_id = any (batches) and o.status = 'offered'
    returning o.id
  ),
  reopened as (
    update public.mentorship_requests as r
    set status = 'open'
    from ended as e
    where r.id = e.request_id and r.status = 'offered'
    returning r.id
  )
  select jsonb_build_object(
    'offers', (select count(*) from expired), 'reopened', (select count(*) from reopened)
  )
  into counts;
  return counts;
end
$$;
comment on function private.expire_offers(integer) is
  'Ends offers that were not answered in time; their requests wait for the next mentors.';

-- Declared capacity, as when they accept: a mentor who is slow has fewer seats for new offers only.
create function private.pointless_offers(p_limit integer) returns uuid[]
language sql stable set search_path = '' as $$
  select array(
    select o.id
    from public.match_offers as o
    inner join public.users as u on u.id = o.mentor_id
    left join public.mentors as t on t.person_id = o.mentor_id
    left join public.mentorship_profiles as p on p.user_id = o.mentor_id
    where o.status = 'offered' and (
      u.status <> 'Active' or t.is_approved is not true or t.is_active is not true
      or p.is_active is not true or p.role <> 'mentor' or p.paused_until > now()
      or p.mentee_count
        >= coalesce(t.capacity, private.number_setting('default_capacity', 20))
    )
    order by o.created_at, o.id limit p_limit
  )
$$;
comment on function private.pointless_offers(integer) is
  'Open offers to mentors who are full, not listed any more, inactive or paused.';

-- As expire_offers: a request that is locked is just being answered. The student who waits only for
-- such mentors waits for the next ones from now on.
create function private.withdraw_pointless(p_limit integer) returns jsonb
language plpgsql volatile set search_path = '' as $$
declare
  pointless constant uuid[] := private.pointless_offers(p_limit);
  requests constant uuid[] := array(
    select r.id from public.mentorship_requests as r
    where r.id in (select o.request_id from public.match_offers as o where o.id = any (pointless))
    order by r.id for update skip locked
  );
  ended uuid[];
  batches uuid[];
begin
  with withdrawn as (
    update public.match_offers as o
    set status = 'withdrawn', answered_at = now()
    where o.id = any (pointless) and o.request_id = any (requests) and o.status = 'offered'
    returning o.id, o.batch_id
  )
  select coalesce(array_agg(w.id), '{}'), array_agg(distinct w.batch_id) into ended, batches
  from withdrawn as w;
  perform private.supersede_offers(ended);
  return jsonb_build_object(
    'withdrawn', cardinality(ended), 'reopened', private.reopen_exhausted(batches)
  );
end
$$;
comment on function private.withdraw_pointless(integer) is
  'Withdraws offers to mentors who cannot accept any more: how many, and how many requests wait'
  ' for the next mentors.';

-- One that mentors look at waits for their answers.
create function private.expire_requests(p_limit integer) returns integer
language plpgsql volatile set search_path = '' as $$
declare
  students uuid[];
begin
  with due as (
    select r.id from public.mentorship_requests as r
    where r.status = 'open' and r.expires_at <= now()
    order by r.expires_at limit p_limit
    for update skip locked
  ),
  expired as (
    update public.mentorship_requests as r
    set status = 'expired', closed_at = now()
    from due as d
    where r.id = d.id
    returning r.student_id
  )
  select coalesce(array_agg(e.student_id), '{}') into students from expired as e;
  -- What a student wrote keeps nobody else's request from ending.
  perform private.note_stale(students);
  return cardinality(students);
end
$$;
comment on function private.expire_requests(integer) is
  'Gives up requests that waited too long: how many.';

-- Definer, likewise. Nothing is done twice: what has expired is not due any more.
create function private.expire_stale(p_run_id uuid, p_fence bigint, p_limit integer) returns jsonb
language plpgsql volatile security definer set search_path = '' as $$
declare
  run constant public.job_runs := private.assert_run(p_run_id, p_fence);
  ended jsonb;
  so_far jsonb;
begin
  ended := private.add_counts(
    private.expire_offers(p_limit), private.withdraw_pointless(p_limit)
  ) || jsonb_build_object(
    'requests', private.expire_requests(p_limit), 'questions', private.expire_questions(p_limit)
  );
  so_far := private.add_counts(coalesce(run.progress -> 'counts', '{}'), ended);
  update public.job_runs as r
  set progress = jsonb_build_object('counts', so_far)
  where r.id = p_run_id;
  return jsonb_build_object(
    'counts', so_far,
    'done', greatest(
      (ended -> 'reopened')::integer, (ended -> 'withdrawn')::integer,
      (ended -> 'requests')::integer, (ended -> 'questions')::integer
    ) < p_limit
  );
end
$$;
comment on function private.expire_stale(uuid, bigint, integer) is 'One call of expire_stale.';

create function public.expire_stale(p_run_id uuid, p_fence bigint, p_limit integer default 1000)
returns jsonb
language sql volatile set search_path = '' as $$
  select private.expire_stale(p_run_id, p_fence, least(greatest(p_limit, 1), 1000))
$$;
comment on function public.expire_stale(uuid, bigint, integer) is
  'Ends offers, requests and questions whose time is over, and offers to mentors who cannot accept'
  ' any more: how many in this run so far, and whether that was all.';

revoke all on function
  private.offered_people(),
  private.match_batch(),
  private.supersede_offers(uuid[]),
  private.lock_offer(uuid),
  private.require_open(public.match_offers),
  private.require_listed(uuid),
  private.require_active(uuid),
  private.select_student(uuid),
  private.reopen_exhausted(uuid[]),
  private.pair_blocked(),
  private.without_rank(public.match_offers),
  private.decline_offer(uuid, text),
  private.decimal_setting(text, numeric),
  private.matching_settings(),
  private.packed_terms(uuid[]),
  private.packed_people(uuid[]),
  private.forbidden_pairs(uuid[], uuid[]),
  private.packed_students(uuid[], uuid[]),
  private.packed_mentors(uuid[]),
  private.waiting_requests(jsonb, integer, uuid),
  private.requests_to_match(jsonb, integer, uuid),
  private.mentors_to_match(uuid, integer),
  private.scores_of_pairs(uuid[], uuid[]),
  private.make_batches(uuid, jsonb, integer),
  private.batch_records(uuid, uuid[]),
  private.queue_offers(uuid[]),
  private.save_match_batches(uuid, bigint, jsonb, integer, boolean, integer),
  private.announce_offers(uuid, bigint, integer),
  private.expire_offers(integer),
  private.pointless_offers(integer),
  private.withdraw_pointless(integer),
  private.expire_requests(integer),
  private.expire_stale(uuid, bigint, integer),
  public.get_match_batch(),
  public.select_student(uuid),
  public.decline_offer(uuid, text),
  public.matching_settings(),
  public.requests_to_match(jsonb, integer, uuid),
  public.mentors_to_match(uuid, integer),
  public.term_labels(integer[]),
  public.scores_of_pairs(uuid[], uuid[]),
  public.save_match_batches(uuid, bigint, jsonb, integer, boolean, integer),
  public.announce_offers(uuid, bigint, integer),
  public.expire_stale(uuid, bigint, integer)
from public, anon, authenticated, service_role;
grant execute on function
  private.offered_people(),
  private.match_batch(),
  private.select_student(uuid),
  private.decline_offer(uuid, text),
  public.get_match_batch(),
  public.select_student(uuid),
  public.decline_offer(uuid, text)
to authenticated;
grant execute on function
  private.matching_settings(),
  private.requests_to_match(jsonb, integer, uuid),
  private.mentors_to_match(uuid, integer),
  private.scores_of_pairs(uuid[], uuid[]),
  private.save_match_batches(uuid, bigint, jsonb, integer, boolean, integer),
  private.announce_offers(uuid, bigint, integer),
  private.expire_stale(uuid, bigint, integer),
  public.matching_settings(),
  public.requests_to_match(jsonb, integer, uuid),
  public.mentors_to_match(uuid, integer),
  public.term_labels(integer[]),
  public.scores_of_pairs(uuid[], uuid[]),
  public.save_match_batches(uuid, bigint, jsonb, integer, boolean, integer),
  public.announce_offers(uuid, bigint, integer),
  public.expire_stale(uuid, bigint, integer)
to service_role;
