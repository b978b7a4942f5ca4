"""What keeps a stack up, and what stops it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import psycopg
import pytest

from mentor_sync.errors import LocalStackError
from mentor_sync.local.ports import free_port, is_free
from mentor_sync.local.postgres import Cluster
from mentor_sync.local.processes import identify, wait_until
from mentor_sync.local.stack import Stack, running_environment
from mentor_sync.local.state import State
from mentor_sync.local.status import Status
from tests.local.conftest import Command, settings_for, temporary_stack


def pids(status: Status) -> dict[str, int | None]:
    return {part.name: part.pid for part in status.parts}


def execute(stack: Stack, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(stack.environment()["SUPABASE_DB_URL"]) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def test_up_down_up(stack: Stack) -> None:
    first = stack.up()
    before = stack.environment()
    execute(stack, "create table kept as select 42 as answer")
    assert first.up
    assert pids(stack.up()) == pids(first)

    stack.down()
    assert not stack.status().up
    assert running_environment(settings_for(stack.folder)) is None
    assert all(part.port is not None and is_free(part.port) for part in first.parts)
    stack.down()

    started = time.monotonic()
    stack.up()
    assert time.monotonic() - started < 6  # about one second, on a machine with nothing else to do
    assert stack.environment() == before
    assert execute(stack, "select answer from kept") == [(42,)]


@pytest.mark.parametrize("name", ["postgres", "postgrest", "gateway"])
def test_a_killed_part_comes_back(running: Stack, name: str) -> None:
    wait_until(lambda: running.status().up, 20)
    before = pids(running.status())
    pid = before[name]
    assert pid is not None
    os.kill(pid, signal.SIGKILL)

    assert wait_until(lambda: pids(running.status())[name] not in (None, pid), 20)
    assert wait_until(lambda: running.status().up, 20)
    others = set(before) - {name}
    assert {other: pids(running.status())[other] for other in others} == {
        other: before[other] for other in others
    }


def test_up_repairs_what_a_killed_supervisor_left(running: Stack) -> None:
    wait_until(lambda: running.status().up, 20)
    before = running.status()
    assert before.supervisor_pid is not None
    os.kill(before.supervisor_pid, signal.SIGKILL)
    assert wait_until(lambda: not running.status().up, 5)

    after = running.up()
    assert after.up
    assert after.url == before.url
    assert set(pids(after).values()).isdisjoint(pids(before).values())
    assert all(identify(pid) is None for pid in pids(before).values() if pid)


def test_two_at_once_make_one_stack(stack: Stack, command: Command) -> None:
    both = [command("local", "up", "--json"), command("local", "up", "--json")]
    ends = [process.communicate(timeout=60) for process in both]
    assert [process.returncode for process in both] == [0, 0], ends
    assert ends[0][0] == ends[1][0]
    assert stack.status().up


def test_a_fixed_port(tmp_path: Path) -> None:
    port = free_port()
    with temporary_stack(tmp_path / "stack", local_port=port) as stack:
        in_use = pytest.raises(LocalStackError, match=f"Port {port} is in use")
        with socket.create_server(("127.0.0.1", port)), in_use:
            stack.up()
        assert stack.up().url == f"http://127.0.0.1:{port}"
        with pytest.raises(LocalStackError, match="up already, on port"):
            Stack(settings_for(stack.folder, local_port=free_port())).up()


def test_a_remembered_port_that_was_taken_meanwhile(stack: Stack) -> None:
    state = State(stack.folder, gateway_port=free_port())
    stack.folder.mkdir()
    state.save()
    with socket.create_server(("127.0.0.1", state.gateway_port)):
        status = stack.up()
    assert status.up
    assert status.parts[2].port != state.gateway_port


def test_reset_deletes_the_data_and_keeps_the_keys(stack: Stack) -> None:
    stack.up()
    before = stack.environment()
    old_data = Cluster(stack.folder).data
    execute(stack, "create table gone ()")

    assert stack.reset().up
    assert stack.environment() == before
    assert execute(stack, "select to_regclass('gone')") == [(None,)]
    assert Cluster(stack.folder).data == old_data or not old_data.exists()


def test_data_that_vanished_are_an_error_not_a_fresh_start(stack: Stack) -> None:
    stack.up()
    stack.down()
    cluster = Cluster(stack.folder)
    (cluster.data / "PG_VERSION").unlink()
    with pytest.raises(LocalStackError, match="gone") as caught:
        stack.up()
    assert caught.value.hint == "mentor-sync local reset"


def test_a_first_start_that_was_cut_off_is_begun_anew(stack: Stack) -> None:
    Cluster(stack.folder).init()
    cut_off = Cluster(stack.folder)
    cut_off.start()  # and nobody stops it
    assert stack.up().up
    cut_off.stop()  # only waits for the process here, which was its child


def test_secrets_are_for_the_owner_only(running: Stack) -> None:
    files = [path for path in running.folder.iterdir() if path.is_file()]
    assert {path.name for path in files} >= {"stack.json", "cluster.json", "run.json"}
    assert [path.name for path in files if path.stat().st_mode & 0o077] == []

    shown = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    shown += "".join(path.read_text() for path in files if path.suffix == ".log")
    secrets = [*State.load(running.folder).keys.as_dict().values()]
    secrets += Cluster(running.folder).passwords.values()
    assert [secret for secret in secrets if secret in shown] == []


def test_a_folder_may_be_moved_while_it_is_down(stack: Stack, tmp_path: Path) -> None:
    stack.up()
    stack.down()
    stack.folder.rename(tmp_path / "moved")
    with temporary_stack(tmp_path / "moved") as moved:
        assert moved.up().up


def test_a_part_that_cannot_run_is_an_error_with_its_log(tmp_path: Path) -> None:
    broken = tmp_path / "postgrest"
    broken.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && echo PostgREST 0 && exit\necho no luck; exit 1\n'
    )
    broken.chmod(0o755)
    with temporary_stack(tmp_path / "stack", postgrest=broken) as stack:
        with pytest.raises(LocalStackError, match="no luck"):
            stack.up()
        assert not stack.status().up
        assert all(part.pid is None for part in stack.status().parts)
