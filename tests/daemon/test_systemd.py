"""What systemd is told, over real sockets."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mentor_sync.daemon.systemd import notify, watchdog_seconds

ABSTRACT = f"mentor_sync_test_{os.getpid()}"


@pytest.fixture
def systemd(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """Its end of the socket; in a short folder, since paths of sockets are."""
    with (
        tempfile.TemporaryDirectory(prefix="ms") as folder,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver,
    ):
        path = str(Path(folder, "notify"))
        receiver.bind(path)
        receiver.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", path)
        yield receiver


def fill(receiver: socket.socket) -> None:
    """Send until no more is taken."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        with contextlib.suppress(OSError):
            while True:
                sender.sendto(b"x", receiver.getsockname())


def test_states_arrive_as_one_message(systemd: socket.socket) -> None:
    assert notify("READY=1", "STATUS=3 jobs, \u00fcber 2 queues") is True
    assert systemd.recv(1000) == "READY=1\nSTATUS=3 jobs, \u00fcber 2 queues".encode()
    assert notify("WATCHDOG=1") is True
    assert systemd.recv(1000) == b"WATCHDOG=1"


def test_a_state_of_several_lines_stays_one_state(systemd: socket.socket) -> None:
    assert notify("STATUS=failed:\nSTOPPING=1\r\nagain", "WATCHDOG=1") is True
    assert systemd.recv(1000) == b"STATUS=failed: STOPPING=1 again\nWATCHDOG=1"


def test_text_that_is_no_text_is_sent_all_the_same(systemd: socket.socket) -> None:
    assert notify("STATUS=\udcff") is True
    assert systemd.recv(1000) == b"STATUS=?"


@pytest.mark.skipif(sys.platform != "linux", reason="abstract sockets are Linux's")
def test_an_abstract_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(f"\0{ABSTRACT}")
        receiver.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", f"@{ABSTRACT}")
        assert notify("READY=1") is True
        assert receiver.recv(1000) == b"READY=1"


@pytest.mark.parametrize(
    "address",
    [None, "", "relative", "vsock:2:1234", "/no/such/socket", "@nobody_listens", "/" + "x" * 200],
)
def test_without_somebody_to_tell(monkeypatch: pytest.MonkeyPatch, address: str | None) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    if address is not None:
        monkeypatch.setenv("NOTIFY_SOCKET", address)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind("relative")  # there, but systemd gives whole paths
        assert notify("READY=1") is False


def test_a_socket_that_nobody_reads_holds_nothing_up(systemd: socket.socket) -> None:
    fill(systemd)
    begun = time.monotonic()
    assert notify("WATCHDOG=1") is False
    assert time.monotonic() - begun < 3


@pytest.mark.parametrize(
    ("usec", "pid", "seconds"),
    [
        ("30000000", None, 15.0),
        ("30000000", "", 15.0),
        ("1", "ours", 0.000_000_5),
        ("30000000", "another", None),
        ("30000000", "nonsense", None),
        (None, None, None),
        ("", None, None),
        ("0", None, None),
        ("-5", None, None),
        ("soon", None, None),
    ],
)
def test_the_watchdog_is_fed_at_half_its_time(
    monkeypatch: pytest.MonkeyPatch, usec: str | None, pid: str | None, seconds: float | None
) -> None:
    pid = {"ours": str(os.getpid()), "another": str(os.getpid() + 1)}.get(pid or "", pid)
    for name, value in {"WATCHDOG_USEC": usec, "WATCHDOG_PID": pid}.items():
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, value)
    assert watchdog_seconds() == seconds
