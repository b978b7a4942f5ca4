"""The ticker: makes runs of the slots that are due, by the clock of the database.

Every daemon ticks. Which of them makes a slot's run is settled in SQL, so they need not agree.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.interval import IntervalTrigger

from mentor_sync import SCHEMA_VERSION
from mentor_sync.clock import monotonic, utc_now
from mentor_sync.daemon.metrics import Metrics
from mentor_sync.database import Database, Json
from mentor_sync.errors import MentorSyncError
from mentor_sync.job import load_jobs
from mentor_sync.logs import get_logger
from mentor_sync.schedule import MOST, Schedule

REFRESH_SECONDS = 15
"""How soon an edit of job_schedules takes effect."""
PRUNE_SECONDS = 3600
_AFTER_THE_SLOT = timedelta(milliseconds=20)
"""The database refuses a slot that is still to come by its clock."""


class SlotTrigger(BaseTrigger):  # type: ignore[misc]  # it has no types
    """Fires at the slots of a schedule, on this machine's clock.

    Args:
        offset: how far the clock of the database is ahead of ours.
    """

    def __init__(self, schedule: Schedule, offset: timedelta) -> None:
        self._schedule = schedule
        self._offset = offset

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime | None:
        """When to tick for the slot after the previous one; None where there is no more."""
        after = (previous - _AFTER_THE_SLOT if previous else now) + self._offset
        slot = next(self._schedule.next_slots(after), None)
        return slot - self._offset + _AFTER_THE_SLOT if slot else None


class Ticker:
    """The APScheduler process: a job a schedule, one to read them again, one to prune.

    Args:
        due: called when slots were due, so that a worker looks at once.
    """

    def __init__(self, database: Database, metrics: Metrics, due: Callable[[], None]) -> None:
        self._database = database
        self._metrics = metrics
        self._due = due
        self._log = get_logger("mentor_sync.ticker")
        self._lock = Lock()
        self._schedules: dict[str, Schedule] = {}
        self._in_effect: dict[str, tuple[Any, ...]] = {}
        self.offset = timedelta()
        self.schema: str | None = None
        self._refreshed_at = float("-inf")
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            # A tick that comes late is still a tick: what is due is asked of the schedules.
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )

    def start(self) -> None:
        """Register the jobs of the code, read the schedules, and tick from now on.

        Raises:
            MentorSyncError: the Data API refuses; see errors.py.
        """
        jobs = [job.schedule() for job in load_jobs().values()]
        self._database.rpc("register_jobs", {"p_jobs": jobs}, expect=int)
        self.refresh()
        self._scheduler.add_job(
            self._quietly(self.refresh), IntervalTrigger(seconds=REFRESH_SECONDS), id="refresh"
        )
        self._scheduler.add_job(
            self._quietly(self.prune), IntervalTrigger(seconds=PRUNE_SECONDS), id="prune"
        )
        self._scheduler.start()

    def stop(self) -> None:
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    @property
    def age(self) -> float:
        """Seconds since the schedules were last read."""
        return monotonic() - self._refreshed_at

    def refresh(self) -> None:
        """Read the schedules again, tell each what is in effect, and tick."""
        before = utc_now()
        state = self._database.rpc("scheduler_state", {}, expect=dict)
        middle = before + (utc_now() - before) / 2
        now = datetime.fromisoformat(state["now"])
        self.offset, self.schema = now - middle, state["schema"]
        self._metrics.queue(state["queue"])
        read = [Schedule.of(row, state["timezone"]) for row in state["schedules"]]
        with self._lock:
            self._schedules = {schedule.job: schedule for schedule in read}
        for schedule in read:
            self._plan(schedule)
        for gone in set(self._in_effect) - set(self._schedules):
            self._unplan(gone)
        self._accept(read, now)
        self._refreshed_at = monotonic()
        self.tick()

    def reload(self) -> None:
        """Read the schedules again now."""
        self._quietly(self.refresh)()

    def tick(self) -> None:
        """Make runs of all that is due; the jobs of one moment share one request."""
        with self._lock:
            now = utc_now() + self.offset
            due = [entry for s in self._schedules.values() if (entry := _due_entry(s, now))]
            if due:
                made = self._database.rpc("enqueue_slots", {"p_due": due}, expect=list)
                self._deal_with(due)
                for run in made:
                    self._log.info("slot queued", **run)
                # Another daemon may have made the runs; we take our part of them all the same.
                self._due()
        self._metrics.ticked(utc_now().timestamp())

    def prune(self) -> None:
        """Delete what is past its time, until there is none."""
        while True:
            gone = self._database.rpc("prune_runs", {}, expect=dict)
            if not any(gone.values()):
                return
            self._log.info("pruned", **gone)

    def _plan(self, schedule: Schedule) -> None:
        """Give APScheduler its trigger, unless it has it already."""
        in_effect = schedule.cron, schedule.enabled
        if self._in_effect.get(schedule.job) == in_effect:
            return
        self._unplan(schedule.job)
        self._in_effect[schedule.job] = in_effect
        if schedule.cron and schedule.enabled:
            trigger = SlotTrigger(schedule, self.offset)
            self._scheduler.add_job(self._quietly(self.tick), trigger, id=f"slot {schedule.job}")
        self._log.info("schedule in effect", job=schedule.job, error=schedule.error)

    def _unplan(self, job: str) -> None:
        self._in_effect.pop(job, None)
        if self._scheduler.get_job(f"slot {job}"):
            self._scheduler.remove_job(f"slot {job}")

    def _accept(self, schedules: list[Schedule], now: datetime) -> None:
        verdicts = [schedule.verdict(now) for schedule in schedules]
        self._database.rpc("accept_schedules", {"p_verdicts": verdicts}, expect=int)

    def _deal_with(self, due: list[Json]) -> None:
        for entry in due:
            job, until = entry["job"], datetime.fromisoformat(entry["until"])
            self._schedules[job] = self._schedules[job].dealt_with(until)

    def _quietly(self, work: Callable[[], None]) -> Callable[[], None]:
        """APScheduler's threads must outlive an API that is away."""

        def attempt() -> None:
            try:
                work()
            except MentorSyncError as error:
                self._log.warning("tick failed", code=error.code, reason=error.message)
            except Exception:
                self._log.exception("tick failed")

        return attempt

    def outdated(self) -> bool:
        """Whether the schema is older than this code."""
        return self.schema is not None and self.schema < SCHEMA_VERSION


def _due_entry(schedule: Schedule, now: datetime) -> Json | None:
    slots = schedule.due(now)
    if not slots:
        return None
    # Of very many missed slots the next tick goes on with the rest.
    until = slots[-1] if len(slots) == MOST else now
    given = [slot.isoformat() for slot in slots]
    return {"job": schedule.job, "slots": given, "until": until.isoformat()}
