-- Bounces: what the provider says of mails that it took. Resend signs its webhooks (Svix).
-- Anybody may call the webhook; only what carries the provider's signature changes anything.

-- Definer: the key is nobody's to read, and the caller is nobody in particular.
create function private.is_signed_by(p_key text, p_headers jsonb, p_body text) returns boolean
language sql stable security definer set search_path = '' as $$
  select coalesce(
    abs(extract(epoch from clock_timestamp()) - (p_headers ->> 'svix-timestamp')::bigint) < 300
    and exists (
      select from regexp_split_to_table(p_headers ->> 'svix-signature', '\s+') as given (signature)
      where sha256(convert_to(given.signature, 'UTF8')) = sha256(convert_to(
        'v1,' || encode(
          private.signature(
            p_key, convert_to(
              (p_headers ->> 'svix-id') || '.' || (p_headers ->> 'svix-timestamp') || '.' || p_body,
              'UTF8'
            )
          ), 'base64'
        ), 'UTF8'
      ))
    ),
    false
  )
$$;
comment on function private.is_signed_by(text, jsonb, text) is
  'Whether one of the signatures in the headers is of this body, by this key, and not older than'
  ' five minutes.';

create function private.note_undeliverable(p_event jsonb, p_status text) returns void
language plpgsql volatile set search_path = '' as $$
declare
  known_as constant text := p_event #>> '{data,email_id}';
  said constant text := left(coalesce(
    p_event #>> '{data,bounce,message}', replace(p_event ->> 'type', 'email.', '')
  ), 1000);
  message uuid;
begin
  update public.message_outbox as m
  set status = p_status, error = said
  where m.provider_id = known_as and m.status in ('sent', 'bounced')
  returning m.id into message;
  -- A full mailbox is no reason never to write again.
  if p_event #>> '{data,bounce,type}' is distinct from 'Transient' then
    insert into public.undeliverable_addresses (address, reason, message_id)
    select private.normalise_email(coalesce(u.email, (regexp_match(given.address, '<([^<>]*)>'))[1], given.address)),
      said, message
    from jsonb_array_elements_text(
      case when jsonb_typeof(p_event #> '{data,to}') = 'array' then p_event #> '{data,to}' end
    ) as given (address)
    left join public.message_outbox as m on m.id = message
    left join public.users as u on u.id = m.recipient
    on conflict do nothing;
  end if;
end
$$;
comment on function private.note_undeliverable(jsonb, text) is
  'Marks the message, and its address where it cannot be reached at all.';

-- Definer: for the provider, who is nobody here. What it says is believed for its signature.
create function private.receive_resend_event(p_body text, p_headers jsonb) returns text
language plpgsql volatile security definer set search_path = '' as $$
declare
  event constant jsonb := p_body;
begin
  if not private.is_signed_by('resend', p_headers, p_body) then
    raise exception 'The event is not signed by Resend, or older than five minutes.'
      using errcode = 'MS008', hint = 'Give the secret of the webhook: mentor-sync email webhook.';
  end if;
  case event ->> 'type'
    when 'email.bounced', 'email.suppressed' then
      perform private.note_undeliverable(event, 'bounced');
    when 'email.complained' then
      perform private.note_undeliverable(event, 'complained');
    else
      return 'ignored';
  end case;
  return 'noted';
end
$$;
comment on function private.receive_resend_event(text, jsonb) is
  'Takes an event of Resend''s webhook, if it is signed.';

-- The parameter has no name, so that the body comes as it was sent, byte by byte.
create function public.resend_webhook(json) returns text
language sql volatile set search_path = '' as $$
  select private.receive_resend_event($1::text, current_setting('request.headers', true)::jsonb)
$$;
comment on function public.resend_webhook(json) is
  'The address for Resend''s webhook: bounces and complaints mark messages and addresses.';

-- Definer: service_role may set the secret, and not read it.
create function private.set_resend_secret(p_secret text) returns boolean
language plpgsql volatile security definer set search_path = '' as $$
begin
  if p_secret !~ '^whsec_[A-Za-z0-9+/]{16,}={0,2}$' then
    raise exception 'That is no secret of a webhook.'
      using errcode = 'MS009', hint = 'It begins with whsec_; Resend shows it with the webhook.';
  end if;
  perform private.set_signing_key('resend', decode(substr(p_secret, 7), 'base64'));
  return true;
exception
  when invalid_parameter_value then
    raise exception 'That is no secret of a webhook.'
      using errcode = 'MS009', hint = 'It was not copied whole.';
end
$$;
comment on function private.set_resend_secret(text) is 'Sets the key that Resend signs with.';

create function public.set_resend_secret(p_secret text) returns boolean
language sql volatile set search_path = '' as $$ select private.set_resend_secret(p_secret) $$;
comment on function public.set_resend_secret(text) is
  'Sets the signing secret of the webhook at Resend, whsec_...; it cannot be read back.';

revoke all on function
  private.is_signed_by(text, jsonb, text),
  private.note_undeliverable(jsonb, text),
  private.receive_resend_event(text, jsonb),
  private.set_resend_secret(text),
  public.resend_webhook(json),
  public.set_resend_secret(text)
from public, anon, authenticated, service_role;
grant execute on function
  private.receive_resend_event(text, jsonb), public.resend_webhook(json)
to anon, authenticated, service_role;
grant execute on function private.set_resend_secret(text), public.set_resend_secret(text)
to service_role;
