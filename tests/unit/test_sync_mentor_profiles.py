"""The job: how many members a call takes, and what it makes of the answers."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.sync_mentor_profiles import (
    GOAL_MILLISECONDS,
    SMALLEST_CHUNK,
    SyncParams,
    _next_limit,
    sync_mentor_profiles,
)
from mentor_sync.database import Database
from mentor_sync.errors import Overloaded, StaleRun
from mentor_sync.job import JobContext, JobResult, Progress
from mentor_sync.logs import get_logger
from tests.unit.support import settings

RUN = UUID(int=7)
most = st.integers(1, 20_000)


@dataclass
class FakeDatabase:
    """Members 1 to `members`; a call for more than `bearable` of them takes too long."""

    members: int
    bearable: int = 20_000
    milliseconds: int = 1000
    limits: list[int] = field(default_factory=list)
    calls: list[dict[str, Any]] = field(default_factory=list)

    def rpc(self, name: str, params: dict[str, Any], *, expect: type[dict[str, Any]]) -> Any:
        if name == "refresh_stale_profiles":
            return {"refreshed": 0, "done": True}
        assert (name, expect) == ("sync_mentor_profiles", dict)
        json.dumps(params)
        self.calls.append(params)
        self.limits.append(params["p_limit"])
        if params["p_limit"] > self.bearable:
            raise Overloaded("canceling statement", code="57014")
        after = int(params["p_after"] or 0)
        until = min(after + params["p_limit"], self.members)
        return {
            "cursor": str(until),
            "done": until == self.members,
            "read": until - after,
            "counts": {"created": until - after},
            "records": [{"outcome": "created"}] * min(until - after, params["p_records"] or 9**9),
            "about": self.members,
            "milliseconds": self.milliseconds,
        }


def run(
    fake: FakeDatabase,
    params: SyncParams | None = None,
    chunk_size: int = 20_000,
    **progress: Any,
) -> tuple[JobResult, list[Progress]]:
    told: list[Progress] = []
    context = JobContext(
        run_id=RUN,
        fence=3,
        progress=progress,
        database=cast("Database", fake),
        settings=settings(chunk_size=chunk_size),
        log=get_logger("test"),
        report=told.append,
    )
    return sync_mentor_profiles.run(context, params or SyncParams(email=None)), told


@given(most.flatmap(lambda n: st.tuples(st.integers(1, n), st.just(n))), st.integers(0, 10**7))
def test_the_next_limit_stays_within_its_bounds(sizes: tuple[int, int], took: int) -> None:
    limit, most = sizes
    wanted = _next_limit(limit, took, most)
    assert min(SMALLEST_CHUNK, most) <= wanted <= most
    assert wanted <= max(2 * limit, SMALLEST_CHUNK)
    assert wanted >= min(limit // 2, most)


@given(st.integers(SMALLEST_CHUNK, 20_000), st.integers(1, 10**6))
def test_it_grows_where_calls_are_quick_and_shrinks_where_they_are_slow(
    limit: int, took: int
) -> None:
    wanted = _next_limit(limit, took, 20_000)
    if took <= GOAL_MILLISECONDS:
        assert wanted >= limit
    else:
        assert wanted <= limit


@given(st.integers(1, 50_000), st.integers(1, 400))
def test_it_settles_where_a_call_takes_a_second(start: int, per_second: int) -> None:
    """`per_second` is in hundreds of members."""
    limit = min(start, 20_000)
    for _ in range(12):
        limit = _next_limit(limit, limit * 10 // per_second, 20_000)
    assert limit == pytest.approx(min(per_second * 100, 20_000), rel=0.1)


def test_every_member_is_read_once_and_counted() -> None:
    fake = FakeDatabase(50_000)
    result, told = run(fake)
    assert fake.limits == [20_000, 20_000, 20_000]
    assert [call["p_after"] for call in fake.calls] == [None, "20000", "40000"]
    assert result == JobResult({"created": 50_000}, partial=False)
    assert [(progress.read, progress.about) for progress in told] == [
        (20_000, 50_000),
        (40_000, 50_000),
        (50_000, 50_000),
    ]


def test_a_call_that_takes_too_long_is_tried_with_a_quarter() -> None:
    fake = FakeDatabase(4000, bearable=1500)
    result, _ = run(fake)
    assert fake.limits[:3] == [20_000, 5000, 1250]
    assert [call["p_after"] for call in fake.calls[:3]] == [None, None, None]
    assert result.counts == {"created": 4000}


def test_the_smallest_call_that_takes_too_long_ends_the_run() -> None:
    fake = FakeDatabase(4000, bearable=0)
    with pytest.raises(Overloaded) as caught:
        run(fake)
    assert caught.value.code == "57014"
    assert fake.limits == [20_000, 5000, 1250, 312, SMALLEST_CHUNK]


@pytest.mark.parametrize("error", [Overloaded("busy", code="53300"), StaleRun()], ids=str)
def test_other_errors_are_not_the_fault_of_the_size(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakeDatabase(10)
    asked: list[Any] = []

    def fail(*args: Any, **_options: Any) -> Any:
        asked.append(args)
        raise error

    monkeypatch.setattr(fake, "rpc", fail)
    with pytest.raises(type(error)):
        run(fake)
    assert len(asked) == 1


@pytest.mark.parametrize("chunk_size", [1, 7, 99, 100, 150])
def test_the_setting_bounds_every_call(chunk_size: int) -> None:
    fake = FakeDatabase(1000, milliseconds=1)
    run(fake, chunk_size=chunk_size)
    assert set(fake.limits) == {chunk_size}


def test_calls_carry_the_fence_and_the_parameters() -> None:
    fake = FakeDatabase(5)
    run(fake, SyncParams(dry_run=True, auto_approve=False, email="a@b.org", every_record=True))
    assert fake.calls == [
        {
            "p_run_id": str(RUN),
            "p_fence": 3,
            "p_after": None,
            "p_limit": 20_000,
            "p_dry_run": True,
            "p_auto_approve": False,
            "p_email": "a@b.org",
            "p_only_rejected": False,
            "p_max_changes": None,
            "p_records": None,
        }
    ]


def test_fewer_and_fewer_records_are_asked_for() -> None:
    fake = FakeDatabase(3000)
    _, told = run(fake, chunk_size=500)
    assert [call["p_records"] for call in fake.calls] == [1000, 500, 20, 20, 20, 20]
    assert sum(len(progress.records) for progress in told) == 1080


def test_a_second_attempt_goes_on_where_the_first_stopped() -> None:
    fake = FakeDatabase(3000)
    result, told = run(fake, cursor="2000", read=2000, counts={"created": 1900, "exists": 100})
    assert [call["p_after"] for call in fake.calls] == ["2000"]
    assert result.counts == {"created": 2900, "exists": 100}
    assert told[-1].read == 3000
    assert run(fake, done=True, counts={"created": 1})[0].counts == {"created": 1}
    assert len(fake.calls) == 1


def test_rows_set_aside_make_the_run_partial() -> None:
    fake = FakeDatabase(5)
    result, _ = run(fake, counts={"rejected": 1})
    assert result.partial is True
