"""`mentor-sync run`: what ran, how it went, what it is doing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from string import hexdigits
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.table import Table
from rich.text import Text

from mentor_sync.cli.finished import in_words
from mentor_sync.cli.output import JsonOption, invocation_of, plain
from mentor_sync.cli.project import open_project
from mentor_sync.clock import utc_now
from mentor_sync.errors import UsageError

if TYPE_CHECKING:
    from mentor_sync.database import Database

app = typer.Typer(help="See the runs of jobs, and decide about them.", no_args_is_help=True)

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
_SHOWN = (
    "id,job,status,slot,attempt,created_at,started_at,finished_at,lease_expires_at,params,counts,"
    "error"
)
_SHORTEST, _LONGEST = 4, 32
_WIDEST = 60
RunArgument = Annotated[str, typer.Argument(help="Id of the run, or its beginning.")]


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
    with open_project(invocation) as database:
        runs = database.select("job_runs", _SHOWN, order="created_at", limit=limit, **wanted)
    invocation.answer({"runs": runs})
    table = Table(box=None, pad_edge=False)
    # At 80 columns the first four fit; only the last is cut, however long an error is.
    longest_job = max(30, invocation.stdout.width - 50)
    for title in ("run", "job", "status", "asked for (UTC)"):
        table.add_column(title, no_wrap=True, max_width=longest_job)
    table.add_column("counts")
    for run in runs:
        asked_for = run["created_at"][:16].replace("T", " ")
        cells = map(plain, (run["id"][:8], _job(run), _status(run), asked_for))
        table.add_row(*cells, _on_one_line(_counts(run)))
    invocation.show(table)


@app.command("show")
def show_run(
    context: typer.Context,
    run: RunArgument,
    changes: Annotated[
        bool, typer.Option("--changes", help="What it changed, row by row.")
    ] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many changes to show.")] = 100,
    _json: JsonOption = False,
) -> None:
    """Show one run, whole."""
    invocation = invocation_of(context)
    with open_project(invocation) as database:
        found = find_run(database, run)
        rows = list(islice(_changes(database, found["id"]), limit)) if changes else None
    invocation.answer({"run": found} if rows is None else {"run": found, "changes": rows})
    table = Table(box=None, pad_edge=False, show_header=False)
    for name, value in found.items():
        if value not in (None, {}, ""):
            table.add_row(name, plain(str(value)))
    invocation.show(table)
    for row in rows or ():
        invocation.say(f"{row['action']} {row['relation']} {row['row_id']}: {_difference(row)}")


def _changes(database: Database, run_id: str) -> Iterator[dict[str, Any]]:
    """What a run changed, in order, read page by page."""
    after = {"p_after_chunk": 0, "p_after": 0}
    while True:
        asked = {"p_run_id": run_id, "p_limit": 1000, **after}
        page = database.rpc("changes_of_run", asked, expect=list)
        if not page:
            return
        yield from page
        after = {"p_after_chunk": page[-1]["chunk"], "p_after": page[-1]["id"]}


def _difference(change: dict[str, Any]) -> str:
    before, after = change["before"] or {}, change["after"]
    return ", ".join(
        f"{name} {_short(before[name])} -> {_short(value)}" if before else f"{name} {_short(value)}"
        for name, value in after.items()
        if value != before.get(name) and name != "id"
    )


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _WIDEST else f"{text[:_WIDEST]}..."


def find_run(database: Database, beginning: str) -> dict[str, Any]:
    """The one run whose id begins so, in upper or lower case.

    Raises:
        UsageError: none does, or more than one.
    """
    beginning = beginning.lower()
    digits = beginning.replace("-", "")
    if not _SHORTEST <= len(digits) <= _LONGEST or not set(digits) <= set(hexdigits):
        raise UsageError(f"{beginning} is not the id of a run.", hint="See mentor-sync run list.")
    found = database.rpc("find_runs", {"p_beginning": beginning}, expect=list)
    if len(found) != 1:
        many = "There is no run" if not found else "There is more than one run"
        raise UsageError(f"{many} {beginning}.", hint="See mentor-sync run list.")
    return dict(found[0])


def _job(run: dict[str, Any]) -> str:
    return f"{run['job']} (dry run)" if run["params"].get("dry_run") is True else str(run["job"])


def _status(run: dict[str, Any]) -> str:
    """The state; for display only, a lease is compared with the clock of this machine."""
    is_leased = run["status"] == "running" and run["lease_expires_at"]
    is_silent = is_leased and datetime.fromisoformat(run["lease_expires_at"]) < utc_now()
    return "running (silent)" if is_silent else str(run["status"])


def _on_one_line(text: str) -> Text:
    cell = plain(text)
    cell.no_wrap = True
    return cell


def _counts(run: dict[str, Any]) -> str:
    if run["error"]:
        return str(run["error"].get("message", ""))
    return in_words(run["counts"] or {})
