"""`mentor-sync run`: what ran, how it went, what it is doing."""

from __future__ import annotations

from string import hexdigits
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.table import Table

from mentor_sync.cli.output import Invocation, JsonOption, invocation_of, plain
from mentor_sync.cli.project import find_project
from mentor_sync.errors import UsageError
from mentor_sync.settings import load_settings

if TYPE_CHECKING:
    from mentor_sync.database import Database

app = typer.Typer(help="Look at the runs of jobs.", no_args_is_help=True)

Status = Literal[
    "queued",
    "running",
    "awaiting_approval",
    "succeeded",
    "partial",
    "failed",
    "dead",
    "cancelled",
]
_SHOWN = "id,job,status,slot,attempt,created_at,started_at,finished_at,counts,error"
_SHORTEST, _LONGEST = 4, 32


@app.command("list")
def list_runs(
    context: typer.Context,
    job: Annotated[str | None, typer.Option("--job", help="Only runs of this job.")] = None,
    status: Annotated[
        Status | None, typer.Option("--status", help="Only runs in this state.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="How many.")] = 20,
    _json: JsonOption = False,
) -> None:
    """List runs, the latest first."""
    invocation = invocation_of(context)
    wanted = {name: value for name, value in (("job", job), ("status", status)) if value}
    with _open(invocation) as database:
        runs = database.select("job_runs", _SHOWN, order="created_at", limit=limit, **wanted)
    invocation.answer({"runs": runs})
    table = Table(box=None, pad_edge=False)
    for title in ("run", "job", "status", "asked for (UTC)"):
        table.add_column(title, no_wrap=True)
    table.add_column("counts", overflow="ellipsis", no_wrap=True)
    for run in runs:
        asked_for = run["created_at"][:16].replace("T", " ")
        cells = run["id"][:8], run["job"], run["status"], asked_for, _counts(run)
        table.add_row(*map(plain, cells))
    invocation.show(table)


@app.command("show")
def show_run(
    context: typer.Context,
    run: Annotated[str, typer.Argument(help="Id of the run, or its beginning.")],
    _json: JsonOption = False,
) -> None:
    """Show one run, whole."""
    invocation = invocation_of(context)
    with _open(invocation) as database:
        found = _find(database, run.lower())
    invocation.answer({"run": found})
    table = Table(box=None, pad_edge=False, show_header=False)
    for name, value in found.items():
        if value not in (None, {}, ""):
            table.add_row(name, plain(str(value)))
    invocation.show(table)


def _open(invocation: Invocation) -> Database:
    settings = load_settings()
    return find_project(invocation, settings).open(settings)


def _find(database: Database, beginning: str) -> dict[str, Any]:
    """The one run whose id begins so.

    Raises:
        UsageError: none does, or more than one.
    """
    digits = beginning.replace("-", "")
    if not _SHORTEST <= len(digits) <= _LONGEST or not set(digits) <= set(hexdigits):
        raise UsageError(f"{beginning} is not the id of a run.", hint="See mentor-sync run list.")
    found = database.rpc("find_runs", {"p_beginning": beginning}, expect=list)
    if len(found) != 1:
        many = "There is no run" if not found else "There is more than one run"
        raise UsageError(f"{many} {beginning}.", hint="See mentor-sync run list.")
    return dict(found[0])


def _counts(run: dict[str, Any]) -> str:
    if run["error"]:
        return str(run["error"].get("message", ""))
    return ", ".join(f"{n:,} {kind}" for kind, n in (run["counts"] or {}).items())
