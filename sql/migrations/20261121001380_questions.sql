-- Quick questions: a student asks, a mentor takes the question, answers it, and is rated.
-- Students read their own, mentors the open ones and those they took, admins all; the verbs
-- write. Signed-in people read the leaderboard, which the job refresh_leaderboard keeps.

insert into public.program_settings (key, value, description) values
  ('question_days', '7', 'So many days a question can be taken; then it expires.'),
  ('question_claim_hours', '48', 'So many hours a mentor has for an answer; then others may.'),
  ('questions_at_a_time', '5', 'Most questions of a student that are open at a time.');

create table public.quick_questions (
  id uuid primary key default gen_random_uuid(),
  student_id uuid not null references public.users (id) on delete cascade,
  title text not null,
  question text not null default '',
  topics text[] not null default '{}',
  terms text[] not null default '{}',
  status text not null default 'open',
  claimed_by uuid references public.users (id) on delete set null,
  claimed_at timestamptz,
  first_claimed_at timestamptz,
  answer text,
  completed_at timestamptz,
  rating integer,
  rating_comment text,
  rated_at timestamptz,
  expires_at timestamptz not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint quick_questions_status_known
    check (status in ('open', 'claimed', 'completed', 'expired', 'cancelled')),
  constraint quick_questions_title_fits check (length(title) between 1 and 200),
  constraint quick_questions_text_fits
    check (length(question) <= 5000 and length(answer) <= 10000 and length(rating_comment) <= 2000),
  constraint quick_questions_topics_fit check (cardinality(topics) <= 20),
  constraint quick_questions_rating_range check (rating between 1 and 5),
  constraint quick_questions_rated_when_completed check (rating is null or status = 'completed'),
  constraint quick_questions_rated_once_told check ((rating is null) = (rated_at is null)),
  constraint quick_questions_not_oneself check (claimed_by <> student_id)
);

create index quick_questions_student_idx on public.quick_questions (student_id);
create index quick_questions_claimed_idx on public.quick_questions (claimed_by);
create index quick_questions_open_idx on public.quick_questions (created_at) where status = 'open';
create index quick_questions_expiring_idx on public.quick_questions (expires_at)
where status = 'open';
create index quick_questions_held_idx on public.quick_questions (claimed_at)
where status = 'claimed';

comment on table public.quick_questions is 'Questions of students that any mentor may answer.';
comment on column public.quick_questions.id is 'The question.';
comment on column public.quick_questions.student_id is 'Who asks: users.id.';
comment on column public.quick_questions.title is 'The question in a line.';
comment on column public.quick_questions.question is 'The question.';
comment on column public.quick_questions.topics is 'What it is about.';
comment on column public.quick_questions.terms is 'The topics, as they are compared.';
comment on column public.quick_questions.status is
  'open, claimed, completed, expired or cancelled.';
comment on column public.quick_questions.claimed_by is 'The mentor who took it: users.id.';
comment on column public.quick_questions.claimed_at is 'When it was taken.';
comment on column public.quick_questions.first_claimed_at is
  'When a mentor first took it; stays when it is given back.';
comment on column public.quick_questions.answer is 'The answer.';
comment on column public.quick_questions.completed_at is 'When it was answered.';
comment on column public.quick_questions.rating is 'What the student gave for it, 1 to 5.';
comment on column public.quick_questions.rating_comment is 'What the student said of it.';
comment on column public.quick_questions.rated_at is 'When.';
comment on column public.quick_questions.expires_at is 'Until when it can be taken.';
comment on column public.quick_questions.created_at is 'When it was asked.';
comment on column public.quick_questions.updated_at is 'When it was last changed.';

create table public.mentor_leaderboard (
  mentor_id uuid primary key references public.users (id) on delete cascade,
  rank integer not null,
  points integer not null,
  questions_completed integer not null default 0,
  question_rating numeric(3, 2),
  sessions_held integer not null default 0,
  matches_completed integer not null default 0,
  refreshed_at timestamptz not null default now()
);

create index mentor_leaderboard_rank_idx on public.mentor_leaderboard (rank);

comment on table public.mentor_leaderboard is
  'Mentors by what they gave; the job refresh_leaderboard keeps it.';
