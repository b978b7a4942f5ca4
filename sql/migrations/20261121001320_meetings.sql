-- Meetings: what a mentor and a student of a match did together. Rows of mentorship_sessions that
-- have a match; meeting_logs shows them in the shape that the matching document names.
-- Both sides of an active match log meetings and read them; admins read all.

alter table public.mentorship_sessions
  add column match_id uuid references public.matches (id) on delete set null,
  add column action_items jsonb not null default '[]',
  add column logged_by uuid references public.users (id) on delete set null,
  add constraint mentorship_sessions_action_items_are_list
    check (jsonb_typeof(action_items) = 'array');

create index mentorship_sessions_match_idx on public.mentorship_sessions (match_id, completed_at);
create index mentorship_sessions_logged_idx on public.mentorship_sessions (logged_by);

comment on column public.mentorship_sessions.match_id is 'The match that it belongs to, if any.';
comment on column public.mentorship_sessions.action_items is 'What is to be done next: a list.';
comment on column public.mentorship_sessions.logged_by is 'Who logged it: users.id.';
