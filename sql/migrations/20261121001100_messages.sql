-- Messages: one row a mail, made in the transaction of its cause, sent by the job
-- deliver_messages. Who wants what, when, and how much of it.
-- service_role queues, claims and finishes; a person sets their own preferences.

insert into public.program_settings (key, value, description) values
  ('mail_daily_cap', '5', 'Most mails a person gets in 24 hours; the rest waits for the digest.'),
  ('digest_hour', '8', 'From this hour on, in a person''s own time zone, their digest is sent.'),
  ('NEW_STUDENT_ASSIGNMENT', 'true', 'Mentors are told of a new student.'),
  ('PENDING_SUBMISSION_REMINDER', 'true', 'Mentors are reminded of submissions that wait.'),
  ('STUDENT_MILESTONE_ACHIEVED', 'true', 'Mentors are told of a student''s milestone.'),
  ('SESSION_REMINDERS', 'true', 'Both sides are reminded of a session.'),
  ('OVERDUE_FEEDBACK_ALERT', 'true', 'Mentors are told when feedback is overdue.');

-- Who wants what ----------------------------------------------------------------------------

create table public.contact_preferences (
  user_id uuid not null references public.users (id) on delete cascade,
  kind text not null,
  channel text not null,
  updated_at timestamptz not null default now(),
  primary key (user_id, kind),
  constraint contact_preferences_channel_known
    check (channel in ('email', 'in_app', 'digest', 'off'))
);

comment on table public.contact_preferences is
  'How a person wants to be told what. Without a row: by e-mail.';
comment on column public.contact_preferences.user_id is 'The person.';
comment on column public.contact_preferences.kind is 'A kind of message, or all for the others.';
comment on column public.contact_preferences.channel is
  'email; in_app: a notification only; digest: one mail a day; off.';
comment on column public.contact_preferences.updated_at is 'When it was last changed.';

create table public.contact_hours (
  user_id uuid primary key references public.users (id) on delete cascade,
  quiet_from time not null,
  quiet_until time not null,
  constraint contact_hours_differ check (quiet_from <> quiet_until)
);

comment on table public.contact_hours is
  'When a person does not want mail. What comes then waits until it is over.';
comment on column public.contact_hours.user_id is 'The person.';
comment on column public.contact_hours.quiet_from is 'From, by the clock of users.timezone.';
comment on column public.contact_hours.quiet_until is 'Until; before quiet_from: on the next day.';

-- The outbox --------------------------------------------------------------------------------

create table public.message_outbox (
  id uuid primary key default gen_random_uuid(),
  kind text not null,
  recipient uuid not null references public.users (id) on delete cascade,
  about text not null,
  data jsonb not null default '{}',
  priority integer not null default 5,
  status text not null default 'queued',
  not_before timestamptz not null default now(),
  expires_at timestamptz,
  attempt integer not null default 0,
  max_attempts integer not null default 8,
  claimed_by uuid references public.job_runs (id) on delete set null,
  claimed_fence bigint,
  batch uuid,
  in_doubt boolean not null default false,
  superseded_at timestamptz,
  provider_id text,
  error text,
  created_at timestamptz not null default now(),
  sent_at timestamptz,
  constraint message_outbox_once unique (kind, recipient, about),
  constraint message_outbox_status_known check (
    status in (
      'queued', 'sending', 'uncertain', 'sent', 'failed', 'dead', 'superseded', 'expired', 'off', 'in_app',
      'digest', 'digested', 'bounced', 'complained'
    )
  ),
  constraint message_outbox_data_is_object check (jsonb_typeof(data) = 'object')
);

create index message_outbox_queued_idx on public.message_outbox (priority desc, created_at, id)
where status = 'queued';
create index message_outbox_sending_idx on public.message_outbox (claimed_by)
where status = 'sending';
create index message_outbox_uncertain_idx on public.message_outbox (batch, id)
where status = 'uncertain';
create index message_outbox_provider_idx on public.message_outbox (provider_id)
where provider_id is not null;
create index message_outbox_claimed_idx on public.message_outbox (claimed_by)
where claimed_by is not null;
create index message_outbox_digest_idx on public.message_outbox (recipient) where status = 'digest';
create index message_outbox_about_idx on public.message_outbox (about)
where status in ('queued', 'digest', 'sending');
create index message_outbox_recipient_idx on public.message_outbox (recipient, sent_at);

