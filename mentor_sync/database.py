"""The one door to Supabase: every request of mentor-sync to the Data API goes through here.

supabase-py never retries what may write, answers nonsense with strings and nothing with empty
lists, and cuts row sets at 1,000. So this door retries, checks each answer, and pages.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

import httpx
from postgrest import APIError
from supabase.lib.client_options import SyncClientOptions
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    stop_before_delay,
    wait_random_exponential,
)

from mentor_sync.api_errors import (
    NO_CONNECTION,
    STATEMENT_TIMEOUT,
    explain_api_error,
    explain_transport_error,
    wrong_address,
)
from mentor_sync.api_key import require_service_key
from mentor_sync.errors import (
    BadAnswer,
    MentorSyncError,
    MissingMigrations,
    RunTimedOut,
    UsageError,
)
from supabase import Client, ClientOptions, SupabaseException, create_client

Json = dict[str, Any]
_CUT_SHORT = "The answer was cut short or came from a proxy. Run it again."
# Not str: what is not JSON comes as one.
Answer = TypeVar("Answer", dict, list, int, bool)  # type: ignore[type-arg]
Given = TypeVar("Given")

PAGE = 1000
"""Rows a request: what the Data API gives at the most."""
FIRST_PATIENCE = 5.0
"""Seconds to look for a server that never answered: the address may be wrong."""
FEW = 3
"""Tries where the same answer twice is hardly chance."""


@dataclass
class Calls:
    """What went through the door, by any thread."""

    requests: int = 0
    retries: int = 0


class _Latest(threading.local):
    """The answer that this thread got last."""

    status: int | None = None


def _ignore(_code: str, _ok: bool) -> None:
    """Nobody watches."""


class Database:
    """A Supabase project, seen through its Data API with a service key.

    Args:
        url: of the project, `https://<ref>.supabase.co`.
        key: the secret key or the legacy service_role key.
        timeout: seconds a request may take.
        patience: seconds to go on trying while the API is down or busy.
        transport: instead of the network, in tests.
        observe: is told of every answer: its HTTP status or error code, and whether it is good.

    Threads may share one.

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
        observe: Callable[[str, bool], None] = _ignore,
    ) -> None:
        key = key.strip()
        require_service_key(key)
        self.url = _project_url(url)
        self.calls = Calls()
        self._latest = _Latest()
        self._observe = observe
        self._patience = patience
        self._has_answered = False
        # HTTP/1.1: idle HTTP/2 connections are cut by GOAWAY, and the request is lost.
        self._http = httpx.Client(
            timeout=timeout,
            follow_redirects=False,
            transport=transport or httpx.HTTPTransport(http2=False, retries=1),
            event_hooks={"response": [self._note_answer]},
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

        def request() -> Answer:
            return _checked(self._send(self._client.rpc(name, params)), expect, name)

        return self._retrying(request)

    def select(
        self, table: str, columns: str = "*", *, order: str, limit: int = PAGE, **equals: Any
    ) -> list[Json]:
        """Rows of a table, the latest first by `order`; `limit` is 1 to 1,000."""

        def request() -> list[Json]:
            query = self._client.table(table).select(columns).order(order, desc=True)
            for column, value in equals.items():
                query = query.eq(column, value)
            return _rows(self._send(query.limit(min(limit, PAGE))), table)

        return self._retrying(request)

    def update(self, table: str, values: Json, **equals: Any) -> list[Json]:
        """Set these values in the rows where the columns equal `equals`: the rows, as they are.

        Raises:
            UsageError: `equals` is empty; every row would be changed.
        """
        if not equals:
            raise UsageError(f"No rows of {table} were named, so none was changed.")

        def request() -> list[Json]:
            query = self._client.table(table).update(values)
            for column, value in equals.items():
                query = query.eq(column, value)
            return _rows(self._send(query), table)

        return self._retrying(request)

    def pages(self, table: str, columns: str, *, key: str = "id") -> Iterator[list[Json]]:
        """Every row of a table, in pages by a unique key that `columns` must contain."""
        after: Any = None
        while True:
            rows = self._page(table, columns, key, after)
            if not rows:
                return
            yield rows
            # Not the last page because it is short: a project may give fewer rows a request.
            after = rows[-1][key]

    def _page(self, table: str, columns: str, key: str, after: Any) -> list[Json]:
        def request() -> list[Json]:
            query = self._client.table(table).select(columns).order(key).limit(PAGE)
            return _rows(self._send(query if after is None else query.gt(key, after)), table)

        return self._retrying(request)

    def _send(self, query: Any) -> Any:
        """One request, with every failure turned into an error of ours."""
        self.calls.requests += 1
        self._latest.status = None
        try:
            data = query.execute().data
        except APIError as error:
            raise self._observed(explain_api_error(error, self._latest.status)) from error
        except httpx.HTTPError as error:
            raise self._observed(explain_transport_error(error, self.url)) from error
        except BadAnswer as error:
            raise self._observed(error) from None
        except ValueError as error:
            raise UsageError(f"This cannot be sent as JSON: {error}.") from error
        self._observe(str(self._latest.status), True)
        return data

    def _observed(self, error: MentorSyncError) -> MentorSyncError:
        self._observe(error.code, False)
        return error

    def _retrying(self, request: Callable[[], Given]) -> Given:
        attempts = Retrying(
            retry=retry_if_exception(_worth_another_try),
            wait=wait_random_exponential(multiplier=0.2, max=5),
            stop=lambda state: self._out_of_time(state) or _stays_so(state),
            before_sleep=self._note_retry,
            reraise=True,
        )
        return attempts(request)

    def _out_of_time(self, state: RetryCallState) -> bool:
        nobody = not self._has_answered and getattr(_error(state), "code", "") == NO_CONNECTION
        patience = min(self._patience, FIRST_PATIENCE) if nobody else self._patience
        return stop_before_delay(patience)(state)

    def _note_answer(self, response: httpx.Response) -> None:
        self._has_answered = True
        self._latest.status = response.status_code
        if response.is_success and not response.read():
            raise BadAnswer("The Data API answered with nothing.", hint=_CUT_SHORT)

    def _note_retry(self, _state: RetryCallState) -> None:
        self.calls.retries += 1


def _worth_another_try(error: BaseException) -> bool:
    # The same would take too long again; the caller asks for less, or the next attempt goes on.
    too_long = isinstance(error, RunTimedOut) or getattr(error, "code", "") == STATEMENT_TIMEOUT
    retryable = isinstance(error, MentorSyncError) and error.retryable and not too_long
    return retryable or isinstance(error, MissingMigrations)


def _stays_so(state: RetryCallState) -> bool:
    """A new function is unknown to the API, and a proxy talks nonsense, for a moment only."""
    passing = isinstance(_error(state), MissingMigrations | BadAnswer)
    return passing and state.attempt_number >= FEW


def _error(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None


def _client(url: str, key: str, http: httpx.Client) -> Client:
    options: ClientOptions = SyncClientOptions(
        httpx_client=http,
        auto_refresh_token=False,
        persist_session=False,
        postgrest_client_retry=False,
    )
    try:
        return create_client(url, key, options=options)
    except (SupabaseException, ValueError):
        raise wrong_address("it cannot be read") from None


def _project_url(url: str) -> str:
    trimmed = url.strip().rstrip("/").removesuffix("/rest/v1")
    if "/dashboard/" in trimmed:
        raise wrong_address("it is that of the dashboard")
    try:
        parsed = httpx.URL(trimmed)
        (urlsplit(trimmed).hostname or "").encode("idna")  # each is stricter in its way
    except (httpx.InvalidURL, ValueError):
        raise wrong_address("it cannot be read") from None
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise wrong_address("it does not begin with https://")
    return str(parsed).rstrip("/")


def _checked(answer: Any, expected: type[Answer], name: str) -> Answer:
    if type(answer) is not expected:
        raise BadAnswer(
            f"{name} answered with {type(answer).__name__} instead of {expected.__name__}.",
            hint=_CUT_SHORT,
        )
    return answer


def _rows(answer: Any, table: str) -> list[Json]:
    rows: list[Json] = _checked(answer, list, table)
    if any(type(row) is not dict for row in rows):
        raise BadAnswer(f"{table} answered with rows that are none.", hint="Run it again.")
    return rows
