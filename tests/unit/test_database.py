"""The door: what it tries again, what it takes for an answer, how it reads whole tables."""

from __future__ import annotations

import contextlib
import time
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mentor_sync import database
from mentor_sync.database import Database
from mentor_sync.errors import (
    ApiError,
    BadAnswer,
    ConfigurationError,
    KeyRefused,
    MissingMigrations,
    Overloaded,
    StaleRun,
    Unreachable,
    UsageError,
)
from tests.unit.support import KEY, URL, Answer, Table, door, serving

UNKNOWN = (404, {"code": "PGRST202", "message": "Could not find the function"})
TOO_SLOW = (500, {"code": "57014", "message": "canceling statement due to statement timeout"})
PASSING: list[Answer] = [
    (503, b"<html>upstream connect error</html>"),
    (503, {"message": "The upstream server is currently unavailable"}),
    (502, b"Bad Gateway"),
    (504, {"code": "PGRST003", "message": "Timed out acquiring connection"}),
    (520, b""),
    (429, {"message": "Too many requests"}),
    (500, {"code": "40P01", "message": "deadlock detected"}),
    httpx.ReadError("Connection reset by peer"),
    httpx.RemoteProtocolError("Server disconnected without sending a response."),
    httpx.ReadTimeout("timed out"),
    httpx.ConnectError("Connection refused"),
    (200, b""),
    (200, b"<html>hello</html>"),
    (200, b'{"read": 10, "cur'),
]
FINAL: list[tuple[Answer, type[Exception]]] = [
    (TOO_SLOW, Overloaded),
    ((401, {"message": "Invalid API key"}), KeyRefused),
    ((403, {"code": "42501", "message": "permission denied"}), ConfigurationError),
    ((404, b"not found"), ConfigurationError),
    ((400, {"code": "MS001", "message": "Run is not yours any more."}), StaleRun),
    ((400, {"code": "22P02", "message": "invalid input syntax"}), ApiError),
]
NO_ANSWERS = [b"", b"<html>", b"[1, 2", b'"text"', b"[]", b"17", b"true", b"null", b"\xff\xfe"]


@pytest.mark.parametrize("trouble", PASSING, ids=str)
def test_passing_trouble_is_tried_again_with_the_same_body(trouble: Answer) -> None:
    server, api = serving(trouble, trouble, (200, {"read": 7}))
    assert api.rpc("verb", {"p_id": 1}, expect=dict) == {"read": 7}
    assert server.bodies == [b'{"p_id":1}'] * 3
    assert (api.calls.requests, api.calls.retries) == (3, 2)


@pytest.mark.parametrize(("answer", "error"), FINAL, ids=str)
def test_what_would_fail_again_is_asked_once(answer: Answer, error: type[Exception]) -> None:
    server, api = serving(answer)
    with pytest.raises(error):
        api.rpc("verb", {}, expect=dict)
    assert len(server.requests) == 1
    assert (api.calls.requests, api.calls.retries) == (1, 0)


def test_patience_is_bounded() -> None:
    server, api = serving((503, b"down"), patience=0.3)
    begun = time.monotonic()
    with pytest.raises(Unreachable, match="503"):
        api.rpc("verb", {}, expect=dict)
    assert time.monotonic() - begun < 0.6
    assert len(server.requests) >= 2


def test_a_server_that_never_answered_gets_less_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "FIRST_PATIENCE", 0.1)
    refused = httpx.ConnectError("Connection refused")
    _, nobody = serving(refused, patience=2)
    begun = time.monotonic()
    with pytest.raises(Unreachable):
        nobody.rpc("verb", {}, expect=dict)
    assert time.monotonic() - begun < 0.3
    _, gone = serving((200, {}), refused, refused, refused, refused, (200, {}), patience=10)
    for _ in range(2):
        assert gone.rpc("verb", {}, expect=dict) == {}
    assert gone.calls.retries == 4


def test_a_function_unknown_to_the_api_is_asked_for_three_times() -> None:
    server, api = serving(UNKNOWN)
    with pytest.raises(MissingMigrations):
        api.rpc("verb", {}, expect=dict)
    assert len(server.requests) == 3
    server, api = serving(UNKNOWN, UNKNOWN, (200, 1))
    assert api.rpc("verb", {}, expect=int) == 1


@pytest.mark.parametrize("body", NO_ANSWERS)
def test_what_is_no_answer_is_an_error_and_never_nothing(body: bytes) -> None:
    server, api = serving((200, body))
    with pytest.raises(BadAnswer):
        api.rpc("verb", {}, expect=dict)
    assert len(server.requests) == 3


