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
