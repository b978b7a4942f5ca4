"""`mentor-sync sync`: members become mentors, now."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mentor_sync.cli.finished import exit_code
from mentor_sync.cli.output import (
    Invocation,
    JsonOption,
    QuietOption,
    YesOption,
    invocation_of,
)
from mentor_sync.cli.project import Project, find_project
from mentor_sync.cli.sync_report import RecordBook, RecordFile, SyncProgress, print_report
from mentor_sync.settings import Settings, load_settings

if TYPE_CHECKING:
    from mentor_sync.job import Progress
    from mentor_sync.runner import FinishedRun

JOB = "sync_mentor_profiles"


def sync(
    context: typer.Context,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Do everything, and roll it back.")
    ] = False,
    no_auto_approve: Annotated[
        bool,
        typer.Option("--no-auto-approve", help="New mentors wait for approval, unlisted."),
    ] = False,
    email: Annotated[
        str | None,
        typer.Option("--email", metavar="ADDRESS", help="Only the member with this address."),
    ] = None,
    csv: Annotated[
        Path | None,
        typer.Option(
            "--csv", metavar="FILE", help="Write a line per record to this file.", dir_okay=False
        ),
    ] = None,
    max_changes: Annotated[
        int | None,
        typer.Option(
            "--max-changes", min=0, metavar="N", help="Deactivate up to N mentors unasked."
        ),
    ] = None,
    as_json: JsonOption = False,
    yes: YesOption = False,
    quiet: QuietOption = False,
) -> int:
    """Make mentors of the active members of type mentor, and keep them in step.

    Running it again changes nothing. Exit 3 when rows were set aside; 5 when it would
    deactivate so many mentors that somebody must approve it.
    """
    invocation = invocation_of(context)
    params: dict[str, object] = {
        "dry_run": dry_run,
        "auto_approve": False if no_auto_approve else None,
        "email": email,
        "max_changes": max_changes,
        "every_record": csv is not None,
    }
    return sync_project(invocation, load_settings(), params, csv=csv, yes=yes)


def sync_project(
    invocation: Invocation,
    settings: Settings,
    params: dict[str, object],
    *,
    csv: Path | None,
    yes: bool,
) -> int:
    """Run the job, show what came out, and return the exit code."""
    project = find_project(invocation, settings)
    if not params["dry_run"]:
        project.confirm(invocation, f"Sync the mentors of {project.name}?", yes=yes)
    run, book = run_sync(invocation, settings, project, params, csv=csv)
    return _answer(invocation, run, book, dry_run=bool(params["dry_run"]), project=project.name)


def run_sync(
    invocation: Invocation,
    settings: Settings,
    project: Project,
    params: dict[str, object],
    *,
    csv: Path | None = None,
) -> tuple[FinishedRun, RecordBook]:
    """Run the job under a progress bar: the run, and the records worth showing."""
    from mentor_sync.runner import run_now

    book = RecordBook()
    with ExitStack() as stack:
        database = stack.enter_context(project.open(settings))
        file = stack.enter_context(RecordFile(csv)) if csv else None
        progress = stack.enter_context(SyncProgress(invocation))

        def report(latest: Progress) -> None:
            book.add(latest.records)
            progress.show(latest)
            if file:
                file.write(latest.records)

        run = run_now(database, settings, JOB, params, report=report)
    return run, book


def _answer(
    invocation: Invocation, run: FinishedRun, book: RecordBook, *, dry_run: bool, project: str
) -> int:
    invocation.answer({"run_id": str(run.id), "dry_run": dry_run, **book.as_json(run.counts)})
    print_report(invocation, run, book, dry_run=dry_run, project=project)
    return exit_code(run)