comment on column public.mentor_leaderboard.mentor_id is 'The mentor: users.id.';
comment on column public.mentor_leaderboard.rank is 'Place: 1 has most points; equal points share it.';
comment on column public.mentor_leaderboard.points is 'See private.leaderboard_points.';
comment on column public.mentor_leaderboard.questions_completed is 'Questions answered.';
comment on column public.mentor_leaderboard.question_rating is 'Their mean rating; empty: unrated.';
comment on column public.mentor_leaderboard.sessions_held is 'Sessions and meetings held.';
comment on column public.mentor_leaderboard.matches_completed is 'Matches completed in which they met.';
comment on column public.mentor_leaderboard.refreshed_at is 'When the row last changed.';

alter table public.quick_questions enable row level security;
revoke all on table public.quick_questions from public, anon, authenticated, service_role;
grant select, insert, update, delete on table public.quick_questions to service_role;
grant select on table public.quick_questions to authenticated;

alter table public.mentor_leaderboard enable row level security;
revoke all on table public.mentor_leaderboard from public, anon, authenticated, service_role;
grant select, insert, update, delete on table public.mentor_leaderboard to service_role;
grant select on table public.mentor_leaderboard to authenticated;

create trigger mentor_sync_touch before update on public.quick_questions
for each row when (old is distinct from new) execute function private.touch_updated_at();

-- Definer: whoever writes a question need not read the vocabulary.
create function private.settle_question() returns trigger
language plpgsql volatile security definer set search_path = '' as $$
begin
  new.terms := array(select t.term from private.terms_of(new.topics) as t (term) order by t.term);
  return new;
end
$$;
comment on function private.settle_question() is
  'Trigger: the terms of a question are made once, and not whenever somebody looks at it.';

create trigger mentor_sync_settled before insert or update of topics, terms
on public.quick_questions
for each row execute function private.settle_question();

-- Definer, likewise. Open questions are few, and those that name neither word stay as they are.
create function private.question_alias_changed() returns trigger
language plpgsql volatile security definer set search_path = '' as $$
declare
  changed constant text[] := case tg_op
    when 'INSERT' then array[new.alias, new.term]
    when 'DELETE' then array[old.alias, old.term]
    else array[old.alias, old.term, new.alias, new.term]
  end;
begin
  update public.quick_questions as q
  set topics = q.topics
  where q.status in ('open', 'claimed') and q.terms && changed;
  return null;
end
$$;
comment on function private.question_alias_changed() is
  'Trigger: questions that name the word or its meaning follow.';

create trigger mentor_sync_questions after insert or update or delete on public.term_aliases
for each row execute function private.question_alias_changed();

-- Who answers -------------------------------------------------------------------------------

-- Definer: a policy asks it, and a mentor reads no row of mentors but their own.
create function private.answers_questions() returns boolean
language sql stable security definer set search_path = '' as $$
  select exists (
    select
    from public.mentors as t
    inner join public.users as u on u.id = t.person_id
    where u.id = (select private.current_user_id())
      and t.is_approved and t.is_active and u.status = 'Active'
  )
$$;
comment on function private.answers_questions() is
  'Whether the person who is signed in is an approved, active mentor.';

-- Definer: of blocked pairs nobody is told.
create function private.blocked_students() returns uuid[]
language sql stable security definer set search_path = '' as $$
  select array(
    select b.student_id from public.blocked_pairs as b
    where b.mentor_id = (select private.current_user_id())
  )
$$;
comment on function private.blocked_students() is
  'The students who are never brought together with the person who is signed in.';

create policy "People read their questions, mentors the open ones, admins all"
on public.quick_questions for select to authenticated
using (
  student_id = (select private.current_user_id())
  or claimed_by = (select private.current_user_id())
  or (
    status = 'open' and (select private.answers_questions())
    and student_id <> all ((select private.blocked_students())::uuid[])
  )
  or (select private.is_admin())
);

create policy "Signed-in people read the leaderboard"
on public.mentor_leaderboard for select to authenticated
using (true);

create function private.terms_of_mentor(p_mentor_id uuid) returns text[]
language sql stable set search_path = '' as $$
  select array(
    select distinct t.term
    from public.mentorship_profiles as p
    inner join private.profile_terms as x on x.user_id = p.user_id and x.factor <= 4
    inner join public.match_terms as t on t.id = x.term_id
    where p.user_id = p_mentor_id and p.role = 'mentor'
  )
$$;
comment on function private.terms_of_mentor(uuid) is
  'What a mentor knows, as topics of questions are compared with it.';

