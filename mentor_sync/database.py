"""The one door to Supabase: every request of mentor-sync to the Data API goes through here.

supabase-py never retries what may write, answers nonsense with strings and nothing with empty
lists, and cuts row sets at 1,000. So this door retries, checks each answer, and pages.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
from postgrest import APIError
from supabase.lib.client_options import SyncClientOptions
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    stop_after_delay,
    wait_random_exponential,
)

from mentor_sync.api_errors import (
    STATEMENT_TIMEOUT,
    explain_api_error,
    explain_transport_error,
    wrong_address,
)
from mentor_sync.api_key import require_service_key
from mentor_sync.errors import BadAnswer, MentorSyncError, MissingMigrations
from supabase import Client, ClientOptions, create_client

Json = dict[str, Any]
Answer = TypeVar("Answer", dict, list, int, str, bool)  # type: ignore[type-arg]

PAGE = 1000
"""Rows a request: what the Data API gives at the most."""


@dataclass
class Calls:
    """What went through the door."""

    requests: int = 0
    retries: int = 0
    last_status: int | None = field(default=None, repr=False)


class Database:
    """A Supabase project, seen through its Data API with a service key.

    Args:
        url: of the project, `https://<ref>.supabase.co`.
        key: the secret key or the legacy service_role key.
        timeout: seconds a request may take.
        patience: seconds to go on trying while the API is down or busy.
        transport: instead of the network, in tests.

    Raises:
        ConfigurationError: the URL or the key is of the wrong kind.
    """

    def __init__(
        self,
        url: str,
        key: str,
        *,
        timeout: float = 15.0,
        patience: float = 30.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        require_service_key(key)
        self.url = _project_url(url)
        self.calls = Calls()
        self._patience = patience
        # HTTP/1.1: idle HTTP/2 connections are cut by GOAWAY, and the request is lost.
        self._http = httpx.Client(
            timeout=timeout,
            http2=False,
            follow_redirects=False,
            transport=transport or httpx.HTTPTransport(retries=1),
            event_hooks={"response": [self._note_status]},
        )
        self._client = _client(self.url, key, self._http)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def rpc(self, name: str, params: Json, *, expect: type[Answer]) -> Answer:
        """Call a verb and check that the answer is of its type.

        Retried while the API is down or busy: every verb of ours is safe to call twice.

        Raises:
            MentorSyncError: see errors.py; `code` is the SQLSTATE or PostgREST's code.
        """
        answer = self._retrying(lambda: self._send(self._client.rpc(name, params)))
        return _checked(answer, expect, name)

    def rpc_or_none(self, name: str, params: Json) -> Json | None:
        """Call a verb that answers with one object or null."""
        answer = self._retrying(lambda: self._send(self._client.rpc(name, params)))
        return None if answer is None else _checked(answer, dict, name)

    def select(
        self, table: str, columns: str = "*", *, order: str, limit: int = PAGE, **equals: Any
    ) -> list[Json]:
        """Rows of a table, the latest first by `order`; `limit` is 1 to 1,000."""

        def request() -> Any:
            query = self._client.table(table).select(columns).order(order, desc=True)
            for column, value in equals.items():
                query = query.eq(column, value)
            return self._send(query.limit(min(limit, PAGE)))

        return _rows(self._retrying(request), table)

    def pages(self, table: str, columns: str, *, key: str = "id") -> Iterator[list[Json]]:
        """Every row of a table, in pages by a unique key that `columns` must contain."""
        after: Any = None
        while True:
            rows = self._page(table, columns, key, after)
            if rows:
                yield rows
            if len(rows) < PAGE:
                return
            after = rows[-1][key]

    def _page(self, table: str, columns: str, key: str, after: Any) -> list[Json]:
        def request() -> Any:
            query = self._client.table(table).select(columns).order(key).limit(PAGE)
            return self._send(query if after is None else query.gt(key, after))

        return _rows(self._retrying(request), table)

    def _send(self, query: Any) -> Any:
        """One request, with every failure turned into an error of ours."""
        self.calls.requests += 1
        self.calls.last_status = None
        try:
            return query.execute().data
        except APIError as error:
            raise explain_api_error(error, self.calls.last_status) from error
        except httpx.HTTPError as error:
            raise explain_transport_error(error, self.url) from error

    def _retrying(self, request: Any) -> Any:
        out_of_time = stop_after_delay(self._patience)
        attempts = Retrying(
            retry=retry_if_exception(_worth_another_try),
            wait=wait_random_exponential(multiplier=0.2, max=5),
            stop=lambda state: out_of_time(state) or _stays_unknown(state),
            before_sleep=self._note_retry,
            reraise=True,
        )
        return attempts(request)

    def _note_status(self, response: httpx.Response) -> None:
        self.calls.last_status = response.status_code

    def _note_retry(self, _state: RetryCallState) -> None:
        self.calls.retries += 1


def _worth_another_try(error: BaseException) -> bool:
    # The same statement would take too long again; the caller asks for less.
    return isinstance(error, MissingMigrations) or (
        isinstance(error, MentorSyncError) and error.retryable and error.code != STATEMENT_TIMEOUT
    )


def _stays_unknown(state: RetryCallState) -> bool:
    """A new function is unknown to the API for a moment only."""
    error = state.outcome.exception() if state.outcome else None
    return isinstance(error, MissingMigrations) and state.attempt_number >= 3


def _client(url: str, key: str, http: httpx.Client) -> Client:
    options: ClientOptions = SyncClientOptions(
        httpx_client=http,
        auto_refresh_token=False,
        persist_session=False,
        postgrest_client_retry=False,
    )
    return create_client(url, key, options=options)


def _project_url(url: str) -> str:
    trimmed = url.strip().rstrip("/").removesuffix("/rest/v1")
    if "/dashboard/" in trimmed:
        raise wrong_address("it is that of the dashboard")
    try:
        parsed = httpx.URL(trimmed)
    except httpx.InvalidURL:
        raise wrong_address("it cannot be read") from None
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise wrong_address("it does not begin with https://")
    return trimmed


def _checked(answer: Any, expected: type[Answer], name: str) -> Answer:
    if type(answer) is not expected:
        raise BadAnswer(
            f"{name} answered with {type(answer).__name__} instead of {expected.__name__}.",
            hint="The answer was cut short or came from a proxy. Run it again.",
        )
    return answer


def _rows(answer: Any, table: str) -> list[Json]:
    rows: list[Json] = _checked(answer, list, table)
    if any(type(row) is not dict for row in rows):
        raise BadAnswer(f"{table} answered with rows that are none.", hint="Run it again.")
    return rows
