"""Who an API key makes you, and what else the gateway sees to."""

from __future__ import annotations

import httpx
import psycopg
import pytest

from mentor_sync.local.gateway import create_app, split_apikey, without_hop_by_hop
from mentor_sync.local.keys import Keys
from mentor_sync.local.stack import Stack
from mentor_sync.local.state import State
from tests.local.conftest import rpc

USER = "8a1b6f0e-0000-4000-8000-000000000001"
BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"
FOREIGN = Keys.generate()


@pytest.fixture(scope="module")
def keys(running: Stack) -> Keys:
    return State.load(running.folder).keys


@pytest.fixture(scope="module")
def api(running: Stack) -> str:
    """The URL of the Data API, with a function `who`, a row set and an echo in it."""
    with psycopg.connect(running.environment()["SUPABASE_DB_URL"]) as connection:
        connection.execute(
            """
            create or replace function who() returns text stable
              return current_user || ' ' || coalesce(auth.uid()::text, 'nobody');
            create or replace function many() returns setof int stable language sql
              as 'select generate_series(1, 1500)';
            create or replace function echo(body jsonb) returns jsonb return body;
            """
        )
    rpc(running.environment(), "who")
    return f"{running.environment()['SUPABASE_URL']}/rest/v1"


def who(api: str, apikey: str | None, bearer: str | None = None, **more: str) -> tuple[int, str]:
    headers = {"user-agent": "python", **more}
    if apikey is not None:
        headers["apikey"] = apikey
    if bearer is not None:
        headers["authorization"] = f"Bearer {bearer}"
    answer = httpx.get(f"{api}/rpc/who", headers=headers)
    body = answer.json()
    return answer.status_code, body if isinstance(body, str) else body["message"]


def test_keys_become_roles(api: str, keys: Keys) -> None:
    user = keys.mint("authenticated", sub=USER)
    for apikey, bearer, expected in (
        (keys.secret_key, None, "service_role nobody"),
        (keys.secret_key, keys.secret_key, "service_role nobody"),
        (keys.secret_key, user, f"authenticated {USER}"),
        (keys.publishable_key, None, "anon nobody"),
        (keys.publishable_key, keys.publishable_key, "anon nobody"),
        (keys.publishable_key, user, f"authenticated {USER}"),
        (keys.legacy_anon_key, keys.legacy_anon_key, "anon nobody"),
        (keys.legacy_service_role_key, None, "service_role nobody"),
        (keys.publishable_key, keys.legacy_service_role_key, "service_role nobody"),
    ):
        assert who(api, apikey, bearer) == (200, expected)


def test_what_is_refused(api: str, keys: Keys) -> None:
    missing, wrong = "No API key found in request", "Invalid API key"
    for apikey, bearer, expected in (
        (None, None, missing),
        (None, keys.secret_key, missing),
        ("", None, missing),
        (FOREIGN.secret_key, None, wrong),
        (FOREIGN.legacy_service_role_key, FOREIGN.legacy_service_role_key, wrong),
        (keys.publishable_key, keys.secret_key, wrong),
        (keys.secret_key, "sb_secret_of_somebody_else", wrong),
        (keys.publishable_key, FOREIGN.mint("service_role"), "JWSError JWSInvalidSignature"),
        (keys.publishable_key, keys.mint("authenticated", seconds=-60), "JWT expired"),
    ):
        assert who(api, apikey, bearer) == (401, expected)


def test_a_secret_key_in_a_browser(api: str, keys: Keys) -> None:
    refused = (401, "Forbidden use of secret API key in browser")
    assert who(api, keys.secret_key, **{"user-agent": BROWSER}) == refused
    assert who(api, keys.publishable_key, **{"user-agent": BROWSER})[0] == 200


def test_the_shape_of_a_refusal(api: str) -> None:
    answer = httpx.get(f"{api}/rpc/who")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {
        "message": "No API key found in request",
        "hint": "No `apikey` request header or url param was found.",
    }


def test_a_key_in_the_query(api: str, keys: Keys) -> None:
    answer = httpx.get(f"{api}/rpc/who?apikey={keys.secret_key}")
    assert answer.json() == "service_role nobody"


@pytest.mark.parametrize(
    ("query", "rest", "key"),
    [
        (b"", b"", None),
        (b"select=a%2Cb&x=eq.%26", b"select=a%2Cb&x=eq.%26", None),
        (b"apikey=k%5Fx", b"", "k_x"),
        (b"a=1&apikey=k&my_apikey=2", b"a=1&my_apikey=2", "k"),
        (b"my_apikey=2", b"my_apikey=2", None),
    ],
)
def test_only_the_key_leaves_the_query(query: bytes, rest: bytes, key: str | None) -> None:
    assert split_apikey(query) == (rest, key)


def test_headers_of_one_connection_stay_on_it() -> None:
    given = [(b"Connection", b"close, X-Once"), (b"TE", b"x"), (b"x-once", b"1"), (b"Prefer", b"p")]
    assert without_hop_by_hop(given) == [(b"prefer", b"p")]


def test_a_preflight_needs_no_key(api: str) -> None:
    answer = httpx.options(
        f"{api}/rpc/who",
        headers={"origin": "http://localhost:3000", "access-control-request-method": "GET"},
    )
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"


def test_a_thousand_rows_at_most(api: str, keys: Keys) -> None:
    answer = httpx.get(f"{api}/rpc/many", headers={"apikey": keys.secret_key})
    assert len(answer.json()) == 1000


def test_bodies_go_through_whole(api: str, keys: Keys) -> None:
    text = "ü€ " * 700_000
    answer = httpx.post(
        f"{api}/rpc/echo", json={"body": text}, headers={"apikey": keys.secret_key}, timeout=30
    )
    assert answer.json() == text


def test_other_paths_are_not_found(api: str) -> None:
    answer = httpx.get(api.replace("rest", "auth"))
    assert answer.status_code == 404
    assert answer.json() == {"message": "no Route matched with those values"}


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_no_upstream() -> None:
    app = create_app("http://127.0.0.1:1", FOREIGN)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://local") as client:
        answer = await client.get("/rest/v1/x", headers={"apikey": FOREIGN.secret_key})
    assert answer.status_code == 503
    assert set(answer.json()) == {"message", "hint"}
