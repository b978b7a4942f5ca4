"""A stack over another PostgreSQL: what it must have, and the login that PostgREST gets there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from mentor_sync.errors import ConfigurationError, LocalStackError
from mentor_sync.local.bootstrap import bootstrap, set_password

_OLDEST, _BEYOND = 150_000, 190_000
_CONNECT_SECONDS = 10
_API_ROLES = ("anon", "authenticated", "service_role", "authenticator")


def prepare(db_url: str, role: str, password: str) -> tuple[str, str]:
    """Make the database ready, and a login role for this stack's PostgREST.

    The server's own `authenticator` is left alone: its password is not ours to know or set.

    Returns:
        PostgREST's connection string, and the server's version as `15.18`.

    Raises:
        ConfigurationError: the URL is no URL, the server does not answer or is too old or
            too new.
        LocalStackError: the user may not do what is missing.
    """
    with _connection(db_url) as connection:
        version = _checked_version(connection)
        missing = _missing(connection)
        if missing:
            _bootstrap_as_superuser(connection, db_url, missing)
        _make_login(connection, role, password)
    login = make_conninfo(db_url, user=role, password=password)
    _check_login(login, role)
    return login, version


def drop_login(db_url: str, role: str) -> None:
    """Remove the login role again; a server that is gone has nothing to remove."""
    with suppress(psycopg.Error, ConfigurationError), _connection(db_url) as connection:
        connection.execute(sql.SQL("drop role if exists {}").format(sql.Identifier(role)))


@contextmanager
def _connection(db_url: str) -> Iterator[psycopg.Connection]:
    try:
        conninfo_to_dict(db_url)
        connection = psycopg.connect(db_url, connect_timeout=_CONNECT_SECONDS)
    except psycopg.Error as error:
        raise ConfigurationError(
            f"The database of --db-url does not answer: {error}",
            hint="It has the form postgresql://user:password@host:5432/database",
        ) from None
    with connection:
        yield connection


def _checked_version(connection: psycopg.Connection) -> str:
    number = connection.info.server_version
    version = f"{number // 10_000}.{number % 10_000}"
    if not _OLDEST <= number < _BEYOND:
        raise ConfigurationError(
            f"The server is PostgreSQL {version}; mentor-sync works with 15 to 18."
        )
    return version


def _missing(connection: psycopg.Connection) -> list[str]:
    rows = connection.execute(
        """
        select 'role ' || name from unnest(%s::text[]) as name where to_regrole(name) is null
        union all
        select 'schema ' || name from unnest(array['auth', 'extensions']) as name
        where to_regnamespace(name) is null
        """,
        [list(_API_ROLES)],
    ).fetchall()
    return [name for (name,) in rows]


def _bootstrap_as_superuser(
    connection: psycopg.Connection, db_url: str, missing: list[str]
) -> None:
    lacks = f"The database lacks what a Supabase project has ({', '.join(missing)})"
    if connection.info.parameter_status("is_superuser") != "on":
        raise LocalStackError(
            f"{lacks}, and {connection.info.user} may not make it.",
            hint="Run this once with a superuser in --db-url.",
        )
    connection.rollback()  # the roles' lock must not meet a snapshot of our own
    try:
        bootstrap(db_url, own=False)
    except psycopg.Error as error:
        raise LocalStackError(f"{lacks}, and it could not be made: {error}") from error


def _make_login(connection: psycopg.Connection, role: str, password: str) -> None:
    """The role of this stack, with authenticator's memberships and timeouts."""
    name = sql.Identifier(role)
    try:
        known = connection.execute("select to_regrole(%s) is null", [role]).fetchone()
        if known == (True,):
            connection.execute(
                sql.SQL("create role {} login noinherit in role authenticator").format(name)
            )
        set_password(connection, role, password)
        for setting in ("statement_timeout", "lock_timeout"):
            connection.execute(
                sql.SQL("alter role {} set {} = '8s'").format(name, sql.Identifier(setting))
            )
    except psycopg.Error as error:
        raise LocalStackError(
            f"The login role for PostgREST could not be made: {error}",
            hint="The user of --db-url needs createrole, and authenticator with admin option.",
        ) from error
    connection.commit()


def _check_login(login: str, role: str) -> None:
    try:
        with psycopg.connect(login, connect_timeout=_CONNECT_SECONDS) as connection:
            connection.execute("set role service_role")
    except psycopg.Error as error:
        raise LocalStackError(
            f"PostgREST could not log in as {role}: {error}",
            hint="Name the host in --db-url, and let pg_hba.conf admit passwords from here.",
        ) from error
