-- Terms: the words in which goals, industries, interests and skills are compared.
-- Written once into postings; "JS", "javascript" and "Java Script" are one term. service_role
-- and operators edit the aliases; admins confirm those that suggest_aliases proposes.

create table public.match_terms (
  id integer generated always as identity primary key,
  term text not null unique,
  label text not null,
  created_at timestamptz not null default now(),
  constraint match_terms_term_fits check (length(term) between 1 and 100)
);

comment on table public.match_terms is 'Every term that somebody has named.';
comment on column public.match_terms.id is 'The term, in postings.';
comment on column public.match_terms.term is 'The term as private.normalise_term writes it.';
comment on column public.match_terms.label is 'As people are shown it.';
comment on column public.match_terms.created_at is 'When it was first named.';

create table public.term_aliases (
  alias text primary key,
  term text not null,
  is_builtin boolean not null default false,
  created_at timestamptz not null default now(),
  constraint term_aliases_differ check (alias <> term),
  constraint term_aliases_fit check (length(alias) between 1 and 100 and length(term) between 1 and 100)
);

create index term_aliases_term_idx on public.term_aliases (term);

comment on table public.term_aliases is
  'Words that mean the same as a term: js is javascript. Add a row and profiles follow.';
comment on column public.term_aliases.alias is 'The word, as private.normalise_term writes it.';
comment on column public.term_aliases.term is 'What it means, likewise.';
comment on column public.term_aliases.is_builtin is 'Whether it came with mentor_sync.';
comment on column public.term_aliases.created_at is 'When it was added.';

alter table public.match_terms enable row level security;
revoke all on table public.match_terms from public, anon, authenticated, service_role;
revoke all on sequence public.match_terms_id_seq from public, anon, authenticated, service_role;
grant select, insert, update, delete on table public.match_terms to service_role;
grant select on table public.match_terms to authenticated;
create policy "Signed-in people read the terms" on public.match_terms for select to authenticated
using (true);

alter table public.term_aliases enable row level security;
revoke all on table public.term_aliases from public, anon, authenticated, service_role;
grant select, insert, update, delete on table public.term_aliases to service_role;
grant select on table public.term_aliases to authenticated;
create policy "Signed-in people read the aliases" on public.term_aliases for select to authenticated
using (true);
