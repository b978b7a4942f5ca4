"""Processes of ours, told apart from whatever got their number later."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc/self/stat")
_LOG_LIMIT = 4 * 1024 * 1024  # bytes; a log beyond it starts anew, with one older one kept

TERM_THEN_KILL = ((signal.SIGTERM, 10.0), (signal.SIGKILL, 5.0))


@dataclass(frozen=True)
class Identity:
    """A process: its number, and when it started, so that a recycled number never matches."""

    pid: int
    started: str


def identify(pid: int) -> Identity | None:
    """The living process of this number; None when there is none, or only its zombie."""
    started = _started_linux(pid) if _PROC.exists() else _started_ps(pid)
    return Identity(pid, started) if started else None


def is_alive(identity: Identity | None) -> bool:
    return identity is not None and identify(identity.pid) == identity


def command_line(pid: int) -> str:
    """The words of a running command, as far as the system shows them."""
    if _PROC.exists():  # slim images have no ps
        return _command_linux(pid)
    shown = subprocess.run(
        ["ps", "-ww", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return shown.stdout.strip()


def working_in(folder: Path) -> list[int]:
    """The processes whose working directory this is; none where the system does not tell."""
    found = []
    for link in Path("/proc").glob("[0-9]*/cwd"):
        try:
            if link.readlink() == folder:
                found.append(int(link.parent.name))
        except OSError:  # gone meanwhile, or not ours to look at
            continue
    return found


def stop(
    identity: Identity | None, steps: Sequence[tuple[signal.Signals, float]] = TERM_THEN_KILL
) -> bool:
    """Send the signals one after the other, each with its seconds of patience; True when gone."""
    for number, patience in steps:
        if identity is None or not is_alive(identity):
            return True
        _send(identity.pid, number)
        if wait_until(lambda: not is_alive(identity), patience):
            return True
    return not is_alive(identity)


def wait_until(condition: Callable[[], bool], seconds: float, pause: float = 0.01) -> bool:
    """Ask again and again, more slowly with time; False when the seconds are over."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
        pause = min(pause * 1.2, 0.1)
    return True


def bare_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """For servers of ours: the caller's PG* and PGRST_* variables must not reach them."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return {"PATH": os.defpath, **kept, "LC_ALL": "C", **(extra or {})}


def open_log(path: Path) -> int:
    """A file descriptor to append to the log, readable by its owner only."""
    if path.exists() and path.stat().st_size > _LOG_LIMIT:
        path.replace(path.with_suffix(".old.log"))
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)


def tail(path: Path, lines: int = 8) -> str:
    """The last lines of a log, for an error message."""
    if not path.exists():
        return ""
    with path.open("rb") as log:
        log.seek(max(0, path.stat().st_size - 16_384))
        return "\n".join(log.read().decode(errors="replace").splitlines()[-lines:])


def _send(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _started_linux(pid: int) -> str | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()  # the name in parentheses may hold spaces
    state, ticks = fields[0], fields[19]
    return None if state in "ZX" else f"{_boot()}:{ticks}"


def _command_linux(pid: int) -> str:
    try:
        return (
            Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        )
    except OSError:
        return ""


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _started_ps(pid: int) -> str | None:
    shown = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
        env=bare_environment(),
    )
    state, _, started = shown.stdout.strip().partition(" ")
    return None if not started or state.startswith("Z") else started.strip()
