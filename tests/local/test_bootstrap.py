"""What SQL finds in a bootstrapped database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from mentor_sync.local.bootstrap import Flavour, bootstrap
from mentor_sync.local.postgres import SUPERUSER, Cluster

API_ROLES = ("anon", "authenticated", "service_role")
Connect = Callable[..., psycopg.Connection]


def make(cluster: Cluster, name: str, flavour: Flavour) -> None:
    with psycopg.connect(cluster.dsn(SUPERUSER), autocommit=True) as connection:
        connection.execute(f"create database {name} template template0")
    bootstrap(cluster.dsn(SUPERUSER, name), flavour, passwords=cluster.passwords)


@pytest.fixture(scope="module")
def databases(cluster: Cluster) -> Cluster:
    """A database of each flavour, made at the same time, one bootstrapped twice."""
    with ThreadPoolExecutor() as pool:
        done = [
            pool.submit(make, cluster, "of_none", "none"),
            pool.submit(make, cluster, "of_legacy", "legacy"),
        ]
    for future in done:
        future.result()
    bootstrap(cluster.dsn(SUPERUSER, "of_none"), "none", passwords=cluster.passwords)
    return cluster


@pytest.fixture
def connect(databases: Cluster) -> Iterator[Connect]:
    """Opens connections whose work is rolled back."""
    opened: list[psycopg.Connection] = []

    def open_one(database: str = "of_none", user: str = "postgres") -> psycopg.Connection:
        opened.append(psycopg.connect(databases.dsn(user, database)))
        return opened[-1]

    yield open_one
    for connection in opened:
        connection.close()


def test_postgres_is_powerful_and_no_superuser(connect: Connect) -> None:
    attributes = (
        connect()
        .execute(
            "select rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls "
            "from pg_roles where rolname = current_user"
        )
        .fetchone()
    )
    assert attributes == (False, True, True, True, True)


def test_postgres_may_use_and_hand_out_the_three(connect: Connect) -> None:
    connection = connect()
    connection.execute("create role helper")
    for role in API_ROLES:
        connection.execute(f"grant {role} to helper")
        connection.execute(f"set local role {role}")
        connection.execute("reset role")


@pytest.mark.parametrize(("database", "open_to_all"), [("of_none", False), ("of_legacy", True)])
def test_what_the_api_may_do_with_a_new_table(
    connect: Connect, database: str, open_to_all: bool
) -> None:
    connection = connect(database)
    connection.execute("create table fresh (id bigint generated always as identity)")
    connection.execute("create sequence fresh_numbers")
    for role in API_ROLES:
        found = connection.execute(
            """
            select
              has_table_privilege(%(role)s, 'fresh', 'select'),
              has_table_privilege(%(role)s, 'fresh', 'insert, update, delete'),
              has_sequence_privilege(%(role)s, 'fresh_numbers', 'usage')
            """,
            {"role": role},
        ).fetchone()
        assert found == (open_to_all,) * 3, role


def test_timeouts(databases: Cluster) -> None:
    with psycopg.connect(databases.dsn("authenticator", "of_none")) as connection:
        found = connection.execute(
            "select current_setting('statement_timeout'), current_setting('lock_timeout')"
        ).fetchone()
        assert found == ("8s", "8s")
    with psycopg.connect(databases.dsn(SUPERUSER)) as connection:
        rows = connection.execute(
            "select rolname, rolconfig from pg_roles where rolname = any(%s)", [list(API_ROLES)]
        ).fetchall()
    assert dict(rows) == {
        "anon": ["statement_timeout=3s"],
        "authenticated": ["statement_timeout=8s"],
        "service_role": None,
    }


def test_auth_belongs_to_supabase(connect: Connect) -> None:
    connection = connect()
    connection.execute("create table public.refers (id uuid references auth.users)")
    connection.execute(
        """
        create function public.noted() returns trigger language plpgsql as 'begin return new; end';
        create trigger noted after insert on auth.users for each row execute function noted();
        insert into auth.users (id, email, email_confirmed_at)
        values (gen_random_uuid(), 'a@example.org', now());
        """
    )
    found = connection.execute(
        "select confirmed_at = email_confirmed_at from auth.users"
    ).fetchone()
    assert found == (True,)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("create table auth.mine ()")


@pytest.mark.parametrize("role", API_ROLES)
def test_the_api_does_not_see_auth_users(connect: Connect, role: str) -> None:
    connection = connect()
    connection.execute(f"set local role {role}")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("select from auth.users")


def test_who_asks(connect: Connect) -> None:
    connection = connect()
    query = "select auth.uid()::text, auth.role(), auth.email(), auth.jwt() ->> 'aud'"
    assert connection.execute(query).fetchone() == (None, None, None, None)
    user = "8a1b6f0e-0000-4000-8000-000000000001"
    connection.execute(
        "select set_config('request.jwt.claims', %s, true)",
        [f'{{"sub": "{user}", "role": "authenticated", "email": "a@b", "aud": "x"}}'],
    )
    connection.execute("set local role authenticated")
    assert connection.execute(query).fetchone() == (user, "authenticated", "a@b", "x")
    connection.execute("set local request.jwt.claim.role to 'older'")
    assert connection.execute("select auth.role()").fetchone() == ("older",)


def test_an_email_twice_only_by_sso(connect: Connect) -> None:
    connection = connect()
    insert = "insert into auth.users (id, email, is_sso_user) values (gen_random_uuid(), 'a@b', %s)"
    for is_sso_user in (True, True, False):
        connection.execute(insert, [is_sso_user])
    with pytest.raises(psycopg.errors.UniqueViolation):
        connection.execute(insert, [False])


def test_a_change_of_the_schema_is_announced(connect: Connect, databases: Cluster) -> None:
    with psycopg.connect(databases.dsn("postgres", "of_none"), autocommit=True) as listener:
        listener.execute("listen pgrst")
        listener.execute("create temporary table mine ()")
        listener.execute("create table announced ()")
        listener.execute("drop table announced")
        heard = [notice.payload for notice in listener.notifies(timeout=1, stop_after=2)]
    assert heard == ["reload schema", "reload schema"]


def test_the_locale_folds_umlauts(connect: Connect) -> None:
    assert connect().execute("select lower('ÄÉ')").fetchone() == ("äé",)


def test_the_rest_of_a_project(connect: Connect) -> None:
    connection = connect()
    connection.execute("create extension citext with schema extensions")
    found = connection.execute(
        """
        select
          current_setting('search_path'),
          (select pg_get_userbyid(datdba) from pg_database where datname = current_database()),
          (select count(*) from pg_publication where pubname = 'supabase_realtime'),
          (select count(*) from pg_publication_tables)
        """
    ).fetchone()
    assert found == ('"$user", public, extensions', "postgres", 1, 0)
