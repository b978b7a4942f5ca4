"""`mentor-sync daemon` and `mentor-sync health`: the process that runs jobs, and how it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from mentor_sync.cli.output import JsonOption, invocation_of
from mentor_sync.cli.project import find_project
from mentor_sync.errors import ConfigurationError, MentorSyncError
from mentor_sync.logs import configure_logs
from mentor_sync.settings import load_settings

if TYPE_CHECKING:
    from mentor_sync.database import Database


def daemon(
    context: typer.Context,
    local: Annotated[
        bool, typer.Option("--local", help="Work on the local stack, if SUPABASE_URL is not set.")
    ] = False,
    grace: Annotated[
        float,
        typer.Option(
            "--grace", min=0, help="Seconds that runs under way get to end by themselves."
        ),
    ] = 30.0,
) -> int:
    """Run jobs by their schedules, and what is asked for in job_runs, until SIGTERM.

    Any number of daemons may share a project. SIGHUP reads the schedules again.
    """
    from mentor_sync.daemon.process import Daemon

    invocation, settings = invocation_of(context), load_settings()
    if settings.supabase_url is None and not local:
        raise ConfigurationError(
            "SUPABASE_URL is not set.",
            hint="Set SUPABASE_URL and SUPABASE_SECRET_KEY (see .env.example); --local works on "
            "the local stack.",
            code="no_project",
        )
    level = "info" if settings.log_level == "warning" else settings.log_level
    configure_logs("debug" if invocation.debug else level, settings.log_format)
    project = find_project(invocation, settings)

    def open_database(patience: float, observe: Callable[[str, bool], None]) -> Database:
        return project.open(settings, patience=patience, observe=observe)

    return Daemon(open_database, settings, grace).run()


def health(context: typer.Context, _json: JsonOption = False) -> int:
    """Ask the daemon on this machine whether it is ready. Exit 1 if not."""
    import httpx

    invocation, settings = invocation_of(context), load_settings()
    url = f"http://127.0.0.1:{settings.health_port}/readyz"
    try:
        answer = httpx.get(url, timeout=5, trust_env=False).json()
        checks, ok = answer["checks"].items(), bool(answer["ok"])
    except (httpx.HTTPError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise MentorSyncError(
            f"No daemon answers at {url}: {error}.",
            hint="Start one with: mentor-sync daemon. MENTOR_SYNC_HEALTH_PORT must be the same.",
            code="no_daemon",
        ) from None
    for name, check in checks:
        invocation.say(f"{'ok ' if check['ok'] else 'BAD'}  {name}: {check['detail']}")
    if not ok:
        bad = ", ".join(f"{name} {check['detail']}" for name, check in checks if not check["ok"])
        raise MentorSyncError(f"The daemon is not ready: {bad}.", code="not_ready")
    invocation.answer(answer)
    return 0
