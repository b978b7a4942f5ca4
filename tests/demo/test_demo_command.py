"""`mentor-sync demo` as a newcomer meets it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mentor_sync.cli import main
from mentor_sync.local.postgres import Cluster
from mentor_sync.local.state import State

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a local stack, which is stopped and deleted in the end."""
    path = tmp_path / "stack"
    monkeypatch.setenv("MENTOR_SYNC_LOCAL_DIR", str(path))
    yield path
    main(["local", "down"])
    Cluster(path).destroy()


def document(capsys: Capture) -> dict[str, Any]:
    (line,) = capsys.readouterr().out.splitlines()
    read: dict[str, Any] = json.loads(line)
    assert (read["version"], read["command"]) == (1, "demo")
    return read


def test_twice(folder: Path, capsys: Capture) -> None:
    assert main(["demo", "--members", "60", "--json"]) == 0
    first = document(capsys)["data"]
    assert main(["demo", "--members", "60", "--json"]) == 0
    again = document(capsys)["data"]

    kinds = ("created", "no_user", "ambiguous", "inactive", "rejected")
    assert all(first["sync"][kind] > 0 for kind in kinds)
    assert counts(first["dry_run"]) == counts(first["sync"])
    assert first["mentors_listed"] == first["sync"]["created"] == first["health"]["listed_mentors"]
    assert (first["members"], first["members_added"]) == (60, 60)

    assert first["students_added"] == first["match"]["batches"] > 0
    assert len(first["match"]["mentors"]) == 3
    assert all(mentor["reasons"] for mentor in first["match"]["mentors"])
    assert (again["students_added"], again["match"]["batches"]) == (0, 0)
    assert again["match"]["good_share"] == first["match"]["good_share"] is not None

    assert again["members_added"] == again["dry_run"]["created"] == again["sync"]["created"] == 0
    assert again["sync"]["exists"] == again["mentors_listed"] == first["mentors_listed"]

    shown_to_a_person(capsys)
    refuses_another_project_meanwhile(capsys)
    holds_no_secret(first, folder)


def counts(run: dict[str, Any]) -> dict[str, int]:
    return {name: n for name, n in run.items() if name != "run_id"}


def shown_to_a_person(capsys: Capture) -> None:
    assert main(["demo", "--members", "60"]) == 0
    shown = capsys.readouterr()
    assert "there already: 60 members" in shown.err
    assert shown.err.count("nothing to create or change") == 2
    assert "list_mentors" in shown.out
    assert "Mentors for " in shown.out
    assert "At home in the same field: " in shown.out
    assert "reach the good score of 70." in shown.out
    assert "mentor-sync local down" in shown.out
    assert all(len(line) <= 80 for line in shown.out.splitlines() if "mentor-sync " not in line)


def refuses_another_project_meanwhile(capsys: Capture) -> None:
    """The stack is up, so that even another port of this machine is another project."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SUPABASE_URL", "http://127.0.0.1:1")
        assert main(["demo", "--json"]) == 4
    assert document(capsys)["errors"][0]["code"] == "not_local"


def holds_no_secret(data: dict[str, Any], folder: Path) -> None:
    text, keys = json.dumps(data), State.load(folder).keys
    passwords = Cluster(folder).passwords.values()
    assert not any(secret in text for secret in (keys.secret_key, keys.jwt_secret, *passwords))


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SUPABASE_URL", "https://abcdefghijklmnopqrst.supabase.co"),
        ("SUPABASE_URL", "http://127.0.0.1:notaport"),
        ("SUPABASE_DB_URL", "postgresql://postgres:secret@db.abc.supabase.co:5432/postgres"),
        ("SUPABASE_DB_URL", "postgresql:///postgres?host=db.abc.supabase.co"),
        ("SUPABASE_DB_URL", "host=db.abc.supabase.co"),
    ],
)
def test_a_project_of_somebody_is_left_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    assert main(["demo", "--json"]) == 4
    (error,) = document(capsys)["errors"]
    assert error["code"] == "not_local"
    assert variable in error["message"]
    assert "secret" not in json.dumps(error)
    assert not folder.exists()


def test_another_postgres_is_left_alone(folder: Path, capsys: Capture) -> None:
    folder.mkdir()
    state = State(folder)
    state.db_url = "postgresql://postgres@db.example.com/postgres"
    state.save()
    assert main(["demo", "--json"]) == 4
    assert document(capsys)["errors"][0]["code"] == "not_local"
    state.db_url = None
    state.save()