comment on table public.message_outbox is
  'Mails: a row each. The same kind to the same person about the same thing is one row for ever.';
comment on column public.message_outbox.id is
  'The message: part of its Message-ID, and the key by which the provider knows it again.';
comment on column public.message_outbox.kind is 'Which template.';
comment on column public.message_outbox.recipient is 'Whom it is for.';
comment on column public.message_outbox.about is 'What it is about, such as session:<id>:24h.';
comment on column public.message_outbox.data is 'What the template shows.';
comment on column public.message_outbox.priority is 'Higher goes first; from 8 on it ignores caps.';
comment on column public.message_outbox.status is
  'queued, sending, sent; uncertain: it may have been sent, and is sent again as the very same;'
  ' failed: it cannot be sent; dead: it could not in all attempts;'
  ' superseded, expired; off, in_app, digest: as the person prefers; digested; bounced, complained.';
comment on column public.message_outbox.not_before is 'Not sent before this time.';
comment on column public.message_outbox.expires_at is 'Not worth sending after this time.';
comment on column public.message_outbox.attempt is 'How often it was handed over.';
comment on column public.message_outbox.max_attempts is 'After so many it is dead.';
comment on column public.message_outbox.claimed_by is 'The run that sends it, or sent it.';
comment on column public.message_outbox.claimed_fence is 'The fence of that run.';
comment on column public.message_outbox.batch is
  'With which others it was handed over: the provider knows them again as the same set only.';
comment on column public.message_outbox.in_doubt is
  'It may have been sent: no rule holds it back any more, and it is sent as the very same.';
comment on column public.message_outbox.superseded_at is
  'When it became pointless while it was being sent: it is not tried again.';
comment on column public.message_outbox.provider_id is 'What the provider calls it.';
comment on column public.message_outbox.error is 'Why it was not sent.';
comment on column public.message_outbox.created_at is 'When its cause was.';
comment on column public.message_outbox.sent_at is 'When the provider took it.';

alter table public.contact_preferences enable row level security;
revoke all on table public.contact_preferences from public, anon, authenticated, service_role;
grant select, insert, update, delete on table public.contact_preferences
to authenticated, service_role;
create policy "People read their own preferences"
on public.contact_preferences for select to authenticated
using (user_id = (select private.current_user_id()));
create policy "People add their own preferences"
on public.contact_preferences for insert to authenticated
with check (user_id = (select private.current_user_id()));
create policy "People change their own preferences"
on public.contact_preferences for update to authenticated
using (user_id = (select private.current_user_id()))
with check (user_id = (select private.current_user_id()));
create policy "People drop their own preferences"
on public.contact_preferences for delete to authenticated
using (user_id = (select private.current_user_id()));

alter table public.contact_hours enable row level security;
revoke all on table public.contact_hours from public, anon, authenticated, service_role;
grant select, insert, update, delete on table public.contact_hours to authenticated, service_role;
create policy "People read their own quiet hours"
on public.contact_hours for select to authenticated
using (user_id = (select private.current_user_id()));
create policy "People add their own quiet hours"
on public.contact_hours for insert to authenticated
with check (user_id = (select private.current_user_id()));
create policy "People change their own quiet hours"
on public.contact_hours for update to authenticated
using (user_id = (select private.current_user_id()))
with check (user_id = (select private.current_user_id()));
create policy "People drop their own quiet hours"
on public.contact_hours for delete to authenticated
using (user_id = (select private.current_user_id()));

alter table public.message_outbox enable row level security;
revoke all on table public.message_outbox from public, anon, authenticated, service_role;
grant select, insert, update, delete on table public.message_outbox to service_role;

create trigger mentor_sync_touch before update on public.contact_preferences
for each row when (old is distinct from new) execute function private.touch_updated_at();

-- Rules -------------------------------------------------------------------------------------

