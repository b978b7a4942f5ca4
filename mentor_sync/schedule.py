"""When a job runs: cron in a time zone, the slots that are due, and those that were missed.

A slot is a time of the schedule, in UTC. Cron is Debian's (cronsim): at a clock change a job of
a fixed time runs once, at the next existing minute; one of every hour runs every real hour.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Any, Literal, Self
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

CatchUp = Literal["skip", "one", "all"]
ON_TIME = timedelta(seconds=60)
"""A slot younger than this was not missed."""
MOST = 10_000
"""Slots that one pass catches up; the next goes on."""
ALIASES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_FIELDS = 5


class BadSchedule(ValueError):
    """A cron expression or a time zone that is none; the message says which and why."""


@dataclass(frozen=True)
class Cron:
    """A cron expression in a time zone.

    Raises:
        BadSchedule: either is none.
    """

    expression: str
    timezone: str

    def __post_init__(self) -> None:
        if len(self._fields.split()) != _FIELDS:
            raise BadSchedule(
                f"cron: {self.expression!r} has not five fields: minute, hour, day of the month, "
                "month, day of the week."
            )
        now = datetime.now(self._zone)
        try:
            CronSim(self._fields, now)
        except (CronSimError, ValueError) as error:
            raise BadSchedule(f"cron: {self.expression!r}: {error}.") from None

    def after(self, moment: datetime) -> Iterator[datetime]:
        """The slots after this moment, in UTC, without end unless there are no more."""
        for slot in CronSim(self._fields, moment.astimezone(self._zone)):
            utc = slot.astimezone(UTC)
            if utc > moment:
                yield utc

    def explain(self) -> str:
        """In words: At 02:00 every day."""
        return CronSim(self._fields, datetime.now(self._zone)).explain()

    @property
    def _fields(self) -> str:
        trimmed = self.expression.strip()
        return ALIASES.get(trimmed.lower(), trimmed)

    @property
    def _zone(self) -> ZoneInfo:
        try:
            return ZoneInfo(self.timezone)
        except (OSError, ValueError, KeyError):
            raise BadSchedule(
                f"timezone: {self.timezone!r} is no IANA time zone such as Europe/Berlin."
            ) from None


@dataclass(frozen=True)
class Schedule:
    """A row of job_schedules, as far as it says when the job runs."""

    job: str
    cron: Cron | None
    enabled: bool
    catch_up: CatchUp
    max_age: timedelta
    scheduled_until: datetime
    error: str | None = None
    """Why the row's own cron is not in effect; the one that was accepted before it is."""

    @classmethod
    def of(cls, row: dict[str, Any], programme_timezone: str) -> Self:
        """From the row; one that cannot be read leaves the schedule that was accepted before."""
        cron, error = None, None
        try:
            cron = _cron(row["cron"], row["timezone"] or programme_timezone)
        except BadSchedule as bad:
            cron, error = _accepted(row), str(bad)
        return cls(
            job=row["job"],
            cron=cron,
            enabled=row["enabled"],
            catch_up=row["catch_up"],
            max_age=timedelta(seconds=row["max_age_seconds"]),
            scheduled_until=datetime.fromisoformat(row["scheduled_until"]),
            error=error,
        )

    def next_slots(self, after: datetime) -> Iterator[datetime]:
        """When it runs after this moment; never while it is paused."""
        if self.cron is None or not self.enabled:
            return iter(())
        return self.cron.after(max(after, self.scheduled_until))

    def due(self, now: datetime) -> list[datetime]:
        """The slots to run now: the one that is due, and those missed that are caught up."""
        age = max(ON_TIME, self.max_age) if self.catch_up != "skip" else ON_TIME
        since = max(self.scheduled_until, now - age)
        slots = list(takewhile(lambda slot: slot <= now, self.next_slots(since)))
        return slots[:MOST] if self.catch_up == "all" else slots[-1:]

    def dealt_with(self, until: datetime) -> Self:
        """The same, with all slots up to this moment behind it."""
        return replace(self, scheduled_until=max(self.scheduled_until, until))

    def verdict(self, now: datetime) -> dict[str, Any]:
        """What the row is told: what is in effect, when it runs next, what is wrong."""
        following = next(self.next_slots(now), None)
        return {
            "job": self.job,
            "error": self.error,
            "cron": self.cron.expression if self.cron else None,
            "timezone": self.cron.timezone if self.cron else None,
            "next_slot_at": following.isoformat() if following else None,
        }


def _cron(expression: str | None, timezone: str) -> Cron | None:
    return Cron(expression, timezone) if expression and expression.strip() else None


def _accepted(row: dict[str, Any]) -> Cron | None:
    try:
        return _cron(row["accepted_cron"], row["accepted_timezone"] or "UTC")
    except BadSchedule:
        return None
