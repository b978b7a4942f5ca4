"""Keeping a run, ending it, trying again, and finding it afterwards."""

from __future__ import annotations

from typing import Any

import pytest

from tests.runs.support import FOR_GOOD, RETRYABLE, Refused, Run, Verbs, moment

ENDS = ["succeeded", "partial", "failed", "cancelled", "awaiting_approval"]


def test_a_heartbeat_extends_the_lease_and_nothing_else(verbs: Verbs) -> None:
    run, other = verbs.claimed(), verbs.claimed()
    verbs.change(run, "lease_expires_at = clock_timestamp() + interval '2 seconds'")
    before, others = verbs.row(run), verbs.others(run)
    answer = verbs.heartbeat(run)
    after = verbs.row(run)
    assert answer == {"lease_expires_at": after["lease_expires_at"]}
    gained = moment(after, "lease_expires_at") - moment(before, "lease_expires_at")
    assert 55 < gained.total_seconds() < 62
    assert {**after, "lease_expires_at": None} == {**before, "lease_expires_at": None}
    assert verbs.others(run) == others
    assert verbs.row(other)["status"] == "running"


@pytest.mark.parametrize("status", ["succeeded", "partial", "failed", "cancelled"])
def test_a_run_ends_with_its_counts_and_its_reason(verbs: Verbs, status: str) -> None:
    run, other = verbs.claimed(), verbs.claimed()
    others = verbs.others(run)
    assert verbs.finish(run, status, counts={"created": 2}, error=FOR_GOOD)
    ended = verbs.row(run)
    assert ended == ended | {"status": status, "counts": {"created": 2}, "error": FOR_GOOD}
    assert ended == ended | {"lease_expires_at": None, "fence": 1, "attempt": 1, "worker": "w"}
    assert ended["finished_at"] is not None
    assert verbs.others(run) == others
    assert verbs.row(other) == other


def test_a_run_that_asks_for_approval_has_not_ended(verbs: Verbs) -> None:
    run = verbs.claimed()
    assert verbs.finish(run, "awaiting_approval", error=FOR_GOOD)
    row = verbs.row(run)
    assert (row["status"], row["error"]) == ("awaiting_approval", FOR_GOOD)
    assert (row["finished_at"], row["lease_expires_at"]) == (None, None)


def test_many_end_in_one_call_each_in_its_way(verbs: Verbs) -> None:
    good, bad, lost, other = (verbs.claimed() for _ in range(4))
    verbs.expire(lost)
    owner = verbs.claim("host/2", lost)
    stale = verbs.finish_all(
        {"id": good["id"], "fence": 1, "status": "succeeded", "counts": {"made": 1}},
        {"id": bad["id"], "fence": 1, "status": "failed", "error": FOR_GOOD},
        {"id": lost["id"], "fence": 1, "status": "succeeded", "counts": {"made": 9}},
    )
    assert stale == [lost["id"]]
    assert verbs.row(good)["counts"] == {"made": 1}
    assert verbs.row(bad)["error"] == FOR_GOOD
    assert verbs.row(lost) == owner
    assert verbs.row(other) == other


def test_nothing_to_end_is_nothing(verbs: Verbs) -> None:
    run = verbs.claimed()
    assert verbs.finish_all() == []
    assert verbs.row(run) == run


def test_ending_it_keeps_how_far_it_came_but_not_the_last_answer(verbs: Verbs) -> None:
    run = verbs.claimed()
    verbs.change(run, """progress = '{"cursor": "x", "answer": {"records": [1]}}'""")
    assert verbs.finish(run, "failed")
    assert verbs.row(run)["progress"] == {"cursor": "x"}


# The same again, and what is too late ----------------------------------------------------------


@pytest.mark.parametrize("status", [*ENDS, "released"])
@pytest.mark.parametrize("error", [None, RETRYABLE], ids=["", "retryable"])
def test_the_lost_answer_of_finish_is_given_again(
    verbs: Verbs, status: str, error: dict[str, Any] | None
) -> None:
    run = verbs.claimed()
    assert verbs.finish(run, status, counts={"created": 2}, error=error)
    first = verbs.row(run)
    assert verbs.finish(run, status, counts={"created": 99}, error=error)
    assert verbs.row(run) == first


def test_an_ended_run_does_not_change_its_mind(verbs: Verbs) -> None:
    run = verbs.claimed()
    verbs.finish(run)
    first = verbs.row(run)
    for status in ("failed", "released", "cancelled"):
        assert not verbs.finish(run, status)
    with pytest.raises(Refused, match="MS001"):
        verbs.heartbeat(run)
    assert verbs.row(run) == first


@pytest.mark.parametrize("status", [*ENDS, "released"])
def test_a_stale_worker_does_not_end_the_run_of_another(verbs: Verbs, status: str) -> None:
    stale = verbs.claimed("host/1")
    verbs.expire(stale)
    owner = verbs.claim("host/2")
    assert owner
    assert not verbs.finish(stale, status, error=RETRYABLE)
    assert verbs.row(stale) == owner
    assert verbs.finish(owner)
    assert not verbs.finish(stale, "failed")


@pytest.mark.parametrize("fence", [0, 2, -1, 10**15])
def test_only_the_current_fence_counts(verbs: Verbs, fence: int) -> None:
    run = verbs.claimed()
    with pytest.raises(Refused, match="MS001"):
        verbs.heartbeat({**run, "fence": fence})
    assert not verbs.finish({**run, "fence": fence})
    assert verbs.row(run) == run


def test_a_run_that_waits_cannot_be_ended(verbs: Verbs) -> None:
    run = verbs.enqueue()
    for status in ("succeeded", "cancelled", "awaiting_approval"):
        assert not verbs.finish(run, status)
    assert verbs.row(run) == run