create function private.channel_for(p_user_id uuid, p_kind text) returns text
language sql stable set search_path = '' as $$
  select coalesce(
    (
      select p.channel from public.contact_preferences as p
      where p.user_id = p_user_id and p.kind in (p_kind, 'all')
      order by p.kind = 'all'
      limit 1
    ),
    'email'
  )
$$;
comment on function private.channel_for(uuid, text) is
  'How a person wants to be told this kind: by their choice for it, for all, or by e-mail.';

create function private.known_zone(p_zone text) returns text
language plpgsql stable set search_path = '' as $$
begin
  perform now() at time zone p_zone;
  return coalesce(p_zone, 'UTC');
exception
  when invalid_parameter_value then
    return 'UTC';
end
$$;
comment on function private.known_zone(text) is 'The time zone, or UTC where it is none.';

create function private.quiet_until(p_now timestamptz, p_zone text, p_from time, p_until time)
returns timestamptz
language plpgsql stable set search_path = '' as $$
declare
  zone constant text := private.known_zone(p_zone);
  here constant timestamp := p_now at time zone zone;
  quiet constant boolean := case
    when p_from < p_until then here::time >= p_from and here::time < p_until
    else here::time >= p_from or here::time < p_until
  end;
begin
  if quiet is not true then
    return null;
  end if;
  return (here::date + p_until + interval '1 day' * (here::time >= p_until)::integer)
    at time zone zone;
end
$$;
comment on function private.quiet_until(timestamptz, text, time, time) is
  'The end of the quiet hours that it is in at that time, in that time zone; null outside them.';

