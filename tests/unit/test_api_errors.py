"""What an error of the API means: its class, whether to try again, the next command."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from postgrest import APIError

from mentor_sync.api_errors import explain_api_error, explain_transport_error
from mentor_sync.errors import (
    ApiError,
    ConfigurationError,
    KeyRefused,
    MentorSyncError,
    MissingMigrations,
    Overloaded,
    StaleRun,
    Unreachable,
    UsageError,
)
from tests.unit.support import KEY, URL, serving

MIGRATE = "mentor-sync db migrate"
TABLE: list[tuple[int, str | None, str, type[MentorSyncError], str]] = [
    (404, "PGRST202", "Could not find the function", MissingMigrations, MIGRATE),
    (400, "PGRST204", "Could not find the column", MissingMigrations, MIGRATE),
    (404, "PGRST205", "Could not find the table", MissingMigrations, MIGRATE),
    (404, "42P01", 'relation "public.job_runs" does not exist', MissingMigrations, MIGRATE),
    (404, "42883", "function private.sync_one(uuid) does not exist", MissingMigrations, MIGRATE),
    (400, "42703", "column job_runs.lease_seconds does not exist", MissingMigrations, MIGRATE),
    (400, "42703", 'column "areaOfExpertise" does not exist', MissingMigrations, MIGRATE),
    (400, "3F000", 'schema "private" does not exist', MissingMigrations, MIGRATE),
    (404, "42P01", 'relation "audit_log" does not exist', ApiError, "not of mentor-sync"),
    (404, "42P01", 'relation "public.newsletters" does not exist', ApiError, "a trigger"),
    (404, "42883", "function tell_crm(uuid) does not exist", ApiError, "not of mentor-sync"),
    (404, "42883", "operator does not exist: text = uuid", ApiError, "not of mentor-sync"),
    (400, "42703", 'record "new" has no field "nickname"', ApiError, "not of mentor-sync"),
    (400, "42703", 'column "x" of relation "audit_log" does not exist', ApiError, "a trigger"),
    (400, "3F000", 'schema "audit" does not exist', ApiError, "not of mentor-sync"),
    (403, "42501", "permission denied for function x", ConfigurationError, "mentor-sync db print"),
    (401, None, "Invalid API key", KeyRefused, "SUPABASE_SECRET_KEY and SUPABASE_URL"),
    (401, "42501", "permission denied", KeyRefused, "SUPABASE_SECRET_KEY and SUPABASE_URL"),
    (401, "PGRST301", "No suitable key was found", KeyRefused, "of the same project"),
    (401, "PGRST303", "JWT expired", KeyRefused, "sb_secret_"),
    (401, "PGRST301", "JWT issued at future", KeyRefused, "clock"),
    (500, "PGRST300", "Server lacks JWT secret", KeyRefused, "of the same project"),
    (406, "PGRST106", "The schema must be one of", ConfigurationError, "Expose the schema"),
    (402, None, "exceeded_egress_quota", ConfigurationError, "Billing"),
    (540, None, "Project paused", ConfigurationError, "Restore it in the dashboard"),
    (404, None, "no Route matched with those values", ConfigurationError, "https://<ref>.supa"),
    (404, "PGRST125", "Invalid path", ConfigurationError, "https://<ref>.supabase.co"),
    (301, None, "Moved Permanently", ConfigurationError, "https://<ref>.supabase.co"),
    (405, None, "Method Not Allowed", ConfigurationError, "https://<ref>.supabase.co"),
    (501, None, "Unsupported method ('POST')", ConfigurationError, "https://<ref>.supabase.co"),
    (429, None, "Too many requests", Overloaded, "again in a minute"),
    (503, "PGRST000", "Could not connect with the database", Overloaded, "again in a minute"),
    (503, "PGRST002", "Could not query the database", Overloaded, "again in a minute"),
    (504, "PGRST003", "Timed out acquiring connection", Overloaded, "again in a minute"),
    (500, "40001", "could not serialize access", Overloaded, "again in a minute"),
    (500, "40P01", "deadlock detected", Overloaded, "again in a minute"),
    (500, "55P03", "canceling statement due to lock timeout", Overloaded, "again in a minute"),
    (500, "57014", "canceling statement", Overloaded, "again in a minute"),
    (503, "57P01", "terminating connection", Overloaded, "again in a minute"),
    (503, "53100", "No space left on device", Overloaded, "again in a minute"),
    (503, "08006", "connection failure", Overloaded, "again in a minute"),
    (500, None, "Internal Server Error", Unreachable, "dashboard"),
    (502, None, "Bad Gateway", Unreachable, "dashboard"),
    (503, None, "name resolution failed", Unreachable, "dashboard"),
    (520, None, "Unknown", Unreachable, "dashboard"),
    (544, None, "Gateway timeout", Unreachable, "dashboard"),
    (400, "MS001", "Run 1 is not yours any more.", StaleRun, "the hint of the server"),
    (400, "MS002", "There is no job x.", UsageError, "the hint of the server"),
    (400, "22P02", "invalid input syntax", ApiError, "the hint of the server"),
    (409, "23505", "duplicate key value", ApiError, "the hint of the server"),
    (400, "PGRST100", "failed to parse filter", ApiError, "the hint of the server"),
]
CLASSES = re.findall("..", "010208090A0L0P212223252D2838393B3D3F4042445354555758F0HVP0XXMS")
FAMILIES = [f"PGRST{n}{m:02}" for n in range(4) for m in range(30)] + ["PGRSTX00"]


def explained(code: str | None, status: int | None, message: str | None = "why") -> MentorSyncError:
    hint = "the hint of the server"
    return explain_api_error(APIError({"code": code, "message": message, "hint": hint}), status)


@pytest.mark.parametrize(("status", "code", "message", "kind", "hint"), TABLE)
def test_each_case_has_its_class_and_its_next_step(
    status: int, code: str | None, message: str, kind: type[MentorSyncError], hint: str
) -> None:
    error = explained(code, status, message)
    assert type(error) is kind
    assert error.retryable is (kind in {Overloaded, Unreachable})
    assert message in error.message or error.code == "wrong_url"
    assert hint in error.hint


@pytest.mark.parametrize(("status", "code", "message", "kind", "hint"), TABLE)
def test_the_same_through_the_door(
    status: int, code: str | None, message: str, kind: type[MentorSyncError], hint: str
) -> None:
    answer = {"message": message, "code": code, "hint": "the hint of the server"}
    _, api = serving((status, answer), patience=0.01)
    with pytest.raises(kind) as caught:
        api.rpc("verb", {}, expect=dict)
    assert type(caught.value) is kind
    assert hint in caught.value.hint
    assert caught.value.__cause__ is not None


@pytest.mark.parametrize("page", [b"<!doctype html><h1>Sorry</h1>", b"nothing here", b""], ids=str)
@pytest.mark.parametrize("status", [400, 403, 404, 405, 406, 410, 415, 501])
def test_a_server_that_talks_no_json_is_a_wrong_address(status: int, page: bytes) -> None:
    server, api = serving((status, page))
    with pytest.raises(ConfigurationError) as caught:
        api.rpc("verb", {}, expect=dict)
    assert (caught.value.code, len(server.requests)) == ("wrong_url", 1)
    assert str(status) in caught.value.message


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, *range(520, 527), 530])
def test_a_page_that_says_later_is_tried_again(status: int) -> None:
    server, api = serving((status, b"<html>cloudflare</html>"), (200, {}))
    assert api.rpc("verb", {}, expect=dict) == {}
    assert len(server.requests) == 2


@pytest.mark.parametrize("status", [413, 414, 431])
def test_a_page_about_the_request_says_nothing_of_the_address(status: int) -> None:
    _, api = serving((status, b"<html>nginx</html>"))
    with pytest.raises(ApiError, match=str(status)):
        api.rpc("verb", {}, expect=dict)


@pytest.mark.parametrize("code", [*FAMILIES, *(f"{kind}000" for kind in CLASSES)])
def test_every_family_of_codes_is_an_error_of_ours(code: str) -> None:
    error = explained(code, 400)
    assert isinstance(error, MentorSyncError)
    assert "why" in error.message or error.code == "wrong_url"


@given(
    code=st.none() | st.text(),
    status=st.none() | st.integers(300, 599),
    message=st.none() | st.text(),
)
def test_no_answer_breaks_the_explanation(
    code: str | None, status: int | None, message: str | None
) -> None:
    error = explained(code, status, message)
    assert error.message
    assert error.code


def _kinds(kind: type[httpx.HTTPError]) -> Iterator[type[httpx.HTTPError]]:
    yield kind
    for narrower in kind.__subclasses__():
        yield from _kinds(narrower)


@pytest.mark.parametrize("kind", sorted(_kinds(httpx.HTTPError), key=str))
def test_every_error_of_httpx_is_one_of_ours(kind: type[httpx.HTTPError]) -> None:
    request = httpx.Request("POST", URL)
    more: dict[str, Any] = {}
    if kind is httpx.HTTPStatusError:
        more = {"request": request, "response": httpx.Response(500)}
    error = kind(f"broken with {KEY}", **more)
    ours = explain_transport_error(error, URL)
    assert (type(ours), ours.retryable) == (Unreachable, True)
    assert KEY not in ours.message
    _, api = serving(error, patience=0.01)
    with pytest.raises(Unreachable):
        api.rpc("verb", {}, expect=dict)


@pytest.mark.parametrize(
    "words",
    [
        "[Errno -2] Name or service not known",
        "[Errno 8] nodename nor servname provided, or not known",
        "[Errno -3] Temporary failure in name resolution",
        "[Errno -5] No address associated with hostname",
    ],
)
def test_an_unknown_host_is_a_wrong_url(words: str) -> None:
    error = explain_transport_error(httpx.ConnectError(words), URL)
    assert (type(error), error.code) == (ConfigurationError, "wrong_url")
    assert "https://<ref>.supabase.co" in error.hint


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (httpx.ConnectError("refused"), "no_connection"),
        (httpx.ConnectTimeout("timed out"), "no_connection"),
        (httpx.ReadTimeout("timed out"), "timeout"),
        (httpx.ReadError("reset"), "unreachable"),
    ],
)
def test_the_code_says_how_far_the_request_came(error: httpx.HTTPError, code: str) -> None:
    assert explain_transport_error(error, URL).code == code


def test_a_secret_in_an_error_is_not_passed_on() -> None:
    assert KEY not in explained("22P02", 400, f"invalid input syntax: {KEY}").message