-- Who was asked before is not asked again. Of a term that very many mentors know, 200 are looked
-- at, from another place on for each question: so it takes no time, and not always the same are
-- asked. What mentors know is in the factors 1 and 3.
create function private.mentors_for_question(p_question public.quick_questions)
returns setof uuid
language sql stable
set search_path = '' set enable_hashjoin = off set enable_mergejoin = off as $$
  with topic as materialized (
    select k.id
    from unnest(p_question.terms) as named (term)
    inner join public.match_terms as k on k.term = named.term
  ),
  found as materialized (
    select distinct c.user_id
    from topic as k
    cross join (values (1::smallint), (3::smallint)) as f (factor)
    cross join (
      values
        (p_question.id, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid),
        ('00000000-0000-0000-0000-000000000000'::uuid, p_question.id)
    ) as range (low, high)
    cross join lateral (
      select x.user_id
      from private.profile_terms as x
      inner join public.mentorship_profiles as p on p.user_id = x.user_id
      inner join public.mentors as t on t.person_id = x.user_id
      inner join public.users as u on u.id = x.user_id
      where x.term_id = k.id and x.factor = f.factor
        and x.user_id > range.low and x.user_id <= range.high
        and p.role = 'mentor' and p.is_active and (p.paused_until <= now()) is not false
        and t.is_approved and t.is_active and u.status = 'Active'
        and x.user_id <> p_question.student_id
        and not exists (
          select from public.blocked_pairs as b
          where b.student_id = p_question.student_id and b.mentor_id = x.user_id
        )
        and not exists (
          select from public.message_outbox as m
          where m.kind = 'quick_question' and m.recipient = x.user_id
            and m.about = 'question:' || p_question.id
        )
      order by x.user_id
      limit 100
    ) as c
  )
  select c.user_id
  from found as c
  cross join lateral (
    select count(distinct x.term_id) as n
    from topic as k
    cross join lateral (
      select y.term_id from private.profile_terms as y
      where y.user_id = c.user_id and y.term_id = k.id and y.factor in (1, 3)
    ) as x
  ) as shared
  order by shared.n desc, hashtextextended(c.user_id::text || p_question.id, 0), c.user_id
$$;
comment on function private.mentors_for_question(public.quick_questions) is
  'Mentors who know a question''s topics and were not asked yet, those who suit best first.';

create function private.ask_mentors(p_question public.quick_questions) returns void
language sql volatile set search_path = '' as $$
  select public.queue_message(
    'quick_question', asked.mentor_id, 'question:' || p_question.id,
    jsonb_build_object(
      'student_name', coalesce(
        (select u.full_name from public.users as u where u.id = p_question.student_id), ''
      ),
      'title', p_question.title,
      'question', p_question.question,
      'topics', to_jsonb(p_question.topics),
      'claim_url', private.page_url('questions/' || p_question.id)
    ),
    5, null, p_question.expires_at
  )
  from (
    select f.mentor_id
    from private.mentors_for_question(p_question) as f (mentor_id)
    limit 5
  ) as asked
$$;
comment on function private.ask_mentors(public.quick_questions) is
  'Mails a question to the next five mentors whom it suits.';

create function private.tell_of_question(
  p_question public.quick_questions, p_person uuid, p_type text, p_what text
) returns void
language sql volatile set search_path = '' as $$
  insert into public.notifications (user_id, type, title, message, metadata)
  select
    p_person, p_type, p_what, p_question.title, jsonb_build_object('question_id', p_question.id)
  where p_person is not null
$$;
comment on function private.tell_of_question(public.quick_questions, uuid, text, text) is
  'Tells a person inside the application what became of a question.';

-- Asking ------------------------------------------------------------------------------------

-- The row of the student is locked: two questions at once would each count the others only.
create function private.require_may_ask(p_student_id uuid) returns void
language plpgsql volatile set search_path = '' as $$
declare
  most constant integer := private.number_setting('questions_at_a_time', 5);
begin
  perform from public.users as u
  where u.id = p_student_id and u.status = 'Active' and (
    u.role = 'student' or exists (
      select from public.mentorship_profiles as p where p.user_id = u.id and p.role = 'student'
    )
  )
  for no key update;
  if not found then
    raise exception 'Only students ask questions.'
      using errcode = '42501', hint = 'Make a student profile first.';
  end if;
  if (
    select count(*) from public.quick_questions as q
    where q.student_id = p_student_id and q.status = 'open'
  ) >= most then
    raise exception 'You have % open questions already, which is the most.', most
      using errcode = 'MS025', hint = 'Wait until one is taken, or cancel one.';
  end if;
