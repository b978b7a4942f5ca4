"""A Data API without a server: answers in turn, and what it was asked."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
import structlog

from mentor_sync.database import Database
from mentor_sync.settings import Settings

URL = "https://abcdefghij.supabase.co"
KEY = "sb_secret_0123456789abcdef"

Answer = Exception | tuple[int, Any]
"""An error on the way, or a status and a body: bytes as they are, anything else as JSON."""


@dataclass
class Server:
    """Gives these answers in turn, and the last one from then on."""

    answers: list[Answer]
    requests: list[httpx.Request] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers[min(len(self.requests), len(self.answers)) - 1]
        return respond(answer)

    @property
    def bodies(self) -> list[bytes]:
        return [request.content for request in self.requests]


def serving(*answers: Answer, **options: Any) -> tuple[Server, Database]:
    """A server that answers so, and the door to it."""
    server = Server(list(answers))
    return server, door(server, **options)


def door(handler: Callable[[httpx.Request], httpx.Response], **options: Any) -> Database:
    return Database(URL, KEY, transport=httpx.MockTransport(handler), **options)


def respond(answer: Answer) -> httpx.Response:
    if isinstance(answer, Exception):
        raise answer
    status, body = answer
    if isinstance(body, bytes):
        return httpx.Response(status, content=body)
    return httpx.Response(status, json=body)


@dataclass
class Verbs:
    """Answers by the name of the verb; remembers which was called with what."""

    answers: dict[str, Answer | Iterator[Answer]]
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        name = request.url.path.rpartition("/")[2]
        self.calls.append((name, json.loads(request.content)))
        answer = self.answers[name]
        return respond(next(answer) if isinstance(answer, Iterator) else answer)

    def given(self, name: str) -> list[dict[str, Any]]:
        """The parameters of each call of this verb."""
        return [params for called, params in self.calls if called == name]


@dataclass
class Table:
    """A table of `count` rows with ids from 1, of which a request gets `most` at the most."""

    count: int
    most: int = 1000
    queries: list[dict[str, list[str]]] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        query = parse_qs(request.url.query.decode())
        self.queries.append(query)
        after = int(query.get("id", ["gt.0"])[0].removeprefix("gt."))
        limit = min(int(query["limit"][0]), self.most)
        last = min(self.count, after + limit)
        return httpx.Response(200, json=[{"id": i} for i in range(after + 1, last + 1)])


@pytest.fixture
def restored_logs() -> Iterator[None]:
    """Puts back what configure_logs() changes for the whole process."""
    names = (None, "httpx", "httpcore", "hpack")
    levels = {name: logging.getLogger(name).level for name in names}
    handlers, configuration = list(logging.getLogger().handlers), structlog.get_config()
    yield
    structlog.configure(**configuration)
    logging.getLogger().handlers[:] = handlers
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def settings(**values: Any) -> Settings:
    """The defaults, but for these values."""
    return Settings(_env_file=None).model_copy(update=values)  # type: ignore[call-arg]  # pydantic's
