-- Links in mails: one click ends mails of a kind, or answers a question.
-- Whoever has the signed token of a link may do that one thing, and learns nothing by it.

insert into public.program_settings (key, value, description) values
  ('answer_days', '30', 'So many days a question of a mail can be answered by its links.');

create table public.message_answers (
  message_id uuid not null,
  question integer not null,
  user_id uuid not null references public.users (id) on delete cascade,
  kind text not null,
  about text not null,
  answer text not null,
  answered_at timestamptz not null default now(),
  primary key (message_id, question)
);

create index message_answers_user_idx on public.message_answers (user_id);
create index message_answers_about_idx on public.message_answers (about);

comment on table public.message_answers is
  'What people answered by a click in a mail: the first click on a question counts.';
comment on column public.message_answers.message_id is 'The message: message_outbox.id.';
comment on column public.message_answers.question is 'Which of its questions, from 0 on.';
comment on column public.message_answers.user_id is 'Who answered.';
comment on column public.message_answers.kind is 'Which kind of message asked.';
comment on column public.message_answers.about is 'What the question is about, such as match:<id>.';
comment on column public.message_answers.answer is 'The answer, such as 4.';
comment on column public.message_answers.answered_at is 'When.';

alter table public.message_answers enable row level security;
revoke all on table public.message_answers from public, anon, authenticated, service_role;
grant select, insert, update, delete on table public.message_answers to service_role;
grant select on table public.message_answers to authenticated;
create policy "People read their own answers, admins all"
on public.message_answers for select to authenticated
using (user_id = (select private.current_user_id()) or (select private.is_admin()));

-- Tokens ------------------------------------------------------------------------------------

create function private.unsubscribe_token(p_user_id uuid, p_kind text) returns text
language sql stable set search_path = '' as $$
  select private.signed('unsubscribe', p_user_id || '.' || p_kind)
$$;
comment on function private.unsubscribe_token(uuid, text) is
  'Whoever has it may end mails of this kind to this person.';

-- data.ask is [{about, answers: [text]}]; a token an answer, in their order. The same at every
-- attempt, so that the provider knows the message again.
create function private.answer_tokens(
  p_message_id uuid, p_data jsonb, p_created_at timestamptz, p_expires_at timestamptz
) returns jsonb
language sql stable set search_path = '' as $$
  select coalesce(jsonb_agg(asked.tokens order by asked.question), '[]')
  from (
    select q.place - 1 as question, jsonb_agg(
      private.signed(
        'answer', concat_ws(
          '.', p_message_id, q.place - 1, a.place - 1,
          extract(epoch from coalesce(
            p_expires_at,
            p_created_at + make_interval(days => private.number_setting('answer_days', 30))
          ))::bigint
        )
      ) order by a.place
    ) as tokens
    from jsonb_array_elements(
      case when jsonb_typeof(p_data -> 'ask') = 'array' then p_data -> 'ask' end
    ) with ordinality as q (asked, place)
    cross join lateral jsonb_array_elements(
      case when jsonb_typeof(q.asked -> 'answers') = 'array' then q.asked -> 'answers' end
    ) with ordinality as a (answer, place)
    group by q.place
  ) as asked
$$;
comment on function private.answer_tokens(uuid, jsonb, timestamptz, timestamptz) is
  'A token for each answer to each question of a message: signed, good until it expires.';

-- Clicks ------------------------------------------------------------------------------------

-- Definer: anybody who has the token.
create function private.unsubscribe(p_token text) returns boolean
language plpgsql volatile security definer set search_path = '' as $$
declare
  payload constant text := private.unsigned('unsubscribe', p_token);
  person constant uuid := split_part(payload, '.', 1);
  -- From a digest nobody wants what it gathers either.
  ended constant text := case split_part(payload, '.', 2)
    when 'digest' then 'all' else split_part(payload, '.', 2)
  end;
begin
  insert into public.contact_preferences as p (user_id, kind, channel)
  select u.id, ended, 'off' from public.users as u where u.id = person
  on conflict (user_id, kind) do update set channel = 'off';
  update public.contact_preferences as p
  set channel = 'off'
  where p.user_id = person and ended = 'all' and p.channel <> 'off';
  update public.message_outbox as m
  set status = 'off'
  where m.recipient = person and (m.kind = ended or ended = 'all')
    and m.status in ('queued', 'digest');
  return true;
end
$$;
comment on function private.unsubscribe(text) is
  'Switches a kind off for the person of the token. Says the same of a token that is none.';

create function public.unsubscribe(p_token text) returns boolean
language sql volatile set search_path = '' as $$ select private.unsubscribe(p_token) $$;
comment on function public.unsubscribe(text) is
  'One click: no more messages of this kind to whom this one went. Anybody with the token.';

-- Definer: anybody who has the token.
create function private.answer_message(p_token text) returns text
language plpgsql volatile security definer set search_path = '' as $$
declare
  part constant text[] := string_to_array(private.unsigned('answer', p_token), '.');
  asked record;
begin
  select m.recipient, m.kind, q.asked, q.asked -> 'answers' ->> part[3]::integer as answer
  into asked
  from public.message_outbox as m
  cross join lateral (select m.data -> 'ask' -> part[2]::integer) as q (asked)
  where m.id = part[1]::uuid;
  if asked.answer is null or asked.asked ->> 'about' is null then
    return 'unknown';
  end if;
  if to_timestamp(part[4]::bigint) < now() then
    return 'expired';
  end if;
  insert into public.message_answers (message_id, question, user_id, kind, about, answer)
  values (
    part[1]::uuid, part[2]::integer, asked.recipient, asked.kind, asked.asked ->> 'about',
    asked.answer
  )
  on conflict do nothing;
  return case when found then 'recorded' else 'answered' end;
end
$$;
comment on function private.answer_message(text) is 'Records the answer that a token stands for.';

create function public.answer_message(p_token text) returns jsonb
language sql volatile set search_path = '' as $$
  select jsonb_build_object('outcome', private.answer_message(p_token))
$$;
comment on function public.answer_message(text) is
  'One click: {outcome}, which is recorded; answered, if the question was before; expired; unknown.'
  ' Anybody with the token.';

revoke all on function
  private.unsubscribe_token(uuid, text),
  private.answer_tokens(uuid, jsonb, timestamptz, timestamptz),
  private.unsubscribe(text),
  private.answer_message(text),
  public.unsubscribe(text),
  public.answer_message(text)
from public, anon, authenticated, service_role;
grant execute on function
  private.unsubscribe_token(uuid, text),
  private.answer_tokens(uuid, jsonb, timestamptz, timestamptz)
to service_role;
grant execute on function
  private.unsubscribe(text), private.answer_message(text),
  public.unsubscribe(text), public.answer_message(text)
to anon, authenticated, service_role;
