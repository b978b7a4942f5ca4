"""`mentor-sync local` as a person or a script meets it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mentor_sync.cli import main
from mentor_sync.local.stack import Stack
from tests.local.conftest import Command


@pytest.fixture
def folder(running: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MENTOR_SYNC_LOCAL_DIR", str(running.folder))
    return running.folder


def test_env_is_for_a_shell(running: Stack, folder: Path) -> None:
    names = " ".join(f"${name}" for name in running.environment())
    script = f'eval "$({sys.executable} -m mentor_sync local env)"; echo "{names}"'
    done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == list(running.environment().values())


def test_env_as_json(running: Stack, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["local", "env", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["command"] == "local env"
    assert document["data"] == running.environment()


def test_status_of_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MENTOR_SYNC_LOCAL_DIR", str(tmp_path / "none"))
    assert main(["local", "status", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["data"]["up"] is False
    assert main(["local", "down"]) == 0
    assert main(["local", "env"]) == 1
    assert "mentor-sync local up" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


def test_reset_asks(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["local", "reset", "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["errors"][0]["code"] == "needs_yes"


def test_status_shows_the_parts(running: Stack, command: Command) -> None:
    running.up()
    process = command("local", "status", folder=running.folder)
    text, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    for word in (
        "postgres",
        "postgrest",
        "gateway",
        "18.",
        "12.0.2",
        running.environment()["SUPABASE_URL"],
    ):
        assert word in text
