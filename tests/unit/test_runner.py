"""One run from asking to finishing; whatever happens, its row says so."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from threading import Event
from typing import Any
from uuid import UUID

import httpx
import pytest

from mentor_sync import job as job_module
from mentor_sync.database import Database
from mentor_sync.errors import (
    ApiError,
    ApprovalNeeded,
    ConfigurationError,
    KeyRefused,
    MentorSyncError,
    RunTimedOut,
    StaleRun,
    Unreachable,
    UsageError,
)
from mentor_sync.heartbeat import Heartbeat
from mentor_sync.job import Job, JobContext, JobResult, Params, Progress
from mentor_sync.runner import (
    WORKER,
    FinishedRun,
    GivenBack,
    enqueue,
    execute,
    run_now,
    run_queued,
)
from tests.unit.support import KEY, Answer, Verbs, door, settings

RUN_ID = UUID("abcd1234-0000-4000-8000-000000000001")
ENDED: Answer = (200, {"stale": []})
LOST: Answer = (400, {"code": "MS001", "message": "Run is not yours any more."})
TOO_LONG: Answer = (400, {"code": "MS003", "message": "Run took longer than 1 seconds."})
CHUNK = Progress(read=1, about=2, counts={"made": 1}, records=[])


class Given(Params):
    size: int = 1


Does = Callable[[JobContext], JobResult]


@dataclass
class Told:
    """What the job `work` was given, and what it is to do."""

    does: Does = lambda _context: JobResult({"made": 2})
    contexts: list[tuple[JobContext, Given]] = field(default_factory=list)

    def run(self, context: JobContext, params: Given) -> JobResult:
        self.contexts.append((context, params))
        return self.does(context)


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Told:
    """The only job there is."""
    told = Told()
    monkeypatch.setattr(job_module, "_registry", {"work": Job("work", "Work.", Given, told.run)})
    monkeypatch.setattr(job_module, "entry_points", lambda group: [])
    return told


def claimed(**values: Any) -> dict[str, Any]:
    """The row of a run that is ours."""
    return {
        "id": str(RUN_ID),
        "job": "work",
        "params": {},
        "fence": 4,
        "attempt": 1,
        "slot": None,
        "progress": {"cursor": "x"},
        "lease_seconds": 60,
    } | values


def verbs(**answers: Answer | Iterator[Answer]) -> Verbs:
    def made() -> Iterator[Answer]:
        asked = api.given("enqueue_run")[-1]
        yield 200, claimed(id=asked["p_id"], params=asked["p_params"])

    api = Verbs(
        {
            "register_jobs": (200, 1),
            "enqueue_run": made(),
            "claim_runs": (200, [claimed()]),
            "finish_runs": ENDED,
            "heartbeat_run": (200, {"lease_expires_at": "2026-11-21T00:00:00Z"}),
            **answers,
        }
    )
    return api


def results(api: Verbs) -> list[dict[str, Any]]:
    """What finish_runs was told, run by run."""
    return [result for call in api.given("finish_runs") for result in call["p_results"]]


def failing(error: BaseException) -> Does:
    def fail(_context: JobContext) -> JobResult:
        raise error

    return fail


def quick(api: Verbs) -> Database:
    return door(api, patience=0.01)


def ran(api: Verbs, **params: Any) -> FinishedRun:
    return run_now(quick(api), settings(), "work", params)


def executed(api: Verbs, stopping: Event | None = None, **values: Any) -> FinishedRun:
    return execute(quick(api), settings(), claimed(**values), stopping=stopping)


# Asking and taking -----------------------------------------------------------------------------


def test_a_run_is_registered_asked_for_claimed_and_finished(work: Told) -> None:
    api = verbs()
    run = ran(api, size=3)
    names = [name for name, _ in api.calls]
    assert names == ["register_jobs", "enqueue_run", "finish_runs"]
    ((context, params),) = work.contexts
    assert (context.run_id, context.fence, context.progress) == (run.id, 4, {"cursor": "x"})
    assert params == Given(size=3)
    assert (run.status, run.counts) == ("succeeded", {"made": 2})
    assert results(api) == [
        {"id": str(run.id), "fence": 4, "status": "succeeded", "counts": {"made": 2}}
    ]


def test_it_has_one_attempt_under_an_id_of_ours(work: Told) -> None:
    api = verbs()
    run = ran(api)
    (asked,) = api.given("enqueue_run")
    assert UUID(asked["p_id"]) == run.id
    assert (asked["p_job"], asked["p_max_attempts"]) == ("work", 1)
    assert asked["p_worker"] == WORKER
    assert WORKER.count("/") == 2


def test_a_run_that_is_asked_for_only_is_not_taken(work: Told) -> None:
    api = verbs()
    run_id = enqueue(quick(api), "work", {"size": 2})
    assert [name for name, _ in api.calls] == ["register_jobs", "enqueue_run"]
    (asked,) = api.given("enqueue_run")
    wanted = {"p_job": "work", "p_params": {"size": 2}, "p_id": str(run_id)}
    assert asked == wanted
    assert work.contexts == []


def test_a_run_that_waits_is_taken_by_its_id(work: Told) -> None:
    api = verbs(claim_runs=(200, [claimed(params={"size": 5})]))
    run = run_queued(quick(api), settings(), RUN_ID)
    assert run.id == RUN_ID
    assert api.given("claim_runs") == [{"p_worker": WORKER, "p_run_id": str(RUN_ID)}]
    assert work.contexts[0][1] == Given(size=5)


@pytest.mark.parametrize("params", [{"size": "big"}, {"sise": 3}])
def test_wrong_parameters_ask_for_nothing(work: Told, params: dict[str, Any]) -> None:
    api = verbs()
    with pytest.raises(UsageError, match="work cannot run with") as caught:
        ran(api, **params)
    assert "It takes: size." in caught.value.hint
    assert (api.calls, work.contexts) == ([], [])


@pytest.mark.usefixtures("work")
def test_an_unknown_job_asks_for_nothing() -> None:
    api = verbs()
    with pytest.raises(UsageError, match="There is no job wrok"):
        run_now(quick(api), settings(), "wrok", {})
    assert api.calls == []


def test_a_run_that_another_worker_took_is_left_alone(work: Told) -> None:
    api = verbs(claim_runs=(200, []))
    with pytest.raises(StaleRun, match="taken by another worker"):
        run_queued(quick(api), settings(), RUN_ID)
    assert (work.contexts, results(api)) == ([], [])


# Executing and ending --------------------------------------------------------------------------


def test_rows_set_aside_make_it_partial(work: Told) -> None:
    work.does = lambda _context: JobResult({"rejected": 1}, partial=True)
    api = verbs()
    assert ran(api).status == "partial"
    assert [result["status"] for result in results(api)] == ["partial"]


@pytest.mark.parametrize("row", [{"params": {"sise": 3}}, {"job": "gone"}], ids=str)
def test_a_row_that_makes_no_sense_fails_for_good(work: Told, row: dict[str, Any]) -> None:
    api = verbs()
    with pytest.raises(UsageError):
        executed(api, **row)
    (result,) = results(api)
    assert (result["status"], result["error"]["retryable"]) == ("failed", False)
    assert work.contexts == []


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (ApiError("no", code="22P02"), "failed", "no"),
        (ConfigurationError(f"no {KEY}"), "failed", "no ***"),
        (ZeroDivisionError(f"in {KEY}"), "failed", "ZeroDivisionError: in ***"),
        (KeyboardInterrupt(), "cancelled", "Stopped by a signal."),
        (ApprovalNeeded("too many"), "awaiting_approval", "too many"),
        (GivenBack(), "released", "The worker stops; the run waits for another."),
    ],
    ids=str,
)
def test_a_failure_is_noted_without_secrets_and_passed_on(
    work: Told, error: BaseException, status: str, message: str
) -> None:
    api = verbs()
    work.does = failing(error)
    with pytest.raises(type(error)):
        ran(api)
    (result,) = results(api)
    assert (result["status"], result["error"]["message"]) == (status, message)
    assert result["fence"] == 4


@pytest.mark.parametrize(
    ("error", "retryable"),
    [(Unreachable(), True), (RunTimedOut(), True), (ApiError(), False), (KeyError("x"), False)],
    ids=str,
)
def test_it_says_whether_another_attempt_may_go_better(
    work: Told, error: Exception, retryable: bool
) -> None:
    api = verbs()
    work.does = failing(error)
    with pytest.raises(type(error)):
        executed(api)
    (result,) = results(api)
    assert (result["status"], result["error"]["retryable"]) == ("failed", retryable)


def test_a_lost_run_is_not_finished(work: Told) -> None:
    api = verbs()
    work.does = failing(StaleRun())
    with pytest.raises(StaleRun):
        ran(api)
    assert results(api) == []


@pytest.mark.parametrize("status", [401, 404, 503, 200])
def test_a_failure_that_cannot_be_noted_is_still_the_failure(work: Told, status: int) -> None:
    api = verbs(finish_runs=(status, b""))
    work.does = failing(ApiError("the first"))
    with pytest.raises(ApiError, match="the first"):
        ran(api)


def test_a_failure_of_a_run_that_is_lost_is_still_the_failure(work: Told) -> None:
    api = verbs(finish_runs=(200, {"stale": [str(RUN_ID)]}))
    work.does = failing(ApiError("the first"))
    with pytest.raises(ApiError, match="the first"):
        executed(api)


@pytest.mark.usefixtures("work")
def test_a_success_that_cannot_be_noted_is_no_success() -> None:
    with pytest.raises(KeyRefused):
        ran(verbs(finish_runs=(401, {"message": "Invalid API key"})))
    with pytest.raises(StaleRun, match="not yours any more") as caught:
        executed(verbs(finish_runs=(200, {"stale": [str(RUN_ID)]})))
    assert f"run show {RUN_ID}" in caught.value.hint
    assert isinstance(caught.value, MentorSyncError)


def test_an_answer_to_finish_that_is_lost_is_asked_for_again(work: Told) -> None:
    api = verbs(finish_runs=iter([(502, b""), ENDED]))
    run = run_now(door(api), settings(), "work", {})
    assert run.status == "succeeded"
    first, second = api.given("finish_runs")
    assert first == second
    assert len(work.contexts) == 1


# Between chunks --------------------------------------------------------------------------------


def in_chunks(number: int) -> Does:
    def does(context: JobContext) -> JobResult:
        for _ in range(number):
            context.report(CHUNK)
        return JobResult({"made": number})

    return does


def test_whoever_watches_is_told_of_each_chunk(work: Told) -> None:
    work.does, seen = in_chunks(3), list[Progress]()
    run_now(quick(verbs()), settings(), "work", {}, report=seen.append)
    assert seen == [CHUNK] * 3


def test_a_worker_that_stops_gives_the_run_back_after_the_chunk(work: Told) -> None:
    work.does, seen, stopping, api = in_chunks(3), list[Progress](), Event(), verbs()

    def watch(progress: Progress) -> None:
        seen.append(progress)
        stopping.set()

    with pytest.raises(GivenBack):
        execute(quick(api), settings(), claimed(), report=watch, stopping=stopping)
    assert len(seen) == 1
    (result,) = results(api)
    assert (result["status"], result["error"]["code"]) == ("released", "released")


def test_a_worker_that_does_not_stop_finishes(work: Told) -> None:
    work.does, api = in_chunks(2), verbs()
    assert executed(api, stopping=Event()).counts == {"made": 2}
    assert [result["status"] for result in results(api)] == ["succeeded"]


def test_a_run_that_ended_before_the_worker_stopped_is_not_given_back(work: Told) -> None:
    stopping, api = Event(), verbs()
    stopping.set()
    assert executed(api, stopping=stopping).status == "succeeded"
    assert len(work.contexts) == 1


# Heartbeats ------------------------------------------------------------------------------------

OFTEN = 0.02
"""A lease of so many seconds, of which a heartbeat comes every quarter."""


def until_told(context: JobContext) -> JobResult:
    """Reports until a report raises, for ten seconds at the most."""
    for _ in range(1000):
        context.report(CHUNK)
        Event().wait(0.01)
    return JobResult()


@pytest.mark.parametrize(("answer", "raised"), [(LOST, StaleRun), (TOO_LONG, RunTimedOut)])
def test_a_heartbeat_that_is_refused_ends_the_run_at_the_next_report(
    work: Told, answer: Answer, raised: type[ApiError]
) -> None:
    work.does, api = until_told, verbs(heartbeat_run=answer)
    with pytest.raises(raised):
        executed(api, lease_seconds=OFTEN)
    assert api.given("heartbeat_run") == [{"p_run_id": str(RUN_ID), "p_fence": 4}]
    assert [result["status"] for result in results(api)] == ["failed"] * (raised is RunTimedOut)


def test_a_heartbeat_that_gets_no_answer_is_sent_again(work: Told) -> None:
    beats = iter([httpx.ConnectError("down"), (503, b""), (200, {"lease_expires_at": "x"}), LOST])
    work.does, api = until_told, verbs(heartbeat_run=beats)
    with pytest.raises(StaleRun):
        executed(api, lease_seconds=OFTEN)
    assert len(api.given("heartbeat_run")) == 4


def test_a_short_run_sends_none(work: Told) -> None:
    work.does, api = in_chunks(3), verbs()
    executed(api, lease_seconds=60)
    assert api.given("heartbeat_run") == []


def test_heartbeats_end_with_the_run() -> None:
    api = verbs()
    with Heartbeat(quick(api), claimed(lease_seconds=OFTEN)):
        wait_for(lambda: len(api.given("heartbeat_run")) > 2)
    wait_for(lambda: not heartbeats())
    sent = len(api.given("heartbeat_run"))
    Event().wait(0.05)
    assert len(api.given("heartbeat_run")) == sent


def test_a_heartbeat_under_way_when_the_run_ends_dies_quietly(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    died: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", died.append)
    sent, closed = Event(), Event()

    def transport(_request: httpx.Request) -> httpx.Response:
        sent.set()
        closed.wait(10)
        return httpx.Response(503, content=b"")

    with door(transport) as database, Heartbeat(database, claimed(lease_seconds=OFTEN)):
        sent.wait(10)
    closed.set()
    wait_for(lambda: not heartbeats())
    assert died == []


def heartbeats() -> list[str]:
    names = (thread.name for thread in threading.enumerate())
    return [name for name in names if name.startswith("heartbeat")]


def wait_for(happened: Callable[[], bool]) -> None:
    for _ in range(1000):
        if happened():
            return
        Event().wait(0.01)
    raise AssertionError("It never happened.")


# Jobs that misbehave ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [None, {"made": 1}, JobResult({"made": -1}), JobResult({"made": float("nan")})],  # type: ignore[dict-item]
    ids=str,
)
def test_a_job_that_returns_nonsense_fails_with_the_reason(work: Told, answer: Any) -> None:
    work.does = lambda _context: answer
    api = verbs()
    with pytest.raises(MentorSyncError, match=r"work (returned|counted)"):
        ran(api)
    ((result),) = results(api)
    assert (result["status"], "work" in result["error"]["message"]) == ("failed", True)


def test_a_job_cannot_end_the_process(work: Told) -> None:
    work.does = failing(SystemExit(3))
    api = verbs()
    with pytest.raises(MentorSyncError, match=r"called sys\.exit\(3\)"):
        ran(api)
    assert [result["status"] for result in results(api)] == ["failed"]


def test_a_reason_that_postgresql_cannot_hold_is_made_to_fit(work: Told) -> None:
    work.does = failing(ValueError("a\0b \ud800 c"))
    api = verbs()
    with pytest.raises(ValueError, match="a"):
        ran(api)
    ((result),) = results(api)
    assert result["error"]["message"] == "ValueError: ab ? c"


def test_a_reason_that_is_refused_is_written_without_its_words(work: Told) -> None:
    work.does = failing(ApiError("the first"))
    refused = (400, {"code": "22P05", "message": "unsupported Unicode escape sequence"})
    api = verbs(finish_runs=iter([refused, ENDED]))
    with pytest.raises(ApiError, match="the first"):
        ran(api)
    first, second = results(api)
    assert first["error"]["message"] == "the first"
    assert (second["status"], second["error"]["message"][:9]) == ("failed", "It failed")