end
$$;
comment on function private.require_may_ask(uuid) is
  'An error where a person is no student, or has as many open questions as there may be.';

create function private.require_text_fits(p_name text, p_text text, p_most integer) returns void
language plpgsql stable set search_path = '' as $$
begin
  if length(p_text) > p_most then
    raise exception '% has % characters.', p_name, length(p_text)
      using errcode = '22023', hint = format('It has %s at the most.', p_most);
  end if;
end
$$;
comment on function private.require_text_fits(text, text, integer) is
  'An error that says how long a text may be, where it is longer.';

create function private.require_question_fits(p_title text, p_question text, p_topics text[])
returns void
language plpgsql stable set search_path = '' as $$
begin
  if p_title = '' then
    raise exception 'A question has a title.'
      using errcode = '22023', hint = 'Give p_title: the question in a line, of 1 to 200 characters.';
  end if;
  perform private.require_text_fits('p_title', p_title, 200);
  perform private.require_text_fits('p_question', p_question, 5000);
  if cardinality(p_topics) > 20 then
    raise exception 'The question has % topics.', cardinality(p_topics)
      using errcode = '22023', hint = 'p_topics has 20 at the most.';
  end if;
end
$$;
comment on function private.require_question_fits(text, text, text[]) is
  'An error that says what may be given, where a question cannot be asked so.';

-- Definer, like all that write questions: nobody writes the table by hand.
create function private.post_question(p_title text, p_question text, p_topics text[])
returns public.quick_questions
language plpgsql volatile security definer set search_path = '' as $$
declare
  me constant uuid := private.current_user_id();
  title constant text := private.trim_space(coalesce(p_title, ''));
  topics constant text[] := array(
    select t.topic
    from (
      select private.trim_space(x.topic) as topic, x.place
      from unnest(p_topics) with ordinality as x (topic, place)
    ) as t
    where t.topic <> ''
    order by t.place
  );
  made public.quick_questions;
begin
  perform private.require_may_ask(me);
  perform private.require_question_fits(title, p_question, topics);
  insert into public.quick_questions (student_id, title, question, topics, expires_at)
  values (
    me, title, coalesce(p_question, ''), topics,
    now() + make_interval(days => private.number_setting('question_days', 7))
  )
  returning * into made;
  perform private.ask_mentors(made);
  return made;
end
$$;
comment on function private.post_question(text, text, text[]) is 'Asks a question.';

create function public.post_question(
  p_title text, p_question text default '', p_topics text[] default '{}'
) returns public.quick_questions
language sql volatile set search_path = '' as $$
  select private.post_question(p_title, p_question, p_topics)
$$;
comment on function public.post_question(text, text, text[]) is
  'Asks a question: the question. For students; up to five mentors whom its topics suit get a mail.';

-- Taking and answering ----------------------------------------------------------------------

-- Definer: names of students are for mentors who may take their questions.
create function private.get_open_questions(p_topics text[])
returns table (
  id uuid, title text, question text, topics text[], student_name text, suits boolean,
  created_at timestamptz, expires_at timestamptz
)
language plpgsql stable security definer set search_path = '' as $$
declare
  me constant uuid := private.current_user_id();
  wanted constant text[] := array(select private.terms_of(p_topics));
  mine constant text[] := private.terms_of_mentor(me);
  blocked constant uuid[] := private.blocked_students();
begin
  if not (private.answers_questions() or private.sees_everything()) then
    raise exception 'Only approved, active mentors see open questions.' using errcode = '42501';
  end if;
  return query
  select
    q.id, q.title, q.question, q.topics, u.full_name, q.terms && mine as suits, q.created_at,
    q.expires_at
  from public.quick_questions as q
  inner join public.users as u on u.id = q.student_id
  where q.status = 'open' and q.expires_at > now() and q.student_id is distinct from me
    and q.student_id <> all (blocked)
    and (p_topics is null or q.terms && wanted)
  order by suits desc, q.created_at, q.id;
end
$$;
comment on function private.get_open_questions(text[]) is
  'Open questions of others, those that suit the caller first.';

create function public.get_open_questions(p_topics text[] default null)
returns table (
  id uuid, title text, question text, topics text[], student_name text, suits boolean,
  created_at timestamptz, expires_at timestamptz
)
language sql stable set search_path = '' as $$
  select * from private.get_open_questions(p_topics)
