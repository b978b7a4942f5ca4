"""Health: whether the daemon lives and is ready, and its metrics, over HTTP on this machine."""

from __future__ import annotations

import errno
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Protocol

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from mentor_sync.daemon.metrics import Metrics
from mentor_sync.errors import ConfigurationError, MentorSyncError
from mentor_sync.local.ports import HOST
from mentor_sync.redaction import redact

SETTING = "MENTOR_SYNC_HEALTH_PORT"
_NO_STORE = {"cache-control": "no-store"}
_STOP_SECONDS = 5.0  # a check that hangs must not hold up stop()
_LIKELY_CAUSES = {
    errno.EADDRINUSE: "Another daemon or program on this machine listens there.",
    errno.EACCES: "Ports below 1024 are for root alone.",
}


@dataclass(frozen=True)
class Check:
    """One thing that is well or not, and in words why."""

    ok: bool
    detail: str


class Vitals(Protocol):
    """What the daemon says of itself.

    Each is asked in a thread of its own, and several may ask at once. Whoever probes waits for
    the answer, so it should come within a second.
    """

    def live(self) -> dict[str, Check]:
        """Checks of which a failed one means: restart the daemon."""

    def ready(self) -> dict[str, Check]:
        """Checks of which a failed one means: no work is done now."""


def create_app(vitals: Vitals, metrics: Metrics, pages: Sequence[Route] = ()) -> Starlette:
    """The app: /healthz, /readyz, /metrics and these pages, and 404 for anything else."""

    # Not async, so that a slow check holds up a thread and not the other routes.
    def healthz(_: Request) -> Response:
        return _verdict("live", vitals.live)

    def readyz(_: Request) -> Response:
        return _verdict("ready", vitals.ready)

    async def scrape(_: Request) -> Response:
        return Response(metrics.text(), headers=_NO_STORE | {"content-type": metrics.content_type})

    app = Starlette(
        routes=[
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/metrics", scrape),
            *pages,
        ],
        exception_handlers={404: _not_found, 405: _not_found},
    )
    app.router.redirect_slashes = False
    return app


class HealthServer:
    """Serves an app on 127.0.0.1, in a thread that ends with the process.

    Args:
        app: as create_app() makes it.
        port: 1 to 65,535, or 0 for a free one.
    """

    def __init__(self, app: ASGIApp, port: int) -> None:
        self._port = port
        # The logs are those of the daemon, and signals are its business.
        self._server = uvicorn.Server(
            uvicorn.Config(
                app,
                loop="asyncio",
                http="h11",
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="warning",
                access_log=False,
                proxy_headers=False,
                server_header=False,
            )
        )
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where it is served; with port 0 only known once it has started."""
        return f"http://{HOST}:{self._port}"

    def start(self) -> None:
        """Serve; returns once requests are answered. A server starts once.

        Raises:
            ConfigurationError: the port cannot be had; names it, and the setting.
            MentorSyncError: the server ended at once.
        """
        listener = _listen(self._port)
        self._port = listener.getsockname()[1]
        self._thread = threading.Thread(
            target=self._server.run, args=([listener],), name="health", daemon=True
        )
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            self._thread.join(0.01)
        if not self._server.started:
            listener.close()
            raise MentorSyncError(
                f"The health server on port {self._port} ended at once.",
                hint="The log has the reason.",
                code="health_server",
            )

    def stop(self) -> None:
        """Answer no more, and wait up to 5 seconds for the thread to end."""
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(_STOP_SECONDS)


def _verdict(name: str, check: Callable[[], dict[str, Check]]) -> Response:
    """200 where all is well, otherwise 503; an error of the check itself is a failed check."""
    try:
        checks = {what: Check(found.ok, redact(found.detail)) for what, found in check().items()}
    except Exception as error:
        # Its class only: the message may hold an address, a key or a row.
        checks = {name: Check(False, type(error).__name__)}
    ok = all(found.ok for found in checks.values())
    body = {"ok": ok, "checks": {what: asdict(found) for what, found in checks.items()}}
    return JSONResponse(body, 200 if ok else 503, headers=_NO_STORE)


async def _not_found(_: Request, __: Exception) -> Response:
    return JSONResponse({"message": "not found"}, 404, headers=_NO_STORE)


def _listen(port: int) -> socket.socket:
    """A socket that listens on the port; bound here, since uvicorn would exit on an error."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    # Else a restart would wait for the connections of the daemon before it.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen()
    except OSError as error:
        listener.close()
        cause = _LIKELY_CAUSES.get(error.errno or 0, f"{error.strerror}.")
        raise ConfigurationError(
            f"Port {port} of {HOST} is not to be had for health checks. {cause}",
            hint=f"Set {SETTING} to another port, or to 0 for a free one.",
            code="health_port",
        ) from error
    return listener
