"""Where the demo happens: the local stack over its own PostgreSQL, and nowhere else."""

from __future__ import annotations

from urllib.parse import urlsplit

from mentor_sync.errors import ConfigurationError
from mentor_sync.local.stack import Stack, running_environment
from mentor_sync.local.state import State
from mentor_sync.settings import Settings

_THIS_MACHINE = {"localhost", "127.0.0.1", "::1"}


def bring_up(settings: Settings) -> dict[str, str]:
    """Start the local stack if it is not up, and give its environment.

    Raises:
        ConfigurationError: the settings name another project, or the stack runs over another
            PostgreSQL. Then nothing was started.
        LocalStackError: it did not come up.
    """
    stack = Stack(settings)
    _require_local(settings, running_environment(settings))
    _require_own_postgres(stack)
    stack.up()
    # Somebody else may have brought it up meanwhile, their way.
    _require_own_postgres(stack)
    environment = stack.environment()
    _require_local(settings, environment)
    return environment


def _require_local(settings: Settings, environment: dict[str, str] | None) -> None:
    database = settings.supabase_db_url
    given = {
        "SUPABASE_URL": settings.supabase_url,
        "SUPABASE_DB_URL": database.get_secret_value() if database else None,
    }
    for name, url in given.items():
        if url is not None and not _is_there(url, environment[name] if environment else None):
            raise ConfigurationError(
                f"{name} is set, and not to the local stack in {settings.local_dir}.",
                hint="The demo fills the local stack with invented people, and touches no other"
                f" project.\nUnset {name}, or run the demo in a folder without this .env.",
                code="not_local",
            )


def _is_there(url: str, local: str | None) -> bool:
    """Whether the URL leads to the local one; on this machine, while that has no port yet."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    known = port if local is None else urlsplit(local).port
    return parts.hostname in _THIS_MACHINE and port == known


def _require_own_postgres(stack: Stack) -> None:
    if State.load(stack.folder).db_url is not None:
        raise ConfigurationError(
            f"The local stack in {stack.folder} runs over another PostgreSQL.",
            hint="The demo fills only one of its own. First: mentor-sync local down",
            code="not_local",
        )
