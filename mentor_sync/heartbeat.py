"""A heartbeat: keeps a run's lease while its worker is busy outside the database."""

from __future__ import annotations

from threading import Event, Thread
from types import TracebackType
from typing import Self

from mentor_sync.database import Database, Json
from mentor_sync.errors import MentorSyncError, RunTimedOut, StaleRun
from mentor_sync.logs import get_logger

BEATS_A_LEASE = 4
"""So that one or two may fail."""


class Heartbeat:
    """Beats in a thread of its own for as long as it is entered.

    Args:
        run: the claimed run's row.
    """

    def __init__(self, database: Database, run: Json) -> None:
        self._database = database
        self._ownership = {"p_run_id": run["id"], "p_fence": run["fence"]}
        self._pause = run["lease_seconds"] / BEATS_A_LEASE
        self._stopped = Event()
        self._lost: MentorSyncError | None = None
        self._thread = Thread(target=self._beat, name=f"heartbeat {run['id']}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopped.set()

    def check(self) -> None:
        """Raise what the latest heartbeat was told.

        Raises:
            StaleRun: another worker has the run, or it was cancelled.
            RunTimedOut: the attempt took too long.
        """
        if self._lost:
            raise self._lost

    def _beat(self) -> None:
        log = get_logger("mentor_sync.heartbeat")
        while not self._stopped.wait(self._pause):
            try:
                self._database.rpc("heartbeat_run", self._ownership, expect=dict)
            except (StaleRun, RunTimedOut) as error:
                self._lost = error
                return
            except RuntimeError:
                # Of httpx: the run ended, and the door was closed, while this beat was trying.
                if not self._stopped.is_set():
                    raise
                return
            except MentorSyncError as error:
                # The run's own requests tell what is wrong; the lease may still hold.
                log.warning("heartbeat failed", code=error.code, reason=error.message)
