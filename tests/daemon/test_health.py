"""The health server, asked over HTTP."""

from __future__ import annotations

import logging
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
import pytest
import uvicorn

from mentor_sync.daemon import health
from mentor_sync.daemon.health import Check, HealthServer, create_app
from mentor_sync.daemon.metrics import Metrics
from mentor_sync.errors import ConfigurationError, MentorSyncError
from tests.unit.support import KEY

FINE = {"ticks": Check(True, "2 s ago")}
BROKEN = {"ticks": Check(True, "2 s ago"), "database": Check(False, "no answer since 40 s")}


@dataclass
class Patient:
    """Says of itself what it is told to say."""

    live: Callable[[], dict[str, Check]] = field(default=FINE.copy)
    ready: Callable[[], dict[str, Check]] = field(default=FINE.copy)


@dataclass
class Served:
    patient: Patient
    metrics: Metrics
    server: HealthServer

    def get(self, path: str, method: str = "GET") -> httpx.Response:
        return httpx.request(method, f"{self.server.url}{path}", timeout=5, trust_env=False)


@pytest.fixture
def served() -> Iterator[Served]:
    patient, metrics = Patient(), Metrics()
    server = HealthServer(create_app(patient, metrics), 0)
    server.start()
    yield Served(patient, metrics, server)
    server.stop()


@contextmanager
def hanging(served: Served) -> Iterator[None]:
    """Meanwhile somebody waits for /readyz, and gets an answer only in the end."""
    asked, answer_now = threading.Event(), threading.Event()

    def ready() -> dict[str, Check]:
        asked.set()
        return FINE if answer_now.wait(20) else {}

    served.patient.ready = ready
    waiting = threading.Thread(target=served.get, args=["/readyz"])
    waiting.start()
    assert asked.wait(5)
    try:
        yield
        assert waiting.is_alive()
    finally:
        answer_now.set()
        waiting.join(5)


def test_all_is_well(served: Served) -> None:
    for path in ("/healthz", "/readyz"):
        answer = served.get(path)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        assert answer.json() == {"ok": True, "checks": {"ticks": {"ok": True, "detail": "2 s ago"}}}


def test_one_failed_check_fails_its_route_alone(served: Served) -> None:
    served.patient.ready = BROKEN.copy
    answer = served.get("/readyz")
    assert answer.status_code == 503
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["ok"] is False
    assert answer.json()["checks"]["ticks"]["ok"] is True
    assert answer.json()["checks"]["database"] == {"ok": False, "detail": "no answer since 40 s"}
    assert served.get("/healthz").status_code == 200


def test_a_check_that_raises_shows_its_class_and_no_secret(served: Served) -> None:
    def broken() -> dict[str, Check]:
        raise LookupError(f"no project for {KEY}")

    served.patient.live = broken
    answer = served.get("/healthz")
    assert answer.status_code == 503
    checks = {"live": {"ok": False, "detail": "LookupError"}}
    assert answer.json() == {"ok": False, "checks": checks}
    assert served.get("/readyz").status_code == 200


def test_a_secret_in_a_detail_is_not_passed_on(served: Served) -> None:
    served.patient.ready = {"database": Check(True, f"asked with {KEY}")}.copy
    answer = served.get("/readyz")
    assert answer.json()["checks"]["database"]["detail"] == "asked with ***"
    assert KEY not in answer.text


def test_metrics_are_served_as_they_are_now(served: Served) -> None:
    served.metrics.retried("sync_mentor_profiles")
    answer = served.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert 'mentor_sync_retries_total{job="sync_mentor_profiles"} 1.0' in answer.text


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/"), ("GET", "/healthz/"), ("GET", "/docs"), ("POST", "/healthz"), ("PUT", "/x")],
)
def test_anything_else_is_not_found(served: Served, method: str, path: str) -> None:
    answer = served.get(path, method)
    assert answer.status_code == 404
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json() == {"message": "not found"}


def test_a_slow_check_holds_up_no_other_route(served: Served) -> None:
    with hanging(served):
        codes = [served.get(path).status_code for path in ("/healthz", "/metrics")]
    assert codes == [200, 200]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has all of 127.0.0.0/8")
def test_it_listens_on_this_machine_alone(served: Served) -> None:
    url = httpx.URL(served.server.url)
    assert url.host == "127.0.0.1"
    with socket.socket() as elsewhere, pytest.raises(ConnectionRefusedError):
        elsewhere.connect(("127.0.0.2", url.port))


def test_a_taken_port_is_named_with_the_setting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        server = HealthServer(create_app(Patient(), Metrics()), port)
        with pytest.raises(ConfigurationError, match=f"Port {port} .* listens there") as caught:
            server.start()
    assert "MENTOR_SYNC_HEALTH_PORT" in caught.value.hint
    assert isinstance(caught.value.__cause__, OSError)
    server.stop()


def test_a_port_is_free_again_for_the_next_daemon() -> None:
    first = HealthServer(create_app(Patient(), Metrics()), 0)
    first.start()
    with httpx.Client(trust_env=False) as client:  # still connected when the server stops
        assert client.get(f"{first.url}/healthz").status_code == 200
        first.stop()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{first.url}/healthz", trust_env=False)
    second = HealthServer(create_app(Patient(), Metrics()), httpx.URL(first.url).port or 0)
    second.start()
    assert second.url == first.url
    assert httpx.get(f"{second.url}/healthz", trust_env=False).status_code == 200
    second.stop()


def test_stop_ends_the_thread_despite_an_open_connection(served: Served) -> None:
    with httpx.Client(trust_env=False) as client:
        client.get(f"{served.server.url}/healthz")
        begun = time.monotonic()
        served.server.stop()
        assert time.monotonic() - begun < 3
    assert "health" not in {thread.name for thread in threading.enumerate()}
    served.server.stop()


def test_stop_waits_for_no_check_that_hangs(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "_STOP_SECONDS", 0.2)
    with hanging(served):
        begun = time.monotonic()
        served.server.stop()
        assert time.monotonic() - begun < 2


def test_a_server_that_ends_at_once_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uvicorn.Server, "run", lambda _, sockets: None)
    server = HealthServer(create_app(Patient(), Metrics()), 0)
    with pytest.raises(MentorSyncError, match="ended at once") as caught:
        server.start()
    assert caught.value.code == "health_server"
    with pytest.raises(httpx.ConnectError):
        httpx.get(server.url, trust_env=False)


def handlers() -> list[object]:
    """Of signals and of uvicorn's logs."""
    signals = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    names = ("uvicorn", "uvicorn.error")
    return [*signals, *(list(logging.getLogger(name).handlers) for name in names)]


def test_signals_and_logs_stay_the_daemons(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    before = handlers()
    server = HealthServer(create_app(Patient(), Metrics()), 0)
    server.start()
    httpx.get(f"{server.url}/nothing", trust_env=False)
    assert handlers() == before
    server.stop()
    assert [record for record in caplog.records if record.name.startswith("uvicorn")] == []
