-- Requests: a student asks for a mentor, anybody or one in particular.
-- A student makes, reads and withdraws their own; a mentor reads those offered to them; admins
-- read all; service_role writes.

insert into public.program_settings (key, value, description) values
  ('request_days', '90', 'So many days a request waits for a mentor; then it is given up.');

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

-- Definer: the policy would need a right on the offers. plpgsql: they come later than this file.
create function private.offered_requests() returns uuid[]
language plpgsql stable security definer set search_path = '' as $$
begin
  return array(
    select o.request_id from public.match_offers as o
    where o.mentor_id = (select private.current_user_id()) and o.status in ('offered', 'accepted')
  );
end
$$;
comment on function private.offered_requests() is
  'The requests that are offered to the person who is signed in, or were taken by them.';

create policy "Students read their own, mentors those offered, admins all"
on public.mentorship_requests for select to authenticated
using (
  student_id = (select private.current_user_id())
  or id = any ((select private.offered_requests())::uuid[])
  or (select private.is_admin())
);

-- Locks -------------------------------------------------------------------------------------

-- Whoever matches, or ends a match, takes locks in this order, so nobody waits in a circle: the
-- student, who is locked already where users.mentor_id is edited, the student's request, the match,
-- the profiles of the mentors by their ids.
create function private.lock_student(p_student_id uuid, p_request_id uuid default null)
returns void
language plpgsql volatile set search_path = '' as $$
begin
  perform from public.users as u where u.id = p_student_id for no key update;
  if not found then
    raise exception 'There is no person %.', p_student_id
      using errcode = 'MS011', hint = 'Give an id of the table users.';
  end if;
  perform from public.mentorship_requests as r
  where r.student_id = p_student_id
    and (r.id = p_request_id or p_request_id is null and r.status in ('open', 'offered'))
  for update;
end
$$;
comment on function private.lock_student(uuid, uuid) is
  'Locks a student, then the request given or the one that is open.';

-- Verbs -------------------------------------------------------------------------------------

create function private.check_overrides(p_overrides jsonb) returns void
language plpgsql immutable set search_path = '' as $$
declare
  channels constant jsonb := '["video", "phone", "chat", "email", "in_person"]';
begin
  if jsonb_typeof(p_overrides) = 'object' and not exists (
    select from jsonb_each(p_overrides) as o (name, list)
    where o.name not in
      ('career_goals', 'industries', 'research_interests', 'skills', 'channels')
      or jsonb_typeof(o.list) <> 'array'
      or o.name = 'channels' and not o.list <@ channels
      or case jsonb_typeof(o.list) when 'array' then jsonb_array_length(o.list) > 50 end
      or jsonb_path_exists(o.list, 'strict $[*] ? (@.type() != "string")', '{}', true)
  ) then
    return;
  end if;
  raise exception 'These preference overrides are none.'
    using errcode = 'MS012', hint = 'Give lists of texts, 50 at the most, by the names career_goals,'
      ' industries, research_interests, skills and channels: {"industries": ["law"]}.';
end
$$;
comment on function private.check_overrides(jsonb) is
  'An error where preference overrides are not lists of texts by the names of the profile.';

create function private.asking_student() returns uuid
language plpgsql stable security definer set search_path = '' as $$
declare
  me constant uuid := private.current_user_id();
begin
  if not exists (select from public.users as u where u.id = me and u.role = 'student') then
    raise exception 'Only students ask for a mentor.' using errcode = '42501';
  end if;
  if not exists (
    select from public.mentorship_profiles as p where p.user_id = me and p.role = 'student'
  ) then
    raise exception 'There is no profile of yours yet.'
      using errcode = 'MS026', hint = 'First: create_profile.';
  end if;
  return me;
end
$$;
comment on function private.asking_student() is
  'The student who is signed in and has a profile; else an error.';

-- Definer: students write requests by this only.
create function private.request_mentor(
  p_message text, p_focus_areas text[], p_goals text[], p_mentor_id uuid,
  p_preference_overrides jsonb, p_required_languages text[], p_max_timezone_hours integer
) returns public.mentorship_requests
language plpgsql volatile security definer set search_path = '' as $$
declare
  me constant uuid := private.asking_student();
  made public.mentorship_requests;
begin
  perform private.check_overrides(coalesce(p_preference_overrides, '{}'));
  perform private.require_pair(me, p_mentor_id) where p_mentor_id is not null;
  perform private.lock_student(me);
  perform private.require_no_mentor(me);
  insert into public.mentorship_requests as r (
    student_id, mentor_id, message, focus_areas, goals, preference_overrides, required_languages,
    max_timezone_hours, expires_at
  )
  values (
    me, p_mentor_id, coalesce(p_message, ''),
    array_remove(coalesce(p_focus_areas, '{}'), null), array_remove(coalesce(p_goals, '{}'), null),
    coalesce(p_preference_overrides, '{}'),
    array(
      select distinct lower(private.trim_space(l.code)) from unnest(p_required_languages) as l (code)
      where private.trim_space(l.code) <> '' order by 1
    ),
    p_max_timezone_hours, now() + make_interval(days => private.number_setting('request_days', 90))
  )
  on conflict (student_id) where status in ('open', 'offered') do update
  set
    mentor_id = excluded.mentor_id, message = excluded.message,
    focus_areas = excluded.focus_areas, goals = excluded.goals,
    preference_overrides = excluded.preference_overrides,
    required_languages = excluded.required_languages,
    max_timezone_hours = excluded.max_timezone_hours, expires_at = excluded.expires_at
  returning r.* into made;
  perform private.note_stale(array[me]);
  return made;
