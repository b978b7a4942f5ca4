"""What is remembered of a stack, in its folder: `stack.json` from one start to the next,
`run.json` while it runs."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from mentor_sync.errors import LocalStackError
from mentor_sync.local.keys import Keys
from mentor_sync.local.postgres import write_private
from mentor_sync.local.processes import Identity, is_alive

_STATE = "stack.json"
_RUN = "run.json"


@dataclass
class State:
    """Keys, ports and what the stack runs over. Holds secrets: the file is its owner's only."""

    folder: Path
    keys: Keys = field(default_factory=Keys.generate)
    gateway_port: int = 0
    postgrest_port: int = 0
    admin_port: int = 0
    postgrest: str = ""
    bootstrapped: bool = False
    # Another PostgreSQL than our own, while the stack is up over it.
    db_url: str | None = None
    login_role: str = field(default_factory=lambda: f"mentor_sync_{secrets.token_hex(4)}")
    login_password: str = field(default_factory=lambda: secrets.token_urlsafe(18))
    # As of the last start, for `local status`.
    postgres_version: str = ""
    postgrest_version: str = ""
    # PostgREST's connection; holds a password.
    postgrest_dsn: str = ""

    @classmethod
    def exists(cls, folder: Path) -> bool:
        return (folder / _STATE).exists()

    @classmethod
    def load(cls, folder: Path) -> State:
        """The state of the folder, a new one where there is none.

        Raises:
            LocalStackError: the file cannot be understood.
        """
        if not cls.exists(folder):
            return cls(folder)
        try:
            saved = json.loads((folder / _STATE).read_text(encoding="utf-8"))
            known = {entry.name for entry in fields(cls)}
            values = {name: value for name, value in saved.items() if name in known}
            return cls(**{**values, "folder": folder, "keys": Keys(**saved["keys"])})
        except (ValueError, TypeError, KeyError) as error:
            raise LocalStackError(
                f"{folder / _STATE} cannot be understood: {error}",
                hint="Remove it for new keys; the data stay.",
            ) from None

    def save(self) -> None:
        values = {**asdict(self), "folder": str(self.folder)}
        write_private(self.folder / _STATE, json.dumps(values, indent=1))


@dataclass(frozen=True)
class PartRun:
    """One running part, as its supervisor last noted it."""

    identity: Identity | None
    restarts: int = 0
    failures: int = 0  # ends in a row, each soon after its start
    last_exit: int | None = None


@dataclass(frozen=True)
class Run:
    """The supervisor of a stack and its parts by name."""

    supervisor: Identity
    parts: dict[str, PartRun]
    stopping: bool = False

    @classmethod
    def load(cls, folder: Path) -> Run | None:
        """What is noted as running; None when nothing is, or the note is unreadable."""
        try:
            saved: dict[str, Any] = json.loads((folder / _RUN).read_text(encoding="utf-8"))
            parts = {name: _part(values) for name, values in saved["parts"].items()}
            return cls(Identity(**saved["supervisor"]), parts, saved.get("stopping", False))
        except (FileNotFoundError, NotADirectoryError, ValueError, TypeError, KeyError):
            return None

    def alive(self) -> bool:
        """Whether the supervisor lives, and is there to stay."""
        return not self.stopping and is_alive(self.supervisor)

    def save(self, folder: Path) -> None:
        write_private(folder / _RUN, json.dumps(asdict(self), indent=1))

    @staticmethod
    def forget(folder: Path) -> None:
        (folder / _RUN).unlink(missing_ok=True)


def _part(values: dict[str, Any]) -> PartRun:
    identity = Identity(**values["identity"]) if values["identity"] else None
    return PartRun(**{**values, "identity": identity})


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the lock of this file; waits for whoever has it."""
    descriptor = _open(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def try_lock(path: Path) -> int | None:
    """A descriptor that holds the lock of this file until all its copies, in children too,
    are closed; None when somebody else has it."""
    descriptor = _open(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
