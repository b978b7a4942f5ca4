"""The tree of commands, and the one place where an exception becomes an exit code."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from mentor_sync import __version__
from mentor_sync.cli.config import app as config_app
from mentor_sync.cli.db import app as db_app
from mentor_sync.cli.local import app as local_app
from mentor_sync.cli.output import Invocation
from mentor_sync.cli.run import app as run_app
from mentor_sync.cli.sync import sync
from mentor_sync.errors import MentorSyncError, UsageError
from mentor_sync.logs import configure_logs
from mentor_sync.settings import load_settings

app = typer.Typer(
    name="mentor-sync",
    help="Run a mentoring programme on Supabase.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("sync")(sync)
app.add_typer(run_app, name="run")
app.add_typer(db_app, name="db")
app.add_typer(local_app, name="local")
app.add_typer(config_app, name="config")


def _print_version(value: bool) -> None:
    if value:
        typer.echo(f"mentor-sync {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    context: typer.Context,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    invocation = context.find_object(Invocation)
    if invocation is not None:
        invocation.debug = debug
    settings = load_settings()
    # One-shot commands print what they do; their events matter where something is wrong.
    configure_logs("debug" if debug else settings.log_level, settings.log_format)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    invocation = Invocation()
    try:
        code = app(args=arguments, prog_name="mentor-sync", standalone_mode=False, obj=invocation)
    except MentorSyncError as error:
        invocation.fail(error)
        if invocation.debug:
            invocation.stderr.print_exception()
        return error.exit_code
    except typer.TyperException as error:
        # Words that could not be parsed: --json may not have been reached.
        invocation.json = invocation.json or "--json" in (arguments or sys.argv)
        invocation.fail(UsageError(str(error), hint="See mentor-sync --help."))
        return UsageError.exit_code
    except (typer.Abort, KeyboardInterrupt) as stop:
        invocation.note("Stopped.")
        return 143 if isinstance(stop, _Terminated) else 130
    return code if isinstance(code, int) else 0


def run() -> None:
    """The console script. SIGTERM stops a command as Ctrl-C does."""
    signal.signal(signal.SIGTERM, _terminated)
    sys.exit(main())


class _Terminated(KeyboardInterrupt):
    """SIGTERM."""


def _terminated(_number: int, _frame: object) -> None:
    raise _Terminated
