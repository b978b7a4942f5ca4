"""The gateway before PostgREST: `/rest/v1`, API keys to roles, as hosted projects have it.

PostgREST knows only JWTs. A hosted project's gateway takes the API key, and where the request
brings no JWT of a user, puts one in for the key's role.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote_plus

import httpx
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Mount, Route
from starlette.types import Receive, Scope, Send

from mentor_sync.local.keys import Keys
from mentor_sync.local.ports import HOST
from mentor_sync.local.state import State
from mentor_sync.local.status import HEALTH

PREFIX = "/rest/v1"
_JWT_SECONDS = 60
_TIMEOUT = httpx.Timeout(75.0, connect=2.0)  # longer than any statement may take
# Shorter than the 30 s after which PostgREST closes an idle connection, so that a request
# is not sent into one that is just going away.
_LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=50, keepalive_expiry=20.0)
_HOP_BY_HOP = frozenset(
    (
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    )
)
_ANY_ORIGIN = {"access-control-allow-origin": "*"}  # browsers show no refusal without it

RawHeaders = list[tuple[bytes, bytes]]


@dataclass(frozen=True)
class Refused(Exception):  # a verdict, raised to leave the request early
    """An answer of the gateway itself, in the shape of the hosted one."""

    status: int
    message: str
    hint: str

    def response(self) -> JSONResponse:
        return JSONResponse(
            {"message": self.message, "hint": self.hint}, self.status, headers=_ANY_ORIGIN
        )


NO_KEY = Refused(
    401, "No API key found in request", "No `apikey` request header or url param was found."
)
WRONG_KEY = Refused(
    401, "Invalid API key", "Double check your Supabase `anon` or `service_role` API key."
)
SECRET_IN_BROWSER = Refused(
    401,
    "Forbidden use of secret API key in browser",
    "Secret API keys can only be used in a protected environment and should never be used in "
    "a browser. Delete this secret API key immediately.",
)
NO_UPSTREAM = Refused(
    503, "The upstream server is currently unavailable", "PostgREST is starting, or is down."
)
SLOW_UPSTREAM = Refused(504, "The upstream server is timing out", "PostgREST did not answer.")


def authorisation(keys: Keys, apikey: str | None, given: str, user_agent: str) -> str:
    """The Authorization header for PostgREST.

    Args:
        keys: the project's.
        apikey: what the request brought as its key.
        given: its Authorization header, or "".
        user_agent: its User-Agent header, or "".

    Raises:
        Refused: as the hosted gateway refuses.
    """
    if not apikey:
        raise NO_KEY
    role = keys.role_of(apikey)
    if role is None:
        raise WRONG_KEY
    if apikey == keys.secret_key and user_agent.startswith("Mozilla/"):
        raise SECRET_IN_BROWSER
    token = _bearer(given)
    if not given or token == apikey:
        return f"Bearer {keys.mint(role, seconds=_JWT_SECONDS)}"
    if token is not None and token.startswith("sb_"):
        raise WRONG_KEY
    return given


def split_apikey(query: bytes) -> tuple[bytes, str | None]:
    """The query string without its `apikey`, otherwise untouched, and that key."""
    if b"apikey=" not in query:
        return query, None
    parts = query.split(b"&")
    given = [part for part in parts if part.startswith(b"apikey=")]
    kept = b"&".join(part for part in parts if not part.startswith(b"apikey="))
    return kept, unquote_plus(given[0].partition(b"=")[2].decode("latin-1")) if given else None


def without_hop_by_hop(headers: Iterable[tuple[bytes, bytes]], *more: bytes) -> RawHeaders:
    """The headers that go through a proxy: not those of one connection, nor `more`."""
    pairs = [(name.lower(), value) for name, value in headers]
    named = {
        token.strip().lower()
        for name, value in pairs
        if name == b"connection"
        for token in value.split(b",")
    }
    dropped = _HOP_BY_HOP | named | set(more)
    return [(name, value) for name, value in pairs if name not in dropped]


class Gateway:
    """The ASGI app below `/rest/v1`."""

    def __init__(self, upstream_url: str, keys: Keys) -> None:
        self._upstream = httpx.URL(upstream_url)
        self._keys = keys
        self._client: httpx.AsyncClient | None = None  # made in the loop that serves

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = await self._ask(self._translate(request))
        except Refused as refused:
            await refused.response()(scope, receive, send)
            return
        except ClientDisconnect:
            return
        try:
            await _answer(response, send)
        finally:
            await response.aclose()

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()

    def _translate(self, request: Request) -> httpx.Request:
        query, key_of_query = split_apikey(request.scope["query_string"])
        headers = without_hop_by_hop(request.scope["headers"], b"host", b"apikey")
        if not _is_preflight(request):
            given = request.headers.get("authorization", "")
            bearer = authorisation(
                self._keys,
                request.headers.get("apikey") or key_of_query,
                given,
                request.headers.get("user-agent", ""),
            )
            headers = [pair for pair in headers if pair[0] != b"authorization"]
            headers.append((b"authorization", bearer.encode("latin-1")))
        headers.append((b"host", self._upstream.netloc))
        path = request.scope["raw_path"].removeprefix(PREFIX.encode()) or b"/"
        return httpx.Request(
            request.method,
            self._upstream,
            headers=headers,
            content=request.stream() if _has_body(request) else None,
            # The bytes as they came: httpx would quote some of them anew.
            extensions={
                "target": path + (b"?" + query if query else b""),
                "timeout": _TIMEOUT.as_dict(),
            },
        )

    async def _ask(self, request: httpx.Request) -> httpx.Response:
        if self._client is None:
            self._client = httpx.AsyncClient(limits=_LIMITS, trust_env=False)
        try:
            return await self._client.send(request, stream=True)
        except (httpx.ReadTimeout, httpx.WriteTimeout, httpx.PoolTimeout):
            raise SLOW_UPSTREAM from None
        except httpx.TransportError:
            raise NO_UPSTREAM from None


async def _answer(response: httpx.Response, send: Send) -> None:
    await send(
        {
            "type": "http.response.start",
            "status": response.status_code,
            "headers": without_hop_by_hop(response.headers.raw),
        }
    )
    async for chunk in response.aiter_raw():
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def _bearer(authorization: str) -> str | None:
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _is_preflight(request: Request) -> bool:
    """A browser asks beforehand, without a key, whether it may send the request."""
    return request.method == "OPTIONS" and "access-control-request-method" in request.headers


def _has_body(request: Request) -> bool:
    length = request.headers.get("content-length", "0")
    return length != "0" or "transfer-encoding" in request.headers


async def _healthy(_: Request) -> PlainTextResponse:
    return PlainTextResponse("ok")


async def _no_route(_: Request, __: Exception) -> JSONResponse:
    return JSONResponse({"message": "no Route matched with those values"}, 404)


def create_app(upstream_url: str, keys: Keys) -> Starlette:
    """The gateway over a PostgREST at `upstream_url`."""
    gateway = Gateway(upstream_url, keys)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await gateway.close()

    return Starlette(
        routes=[Mount(PREFIX, app=gateway), Route(HEALTH, _healthy)],
        exception_handlers={404: _no_route},
        lifespan=lifespan,
    )


def serve(upstream_url: str, keys: Keys, port: int) -> None:
    """Serve on 127.0.0.1 until a signal comes."""
    import uvicorn

    if importlib.util.find_spec("sniffio") is None:
        # httpcore looks for it several times a request. Told once that it is missing, it
        # does not search the disk each time, which took a third of the gateway's time.
        sys.modules["sniffio"] = None  # type: ignore[assignment]  # the documented way
    uvicorn.run(
        create_app(upstream_url, keys),
        host=HOST,
        port=port,
        log_level="warning",
        access_log=False,
        ws="none",
        server_header=False,
        date_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=3,
    )


def main(folder: Path) -> None:
    """Serve the stack of a folder, as the supervisor starts it."""
    state = State.load(folder)
    serve(f"http://{HOST}:{state.postgrest_port}", state.keys, state.gateway_port)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
