"""`mentor-sync job`: the jobs there are, and running one here and now."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
from rich.table import Table

from mentor_sync.cli.finished import tell
from mentor_sync.cli.output import JsonOption, YesOption, invocation_of, plain
from mentor_sync.cli.project import find_project
from mentor_sync.errors import UsageError
from mentor_sync.settings import load_settings

app = typer.Typer(help="See the jobs, and run one here.", no_args_is_help=True)


@app.command("list")
def list_jobs(context: typer.Context, _json: JsonOption = False) -> None:
    """List the jobs that are installed, with what they take."""
    from mentor_sync.job import load_jobs

    invocation = invocation_of(context)
    jobs = load_jobs()
    invocation.answer(
        {
            "jobs": [
                {**job.schedule(), "params": list(job.params.model_fields)} for job in jobs.values()
            ]
        }
    )
    table = Table(box=None, pad_edge=False)
    for title in ("job", "does", "takes"):
        table.add_column(title)
    for name, job in sorted(jobs.items()):
        table.add_row(*map(plain, (name, job.description, ", ".join(job.params.model_fields))))
    invocation.show(table)


@app.command("run")
def run_job(
    context: typer.Context,
    job: Annotated[str, typer.Argument(help="Name of the job.")],
    params: Annotated[
        str, typer.Option("--params", metavar="JSON", help="""As in '{"dry_run": true}'.""")
    ] = "{}",
    yes: YesOption = False,
    _json: JsonOption = False,
) -> int:
    """Run a job here and now, as a run like any other."""
    from mentor_sync.runner import run_now

    invocation, settings = invocation_of(context), load_settings()
    project = find_project(invocation, settings)
    given = _parsed(params)
    project.confirm(invocation, f"Run {job} on {project.name}?", yes=yes)
    with project.open(settings) as database:
        run = run_now(database, settings, job, given)
    return tell(invocation, run)


def _parsed(params: str) -> dict[str, Any]:
    try:
        given = json.loads(params)
    except ValueError as error:
        raise UsageError(f"--params is no JSON: {error}.") from None
    if not isinstance(given, dict):
        raise UsageError("--params must be a JSON object.", hint="""As in '{"dry_run": true}'.""")
    return given
