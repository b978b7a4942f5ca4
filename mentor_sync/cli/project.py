"""Which Supabase project a command works on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit

from mentor_sync.cli.output import Invocation
from mentor_sync.errors import ConfigurationError
from mentor_sync.redaction import redact
from mentor_sync.settings import KEY_VARIABLES, Settings, load_settings

if TYPE_CHECKING:
    from mentor_sync.database import Database


@dataclass(frozen=True)
class Project:
    """A project: its URL and its service key."""

    url: str
    key: str

    @property
    def name(self) -> str:
        """Its host, as people know it."""
        return self._address.netloc.rpartition("@")[2] or redact(self.url)

    @property
    def is_loopback(self) -> bool:
        return self._address.hostname in {"localhost", "127.0.0.1", "::1"}

    @property
    def _address(self) -> SplitResult:
        try:
            return urlsplit(self.url.strip())
        except ValueError:
            from mentor_sync.api_errors import wrong_address

            raise wrong_address("it cannot be read") from None

    def confirm(self, invocation: Invocation, question: str, *, yes: bool) -> None:
        """Ask before data of a hosted project are changed; a local one is anybody's to try."""
        if not self.is_loopback:
            invocation.confirm(question, yes=yes)

    def open(self, settings: Settings, **options: Any) -> Database:
        """The door to it; options as of Database."""
        from mentor_sync.database import Database

        return Database(self.url, self.key, timeout=settings.http_timeout, **options)


def open_project(invocation: Invocation) -> Database:
    """The door to the project of the settings; raises as find_project does."""
    settings = load_settings()
    return find_project(invocation, settings).open(settings)


def find_project(invocation: Invocation, settings: Settings) -> Project:
    """The project of SUPABASE_URL, or the local stack where that is not set.

    Raises:
        ConfigurationError: there is neither, or the key is missing.
    """
    if settings.supabase_url is None:
        return _local_project(invocation, settings)
    if settings.supabase_key is None:
        raise ConfigurationError(
            f"SUPABASE_URL is set, but none of {', '.join(KEY_VARIABLES)}.",
            hint="Take the secret key (sb_secret_...) from the dashboard: Project Settings, "
            "API Keys.",
            code="no_key",
        )
    return Project(settings.supabase_url, settings.supabase_key.get_secret_value())


def _local_project(invocation: Invocation, settings: Settings) -> Project:
    environment = _running_environment(settings)
    if environment is None:
        raise ConfigurationError(
            "SUPABASE_URL is not set, and no local stack is up.",
            hint="Set SUPABASE_URL and SUPABASE_SECRET_KEY (see .env.example), or run: "
            "mentor-sync local up",
            code="no_project",
        )
    invocation.note(f"SUPABASE_URL is not set: using the local stack in {settings.local_dir}.")
    return Project(environment["SUPABASE_URL"], environment["SUPABASE_SECRET_KEY"])


def _running_environment(settings: Settings) -> dict[str, str] | None:
    try:
        from mentor_sync.local.stack import running_environment
    except ImportError:  # installed without the extra `local`
        return None
    return running_environment(settings)
