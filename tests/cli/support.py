"""Calling the command as a shell does, and looking at what it prints."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Shown:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON document on stdout."""
        assert self.out.endswith("\n")
        (line,) = self.out.splitlines()
        document: dict[str, Any] = json.loads(line)
        assert list(document) == ["version", "command", "ok", "data", "errors"]
        assert document["version"] == 1
        assert document["ok"] is (document["errors"] == [])
        return document

    @property
    def data(self) -> dict[str, Any]:
        data: dict[str, Any] = self.document["data"]
        return data

    @property
    def error(self) -> dict[str, Any]:
        """The only error of the document."""
        ((error),) = self.document["errors"]
        assert sorted(error) == ["code", "hint", "message", "retryable"]
        return dict(error)


Command = Callable[..., Shown]
