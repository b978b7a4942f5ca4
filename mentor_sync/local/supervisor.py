"""The process behind a stack: runs its parts as children and starts again what ends.

`python -m mentor_sync.local.supervisor FOLDER LOCK` goes to the background by itself. It reads
`stack.json`, notes what runs in `run.json`, and ends cleanly on SIGTERM.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mentor_sync.errors import MentorSyncError
from mentor_sync.local.postgres import Cluster
from mentor_sync.local.postgrest import PostgrestServer
from mentor_sync.local.processes import TERM_THEN_KILL, Identity, identify, open_log, stop
from mentor_sync.local.state import PartRun, Run, State
from mentor_sync.local.status import GATEWAY, POSTGRES, POSTGREST

_FAST, _IMMEDIATE, _KILL = signal.SIGINT, signal.SIGQUIT, signal.SIGKILL
STOP_STEPS = {
    POSTGRES: ((_FAST, 15.0), (_IMMEDIATE, 5.0), (_KILL, 5.0)),
    POSTGREST: TERM_THEN_KILL,
    GATEWAY: TERM_THEN_KILL,
}
_FIRST_DELAY, _LONGEST_DELAY = 0.1, 2.0  # seconds between a death and the next start
_SETTLED = 10.0  # seconds after which a start counts as a success
_IMPATIENT = 0.02  # seconds between looks while a part waits for another

log = logging.getLogger(__name__)


@dataclass
class Part:
    """One child: how to start it, and what it must wait for the first time."""

    name: str
    spawn: Callable[[], subprocess.Popen[bytes]]
    may_start: Callable[[], bool] = lambda: True
    process: subprocess.Popen[bytes] | None = None
    identity: Identity | None = None
    restarts: int = -1
    failures: int = 0
    last_exit: int | None = None
    started_at: float = 0.0
    next_start: float = 0.0
    delay: float = 0.0

    def look(self) -> bool:
        """Notice an end, start when it is time; True when something changed."""
        if self.process is not None:
            code = self.process.poll()
            if code is not None:
                self._ended(code)
            return code is not None
        if time.monotonic() < self.next_start or not self.may_start():
            return False
        self.start()
        return True

    def start(self) -> None:
        self.process = self.spawn()
        self.identity = identify(self.process.pid)
        self.started_at = time.monotonic()
        self.restarts += 1
        self.may_start = lambda: True  # a part that ran once finds the others again by itself
        log.info("%s runs as process %d", self.name, self.process.pid)

    def pause(self) -> float | None:
        """Seconds until the next look is due; None when only an end can change anything."""
        if self.process is not None:
            return None
        return max(_IMPATIENT, self.next_start - time.monotonic())

    def stop(self) -> None:
        if self.process is not None:
            stop(self.identity, STOP_STEPS[self.name])
            self.process.wait()

    def note(self) -> PartRun:
        running = self.identity if self.process is not None else None
        return PartRun(running, max(self.restarts, 0), self.failures, self.last_exit)

    def _ended(self, code: int) -> None:
        now = time.monotonic()
        settled = now - self.started_at > _SETTLED
        self.failures = 0 if settled else self.failures + 1
        self.delay = min(_FIRST_DELAY * 2**self.failures, _LONGEST_DELAY) if not settled else 0.0
        self.next_start = now + self.delay
        self.process, self.last_exit = None, code
        log.warning("%s ended with %d, starts again in %.1f s", self.name, code, self.delay)


class Supervisor:
    """Keeps the parts of one folder's stack running."""

    def __init__(self, folder: Path, parts: Sequence[Part]) -> None:
        self.folder = folder
        self.parts = parts
        self._stopping = False
        self._woken, self._waker = os.pipe()

    def run(self) -> None:
        """Until SIGTERM or SIGINT; then stop the parts, last started first."""
        self._listen()
        self._note()
        try:
            while not self._stopping:
                if self._look():
                    self._note()
                self._sleep()
        finally:
            self._stopping = True
            self._note()
            for part in reversed(self.parts):
                part.stop()
            Run.forget(self.folder)
            log.info("stopped")

    def _listen(self) -> None:
        # Every signal writes a byte to the pipe that _sleep watches. (An Event would not do:
        # a handler that sets it while this thread clears it waits for itself.)
        os.set_blocking(self._waker, False)
        signal.set_wakeup_fd(self._waker, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: setattr(self, "_stopping", True))

    def _sleep(self) -> None:
        pauses = [pause for part in self.parts if (pause := part.pause()) is not None]
        readable, _, _ = select.select([self._woken], [], [], min(pauses, default=None))
        if readable:
            os.read(self._woken, 4096)

    def _look(self) -> bool:
        changed = False
        for part in self.parts:
            try:
                changed = part.look() or changed
            except (OSError, MentorSyncError):  # out of memory or processes: try again later
                log.exception("%s did not start", part.name)
                part.next_start = time.monotonic() + _LONGEST_DELAY
        return changed

    def _note(self) -> None:
        identity = identify(os.getpid())
        if identity is not None:
            parts = {part.name: part.note() for part in self.parts}
            Run(identity, parts, self._stopping).save(self.folder)


def parts_of(folder: Path) -> list[Part]:
    """The parts of the folder's stack, in the order in which they start."""
    state = State.load(folder)
    postgrest = PostgrestServer(
        Path(state.postgrest),
        state.postgrest_dsn,
        state.keys.jwt_secret,
        state.postgrest_port,
        folder,
        admin_port=state.admin_port,
    )
    gateway = Part(GATEWAY, lambda: _spawn_gateway(folder))
    if state.db_url is not None:
        return [Part(POSTGREST, postgrest.spawn), gateway]
    cluster = Cluster(folder)
    # PostgREST that finds no database waits longer and longer, so it starts second.
    return [
        Part(POSTGRES, cluster.spawn),
        Part(POSTGREST, postgrest.spawn, cluster.ready),
        gateway,
    ]


def _spawn_gateway(folder: Path) -> subprocess.Popen[bytes]:
    output = open_log(folder / "gateway.log")
    try:
        return subprocess.Popen(
            [sys.executable, "-m", "mentor_sync.local.gateway", str(folder)],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    finally:
        os.close(output)


def main(folder: Path, lock: int) -> None:
    """Leave the caller's session, then supervise.

    Args:
        folder: of the stack.
        lock: an inherited descriptor that holds the lock of supervisors in this folder, so
            that from the caller's decision on there is never a second one.
    """
    os.set_inheritable(lock, False)
    if os.fork():
        os._exit(0)  # the caller waits for this one only, and has no child left afterwards
    os.setsid()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    Supervisor(folder, parts_of(folder)).run()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
