"""A proxy before the Data API that plays the faults of a network and of a server.

One request a connection: both sides are told so, and thus an answer ends where its bytes end,
whether it is counted or chunked. A request has to say its length, as those of httpx do.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Self
from urllib.parse import urlsplit

from mentor_sync.local.ports import HOST


class Fault(StrEnum):
    """What may happen to a request. Those before SLOW never reach the upstream."""

    REFUSE = "refuse"  # the connection is closed without an answer
    UNAVAILABLE_HTML = "unavailable_html"  # 503 of a gateway
    UNAVAILABLE_JSON = "unavailable_json"  # 503 of PostgREST while the database is away
    TOO_MANY = "too_many"  # 429
    HANG = "hang"  # never answered
    GARBAGE_200 = "garbage_200"  # 200 with a page that is no JSON
    EMPTY_200 = "empty_200"  # 200 with nothing
    SLOW = "slow"  # forwarded after a second
    STALL_AFTER = "stall_after"  # forwarded, and never answered
    RESET_AFTER = "reset_after"  # forwarded, and the connection reset instead of an answer
    HALF = "half"  # forwarded, and the connection closed amid the answer


_DELAY = 1.0
_LONGEST_HEAD = 2**20  # bytes: filters by many ids make long paths
_HTML = "<html><body><h1>{}</h1><p>cloudflare</p></body></html>"
_NO_DATABASE = {
    "code": "PGRST000",
    "details": 'connection to server at "127.0.0.1", port 5432 failed: Connection refused\n',
    "hint": None,
    "message": "Database connection error. Retrying the connection.",
}


def _message(status: str, kind: str, body: str, *headers: str) -> bytes:
    """An HTTP answer, byte for byte."""
    length = f"Content-Length: {len(body.encode())}"
    head = (f"HTTP/1.1 {status}", f"Content-Type: {kind}", length, "Connection: close", *headers)
    return "\r\n".join((*head, "", body)).encode()


# As PostgREST 12 and Kong word them.
_MADE_UP = {
    Fault.REFUSE: b"",
    Fault.HANG: b"",
    Fault.UNAVAILABLE_HTML: _message(
        "503 Service Unavailable", "text/html", _HTML.format("Service unavailable")
    ),
    Fault.UNAVAILABLE_JSON: _message(
        "503 Service Unavailable",
        "application/json; charset=utf-8",
        json.dumps(_NO_DATABASE),
        "Retry-After: 0",
    ),
    Fault.TOO_MANY: _message(
        "429 Too Many Requests",
        "application/json; charset=utf-8",
        json.dumps({"message": "API rate limit exceeded"}),
        "Retry-After: 1",
    ),
    Fault.GARBAGE_200: _message("200 OK", "text/html", _HTML.format("Welcome to this network")),
    Fault.EMPTY_200: _message("200 OK", "application/json; charset=utf-8", ""),
}


@dataclass
class _Injection:
    """A fault that waits for its requests."""

    fault: Fault
    path: str
    times: int | None
    after: int

    def takes(self, path: str) -> bool:
        """Whether the fault is played on this request, which is counted."""
        if self.times == 0 or self.path not in path:
            return False
        if self.after:
            self.after -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True


@dataclass(frozen=True)
class _Request:
    """A request as it came."""

    message: bytes
    path: str

    @classmethod
    async def read(cls, reader: asyncio.StreamReader) -> Self:
        head = await reader.readuntil(b"\r\n\r\n")
        target = head.split(b" ", 2)[1].decode("latin-1")
        body = await reader.readexactly(_content_length(head))
        return cls(head + body, target.partition("?")[0])


class Proxy:
    """The faults to come, and those that came. Every method may be called from any thread."""

    def __init__(self, upstream: str) -> None:
        self._upstream = urlsplit(upstream)
        # Here and not in the loop: from now on a client may connect, and waits.
        self._socket = socket.create_server((HOST, 0))
        self.url = f"http://{HOST}:{self._socket.getsockname()[1]}"
        self._lock = threading.Lock()
        self._injections: list[_Injection] = []
        self._paths: list[str] = []
        self._injected = 0

    def inject(
        self, fault: Fault, path: str = "", *, times: int | None = 1, after: int = 0
    ) -> None:
        """Play a fault. Where several fit a request, the one that was injected first is played.

        Args:
            fault: what happens.
            path: to the requests whose path, without the query, contains this.
            times: to so many of them, or to all.
            after: so many of them have gone through.
        """
        with self._lock:
            self._injections.append(_Injection(fault, path, times, after))

    def clear(self) -> None:
        """Play no more faults. A request that hangs goes on hanging, though."""
        with self._lock:
            self._injections.clear()

    def requests(self, path: str = "") -> int:
        """How many requests came whose path contains this, with a fault or without."""
        with self._lock:
            return sum(path in seen for seen in self._paths)

    @property
    def injected(self) -> int:
        """How many faults were played in earnest."""
        with self._lock:
            return self._injected

    async def serve(self, stop: asyncio.Event) -> None:
        """Serve until told to stop. Whatever hangs then is cancelled with the loop."""
        server = await asyncio.start_server(self._handle, sock=self._socket, limit=_LONGEST_HEAD)
        await stop.wait()
        server.close()

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await _Request.read(reader)
            fault = self._next_fault(request.path)
            answer = await self._answer(request, fault)
            await _deliver(answer, fault, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client has left, or the upstream is down: nobody to tell, or nothing
        except asyncio.CancelledError:
            pass  # the proxy ends, and so does this task; Python 3.11 would log a traceback
        finally:
            writer.transport.abort()

    async def _answer(self, request: _Request, fault: Fault | None) -> bytes:
        # A fault counts once it can no longer fail, and before the client can tell.
        if fault in _MADE_UP:
            self._note_fault()
            return _MADE_UP[fault]
        if fault is Fault.SLOW:
            self._note_fault()
            await asyncio.sleep(_DELAY)
        answer = await self._forward(request)
        if fault not in (None, Fault.SLOW):
            self._note_fault()
        return answer

    async def _forward(self, request: _Request) -> bytes:
        """The whole answer, so that the upstream has committed."""
        reader, writer = await asyncio.open_connection(self._upstream.hostname, self._upstream.port)
        try:
            writer.write(_as_the_last(request.message))
            answer = await reader.read()
        finally:
            writer.transport.abort()
        if not answer:
            raise ConnectionResetError("The upstream closed the connection without an answer.")
        return _as_the_last(answer)

    def _next_fault(self, path: str) -> Fault | None:
        with self._lock:
            self._paths.append(path)
            return next((due.fault for due in self._injections if due.takes(path)), None)

    def _note_fault(self) -> None:
        with self._lock:
            self._injected += 1


@contextmanager
def faulty(upstream: str) -> Iterator[Proxy]:
    """A proxy before the server at this URL, in a thread."""
    proxy, stop = Proxy(upstream), asyncio.Event()
    runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
    loop = runner.get_loop()

    def serve() -> None:
        with runner:
            runner.run(proxy.serve(stop))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)


async def _deliver(
    answer: bytes,
    fault: Fault | None,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> None:
    """Give the client its answer, or what the fault leaves of it."""
    if fault in (Fault.HANG, Fault.STALL_AFTER):
        await reader.read()  # until the client leaves
    elif fault is Fault.RESET_AFTER:
        # Without lingering, closing is a reset.
        connection = writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    else:
        writer.write(_half(answer) if fault is Fault.HALF else answer)
        writer.close()
        await writer.wait_closed()


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


def _as_the_last(message: bytes) -> bytes:
    """The message, saying that none follows on its connection."""
    head, end, body = message.partition(b"\r\n\r\n")
    first, *headers = head.split(b"\r\n")
    kept = [line for line in headers if not line.lower().startswith(b"connection:")]
    return b"\r\n".join((first, b"Connection: close", *kept)) + end + body


def _half(message: bytes) -> bytes:
    """The head and half of the body; where there is none, half of the head."""
    head, end, body = message.partition(b"\r\n\r\n")
    return head + end + body[: len(body) // 2] if body else head[: len(head) // 2]
