"""From MENTOR_SYNC_MAIL to the backend that it means."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TextIO
from urllib.parse import unquote

from mentor_sync.mail.backends.backend import SETTING, Backend, MailConfigurationError
from mentor_sync.mail.backends.console import Console
from mentor_sync.mail.backends.file import File
from mentor_sync.mail.backends.rate import RateLimit
from mentor_sync.mail.backends.resend import API, Resend
from mentor_sync.mail.backends.smtp import Smtp

_HINT = (
    "It is one of file:./outbox, console:, smtp://..., smtps://... and resend: (see .env.example)."
)


def open_backend(
    url: str,
    *,
    resend_key: str = "",
    timeout: float = 10.0,
    limit: RateLimit | None = None,
    stream: TextIO | None = None,
) -> Backend:
    """The backend that a URL means; nothing is connected yet.

    Args:
        url: file:FOLDER, console:, smtp://..., smtps://..., resend: or resend:BASE_URL.
        resend_key: RESEND_API_KEY.
        timeout: seconds to wait for an answer.
        limit: of requests a second to a server.
        stream: what console: prints to, instead of stdout.

    Raises:
        MailConfigurationError: it means none, or lacks something.
    """
    scheme, _, rest = url.strip().partition(":")
    match scheme.lower():
        case "smtp" | "smtps":
            return Smtp(url, timeout=timeout, limit=limit)
        case "resend":
            return Resend(resend_key, base_url=rest or API, timeout=timeout, limit=limit)
        case "file":
            return File(_folder(rest))
        case "console" if not rest:
            return Console(stream or sys.stdout)
    # Not quoted: whatever it is, it may hold a password.
    raise MailConfigurationError(f"{SETTING} names no way to send mails.", hint=_HINT)


def _folder(rest: str) -> Path:
    path = unquote(rest.removeprefix("//localhost") if rest.startswith("//localhost/") else rest)
    if path.startswith("//"):
        path = path.removeprefix("//")
        if not path.startswith("/"):
            raise MailConfigurationError(
                f"{SETTING} names a folder on another machine.",
                hint="Write file:./outbox, or file:/var/spool/outbox.",
            )
    if not path.strip():
        raise MailConfigurationError(f"{SETTING} names no folder.", hint="Write file:./outbox.")
    return Path(path).expanduser()
