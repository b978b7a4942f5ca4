-- Notifications: what a person is told inside the application.
-- A person reads their own and marks them as read; service_role and admins make them.

create table public.notifications (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references public.users (id) on delete cascade,
  type text not null,
  title text not null,
  message text not null default '',
  metadata jsonb not null default '{}',
  read_at timestamptz,
  sent_at timestamptz,
  created_at timestamptz not null default now(),
  constraint notifications_title_fits check (length(title) between 1 and 300),
  constraint notifications_message_fits check (length(message) <= 10000),
  constraint notifications_metadata_is_object check (jsonb_typeof(metadata) = 'object')
);

create index notifications_user_idx on public.notifications (user_id, created_at desc);

comment on table public.notifications is 'What people are told inside the application.';
comment on column public.notifications.id is 'The notification.';
comment on column public.notifications.user_id is 'Who is told.';
comment on column public.notifications.type is 'Which kind, such as session_reminder.';
comment on column public.notifications.title is 'One line.';
comment on column public.notifications.message is 'The rest.';
comment on column public.notifications.metadata is 'What the application needs to link it.';
comment on column public.notifications.read_at is 'When the person read it.';
comment on column public.notifications.sent_at is 'When the same was sent by mail, if it was.';
comment on column public.notifications.created_at is 'When it was made.';

alter table public.notifications enable row level security;
revoke all on table public.notifications from public, anon, authenticated, service_role;
grant select, insert, update, delete on table public.notifications to service_role;
grant select on table public.notifications to authenticated;
grant update (read_at) on table public.notifications to authenticated;
create policy "People read their own notifications"
on public.notifications for select to authenticated
using (user_id = (select private.current_user_id()));
create policy "People mark their own notifications as read"
on public.notifications for update to authenticated
using (user_id = (select private.current_user_id()))
with check (user_id = (select private.current_user_id()));

do $$
begin
  alter publication supabase_realtime add table public.notifications;
exception
  when undefined_object or duplicate_object or object_not_in_prerequisite_state
    or insufficient_privilege then
    raise notice 'notifications was not added to supabase_realtime: %', sqlerrm;
end
$$;

-- Definer, for admins, who may not write the table.
create function private.create_notification(
  p_user_id uuid, p_type text, p_title text, p_message text, p_metadata jsonb
) returns uuid
language plpgsql volatile security definer set search_path = '' as $$
declare
  made uuid;
begin
  if not private.sees_everything() then
    raise exception 'Only admins may notify others.' using errcode = '42501';
  end if;
  insert into public.notifications (user_id, type, title, message, metadata)
  values (p_user_id, p_type, left(p_title, 300), coalesce(p_message, ''), coalesce(p_metadata, '{}'))
  returning id into made;
  return made;
end
$$;
comment on function private.create_notification(uuid, text, text, text, jsonb) is
  'Tells a person something, for those who may.';

create function public.create_notification(
  user_id uuid, type text, title text, message text default '', metadata jsonb default '{}'
) returns uuid
language sql volatile set search_path = '' as $$
  select private.create_notification(user_id, type, title, message, metadata)
$$;
comment on function public.create_notification(uuid, text, text, text, jsonb) is
  'Tells a person something: the id of the notification. For admins and service_role.';

revoke all on function
  private.create_notification(uuid, text, text, text, jsonb),
  public.create_notification(uuid, text, text, text, jsonb)
from public, anon, authenticated, service_role;
grant execute on function
  private.create_notification(uuid, text, text, text, jsonb),
  public.create_notification(uuid, text, text, text, jsonb)
to authenticated, service_role;
