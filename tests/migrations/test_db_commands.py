from __future__ import annotations

import builtins
import json
import subprocess
import sys
import time
from typing import Any

import pytest

from mentor_sync import connection
from mentor_sync.cli import main
from mentor_sync.local import stack
from mentor_sync.local.ports import free_port
from tests.migrations.support import Folder
from tests.project import Project

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def database(empty_database: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("SUPABASE_DB_URL", empty_database.dsn)
    return empty_database


@pytest.fixture
def far_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """The database, as if it were on another machine."""
    monkeypatch.setattr(connection.Target, "is_loopback", False)


def _document(capsys: Capture) -> dict[str, Any]:
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1
    document: dict[str, Any] = json.loads(lines[0])
    assert document["version"] == 1
    return document


def test_migrate_names_the_target_and_what_it_applied(
    database: Project, as_ours: Folder, capsys: Capture
) -> None:
    as_ours.write(m1_a="create table public.a ()", m2_b="create table public.b ()")
    assert main(["db", "migrate"]) == 0
    shown = capsys.readouterr()
    assert shown.out == "applied: 20260101000001_a.sql\napplied: 20260101000002_b.sql\n"
    assert str(connection.target(database.dsn)) in shown.err
    assert main(["db", "migrate"]) == 0
    assert capsys.readouterr().out == "Nothing to do: 2 applied.\n"


def test_migrate_as_json(database: Project, as_ours: Folder, capsys: Capture) -> None:
    as_ours.write(m1_a="do $$ begin raise warning 'mind the gap'; end $$")
    assert main(["db", "migrate", "--json"]) == 0
    document = _document(capsys)
    assert (document["command"], document["ok"]) == ("db migrate", True)
    assert document["data"]["applied"] == ["20260101000001_a.sql"]
    assert document["data"]["warnings"] == ["mind the gap"]
    assert document["data"]["target"] == str(connection.target(database.dsn))


def test_a_dry_run_says_what_would_be(
    database: Project, as_ours: Folder, capsys: Capture, far_away: None
) -> None:
    as_ours.write(m1_a="create table public.a ()")
    assert main(["db", "migrate", "--dry-run"]) == 0
    assert capsys.readouterr().out == "would be applied: 20260101000001_a.sql\n"
    assert not database.has("public.a")


def test_another_machine_needs_a_yes(
    database: Project, as_ours: Folder, capsys: Capture, far_away: None
) -> None:
    as_ours.write(m1_a="create table public.a ()")
    assert main(["db", "migrate"]) == 2
    assert "--yes" in capsys.readouterr().err
    assert not database.has("public.a")
    assert main(["db", "migrate", "--yes"]) == 0
    assert database.has("public.a")


def test_nothing_to_do_needs_no_yes(database: Project, as_ours: Folder, far_away: None) -> None:
    as_ours.write(m1_a="create table public.a ()")
    main(["db", "migrate", "--yes"])
    assert main(["db", "migrate"]) == 0


def test_a_file_that_fails_is_exit_1_with_its_place(
    database: Project, as_ours: Folder, capsys: Capture
) -> None:
    as_ours.write(m1_a="create table public.a ();\ncreate table public.a ()")
    assert main(["db", "migrate", "--json"]) == 1
    (error,) = _document(capsys)["errors"]
    assert error["message"] == '20260101000001_a.sql line 2: relation "a" already exists (42P07)'
    assert error["code"] == "migration_failed"


def test_a_conflict_stops_migrate_and_shows_the_sql(
    database: Project, as_ours: Folder, capsys: Capture
) -> None:
    as_ours.write(m1_a="create table public.a ()")
    database.run(
        "create table members (id uuid primary key, email int, name text, membershiptype text)"
    )
    assert main(["db", "migrate"]) == 4
    assert "alter table public.members alter column email type text" in capsys.readouterr().err
    assert main(["db", "migrate", "--dry-run", "--json"]) == 4
    assert _document(capsys)["errors"][0]["code"] == "adoption_conflict"
    assert not database.has("public.a")


def test_warnings_do_not_stop_migrate(database: Project, as_ours: Folder, capsys: Capture) -> None:
    as_ours.write(m1_a="create table public.a ()")
    database.run("create table users_user (id serial primary key, email text)")
    database.run("grant all on users_user to anon")
    assert main(["db", "migrate"]) == 0
    assert "Warning: users_user: anon may write it" in capsys.readouterr().err


def test_check_of_a_project_that_fits(database: Project, capsys: Capture) -> None:
    assert main(["db", "check"]) == 0
    assert "users_user\n  missing   db migrate makes the table.\n" in capsys.readouterr().out
    assert main(["db", "check", "--json"]) == 0
    document = _document(capsys)
    assert (document["ok"], document["data"]["conflicts"]) == (True, 0)


def test_check_of_a_project_that_does_not_fit(database: Project, capsys: Capture) -> None:
    database.run("create table users_user (id int, email text)")
    assert main(["db", "check"]) == 4
    shown = capsys.readouterr().out
    assert "  present   id, email\n  missing   first_name, last_name\n" in shown
    assert "            alter table public.users_user add unique (id);\n" in shown
    assert main(["db", "check", "--json"]) == 4
    document = _document(capsys)
    assert (document["ok"], document["data"]["conflicts"]) == (False, 1)


def test_check_fails_on_a_policy_that_stays_open(database: Project, capsys: Capture) -> None:
    main(["db", "migrate", "--quiet"])
    database.run('create policy "read all" on users for select using (true)')
    assert main(["db", "check"]) == 4
    assert 'drop policy "read all" on public.users;' in capsys.readouterr().out
    assert main(["db", "check", "--json"]) == 4
    document = _document(capsys)
    assert (document["ok"], document["data"]["conflicts"], document["data"]["faults"]) == (
        False,
        0,
        1,
    )
    database.run('drop policy "read all" on public.users')
    assert main(["db", "check"]) == 0


@pytest.mark.parametrize("state", ["pending", "applied"])
def test_migrate_tells_of_a_policy_that_stays_open(
    database: Project, capsys: Capture, state: str
) -> None:
    if state == "applied":
        main(["db", "migrate", "--quiet"])
    else:
        database.run("create table users (id uuid primary key, email text)")
    database.run('create policy "read all" on users for select using (true)')
    assert main(["db", "migrate"]) == 0
    assert 'drop policy "read all" on public.users;' in capsys.readouterr().err
    assert main(["db", "migrate", "--json"]) == 0
    (warning,) = _document(capsys)["data"]["warnings"]
    assert '"read all"' in warning


def test_check_names_what_somebody_dropped(database: Project, capsys: Capture) -> None:
    main(["db", "migrate", "--quiet"])
    database.run(
        "drop function list_mentors",
        "alter table mentors drop synced cascade, disable row level security",
    )
    assert main(["db", "check"]) == 4
    shown = capsys.readouterr().out
    assert "db migrate" not in shown
    assert "list_mentors\n  fault     The function is gone. mentor-sync db print" in shown
    assert "  fault     synced: The column is gone" in shown
    assert main(["db", "migrate"]) == 0
    assert "list_mentors: The function is gone" in capsys.readouterr().err


def test_what_is_pending_is_not_missed(database: Project, as_ours: Folder, capsys: Capture) -> None:
    as_ours.write(m1_a="create table public.a ()")
    main(["db", "migrate", "--quiet"])
    as_ours.write(m2_b="create table public.b ()")
    assert main(["db", "check"]) == 0
    database.run("drop table public.a")
    assert main(["db", "check"]) == 4
    assert "\na\n  fault     The table is gone" in capsys.readouterr().out


def test_status_shows_every_migration(database: Project, as_ours: Folder, capsys: Capture) -> None:
    as_ours.write(m1_a="create table public.a ()")
    main(["db", "migrate", "--quiet"])
    as_ours.write(m1_a="create table public.a (id int)", m2_b="select 1")
    assert main(["db", "status"]) == 0
    shown = capsys.readouterr().out
    words = shown.split()
    assert words.index("edited") < words.index("20260101000002_b.sql") < words.index("pending")
    assert shown.endswith("mentor-sync db check looks at what is there.\n")


def test_status_as_json_and_its_detailed_exit_code(
    database: Project, as_ours: Folder, capsys: Capture
) -> None:
    as_ours.write(m1_a="create table public.a ()")
    assert main(["db", "status", "--json", "--detailed-exitcode"]) == 5
    data = _document(capsys)["data"]
    assert data["pending"] == 1
    assert data["migrations"][0] == {
        "version": "20260101000001",
        "name": "a",
        "state": "pending",
        "applied_at": None,
        "signed": False,
    }
    main(["db", "migrate", "--quiet"])
    assert main(["db", "status", "--detailed-exitcode"]) == 0


def test_print_needs_no_database(as_ours: Folder, capsys: Capture) -> None:
    as_ours.write(m1_a="select ':smile: [b]' as x;\t-- tab")
    assert main(["db", "print"]) == 0
    assert "select ':smile: [b]' as x;\t-- tab\n" in capsys.readouterr().out
    assert main(["db", "print", "--json"]) == 0
    assert _document(capsys)["data"]["files"] == ["20260101000001_a.sql"]


def test_print_of_what_is_pending(database: Project, as_ours: Folder, capsys: Capture) -> None:
    as_ours.write(m1_a="create table public.a ();")
    main(["db", "migrate", "--quiet"])
    as_ours.write(m2_b="create table public.b ();")
    capsys.readouterr()
    assert main(["db", "print", "--pending"]) == 0
    script = capsys.readouterr().out
    assert "public.b" in script
    assert "public.a" not in script
    database.run(script)
    assert main(["db", "print", "--pending"]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("command", ["check", "migrate", "status"])
def test_without_a_url_there_is_a_hint(command: str, capsys: Capture) -> None:
    assert main(["db", command]) == 4
    shown = capsys.readouterr().err
    assert "SUPABASE_DB_URL is not set" in shown
    assert "mentor-sync local up" in shown


def test_the_local_stack_is_used_where_it_runs(
    empty_database: Project, as_ours: Folder, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_ours.write(m1_a="create table public.a ()")
    local = {"SUPABASE_DB_URL": empty_database.dsn}
    monkeypatch.setattr(stack, "running_environment", lambda _settings: local)
    assert main(["db", "migrate"]) == 0
    assert "using the local stack in .mentor_sync" in capsys.readouterr().err
    assert empty_database.has("public.a")


def test_the_local_stack_does_not_stand_in_for_a_project(
    empty_database: Project, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    local = {"SUPABASE_DB_URL": empty_database.dsn}
    monkeypatch.setattr(stack, "running_environment", lambda _settings: local)
    monkeypatch.setenv("SUPABASE_URL", "https://abc.supabase.co")
    assert main(["db", "status"]) == 4
    assert "SUPABASE_DB_URL is not set" in capsys.readouterr().err


def test_no_answer_is_exit_4_in_bounded_time(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    monkeypatch.setenv("SUPABASE_DB_URL", f"postgresql://postgres:s3cret@127.0.0.1:{port}/postgres")
    begun = time.monotonic()
    assert main(["--debug", "db", "status", "--json"]) == 4
    assert 3 < time.monotonic() - begun < 12
    shown = capsys.readouterr()
    assert json.loads(shown.out)["errors"][0]["code"] == "database_unreachable"
    assert str(port) in shown.err
    assert "s3cret" not in shown.out + shown.err


def test_the_transaction_pooler_is_exit_4(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "SUPABASE_DB_URL", "postgresql://postgres.abc:s3cret@example.com:6543/postgres"
    )
    assert main(["db", "migrate"]) == 4
    shown = capsys.readouterr().err
    assert "5432" in shown
    assert "s3cret" not in shown


def test_without_psycopg_there_is_a_hint(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without_psycopg(name: str, *rest: Any) -> Any:
        if name == "psycopg":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without_psycopg)
    assert main(["db", "print"]) == 4
    assert "pip install 'mentor-sync[db]'" in capsys.readouterr().err


def test_the_command_starts_without_loading_psycopg() -> None:
    code = "import sys, mentor_sync.cli; sys.exit('psycopg' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
