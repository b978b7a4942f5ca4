"""What people do to runs: with the verbs, or in a cell of the dashboard."""

from __future__ import annotations

import pytest

from tests.people import as_admin, as_mentor
from tests.project import Project
from tests.runs.support import FOR_GOOD, RETRYABLE, Refused, Run, Verbs

STATES = [
    *("queued", "running", "awaiting_approval", "succeeded", "partial", "failed", "dead"),
    "cancelled",
]
SENSIBLE = {
    "cancel": {"queued", "running", "awaiting_approval"},
    "approve": {"awaiting_approval"},
    "retry": {"failed", "dead", "cancelled"},
}


def in_state(verbs: Verbs, status: str) -> Run:
    run = verbs.claimed() if status == "running" else verbs.enqueue()
    if status not in ("queued", "running"):
        verbs.change(run, f"status = '{status}'")
    return verbs.row(run)


@pytest.mark.parametrize("verb", SENSIBLE)
@pytest.mark.parametrize("status", STATES)
def test_a_run_is_changed_only_where_it_makes_sense(verbs: Verbs, verb: str, status: str) -> None:
    run, other = in_state(verbs, status), verbs.claimed("other")
    if status in SENSIBLE[verb]:
        assert verbs.by_hand(verb, run) == verbs.row(run)
        assert verbs.row(run)["status"] == ("cancelled" if verb == "cancel" else "queued")
    else:
        with pytest.raises(Refused, match="MS004"):
            verbs.by_hand(verb, run)
        assert verbs.row(run) == run
    assert verbs.row(other) == other


@pytest.mark.parametrize("verb", SENSIBLE)
def test_a_run_that_never_was_is_ms011(verbs: Verbs, verb: str) -> None:
    with pytest.raises(Refused, match="MS011"):
        verbs.by_hand(verb, {"id": "00000000-0000-4000-8000-000000000000"})
    assert verbs.count() == 0


@pytest.mark.parametrize("by_cell", [False, True])
def test_a_run_that_was_cancelled_is_lost_to_its_worker(verbs: Verbs, by_cell: bool) -> None:
    run = verbs.claimed()
    if by_cell:
        verbs.change(run, "status = 'cancelled'")
    else:
        verbs.by_hand("cancel", run)
    before = verbs.row(run)
    assert before["finished_at"] is not None
    assert before["lease_expires_at"] is None
    for write in (verbs.heartbeat, verbs.sync):
        with pytest.raises(Refused, match="MS001"):
            write(run)
    assert not verbs.finish(run)
    assert verbs.row(run) == before


def test_a_cancelled_run_that_waited_is_never_taken(verbs: Verbs) -> None:
    run, other = verbs.enqueue(), verbs.enqueue()
    verbs.by_hand("cancel", run)
    assert [taken["id"] for taken in verbs.claim_all(limit=9)] == [other["id"]]
    assert verbs.row(run)["attempt"] == 0


@pytest.mark.parametrize("by_cell", [False, True])
def test_an_approved_run_waits_again_with_all_its_attempts(verbs: Verbs, by_cell: bool) -> None:
    run, other = verbs.claimed(), verbs.claimed()
    for each in (run, other):
        verbs.finish(each, "awaiting_approval", error=FOR_GOOD)
    if by_cell:
        verbs.change(run, "approved = true")
    else:
        verbs.by_hand("approve", run)
    row = verbs.row(run)
    wanted = {"status": "queued", "approved": True, "attempt": 0, "error": None, "fence": 1}
    assert row == row | wanted
    taken = verbs.claim_all(limit=9)
    assert [(each["id"], each["approved"], each["fence"]) for each in taken] == [
        (run["id"], True, 2)
    ]
    assert verbs.row(other)["status"] == "awaiting_approval"


def test_approval_in_advance_changes_no_state(verbs: Verbs) -> None:
    waiting, done = verbs.enqueue(), verbs.claimed()
    verbs.finish(done)
    for run in (waiting, done):
        before = verbs.row(run)
        verbs.change(run, "approved = true")
        assert verbs.row(run) == before | {"approved": True}


