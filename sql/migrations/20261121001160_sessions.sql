-- Sessions: when a mentor and a student meet; their invitations, reminders and calendars.
-- Both sides read theirs, admins all; service_role writes. Whoever has the secret token of a
-- person's calendar reads when and with whom they meet.

insert into public.program_settings (key, value, description) values
  ('session_minutes', '60', 'How long a session takes where it does not say.'),
  ('reminder_hours', '[24, 1]', 'So many hours before a session both sides are reminded.'),
  (
    'app_url', '""',
    'Address of the application; mails link to /sessions/<id>, /matches/<id> ... below it.'
  );

create table public.mentorship_sessions (
  session_id uuid primary key default gen_random_uuid(),
  mentor_id uuid references public.users (id) on delete set null,
  user_id uuid references public.users (id) on delete set null,
  session_type text not null,
  status text not null default 'PENDING',
  title text,
  scheduled_at timestamptz,
  ends_at timestamptz,
  session_duration_minutes integer,
  completed_at timestamptz,
  meeting_url text,
  platform text,
  format text,
  notes text,
  request_data jsonb not null default '{}',
  session_rating integer,
  session_feedback text,
  is_deleted boolean not null default false,
  calendar_sequence integer not null default 0,
  calendar_changed_at timestamptz not null default now(),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint mentorship_sessions_status_known
    check (status in ('PENDING', 'SCHEDULED', 'COMPLETED', 'CANCELLED')),
  constraint mentorship_sessions_type_is_upper_snake check (session_type ~ '^[A-Z][A-Z0-9_]*$'),
  constraint mentorship_sessions_session_rating_check check (session_rating between 1 and 5),
  constraint mentorship_sessions_ends_after_start check (ends_at > scheduled_at),
  constraint mentorship_sessions_minutes_fit check (session_duration_minutes between 1 and 1440),
  constraint mentorship_sessions_notes_fit check (length(notes) <= 20000),
  constraint mentorship_sessions_scheduled_has_time
    check (status <> 'SCHEDULED' or scheduled_at is not null),
  constraint mentorship_sessions_url_is_web check (meeting_url ~ '^[Hh][Tt][Tt][Pp][Ss]?://[!#-;=?-\[\]_a-z~]+$'),
  constraint mentorship_sessions_platform_known check (platform in ('zoom', 'meet', 'teams')),
  constraint mentorship_sessions_format_known check (format in ('video', 'phone', 'in_person', 'chat'))
);

create index mentorship_sessions_mentor_idx on public.mentorship_sessions (mentor_id);
create index mentorship_sessions_user_idx on public.mentorship_sessions (user_id);
create index mentorship_sessions_scheduled_idx on public.mentorship_sessions (scheduled_at);
create index mentorship_sessions_type_idx on public.mentorship_sessions (session_type);
create index mentorship_sessions_updated_idx on public.mentorship_sessions (updated_at);

comment on table public.mentorship_sessions is 'Sessions of mentors with students.';
comment on column public.mentorship_sessions.session_id is 'The session.';
comment on column public.mentorship_sessions.mentor_id is 'The mentor: users.id.';
comment on column public.mentorship_sessions.user_id is 'The student: users.id.';
comment on column public.mentorship_sessions.session_type is 'Such as MOCK_INTERVIEW.';
comment on column public.mentorship_sessions.status is
  'PENDING, SCHEDULED, COMPLETED or CANCELLED.';
comment on column public.mentorship_sessions.title is 'What it is called; else its type.';
comment on column public.mentorship_sessions.scheduled_at is 'When it begins.';
comment on column public.mentorship_sessions.ends_at is
  'When it ends; empty: after its minutes.';
comment on column public.mentorship_sessions.session_duration_minutes is
  'How long it takes; empty: session_minutes of program_settings.';
