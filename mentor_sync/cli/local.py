"""`mentor-sync local`: PostgreSQL, PostgREST and a gateway on this machine, without Docker."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Annotated

import typer

from mentor_sync.cli.output import Invocation, JsonOption, YesOption, invocation_of
from mentor_sync.settings import load_settings

if TYPE_CHECKING:
    from mentor_sync.local.stack import Stack
    from mentor_sync.local.status import Status

app = typer.Typer(help="Run a Supabase-like stack on this machine.", no_args_is_help=True)

DbUrlOption = Annotated[
    str | None,
    typer.Option(
        "--db-url",
        help="Run over this PostgreSQL (15 to 18) instead of one of our own.",
        metavar="postgresql://...",
    ),
]


@app.command("up")
def up(context: typer.Context, db_url: DbUrlOption = None, _json: JsonOption = False) -> None:
    """Start the stack, or repair it; at once when it is up."""
    invocation, stack = invocation_of(context), _stack()
    if not stack.status().up:
        invocation.note(f"Starting the local stack in {stack.folder} ...")
    _show(invocation, stack.up(db_url))
    invocation.note('To use it in this shell: eval "$(mentor-sync local env)"')


@app.command("down")
def down(context: typer.Context, _json: JsonOption = False) -> None:
    """Stop the stack; the data, the keys and the ports stay."""
    invocation, stack = invocation_of(context), _stack()
    stack.down()
    invocation.say(f"The local stack in {stack.folder} is down.")
    invocation.answer(stack.status().as_dict())


@app.command("status")
def status(context: typer.Context, _json: JsonOption = False) -> None:
    """Show what is running; exit code 0 when everything is, else 1."""
    invocation = invocation_of(context)
    found = _stack().status()
    _show(invocation, found)
    if not found.up:
        invocation.note("Start or repair it: mentor-sync local up")
        raise typer.Exit(1)


@app.command("reset")
def reset(context: typer.Context, yes: YesOption = False, _json: JsonOption = False) -> None:
    """Delete the stack's data and start a fresh one, with the same keys and ports."""
    invocation, stack = invocation_of(context), _stack()
    invocation.confirm(f"Delete all data of the local stack in {stack.folder}?", yes=yes)
    _show(invocation, stack.reset())


@app.command("env")
def env(context: typer.Context, _json: JsonOption = False) -> None:
    """Print what a shell needs to use the stack: eval "$(mentor-sync local env)"."""
    invocation = invocation_of(context)
    values = _stack().environment()
    for name, value in values.items():
        invocation.say(f"export {name}={shlex.quote(value)}")
    invocation.answer(dict(values))


def _stack() -> Stack:
    from mentor_sync.local.stack import Stack

    return Stack(load_settings())


def _show(invocation: Invocation, found: Status) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for title in ("part", "state", "port", "process", "version", "restarts"):
        table.add_column(title)
    for part in found.parts:
        cells = (part.port, part.pid, part.version, part.restarts or "")
        state = "up" if part.up else "down"
        table.add_row(part.name, state, *(str(cell) if cell else "" for cell in cells))
    invocation.show(table)
    supervisor = found.supervisor_pid or "not running"
    invocation.say(f"{found.url or 'no stack yet'} in {found.folder}, supervisor {supervisor}")
    invocation.answer(found.as_dict(), ok=found.up)