def test_a_run_tried_again_goes_on_where_it_was(verbs: Verbs) -> None:
    run = verbs.claimed(p_max_attempts=1)
    verbs.change(run, """progress = '{"cursor": "x"}'""")
    verbs.finish(run, "failed", error=FOR_GOOD)
    row = verbs.by_hand("retry", run)
    assert (row["status"], row["attempt"], row["finished_at"]) == ("queued", 0, None)
    again = verbs.claim("host/2")
    assert again
    assert (again["fence"], again["attempt"], again["progress"]) == (2, 1, {"cursor": "x"})


def test_a_retry_does_not_wait_for_the_pause_between_attempts(verbs: Verbs) -> None:
    run = verbs.claimed()
    verbs.fail(run)
    verbs.by_hand("cancel", run)
    assert verbs.claim() is None
    verbs.by_hand("retry", run)
    taken = verbs.claim()
    assert taken
    assert taken["id"] == run["id"]


def test_the_worker_of_a_run_tried_again_meanwhile_writes_nothing(verbs: Verbs) -> None:
    run = verbs.claimed("host/1")
    verbs.by_hand("cancel", run)
    verbs.by_hand("retry", run)
    before = verbs.row(run)
    with pytest.raises(Refused, match="MS001"):
        verbs.sync(run)
    assert not verbs.finish(run)
    assert verbs.row(run) == before


@pytest.mark.parametrize("change", ["status = 'done'", "status = null", "status = 'running'"])
def test_a_cell_takes_no_nonsense(project: Project, change: str) -> None:
    project.run(
        "insert into job_schedules (job) values ('work')",
        "insert into job_runs (job) values ('work')",
    )
    before = project.contents("job_runs")
    with pytest.raises(Exception, match="violates"):
        project.run(f"update job_runs set {change}")
    assert project.contents("job_runs") == before


# Alerts ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verb", "end", "kind"),
    [
        ("retry", "failed", "failed"),
        ("approve", "awaiting_approval", "awaiting_approval"),
        ("cancel", "awaiting_approval", "awaiting_approval"),
    ],
)
def test_an_alert_is_settled_by_whoever_sees_to_the_run(
    verbs: Verbs, verb: str, end: str, kind: str
) -> None:
    run, other = verbs.claimed(), verbs.claimed()
    for each in (run, other):
        verbs.finish(each, end, error=FOR_GOOD)
    assert verbs.alerts(run) == [(kind, False)]
    verbs.by_hand(verb, run)
    assert verbs.alerts(run) == [(kind, True)]
    assert verbs.alerts(other) == [(kind, False)]


def test_the_alert_of_a_dead_run_is_settled_by_trying_again(verbs: Verbs) -> None:
    run = verbs.claimed(p_max_attempts=2)
    verbs.change(run, "attempt = 2")
    verbs.fail(run)
    assert verbs.alerts(run) == [("dead", False)]
    verbs.change(run, "status = 'queued'")
    assert verbs.alerts(run) == [("dead", True)]


def test_a_run_that_fails_twice_makes_two_alerts(verbs: Verbs) -> None:
    run = verbs.claimed(p_max_attempts=1)
    verbs.finish(run, "failed", error=RETRYABLE)
    verbs.by_hand("retry", run)
    again = verbs.claim(run=run)
    assert again
    verbs.finish(again, "failed", error=RETRYABLE)
    assert verbs.alerts(run) == [("failed", True), ("failed", False)]


@pytest.mark.parametrize("end", ["succeeded", "partial", "cancelled", "released"])
def test_what_ends_as_it_should_makes_no_alert(verbs: Verbs, end: str) -> None:
    run = verbs.claimed()
    verbs.finish(run, end)
    assert verbs.alerts(run) == []


def test_admins_read_alerts_and_make_none_up(project: Project) -> None:
    insert = "insert into job_alerts (kind, job, message) values ('dead', 'work', 'x')"
    project.run(insert)
    with as_admin(project) as admin:
        assert admin.rows("select kind from job_alerts") == [("dead",)]
        assert admin.refused(insert)
        assert admin.refused("update job_alerts set acknowledged_at = now()")
        assert admin.refused("delete from job_alerts")
    with as_mentor(project) as mentor:
        assert mentor.rows("select kind from job_alerts") == []
        assert mentor.refused(insert)
