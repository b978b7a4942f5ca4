"""API keys: which kind one is, and why only two of them will do."""

from __future__ import annotations

import base64
import json
import re
import time
from typing import Any

from mentor_sync.errors import KeyRefused

_SECRET_KEY = re.compile(r"sb_secret_[A-Za-z0-9_-]+")
_JWT = re.compile(r"[A-Za-z0-9_-]+\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+")
_NEEDED = (
    "mentor-sync needs the secret key (sb_secret_...), or the legacy service_role key: "
    "dashboard, Project Settings, API Keys. Put it into SUPABASE_SECRET_KEY."
)


def require_service_key(key: str) -> None:
    """Let only keys pass that see and write every row.

    Any other key would make row level security show empty tables, which looks like success.

    Raises:
        KeyRefused: a publishable, anon, user's, expired or unknown key.
    """
    if _SECRET_KEY.fullmatch(key):
        return
    if key.startswith("sb_publishable_"):
        raise KeyRefused("The key is a publishable key, which sees public rows only.", hint=_NEEDED)
    claims = _claims(key)
    if claims is None:
        raise KeyRefused("The key is not a key of a Supabase project.", hint=_NEEDED)
    role = claims.get("role")
    if role != "service_role":
        raise KeyRefused(
            f"The key is of the role {role!r}, which sees only what that role may see.",
            hint=_NEEDED,
        )
    expires = claims.get("exp")
    if isinstance(expires, int | float) and expires < time.time():
        raise KeyRefused("The service_role key has expired.", hint=_NEEDED)


def _claims(token: str) -> dict[str, Any] | None:
    """What a JWT says, unverified: the server verifies it."""
    parts = _JWT.fullmatch(token)
    if parts is None:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return None
    return claims if isinstance(claims, dict) else None
