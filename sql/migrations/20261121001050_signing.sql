-- Signing: what people get by mail and give back is signed, so nobody can make it up.
-- Nobody calls these but other functions of ours; service_role hands over a provider's secret.

create table private.signing_keys (
  name text primary key,
  inner_pad bytea not null,
  outer_pad bytea not null,
  changed_at timestamptz not null default now()
);

comment on table private.signing_keys is
  'Secret keys. links: made here, signs what mails link to. resend: of the provider''s webhook.';
comment on column private.signing_keys.name is 'What it is for.';
comment on column private.signing_keys.inner_pad is 'The key as HMAC''s inner pad (RFC 2104).';
comment on column private.signing_keys.outer_pad is 'The key as HMAC''s outer pad.';
comment on column private.signing_keys.changed_at is 'When it was last changed.';

alter table private.signing_keys enable row level security;
revoke all on table private.signing_keys from public, anon, authenticated, service_role;

-- The key, filled with zeros to a block of 64 bytes, each byte xor p_byte.
create function private.hmac_pad(p_key bytea, p_byte integer) returns bytea
language plpgsql immutable set search_path = '' as $$
declare
  pad bytea := case when length(p_key) > 64 then sha256(p_key) else p_key end;
begin
  pad := pad || decode(repeat('00', 64 - length(pad)), 'hex');
  for i in 0..63 loop
    pad := set_byte(pad, i, get_byte(pad, i) # p_byte);
  end loop;
  return pad;
end
$$;
comment on function private.hmac_pad(bytea, integer) is
  'A key as HMAC-SHA256 uses it: there is no pgcrypto on every server that this builds on.';

create function private.set_signing_key(p_name text, p_key bytea) returns void
language sql volatile set search_path = '' as $$
  insert into private.signing_keys as k (name, inner_pad, outer_pad)
  values (p_name, private.hmac_pad(p_key, 54), private.hmac_pad(p_key, 92))
  on conflict (name) do update
  set inner_pad = excluded.inner_pad, outer_pad = excluded.outer_pad, changed_at = now()
$$;
comment on function private.set_signing_key(text, bytea) is 'Sets, or replaces, a key.';

select private.set_signing_key(
  'links', decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex')
);

create function private.signature(p_key text, p_message bytea) returns bytea
language sql stable set search_path = '' as $$
  select sha256(k.outer_pad || sha256(k.inner_pad || p_message))
  from private.signing_keys as k where k.name = p_key
$$;
comment on function private.signature(text, bytea) is
  'HMAC-SHA256 of a message with the key of this name; null where there is no such key.';

-- Definer: nobody may read the keys.
create function private.signed(p_purpose text, p_payload text) returns text
language sql stable security definer set search_path = '' as $$
  select p_payload || '.' || left(
    encode(private.signature('links', convert_to(p_purpose || ':' || p_payload, 'UTF8')), 'hex'), 32
  )
$$;
comment on function private.signed(text, text) is
  'A token: the payload and its signature. It is good for this purpose only.';

-- Compared as hashes, so that how long it takes tells nothing about where they differ.
create function private.unsigned(p_purpose text, p_token text) returns text
language sql stable security definer set search_path = '' as $$
  select given.payload
  from (select left(p_token, -33)) as given (payload)
  where length(p_token) between 34 and 500
    and sha256(convert_to(p_token, 'UTF8'))
    = sha256(convert_to(private.signed(p_purpose, given.payload), 'UTF8'))
$$;
comment on function private.unsigned(text, text) is
  'The payload of a token that was signed here for this purpose; null of any other.';

revoke all on function
  private.hmac_pad(bytea, integer),
  private.set_signing_key(text, bytea),
  private.signature(text, bytea),
  private.signed(text, text),
  private.unsigned(text, text)
from public, anon, authenticated, service_role;
grant execute on function private.signed(text, text) to service_role;
