"""Looks at who gets to rows beside those whom our migrations let in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import LiteralString

from mentor_sync import mending
from mentor_sync.connection import Connection
from mentor_sync.findings import Finding

# Row level security closes a table to whom no policy opens it.
_WRITERS = """
select r.rolname
from pg_class as c
join pg_roles as r on r.rolname in ('anon', 'authenticated')
where c.oid = to_regclass('public.' || %s)
  and (
    has_table_privilege(r.oid, c.oid, 'delete')
    or has_any_column_privilege(r.oid, c.oid, 'insert')
    or exists (
      select from pg_attribute as a
      where a.attrelid = c.oid and a.attname in ('id', 'email', 'membershiptype', 'is_active')
        and has_column_privilege(r.oid, c.oid, a.attnum, 'update')
    )
  )
  and (
    not c.relrowsecurity
    or exists (
      select from pg_policy as p cross join unnest(p.polroles) as role (id)
      where p.polrelid = c.oid and p.polpermissive and p.polcmd <> 'r'
        and (role.id = 0 or pg_has_role(r.oid, role.id, 'usage'))
    )
  )
order by r.rolname
"""
_READERS = """
select r.rolname
from pg_class as c
join pg_roles as r on r.rolname in ('anon', 'authenticated')
join pg_attribute as a on a.attrelid = c.oid and a.attname = 'email'
where c.oid = to_regclass('public.' || %s)
  and has_column_privilege(r.oid, c.oid, a.attnum, 'select')
  and (
    not c.relrowsecurity
    or exists (
      select from pg_policy as p cross join unnest(p.polroles) as role (id)
      where p.polrelid = c.oid and p.polpermissive and p.polcmd in ('r', '*')
        and (role.id = 0 or pg_has_role(r.oid, role.id, 'usage'))
    )
  )
order by r.rolname
"""
# With those to whom each opens the table, and whether the Data API's callers are among them.
_POLICIES = """
select
  quote_ident(p.polname),
  string_agg(coalesce(r.rolname, 'everybody'), ', ' order by r.rolname),
  bool_or(
    role.id = 0
    or exists (
      select from pg_roles as caller
      where caller.rolname in ('anon', 'authenticated') and pg_has_role(caller.oid, r.oid, 'usage')
    )
  )
from pg_policy as p
cross join unnest(p.polroles) as role (id)
left join pg_roles as r on r.oid = role.id
where p.polrelid = to_regclass('public.' || %s) and p.polpermissive and p.polname <> all (%s)
group by p.polname
order by p.polname
"""
_COUNT_ADMINS = "select count(*) from public.users where lower(btrim(role::text)) = 'admin'"


def source_access(connection: Connection, table: str) -> Iterator[Finding]:
    """Who may write or read a table that stays the project's own."""
    writers = _roles(connection, _WRITERS, table)
    if writers:
        may = f"{writers} may write it over the Data API, and so make mentors."
        yield Finding("warning", table, "", may, mending.close(table))
    readers = _roles(connection, _READERS, table)
    if readers:
        may = f"{readers} may read it over the Data API, with its e-mail addresses: all rows, or"
        may += " those that its policies open."
        yield Finding("warning", table, "", may, mending.hide(table))


def _roles(connection: Connection, query: LiteralString, table: str) -> str:
    return " and ".join(str(role) for (role,) in connection.execute(query, [table]))


def foreign_policies(connection: Connection, table: str, ours: Sequence[str]) -> Iterator[Finding]:
    """The policies of a table of ours that are not among `ours`."""
    for policy, opened_to, is_open in connection.execute(_POLICIES, [table, [*ours]]):
        yield Finding(
            "fault" if is_open else "warning",
            table,
            "",
            f"Its policy {policy} is not of mentor-sync. It stays, and opens rows to {opened_to}"
            " beside those that ours open.",
            mending.drop_policy(table, str(policy)),
        )


def future_admins(connection: Connection) -> Iterator[Finding]:
    """Who becomes an admin of ours by what users says already."""
    (count,) = connection.execute(_COUNT_ADMINS).fetchone() or (0,)
    if count:
        yield Finding(
            "warning",
            "users",
            "role",
            f"Rows with the role admin: {count}. Signed in, they see everybody and may sync.",
            mending.list_admins(),
        )
