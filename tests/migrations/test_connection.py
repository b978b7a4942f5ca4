from __future__ import annotations

import socket
import time

import psycopg
import pytest

from mentor_sync.connection import connect, target
from mentor_sync.errors import ConfigurationError, DatabaseUnreachable, MigrationError
from mentor_sync.local.ports import free_port
from tests.project import Project


def test_the_target_is_named_without_the_password() -> None:
    found = target("postgresql://postgres.abc:s3cret@pooler.example.com/postgres")
    assert str(found) == "postgres.abc@pooler.example.com:5432/postgres"


@pytest.mark.parametrize(
    ("place", "is_loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("[::1]", True),
        ("localhost", True),
        ("%2Ftmp%2Fsockets", True),
        ("10.0.0.1", False),
        ("db.abc.supabase.co", False),
        ("localhost.example.com", False),
    ],
)
def test_loopback(place: str, is_loopback: bool) -> None:
    assert target(f"postgresql://postgres@{place}/postgres").is_loopback is is_loopback


def test_an_address_beside_the_name_decides() -> None:
    assert not target("postgresql://postgres@localhost/postgres?hostaddr=10.0.0.1").is_loopback


@pytest.mark.parametrize(
    "dsn",
    [
        "https://abc.supabase.co",
        "postgresql+psycopg://postgres:s3cret@host/postgres",
        "postgresql:///postgres",
        "postgresql://postgres:s3cret@w0rd@host:5432/postgres",
        "postgresql://postgres:s3cret/w0rd@host:5432/postgres",
        "postgresql://postgres:53/w0rd@host:5432/postgres",
        "postgresql://postgres:s3cret%w0rd@host:5432/postgres",
        "postgresql://postgres:[YOUR-PASSWORD]@host:5432/postgres",
    ],
)
def test_what_is_no_database_url_is_refused_unquoted(dsn: str) -> None:
    with pytest.raises(ConfigurationError, match="SUPABASE_DB_URL") as caught:
        target(dsn)
    said = caught.value.message + caught.value.hint
    assert "s3cret" not in said
    assert "w0rd" not in said
    assert caught.value.__cause__ is None


def test_the_transaction_pooler_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="6543") as caught:
        target("postgresql://postgres.abc:s3cret@pooler.example.com:6543/postgres")
    assert "5432" in caught.value.hint


def test_no_answer_is_tried_again_for_a_while() -> None:
    port = free_port()
    begun = time.monotonic()
    with (
        pytest.raises(DatabaseUnreachable, match=f"127.0.0.1, port {port}") as caught,
        connect(f"postgresql://postgres:s3cret@127.0.0.1:{port}/postgres", patience=1.0),
    ):
        pass
    assert 0.5 < time.monotonic() - begun < 5
    assert "s3cret" not in caught.value.message + caught.value.hint + str(caught.value.__cause__)


def test_a_server_that_accepts_and_says_nothing_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        begun = time.monotonic()
        with (
            pytest.raises(DatabaseUnreachable),
            connect(f"postgresql://postgres@127.0.0.1:{port}/postgres", patience=1.0),
        ):
            pass
    assert time.monotonic() - begun < 12


@pytest.mark.parametrize("change", ["password", "database", "user"])
def test_a_refused_login_is_final(empty_database: Project, change: str) -> None:
    given = psycopg.conninfo.conninfo_to_dict(empty_database.dsn)
    given[{"database": "dbname"}.get(change, change)] = "wr0ng"
    dsn = "postgresql://{user}:{password}@{host}:{port}/{dbname}".format(**given)
    begun = time.monotonic()
    with pytest.raises(ConfigurationError, match="refused the login") as caught, connect(dsn):
        pass
    assert time.monotonic() - begun < 0.5
    assert not isinstance(caught.value, DatabaseUnreachable)
    assert str(given["password"]) not in caught.value.message


def test_the_shells_variables_lead_nowhere_else(
    empty_database: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGDATABASE", "postgres")
    monkeypatch.setenv("PGOPTIONS", "-c application_name=other")
    with connect(empty_database.dsn) as connection:
        shown = connection.execute("select current_database(), current_setting('application_name')")
        assert shown.fetchone() == (empty_database.dsn.rpartition("/")[2], "mentor-sync")


def test_a_server_older_than_15_is_refused(
    empty_database: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(psycopg.ConnectionInfo, "server_version", 14_00_12)
    with pytest.raises(ConfigurationError, match="PostgreSQL 14"), connect(empty_database.dsn):
        pass


def test_a_right_that_is_missing_is_a_matter_of_configuration(empty_database: Project) -> None:
    with (
        pytest.raises(ConfigurationError, match="42501"),
        connect(empty_database.dsn) as connection,
    ):
        connection.execute("create table auth.mine ()")


def test_a_refused_statement_carries_its_sqlstate(empty_database: Project) -> None:
    with pytest.raises(MigrationError, match="42P01"), connect(empty_database.dsn) as connection:
        connection.execute("select * from nowhere")


def test_a_broken_connection_is_no_answer(empty_database: Project) -> None:
    with (
        pytest.raises(DatabaseUnreachable, match="broke"),
        connect(empty_database.dsn) as connection,
    ):
        connection.execute("select pg_terminate_backend(pg_backend_pid())")
