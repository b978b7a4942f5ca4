"""A Supabase project of its own for one test: a database, and its API when it is asked for."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
import uvicorn

from mentor_sync.database import Database
from mentor_sync.local.gateway import create_app
from mentor_sync.local.keys import Keys
from mentor_sync.local.ports import free_port
from mentor_sync.local.postgrest import PostgrestServer, find_postgrest
from mentor_sync.settings import Settings

KEYS = Keys.generate()
Row = tuple[Any, ...]


@dataclass
class Api:
    """PostgREST and the gateway over the project."""

    url: str
    postgrest: PostgrestServer
    keys: Keys = field(default=KEYS)

    def database(self, **options: Any) -> Database:
        """The door of mentor_sync, with the secret key."""
        return Database(self.url, self.keys.secret_key, **options)

    def request(
        self,
        method: str,
        path: str,
        *,
        key: str | None = None,
        token: str | None = None,
        **options: Any,
    ) -> httpx.Response:
        """A plain request; by default with the secret key."""
        headers = {"apikey": key or self.keys.secret_key, **options.pop("headers", {})}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        return httpx.request(
            method, f"{self.url}/rest/v1/{path}", headers=headers, timeout=30, **options
        )


@dataclass
class Project:
    """`dsn` is that of the non-superuser postgres, as the dashboard's SQL editor has it."""

    dsn: str
    superuser_dsn: str
    authenticator_dsn: str
    folder: Path
    _connection: psycopg.Connection[Row] | None = field(default=None, init=False, repr=False)

    def rows(self, query: str, *params: Any) -> list[Row]:
        return self._connected().execute(query.encode(), params or None).fetchall()

    def one(self, query: str, *params: Any) -> Any:
        """The only value of the only row."""
        ((value,),) = self.rows(query, *params)
        return value

    def run(self, *statements: str, as_superuser: bool = False) -> None:
        if as_superuser:
            with psycopg.connect(self.superuser_dsn, autocommit=True) as connection:
                for statement in statements:
                    connection.execute(statement.encode())
        else:
            for statement in statements:
                self._connected().execute(statement.encode())

    def member(self, email: str, membershiptype: str = "mentor", **values: Any) -> UUID:
        """Registers a member, as the other application does."""
        row = {
            "id": uuid4(),
            "email": email,
            "name": email.split("@")[0].strip().title(),
            "membershiptype": membershiptype,
            **values,
        }
        columns = psycopg.sql.SQL(", ").join(map(psycopg.sql.Identifier, row))
        places = psycopg.sql.SQL(", ").join([psycopg.sql.Placeholder()] * len(row))
        statement = psycopg.sql.SQL("insert into members ({}) values ({})").format(columns, places)
        self._connected().execute(statement, list(row.values()))
        return UUID(str(row["id"]))

    def account(self, email: str, first_name: str | None = None) -> int:
        """Makes an account, as the Django application does."""
        insert = "insert into users_user (email, first_name) values (%s, %s) returning id"
        return int(self.one(insert, email, first_name))

    def mentor(self, email: str, **values: Any) -> UUID:
        """A member with an account, and so a mentor: the id of the person."""
        self.account(email)
        member = self.member(email, **values)
        return UUID(str(self.one("select id from users where member_id = %s", member)))

    def person(self, email: str, role: str = "student") -> UUID:
        insert = "insert into users (email, full_name, role) values (%s, %s, %s) returning id"
        return UUID(str(self.one(insert, email, email, role)))

    def sign_up(self, person: UUID) -> UUID:
        """A Supabase Auth user who signs in as this person."""
        auth_user = self.auth_user(
            self.one("select lower(trim(email)) from users where id = %s", person)
        )
        self.rows(
            "update users set auth_user_id = %s where id = %s returning id", auth_user, person
        )
        return auth_user

    def auth_user(self, email: str, *, confirmed: bool = True) -> UUID:
        insert = """
            insert into auth.users (instance_id, id, aud, role, email, email_confirmed_at)
            values ('00000000-0000-0000-0000-000000000000', %s, 'authenticated', 'authenticated',
              %s, case when %s then now() end) returning id"""
        return UUID(str(self.one(insert, uuid4(), email, confirmed)))

    def has(self, name: str) -> bool:
        """Whether there is a table or view of this name."""
        return bool(self.one("select to_regclass(%s) is not null", name))

    def contents(self, *tables: str) -> dict[str, list[Row]]:
        """Every row of these tables, to compare before and after."""
        return {table: sorted(self.rows(f"select t::text from {table} as t")) for table in tables}

    def close(self) -> None:
        """End the session; the next statement begins another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connected(self) -> psycopg.Connection[Row]:
        # One session a test: to connect takes longer than most statements.
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(self.dsn, autocommit=True, prepare_threshold=None)
        return self._connection


@dataclass(frozen=True)
class Session:
    """A connection that acts as one person, and is rolled back in the end."""

    connection: psycopg.Connection[Row]

    def rows(self, query: str, *params: Any) -> list[Row]:
        return self.connection.execute(query.encode(), params or None).fetchall()

    def one(self, query: str, *params: Any) -> Any:
        ((value,),) = self.rows(query, *params)
        return value

    def changed(self, statement: str, *params: Any) -> int:
        """How many rows a statement changed."""
        return self.connection.execute(statement.encode(), params or None).rowcount

    def refused(self, statement: str, *params: Any) -> bool:
        """Whether the database refuses the statement for want of a right."""
        try:
            with self.connection.transaction():
                self.connection.execute(statement.encode(), params or None)
        except psycopg.errors.InsufficientPrivilege:
            return True
        return False


@contextmanager
def acting(project: Project, role: str, auth_user: UUID | None = None) -> Iterator[Session]:
    """As PostgREST does it: connect as authenticator, become the role, say who it is."""
    claims = {"role": role} | ({"sub": str(auth_user)} if auth_user else {})
    with psycopg.connect(project.authenticator_dsn) as connection:
        connection.execute(b"select set_config('role', %s, true)", [role])
        connection.execute(
            b"select set_config('request.jwt.claims', %s, true)", [json.dumps(claims)]
        )
        yield Session(connection)
        connection.rollback()


@contextmanager
def serving(project: Project) -> Iterator[Api]:
    """PostgREST, and the gateway in a thread."""
    settings = Settings(_env_file=None)  # type: ignore[call-arg]  # of pydantic
    postgrest = PostgrestServer(
        find_postgrest(settings), project.authenticator_dsn, KEYS.jwt_secret, folder=project.folder
    )
    postgrest.start()
    port = free_port()
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(postgrest.url, KEYS),
            host="127.0.0.1",
            port=port,
            log_level="error",
            ws="none",
            timeout_graceful_shutdown=1,
        )
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        threading.Event().wait(0.01)
    try:
        yield Api(f"http://127.0.0.1:{port}", postgrest)
    finally:
        server.should_exit = True
        thread.join(10)
        postgrest.stop()
