"""Processes are told apart, and none of somebody else's is ended."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from mentor_sync.local import processes
from mentor_sync.local.account import Account, data_parent, reachable_copy, server_account
from mentor_sync.local.postgres import Cluster
from mentor_sync.local.processes import Identity, identify, is_alive, stop
from mentor_sync.local.stack import Stack
from mentor_sync.local.state import PartRun, Run

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root lends its servers an account")


def test_a_recycled_number_is_not_the_old_process() -> None:
    here = identify(os.getpid())
    assert is_alive(here)
    old = Identity(os.getpid(), "long ago")
    assert not is_alive(old)
    assert stop(old)  # and this test lives on


def test_a_zombie_is_not_alive() -> None:
    child = subprocess.Popen(["true"])
    assert processes.wait_until(lambda: identify(child.pid) is None, 5)
    child.wait()


def test_up_spares_processes_that_took_over_a_number(stack: Stack) -> None:
    bystander = subprocess.Popen(["sleep", "60"])
    try:
        gone = Identity(bystander.pid, "long ago")
        stack.folder.mkdir()
        Run(gone, {"postgres": PartRun(gone), "gateway": PartRun(gone)}).save(stack.folder)
        stack.down()
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_start_goes_on_after_the_number_in_the_pid_file_was_recycled(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path, options={"fsync": False})
    cluster.init()
    try:
        (cluster.data / "postmaster.pid").write_text(f"{os.getpid()}\n{cluster.data}\n0\n")
        cluster.start()
        assert cluster.ready()
    finally:
        cluster.destroy()


@as_root
def test_a_closed_folder_keeps_its_permissions(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    parent = data_parent(closed, server_account())
    try:
        assert parent.parent == Path("/var/tmp")
        assert parent.stat().st_mode & 0o777 == 0o711
        assert closed.stat().st_mode & 0o777 == 0o700
    finally:
        parent.rmdir()


def test_an_ordinary_user_keeps_the_data_in_the_folder(tmp_path: Path) -> None:
    user = Account(os.geteuid(), os.getegid(), switch=False)
    assert data_parent(tmp_path, user) == tmp_path


@as_root
def test_a_copy_is_made_whole_again_and_a_stranger_s_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mentor_sync.local.account.SHARED", tmp_path)
    tree = tmp_path / "tree"
    (tree / "bin").mkdir(parents=True)
    (tree / "bin" / "tool").write_text("x")
    (tree / "bin" / "other").write_text("y")
    copy = reachable_copy([tree], "tools-1")
    (copy / "tree" / "bin" / "tool").unlink()
    assert reachable_copy([tree], "tools-1") == copy
    assert (copy / "tree" / "bin" / "tool").read_text() == "x"
    os.chown(copy, 12345, 12345)
    with pytest.raises(Exception, match="made by somebody else"):
        reachable_copy([tree], "tools-1")
