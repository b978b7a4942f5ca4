"""What a client sees of each fault, and whether the upstream saw the request."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import monotonic

import httpx
import pytest

from mentor_sync.local.ports import HOST, free_port
from tests.drills.proxy import Fault, Proxy, faulty

ROWS = [{"id": number} for number in range(100)]


class Upstream(ThreadingHTTPServer):
    """Answers with rows, and remembers what it was asked."""

    request_queue_size = 100  # with 5, a crowd waits a second to be let in

    def __init__(self) -> None:
        super().__init__((HOST, 0), Handler)
        self.url = f"http://{HOST}:{self.server_port}"
        self.bodies: list[bytes] = []


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Upstream

    def do_POST(self) -> None:
        self.server.bodies.append(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        answer = httpx.Response(200, json=ROWS).content
        self.send_response(204 if self.path == "/nothing" else 200)
        if self.path == "/nothing":
            self.end_headers()
        elif self.path == "/chunked":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"%x\r\n%b\r\n0\r\n\r\n" % (len(answer), answer))
        else:
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

    do_GET = do_POST  # noqa: N815  # the name is the library's

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def proxy(upstream: Upstream) -> Iterator[Proxy]:
    with faulty(upstream.url) as made:
        yield made


@pytest.fixture
def client(proxy: Proxy) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=proxy.url, timeout=5, trust_env=False) as made:
        yield made


@pytest.mark.parametrize("path", ["/counted", "/chunked"])
def test_without_a_fault_a_request_goes_through(
    client: httpx.Client, proxy: Proxy, upstream: Upstream, path: str
) -> None:
    body = b"x" * 3_000_000
    response = client.post(path, content=body)
    assert response.json() == ROWS
    assert response.headers["connection"] == "close"
    assert upstream.bodies == [body]
    assert (proxy.requests(), proxy.injected) == (1, 0)


def test_refuse_closes_the_connection(
    client: httpx.Client, proxy: Proxy, upstream: Upstream
) -> None:
    proxy.inject(Fault.REFUSE)
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        client.post("/", content=b"a")
    assert upstream.bodies == []
    assert proxy.injected == 1


def test_unavailable_html_is_a_gateways_503(
    client: httpx.Client, proxy: Proxy, upstream: Upstream
) -> None:
    proxy.inject(Fault.UNAVAILABLE_HTML)
    response = client.post("/", content=b"a")
    assert response.status_code == 503
    assert response.text.startswith("<html>")
    assert upstream.bodies == []
    assert proxy.injected == 1


def test_unavailable_json_is_postgrests_503(
    client: httpx.Client, proxy: Proxy, upstream: Upstream
) -> None:
    proxy.inject(Fault.UNAVAILABLE_JSON)
    response = client.post("/", content=b"a")
    assert response.status_code == 503
    assert response.json()["code"] == "PGRST000"
    assert upstream.bodies == []
    assert proxy.injected == 1


def test_too_many_says_when_to_come_back(
    client: httpx.Client, proxy: Proxy, upstream: Upstream
) -> None:
    proxy.inject(Fault.TOO_MANY)
    response = client.post("/", content=b"a")
    assert response.status_code == 429
    assert response.headers["retry-after"] == "1"
    assert upstream.bodies == []
    assert proxy.injected == 1


def test_hang_never_answers(client: httpx.Client, proxy: Proxy, upstream: Upstream) -> None:
    proxy.inject(Fault.HANG)
    with pytest.raises(httpx.ReadTimeout):
        client.post("/", content=b"a", timeout=0.2)
    assert upstream.bodies == []
    assert proxy.injected == 1


def test_garbage_is_a_200_that_is_no_json(
    client: httpx.Client, proxy: Proxy, upstream: Upstream
) -> None:
    proxy.inject(Fault.GARBAGE_200)
    response = client.post("/", content=b"a")
    assert response.status_code == 200
    with pytest.raises(ValueError, match="Expecting value"):
        response.json()
    assert upstream.bodies == []
    assert proxy.injected == 1


def test_empty_is_a_200_with_nothing(
    client: httpx.Client, proxy: Proxy, upstream: Upstream
) -> None:
    proxy.inject(Fault.EMPTY_200)
    response = client.post("/", content=b"a")
    assert (response.status_code, response.content) == (200, b"")
    assert upstream.bodies == []
    assert proxy.injected == 1


def test_slow_answers_after_a_second(
    client: httpx.Client, proxy: Proxy, upstream: Upstream
) -> None:
    proxy.inject(Fault.SLOW)
    began = monotonic()
    assert client.post("/", content=b"a").json() == ROWS
    assert monotonic() - began >= 1
    assert upstream.bodies == [b"a"]
    assert proxy.injected == 1


def test_stall_after_forwards_and_never_answers(
    client: httpx.Client, proxy: Proxy, upstream: Upstream
) -> None:
    proxy.inject(Fault.STALL_AFTER)
    with pytest.raises(httpx.ReadTimeout):
        client.post("/", content=b"a", timeout=1)
    assert upstream.bodies == [b"a"]
    assert proxy.injected == 1


def test_reset_after_forwards_and_resets(
    client: httpx.Client, proxy: Proxy, upstream: Upstream
) -> None:
    proxy.inject(Fault.RESET_AFTER)
    with pytest.raises(httpx.ReadError, match="reset by peer"):
        client.post("/", content=b"a")
    assert upstream.bodies == [b"a"]
    assert proxy.injected == 1


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/counted", r"received \d+ bytes"),
        ("/chunked", "incomplete chunked read"),
        ("/nothing", "without sending a response"),
    ],
)
def test_half_forwards_and_closes_amid_the_answer(
    client: httpx.Client, proxy: Proxy, upstream: Upstream, path: str, message: str
) -> None:
    proxy.inject(Fault.HALF)
    with pytest.raises(httpx.RemoteProtocolError, match=message):
        client.post(path, content=b"a")
    assert upstream.bodies == [b"a"]
    assert proxy.injected == 1


def test_a_fault_waits_for_its_path_and_its_turn(client: httpx.Client, proxy: Proxy) -> None:
    proxy.inject(Fault.TOO_MANY, path="claim", times=2, after=1)
    asked = ["claim", "finish?id=claim", "claim", "finish", "claim", "claim"]
    statuses = [client.get(path).status_code for path in asked]
    assert statuses == [200, 200, 429, 200, 429, 200]
    assert proxy.requests("claim") == 4
    assert proxy.requests() == 6
    assert proxy.injected == 2


def test_faults_follow_one_another(client: httpx.Client, proxy: Proxy) -> None:
    proxy.inject(Fault.TOO_MANY)
    proxy.inject(Fault.UNAVAILABLE_HTML, times=2)
    assert [client.get("/").status_code for _ in range(4)] == [429, 503, 503, 200]


def test_a_fault_for_ever_ends_when_cleared(client: httpx.Client, proxy: Proxy) -> None:
    proxy.inject(Fault.TOO_MANY, times=None)
    assert {client.get("/").status_code for _ in range(5)} == {429}
    proxy.clear()
    assert client.get("/").status_code == 200
    assert proxy.injected == 5


def test_many_threads_get_each_fault_once(
    client: httpx.Client, proxy: Proxy, upstream: Upstream
) -> None:
    proxy.inject(Fault.TOO_MANY, times=7)
    with ThreadPoolExecutor(20) as pool:
        statuses = list(pool.map(lambda _: client.get("/").status_code, range(40)))
    assert statuses.count(429) == 7
    assert len(upstream.bodies) == 33
    assert (proxy.requests(), proxy.injected) == (40, 7)


def test_an_upstream_that_is_down_is_no_fault_of_ours() -> None:
    with faulty(f"http://{HOST}:{free_port()}") as proxy:
        proxy.inject(Fault.RESET_AFTER)
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.get(proxy.url, trust_env=False)
    assert (proxy.requests(), proxy.injected) == (1, 0)


def test_leaving_frees_whoever_hangs(upstream: Upstream) -> None:
    with ThreadPoolExecutor(1) as pool:
        with faulty(upstream.url) as proxy:
            proxy.inject(Fault.HANG)
            hanging = pool.submit(httpx.get, proxy.url, timeout=20, trust_env=False)
            while not proxy.injected:
                threading.Event().wait(0.01)
        error = hanging.exception(timeout=5)
    assert isinstance(error, httpx.RemoteProtocolError | httpx.ReadError)
    with pytest.raises(httpx.ConnectError):
        httpx.get(proxy.url, trust_env=False)