comment on column public.mentorship_sessions.completed_at is 'When it was held.';
comment on column public.mentorship_sessions.meeting_url is 'The video call.';
comment on column public.mentorship_sessions.platform is 'zoom, meet or teams.';
comment on column public.mentorship_sessions.format is 'video, phone, in_person or chat.';
comment on column public.mentorship_sessions.notes is 'What both sides wrote down.';
comment on column public.mentorship_sessions.request_data is 'What the form asked.';
comment on column public.mentorship_sessions.session_rating is '1 to 5.';
comment on column public.mentorship_sessions.session_feedback is 'What was said of it.';
comment on column public.mentorship_sessions.is_deleted is 'Deleted: shown to nobody, kept.';
comment on column public.mentorship_sessions.calendar_sequence is
  'Grows with each change that calendars must hear of (SEQUENCE).';
comment on column public.mentorship_sessions.calendar_changed_at is 'When that last was.';
comment on column public.mentorship_sessions.created_at is 'When the row was made.';
comment on column public.mentorship_sessions.updated_at is 'When it was last changed.';

alter table public.mentorship_sessions enable row level security;
revoke all on table public.mentorship_sessions from public, anon, authenticated, service_role;
grant select, insert, update, delete on table public.mentorship_sessions to service_role;
grant select on table public.mentorship_sessions to authenticated;
create policy "Both sides read their sessions, admins all"
on public.mentorship_sessions for select to authenticated
using (
  (mentor_id = (select private.current_user_id()) or user_id = (select private.current_user_id()))
  and not is_deleted
  or (select private.is_admin())
);

create trigger mentor_sync_touch before update on public.mentorship_sessions
for each row when (old is distinct from new) execute function private.touch_updated_at();

-- What calendars and mails say of a session -------------------------------------------------