@pytest.mark.parametrize("body", [b"", b"<html>", b'[{"id": 1}, {"id"', b"[1]", b"{}", b"[null]"])
def test_rows_that_are_none_are_an_error(body: bytes) -> None:
    _, api = serving((200, body))
    with pytest.raises(BadAnswer):
        api.select("job_runs", order="id")
    _, api = serving((200, body))
    with pytest.raises(BadAnswer):
        next(api.pages("members", "id"))


def test_a_bool_is_no_number_and_a_number_no_bool() -> None:
    _, api = serving((200, True))
    with pytest.raises(BadAnswer, match="bool instead of int"):
        api.rpc("verb", {}, expect=int)
    assert api.rpc("verb", {}, expect=bool) is True


def test_null_and_nothing_are_no_answers() -> None:
    for body in (b"null", b""):
        _, api = serving((200, body))
        with pytest.raises(BadAnswer):
            api.rpc("claim_runs", {}, expect=dict)


@pytest.mark.parametrize("most", [1000, 300], ids=["usual", "project that gives fewer rows"])
@pytest.mark.parametrize("count", [0, 1, 1000, 1001, 2500])
def test_every_row_of_a_table_is_seen_once(count: int, most: int) -> None:
    table = Table(count, most)
    pages = list(door(table).pages("members", "id"))
    assert [row["id"] for page in pages for row in page] == list(range(1, count + 1))
    assert all(query["order"] == ["id.asc"] for query in table.queries)
    assert len(table.queries) == -(-count // most) + 1


def test_reading_is_tried_again_by_us_alone() -> None:
    server, api = serving((503, b""), patience=0.3)
    begun = time.monotonic()
    with pytest.raises(Unreachable):
        api.select("job_runs", order="id")
    assert time.monotonic() - begun < 0.6
    assert len(server.requests) == api.calls.requests


def test_a_page_that_fails_is_asked_for_again() -> None:
    table = Table(1500)
    answers = iter([True, False, True, True])

    def unsteady(request: httpx.Request) -> httpx.Response:
        return table(request) if next(answers) else httpx.Response(503)

    pages = list(door(unsteady).pages("members", "id"))
    assert [len(page) for page in pages] == [1000, 500]


def test_select_asks_for_the_latest_rows_that_match() -> None:
    server, api = serving((200, [{"id": 2}, {"id": 1}]))
    found = api.select("job_runs", "id", order="created_at", limit=9999, job="a,b&c", status="dead")
    assert found == [{"id": 2}, {"id": 1}]
    assert dict(server.requests[0].url.params) == {
        "select": "id",
        "job": "eq.a,b&c",
        "status": "eq.dead",
        "order": "created_at.desc",
        "limit": "1000",
    }


def test_requests_carry_the_key_and_end_in_time() -> None:
    server, api = serving((200, {}), timeout=3.0)
    api.rpc("verb", {}, expect=dict)
    (request,) = server.requests
    assert str(request.url) == f"{URL}/rest/v1/rpc/verb"
    assert request.headers["apikey"] == KEY
    assert set(request.extensions["timeout"].values()) == {3.0}


def test_http_2_is_off() -> None:
    with Database(URL, KEY) as api:
        transport: Any = api._http._transport
        assert transport._pool._http1 is True
        assert transport._pool._http2 is False


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    _, api = serving((200, b"<html>"), (503, b""), TOO_SLOW)
    with pytest.raises(ApiError):
        api.rpc("verb", {}, expect=dict)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("value", ["\udcff", float("nan"), float("inf")], ids=repr)
def test_what_json_cannot_carry_is_the_callers_error(value: object) -> None:
    server, api = serving((200, {}))
    with pytest.raises(UsageError, match="cannot be sent"):
        api.rpc("verb", {"p": value}, expect=dict)
    assert server.requests == []


@pytest.mark.parametrize(
    "url", [f"{URL}/", f" {URL}\n", f"{URL}/rest/v1", f"{URL}/rest/v1/", URL.upper()]
)
def test_the_usual_spellings_of_a_url_are_taken(url: str) -> None:
    assert Database(url, f" {KEY}\n").url == URL


@pytest.mark.parametrize(
    "url",
    [
        "",
        "abcdefghij.supabase.co",
        "postgresql://postgres:pw@db.abcdefghij.supabase.co:5432/postgres",
        "https://supabase.com/dashboard/project/abcdefghij",
        "https://",
        "http://[x",
        "https://x:99999",
        "https://x..y",
        f"https://{'a' * 70}.supabase.co",
        "https://x\0y",
        "https://x\\y",
    ],
)
def test_another_url_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Database(url, KEY)
    assert caught.value.code == "wrong_url"


@given(st.one_of(st.text(), st.text().map("https://{}".format)))
def test_any_text_is_a_url_or_refused(url: str) -> None:
    with contextlib.suppress(ConfigurationError):
        assert Database(url, KEY).url
