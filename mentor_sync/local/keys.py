"""The keys of a stack, in the shapes that hosted projects have."""

from __future__ import annotations

import secrets
import time
from dataclasses import asdict, dataclass
from typing import Any

import jwt

_LEGACY_SECONDS = 10 * 365 * 24 * 3600


@dataclass(frozen=True)
class Keys:
    """A project's API keys, and the secret that signs its JWTs."""

    secret_key: str
    publishable_key: str
    jwt_secret: str
    legacy_anon_key: str
    legacy_service_role_key: str

    @classmethod
    def generate(cls) -> Keys:
        """New random keys."""
        jwt_secret = secrets.token_hex(32)
        return cls(
            secret_key=f"sb_secret_{_random_tail()}",
            publishable_key=f"sb_publishable_{_random_tail()}",
            jwt_secret=jwt_secret,
            legacy_anon_key=_sign(jwt_secret, {"role": "anon"}, _LEGACY_SECONDS),
            legacy_service_role_key=_sign(jwt_secret, {"role": "service_role"}, _LEGACY_SECONDS),
        )

    def role_of(self, key: str) -> str | None:
        """The database role that an API key stands for; None for a key of somebody else."""
        for known, role in (
            (self.secret_key, "service_role"),
            (self.publishable_key, "anon"),
            (self.legacy_service_role_key, "service_role"),
            (self.legacy_anon_key, "anon"),
        ):
            if secrets.compare_digest(key.encode(), known.encode()):
                return role
        return None

    def mint(self, role: str, *, seconds: int = 3600, **claims: Any) -> str:
        """A signed JWT for a role: with `sub="..."`, what a signed-in user would send."""
        return _sign(self.jwt_secret, {"role": role, **claims}, seconds)

    def as_dict(self) -> dict[str, str]:
        return asdict(self)


def _random_tail() -> str:
    return f"{secrets.token_urlsafe(16)}_{secrets.token_hex(4)}"


def _sign(secret: str, claims: dict[str, Any], seconds: int) -> str:
    now = int(time.time())
    return jwt.encode(
        {"iss": "supabase", "iat": now, "exp": now + seconds, **claims}, secret, algorithm="HS256"
    )
