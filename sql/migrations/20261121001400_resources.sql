-- Resources: links and files that the two sides of a match share.
-- Both sides read and add them; whoever shared one takes it back; admins read all.

create table public.mentorship_resources (
  id uuid primary key default gen_random_uuid(),
  match_id uuid not null references public.matches (id) on delete cascade,
  shared_by uuid not null references public.users (id) on delete cascade,
  kind text not null,
  title text not null,
  url text,
  storage_path text,
  description text not null default '',
  created_at timestamptz not null default now(),
  constraint mentorship_resources_kind_known check (kind in ('link', 'file')),
  constraint mentorship_resources_has_target check (
    (kind = 'link' and url is not null and storage_path is null)
    or (kind = 'file' and storage_path is not null and url is null)
  ),
  constraint mentorship_resources_url_is_web check (url ~ '^[Hh][Tt][Tt][Pp][Ss]?://'),
  constraint mentorship_resources_title_fits check (length(title) between 1 and 300),
  constraint mentorship_resources_texts_fit check (
    length(url) <= 2000 and length(storage_path) <= 1000 and length(description) <= 5000
  )
);

create index mentorship_resources_match_idx on public.mentorship_resources (match_id, created_at);
create index mentorship_resources_shared_idx on public.mentorship_resources (shared_by);

comment on table public.mentorship_resources is 'Links and files shared within a match.';
comment on column public.mentorship_resources.id is 'The resource.';
comment on column public.mentorship_resources.match_id is 'Within which match.';
comment on column public.mentorship_resources.shared_by is 'Who shared it: users.id.';
comment on column public.mentorship_resources.kind is 'link or file.';
comment on column public.mentorship_resources.title is 'What it is called.';
comment on column public.mentorship_resources.url is 'Of a link: its address.';
comment on column public.mentorship_resources.storage_path is
  'Of a file: its path in the storage of the project, bucket first.';
comment on column public.mentorship_resources.description is 'What it is good for.';
comment on column public.mentorship_resources.created_at is 'When it was shared.';

alter table public.mentorship_resources enable row level security;
revoke all on table public.mentorship_resources from public, anon, authenticated, service_role;
grant select, insert, update, delete on table public.mentorship_resources to service_role;
grant select, insert, delete on table public.mentorship_resources to authenticated;

-- Definer: so that it does not hang on who reads which matches.
create function private.matches_of_caller(p_running boolean) returns uuid[]
language sql stable security definer set search_path = '' as $$
  select array(
    select m.id from public.matches as m
    where private.current_user_id() in (m.student_id, m.mentor_id) and m.status <> 'pending'
      and (not p_running or m.status in ('active', 'paused'))
  )
$$;
comment on function private.matches_of_caller(boolean) is
  'The matches of whoever is signed in, those that go on or all.';

create policy "Both sides of a match read its resources, admins all"
on public.mentorship_resources for select to authenticated
using (
  match_id = any ((select private.matches_of_caller(false))::uuid[])
  or (select private.is_admin())
);

create policy "Both sides of a match share resources while it goes on"
on public.mentorship_resources for insert to authenticated
with check (
  shared_by = (select private.current_user_id())
  and match_id = any ((select private.matches_of_caller(true))::uuid[])
);

create policy "People take back what they shared"
on public.mentorship_resources for delete to authenticated
using (shared_by = (select private.current_user_id()));

create function public.share_resource(
  p_match_id uuid, p_kind text, p_title text, p_url text default null,
  p_storage_path text default null, p_description text default ''
) returns public.mentorship_resources
language plpgsql volatile set search_path = '' as $$
declare
  shared public.mentorship_resources;
begin
  if p_match_id = any (private.matches_of_caller(false))
    and not p_match_id = any (private.matches_of_caller(true))
  then
    raise exception 'The match is over.'
      using errcode = 'MS027', hint = 'What was shared before stays there: get_resources.';
  end if;
  insert into public.mentorship_resources (
    match_id, shared_by, kind, title, url, storage_path, description
  )
  values (
    p_match_id, private.current_user_id(), p_kind, private.trim_space(p_title), p_url,
    p_storage_path, coalesce(p_description, '')
  )
  returning * into shared;
  return shared;
end
$$;
comment on function public.share_resource(uuid, text, text, text, text, text) is
  'Shares a link (p_url) or a file (p_storage_path) within one''s own match: the resource.';

create function public.get_resources(p_match_id uuid)
returns setof public.mentorship_resources
language sql stable set search_path = '' as $$
  select r.* from public.mentorship_resources as r
  where r.match_id = p_match_id
  order by r.created_at desc, r.id
$$;
comment on function public.get_resources(uuid) is
  'What was shared within a match, the latest first. For both sides, and admins.';

create function public.withdraw_resource(p_id uuid) returns public.mentorship_resources
language plpgsql volatile set search_path = '' as $$
declare
  withdrawn public.mentorship_resources;
begin
  delete from public.mentorship_resources as r
  where r.id = p_id and r.shared_by = private.current_user_id()
  returning * into withdrawn;
  if found then
    return withdrawn;
  end if;
  if exists (select from public.mentorship_resources as r where r.id = p_id) then
    raise exception 'Only who shared it takes it back.' using errcode = '42501';
  end if;
  raise exception 'There is no resource %.', p_id
    using errcode = 'MS011', hint = 'See: get_resources.';
end
$$;
comment on function public.withdraw_resource(uuid) is
  'Takes back what one shared: the resource as it was. A file stays in the storage.';

revoke all on function
  private.matches_of_caller(boolean),
  public.share_resource(uuid, text, text, text, text, text),
  public.get_resources(uuid),
  public.withdraw_resource(uuid)
from public, anon, authenticated, service_role;
grant execute on function
  private.matches_of_caller(boolean),
  public.share_resource(uuid, text, text, text, text, text),
  public.withdraw_resource(uuid)
to authenticated;
grant execute on function public.get_resources(uuid) to authenticated, service_role;
