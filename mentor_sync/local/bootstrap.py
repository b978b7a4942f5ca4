"""Makes a plain PostgreSQL database look like a hosted Supabase project's to SQL of ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import psycopg
from psycopg import sql

from mentor_sync.sources import sql_folder

Flavour = Literal["none", "legacy"]


def bootstrap(
    dsn: str,
    flavour: Flavour = "none",
    *,
    passwords: Mapping[str, str] | None = None,
    own: bool = True,
) -> None:
    """Apply `sql/local` to the database, in one transaction. May run again.

    Args:
        dsn: connects as a superuser.
        flavour: default privileges in public, as of projects since 2026-10-30 (none) or
            before (legacy).
        passwords: by role; set for those roles that have none yet.
        own: whether the database is ours, and so becomes that of the role postgres.

    Raises:
        psycopg.Error: the user may not, or something of the same name is in the way.
    """
    with psycopg.connect(dsn) as connection:
        _apply(connection, "roles")
        _set_passwords(connection, passwords or {})
        _apply(connection, "database")
        if not _has_schema(connection, "auth"):
            _apply(connection, "auth")
        if own:
            _give_to_postgres(connection)
            _apply(connection, f"privileges_{flavour}")


def _apply(connection: psycopg.Connection, name: str) -> None:
    text = (sql_folder("local") / f"{name}.sql").read_bytes()
    connection.execute(text)


def _has_schema(connection: psycopg.Connection, name: str) -> bool:
    found = connection.execute("select to_regnamespace(%s) is not null", [name]).fetchone()
    return found is not None and bool(found[0])


def _set_passwords(connection: psycopg.Connection, passwords: Mapping[str, str]) -> None:
    without = connection.execute(
        "select rolname from pg_catalog.pg_authid where rolpassword is null and rolname = any(%s)",
        [list(passwords)],
    ).fetchall()
    for (role,) in without:
        set_password(connection, role, passwords[role])


def set_password(connection: psycopg.Connection, role: str, password: str) -> None:
    """Hashed on this side, so that no statement log ever holds it."""
    hashed = connection.pgconn.encrypt_password(
        password.encode(), role.encode(), b"scram-sha-256"
    ).decode()
    connection.execute(
        sql.SQL("alter role {} password {}").format(sql.Identifier(role), sql.Literal(hashed))
    )


def _give_to_postgres(connection: psycopg.Connection) -> None:
    name = sql.Identifier(connection.info.dbname)
    connection.execute(sql.SQL("alter database {} owner to postgres").format(name))
