"""Secrets leave no trace: what must not be printed, logged or stored."""

from __future__ import annotations

import re

_SECRETS = re.compile(
    r"sb_(?:secret|publishable)_[A-Za-z0-9_\-]+"
    r"|eyJ[A-Za-z0-9_\-]+(?:\.[A-Za-z0-9_\-]*){0,2}"
    r"|(?<=://)([^\s:/@]*):[^\s@]*(?=@)"
)


def redact(text: str) -> str:
    """The text with API keys, tokens and the passwords of URLs replaced by `***`."""
    return _SECRETS.sub(lambda found: f"{found[1]}:***" if found[1] is not None else "***", text)


def mask(secret: str) -> str:
    """A secret as settings show it: its kind and its last four characters."""
    if "://" in secret:
        return redact(secret)
    kind = next((p for p in ("sb_secret_", "sb_publishable_", "eyJ") if secret.startswith(p)), "")
    return f"{kind}...{secret[-4:]}" if len(secret) > 12 else "***"