$$;
comment on function public.get_open_questions(text[]) is
  'Questions that can be taken, those first whose topics the caller knows, then the oldest; with'
  ' p_topics: only those about one of them. For approved, active mentors and admins.';

create function private.refuse_question(p_id uuid, p_what text, p_hint text) returns void
language plpgsql stable set search_path = '' as $$
declare
  found_status text;
begin
  select q.status into found_status from public.quick_questions as q where q.id = p_id;
  if not found then
    raise exception 'There is no question %.', p_id
      using errcode = 'MS011', hint = 'See: get_open_questions.';
  end if;
  raise exception '%', p_what
    using errcode = 'MS025', detail = found_status, hint = p_hint;
end
$$;
comment on function private.refuse_question(uuid, text, text) is
  'The error where a question is none, is another''s, or is not in a state for this.';

-- One statement on one row: of two at once the second finds it taken. Asked again by whoever
-- has it, because an answer was lost, it gives the same answer.
create function private.claim_question(p_id uuid) returns public.quick_questions
language plpgsql volatile security definer set search_path = '' as $$
declare
  me constant uuid := private.current_user_id();
  claimed public.quick_questions;
begin
  if not private.answers_questions() then
    raise exception 'Only approved, active mentors take questions.' using errcode = '42501';
  end if;
  update public.quick_questions as q
  set
    status = 'claimed', claimed_by = me, claimed_at = now(),
    first_claimed_at = coalesce(q.first_claimed_at, now())
  where q.id = p_id and q.status = 'open' and q.expires_at > now() and q.student_id <> me
    and q.student_id <> all (private.blocked_students())
  returning * into claimed;
  if found then
    perform public.supersede_messages('question:' || p_id);
    perform private.tell_of_question(
      claimed, claimed.student_id, 'question_claimed', 'A mentor took your question'
    );
    return claimed;
  end if;
  select q.* into claimed from public.quick_questions as q
  where q.id = p_id and q.status = 'claimed' and q.claimed_by = me;
  if not found then
    perform private.refuse_question(
      p_id, 'The question cannot be taken any more.', 'See: get_open_questions.'
    );
  end if;
  return claimed;
end
$$;
comment on function private.claim_question(uuid) is 'Takes an open question of somebody else.';

create function public.claim_question(p_id uuid) returns public.quick_questions
language sql volatile set search_path = '' as $$ select private.claim_question(p_id) $$;
comment on function public.claim_question(uuid) is
  'Takes a question, to answer it: the question; MS025 where somebody was quicker. For approved,'
  ' active mentors.';

-- The time for which it was held does not count.
create function private.release_question(p_id uuid) returns public.quick_questions
language plpgsql volatile security definer set search_path = '' as $$
declare
  released public.quick_questions;
begin
  update public.quick_questions as q
  set
    status = 'open', claimed_by = null, claimed_at = null,
    expires_at = q.expires_at + (now() - q.claimed_at)
  where q.id = p_id and q.status = 'claimed' and q.claimed_by = private.current_user_id()
  returning * into released;
  if not found then
    perform private.refuse_question(
      p_id, 'Only who took a question gives it back.', 'Take it first: claim_question.'
    );
  end if;
  perform private.ask_mentors(released);
  return released;
end
$$;
comment on function private.release_question(uuid) is 'Gives back a question that one took.';

create function public.release_question(p_id uuid) returns public.quick_questions
language sql volatile set search_path = '' as $$ select private.release_question(p_id) $$;
comment on function public.release_question(uuid) is
  'Gives back a question that one took and does not answer: others may take it.';

create function private.complete_question(p_id uuid, p_answer text)
returns public.quick_questions
language plpgsql volatile security definer set search_path = '' as $$
declare
  answered public.quick_questions;
begin
  if private.trim_space(coalesce(p_answer, '')) = '' then
    raise exception 'An answer says something.' using errcode = '22023', hint = 'Give p_answer.';
  end if;
  perform private.require_text_fits('p_answer', p_answer, 10000);
  update public.quick_questions as q
  set status = 'completed', answer = p_answer, completed_at = now()
  where q.id = p_id and q.status = 'claimed' and q.claimed_by = private.current_user_id()
  returning * into answered;
  if not found then
    perform private.refuse_question(
      p_id, 'Only who took a question answers it, and once.', 'Take it first: claim_question.'
    );
  end if;
  perform private.tell_of_question(
    answered, answered.student_id, 'question_completed', 'Your question was answered'
  );
  return answered;
