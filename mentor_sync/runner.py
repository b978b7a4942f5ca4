"""Run one job: enqueue, claim, execute, finish. Whatever happens, the run's row says so."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import structlog
from pydantic import ValidationError

from mentor_sync.database import Database, Json
from mentor_sync.errors import MentorSyncError, StaleRun, UsageError
from mentor_sync.job import Job, JobContext, JobResult, Progress, find_job
from mentor_sync.logs import get_logger
from mentor_sync.redaction import redacted
from mentor_sync.settings import Settings

_WORKER = f"{socket.gethostname()}/{os.getpid()}/{uuid4().hex[:8]}"


@dataclass(frozen=True)
class FinishedRun:
    """A run that ended: its id, its status in job_runs, its counts by outcome."""

    id: UUID
    status: str
    counts: dict[str, int]


def run_now(
    database: Database,
    settings: Settings,
    name: str,
    params: Json,
    *,
    report: Callable[[Progress], None] = lambda _progress: None,
) -> FinishedRun:
    """Run a job here and now, in one attempt, as a run like any other.

    Raises:
        UsageError: there is no such job, or its parameters are not such.
        MentorSyncError: the job failed; the run's row holds the reason.
    """
    wanted = find_job(name)
    _validated(wanted, params)
    run_id = uuid4()
    database.rpc("register_jobs", {"p_jobs": [wanted.schedule()]}, expect=int)
    database.rpc(
        "enqueue_run",
        {"p_job": name, "p_params": params, "p_id": str(run_id), "p_max_attempts": 1},
        expect=dict,
    )
    claimed = database.rpc_or_none("claim_run", {"p_worker": _WORKER, "p_run_id": str(run_id)})
    if claimed is None:
        raise StaleRun(
            f"Run {run_id} was taken by another worker.",
            hint=f"Follow it with: mentor-sync run show {run_id}",
        )
    return execute(database, settings, wanted, claimed, report=report)


def execute(
    database: Database,
    settings: Settings,
    wanted: Job[Any],
    run: Json,
    *,
    report: Callable[[Progress], None],
) -> FinishedRun:
    """Execute a claimed run, `run` being its row, and finish it."""
    context = JobContext(
        run_id=UUID(run["id"]),
        fence=run["fence"],
        progress=run["progress"],
        database=database,
        settings=settings,
        log=get_logger("mentor_sync.runner"),
        report=report,
    )
    with structlog.contextvars.bound_contextvars(
        run_id=run["id"], job=wanted.name, attempt=run["attempt"], slot=run["slot"]
    ):
        return _finished(context, wanted, run["params"])


def _finished(context: JobContext, wanted: Job[Any], params: Json) -> FinishedRun:
    context.log.info("run started")
    try:
        result = wanted.run(context, _validated(wanted, params))
    except StaleRun:
        context.log.warning("run lost")
        raise
    except KeyboardInterrupt:
        _record_failure(context, "cancelled", MentorSyncError("Stopped by a signal."))
        raise
    except MentorSyncError as error:
        _record_failure(context, "failed", error)
        raise
    except Exception as error:
        _record_failure(context, "failed", MentorSyncError(f"{type(error).__name__}: {error}"))
        raise
    return _record_success(context, result)


def _record_success(context: JobContext, result: JobResult) -> FinishedRun:
    status = "partial" if result.partial else "succeeded"
    context.database.rpc(
        "finish_run",
        {**context.ownership, "p_status": status, "p_counts": result.counts},
        expect=dict,
    )
    context.log.info("run finished", status=status, **result.counts)
    return FinishedRun(context.run_id, status, result.counts)


def _record_failure(context: JobContext, status: str, error: MentorSyncError) -> None:
    """Note the reason in the run's row, if the API lets us; the lease ends the run otherwise."""
    context.log.error("run failed", status=status, code=error.code, reason=error.message)
    try:
        context.database.rpc(
            "finish_run",
            {**context.ownership, "p_status": status, "p_error": redacted(error.as_json())},
            expect=dict,
        )
    except MentorSyncError as second:
        context.log.warning("run not finished", reason=second.message)


def _validated(wanted: Job[Any], params: Json) -> Any:
    try:
        return wanted.params.model_validate(params)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise UsageError(
            f"{wanted.name} cannot run with {name}: {first['msg']}.",
            hint=f"It takes: {', '.join(wanted.params.model_fields)}.",
        ) from None