end
$$;
comment on function private.request_mentor(text, text[], text[], uuid, jsonb, text[], integer) is
  'Asks for a mentor, for the student who is signed in.';

create function public.request_mentor(
  p_message text default '',
  p_focus_areas text[] default '{}',
  p_goals text[] default '{}',
  p_mentor_id uuid default null,
  p_preference_overrides jsonb default '{}',
  p_required_languages text[] default '{}',
  p_max_timezone_hours integer default null
) returns public.mentorship_requests
language sql volatile set search_path = '' as $$
  select private.request_mentor(
    p_message, p_focus_areas, p_goals, p_mentor_id, p_preference_overrides, p_required_languages,
    p_max_timezone_hours
  )
$$;
comment on function public.request_mentor(text, text[], text[], uuid, jsonb, text[], integer) is
  'Asks for a mentor, whoever suits best or one in particular. Asked again while the request is'
  ' open, it says what is to be looked for from now on. For students.';

-- The offer to p_mentor_id counts as accepted, the others as withdrawn. The caller has locked the
-- request.
create function private.close_request(
  p_request_id uuid, p_status text, p_mentor_id uuid default null
) returns public.mentorship_requests
language plpgsql volatile set search_path = '' as $$
declare
  closed public.mentorship_requests;
begin
  update public.mentorship_requests as r
  set status = p_status, closed_at = now()
  where r.id = p_request_id
  returning r.* into closed;
  perform private.supersede_offers(array(
    select o.id from public.match_offers as o
    where o.request_id = p_request_id and o.status = 'offered'
  ));
  update public.match_offers as o
  set
    status = case o.mentor_id when p_mentor_id then 'accepted' else 'withdrawn' end,
    answered_at = now()
  where o.request_id = p_request_id and o.status = 'offered';
  update public.match_batches as b
  set
    status = case when p_mentor_id is null then 'cancelled' else 'accepted' end,
    selected_by = p_mentor_id, selected_at = case when p_mentor_id is not null then now() end
  where b.request_id = p_request_id and b.status = 'offered';
  perform private.note_stale(array[closed.student_id]);
  return closed;
end
$$;
comment on function private.close_request(uuid, text, uuid) is
  'Ends a request, and with it what is still offered of it.';

-- Definer: students write requests by this only.
create function private.cancel_request(p_request_id uuid) returns public.mentorship_requests
language plpgsql volatile security definer set search_path = '' as $$
declare
  request public.mentorship_requests;
begin
  select r.* into request from public.mentorship_requests as r
  where r.id = p_request_id for update;
  if not found then
    raise exception 'There is no request %.', p_request_id
      using errcode = 'MS011', hint = 'Give an id of the table mentorship_requests.';
  end if;
  if request.student_id is distinct from private.current_user_id()
    and not private.sees_everything()
  then
    raise exception 'This request is not yours.' using errcode = '42501';
  end if;
  if request.status not in ('open', 'offered') then
    raise exception 'The request is %.', request.status
      using errcode = 'MS024', hint = 'This is for requests that are open or offered.';
  end if;
  return private.close_request(p_request_id, 'cancelled');
end
$$;
comment on function private.cancel_request(uuid) is 'Withdraws a request, for those who may.';

create function public.cancel_request(p_request_id uuid) returns public.mentorship_requests
language sql volatile set search_path = '' as $$ select private.cancel_request(p_request_id) $$;
comment on function public.cancel_request(uuid) is
  'Withdraws a request and what is offered of it. For its student and admins.';

revoke all on function
  private.offered_requests(),
  private.lock_student(uuid, uuid),
  private.check_overrides(jsonb),
  private.asking_student(),
  private.request_mentor(text, text[], text[], uuid, jsonb, text[], integer),
  private.close_request(uuid, text, uuid),
  private.cancel_request(uuid),
  public.request_mentor(text, text[], text[], uuid, jsonb, text[], integer),
  public.cancel_request(uuid)
from public, anon, authenticated, service_role;
grant execute on function
  private.offered_requests(),
  private.request_mentor(text, text[], text[], uuid, jsonb, text[], integer),
  public.request_mentor(text, text[], text[], uuid, jsonb, text[], integer)
to authenticated;
grant execute on function private.cancel_request(uuid), public.cancel_request(uuid)
to authenticated, service_role;
