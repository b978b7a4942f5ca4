"""The tree of commands, and the one place where an exception becomes an exit code."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from mentor_sync import __version__
from mentor_sync.cli.assign import assign
from mentor_sync.cli.config import app as config_app
from mentor_sync.cli.daemon import daemon, health
from mentor_sync.cli.db import app as db_app
from mentor_sync.cli.demo import demo
from mentor_sync.cli.email import app as email_app
from mentor_sync.cli.job import app as job_app
from mentor_sync.cli.local import app as local_app
from mentor_sync.cli.match import app as match_app
from mentor_sync.cli.output import Invocation
from mentor_sync.cli.run import app as run_app
from mentor_sync.cli.run_actions import approve_run, cancel_run, retry_run, undo_run
from mentor_sync.cli.schedule import app as schedule_app
from mentor_sync.cli.simulate import app as simulate_app
from mentor_sync.cli.sync import sync
from mentor_sync.errors import MentorSyncError, UsageError
from mentor_sync.logs import configure_logs
from mentor_sync.settings import load_settings


class _Stopped(MentorSyncError):
    """Stopped."""

    exit_code = 130
    default_code = "stopped"


class _Terminated(_Stopped):
    """Stopped by SIGTERM."""

    exit_code = 143


class _SigTerm(KeyboardInterrupt):
    """SIGTERM, which stops a command as Ctrl-C does."""


class _Commands(TyperGroup):
    def invoke(self, ctx: Any) -> Any:
        """Typer would make 130 of every interrupt."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as stop:
            raise _Terminated if isinstance(stop, _SigTerm) else _Stopped from None


app = typer.Typer(
    name="mentor-sync",
    cls=_Commands,
    help="Run a mentoring programme on Supabase.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("sync")(sync)
app.command("assign")(assign)
app.command("demo")(demo)
app.command("daemon")(daemon)
app.command("health")(health)
for name, decide in (
    ("approve", approve_run),
    ("retry", retry_run),
    ("cancel", cancel_run),
    ("undo", undo_run),
):
    run_app.command(name)(decide)
app.add_typer(match_app, name="match")
app.add_typer(run_app, name="run")
app.add_typer(schedule_app, name="schedule")
app.add_typer(job_app, name="job")
app.add_typer(db_app, name="db")
app.add_typer(local_app, name="local")
app.add_typer(simulate_app, name="simulate")
app.add_typer(email_app, name="email")
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
        invocation.command = context.invoked_subcommand or invocation.command
    settings = load_settings()
    # One-shot commands print what they do; their events matter where something is wrong.
    configure_logs("debug" if debug else settings.log_level, settings.log_format)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    invocation = Invocation()
    try:
        code = app(args=arguments, prog_name="mentor-sync", standalone_mode=False, obj=invocation)
    except Exception as error:
        # Where the words could not be parsed, --json may not have been reached.
        invocation.json = invocation.json or "--json" in (arguments or sys.argv)
        ours = _as_ours(error)
        invocation.fail(ours)
        if invocation.debug:
            invocation.stderr.print_exception()
        return ours.exit_code
    return code if isinstance(code, int) else 0


def _as_ours(error: Exception) -> MentorSyncError:
    if isinstance(error, MentorSyncError):
        return error
    if isinstance(error, typer.TyperException):
        return UsageError(error.format_message(), hint="See mentor-sync --help.")
    if isinstance(error, typer.Abort):
        return _Stopped()
    return MentorSyncError(
        f"{type(error).__name__}: {error}", hint="Run it again with --debug before the command."
    )


def run() -> None:
    """The console script."""
    signal.signal(signal.SIGTERM, _terminated)
    sys.exit(main())


def _terminated(_number: int, _frame: object) -> None:
    raise _SigTerm
