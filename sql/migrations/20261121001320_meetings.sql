-- Meetings: what a mentor and a student of a match did together. Rows of mentorship_sessions that
-- have a match; meeting_logs shows them in the shape that the matching document names.
-- Both sides of an active match log meetings and read them; admins read all.

alter table public.mentorship_sessions
  add column match_id uuid references public.matches (id) on delete set null,
  add column action_items jsonb not null default '[]'
    constraint mentorship_sessions_action_items_are_list check (
      jsonb_typeof(action_items) = 'array' and length(action_items::text) <= 20000
    ),
  add column logged_by uuid references public.users (id) on delete set null;

create index mentorship_sessions_match_idx on public.mentorship_sessions (match_id, completed_at);
create index mentorship_sessions_logged_idx on public.mentorship_sessions (logged_by);

comment on column public.mentorship_sessions.match_id is 'The match that it belongs to, if any.';
comment on column public.mentorship_sessions.action_items is
  'What is to be done next: [{"text", "due", "done"}].';
comment on column public.mentorship_sessions.logged_by is 'Who logged it: users.id.';

-- Verbs of the two sides --------------------------------------------------------------------

create function private.side_of(p_match public.matches, p_person uuid) returns text
language sql immutable set search_path = '' as $$
  select case p_person when p_match.student_id then 'student' when p_match.mentor_id then 'mentor' end
$$;
comment on function private.side_of(public.matches, uuid) is
  'What a person is in a match: student or mentor; null for others.';

create function private.own_match(p_match_id uuid) returns public.matches
language plpgsql volatile set search_path = '' as $$
declare
  found_match public.matches;
begin
  select m.* into found_match from public.matches as m where m.id = p_match_id for no key update;
  if not found then
    raise exception 'There is no match %.', p_match_id
      using errcode = 'MS011', hint = 'get_matches() lists yours.';
  end if;
  if private.side_of(found_match, private.current_user_id()) is null then
    raise exception 'Only the two of a match may do this.'
      using errcode = '42501', hint = 'get_matches() lists yours.';
  end if;
  return found_match;
end
$$;
comment on function private.own_match(uuid) is
  'The match, locked, if whoever is signed in is a side of it; 42501 otherwise.';

-- Texts, or objects with text and perhaps due and done.
create function private.read_action_items(p_items jsonb) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
  items jsonb;
begin
  select coalesce(jsonb_agg(i.item order by i.place), '[]') into items
  from (
    select x.place, case jsonb_typeof(x.item)
      when 'string' then jsonb_build_object('text', x.item)
      when 'object' then jsonb_strip_nulls(jsonb_build_object(
        'text', x.item -> 'text',
        'due', to_char((x.item ->> 'due')::date, 'YYYY-MM-DD'),
        'done', (x.item ->> 'done')::boolean
      ))
    end as item
    from jsonb_array_elements(
      case jsonb_typeof(p_items) when 'array' then p_items when 'null' then '[]' end
    ) with ordinality as x (item, place)
  ) as i;
  if jsonb_typeof(coalesce(p_items, '[]')) not in ('array', 'null') or exists (
    select from jsonb_array_elements(items) as i (item)
    where coalesce(i.item ->> 'text', '') = '' or jsonb_typeof(i.item -> 'text') <> 'string'
  ) then
    raise exception 'Action items are a list of texts, or of {"text", "due", "done"}.'
      using errcode = '22023', hint = 'Such as [{"text": "Write the CV", "due": "2026-12-01"}].';
  end if;
  if length(items::text) > 20000 then
    raise exception 'The action items have % characters.', length(items::text)
      using errcode = '22023', hint = 'They have 20000 at the most, all together.';
  end if;
  return items;
end
$$;
comment on function private.read_action_items(jsonb) is
  'Action items as they are kept: [{"text", "due", "done"}], due and done where they are given.';

-- Clocks differ a little; and who met first and was matched then has a day for it.
create function private.require_time_fits(p_match public.matches, p_held timestamptz)
returns void
language plpgsql stable set search_path = '' as $$
begin
  if p_held > now() + interval '5 minutes' then
    raise exception 'A meeting is logged when it was held.'
      using errcode = '22023', hint = 'Give p_held_at a time that is over.';
  end if;
  if p_held < p_match.started_at - interval '1 day' then
    raise exception 'At % the match had not begun.', p_held
      using errcode = '22023',
        hint = 'Give p_held_at a time since it began: ' || private.day_name(p_match.started_at) || '.';
  end if;
