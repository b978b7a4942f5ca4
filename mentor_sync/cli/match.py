"""`mentor-sync match`: open requests are offered to mentors, now; and what is known of offers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from mentor_sync.cli.finished import exit_code
from mentor_sync.cli.match_advise import advise
from mentor_sync.cli.match_explain import explain
from mentor_sync.cli.match_replay import replay
from mentor_sync.cli.match_report import match_document, print_match
from mentor_sync.cli.output import (
    Invocation,
    JsonOption,
    QuietOption,
    YesOption,
    invocation_of,
)
from mentor_sync.cli.person import find_person
from mentor_sync.cli.project import Project, find_project
from mentor_sync.settings import Settings, load_settings

if TYPE_CHECKING:
    from mentor_sync.database import Database
    from mentor_sync.job import Progress
    from mentor_sync.runner import FinishedRun

JOB = "build_match_batches"
app = typer.Typer(invoke_without_command=True)
app.command("explain")(explain)
app.command("replay")(replay)
app.command("advise")(advise)


@app.callback()
def match(
    context: typer.Context,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Do everything, and roll it back.")
    ] = False,
    student: Annotated[
        str | None,
        typer.Option(
            "--student", metavar="ID", help="Only the request of this student: id or address."
        ),
    ] = None,
    as_json: JsonOption = False,
    yes: YesOption = False,
    quiet: QuietOption = False,
) -> int | None:
    """Offer every open request to the three mentors who suit it best and have room.

    Running it again changes nothing: a request that is offered does not wait.
    """
    if context.invoked_subcommand is not None:
        return None
    invocation, settings = invocation_of(context), load_settings()
    project = find_project(invocation, settings)
    if not dry_run:
        project.confirm(invocation, f"Offer students to mentors of {project.name}?", yes=yes)
    return _match(invocation, settings, project, student, dry_run=dry_run)


def _match(
    invocation: Invocation,
    settings: Settings,
    project: Project,
    who: str | None,
    *,
    dry_run: bool,
) -> int:
    with project.open(settings) as database:
        student = find_person(database, who) if who is not None else None
        params = {"dry_run": dry_run, "student_id": student["id"] if student else None}
        run, records = run_match(database, settings, params)
    invocation.answer(match_document(run, records, dry_run=dry_run))
    print_match(invocation, run, records, student, dry_run=dry_run, project=project.name)
    return exit_code(run)


def run_match(
    database: Database, settings: Settings, params: dict[str, object]
) -> tuple[FinishedRun, list[dict[str, Any]]]:
    """Run the job: the run, and its requests one by one, as far as it reports them."""
    from mentor_sync.runner import run_now

    records: list[dict[str, Any]] = []

    def report(latest: Progress) -> None:
        records.extend(latest.records)

    return run_now(database, settings, JOB, params, report=report), records
