"""Run one job: enqueue, claim, execute, finish. Whatever happens, the run's row says so."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event
from typing import Any
from uuid import UUID, uuid4

import structlog
from pydantic import ValidationError

from mentor_sync.database import Database, Json
from mentor_sync.errors import ApprovalNeeded, MentorSyncError, StaleRun, UsageError
from mentor_sync.heartbeat import Heartbeat
from mentor_sync.job import Job, JobContext, JobResult, Progress, find_job
from mentor_sync.logs import get_logger
from mentor_sync.redaction import redacted, storable
from mentor_sync.settings import Settings

Report = Callable[[Progress], None]

WORKER = f"{socket.gethostname()}/{os.getpid()}/{uuid4().hex[:8]}"
"""This process, as `job_runs.worker` names it."""


class GivenBack(MentorSyncError):
    """The worker stops; the run waits for another."""

    default_code = "released"


@dataclass(frozen=True)
class FinishedRun:
    """A run that ended: its id, its status in job_runs, its counts by outcome."""

    id: UUID
    status: str
    counts: dict[str, int]


def _silently(_progress: Progress) -> None:
    """Nobody watches."""


def run_now(
    database: Database,
    settings: Settings,
    name: str,
    params: Json,
    *,
    report: Report = _silently,
) -> FinishedRun:
    """Run a job here and now, in one attempt, as a run like any other.

    Raises:
        UsageError: there is no such job, or its parameters are not such.
        MentorSyncError: the job failed; the run's row holds the reason.
    """
    # Asked for and claimed in one call, so that no daemon comes in between.
    run = _asked(database, name, params, {"p_max_attempts": 1, "p_worker": WORKER})
    return execute(database, settings, run, report=report)


def enqueue(database: Database, name: str, params: Json) -> UUID:
    """Ask for a run: its id.

    Raises:
        UsageError: there is no such job, or its parameters are not such.
    """
    return UUID(_asked(database, name, params, {})["id"])


def _asked(database: Database, name: str, params: Json, more: Json) -> Json:
    """The run's row."""
    wanted = find_job(name)
    _validated(wanted, params)
    database.rpc("register_jobs", {"p_jobs": [wanted.schedule()]}, expect=int)
    asked = {"p_job": name, "p_params": params, "p_id": str(uuid4()), **more}
    return database.rpc("enqueue_run", asked, expect=dict)


def run_queued(
    database: Database, settings: Settings, run_id: UUID, *, report: Report = _silently
) -> FinishedRun:
    """Take a run that waits, and execute it here.

    Raises:
        StaleRun: another worker has it.
        MentorSyncError: the job failed; the run's row holds the reason.
    """
    claimed = database.rpc("claim_runs", {"p_worker": WORKER, "p_run_id": str(run_id)}, expect=list)
    if not claimed:
        raise StaleRun(
            f"Run {run_id} was taken by another worker.",
            hint=f"Follow it with: mentor-sync run show {run_id}",
        )
    return execute(database, settings, claimed[0], report=report)


def execute(
    database: Database,
    settings: Settings,
    run: Json,
    *,
    report: Report = _silently,
    stopping: Event | None = None,
) -> FinishedRun:
    """Execute a claimed run, `run` being its row, and finish it.

    Args:
        stopping: once it is set the run is given back after the chunk under way.
    """
    log = get_logger("mentor_sync.runner")
    bound = {"run_id": run["id"], "attempt": run["attempt"], "slot": run["slot"]}
    with (
        structlog.contextvars.bound_contextvars(job=run["job"], **bound),
        Heartbeat(database, run) as heartbeat,
    ):

        def checkpoint(progress: Progress) -> None:
            report(progress)
            heartbeat.check()
            if stopping and stopping.is_set():
                raise GivenBack

        context = JobContext(
            run_id=UUID(run["id"]),
            fence=run["fence"],
            progress=run["progress"],
            database=database,
            settings=settings,
            log=log,
            report=checkpoint,
        )
        return _finished(context, run)


def _finished(context: JobContext, run: Json) -> FinishedRun:
    context.log.info("run started")
    try:
        wanted = find_job(run["job"])
        result = _checked(wanted, wanted.run(context, _validated(wanted, run["params"])))
        return _succeeded(context, result)
    except StaleRun as error:
        context.log.warning("run lost", code=error.code, reason=error.message)
        raise
    except KeyboardInterrupt:
        _record(context, "cancelled", MentorSyncError("Stopped by a signal."))
        raise
    except GivenBack as error:
        _record(context, "released", error)
        raise
    except ApprovalNeeded as error:
        _record(context, "awaiting_approval", error)
        raise
    except MentorSyncError as error:
        _record(context, "failed", error)
        raise
    except SystemExit as error:
        # A job may not end the process, nor choose its exit code.
        left = MentorSyncError(f"The job called sys.exit({error.code}).")
        _record(context, "failed", left)
        raise left from error
    except Exception as error:
        _record(context, "failed", MentorSyncError(f"{type(error).__name__}: {error}"))
        raise


def _checked(wanted: Job[Any], result: Any) -> JobResult:
    """A job's function may come from anywhere."""
    if not isinstance(result, JobResult):
        raise MentorSyncError(
            f"{wanted.name} returned {type(result).__name__} instead of JobResult."
        )
    for kind, number in result.counts.items():
        if type(number) is not int or number < 0:
            raise MentorSyncError(f"{wanted.name} counted {kind} as {number!r}, which is no count.")
    return result


def _succeeded(context: JobContext, result: JobResult) -> FinishedRun:
    status = "partial" if result.partial else "succeeded"
    _finish(context, status, counts=result.counts)
    context.log.info("run finished", status=status, **result.counts)
    return FinishedRun(context.run_id, status, result.counts)


def _record(context: JobContext, status: str, error: MentorSyncError) -> None:
    """Note the reason in the run's row, if the API lets us; the lease ends the run otherwise."""
    level = context.log.error if status == "failed" else context.log.warning
    level("run ended", status=status, code=error.code, reason=error.message)
    bare = {"code": error.code, "message": "It failed; the log has the reason.", "hint": ""}
    for reason in (storable(redacted(error.as_json())), bare):
        try:
            _finish(context, status, error=reason)
        except MentorSyncError as second:
            context.log.warning("run not finished", reason=second.message)
            if second.retryable or isinstance(second, StaleRun):
                return
        else:
            return


def _finish(context: JobContext, status: str, **more: Any) -> None:
    result = {"id": str(context.run_id), "fence": context.fence, "status": status, **more}
    answer = context.database.rpc("finish_runs", {"p_results": [result]}, expect=dict)
    if answer["stale"]:
        raise StaleRun(
            f"Run {context.run_id} is not yours any more.",
            hint=f"See: mentor-sync run show {context.run_id}",
        )


def _validated(wanted: Job[Any], params: Json) -> Any:
    try:
        return wanted.params.model_validate(params)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise UsageError(
            f"{wanted.name} cannot run with {name}: {first['msg']}.",
            hint=f"It takes: {', '.join(wanted.params.model_fields) or 'nothing'}.",
        ) from None
