-- Text: the one place where addresses and words are made comparable.
-- Nobody calls these over the API; policies, triggers and verbs do.

create schema if not exists private;
comment on schema private is
  'mentor_sync: helpers that the API never exposes. Execute is granted function by function.';
revoke all on schema private from public;
-- To everybody, for the two functions of the indexes on addresses; see below.
grant usage on schema private to public;

-- White space is what Unicode calls so, and the two invisible characters that
-- come along when an address is copied from a page (U+200B, U+FEFF).
create function private.trim_space(p_text text) returns text
language plpgsql immutable parallel safe set search_path = '' as $$
begin
  return btrim(
    p_text,
    U&'\0020\0009\000A\000B\000C\000D\0085\00A0\1680\2000\2001\2002\2003\2004\2005\2006'
    '\2007\2008\2009\200A\200B\2028\2029\202F\205F\3000\FEFF'
  );
end
$$;
comment on function private.trim_space(text) is
  'The text without white space at both ends, no-break and zero-width spaces included.';

-- No collation is named, so that the index on it builds on every PostgreSQL from 15 on.
create function private.normalise_email(p_email text) returns text
language plpgsql immutable parallel safe set search_path = '' as $$
begin
  return lower(private.trim_space(p_email));
end
$$;
comment on function private.normalise_email(text) is
  'The form in which two e-mail addresses are compared, everywhere: trimmed, lower case.';

create function private.is_mentor_type(p_membershiptype text) returns boolean
language plpgsql immutable parallel safe set search_path = '' as $$
begin
  return coalesce(lower(private.trim_space(p_membershiptype)) = 'mentor', false);
end
$$;
comment on function private.is_mentor_type(text) is
  'Whether a membershiptype says mentor: trimmed, in any case.';

create function private.slug(p_name text, p_id uuid) returns text
language plpgsql immutable parallel safe set search_path = '' as $$
declare
  plain text := regexp_replace(
    normalize(lower(left(p_name, 60)), nfkd), U&'[\0300-\036F]', '', 'g'
  );
begin
  return btrim(regexp_replace(plain || '-' || left(p_id::text, 8), '[^a-z0-9]+', '-', 'g'), '-');
end
$$;
comment on function private.slug(text, uuid) is
  'A readable part of an address: the name in plain letters and the start of the id.';

create function private.touch_updated_at() returns trigger
language plpgsql volatile set search_path = '' as $$
begin
  new.updated_at := now();
  return new;
end
$$;
comment on function private.touch_updated_at() is
  'Trigger: notes when a row was last changed.';

revoke all on function
  private.trim_space(text),
  private.normalise_email(text),
  private.is_mentor_type(text),
  private.slug(text, uuid),
  private.touch_updated_at()
from public, anon, authenticated, service_role;
-- Index expressions run with the rights of whoever writes the table, and the applications that
-- write members and users_user have roles that we do not know. They compute, and read nothing.
grant execute on function private.trim_space(text), private.normalise_email(text) to public;
