"""Slots become runs, each once, of however many daemons bring them; edits of schedules."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from psycopg.types.json import Jsonb

from mentor_sync.schedule import Schedule
from tests.people import as_service
from tests.project import Project
from tests.runs.support import Verbs, at_once, daemon, moment, schedule, until_waiting

NOW = datetime.now(UTC).replace(microsecond=0)
HOUR = timedelta(hours=1)


def due(*slots: datetime, job: str = "work", until: datetime = NOW) -> dict[str, Any]:
    return {"job": job, "slots": [str(slot) for slot in slots], "until": str(until)}


def scheduled(verbs: Verbs, job: str = "work", until: datetime | None = None, **cells: Any) -> None:
    """A schedule that has been dealt with until a day ago, or until then."""
    verbs.register(schedule(job))
    verbs.connection.execute(
        "update public.job_schedules set scheduled_until = %s where job = %s",
        [until or NOW - 24 * HOUR, job],
    )
    for cell, value in cells.items():
        verbs.connection.execute(
            f"update public.job_schedules set {cell} = %s where job = %s".encode(), [value, job]
        )


def until(verbs: Verbs, job: str = "work") -> datetime:
    query = "select scheduled_until from public.job_schedules where job = %s"
    ((found,),) = verbs.connection.execute(query, [job]).fetchall()
    moment: datetime = found
    return moment


def runs(verbs: Verbs) -> list[tuple[datetime, str]]:
    query = "select slot, status from public.job_runs order by slot"
    return [(slot, status) for slot, status in verbs.connection.execute(query)]


def test_a_slot_becomes_a_run_of_its_job(verbs: Verbs) -> None:
    scheduled(verbs, params=Jsonb({"dry_run": True}), lease_seconds=77)
    assert verbs.slots(due(NOW - HOUR)) == [{"job": "work", "slot": (NOW - HOUR).isoformat()}]
    run = verbs.claim()
    assert run == (run or {}) | {"job": "work", "params": {"dry_run": True}, "lease_seconds": 77}
    assert (moment(run, "slot"), run["requested_by"]) == (NOW - HOUR, "schedule")
    assert moment(run, "run_at") == NOW - HOUR
    assert until(verbs) == NOW


def test_the_same_slots_again_make_nothing(verbs: Verbs) -> None:
    scheduled(verbs, catch_up="all")
    slots = [NOW - 3 * HOUR, NOW - HOUR]
    assert len(verbs.slots(due(*slots))) == 2
    before = runs(verbs)
    assert verbs.slots(due(*slots)) == []
    assert verbs.slots(due(*slots, until=NOW + HOUR)) == []
    assert runs(verbs) == before == [(slot, "queued") for slot in slots]


def test_eight_daemons_with_the_same_slots_make_each_once(project: Project) -> None:
    slots = [NOW - timedelta(minutes=i) for i in range(1, 26)]
    with daemon(project) as verbs:
        for job in ("a", "b"):
            scheduled(verbs, job, catch_up="all")

    def bring(verbs: Verbs, worker: int) -> int:
        jobs = ["a", "b"] if worker % 2 else ["b", "a"]
        return len(verbs.slots(*(due(*slots, job=job) for job in jobs)))

    assert sum(at_once(project, 8, bring)) == 50
    with daemon(project) as verbs:
        expected = sorted((slot, "queued") for slot in slots for _job in "ab")
        assert runs(verbs) == expected


def test_a_slot_in_the_future_waits_for_its_time(verbs: Verbs) -> None:
    scheduled(verbs, catch_up="all")
    ahead = NOW + HOUR
    made = verbs.slots(due(NOW - HOUR, ahead, until=NOW + 2 * HOUR))
    assert [one["slot"] for one in made] == [(NOW - HOUR).isoformat()]
    assert runs(verbs) == [(NOW - HOUR, "queued")]
    # The clock of the daemon may be wrong: what is dealt with is so by that of the database.
    assert NOW - HOUR < until(verbs) <= datetime.now(UTC) < ahead


def test_a_slot_that_has_been_dealt_with_makes_no_run(verbs: Verbs) -> None:
    scheduled(verbs, until=NOW - HOUR, catch_up="all")
    made = verbs.slots(due(NOW - 2 * HOUR, NOW - HOUR, NOW - HOUR / 2))
    assert [one["slot"] for one in made] == [(NOW - HOUR / 2).isoformat()]
    assert runs(verbs) == [(NOW - HOUR / 2, "queued")]


def test_a_daemon_that_is_behind_changes_nothing(verbs: Verbs) -> None:
    scheduled(verbs, until=NOW - HOUR)
    assert verbs.slots(due(NOW - 3 * HOUR, until=NOW - 2 * HOUR)) == []
    assert (runs(verbs), until(verbs)) == ([], NOW - HOUR)


def test_jobs_that_are_paused_or_unknown_get_none(verbs: Verbs) -> None:
    scheduled(verbs, enabled=False)
    scheduled(verbs, "other")
    before = until(verbs)
    made = verbs.slots(
        due(NOW - HOUR), due(NOW - HOUR, job="no_such_job"), due(NOW - HOUR, job="other")
    )
    assert [one["job"] for one in made] == ["other"]
    assert len(runs(verbs)) == 1
    assert until(verbs) == before


def test_no_slots_are_none(verbs: Verbs) -> None:
    scheduled(verbs)
    assert verbs.slots() == []
    assert verbs.slots(due()) == []
    assert (runs(verbs), until(verbs)) == ([], NOW)


# Coalescing ------------------------------------------------------------------------------------


def test_a_slot_that_still_waits_is_dropped_for_the_next(verbs: Verbs) -> None:
    scheduled(verbs)
    verbs.slots(due(NOW - 2 * HOUR, until=NOW - 2 * HOUR))
    by_hand = verbs.enqueue()
    verbs.slots(due(NOW - HOUR, until=NOW - HOUR))
    assert runs(verbs)[:2] == [(NOW - 2 * HOUR, "cancelled"), (NOW - HOUR, "queued")]
    codes = "select error->>'code' from public.job_runs where status = 'cancelled'"
    assert verbs.connection.execute(codes).fetchall() == [("coalesced",)]
    assert verbs.row(by_hand) == by_hand
    assert verbs.connection.execute("select from public.job_alerts").fetchall() == []


@pytest.mark.parametrize("cells", [{"catch_up": "all"}, {"coalesce_slots": False}], ids=str)
def test_each_slot_counts_where_the_schedule_says_so(verbs: Verbs, cells: dict[str, Any]) -> None:
    scheduled(verbs, **cells)
    verbs.slots(due(NOW - 2 * HOUR, until=NOW - 2 * HOUR))
    verbs.slots(due(NOW - HOUR))
    assert runs(verbs) == [(NOW - 2 * HOUR, "queued"), (NOW - HOUR, "queued")]


@pytest.mark.parametrize(
    "begun", ["attempt = 1", "approved = true", "status = 'awaiting_approval'"]
)
def test_a_slot_that_has_begun_is_not_dropped(verbs: Verbs, begun: str) -> None:
    scheduled(verbs)
    scheduled(verbs, "other")
    verbs.slots(due(NOW - 2 * HOUR, until=NOW - 2 * HOUR))
    verbs.slots(due(NOW - 2 * HOUR, job="other", until=NOW - 2 * HOUR))
    verbs.connection.execute(f"update public.job_runs set {begun} where job = 'work'".encode())
    before = runs(verbs)
    verbs.slots(due(NOW - HOUR))
    assert runs(verbs) == [*before, (NOW - HOUR, "queued")]


def test_a_running_slot_goes_on(verbs: Verbs) -> None:
    scheduled(verbs)
    verbs.slots(due(NOW - 2 * HOUR, until=NOW - 2 * HOUR))
    run = verbs.claim()
    assert run
    verbs.slots(due(NOW - HOUR))
    assert verbs.row(run) == run
    assert verbs.heartbeat(run)


# Jitter ----------------------------------------------------------------------------------------


def test_jitter_spreads_the_starts_within_its_bounds(verbs: Verbs) -> None:
    scheduled(verbs, catch_up="all", jitter_seconds=600)
    slots = [NOW - timedelta(minutes=i) for i in range(1, 51)]
    verbs.slots(due(*slots))
    query = "select extract(epoch from run_at - slot)::float from public.job_runs"
    waits = [wait for (wait,) in verbs.connection.execute(query)]
    assert len(waits) == 50
    assert all(0 <= wait < 600 for wait in waits)
    assert len({round(wait) for wait in waits}) > 10


# Edits -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "edit", ["cron = '0 5 * * *'", "timezone = 'Europe/Berlin'", "enabled = false", "cron = ' '"]
)
def test_an_edit_of_when_it_runs_counts_from_now_on(project: Project, edit: str) -> None:
    with daemon(project) as verbs:
        scheduled(verbs)
        scheduled(verbs, "other")
        began = datetime.now(UTC) - timedelta(seconds=1)
        project.run(f"update job_schedules set {edit} where job = 'work'")
        assert began < until(verbs)
        assert until(verbs, "other") == NOW - 24 * HOUR
        assert verbs.slots(due(NOW - HOUR)) == []
        assert runs(verbs) == []


@pytest.mark.parametrize("edit", ["max_attempts = 9", "params = '{\"a\": 1}'", "cron = cron"])
def test_another_edit_catches_up_as_before(project: Project, edit: str) -> None:
    with daemon(project) as verbs:
        scheduled(verbs)
        project.run(f"update job_schedules set {edit} where job = 'work'")
        assert until(verbs) == NOW - 24 * HOUR
        assert len(verbs.slots(due(NOW - HOUR))) == 1


def test_a_pause_that_ends_catches_nothing_up(project: Project) -> None:
    with daemon(project) as verbs:
        verbs.register(schedule(cron="* * * * *", catch_up="all"))
        project.run("update job_schedules set enabled = false")
        project.run("update job_schedules set enabled = true")
        state = verbs.call("scheduler_state")
        read = Schedule.of(state["schedules"][0], state["timezone"])
        assert read.due(moment(state, "now")) == []


def test_an_edit_never_turns_the_clock_back(project: Project) -> None:
    ahead = NOW + 9 * HOUR
    with daemon(project) as verbs:
        scheduled(verbs, until=ahead)
        project.run("update job_schedules set cron = '0 5 * * *'")
        assert until(verbs) == ahead


# What daemons report ---------------------------------------------------------------------------

VERDICT = {
    "job": "work",
    "error": None,
    "cron": "0 2 * * *",
    "timezone": "UTC",
    "next_slot_at": "2026-12-01T02:00:00+00:00",
}


def versions(project: Project) -> dict[str, str]:
    return dict(project.rows("select job, xmin::text || ' ' || updated_at from job_schedules"))


def accept(verbs: Verbs, *verdicts: dict[str, Any]) -> int:
    return int(verbs.call("accept_schedules", p_verdicts=Jsonb(list(verdicts))))


def test_a_verdict_is_written_once(project: Project) -> None:
    with daemon(project) as verbs:
        verbs.register(schedule(), schedule("other"))
        before = versions(project)
        assert accept(verbs, VERDICT) == 1
        first = versions(project)
        assert accept(verbs, VERDICT, {**VERDICT, "job": "no_such_job"}) == 0
    assert versions(project) == first
    assert first["other"] == before["other"]
    columns = "select accepted_cron, accepted_timezone, error from job_schedules where job = 'work'"
    assert project.rows(columns) == [("0 2 * * *", "UTC", None)]


def test_only_what_changed_is_written(project: Project) -> None:
    with daemon(project) as verbs:
        verbs.register(schedule(), schedule("other"))
        other = VERDICT | {"job": "other"}
        assert accept(verbs, VERDICT, other) == 2
        before = versions(project)
        assert accept(verbs, VERDICT | {"error": "cron: no."}, other) == 1
    after = versions(project)
    assert after["other"] == before["other"]
    assert after["work"] != before["work"]


def test_a_verdict_is_no_edit(project: Project) -> None:
    with daemon(project) as verbs:
        scheduled(verbs)
        edited = project.one("select updated_at from job_schedules")
        accept(verbs, VERDICT)
        assert until(verbs) == NOW - 24 * HOUR
    assert project.one("select updated_at from job_schedules") == edited


def test_a_cron_that_is_none_leaves_the_accepted_one_in_effect(project: Project) -> None:
    with daemon(project) as verbs:
        verbs.register(schedule(cron="0 2 * * *"))
        accept(verbs, VERDICT)
        project.run("update job_schedules set cron = 'at two'")
        state = verbs.call("scheduler_state")
        read = Schedule.of(state["schedules"][0], state["timezone"])
        accept(verbs, read.verdict(moment(state, "now")))
    row = project.rows("select cron, accepted_cron, accepted_timezone, error from job_schedules")
    assert row[0][:3] == ("at two", "0 2 * * *", "UTC")
    assert "'at two'" in row[0][3]


def test_a_claim_and_the_next_slot_do_not_block_each_other(project: Project) -> None:
    """One wants the schedule's row, the other the run that waits."""
    with daemon(project) as verbs:
        scheduled(verbs, max_concurrent=1)
        verbs.slots(due(NOW - 2 * HOUR, until=NOW - 2 * HOUR))
    with as_service(project) as gate, as_service(project) as one, as_service(project) as two:
        gate.rows("select from job_schedules where job = 'work' for update")
        with ThreadPoolExecutor(2) as pool:
            slots = pool.submit(Verbs(one.connection).slots, due(NOW - HOUR))
            until_waiting(project, 1)
            claim = pool.submit(Verbs(two.connection).claim_all, "w")
            until_waiting(project, 2)
            gate.connection.rollback()
            wait([claim, slots], 20, FIRST_COMPLETED)
            (two if claim.done() else one).connection.commit()
            wait([claim, slots], 20)
        assert (len(claim.result()), len(slots.result())) == (1, 1)
