"""The direct connection to PostgreSQL that the db commands use: SUPABASE_DB_URL."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_exponential_jitter

from mentor_sync.errors import (
    ConfigurationError,
    DatabaseUnreachable,
    MentorSyncError,
    MigrationError,
)

Connection = psycopg.Connection[tuple[object, ...]]

OLDEST_SERVER = 15
TRANSACTION_POOLER = 6543
_URL_HINT = (
    "It looks like postgresql://user:password@host:5432/postgres; the dashboard shows it under"
    " Connect. In the password write @ / # % : as %40 %2F %23 %25 %3A."
)
_CLOSING = (errors.AdminShutdown, errors.CrashShutdown, errors.CannotConnectNow)
_NOT_ALLOWED = (errors.InsufficientPrivilege, errors.ReadOnlySqlTransaction)


@dataclass(frozen=True)
class Target:
    """Which database a URL means, without the password."""

    user: str
    host: str
    port: int
    database: str
    address: str

    def __str__(self) -> str:
        return f"{self.user}@{self.host}:{self.port}/{self.database}"

    @property
    def is_loopback(self) -> bool:
        """Whether it is on this machine: loopback, or a socket's folder."""
        if self.address == "localhost" or self.address.startswith("/"):
            return True
        try:
            return ipaddress.ip_address(self.address).is_loopback
        except ValueError:
            return False


def target(dsn: str) -> Target:
    """Read a database URL.

    Raises:
        ConfigurationError: not a URL, no host, or the port of the transaction pooler. The
            message never quotes the URL: a password that is not escaped ends up in any part.
    """
    if "[YOUR-PASSWORD]" in dsn:
        raise ConfigurationError(
            "SUPABASE_DB_URL still holds the placeholder [YOUR-PASSWORD].",
            hint="Put the database password there; the dashboard resets it if it is lost.",
        )
    found = _parsed(dsn)
    if found is None or not found.host or "@" in found.host + found.database:
        raise ConfigurationError(
            "SUPABASE_DB_URL is not the URL of a PostgreSQL database.", hint=_URL_HINT
        )
    if found.port == TRANSACTION_POOLER:
        raise ConfigurationError(
            f"SUPABASE_DB_URL names port {found.port}, the transaction pooler: it cannot migrate.",
            hint="Use the session pooler (the same address with port 5432) or the direct one.",
        )
    return found


@contextmanager
def connect(dsn: str, *, patience: float = 7.0) -> Iterator[Connection]:
    """A connection in autocommit mode, closed at the end.

    A server that does not answer is tried again for about `patience` seconds.

    Raises:
        ConfigurationError: as `target`; or refused, too old, not allowed.
        DatabaseUnreachable: no answer, or the connection broke.
        MigrationError: PostgreSQL refused a statement of the caller's.
    """
    place = target(dsn)
    connection = _connected(dsn, place, patience)
    try:
        _check_server(connection, place)
        yield connection
    except psycopg.Error as error:
        raise _explained(error, place) from error
    finally:
        connection.close()


def _parsed(dsn: str) -> Target | None:
    try:
        given = {key: str(value) for key, value in conninfo_to_dict(dsn).items()}
        port = int(given.get("port", "5432"))
    except (psycopg.ProgrammingError, ValueError):
        return None
    host = given.get("host", "")
    return Target(
        user=given.get("user", "postgres"),
        host=host,
        port=port,
        database=given.get("dbname", "postgres"),
        address=given.get("hostaddr", host),
    )


def _connected(dsn: str, place: Target, patience: float) -> Connection:
    attempts = Retrying(
        retry=retry_if_exception(_may_pass),
        wait=wait_exponential_jitter(multiplier=0.5, max=2.0, jitter=0.2),
        stop=stop_after_delay(patience),
        reraise=True,
    )
    try:
        return attempts(
            psycopg.connect,
            dsn,
            # Spelt out, so that no PGPORT or PGDATABASE of the shell leads elsewhere.
            port=place.port,
            dbname=place.database,
            user=place.user,
            connect_timeout=4,
            application_name="mentor-sync",
            client_encoding="utf8",
            autocommit=True,
            prepare_threshold=None,  # poolers do not keep prepared statements
        )
    except psycopg.OperationalError as error:
        raise _refusal(error, place) from error


def _may_pass(error: BaseException) -> bool:
    """Whether to try again: no answer, or a server that is starting or full."""
    if not isinstance(error, psycopg.OperationalError):
        return False
    # libpq gives no SQLSTATE for a refused login, only PostgreSQL's line of text.
    passing = ("starting up", "shutting down", "recovery mode", "too many", "connection slots")
    return "FATAL:" not in str(error) or any(words in str(error) for words in passing)


def _refusal(error: psycopg.OperationalError, place: Target) -> ConfigurationError:
    reason = _first_line(str(error).partition("FATAL:")[2])
    if reason:
        return ConfigurationError(
            f"{place} refused the login: {reason}",
            hint="Check the user, the password and the database name in SUPABASE_DB_URL.",
        )
    hint = "Is the project paused, or the port closed from here? Its dashboard tells."
    if place.host.startswith("db.") and place.host.endswith(".supabase.co"):
        hint = "The direct address needs IPv6; without it, use the session pooler's (port 5432)."
    if place.is_loopback:
        hint = "Is PostgreSQL running there? `mentor-sync local up` starts the local stack."
    reason = _first_line(str(error).rpartition("failed: ")[2])
    return DatabaseUnreachable(
        f"PostgreSQL does not answer at {place.host}, port {place.port}: {reason}", hint=hint
    )


def _check_server(connection: Connection, place: Target) -> None:
    version = connection.info.server_version // 10_000
    if version < OLDEST_SERVER:
        raise ConfigurationError(
            f"{place} runs PostgreSQL {version}.",
            hint=f"mentor-sync needs PostgreSQL {OLDEST_SERVER} or later: upgrade the project.",
        )


def _explained(error: psycopg.Error, place: Target) -> MentorSyncError:
    reason = error.diag.message_primary or _first_line(str(error))
    if isinstance(error, _NOT_ALLOWED):
        return ConfigurationError(
            f"{place}: {reason} ({error.sqlstate})",
            hint="Connect as postgres, the owner of the project's database, to its primary.",
        )
    if isinstance(error, _CLOSING) or not error.sqlstate:
        return DatabaseUnreachable(
            f"The connection to {place.host}, port {place.port} broke: {reason}",
            hint="What was not finished is not kept. Run it again.",
        )
    return MigrationError(
        f"{place}: {reason} ({error.sqlstate})", hint=error.diag.message_hint or ""
    )


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0]
