"""Puts the community into members and users_user, as the import of an existing one would.

Over a direct connection, with COPY, in one transaction: all of it or nothing is there, and the
memory that it takes does not grow with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import LiteralString

from mentor_sync.connection import Connection, connect
from mentor_sync.demo.community import accounts, member_id, members
from mentor_sync.errors import ConfigurationError

# A few, since whoever tries things out may delete one.
_LANDMARKS = 10

_IS_FILLED = """
select exists (select from public.members) or exists (select from public.users_user)
"""
_ARE_THERE = "select exists (select from public.members where id = any (%s))"
_COUNT = "select (select count(*) from public.members), (select count(*) from public.users_user)"

# The triggers would make the mentors right away, and leave nothing for the sync to show.
_WITHOUT_TRIGGERS = """
set local statement_timeout = 0;
alter table public.members disable trigger mentor_sync_inserted;
alter table public.users_user disable trigger mentor_sync_inserted;
"""
_WITH_TRIGGERS = """
alter table public.members enable trigger mentor_sync_inserted;
alter table public.users_user enable trigger mentor_sync_inserted;
"""
# Staged, because COPY cannot pass over rows that are there already.
_STAGE_MEMBERS = """
create temporary table demo_members (like public.members) on commit drop
"""
_COPY_MEMBERS = """
copy demo_members (
  id, email, name, membershiptype, "areaOfExpertise", skills, experience, occupation, jobtitle,
  industry, is_active, country, city, linkedin, school
) from stdin
"""
_KEEP_MEMBERS = """
insert into public.members (
  id, email, name, membershiptype, "areaOfExpertise", skills, experience, occupation, jobtitle,
  industry, is_active, country, city, linkedin, school
)
select
  id, email, name, membershiptype, "areaOfExpertise", skills, experience, occupation, jobtitle,
  industry, is_active, country, city, linkedin, school
from demo_members
on conflict do nothing
"""
_STAGE_ACCOUNTS = """
create temporary table demo_accounts (like public.users_user) on commit drop
"""
_COPY_ACCOUNTS = "copy demo_accounts (id, email, first_name, last_name) from stdin"
_KEEP_ACCOUNTS = """
insert into public.users_user (id, email, first_name, last_name)
select id, email, first_name, last_name
from demo_accounts
on conflict do nothing
"""
# The next account, made by hand, gets a number of its own.
_MOVE_SEQUENCE = """
select setval(pg_get_serial_sequence('public.users_user', 'id'), max(id)) from public.users_user
"""
_ANALYZE = "analyze public.members, public.users_user"


@dataclass(frozen=True)
class Loaded:
    """What was added, and what there is now."""

    members_added: int
    accounts_added: int
    members: int
    accounts: int


def load(dsn: str, count: int) -> Loaded:
    """Have a community of at least this size in the database.

    Rows that are there stay as they are; of a community that was loaded before, nothing is
    brought back that was deleted since.

    Raises:
        ConfigurationError: there is a community already that is not the demo's.
    """
    with connect(dsn) as connection:
        _require_demo(connection)
        added = (0, 0)
        if not _are_there(connection, range(count, max(0, count - _LANDMARKS), -1)):
            added = _add(connection, count)
        return Loaded(*added, *_pair(connection, _COUNT))


def _require_demo(connection: Connection) -> None:
    """Invented people are not mixed with those that somebody else has put here."""
    filled = connection.execute(_IS_FILLED).fetchone() == (True,)
    if filled and not _are_there(connection, range(1, _LANDMARKS + 1)):
        raise ConfigurationError(
            "The local stack holds a community already, which is not the demo's.",
            hint="Give the demo a stack of its own: export MENTOR_SYNC_LOCAL_DIR=.demo",
            code="not_the_demo",
        )


def _are_there(connection: Connection, indexes: Iterable[int]) -> bool:
    wanted = [member_id(index) for index in indexes]
    return connection.execute(_ARE_THERE, [wanted]).fetchone() == (True,)


def _add(connection: Connection, count: int) -> tuple[int, int]:
    with connection.transaction():
        connection.execute(_WITHOUT_TRIGGERS)
        added = (
            _copy(connection, _STAGE_MEMBERS, _COPY_MEMBERS, _KEEP_MEMBERS, members(count)),
            _copy(connection, _STAGE_ACCOUNTS, _COPY_ACCOUNTS, _KEEP_ACCOUNTS, accounts(count)),
        )
        connection.execute(_MOVE_SEQUENCE)
        connection.execute(_WITH_TRIGGERS)
    connection.execute(_ANALYZE)
    return added


def _copy(
    connection: Connection,
    stage: LiteralString,
    copy: LiteralString,
    keep: LiteralString,
    rows: Iterable[tuple[object, ...]],
) -> int:
    """How many of these rows are new."""
    connection.execute(stage)
    with connection.cursor() as cursor:
        with cursor.copy(copy) as into:
            for row in rows:
                into.write_row(row)
        return cursor.execute(keep).rowcount


def _pair(connection: Connection, query: LiteralString) -> tuple[int, int]:
    row = connection.execute(query).fetchone() or (0, 0)
    first, second = row
    return int(str(first)), int(str(second))