end
$$;
comment on function private.require_time_fits(public.matches, timestamptz) is
  'An error where a meeting of the match cannot have been held then.';

create function private.require_meeting_fits(p_minutes integer, p_format text, p_notes text)
returns void
language plpgsql stable set search_path = '' as $$
begin
  if p_minutes not between 1 and 1440 then
    raise exception 'A meeting does not take % minutes.', p_minutes
      using errcode = '22023', hint = 'p_minutes is 1 to 1440, or left out.';
  end if;
  if p_format not in ('video', 'phone', 'in_person', 'chat') then
    raise exception 'The format "%" is not known.', left(p_format, 40)
      using errcode = '22023', hint = 'p_format is video, phone, in_person or chat, or left out.';
  end if;
  if length(p_notes) > 20000 then
    raise exception 'The notes have % characters.', length(p_notes)
      using errcode = '22023', hint = 'p_notes has 20000 at the most.';
  end if;
end
$$;
comment on function private.require_meeting_fits(integer, text, text) is
  'An error that says what may be given, where a meeting cannot be logged so.';

-- Definer: nobody writes sessions themselves. Logged again, because an answer was lost, a meeting
-- is the same one; the match is locked, so of two at once the second finds it.
create function private.log_meeting(
  p_match_id uuid, p_held_at timestamptz, p_minutes integer, p_format text, p_notes text,
  p_action_items jsonb
) returns uuid
language plpgsql volatile security definer set search_path = '' as $$
declare
  theirs constant public.matches := private.own_match(p_match_id);
  held constant timestamptz := coalesce(p_held_at, now());
  made uuid;
begin
  select s.session_id into made from public.mentorship_sessions as s
  where s.match_id = theirs.id and s.scheduled_at = held and s.status = 'COMPLETED'
    and s.logged_by = private.current_user_id() and not s.is_deleted
  limit 1;
  if found then
    return made;
  end if;
  if theirs.status not in ('active', 'paused') then
    raise exception 'This match is %.', theirs.status
      using errcode = 'MS027', hint = 'Meetings are logged while it is active or paused.';
  end if;
  perform private.require_meeting_fits(p_minutes, p_format, p_notes);
  perform private.require_time_fits(theirs, held);
  insert into public.mentorship_sessions (
    match_id, mentor_id, user_id, session_type, status, scheduled_at, completed_at,
    session_duration_minutes, format, notes, action_items, logged_by
  )
  values (
    theirs.id, theirs.mentor_id, theirs.student_id, 'MENTORSHIP', 'COMPLETED', held,
    least(held, now()), p_minutes, p_format, nullif(p_notes, ''),
    private.read_action_items(p_action_items), private.current_user_id()
  )
  returning session_id into made;
  return made;
end
$$;
comment on function private.log_meeting(uuid, timestamptz, integer, text, text, jsonb) is
  'Logs a meeting, for the two of the match.';

create function public.log_meeting(
  p_match_id uuid,
  p_held_at timestamptz default null,
  p_minutes integer default null,
  p_format text default null,
  p_notes text default null,
  p_action_items jsonb default '[]'
) returns uuid
language sql volatile set search_path = '' as $$
  select private.log_meeting(
    p_match_id, p_held_at, p_minutes, p_format, p_notes, p_action_items
  )
$$;
comment on function public.log_meeting(uuid, timestamptz, integer, text, text, jsonb) is
  'Logs a meeting that was held, by either side of a match: its id, and the same one where it is'
  ' called again with the same p_held_at. Action items are texts, or {"text", "due", "done"}.';

-- Definer, likewise.
create function private.set_action_items(p_meeting_id uuid, p_action_items jsonb) returns uuid
language plpgsql volatile security definer set search_path = '' as $$
declare
  theirs public.matches;
begin
  select o.* into theirs
  from public.mentorship_sessions as s
  cross join lateral private.own_match(s.match_id) as o
  where s.session_id = p_meeting_id and s.match_id is not null and not s.is_deleted;
  if not found then
    raise exception 'There is no meeting %.', p_meeting_id
      using errcode = 'MS011', hint = 'meeting_logs shows yours.';
  end if;
  update public.mentorship_sessions as s
  set action_items = private.read_action_items(p_action_items)
  where s.session_id = p_meeting_id;
  return p_meeting_id;