end
$$;
comment on function private.complete_question(uuid, text) is 'Answers a question that one took.';

create function public.complete_question(p_id uuid, p_answer text)
returns public.quick_questions
language sql volatile set search_path = '' as $$
  select private.complete_question(p_id, p_answer)
$$;
comment on function public.complete_question(uuid, text) is
  'Answers a question that one took: the question. The student is told.';

-- What the student does with it -------------------------------------------------------------

create function private.rate_question(p_id uuid, p_rating integer, p_comment text)
returns public.quick_questions
language plpgsql volatile security definer set search_path = '' as $$
declare
  rated public.quick_questions;
begin
  if p_rating is null or p_rating not between 1 and 5 then
    raise exception 'A rating of % cannot be given.', coalesce(p_rating::text, 'nothing')
      using errcode = '22023', hint = 'p_rating is 1 to 5.';
  end if;
  perform private.require_text_fits('p_comment', p_comment, 2000);
  update public.quick_questions as q
  set rating = p_rating, rating_comment = nullif(p_comment, ''), rated_at = now()
  where q.id = p_id and q.student_id = private.current_user_id()
    and q.status = 'completed' and q.rated_at is null
  returning * into rated;
  if not found then
    perform private.refuse_question(
      p_id, 'Only who asked rates the answer, and once.', 'Wait until the question is completed.'
    );
  end if;
  return rated;
end
$$;
comment on function private.rate_question(uuid, integer, text) is
  'Rates the answer to one''s own question.';

create function public.rate_question(p_id uuid, p_rating integer, p_comment text default null)
returns public.quick_questions
language sql volatile set search_path = '' as $$
  select private.rate_question(p_id, p_rating, p_comment)
$$;
comment on function public.rate_question(uuid, integer, text) is
  'Rates the answer to one''s own question, 1 to 5: once, when it is completed.';

create function private.cancel_question(p_id uuid) returns public.quick_questions
language plpgsql volatile security definer set search_path = '' as $$
declare
  cancelled public.quick_questions;
begin
  update public.quick_questions as q
  set status = 'cancelled'
  where q.id = p_id and q.status = 'open' and q.student_id = private.current_user_id()
  returning * into cancelled;
  if not found then
    perform private.refuse_question(
      p_id, 'Only who asked takes a question back, while it is open.',
      'A question that was taken is answered soon.'
    );
  end if;
  perform public.supersede_messages('question:' || p_id);
  return cancelled;
end
$$;
comment on function private.cancel_question(uuid) is 'Takes back one''s own open question.';

create function public.cancel_question(p_id uuid) returns public.quick_questions
language sql volatile set search_path = '' as $$ select private.cancel_question(p_id) $$;
comment on function public.cancel_question(uuid) is
  'Takes back one''s own question, while nobody has taken it.';

-- Time passes -------------------------------------------------------------------------------

-- As release_question does it, for mentors who let it lie. Each has mentors to be asked anew, so
-- no more than a hundred at a time.
create function private.reopen_questions(p_limit integer default 100) returns integer
language sql volatile set search_path = '' as $$
  with late as materialized (
    select q.id, q.claimed_by, q.claimed_at
    from public.quick_questions as q
    where q.status = 'claimed'
      and q.claimed_at
      <= now() - make_interval(hours => private.number_setting('question_claim_hours', 48))
    order by q.claimed_at
    limit least(p_limit, 100)
    for update skip locked
  ),
  reopened as (
    update public.quick_questions as q
    set
      status = 'open', claimed_by = null, claimed_at = null,
      expires_at = q.expires_at + (now() - l.claimed_at)
    from late as l
    where q.id = l.id
    returning q as question, l.claimed_by as mentor_id
  ),
  told as (
    select
      private.tell_of_question(
        r.question, r.mentor_id, 'question_reopened', 'A question that you took is open again'
      ),
      private.ask_mentors(r.question)
    from reopened as r
  )
  select count(*)::integer from told
$$;
comment on function private.reopen_questions(integer) is
  'Questions that were taken and not answered in question_claim_hours are open again: how many.';

create function private.end_questions(p_limit integer) returns integer
language plpgsql volatile set search_path = '' as $$
declare
  ended text[];