create function private.text_setting(p_key text) returns text
language sql stable set search_path = '' as $$
  select nullif(s.value #>> '{}', '') from public.program_settings as s where s.key = p_key
$$;
comment on function private.text_setting(text) is 'A text of program_settings; null where empty.';

create function private.page_url(p_path text) returns text
language sql stable set search_path = '' as $$
  select rtrim(private.text_setting('app_url'), '/') || '/' || p_path
$$;
comment on function private.page_url(text) is
  'The address of a page of the application; null while app_url is not set.';

create function private.session_end(p_session public.mentorship_sessions) returns timestamptz
language sql stable set search_path = '' as $$
  select coalesce(
    p_session.ends_at,
    p_session.scheduled_at + make_interval(mins => coalesce(
      p_session.session_duration_minutes, private.number_setting('session_minutes', 60)
    ))
  )
$$;
comment on function private.session_end(public.mentorship_sessions) is 'When a session ends.';

create function private.session_title(p_session public.mentorship_sessions) returns text
language sql immutable set search_path = '' as $$
  select coalesce(
    nullif(private.trim_space(p_session.title), ''),
    initcap(left(p_session.session_type, 1)) || lower(replace(substr(p_session.session_type, 2), '_', ' '))
  )
$$;
comment on function private.session_title(public.mentorship_sessions) is
  'What a session is called: its title, or its type in words.';

-- The fields of mentor_sync.mail.invites.Meeting; the organiser is the programme.
create function private.session_event(p_session public.mentorship_sessions) returns jsonb
language sql stable set search_path = '' as $$
  select jsonb_build_object(
    'id', p_session.session_id,
    'title', private.session_title(p_session),
    'starts_at', p_session.scheduled_at,
    'ends_at', private.session_end(p_session),
    'timezone', private.known_zone((
      select u.timezone from public.users as u where u.id = p_session.mentor_id
    )),
    'attendees', (
      select coalesce(
        jsonb_agg(jsonb_build_array(coalesce(u.full_name, ''), private.trim_space(u.email)) order by u.id),
        '[]'
      )
      from public.users as u
      where u.id in (p_session.mentor_id, p_session.user_id) and u.role <> 'system'
    ),
    'meeting_url', coalesce(p_session.meeting_url, ''),
    'sequence', p_session.calendar_sequence,
    'changed_at', p_session.calendar_changed_at,
    'cancelled', p_session.status = 'CANCELLED' or p_session.is_deleted
  )
$$;
comment on function private.session_event(public.mentorship_sessions) is
  'A session as calendars know it.';

-- Invitations and reminders -----------------------------------------------------------------

create function private.count_calendar_change() returns trigger
language plpgsql volatile set search_path = '' as $$
begin
  new.calendar_sequence := old.calendar_sequence + 1;
  new.calendar_changed_at := now();
  return new;
end
$$;
comment on function private.count_calendar_change() is
  'Trigger: one more change that calendars must hear of.';

create trigger mentor_sync_sequence before update on public.mentorship_sessions
for each row when (
  old.status <> 'SCHEDULED' and new.status = 'SCHEDULED' or old.status = 'SCHEDULED' and (
    (old.scheduled_at, old.ends_at, old.session_duration_minutes, old.meeting_url, old.title,
     old.mentor_id, old.user_id, old.is_deleted)
    is distinct from
    (new.scheduled_at, new.ends_at, new.session_duration_minutes, new.meeting_url, new.title,
     new.mentor_id, new.user_id, new.is_deleted)
    or new.status in ('PENDING', 'CANCELLED')
  )
) execute function private.count_calendar_change();

create function private.session_mail(p_session public.mentorship_sessions, p_other uuid)
returns jsonb
language sql stable set search_path = '' as $$
  select jsonb_build_object(
    'title', private.session_title(p_session),
    'other_name', coalesce((select u.full_name from public.users as u where u.id = p_other), ''),
    'starts_at', p_session.scheduled_at,
    'minutes', ceil(extract(
      epoch from private.session_end(p_session) - p_session.scheduled_at
    ) / 60)::integer,
    'meeting_url', p_session.meeting_url,
    'session_url', private.page_url('sessions/' || p_session.session_id)
  )
$$;
comment on function private.session_mail(public.mentorship_sessions, uuid) is
  'What mails say of a session to one side of it; the other side is given.';

create function private.queue_reminders(
  p_session public.mentorship_sessions, p_person uuid, p_other uuid
) returns void
language sql volatile set search_path = '' as $$
  select public.queue_message(
    'session_reminder', p_person,
    -- Moved, it is reminded of again; with another address of the call it is not.
    concat_ws(
      ':', 'session', p_session.session_id, h.hours,
      extract(epoch from p_session.scheduled_at)::bigint
    ),
    private.session_mail(p_session, p_other), 7,
    p_session.scheduled_at - h.hours * interval '1 hour', p_session.scheduled_at
  )
  from (
    select (x.value #>> '{}')::numeric as hours
    from public.program_settings as s
    cross join lateral jsonb_array_elements(s.value) as x (value)
    where s.key = 'reminder_hours' and jsonb_typeof(s.value) = 'array'
      and jsonb_typeof(x.value) = 'number'
  ) as h
  where p_session.scheduled_at - h.hours * interval '1 hour' > now()
$$;
comment on function private.queue_reminders(public.mentorship_sessions, uuid, uuid) is
  'Reminders of a session to one side, for those of the hours before it that are still to come.';

-- What waits for either side about the session as it was is not sent any more. Reminders go
-- altogether: the session may come back to the same time.
create function private.withdraw_session_mail(p_session_id uuid) returns void
language sql volatile set search_path = '' as $$
  delete from public.message_outbox as m
  where m.kind = 'session_reminder' and m.status in ('queued', 'digest', 'superseded')
    and starts_with(m.about, 'session:' || p_session_id || ':');
  update public.message_outbox as m
  set
    status = case m.status when 'sending' then m.status else 'superseded' end,
    superseded_at = now()
  where m.kind in ('session_invite', 'session_reminder')
    and m.status in ('queued', 'digest', 'sending')
    and starts_with(m.about, 'session:' || p_session_id || ':')
$$;
comment on function private.withdraw_session_mail(uuid) is
  'Takes back what was not sent yet about a session.';

-- Whose calendar has the session: the last invitation that left, or may have, was no cancellation.
create function private.holders_of(p_session_id uuid) returns setof uuid
language sql stable set search_path = '' as $$
  select last.recipient
  from (
    select distinct on (m.recipient) m.recipient, m.data
    from public.message_outbox as m
    where m.kind = 'session_invite'
      and m.status in ('sending', 'uncertain', 'sent', 'bounced', 'complained')
      and starts_with(m.about, 'session:' || p_session_id || ':invite:')
    order by m.recipient, (m.data #>> '{event,sequence}')::integer desc
  ) as last
  where not (last.data -> 'is_cancelled')::boolean
$$;
comment on function private.holders_of(uuid) is
  'Who was told of a session and not of its end.';

create function private.queue_invitation(
  p_session public.mentorship_sessions, p_person uuid, p_other uuid, p_change text
) returns void
language sql volatile set search_path = '' as $$
  select public.queue_message(
    'session_invite', p_person,
    'session:' || p_session.session_id || ':invite:' || p_session.calendar_sequence,
    private.session_mail(p_session, p_other) || jsonb_build_object(
      'is_moved', p_change = 'moved', 'is_cancelled', p_change = 'cancelled',
      'event', private.session_event(p_session)
      || jsonb_build_object('cancelled', p_change = 'cancelled')
    ),
    8, null, p_session.scheduled_at
  )
  from public.users as u
  where u.id = p_person and u.role <> 'system'
$$;
comment on function private.queue_invitation(public.mentorship_sessions, uuid, uuid, text) is
  'Tells one side of a session that is new, moved or cancelled.';

-- Who has it in the calendar and is no side of it any more has it taken out.
create function private.queue_session_mail(
  p_was public.mentorship_sessions, p_session public.mentorship_sessions, p_stands boolean
) returns void
language plpgsql volatile set search_path = '' as $$
declare
  person uuid;
  holders constant uuid[] := array(select private.holders_of(p_session.session_id));
  sides constant uuid[] := case
    when p_stands then array[p_session.mentor_id, p_session.user_id] else '{}'
  end;
begin
  foreach person in array holders loop
    if person <> all (sides) then
      perform private.queue_invitation(
        p_was, person,
        case person when p_was.mentor_id then p_was.user_id else p_was.mentor_id end, 'cancelled'
      );
    end if;
  end loop;
  foreach person in array sides loop
    perform private.queue_invitation(
      p_session, person, case person when sides[1] then sides[2] else sides[1] end,
      case when person = any (holders) then 'moved' else 'new' end
    );
    perform private.queue_reminders(
      p_session, person, case person when sides[1] then sides[2] else sides[1] end
    );
  end loop;
end
$$;
comment on function private.queue_session_mail(
  public.mentorship_sessions, public.mentorship_sessions, boolean
) is
  'Tells those who have a session in the calendar, and those who take part now, what changed.';

-- Definer: whoever changes a session may not write the outbox.
create function private.session_changed() returns trigger
language plpgsql volatile security definer set search_path = '' as $$
declare
  after public.mentorship_sessions := case tg_op when 'DELETE' then old else new end;
  before public.mentorship_sessions := case tg_op when 'INSERT' then new else old end;
begin
  if tg_op = 'DELETE' then
    after.calendar_sequence := old.calendar_sequence + 1;
    after.calendar_changed_at := now();
    after.status := 'CANCELLED';
  end if;
  -- As it was in calendars, and as the change that they are to hear of.
  before.calendar_sequence := after.calendar_sequence;
  before.calendar_changed_at := after.calendar_changed_at;
  perform private.withdraw_session_mail(after.session_id);
  if greatest(before.scheduled_at, after.scheduled_at) > now() and after.status <> 'COMPLETED' then
    perform private.queue_session_mail(
      before, after,
      after.status = 'SCHEDULED' and not after.is_deleted and after.scheduled_at > now()
      and after.mentor_id is not null and after.user_id is not null
    );
  end if;
  return null;
end
$$;
comment on function private.session_changed() is
  'Trigger: both sides get an invitation, its change or its end, and reminders.';

create trigger mentor_sync_scheduled after insert on public.mentorship_sessions
for each row when (new.status = 'SCHEDULED') execute function private.session_changed();

create trigger mentor_sync_rescheduled after update on public.mentorship_sessions
for each row when (
  old.calendar_sequence <> new.calendar_sequence or old.status <> new.status
) execute function private.session_changed();

create trigger mentor_sync_gone after delete on public.mentorship_sessions
for each row when (old.status = 'SCHEDULED') execute function private.session_changed();

-- A person's calendar -----------------------------------------------------------------------

create table public.calendar_feeds (
  user_id uuid primary key references public.users (id) on delete cascade,
  token uuid not null unique default gen_random_uuid(),
  created_at timestamptz not null default now()
);

comment on table public.calendar_feeds is
  'The secret of each person''s calendar; another one ends the subscriptions with the old one.';
comment on column public.calendar_feeds.user_id is 'Whose calendar.';
comment on column public.calendar_feeds.token is 'Whoever has it reads the calendar.';
comment on column public.calendar_feeds.created_at is 'When the secret was made.';

alter table public.calendar_feeds enable row level security;
revoke all on table public.calendar_feeds from public, anon, authenticated, service_role;
grant select, delete on table public.calendar_feeds to authenticated, service_role;
create policy "People read their own secret"
on public.calendar_feeds for select to authenticated
using (user_id = (select private.current_user_id()));
create policy "People end their own calendar"
on public.calendar_feeds for delete to authenticated
using (user_id = (select private.current_user_id()));

-- Definer: nobody sets a secret by hand.
create function private.reset_calendar_feed() returns uuid
language sql volatile security definer set search_path = '' as $$
  insert into public.calendar_feeds as f (user_id)
  select u.id from public.users as u where u.id = (select private.current_user_id())
  on conflict (user_id) do update set token = gen_random_uuid(), created_at = now()
  returning f.token
$$;
comment on function private.reset_calendar_feed() is 'A new secret for one''s own calendar.';

create function public.reset_calendar_feed() returns uuid
language sql volatile set search_path = '' as $$ select private.reset_calendar_feed() $$;
comment on function public.reset_calendar_feed() is
  'The secret of one''s own calendar, made anew: what was subscribed with the old one ends.';

-- Definer: a calendar program has nothing but the secret.
create function private.calendar_feed(p_token uuid) returns jsonb
language sql stable security definer set search_path = '' as $$
  select coalesce(
    (
      select jsonb_build_object(
        'name', coalesce(u.full_name, ''),
        'timezone', private.known_zone(u.timezone),
        'meetings', coalesce(
          (
            select jsonb_agg(
              private.session_event(s) - 'attendees' || jsonb_build_object(
                'description', 'With ' || coalesce((
                  select o.full_name from public.users as o
                  where o.id = case s.mentor_id when u.id then s.user_id else s.mentor_id end
                ), '')
              ) order by s.scheduled_at, s.session_id
            )
            from public.mentorship_sessions as s
            where (s.mentor_id = u.id or s.user_id = u.id) and s.status <> 'PENDING'
              and s.scheduled_at between now() - interval '90 days' and now() + interval '2 years'
          ),
          '[]'
        )
      )
      from public.calendar_feeds as f
      inner join public.users as u on u.id = f.user_id
      where f.token = p_token
    ),
    '{}'
  )
$$;
comment on function private.calendar_feed(uuid) is 'The calendar that a secret is of; else {}.';

create function public.calendar_feed(p_token uuid) returns jsonb
language sql stable set search_path = '' as $$ select private.calendar_feed(p_token) $$;
comment on function public.calendar_feed(uuid) is
  'A person''s sessions of the last 90 days and the next two years, by the secret of their'
  ' calendar: {name, timezone, meetings}; {} where there is none.';

revoke all on function
  private.text_setting(text),
  private.page_url(text),
  private.session_end(public.mentorship_sessions),
  private.session_title(public.mentorship_sessions),
  private.session_event(public.mentorship_sessions),
  private.count_calendar_change(),
  private.session_mail(public.mentorship_sessions, uuid),
  private.queue_reminders(public.mentorship_sessions, uuid, uuid),
  private.withdraw_session_mail(uuid),
  private.queue_invitation(public.mentorship_sessions, uuid, uuid, text),
  private.holders_of(uuid),
  private.queue_session_mail(
    public.mentorship_sessions, public.mentorship_sessions, boolean
  ),
  private.session_changed(),
  private.reset_calendar_feed(),
  private.calendar_feed(uuid),
  public.reset_calendar_feed(),
  public.calendar_feed(uuid)
from public, anon, authenticated, service_role;
grant execute on function private.calendar_feed(uuid), public.calendar_feed(uuid)
to anon, authenticated, service_role;
grant execute on function private.reset_calendar_feed(), public.reset_calendar_feed()
to authenticated;
