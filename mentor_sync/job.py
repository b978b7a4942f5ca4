"""Jobs: what one is, what it is given, what it gives back, and where they are found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from typing import Any, Generic, TypedDict, TypeVar, Unpack
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from mentor_sync.database import Database, Json
from mentor_sync.errors import UsageError
from mentor_sync.logs import Logger
from mentor_sync.schedule import CatchUp
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
    """To be called after each chunk: it raises when the run is to be given back, or is lost."""

    @property
    def ownership(self) -> Json:
        """The parameters by which a verb sees that the run is still ours."""
        return {"p_run_id": str(self.run_id), "p_fence": self.fence}


@dataclass(frozen=True)
class JobResult:
    """What came out: counts by outcome; partial where rows were set aside."""

    counts: dict[str, int] = field(default_factory=dict)
    partial: bool = False


class Defaults(TypedDict, total=False):
    """What job_schedules holds for a job until somebody edits it; see the columns' comments."""

    cron: str
    catch_up: CatchUp
    max_age_seconds: int
    coalesce_slots: bool
    max_concurrent: int | None
    jitter_seconds: int
    timeout_seconds: int
    lease_seconds: int
    max_attempts: int
    keep_days: int


_DEFAULTS: dict[str, Any] = {
    "cron": None,
    "catch_up": "one",
    "max_age_seconds": 86_400,
    "coalesce_slots": True,
    "max_concurrent": 1,
    "jitter_seconds": 0,
    "timeout_seconds": 3_600,
    "lease_seconds": 60,
    "max_attempts": 3,
    "keep_days": 90,
}


@dataclass(frozen=True)
class Job(Generic[P]):
    """A job: its name, its parameters, its function, its defaults for job_schedules."""

    name: str
    description: str
    params: type[P]
    run: Callable[[JobContext, P], JobResult]
    defaults: Defaults = field(default_factory=Defaults)

    def schedule(self) -> Json:
        """Its row in job_schedules."""
        return {
            "job": self.name,
            "description": self.description,
            **_DEFAULTS,
            **self.defaults,
        }


_registry: dict[str, Job[Any]] = {}


def job(
    *, params: type[P], **defaults: Unpack[Defaults]
) -> Callable[[Callable[[JobContext, P], JobResult]], Job[P]]:
    """Make a function a job; its name is the job's, its docstring's first line describes it."""

    def register(run: Callable[[JobContext, P], JobResult]) -> Job[P]:
        made = Job(
            name=run.__name__,
            description=(run.__doc__ or "").strip().split("\n")[0],
            params=params,
            run=run,
            defaults=defaults,
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
    # Reading what is installed takes milliseconds, which a daemon would pay for each run.
    jobs = _registry if name in _registry else load_jobs()
    if name not in jobs:
        raise UsageError(f"There is no job {name}.", hint=f"There are: {', '.join(sorted(jobs))}.")
    return jobs[name]
