"""Resend on loopback: https://resend.com/docs/api-reference, as far as mails are sent."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

KEY = "re_test_abcdefghijklmnop"
KEPT = timedelta(hours=24)


@dataclass(frozen=True)
class Answer:
    """An answer to give, instead of the right one."""

    status: int
    name: str = ""
    message: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None

    def body(self) -> bytes:
        if self.raw is not None:
            return self.raw
        content = {"statusCode": self.status, "name": self.name, "message": self.message}
        return json.dumps(content).encode()


@dataclass(frozen=True)
class Request:
    """What was asked."""

    path: str
    key: str
    mails: list[dict[str, Any]]


@dataclass
class _Known:
    """A request that was taken, by its Idempotency-Key."""

    at: datetime
    body: bytes
    answer: bytes


class ResendServer:
    """What it got, and what it shall do."""

    def __init__(self) -> None:
        self.url = ""
        self.now = datetime.now(UTC)
        self.requests: list[Request] = []
        self.sent: list[dict[str, Any]] = []
        """Mails that went out, each as often as it did."""
        self.faults: deque[Answer] = deque()
        """Given to the next requests, which do nothing."""
        self.lost_answers = 0
        """How many times to take a request, then hang up without a word."""
        self.invalid: set[str] = set()
        """Recipients that do not pass validation."""
        self._known: dict[str, _Known] = {}
        self._lock = threading.Lock()

    def recipients(self) -> list[str]:
        return sorted(mail["to"][0] for mail in self.sent)

    def answer(self, path: str, headers: Any, body: bytes) -> Answer | None:
        """The answer, or none where the line goes dead."""
        with self._lock:
            content = json.loads(body)
            mails = content if isinstance(content, list) else [content]
            key = headers.get("Idempotency-Key", "")
            self.requests.append(Request(path, key, mails))
            if self.faults:
                return self.faults.popleft()
            answer = (
                self._refusal(path, headers, mails)
                or self._again(key, body)
                or self._taken(path, key, mails, body)
            )
            if answer.status == 200 and self.lost_answers:
                self.lost_answers -= 1
                return None
            return answer

    def _refusal(self, path: str, headers: Any, mails: list[dict[str, Any]]) -> Answer | None:
        if headers.get("Authorization") != f"Bearer {KEY}":
            given = headers.get("Authorization", "")
            return Answer(403, "invalid_api_key", f"API key is invalid: {given}")
        if path not in {"/emails", "/emails/batch"}:
            return Answer(404, "not_found", "The requested endpoint does not exist.")
        is_batch = path.endswith("batch")
        if len(mails) > 100 or (is_batch and any("attachments" in mail for mail in mails)):
            return Answer(422, "validation_error", "This batch is too large or has attachments.")
        if any(address in mail["to"][0] for mail in mails for address in self.invalid):
            return Answer(422, "validation_error", "Invalid `to` field.")
        return None

    def _again(self, key: str, body: bytes) -> Answer | None:
        known = self._known.get(key)
        if not known or self.now - known.at > KEPT:
            return None
        if known.body != body:
            said = "This idempotency key has been used on a request with a different payload."
            return Answer(409, "invalid_idempotent_request", said)
        return Answer(200, raw=known.answer)

    def _taken(self, path: str, key: str, mails: list[dict[str, Any]], body: bytes) -> Answer:
        ids = [{"id": str(uuid4())} for _ in mails]
        self.sent.extend(mails)
        answer = json.dumps({"data": ids} if path.endswith("batch") else ids[0]).encode()
        if key:
            self._known[key] = _Known(self.now, body, answer)
        return Answer(200, raw=answer)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    owner: ResendServer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        answer = self.owner.answer(self.path, self.headers, body)
        self.close_connection = answer is None
        if answer is None:
            return
        content = answer.body()
        self.send_response(answer.status)
        for name, value in {"Content-Length": str(len(content)), **answer.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Nothing on stderr."""


@contextmanager
def resend_server() -> Iterator[ResendServer]:
    """A server in a thread of its own, gone at the end. Clients close before it does."""
    owner = ResendServer()
    handler = type("Handler", (_Handler,), {"owner": owner})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    owner.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield owner
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()
