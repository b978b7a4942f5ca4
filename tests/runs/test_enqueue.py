"""Asking for runs, and registering the jobs that they are of."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import psycopg
import pytest

from tests.people import as_admin, as_anon, as_mentor, as_service
from tests.project import Project
from tests.runs.support import JOB, Refused, Verbs

SLOT = "2026-11-21T02:00:00+00:00"


def test_a_run_waits_with_what_its_job_says(verbs: Verbs) -> None:
    verbs.register({**JOB, "job": "long", "lease_seconds": 300, "max_attempts": 7})
    run = verbs.enqueue("long", p_params={"dry_run": True})
    wanted = {"job": "long", "status": "queued", "attempt": 0, "fence": 0, "slot": None}
    assert run == run | wanted
    assert run == run | {"lease_seconds": 300, "max_attempts": 7, "params": {"dry_run": True}}
    assert run == run | {"worker": None, "started_at": None, "requested_by": "service_role"}


def test_the_same_slot_twice_is_one_run(verbs: Verbs) -> None:
    first = verbs.enqueue(p_slot=SLOT, p_params={"a": 1})
    assert verbs.enqueue(p_slot=SLOT, p_params={"a": 2}) == first
    assert verbs.enqueue(p_slot="2026-11-21T03:00:00+01:00") == first
    assert verbs.count() == 1


def test_another_slot_or_another_job_is_another_run(verbs: Verbs) -> None:
    verbs.register({**JOB, "job": "other"})
    ids = {
        verbs.enqueue(p_slot=SLOT)["id"],
        verbs.enqueue(p_slot="2026-11-22T02:00:00Z")["id"],
        verbs.enqueue("other", p_slot=SLOT)["id"],
        verbs.enqueue()["id"],
        verbs.enqueue()["id"],
    }
    assert len(ids) == verbs.count() == 5


def test_the_same_id_twice_is_one_run(verbs: Verbs) -> None:
    run_id = str(uuid4())
    first = verbs.enqueue(p_id=run_id)
    assert verbs.enqueue(p_id=run_id) == first
    assert verbs.count() == 1


def test_a_run_that_went_on_meanwhile_is_given_as_it_is(verbs: Verbs) -> None:
    run = verbs.enqueue(p_slot=SLOT)
    verbs.claim(run=run)
    assert verbs.enqueue(p_slot=SLOT)["status"] == "running"
    assert verbs.row(run)["status"] == "running"


def test_an_unknown_job_is_ms002(verbs: Verbs) -> None:
    with pytest.raises(Refused, match="MS002"):
        verbs.enqueue("no_such_job")
    assert verbs.count() == 0


@pytest.mark.parametrize("params", [[], [1]])
def test_parameters_are_an_object(verbs: Verbs, params: list[int]) -> None:
    with pytest.raises(Refused, match="23514"):
        verbs.enqueue(p_params=params)
    assert verbs.count() == 0


def test_a_row_inserted_by_hand_needs_only_the_job(verbs: Verbs) -> None:
    verbs.connection.execute("insert into public.job_runs (job) values ('work')")
    run = verbs.claim()
    assert run
    assert (run["job"], run["attempt"], run["params"], run["slot"]) == ("work", 1, {}, None)
    assert verbs.finish(run)["status"] == "succeeded"


def test_a_row_inserted_in_the_dashboard_says_who(project: Project) -> None:
    project.run("insert into job_schedules (job) values ('work')")
    project.run("insert into job_runs (job) values ('work')")
    assert project.rows("select status, requested_by from job_runs") == [("queued", "postgres")]
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        project.run("insert into job_runs (job) values ('no_such_job')")


def test_registering_twice_writes_once(verbs: Verbs) -> None:
    jobs = [{**JOB, "job": "a"}, {**JOB, "job": "b", "cron": "0 2 * * *"}]
    assert verbs.register(*jobs) == 2
    before = schedules(verbs)
    assert verbs.register(*jobs) == 0
    assert schedules(verbs) == before
    assert verbs.register(*jobs, {**JOB, "job": "c"}) == 1


def test_registering_never_overwrites_an_operators_edit(verbs: Verbs) -> None:
    verbs.connection.execute(
        "update public.job_schedules set cron = '5 4 * * *', enabled = false, max_attempts = 9"
    )
    before = schedules(verbs)
    assert verbs.register({**JOB, "cron": "0 2 * * *", "description": "New."}) == 0
    assert schedules(verbs) == before


def test_a_job_named_twice_at_once_is_registered_once(verbs: Verbs) -> None:
    assert verbs.register({**JOB, "job": "a"}, {**JOB, "job": "a"}) == 1


@pytest.mark.parametrize(
    "call",
    [
        "register_jobs('[]')",
        "enqueue_run('work')",
        "claim_run('w')",
        "heartbeat_run(gen_random_uuid(), 1)",
        "finish_run(gen_random_uuid(), 1, 'dead')",
        "find_runs('abcd')",
    ],
)
def test_nobody_but_the_service_may_run_jobs(project: Project, call: str) -> None:
    for people in (as_anon, as_mentor, as_admin):
        with people(project) as session:
            assert session.refused(f"select public.{call}")
    with as_service(project) as session:
        assert not refused_as_forbidden(Verbs(session.connection), f"select public.{call}")


def schedules(verbs: Verbs) -> list[Any]:
    query = "select s::text, xmin::text from public.job_schedules as s order by s.job"
    return verbs.connection.execute(query).fetchall()


def refused_as_forbidden(verbs: Verbs, query: str) -> bool:
    try:
        with verbs.connection.transaction():
            verbs.connection.execute(query.encode())
    except psycopg.Error as error:
        return error.sqlstate == "42501"
    return False
