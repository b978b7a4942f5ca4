"""The tree of commands: help everywhere, signals, a start that loads little."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
import typer.main

from mentor_sync import __version__
from mentor_sync.cli.app import app
from tests.cli.support import Command
from tests.project import Api, Project
from tests.sync.support import many, without_triggers


def commands(command: Any = None, name: str = "mentor-sync") -> Iterator[tuple[str, Any]]:
    """Every command and group, by its words."""
    command = command or typer.main.get_command(app)
    yield name, command
    for word, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, f"{name} {word}")


NAMES = [name for name, _ in commands()]


@pytest.mark.parametrize("name", NAMES)
def test_every_command_and_each_of_its_options_has_help(name: str) -> None:
    command = dict(commands())[name]
    assert command.help
    assert command.help[0].isupper()
    assert command.help.split("\n")[0].rstrip('".')
    for param in command.params:
        assert param.name == "help" or getattr(param, "help", None), param.name


@pytest.mark.parametrize("name", NAMES)
def test_help_is_shown_and_exits_0(name: str, command: Command) -> None:
    words = name.split()[1:]
    shown = command(*words, "--help")
    assert shown.code == 0
    assert "Usage: " + name in shown.out.replace("\n", " ")
    assert shown.out == command(*words, "-h").out


@pytest.mark.parametrize("name", NAMES)
def test_every_command_that_does_something_speaks_json(name: str) -> None:
    found = dict(commands())[name]
    is_group = hasattr(found, "commands")
    options = {option for param in found.params for option in param.opts}
    # A daemon ends by a signal, and what it does is in its log.
    assert is_group or "--json" in options or name == "mentor-sync daemon"


def test_the_version_is_that_of_the_package(command: Command) -> None:
    assert command("--version").out == f"mentor-sync {__version__}\n"


def test_the_command_starts_without_loading_the_client() -> None:
    code = (
        "import sys, mentor_sync.cli;"
        "sys.exit(bool({'supabase', 'postgrest', 'httpx', 'psycopg'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)], ids=["TERM", "INT"]
)
def test_a_signal_stops_the_run_and_its_row_says_so(
    project: Project, as_environment: Api, number: signal.Signals, code: int
) -> None:
    without_triggers(project)
    many(project, 10)
    with psycopg.connect(project.dsn) as blocker:
        blocker.execute("lock table mentors in share row exclusive mode")
        process = subprocess.Popen(
            [sys.executable, "-m", "mentor_sync", "sync", "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ,
            # Whatever runs the tests in the background may have told it to ignore them.
            preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),
        )
        wait_until_blocked(project)
        process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == code, (out, err)
    assert "Traceback" not in err
    assert '"code": "stopped"' in out
    assert project.rows("select status from job_runs") == [("cancelled",)]


def wait_until_blocked(project: Project) -> None:
    waiting = "select count(*) from pg_locks where not granted and relation = 'mentors'::regclass"
    for _ in range(600):
        if project.one(waiting):
            return
        threading.Event().wait(0.05)
    raise AssertionError("the sync does not get to the table")