@pytest.mark.parametrize("status", ["done", "", "running", "dead", "queued", None])
def test_a_state_that_is_no_end_is_refused(verbs: Verbs, status: str) -> None:
    run, other = verbs.claimed(), verbs.claimed()
    with pytest.raises(Refused, match="23514"):
        verbs.finish_all(
            {"id": other["id"], "fence": 1, "status": "succeeded"},
            {"id": run["id"], "fence": 1, "status": status},
        )
    assert verbs.row(run) == run
    assert verbs.row(other) == other


# Trying again ----------------------------------------------------------------------------------


def test_a_failure_that_may_pass_waits_for_its_next_attempt(verbs: Verbs) -> None:
    run, other = verbs.claimed(), verbs.claimed()
    verbs.change(run, """progress = '{"cursor": "x"}'""")
    failed = verbs.fail(run)
    wanted = {"status": "queued", "attempt": 1, "error": RETRYABLE, "progress": {"cursor": "x"}}
    assert failed == failed | wanted | {"finished_at": None, "lease_expires_at": None}
    assert moment(failed, "run_at") > moment(run, "claimed_at")
    assert verbs.claim() is None
    assert verbs.claim(run=run) is None
    assert verbs.alerts(run) == []
    assert verbs.row(other) == other


def test_waits_grow_twofold_up_to_ten_minutes(verbs: Verbs) -> None:
    verbs.enqueue(p_max_attempts=12)
    waits: list[float] = []
    while len(waits) < 10:
        run = verbs.claim()
        assert run
        waits.append(waited(verbs, run))
        verbs.wait_over(run)
    for attempt, wait in enumerate(waits, 1):
        most = min(600, 5 * 2**attempt)
        assert most / 2 - 0.2 <= wait <= most + 0.2


def test_waits_are_spread(verbs: Verbs) -> None:
    waits = {round(waited(verbs, verbs.claimed()), 2) for _ in range(20)}
    assert len(waits) > 5


def test_a_failure_for_good_is_not_tried_again(verbs: Verbs) -> None:
    run = verbs.claimed()
    verbs.finish(run, "failed", error=FOR_GOOD)
    assert (verbs.row(run)["status"], verbs.row(run)["attempt"]) == ("failed", 1)
    assert verbs.alerts(run) == [("failed", False)]


def test_the_last_attempt_leaves_it_dead_and_says_so(verbs: Verbs) -> None:
    run = verbs.claimed(p_max_attempts=2)
    other = verbs.claimed()
    assert verbs.fail(run)["status"] == "queued"
    verbs.wait_over(run)
    again = verbs.claim(run=run)
    assert again
    dead = verbs.fail(again)
    assert (dead["status"], dead["attempt"]) == ("dead", 2)
    assert dead["finished_at"] is not None
    assert (verbs.alerts(run), verbs.alerts(other)) == ([("dead", False)], [])


def test_a_run_of_one_attempt_just_fails(verbs: Verbs) -> None:
    run = verbs.claimed(p_max_attempts=1)
    assert verbs.fail(run)["status"] == "failed"
    assert verbs.alerts(run) == [("failed", False)]


def test_what_is_given_back_waits_at_once_and_counts_no_attempt(verbs: Verbs) -> None:
    run = verbs.claimed("host/1", p_max_attempts=1)
    verbs.change(run, """progress = '{"cursor": "x"}'""")
    assert verbs.finish(run, "released", error={"code": "released"})
    row = verbs.row(run)
    assert (row["status"], row["attempt"], row["fence"]) == ("queued", 0, 1)
    again = verbs.claim("host/2")
    assert again
    assert (again["attempt"], again["fence"], again["progress"]) == (1, 2, {"cursor": "x"})
    with pytest.raises(Refused, match="MS001"):
        verbs.heartbeat(run)
    assert verbs.alerts(run) == []


def test_an_alert_says_what_happened_and_what_to_do(verbs: Verbs) -> None:
    run, quiet = verbs.claimed(), verbs.claimed()
    verbs.finish(run, "failed", error=FOR_GOOD)
    verbs.finish(quiet, "failed")
    query = "select message, hint, job from public.job_alerts where run_id = %s"
    said = verbs.connection.execute(query, [run["id"]]).fetchall()
    assert said == [("Nonsense.", "Look.", "work")]
    ((message, hint, _),) = verbs.connection.execute(query, [quiet["id"]]).fetchall()
    assert message == f"Run {quiet['id']} is failed."
    assert hint == f"See: mentor-sync run show {quiet['id']}"


# Finding ---------------------------------------------------------------------------------------


def test_a_run_is_found_by_the_beginning_of_its_id(verbs: Verbs) -> None:
    ids = ["abcd1234-0000-4000-8000-000000000001", "abcd1234-0000-4000-8000-000000000002"]
    first, _second, other = (
        verbs.enqueue(p_id=i) for i in (*ids, "dddddddd-0000-4000-8000-000000000000")
    )
    assert verbs.call("find_runs", p_beginning="dddd") == [other]
    assert verbs.call("find_runs", p_beginning=ids[0]) == [first]
    assert len(verbs.call("find_runs", p_beginning="abcd")) == 2
    assert verbs.call("find_runs", p_beginning="abce") == []


def waited(verbs: Verbs, run: Run) -> float:
    """Seconds between a failure and the next attempt."""
    failed = verbs.fail(run)
    query = "select clock_timestamp() - interval '0.05 seconds'"
    found = verbs.connection.execute(query).fetchone()
    assert found
    return float((moment(failed, "run_at") - found[0]).total_seconds())
