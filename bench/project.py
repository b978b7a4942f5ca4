"""A Supabase project of our own: a cluster in a temporary folder, databases, their Data API."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from mentor_sync import migrations
from mentor_sync.local import gateway
from mentor_sync.local.bootstrap import bootstrap
from mentor_sync.local.ports import free_port
from mentor_sync.local.postgres import SUPERUSER, Cluster
from mentor_sync.local.postgrest import PostgrestServer, answers_ok, find_postgrest
from mentor_sync.local.processes import TERM_THEN_KILL, identify, stop, wait_until
from mentor_sync.local.state import State
from mentor_sync.local.status import HEALTH
from mentor_sync.settings import load_settings

MIGRATED = "migrated"

_CREATE: LiteralString = "create database {} template {} strategy file_copy"
_OWN: LiteralString = "alter database {} owner to postgres"
_GONE: LiteralString = """
select not exists (
  select from pg_stat_activity where datname = current_database() and usename = 'authenticator'
)
"""
_FILLED: LiteralString = """
select c.oid::regclass::text
from pg_class as c
where c.relkind = 'r' and c.relnamespace::regnamespace::text in ('public', 'bench')
  and pg_relation_size(c.oid) > 0
"""
# Nothing may wake up in the middle of a measurement: `settle` does what autovacuum would.
_OPTIONS = {"autovacuum": "off", "checkpoint_timeout": "1h", "max_wal_size": "8GB"}


def statement(name: str) -> bytes:
    """The text of a file in bench/sql."""
    return (Path(__file__).parent / "sql" / f"{name}.sql").read_bytes()


@dataclass(frozen=True)
class Database:
    """One database; `dsn` is that of the role postgres, who owns what the migrations made."""

    name: str
    dsn: str
    superuser_dsn: str
    authenticator_dsn: str

    def run(self, query: bytes, params: dict[str, Any] | None = None) -> None:
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            connection.execute(query, params)

    def row(self, query: bytes) -> tuple[Any, ...]:
        with psycopg.connect(self.dsn) as connection:
            found = connection.execute(query).fetchone()
        assert found is not None
        return found

    def settle(self) -> None:
        """Leave the tables as a quiet night would: those with rows vacuumed, analysed, on disk.

        Autovacuum passes over empty ones, and the planner then takes them for small, not empty.
        """
        with psycopg.connect(self.superuser_dsn, autocommit=True) as connection:
            for (table,) in connection.execute(_FILLED).fetchall():
                connection.execute(sql.SQL("vacuum (analyze) {}").format(sql.SQL(table)))
            connection.execute("checkpoint")


@dataclass(frozen=True)
class Api:
    """Where the Data API of a database answers, and its secret key."""

    url: str
    secret_key: str


class Project:
    """The cluster, with fsync on as PostgreSQL has it; gone with its data on leaving."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._cluster = Cluster(folder / "cluster", options=_OPTIONS)
        self._numbers = count(1)

    @cached_property
    def postgrest(self) -> Path:
        return find_postgrest(load_settings())

    def version(self) -> str:
        return self._cluster.version()

    def start(self) -> None:
        self._cluster.init()
        self._cluster.start()
        migrated = self.create(MIGRATED, "template0")
        bootstrap(migrated.superuser_dsn, passwords=self._cluster.passwords)
        migrations.migrate(migrated.dsn)

    def destroy(self) -> None:
        self._cluster.destroy()

    def create(self, name: str, template: str) -> Database:
        """A database that is a copy of another one, to which nobody may be connected."""
        self._execute(sql.SQL(_CREATE).format(sql.Identifier(name), sql.Identifier(template)))
        if template != "template0":  # from which bootstrap makes the role, and the owner
            self._execute(sql.SQL(_OWN).format(sql.Identifier(name)))
        dsns = (self._cluster.dsn(role, name) for role in ("postgres", SUPERUSER, "authenticator"))
        return Database(name, *dsns)

    @contextmanager
    def copy(self, template: str) -> Iterator[Database]:
        """A copy for one round."""
        made = self.create(f"round_{next(self._numbers)}", template)
        try:
            # The copying left dirty pages; the round is not to write them.
            self._execute(sql.SQL("checkpoint"))
            yield made
        finally:
            self.drop(made.name)

    def drop(self, name: str) -> None:
        self._execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))

    @contextmanager
    def served(self, database: Database) -> Iterator[Api]:
        """PostgREST and the gateway over a database.

        On leaving, PostgREST's sessions have ended, and so reported what they wrote.
        """
        state = State(self.folder, gateway_port=free_port())
        server = PostgrestServer(
            self.postgrest,
            database.authenticator_dsn,
            state.keys.jwt_secret,
            free_port(taken={state.gateway_port}),
            self.folder,
        )
        state.postgrest_port = server.port
        state.save()
        try:
            server.start()
            with _gateway(state):
                yield Api(f"http://127.0.0.1:{state.gateway_port}", state.keys.secret_key)
        finally:
            server.stop()
            wait_until(lambda: database.row(_GONE.encode()) == (True,), 10)

    def _execute(self, statement: sql.SQL | sql.Composed) -> None:
        with psycopg.connect(self._cluster.dsn(SUPERUSER), autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def temporary_project() -> Iterator[Project]:
    """A project that is running, and gone afterwards, also after SIGTERM."""
    signal.signal(signal.SIGTERM, _leave)
    with TemporaryDirectory(prefix="mentor_sync-bench-") as folder:
        Path(folder).chmod(0o711)  # where root measures, the server's account must get in
        project = Project(Path(folder))
        try:
            project.start()
            yield project
        finally:
            project.destroy()


def _leave(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


@contextmanager
def _gateway(state: State) -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-m", gateway.__name__, str(state.folder)])
    try:
        if not wait_until(lambda: answers_ok(state.gateway_port, HEALTH), 20):
            raise TimeoutError("The gateway does not answer.")
        yield
    finally:
        stop(identify(process.pid), TERM_THEN_KILL)
        process.wait()
