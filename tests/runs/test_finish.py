"""Keeping a run, ending it, and finding it afterwards."""

from __future__ import annotations

from datetime import datetime

import pytest

from tests.runs.support import Refused, Run, Verbs


def test_a_heartbeat_extends_the_lease_and_nothing_else(verbs: Verbs) -> None:
    run, other = verbs.claimed(), verbs.claimed()
    verbs.change(run, "lease_expires_at = clock_timestamp() + interval '2 seconds'")
    before, others = verbs.row(run), verbs.others(run)
    answer = verbs.heartbeat(run)
    after = verbs.row(run)
    assert answer == {"lease_expires_at": after["lease_expires_at"]}
    gained = lease(after) - lease(before)
    assert 55 < gained.total_seconds() < 62
    assert {**after, "lease_expires_at": None} == {**before, "lease_expires_at": None}
    assert verbs.others(run) == others
    assert verbs.row(other)["status"] == "running"


@pytest.mark.parametrize("status", ["succeeded", "partial", "failed", "dead", "cancelled"])
def test_a_run_ends_with_its_counts_and_its_reason(verbs: Verbs, status: str) -> None:
    run, other = verbs.claimed(), verbs.claimed()
    others = verbs.others(run)
    ended = verbs.finish(run, status, p_counts={"created": 2}, p_error={"code": "x"})
    assert ended == verbs.row(run)
    assert ended == ended | {"status": status, "counts": {"created": 2}, "error": {"code": "x"}}
    assert ended == ended | {"lease_expires_at": None, "fence": 1, "attempt": 1, "worker": "w"}
    assert ended["finished_at"] is not None
    assert verbs.others(run) == others
    assert verbs.row(other) == other


def test_ending_it_keeps_how_far_it_came_but_not_the_last_answer(verbs: Verbs) -> None:
    run = verbs.claimed()
    verbs.change(run, """progress = '{"cursor": "x", "answer": {"records": [1]}}'""")
    assert verbs.finish(run, "failed")["progress"] == {"cursor": "x"}


def test_the_lost_answer_of_finish_is_given_again(verbs: Verbs) -> None:
    run = verbs.claimed()
    first = verbs.finish(run, p_counts={"created": 2})
    assert verbs.finish(run, p_counts={"created": 2}) == first
    assert verbs.finish(run, p_counts={"created": 99}) == first
    assert verbs.row(run) == first


def test_an_ended_run_does_not_change_its_mind(verbs: Verbs) -> None:
    run = verbs.claimed()
    first = verbs.finish(run)
    with pytest.raises(Refused, match="MS001"):
        verbs.finish(run, "failed")
    with pytest.raises(Refused, match="MS001"):
        verbs.heartbeat(run)
    assert verbs.row(run) == first


def test_a_stale_worker_does_not_end_the_run_of_another(verbs: Verbs) -> None:
    stale = verbs.claimed("host/1")
    verbs.expire(stale)
    owner = verbs.claim("host/2")
    assert owner
    for status in ("succeeded", "failed", "cancelled"):
        with pytest.raises(Refused, match="MS001"):
            verbs.finish(stale, status)
    assert verbs.row(stale) == owner
    assert verbs.finish(owner)["status"] == "succeeded"


@pytest.mark.parametrize("fence", [0, 2, -1, 10**15])
def test_only_the_current_fence_counts(verbs: Verbs, fence: int) -> None:
    run = verbs.claimed()
    with pytest.raises(Refused, match="MS001"):
        verbs.heartbeat({**run, "fence": fence})
    with pytest.raises(Refused, match="MS001"):
        verbs.finish({**run, "fence": fence})
    assert verbs.row(run) == run


def test_a_run_that_waits_cannot_be_ended(verbs: Verbs) -> None:
    run = verbs.enqueue()
    with pytest.raises(Refused, match="MS001"):
        verbs.finish(run)
    assert verbs.row(run) == run


def test_a_run_that_an_operator_cancelled_is_lost(verbs: Verbs) -> None:
    run = verbs.claimed()
    verbs.change(run, "status = 'cancelled'")
    before = verbs.row(run)
    with pytest.raises(Refused, match="MS001"):
        verbs.heartbeat(run)
    assert verbs.row(run) == before


@pytest.mark.parametrize("status", ["done", "", "running"])
def test_a_state_that_is_no_end_is_refused(verbs: Verbs, status: str) -> None:
    run = verbs.claimed()
    with pytest.raises(Refused, match="23514"):
        verbs.finish(run, status)
    assert verbs.row(run) == run


def test_a_run_is_found_by_the_beginning_of_its_id(verbs: Verbs) -> None:
    ids = ["abcd1234-0000-4000-8000-000000000001", "abcd1234-0000-4000-8000-000000000002"]
    first, _second, other = (
        verbs.enqueue(p_id=i) for i in (*ids, "dddddddd-0000-4000-8000-000000000000")
    )
    assert verbs.call("find_runs", p_beginning="dddd") == [other]
    assert verbs.call("find_runs", p_beginning=ids[0]) == [first]
    assert len(verbs.call("find_runs", p_beginning="abcd")) == 2
    assert verbs.call("find_runs", p_beginning="abce") == []


def lease(run: Run) -> datetime:
    return datetime.fromisoformat(run["lease_expires_at"])