begin
  with late as materialized (
    select q.id from public.quick_questions as q
    where q.status = 'open' and q.expires_at <= now()
    order by q.expires_at
    limit p_limit
    for update skip locked
  ),
  expired as (
    update public.quick_questions as q
    set status = 'expired'
    from late as l
    where q.id = l.id
    returning q as question
  ),
  told as (
    select e.question, private.tell_of_question(
      e.question, (e.question).student_id, 'question_expired', 'Nobody took your question'
    )
    from expired as e
  )
  select coalesce(array_agg('question:' || (t.question).id), '{}') into ended from told as t;
  update public.message_outbox as m
  set
    status = case m.status when 'sending' then m.status else 'superseded' end,
    superseded_at = now()
  where m.kind = 'quick_question' and m.about = any (ended)
    and m.status in ('queued', 'digest', 'sending');
  return cardinality(ended);
end
$$;
comment on function private.end_questions(integer) is
  'Ends open questions whose time is over: how many.';

create function private.expire_questions(p_limit integer default 1000) returns integer
language sql volatile set search_path = '' as $$
  select private.reopen_questions(p_limit) + private.end_questions(p_limit)
$$;
comment on function private.expire_questions(integer) is
  'Opens questions that were held too long, and ends those whose time is over: how many.';

-- The leaderboard ---------------------------------------------------------------------------

create function private.leaderboard_points(
  p_questions bigint, p_stars bigint, p_sessions bigint, p_matches bigint
) returns integer
language sql immutable set search_path = '' as $$
  select (
    10 * coalesce(p_questions, 0) + 2 * coalesce(p_stars, 0) + 5 * coalesce(p_sessions, 0)
    + 30 * coalesce(p_matches, 0)
  )::integer
$$;
comment on function private.leaderboard_points(bigint, bigint, bigint, bigint) is
  'Points: 10 a question answered, and 2 for each star above three that its rating has; 5 a'
  ' session or meeting held; 30 a match completed in which they met.';

create function private.leaderboard() returns setof public.mentor_leaderboard
language sql stable set search_path = '' as $$
  with counted as (
    select
      t.person_id,
      private.leaderboard_points(q.answered, q.stars, s.held, m.completed) as points,
      coalesce(q.answered, 0)::integer as answered, q.rating,
      coalesce(s.held, 0)::integer as held, coalesce(m.completed, 0)::integer as completed
    from public.mentors as t
    left join (
      select
        x.claimed_by, count(*) as answered, round(avg(x.rating), 2) as rating,
        sum(greatest(x.rating - 3, 0)) as stars
      from public.quick_questions as x where x.status = 'completed'
      group by x.claimed_by
    ) as q on q.claimed_by = t.person_id
    left join (
      select x.mentor_id, count(*) as held
      from public.mentorship_sessions as x where x.status = 'COMPLETED' and not x.is_deleted
      group by x.mentor_id
    ) as s on s.mentor_id = t.person_id
    left join (
      select x.mentor_id, count(*) as completed
      from public.matches as x
      where x.status = 'completed' and exists (
        select from public.mentorship_sessions as y
        where y.match_id = x.id and y.status = 'COMPLETED' and not y.is_deleted
      )
      group by x.mentor_id
    ) as m on m.mentor_id = t.person_id
    where t.is_approved and t.is_active and t.person_id is not null
  )
  select
    c.person_id, (rank() over (order by c.points desc))::integer, c.points, c.answered, c.rating,
    c.held, c.completed, now()
  from counted as c
  where c.points > 0
$$;
comment on function private.leaderboard() is
  'The leaderboard as it should be: approved, active mentors with points; equals share a rank.';

create function public.refresh_leaderboard(p_run_id uuid, p_fence bigint) returns jsonb
language plpgsql volatile set search_path = '' as $$
declare
  run constant public.job_runs := private.assert_run(p_run_id, p_fence);
  answer jsonb;
begin
  if run.progress ? 'answer' then
    return run.progress -> 'answer';
  end if;
  with wanted as materialized (
    select w.* from private.leaderboard() as w
  ),
  written as (
    insert into public.mentor_leaderboard as b
    select w.* from wanted as w
    on conflict (mentor_id) do update
    set
      rank = excluded.rank, points = excluded.points,
      questions_completed = excluded.questions_completed,
      question_rating = excluded.question_rating, sessions_held = excluded.sessions_held,
      matches_completed = excluded.matches_completed, refreshed_at = excluded.refreshed_at
    where to_jsonb(b) - 'refreshed_at' <> to_jsonb(excluded) - 'refreshed_at'
    returning b.mentor_id
  ),
  removed as (
    delete from public.mentor_leaderboard as b
    where not exists (select from wanted as w where w.mentor_id = b.mentor_id)
    returning b.mentor_id
  )
  select jsonb_build_object('counts', jsonb_build_object(
    'written', (select count(*) from written),
    'removed', (select count(*) from removed),
    'unchanged', (select count(*) from wanted) - (select count(*) from written)
  ))
  into answer;
  update public.job_runs as r
  set progress = jsonb_build_object('answer', answer, 'counts', answer -> 'counts')
  where r.id = p_run_id;
  return answer;
