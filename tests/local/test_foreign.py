"""A stack over another PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from mentor_sync.errors import ConfigurationError, LocalStackError
from mentor_sync.local.bootstrap import bootstrap
from mentor_sync.local.postgres import SUPERUSER, Cluster
from mentor_sync.local.stack import Stack
from tests.local.conftest import rpc

DEBIAN_15 = Path("/usr/lib/postgresql/15/bin")


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Somebody else's server: PostgreSQL 15 where the machine has it."""
    bin_dir = DEBIAN_15 if DEBIAN_15.is_dir() else None
    made = Cluster(tmp_path_factory.mktemp("foreign"), bin_dir, {"fsync": False})
    made.init()
    made.start()
    yield made
    made.destroy()


def logins(cluster: Cluster) -> list[str]:
    with psycopg.connect(cluster.dsn(SUPERUSER)) as connection:
        rows = connection.execute(
            "select rolname from pg_roles where rolname like 'mentor_sync_%'"
        ).fetchall()
    return [name for (name,) in rows]


def test_up_over_another_server(stack: Stack, foreign: Cluster) -> None:
    url = foreign.dsn(SUPERUSER)
    status = stack.up(url)
    assert status.up
    assert status.parts[0].version == foreign.version()
    assert status.parts[0].pid is None
    environment = stack.environment()
    assert environment["SUPABASE_DB_URL"] == url
    with psycopg.connect(url) as connection:
        connection.execute("create function who() returns text stable return current_user")
    assert rpc(environment, "who") == "service_role"
    assert len(logins(foreign)) == 1

    with pytest.raises(LocalStackError, match="does not delete"):
        stack.reset()
    stack.down()
    assert logins(foreign) == []


def test_up_with_what_a_hosted_owner_may(stack: Stack, cluster: Cluster) -> None:
    with psycopg.connect(cluster.dsn(SUPERUSER), autocommit=True) as connection:
        connection.execute("create database hosted")
    bootstrap(cluster.dsn(SUPERUSER, "hosted"), "none", passwords=cluster.passwords)

    assert stack.up(cluster.dsn("postgres", "hosted")).up
    assert len(logins(cluster)) == 1
    stack.down()
    assert logins(cluster) == []


def test_a_user_who_may_not(stack: Stack, foreign: Cluster) -> None:
    with psycopg.connect(foreign.dsn(SUPERUSER), autocommit=True) as connection:
        connection.execute("create role plain login password 'plain'")
        connection.execute("create database plain owner plain")
    with pytest.raises(LocalStackError, match="plain may not make it"):
        stack.up(f"postgresql://plain:plain@127.0.0.1:{foreign.port}/plain")


@pytest.mark.parametrize("url", ["postgresql://nobody@127.0.0.1:1/none", "no url"])
def test_a_server_that_does_not_answer(stack: Stack, url: str) -> None:
    with pytest.raises(ConfigurationError, match="does not answer"):
        stack.up(url)
