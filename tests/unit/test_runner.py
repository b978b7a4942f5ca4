"""One run from asking to finishing; whatever happens, its row says so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from mentor_sync import job as job_module
from mentor_sync.errors import (
    ApiError,
    ConfigurationError,
    KeyRefused,
    MentorSyncError,
    StaleRun,
    UsageError,
)
from mentor_sync.job import Job, JobContext, JobResult, Params
from mentor_sync.runner import FinishedRun, run_now
from tests.unit.support import KEY, Answer, Verbs, door, settings


class Given(Params):
    size: int = 1


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The job `work` does what `work["does"]` says."""
    told: dict[str, Any] = {"contexts": [], "does": lambda: JobResult({"made": 2})}

    def function(context: JobContext, params: Given) -> JobResult:
        told["contexts"].append((context, params))
        result: JobResult = told["does"]()
        return result

    made = Job("work", "Work.", Given, function)
    monkeypatch.setattr(job_module, "_registry", {"work": made})
    monkeypatch.setattr(job_module, "entry_points", lambda group: [])
    return told


def verbs(**answers: Answer | Iterator[Answer]) -> Verbs:
    def claimed() -> Iterator[Answer]:
        run = {"fence": 4, "attempt": 1, "slot": None, "progress": {"cursor": "x"}}
        ids = api.given("enqueue_run")
        yield 200, {**run, "id": ids[0]["p_id"], "params": ids[0]["p_params"]}

    api = Verbs(
        {
            "register_jobs": (200, 1),
            "enqueue_run": (200, {}),
            "claim_run": claimed(),
            "finish_run": (200, {}),
            **answers,
        }
    )
    return api


def failing(error: BaseException) -> Any:
    def fail() -> JobResult:
        raise error

    return fail


def ran(api: Verbs, **params: Any) -> FinishedRun:
    return run_now(door(api, patience=0.01), settings(), "work", params)


def test_a_run_is_registered_asked_for_claimed_and_finished(work: dict[str, Any]) -> None:
    api = verbs()
    run = ran(api, size=3)
    assert [name for name, _ in api.calls] == [
        "register_jobs",
        "enqueue_run",
        "claim_run",
        "finish_run",
    ]
    ((context, params),) = work["contexts"]
    assert (context.run_id, context.fence, context.progress) == (run.id, 4, {"cursor": "x"})
    assert params == Given(size=3)
    assert (run.status, run.counts) == ("succeeded", {"made": 2})
    assert api.given("finish_run") == [
        {"p_run_id": str(run.id), "p_fence": 4, "p_status": "succeeded", "p_counts": {"made": 2}}
    ]


def test_it_has_one_attempt_under_an_id_of_ours(work: dict[str, Any]) -> None:
    api = verbs()
    run = ran(api)
    (asked,), (claim,) = api.given("enqueue_run"), api.given("claim_run")
    assert UUID(asked["p_id"]) == run.id == UUID(claim["p_run_id"])
    assert (asked["p_job"], asked["p_max_attempts"]) == ("work", 1)
    assert claim["p_worker"].count("/") == 2


def test_rows_set_aside_make_it_partial(work: dict[str, Any]) -> None:
    work["does"] = lambda: JobResult({"rejected": 1}, partial=True)
    assert ran(verbs()).status == "partial"


@pytest.mark.parametrize("params", [{"size": "big"}, {"sise": 3}])
def test_wrong_parameters_ask_for_nothing(work: dict[str, Any], params: dict[str, Any]) -> None:
    api = verbs()
    with pytest.raises(UsageError, match="work cannot run with") as caught:
        ran(api, **params)
    assert "It takes: size." in caught.value.hint
    assert api.calls == []
    assert work["contexts"] == []


def test_a_run_that_another_worker_took_is_left_alone(work: dict[str, Any]) -> None:
    api = verbs(claim_run=(200, b"null"))
    with pytest.raises(StaleRun, match="taken by another worker"):
        ran(api)
    assert work["contexts"] == []
    assert api.given("finish_run") == []


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (ApiError("no", code="22P02"), "failed", "no"),
        (ConfigurationError(f"no {KEY}"), "failed", "no ***"),
        (ZeroDivisionError(f"in {KEY}"), "failed", "ZeroDivisionError: in ***"),
        (KeyboardInterrupt(), "cancelled", "Stopped by a signal."),
    ],
    ids=str,
)
def test_a_failure_is_noted_without_secrets_and_passed_on(
    work: dict[str, Any], error: BaseException, status: str, message: str
) -> None:
    api = verbs()
    work["does"] = failing(error)
    with pytest.raises(type(error)):
        ran(api)
    (finish,) = api.given("finish_run")
    assert (finish["p_status"], finish["p_error"]["message"]) == (status, message)


def test_a_lost_run_is_not_finished(work: dict[str, Any]) -> None:
    api = verbs()
    work["does"] = failing(StaleRun())
    with pytest.raises(StaleRun):
        ran(api)
    assert api.given("finish_run") == []


@pytest.mark.parametrize("status", [401, 404, 503, 200])
def test_a_failure_that_cannot_be_noted_is_still_the_failure(
    work: dict[str, Any], status: int
) -> None:
    api = verbs(finish_run=(status, b""))
    work["does"] = failing(ApiError("the first"))
    with pytest.raises(ApiError, match="the first"):
        ran(api)


def test_a_success_that_cannot_be_noted_is_no_success(work: dict[str, Any]) -> None:
    api = verbs(finish_run=(401, {"message": "Invalid API key"}))
    with pytest.raises(KeyRefused):
        ran(api)
    lost = (400, {"code": "MS001", "message": "Run is not yours any more."})
    with pytest.raises(StaleRun) as caught:
        ran(verbs(finish_run=lost))
    assert isinstance(caught.value, MentorSyncError)


def test_an_answer_to_finish_that_is_lost_is_asked_for_again(work: dict[str, Any]) -> None:
    api = verbs(finish_run=iter([(502, b""), (200, {})]))
    run = run_now(door(api), settings(), "work", {})
    assert run.status == "succeeded"
    first, second = api.given("finish_run")
    assert first == second
    assert len(work["contexts"]) == 1