end
$$;
comment on function public.refresh_leaderboard(uuid, bigint) is
  'The job refresh_leaderboard: writes the rows that changed: counts.';

-- Definer: names are in users, of which people read their own row only.
create function private.get_leaderboard(p_limit integer)
returns table (
  rank integer, mentor_id uuid, name text, points integer, questions_completed integer,
  question_rating numeric, sessions_held integer, matches_completed integer
)
language plpgsql stable security definer set search_path = '' as $$
begin
  if coalesce(p_limit, 0) not between 1 and 1000 then
    raise exception 'p_limit is 1 to 1000.' using errcode = 'MS012', hint = 'Ask for p_limit=10.';
  end if;
  return query
  select
    b.rank, b.mentor_id, u.full_name, b.points, b.questions_completed, b.question_rating,
    b.sessions_held, b.matches_completed
  from public.mentor_leaderboard as b
  inner join public.mentors as t on t.person_id = b.mentor_id and t.is_approved and t.is_active
  inner join public.users as u on u.id = b.mentor_id
  order by b.rank, u.full_name, b.mentor_id
  limit p_limit;
end
$$;
comment on function private.get_leaderboard(integer) is 'The first of the leaderboard, by name.';

create function public.get_leaderboard(p_limit integer default 10)
returns table (
  rank integer, mentor_id uuid, name text, points integer, questions_completed integer,
  question_rating numeric, sessions_held integer, matches_completed integer
)
language sql stable set search_path = '' as $$
  select * from private.get_leaderboard(p_limit)
$$;
comment on function public.get_leaderboard(integer) is
  'The mentors with most points, as of the last run of refresh_leaderboard. For signed-in people.';

revoke all on function
  private.settle_question(),
  private.question_alias_changed(),
  private.answers_questions(),
  private.blocked_students(),
  private.terms_of_mentor(uuid),
  private.mentors_for_question(public.quick_questions),
  private.ask_mentors(public.quick_questions),
  private.tell_of_question(public.quick_questions, uuid, text, text),
  private.require_may_ask(uuid),
  private.require_text_fits(text, text, integer),
  private.require_question_fits(text, text, text[]),
  private.post_question(text, text, text[]),
  private.get_open_questions(text[]),
  private.refuse_question(uuid, text, text),
  private.claim_question(uuid),
  private.release_question(uuid),
  private.complete_question(uuid, text),
  private.rate_question(uuid, integer, text),
  private.cancel_question(uuid),
  private.reopen_questions(integer),
  private.end_questions(integer),
  private.expire_questions(integer),
  private.leaderboard_points(bigint, bigint, bigint, bigint),
  private.leaderboard(),
  private.get_leaderboard(integer),
  public.post_question(text, text, text[]),
  public.get_open_questions(text[]),
  public.claim_question(uuid),
  public.release_question(uuid),
  public.complete_question(uuid, text),
  public.rate_question(uuid, integer, text),
  public.cancel_question(uuid),
  public.refresh_leaderboard(uuid, bigint),
  public.get_leaderboard(integer)
from public, anon, authenticated, service_role;
grant execute on function
  private.post_question(text, text, text[]),
  private.claim_question(uuid),
  private.release_question(uuid),
  private.complete_question(uuid, text),
  private.rate_question(uuid, integer, text),
  private.cancel_question(uuid),
  private.answers_questions(),
  private.blocked_students(),
  public.post_question(text, text, text[]),
  public.claim_question(uuid),
  public.release_question(uuid),
  public.complete_question(uuid, text),
  public.rate_question(uuid, integer, text),
  public.cancel_question(uuid)
to authenticated;
grant execute on function
  private.get_open_questions(text[]), private.get_leaderboard(integer),
  public.get_open_questions(text[]), public.get_leaderboard(integer)
to authenticated, service_role;
grant execute on function
  private.leaderboard_points(bigint, bigint, bigint, bigint),
  private.leaderboard(),
  public.refresh_leaderboard(uuid, bigint)
to service_role;
