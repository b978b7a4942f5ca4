"""`mentor-sync run approve|retry|cancel|undo`: what a person decides about a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from mentor_sync.cli.finished import exit_code, tell
from mentor_sync.cli.output import Invocation, JsonOption, YesOption, invocation_of
from mentor_sync.cli.project import find_project
from mentor_sync.cli.run import RunArgument, find_run
from mentor_sync.errors import UsageError
from mentor_sync.settings import Settings, load_settings

if TYPE_CHECKING:
    from mentor_sync.database import Database
    from mentor_sync.job import Progress
    from mentor_sync.runner import FinishedRun

SHOWN = 20
QueueOption = Annotated[
    bool, typer.Option("--queue", help="Leave it to a daemon instead of running it here.")
]


def approve_run(
    context: typer.Context,
    run: RunArgument,
    queue: QueueOption = False,
    yes: YesOption = False,
    _json: JsonOption = False,
) -> int:
    """Let a run do what it asked for, here and now."""
    invocation, settings = invocation_of(context), load_settings()
    project = find_project(invocation, settings)
    with project.open(settings) as database:
        found = find_run(database, run)
        project.confirm(invocation, f"Approve {_reason(found)} on {project.name}?", yes=yes)
        database.rpc("approve_run", {"p_run_id": found["id"]}, expect=dict)
        return _go_on(invocation, settings, database, UUID(found["id"]), queue=queue)


def retry_run(
    context: typer.Context,
    run: RunArgument,
    queue: QueueOption = False,
    yes: YesOption = False,
    _json: JsonOption = False,
) -> int:
    """Run again what failed: the rest of a run that broke off, or the rows it set aside."""
    invocation, settings = invocation_of(context), load_settings()
    project = find_project(invocation, settings)
    with project.open(settings) as database:
        found = find_run(database, run)
        project.confirm(invocation, f"Run {found['job']} again on {project.name}?", yes=yes)
        run_id = _again(database, found)
        return _go_on(invocation, settings, database, run_id, queue=queue)


def cancel_run(context: typer.Context, run: RunArgument, _json: JsonOption = False) -> None:
    """Stop a run: what it has not committed by now is refused."""
    invocation, settings = invocation_of(context), load_settings()
    with find_project(invocation, settings).open(settings) as database:
        found = find_run(database, run)
        cancelled = database.rpc("cancel_run", {"p_run_id": found["id"]}, expect=dict)
    invocation.answer({"run": cancelled})
    invocation.say(f"Run {found['id']} is cancelled. It was {found['status']}.")


def undo_run(
    context: typer.Context,
    run: RunArgument,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Do everything, and roll it back.")
    ] = False,
    yes: YesOption = False,
    _json: JsonOption = False,
) -> int:
    """Take back what a run changed. Rows that anybody changed since are kept and listed."""
    from mentor_sync.runner import run_now

    invocation, settings = invocation_of(context), load_settings()
    project = find_project(invocation, settings)
    kept: list[dict[str, Any]] = []
    with project.open(settings) as database:
        found = find_run(database, run)
        _refuse_unfinished(found)
        if not dry_run:
            what = f"{found['job']} of {found['created_at']}"
            project.confirm(invocation, f"Undo {what} on {project.name}?", yes=yes)
        params = {"run_id": found["id"], "dry_run": dry_run}

        def report(progress: Progress) -> None:
            kept.extend(progress.records)

        finished = run_now(database, settings, "undo_run", params, report=report)
    _show_undone(invocation, finished, kept, dry_run=dry_run)
    return exit_code(finished)


def _show_undone(
    invocation: Invocation, run: FinishedRun, kept: list[dict[str, Any]], *, dry_run: bool
) -> None:
    undone = run.counts.get("undone", 0)
    numbers = {"undone": undone, "kept": run.counts.get("kept", 0)}
    invocation.answer({"run_id": str(run.id), "dry_run": dry_run, **numbers, "kept_rows": kept})
    invocation.say(f"{undone:,} rows {'would be ' if dry_run else ''}put back.")
    for row in kept[:SHOWN]:
        invocation.say(f"  kept: {row['relation']} {row['row_id']}: {row['reason']}")
    if numbers["kept"] > SHOWN:
        invocation.say(f"  ... and {numbers['kept'] - SHOWN:,} more; --json lists them")
    invocation.say(f"Run {run.id}: {run.status}.")


def _reason(run: dict[str, Any]) -> str:
    return f"{run['job']} ({(run['error'] or {}).get('message', run['status'])})"


def _again(database: Database, run: dict[str, Any]) -> UUID:
    """The run to execute: the same one, or a new one for the rows that were set aside."""
    from mentor_sync.job import find_job
    from mentor_sync.runner import enqueue

    if run["status"] != "partial":
        database.rpc("retry_run", {"p_run_id": run["id"]}, expect=dict)
        return UUID(run["id"])
    if "only_rejected" not in find_job(run["job"]).params.model_fields:
        raise UsageError(
            f"{run['job']} sets no rows aside that could be tried again.",
            hint=f"See: mentor-sync run show {run['id']}",
        )
    return enqueue(database, run["job"], {**run["params"], "only_rejected": True})


def _go_on(
    invocation: Invocation, settings: Settings, database: Database, run_id: UUID, *, queue: bool
) -> int:
    from mentor_sync.runner import run_queued

    if queue:
        invocation.answer({"run_id": str(run_id), "status": "queued"})
        invocation.say(f"Run {run_id} waits for a daemon.")
        return 0
    return tell(invocation, run_queued(database, settings, run_id))


def _refuse_unfinished(run: dict[str, Any]) -> None:
    if run["status"] in {"queued", "running"}:
        raise UsageError(
            f"Run {run['id']} is {run['status']}.",
            hint=f"First: mentor-sync run cancel {run['id']}",
        )