end
$$;
comment on function private.set_action_items(uuid, jsonb) is
  'Replaces the action items of a meeting, for the two of its match.';

create function public.set_action_items(p_meeting_id uuid, p_action_items jsonb) returns uuid
language sql volatile set search_path = '' as $$
  select private.set_action_items(p_meeting_id, p_action_items)
$$;
comment on function public.set_action_items(uuid, jsonb) is
  'Replaces the action items of a meeting, by either side: done, added, put off.';

-- Contact -----------------------------------------------------------------------------------

-- Definer: whoever's write it was may not change the match. What was heard before stays heard.
create function private.meetings_held() returns trigger
language plpgsql volatile security definer set search_path = '' as $$
begin
  update public.matches as m
  set last_contact_at = held.latest
  from (
    select n.match_id, max(least(coalesce(n.completed_at, n.scheduled_at), now())) as latest
    from new_rows as n
    where n.match_id is not null and n.status = 'COMPLETED' and not n.is_deleted
    group by n.match_id
  ) as held
  where m.id = held.match_id and coalesce(m.last_contact_at < held.latest, true)
    and held.latest is not null;
  return null;
end
$$;
comment on function private.meetings_held() is
  'Trigger: the two of a match were heard of when they last met.';

create trigger mentor_sync_held_inserted after insert on public.mentorship_sessions
referencing new table as new_rows
for each statement execute function private.meetings_held();
create trigger mentor_sync_held_updated after update on public.mentorship_sessions
referencing new table as new_rows
for each statement execute function private.meetings_held();

-- The log -----------------------------------------------------------------------------------

create view public.meeting_logs with (security_invoker = on) as
select
  s.session_id as id,
  s.match_id,
  s.mentor_id,
  s.user_id as student_id,
  coalesce(s.completed_at, s.scheduled_at) as meeting_date,
  s.session_duration_minutes as duration_minutes,
  s.format as meeting_type,
  s.notes,
  s.action_items,
  s.logged_by,
  s.created_at
from public.mentorship_sessions as s
where s.match_id is not null and s.status = 'COMPLETED' and not s.is_deleted;

comment on view public.meeting_logs is 'Meetings of matches that were held.';
comment on column public.meeting_logs.id is 'The meeting: mentorship_sessions.session_id.';
comment on column public.meeting_logs.match_id is 'The match.';
comment on column public.meeting_logs.mentor_id is 'The mentor: users.id.';
comment on column public.meeting_logs.student_id is 'The student: users.id.';
comment on column public.meeting_logs.meeting_date is 'When it was held.';
comment on column public.meeting_logs.duration_minutes is 'How long it took.';
comment on column public.meeting_logs.meeting_type is 'video, phone, in_person or chat.';
comment on column public.meeting_logs.notes is 'What both sides wrote down.';
comment on column public.meeting_logs.action_items is 'What is to be done next.';
comment on column public.meeting_logs.logged_by is 'Who logged it: users.id.';
comment on column public.meeting_logs.created_at is 'When it was logged.';

revoke all on table public.meeting_logs from public, anon, authenticated, service_role;
grant select on table public.meeting_logs to authenticated, service_role;

revoke all on function
  private.side_of(public.matches, uuid),
  private.own_match(uuid),
  private.read_action_items(jsonb),
  private.require_time_fits(public.matches, timestamptz),
  private.require_meeting_fits(integer, text, text),
  private.log_meeting(uuid, timestamptz, integer, text, text, jsonb),
  private.set_action_items(uuid, jsonb),
  private.meetings_held(),
  public.log_meeting(uuid, timestamptz, integer, text, text, jsonb),
  public.set_action_items(uuid, jsonb)
from public, anon, authenticated, service_role;
grant execute on function
  private.log_meeting(uuid, timestamptz, integer, text, text, jsonb),
  private.set_action_items(uuid, jsonb),
  public.log_meeting(uuid, timestamptz, integer, text, text, jsonb),
  public.set_action_items(uuid, jsonb)
to authenticated;
