"""Secrets leave no trace: what must not be printed, logged or stored."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_SECRETS = re.compile(
    r"sb_(?:secret|publishable)_[A-Za-z0-9_-]+"
    # A token is long; "heyJude" is none.
    r"|eyJ[A-Za-z0-9_-]{12,}(?:\.[A-Za-z0-9_-]*){0,2}"
    # To the last @, since a password may hold some too.
    r"|(?<=://)(?P<user>[^\s:/@]*):\S*(?=@)"
    r"|(?<=password=)(?:'(?:[^'\\]|\\.)*'|[^\s&'\"]+)"
)

# The whole of it, with letters of any script; what follows the @ tells nobody who it is.
_ADDRESS = re.compile(r"[^\s<>()\[\]\",;:=@]+@(?=[^\s@<>()\[\]\",;:=]+\.\w)")


def redact(text: str) -> str:
    """The text with API keys, tokens and the passwords of connections replaced by `***`."""
    return _SECRETS.sub(lambda m: "***" if m["user"] is None else f"{m['user']}:***", text)


def redacted(value: Any) -> Any:
    """Likewise a value of any kind; what is not plain data becomes text."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {redact(str(key)): redacted(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [redacted(item) for item in value]
    return redact(str(value))


def storable(value: Any) -> Any:
    """Plain data as PostgreSQL takes it: without NUL and without halves of characters."""
    if isinstance(value, str):
        return value.replace("\0", "").encode(errors="replace").decode()
    if isinstance(value, Mapping):
        return {storable(key): storable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [storable(item) for item in value]
    return value


def anonymised(value: Any) -> Any:
    """Plain data without the people in e-mail addresses: for logs, which outlive consent."""
    if isinstance(value, str):
        return _ADDRESS.sub("***@", value)
    if isinstance(value, Mapping):
        return {anonymised(str(key)): anonymised(item) for key, item in value.items()}
    if isinstance(value, list):
        return [anonymised(item) for item in value]
    return value


def mask(secret: str) -> str:
    """A secret as settings show it: its kind and its last four characters."""
    if "://" in secret:
        return redact(secret)
    kind = next((p for p in ("sb_secret_", "sb_publishable_", "eyJ") if secret.startswith(p)), "")
    return f"{kind}...{secret[-4:]}" if len(secret) > 12 else "***"
