"""Jobs: what one is, what it is given, what it gives back, and where they are found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from typing import Any, Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from mentor_sync.database import Database, Json
from mentor_sync.errors import UsageError
from mentor_sync.logs import Logger
from mentor_sync.settings import Settings

GROUP = "mentor_sync.jobs"
"""Entry points of this group are modules that hold jobs."""


class Params(BaseModel):
    """Parameters of a job: what `job_runs.params` may hold, and nothing else."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


P = TypeVar("P", bound=Params)


@dataclass(frozen=True)
class Progress:
    """How far a run is: rows read so far, about how many there are, counts by outcome."""

    read: int
    about: int
    counts: dict[str, int]
    records: list[Json]
    """The records of the latest chunk."""


@dataclass(frozen=True)
class JobContext:
    """All that a job may use."""

    run_id: UUID
    fence: int
    progress: Json
    """What an earlier attempt left in `job_runs.progress`; empty at first."""
    database: Database
    settings: Settings
    log: Logger
    report: Callable[[Progress], None]

    @property
    def ownership(self) -> Json:
        """The parameters by which a verb sees that the run is still ours."""
        return {"p_run_id": str(self.run_id), "p_fence": self.fence}


@dataclass(frozen=True)
class JobResult:
    """What came out: counts by outcome; partial where rows were set aside."""

    counts: dict[str, int] = field(default_factory=dict)
    partial: bool = False


@dataclass(frozen=True)
class Job(Generic[P]):
    """A job: its name, its defaults for job_schedules, its parameters, its function."""

    name: str
    description: str
    params: type[P]
    run: Callable[[JobContext, P], JobResult]
    cron: str | None = None
    timezone: str = "UTC"
    lease_seconds: int = 60
    max_attempts: int = 3

    def schedule(self) -> Json:
        """Its row in job_schedules."""
        return {
            "job": self.name,
            "description": self.description,
            "cron": self.cron,
            "timezone": self.timezone,
            "lease_seconds": self.lease_seconds,
            "max_attempts": self.max_attempts,
        }


_registry: dict[str, Job[Any]] = {}


def job(
    *, params: type[P], cron: str | None = None, lease_seconds: int = 60, max_attempts: int = 3
) -> Callable[[Callable[[JobContext, P], JobResult]], Job[P]]:
    """Make a function a job; its name is the job's, its docstring's first line describes it."""

    def register(run: Callable[[JobContext, P], JobResult]) -> Job[P]:
        made = Job(
            name=run.__name__,
            description=(run.__doc__ or "").strip().split("\n")[0],
            params=params,
            run=run,
            cron=cron,
            lease_seconds=lease_seconds,
            max_attempts=max_attempts,
        )
        _registry[made.name] = made
        return made

    return register


def load_jobs() -> dict[str, Job[Any]]:
    """Every job that is installed, by name."""
    for point in entry_points(group=GROUP):
        point.load()
    return dict(_registry)


def find_job(name: str) -> Job[Any]:
    """The job of this name.

    Raises:
        UsageError: there is none.
    """
    jobs = load_jobs()
    if name not in jobs:
        raise UsageError(f"There is no job {name}.", hint=f"There are: {', '.join(sorted(jobs))}.")
    return jobs[name]
