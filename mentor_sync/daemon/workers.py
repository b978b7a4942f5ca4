"""The workers: take runs that are due, execute them side by side, and give them back in time."""

from __future__ import annotations

import random
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from threading import Event, Lock, Thread

from mentor_sync.clock import monotonic
from mentor_sync.daemon.metrics import Metrics
from mentor_sync.database import Database, Json
from mentor_sync.errors import ApprovalNeeded, MentorSyncError, StaleRun
from mentor_sync.job import load_jobs
from mentor_sync.logs import get_logger
from mentor_sync.runner import WORKER, FinishedRun, GivenBack, execute
from mentor_sync.settings import Settings

CHANGED = {"created", "updated", "deactivated", "undone"}
"""The outcomes of rows that were written."""
REMEMBERED = 100
"""So many runs that ended here lately are known to the next claims."""
LAST_CLAIM_SECONDS = 5.0
"""How long a claim under way may still take when the daemon stops."""


class Workers:
    """A loop that claims, and as many threads as there may be runs at a time.

    Args:
        claiming: the door for claims, of little patience: another daemon may be luckier.
        working: the door for the runs themselves.
    """

    def __init__(
        self, claiming: Database, working: Database, settings: Settings, metrics: Metrics
    ) -> None:
        self._claiming = claiming
        self._working = working
        self._settings = settings
        self._metrics = metrics
        self._log = get_logger("mentor_sync.workers")
        self._jobs = sorted(load_jobs())
        self._wake, self._closed, self._stopping = Event(), Event(), Event()
        self._lock = Lock()
        # By run and fence: one that was taken over, and over again, may run here twice.
        self._running: dict[tuple[str, int], Json] = {}
        self._ended: deque[str] = deque(maxlen=REMEMBERED)
        self._pool = ThreadPoolExecutor(settings.concurrency, thread_name_prefix="worker")
        self._loop = Thread(target=self._claim_until_closed, name="claims", daemon=True)
        self.looked_at = monotonic()
        """When it last looked for runs, by the monotonic clock."""

    def start(self) -> None:
        self._loop.start()

    def wake(self) -> None:
        """Look for runs now."""
        self._wake.set()

    @property
    def alive(self) -> bool:
        return self._loop.is_alive()

    @property
    def busy(self) -> int:
        """How many runs are under way."""
        return len(self._running)

    def drain(self, grace: float) -> None:
        """Take no more runs; let those under way end within `grace` seconds, then give back.

        A run is given back between two chunks, with its progress; another worker goes on.
        """
        self._closed.set()
        self._wake.set()
        deadline = monotonic() + grace
        self._loop.join(max(grace, LAST_CLAIM_SECONDS))
        while self.busy and monotonic() < deadline:
            time.sleep(0.05)
        self._stopping.set()
        self._pool.shutdown(wait=True)

    def give_back(self) -> None:
        """Give every run back at once; whatever its thread still sends is refused."""
        self._closed.set()
        self._stopping.set()
        with self._lock:
            runs = list(self._running.values())
        self._release(runs)

    def _release(self, runs: list[Json]) -> None:
        results = [{"id": r["id"], "fence": r["fence"], "status": "released"} for r in runs]
        if results:
            with suppress(MentorSyncError):
                self._claiming.rpc("finish_runs", {"p_results": results}, expect=dict)

    def _claim_until_closed(self) -> None:
        while not self._closed.is_set():
            self._wake.clear()
            try:
                self._claim()
            except MentorSyncError as error:
                self._log.warning("no runs claimed", code=error.code, reason=error.message)
            except Exception:
                self._log.exception("no runs claimed")
            self.looked_at = monotonic()
            # Not all daemons at the same moment.
            self._wake.wait(self._settings.poll_seconds * random.uniform(0.8, 1.2))  # noqa: S311

    def _claim(self) -> None:
        free = self._settings.concurrency - self.busy
        if free > 0:
            asked = {"p_worker": WORKER, "p_limit": free, "p_jobs": self._jobs}
            holding = [*self._ended, *(run_id for run_id, _ in tuple(self._running))]
            claimed = self._claiming.rpc("claim_runs", {**asked, "p_holding": holding}, expect=list)
            if self._closed.is_set():
                self._release(claimed)
            else:
                for run in claimed:
                    self._begin(run)

    def _begin(self, run: Json) -> None:
        if run["slot"] and run["attempt"] == 1:
            began, slot = (datetime.fromisoformat(run[name]) for name in ("claimed_at", "slot"))
            self._metrics.slot_started(run["job"], (began - slot).total_seconds())
        with self._lock:
            self._running[run["id"], run["fence"]] = run
        self._pool.submit(self._work, run)

    def _work(self, run: Json) -> None:
        began = monotonic()
        try:
            outcome = self._outcome(run)
        finally:
            with self._lock:
                del self._running[run["id"], run["fence"]]
                # Not to be taken for a claim whose answer was lost, should its end be unwritten.
                self._ended.append(run["id"])
            self.wake()
        self._metrics.run_finished(run["job"], outcome, monotonic() - began)
        if outcome == "retried":
            self._metrics.retried(run["job"])

    def _outcome(self, run: Json) -> str:
        """How the run ended; every error has been noted in its row and in the log by now."""
        try:
            finished: FinishedRun = execute(
                self._working, self._settings, run, stopping=self._stopping
            )
        except StaleRun:
            return "lost"
        except GivenBack:
            return "released"
        except ApprovalNeeded:
            return "awaiting_approval"
        except MentorSyncError as error:
            again = error.retryable and run["attempt"] < run["max_attempts"]
            return "retried" if again else "failed"
        except BaseException:
            self._log.exception("the job is at fault", job=run["job"], run_id=run["id"])
            return "failed"
        changed = {kind: n for kind, n in finished.counts.items() if kind in CHANGED}
        self._metrics.rows_changed(run["job"], changed)
        return finished.status
