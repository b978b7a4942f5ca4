"""The process: ticker, workers and health page, from the first signal to the last."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Thread
from types import FrameType

from mentor_sync.api_errors import NO_CONNECTION
from mentor_sync.clock import monotonic
from mentor_sync.daemon.health import Check, HealthServer, create_app
from mentor_sync.daemon.metrics import Metrics
from mentor_sync.daemon.pages import Pages
from mentor_sync.daemon.systemd import notify, watchdog_seconds
from mentor_sync.daemon.ticker import REFRESH_SECONDS, Ticker
from mentor_sync.daemon.workers import Workers
from mentor_sync.database import Database
from mentor_sync.errors import MentorSyncError
from mentor_sync.logs import get_logger
from mentor_sync.runner import WORKER
from mentor_sync.settings import Settings

PAGE_PATIENCE = 3.0
"""Seconds that somebody who clicked waits for an answer."""
CLAIM_PATIENCE = 1.0
"""Seconds to repeat a claim: the next one comes soon anyway."""
STUCK_SECONDS = 120.0
"""A loop that did nothing for so long will not go on by itself."""
SILENT_SECONDS = 30.0
"""No answer for so long, though somebody asks every few seconds, is none."""
_NOBODY = re.compile(
    r"|timeout|unreachable|bad_answer|no_connection|5\d\d|PGRST00\d|57P0\d|08\w{3}", re.ASCII
)
GIVE_BACK_SECONDS = 2.0
"""What a second signal waits for runs to be given back."""
_NO_ANSWER = {"", "timeout", "unreachable", NO_CONNECTION}
_STARTUP_PAUSE = 2.0
_TICK = 0.5

OpenDatabase = Callable[[float, Callable[[str, bool], None]], Database]
"""Opens a door of so many seconds of patience, which tells of every answer."""


class Daemon:
    """One replica of any number.

    Args:
        open_database: of the project.
        settings: concurrency, poll_seconds, health_port.
        grace: seconds that runs under way get to end by themselves after SIGTERM.
    """

    def __init__(self, open_database: OpenDatabase, settings: Settings, grace: float) -> None:
        self._grace = grace
        self._log = get_logger("mentor_sync.daemon")
        self._metrics = Metrics()
        # Not Queue, whose lock a second signal would find held.
        self._signals: SimpleQueue[int] = SimpleQueue()
        self._begun = False
        self._answered_at = self._failed_at = float("-inf")
        claiming = open_database(CLAIM_PATIENCE, self._observe)
        self._workers = Workers(
            claiming, open_database(30.0, self._observe), settings, self._metrics
        )
        self._ticker = Ticker(open_database(5.0, self._observe), self._metrics, self._workers.wake)
        self._pages = Pages(lambda: open_database(PAGE_PATIENCE, self._observe), settings.mail_from)
        app = create_app(self, self._metrics, self._pages.routes())
        self._health = HealthServer(app, settings.health_port)

    def run(self) -> int:
        """Until SIGTERM or SIGINT: 0. The second of them ends at once: 143 or 130.

        Raises:
            ConfigurationError: the key, the address or the schema is wrong, or the port taken.
        """
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._note_signal)
        self._health.start()
        self._log.info("daemon starting", worker=WORKER, health=self._health.url)
        if not self._start_ticker():
            return 0
        self._workers.start()
        self._begun = True
        notify("READY=1", f"STATUS={WORKER}")
        self._log.info("daemon ready")
        self._until_stopped()
        return self._stop()

    def live(self) -> dict[str, Check]:
        """Whether the loops go on. An API that is away is no reason to start again."""
        idle = monotonic() - self._workers.looked_at
        moving = idle < STUCK_SECONDS and self._workers.alive
        return {"claims": Check(moving or not self._begun, f"looked for runs {idle:.0f} s ago")}

    def ready(self) -> dict[str, Check]:
        """Whether runs are made and taken now."""
        silent = monotonic() - self._answered_at > SILENT_SECONDS
        answered = self._answered_at > self._failed_at and not silent
        schema = self._ticker.schema
        return {
            "database": Check(answered, "answers" if answered else "does not answer"),
            "schema": Check(
                schema is not None and not self._ticker.outdated(),
                f"version {schema}" + (": run db migrate" if self._ticker.outdated() else ""),
            ),
            "ticker": Check(
                self._ticker.age < 4 * REFRESH_SECONDS, f"refreshed {self._ticker.age:.0f} s ago"
            ),
            "workers": Check(self._workers.alive, f"{self._workers.busy} runs under way"),
        }

    def _start_ticker(self) -> bool:
        """Wait for the API as long as it takes; what waiting cannot mend is raised."""
        while True:
            try:
                self._ticker.start()
            except MentorSyncError as error:
                if not error.retryable:
                    raise
                self._log.warning("waiting for the Data API", reason=error.message)
                notify("EXTEND_TIMEOUT_USEC=30000000", "WATCHDOG=1")
                if self._next_signal(_STARTUP_PAUSE) in (signal.SIGTERM, signal.SIGINT):
                    return False
            else:
                return True

    def _until_stopped(self) -> None:
        pause = min(watchdog_seconds() or _TICK, _TICK)
        while True:
            number = self._next_signal(pause)
            if number == signal.SIGHUP:
                notify("RELOADING=1")
                self._log.info("reloading")
                self._ticker.reload()
                notify("READY=1")
            elif number is not None:
                return
            if all(check.ok for check in self.live().values()):
                notify("WATCHDOG=1")

    def _stop(self) -> int:
        """Drain in a thread, so that a second signal is heard."""
        notify("STOPPING=1")
        self._log.info("stopping", runs=self._workers.busy, grace=self._grace)
        self._ticker.stop()
        draining = Thread(target=self._workers.drain, args=(self._grace,), daemon=True)
        draining.start()
        while draining.is_alive():
            number = self._next_signal(0.05)
            if number in (signal.SIGTERM, signal.SIGINT):
                self._log.warning("stopping at once", runs=self._workers.busy)
                giving = Thread(target=self._workers.give_back, daemon=True)
                giving.start()
                giving.join(GIVE_BACK_SECONDS)
                # Threads that hang in a request must not hold the process.
                os._exit(128 + number)
        self._health.stop()
        self._pages.close()
        self._log.info("stopped")
        return 0

    def _note_signal(self, number: int, _frame: FrameType | None) -> None:
        self._signals.put(number)

    def _next_signal(self, timeout: float) -> int | None:
        try:
            return self._signals.get(timeout=timeout)
        except Empty:
            return None

    def _observe(self, code: str, ok: bool) -> None:
        self._metrics.api_answered("unreachable" if code in _NO_ANSWER else code, ok)
        # An answer that refuses is an answer; those that count say that nobody is there.
        if not ok and _NOBODY.fullmatch(code):
            self._failed_at = monotonic()
        else:
            self._answered_at = monotonic()