create function private.number_setting(p_key text, p_default integer) returns integer
language sql stable set search_path = '' as $$
  select coalesce(
    (
      select least(greatest(round((s.value #>> '{}')::numeric), -2147483648), 2147483647)::integer
      from public.program_settings as s
      where s.key = p_key and jsonb_typeof(s.value) = 'number'
    ),
    p_default
  )
$$;
comment on function private.number_setting(text, integer) is
  'A number of program_settings, rounded, or the default where it is none.';

create function private.kind_enabled(p_kind text) returns boolean
language sql stable set search_path = '' as $$
  select coalesce(
    (
      select s.value <> 'false'::jsonb from public.program_settings as s
      where s.key = case p_kind
        when 'new_student' then 'NEW_STUDENT_ASSIGNMENT'
        when 'submission_received' then 'PENDING_SUBMISSION_REMINDER'
        when 'milestone' then 'STUDENT_MILESTONE_ACHIEVED'
        when 'session_reminder' then 'SESSION_REMINDERS'
        when 'overdue_feedback' then 'OVERDUE_FEEDBACK_ALERT'
      end
    ),
    true
  )
$$;
comment on function private.kind_enabled(text) is
  'Whether the programme sends this kind at all: the switches in program_settings.';

-- Queueing ----------------------------------------------------------------------------------

-- What is to be answered, or put into a calendar, is a mail of its own and never gathered.
create function private.route(p_kind text, p_recipient uuid, p_data jsonb) returns text
language plpgsql stable set search_path = '' as $$
declare
  channel constant text := case
    when private.kind_enabled(p_kind) then private.channel_for(p_recipient, p_kind) else 'off'
  end;
begin
  return case
    when channel = 'email' or p_kind = 'digest' and channel <> 'off' then 'queued'
    when channel = 'digest' and p_data ?| array['ask', 'event'] then 'queued'
    else channel
  end;
end
$$;
comment on function private.route(text, uuid, jsonb) is
  'How a message goes that is due now: queued for mail, in_app, digest or off.';

create function private.notify_in_app(p_recipient uuid, p_kind text, p_data jsonb) returns void
language sql volatile set search_path = '' as $$
  insert into public.notifications (user_id, type, title, metadata)
  values (
    p_recipient, p_kind,
    left(coalesce(nullif(p_data ->> 'title', ''), replace(p_kind, '_', ' ')), 300), p_data
  )
$$;
comment on function private.notify_in_app(uuid, text, jsonb) is
  'Tells a person inside the application what else would be a mail.';

-- What is for later is decided later: people may change their mind until then.
create function public.queue_message(
  p_kind text,
  p_recipient uuid,
  p_about text,
  p_data jsonb default '{}',
  p_priority integer default 5,
  p_not_before timestamptz default null,
  p_expires_at timestamptz default null
) returns uuid
language plpgsql volatile set search_path = '' as $$
declare
  how constant text := case
    when p_not_before > now() then 'queued' else private.route(p_kind, p_recipient, p_data)
  end;
  made uuid;
begin
  insert into public.message_outbox (
    kind, recipient, about, data, priority, not_before, expires_at, status
  )
  values (
    p_kind, p_recipient, p_about, p_data, p_priority, coalesce(p_not_before, now()), p_expires_at,
    how
  )
  on conflict do nothing
  returning id into made;
  if made is null then
    return (
      select m.id from public.message_outbox as m
      where m.kind = p_kind and m.recipient = p_recipient and m.about = p_about
    );
  end if;
  if how = 'in_app' then
    perform private.notify_in_app(p_recipient, p_kind, p_data);
  end if;
  return made;
end
$$;
comment on function public.queue_message(
  text, uuid, text, jsonb, integer, timestamptz, timestamptz
) is
  'Queues a mail, in the transaction of its cause: its id. The same kind, recipient and about'
  ' give the message that is there.';

create function public.supersede_messages(p_about text, p_kinds text[] default null)
returns integer
language sql volatile set search_path = '' as $$
  with superseded as (
    update public.message_outbox as m
    set
      status = case m.status when 'sending' then m.status else 'superseded' end,
      superseded_at = now()
    where m.about = p_about and (p_kinds is null or m.kind = any (p_kinds))
      and m.status in ('queued', 'digest', 'sending')
    returning m.status
  )
  select count(*)::integer from superseded as s where s.status = 'superseded'
$$;
comment on function public.supersede_messages(text, text[]) is
  'What is not sent yet about this is not sent any more: how many.';

-- Sending -----------------------------------------------------------------------------------

create table public.undeliverable_addresses (
  address text primary key,
  reason text not null,
  message_id uuid references public.message_outbox (id) on delete set null,
  created_at timestamptz not null default now()
);

create index undeliverable_addresses_message_idx on public.undeliverable_addresses (message_id);

comment on table public.undeliverable_addresses is
  'Addresses that bounced, or whose owner complained: nothing is sent there. Delete a row to try'
  ' again.';
comment on column public.undeliverable_addresses.address is
  'The address as private.normalise_email writes it.';
comment on column public.undeliverable_addresses.reason is 'What the provider said.';
comment on column public.undeliverable_addresses.message_id is 'The message it was about.';
comment on column public.undeliverable_addresses.created_at is 'When it was noted.';

alter table public.undeliverable_addresses enable row level security;
revoke all on table public.undeliverable_addresses from public, anon, authenticated, service_role;
grant select, insert, update, delete on table public.undeliverable_addresses to service_role;

-- Messages that a run had and never told the end of may have been sent. One worker at a time
-- looks for them: two would each find a part of a batch.
create function private.rescue_messages() returns void
language plpgsql volatile set search_path = '' as $$
begin
  if not pg_try_advisory_xact_lock(hashtextextended('mentor_sync.rescue_messages', 0)) then
    return;
  end if;
  update public.message_outbox as m
  set status = 'uncertain', in_doubt = true
  where m.id in (
    select x.id
    from public.message_outbox as x
    left join public.job_runs as r on r.id = x.claimed_by
    where x.status = 'sending'
      and (r.status is distinct from 'running' or r.fence <> x.claimed_fence)
  );
end
$$;
comment on function private.rescue_messages() is
  'Messages whose run ended, or was taken over, are uncertain.';

-- Whoever locks the first message of a batch has the batch, so two workers never share one.
create function private.uncertain_messages() returns table (id uuid, verdict text, later timestamptz)
language sql volatile set search_path = '' as $$
  with first as materialized (
    select m.batch from public.message_outbox as m
    where m.status = 'uncertain' and not exists (
      select from public.message_outbox as x
      where x.batch = m.batch and x.status = 'uncertain'
        and (x.id < m.id or x.not_before > now())
    )
      and m.not_before <= now()
    order by m.created_at, m.id
    limit 1
    for update skip locked
  )
  select
    m.id,
    case when m.attempt >= m.max_attempts then 'dead' else 'sending' end,
    null::timestamptz
  from first
  inner join public.message_outbox as m on m.batch = first.batch and m.status = 'uncertain'
$$;
comment on function private.uncertain_messages() is
  'A batch that may have been sent, to be sent again as it was: no rule looks at it anew.';

-- What is due now, and what becomes of what is not: too late, not wanted, quiet there, too many
-- already. Only what would be sent counts for the cap.
create function private.due_messages(p_limit integer) returns table (id uuid, verdict text, later timestamptz)
language sql volatile set search_path = '' as $$
  with candidate as materialized (
    select m.* from public.message_outbox as m
    where m.status = 'queued' and m.not_before <= now()
    order by m.priority desc, m.created_at, m.id
    limit p_limit
    for update skip locked
  ),
  judged as materialized (
    select
      c.id, c.recipient, c.priority, c.created_at, quiet.until,
      c.priority >= 8 or c.kind = 'digest' or c.data ?| array['ask', 'event']
      or coalesce(c.expires_at < now() + interval '24 hours', false) as stands_alone,
      case
        when c.expires_at < now() then 'expired'
        when exists (
          select from public.undeliverable_addresses as a
          where a.address = private.normalise_email(u.email)
        ) then 'failed'
        when c.priority < 8 and quiet.until is not null then 'quiet'
        else replace(private.route(c.kind, c.recipient, c.data), 'queued', 'sending')
      end as verdict
    from candidate as c
    inner join public.users as u on u.id = c.recipient
    left join public.contact_hours as h on h.user_id = c.recipient
    cross join lateral (
      select private.quiet_until(now(), u.timezone, h.quiet_from, h.quiet_until)
    ) as quiet (until)
  ),
  counted as (
    select
      j.*,
      row_number() over (
        partition by j.recipient, j.verdict order by j.priority desc, j.created_at, j.id
      ) + sent.n as place
    from judged as j
    cross join lateral (
      select count(*) as n from public.message_outbox as s
      where s.recipient = j.recipient and (
        s.sent_at > now() - interval '24 hours' or s.status in ('sending', 'uncertain')
      )
    ) as sent
  )
  select
    c.id,
    case
      when c.verdict = 'sending' and not c.stands_alone
        and c.place > private.number_setting('mail_daily_cap', 5) then 'digest'
      else c.verdict
    end,
    c.until
  from counted as c
$$;
comment on function private.due_messages(integer) is
  'The next messages and what is to become of each: sending, expired, failed, quiet, digest,'
  ' in_app or off.';

create function public.claim_messages(p_run_id uuid, p_fence bigint, p_limit integer default 500)
returns jsonb
language plpgsql volatile set search_path = '' as $$
declare
  run constant public.job_runs := private.assert_run(p_run_id, p_fence);
  claimed jsonb;
begin
  perform private.rescue_messages();
  with again as materialized (
    select u.* from private.uncertain_messages() as u
  ),
  due as materialized (
    select a.* from again as a
    union all
    select d.* from private.due_messages(least(greatest(p_limit, 1), 5000)) as d
    where not exists (select from again)
  ),
  -- A message that goes alone is known by its own id.
  handed_over (batch) as materialized (
    select case when count(*) = 1 then (array_agg(d.id))[1] else gen_random_uuid() end
    from due as d where d.verdict = 'sending'
  ),
  taken as (
    update public.message_outbox as m
    set
      status = case d.verdict when 'quiet' then 'queued' else d.verdict end,
      not_before = case d.verdict when 'quiet' then d.later else m.not_before end,
      attempt = m.attempt + (d.verdict = 'sending')::integer,
      error = case d.verdict
        when 'failed' then 'The address is in undeliverable_addresses.'
        when 'dead' then coalesce(m.error, 'No worker lived to tell what became of it.')
        else m.error
      end,
      claimed_by = case d.verdict when 'sending' then p_run_id else m.claimed_by end,
      claimed_fence = case d.verdict when 'sending' then p_fence else m.claimed_fence end,
      batch = case
        when m.status = 'queued' and d.verdict = 'sending' then (select h.batch from handed_over as h)
        else m.batch
      end
    from due as d
    where m.id = d.id
    returning m.*
  ),
  told as (
    select private.notify_in_app(t.recipient, t.kind, t.data) from taken as t
    where t.status = 'in_app'
  )
  select jsonb_build_object(
    'told', (select count(*) from told),
    'looked_at', (select count(*) from due),
    'messages', coalesce(
      jsonb_agg(
        jsonb_build_object(
          'id', t.id, 'kind', t.kind, 'data', t.data, 'attempt', t.attempt, 'batch', t.batch,
          'in_doubt', t.in_doubt,
          'address', private.trim_space(u.email), 'name', u.full_name,
          'timezone', private.known_zone(u.timezone),
          'locale', u.locale,
          'unsubscribe', private.unsubscribe_token(t.recipient, t.kind),
          'asked', private.answer_tokens(t.id, t.data, t.created_at, t.expires_at)
        )
        order by t.priority desc, t.created_at, t.id
      ) filter (where t.status = 'sending'),
      '[]'
    )
  ) into claimed
  from taken as t
  inner join public.users as u on u.id = t.recipient;
  return claimed;
end
$$;
comment on function public.claim_messages(uuid, bigint, integer) is
  'Takes messages that are due for a run of deliver_messages, and puts off those that are not.';

-- [{id, outcome, alone, provider_id, reason, retry_after}], where outcome is sent, failed, retry,
-- uncertain: it may have been sent; released: nothing was tried; held: an operator has to mend
-- something first, which costs no attempt.
create function public.finish_messages(p_run_id uuid, p_fence bigint, p_results jsonb)
returns jsonb
language plpgsql volatile set search_path = '' as $$
declare
  run constant public.job_runs := private.assert_run(p_run_id, p_fence);
  counts jsonb;
begin
  with given as (
    select * from jsonb_to_recordset(p_results) as g (
      id uuid, outcome text, alone boolean, provider_id text, reason text,
      retry_after double precision
    )
  ),
  ended as (
    update public.message_outbox as m
    set
      status = case
        when g.outcome in ('sent', 'failed') then g.outcome
        when g.outcome not in ('released', 'held') and m.attempt >= m.max_attempts then 'dead'
        when g.outcome = 'uncertain' or m.in_doubt then 'uncertain'
        when m.superseded_at is not null then 'superseded'
        else 'queued'
      end,
      in_doubt = m.in_doubt or g.outcome = 'uncertain',
      attempt = m.attempt - (g.outcome in ('released', 'held'))::integer,
      batch = case when g.alone then m.id else m.batch end,
      not_before = case
        when g.outcome = 'held' then clock_timestamp() + interval '5 minutes'
        when g.outcome in ('retry', 'uncertain') then clock_timestamp() + greatest(
          private.retry_delay(m.attempt), make_interval(secs => least(coalesce(g.retry_after, 0), 86400))
        )
        else m.not_before
      end,
      provider_id = coalesce(nullif(g.provider_id, ''), m.provider_id),
      error = nullif(left(g.reason, 1000), ''),
      sent_at = case g.outcome when 'sent' then clock_timestamp() end
    from given as g
    where m.id = g.id and m.status = 'sending' and m.claimed_by = p_run_id
      and m.claimed_fence = p_fence and g.outcome in ('sent', 'retry', 'uncertain', 'failed', 'released', 'held')
    returning m.status
  )
  select coalesce(jsonb_object_agg(e.status, e.n), '{}') into counts
  from (select x.status, count(*) as n from ended as x group by x.status) as e;
  return counts;
end
$$;
comment on function public.finish_messages(uuid, bigint, jsonb) is
  'What became of messages that this run had: how many of each status.';

-- One mail a day for those who want it so, or got too many: from digest_hour on, there.
create function public.compose_digests(p_run_id uuid, p_fence bigint, p_limit integer default 500)
returns jsonb
language plpgsql volatile set search_path = '' as $$
declare
  run constant public.job_runs := private.assert_run(p_run_id, p_fence);
  composed integer;
begin
  update public.message_outbox as m
  set status = 'expired'
  where m.status = 'digest' and m.expires_at <= now();
  with waiting as materialized (
    select distinct on (m.recipient) m.recipient, here.at::date as day
    from public.message_outbox as m
    inner join public.users as u on u.id = m.recipient
    cross join lateral (
      select now() at time zone private.known_zone(u.timezone) as at
    ) as here
    where m.status = 'digest' and coalesce(m.expires_at > now(), true)
      and not exists (
        select from public.message_outbox as d
        where d.kind = 'digest' and d.recipient = m.recipient
          and d.about = 'digest:' || here.at::date
      )
      and extract(hour from here.at) >= private.number_setting('digest_hour', 8)
    limit p_limit
  ),
  mine as materialized (
    select m.id, m.recipient, w.day, m.kind, m.data, m.created_at
    from waiting as w
    inner join public.message_outbox as m
      on m.recipient = w.recipient and m.status = 'digest' and coalesce(m.expires_at > now(), true)
    for update of m skip locked
  ),
  made as (
    insert into public.message_outbox (kind, recipient, about, data)
    select 'digest', m.recipient, 'digest:' || m.day, jsonb_build_object(
      'messages', jsonb_agg(
        jsonb_build_object('kind', m.kind, 'data', m.data) order by m.created_at, m.id
      )
    )
    from mine as m
    group by m.recipient, m.day
    on conflict do nothing
    returning recipient
  ),
  marked as (
    update public.message_outbox as m
    set status = 'digested'
    from mine as x
    where m.id = x.id and x.recipient in (select made.recipient from made)
  )
  select count(*) into composed from made;
  return jsonb_build_object('digests', composed);
end
$$;
comment on function public.compose_digests(uuid, bigint, integer) is
  'Makes one message of those that wait for a person''s digest, once a day there.';

-- Operators ---------------------------------------------------------------------------------

-- Definer: whoever's write made the alert. Never fails it.
create function private.mail_alert() returns trigger
language plpgsql volatile security definer set search_path = '' as $$
begin
  perform public.queue_message(
    'operator_alert', u.id, 'alert:' || new.id,
    jsonb_build_object(
      'title', new.job || ': ' || replace(new.kind, '_', ' '), 'message', new.message,
      'hint', new.hint, 'occurred_at', new.created_at
    ),
    8
  )
  from public.users as u
  where u.role = 'admin' and u.status = 'Active';
  return null;
exception
  when others then
    raise warning 'mentor_sync could not queue the mail of an alert: %', sqlerrm;
    return null;
end
$$;
comment on function private.mail_alert() is 'Trigger: admins get an alert by mail.';

create trigger mentor_sync_mailed after insert on public.job_alerts
for each row execute function private.mail_alert();

revoke all on function
  private.mail_alert(),
  private.channel_for(uuid, text),
  private.known_zone(text),
  private.quiet_until(timestamptz, text, time, time),
  private.number_setting(text, integer),
  private.kind_enabled(text),
  private.route(text, uuid, jsonb),
  private.notify_in_app(uuid, text, jsonb),
  private.rescue_messages(),
  private.uncertain_messages(),
  private.due_messages(integer),
  public.queue_message(text, uuid, text, jsonb, integer, timestamptz, timestamptz),
  public.supersede_messages(text, text[]),
  public.claim_messages(uuid, bigint, integer),
  public.finish_messages(uuid, bigint, jsonb),
  public.compose_digests(uuid, bigint, integer)
from public, anon, authenticated, service_role;
grant execute on function
  private.channel_for(uuid, text),
  private.known_zone(text),
  private.quiet_until(timestamptz, text, time, time),
  private.number_setting(text, integer),
  private.kind_enabled(text),
  private.route(text, uuid, jsonb),
  private.notify_in_app(uuid, text, jsonb),
  private.rescue_messages(),
  private.uncertain_messages(),
  private.due_messages(integer),
  public.queue_message(text, uuid, text, jsonb, integer, timestamptz, timestamptz),
  public.supersede_messages(text, text[]),
  public.claim_messages(uuid, bigint, integer),
  public.finish_messages(uuid, bigint, jsonb),
  public.compose_digests(uuid, bigint, integer)
to service_role;
