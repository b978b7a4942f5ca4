"""Asking for runs, and registering the jobs that they are of."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import psycopg
import pytest

from tests.people import as_admin, as_anon, as_mentor, as_service
from tests.project import Project
from tests.runs.support import Refused, Verbs, schedule


def test_a_run_waits_with_what_its_job_says(verbs: Verbs) -> None:
    says = {"lease_seconds": 300, "max_attempts": 7, "timeout_seconds": 40}
    verbs.register(schedule("long", **says))
    run = verbs.enqueue("long", p_params={"dry_run": True})
    wanted = {"job": "long", "status": "queued", "attempt": 0, "fence": 0, "slot": None}
    assert run == run | wanted | says | {"params": {"dry_run": True}}
    assert run == run | {"worker": None, "started_at": None, "requested_by": "service_role"}


def test_asking_again_is_another_run(verbs: Verbs) -> None:
    verbs.register(schedule("other"))
    ids = {verbs.enqueue()["id"], verbs.enqueue()["id"], verbs.enqueue("other")["id"]}
    assert len(ids) == verbs.count() == 3


def test_the_same_id_twice_is_one_run(verbs: Verbs) -> None:
    run_id = str(uuid4())
    first = verbs.enqueue(p_id=run_id)
    assert verbs.enqueue(p_id=run_id) == first
    assert verbs.count() == 1


def test_a_run_that_went_on_meanwhile_is_given_as_it_is(verbs: Verbs) -> None:
    run = verbs.enqueue()
    running = verbs.claim(run=run)
    assert verbs.enqueue(p_id=run["id"], p_params={"a": 2}) == running
    assert verbs.row(run) == running


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
    assert verbs.finish(run)


def test_a_row_inserted_by_hand_is_as_its_job_says(verbs: Verbs) -> None:
    says = {"lease_seconds": 300, "max_attempts": 7, "timeout_seconds": 40}
    verbs.register(schedule("long", **says))
    insert = "insert into public.job_runs (job, max_attempts, lease_seconds) values (%s, %s, %s)"
    verbs.connection.execute(insert.encode(), ["long", None, None])
    verbs.connection.execute(insert.encode(), ["long", 2, 30])
    runs = verbs.claim_all(limit=2)
    found = {(run["lease_seconds"], run["max_attempts"], run["timeout_seconds"]) for run in runs}
    assert found == {(300, 7, 40), (30, 2, 40)}


def test_a_row_inserted_in_the_dashboard_says_who(project: Project) -> None:
    project.run("insert into job_schedules (job) values ('work')")
    project.run("insert into job_runs (job) values ('work')")
    assert project.rows("select status, requested_by from job_runs") == [("queued", "postgres")]
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        project.run("insert into job_runs (job) values ('no_such_job')")


def test_registering_twice_writes_once(verbs: Verbs) -> None:
    jobs = [schedule("a"), schedule("b", cron="0 2 * * *")]
    assert verbs.register(*jobs) == 2
    before = schedules(verbs)
    assert verbs.register(*jobs) == 0
    assert schedules(verbs) == before
    assert verbs.register(*jobs, schedule("c")) == 1


def test_registering_never_overwrites_an_operators_edit(verbs: Verbs) -> None:
    verbs.connection.execute(
        "update public.job_schedules set cron = '5 4 * * *', enabled = false, max_attempts = 9"
    )
    before = schedules(verbs)
    assert verbs.register(schedule(cron="0 2 * * *", description="New.")) == 0
    assert schedules(verbs) == before


def test_a_job_named_twice_at_once_is_registered_once(verbs: Verbs) -> None:
    assert verbs.register(schedule("a"), schedule("a")) == 1


def test_a_job_is_registered_as_its_code_says(verbs: Verbs) -> None:
    said = schedule(
        "own",
        cron="5 4 * * 1",
        catch_up="all",
        max_age_seconds=90,
        coalesce_slots=False,
        max_concurrent=7,
        jitter_seconds=11,
        timeout_seconds=12,
        lease_seconds=13,
        max_attempts=14,
    )
    verbs.register(said)
    query = "select to_jsonb(s) from public.job_schedules as s where job = 'own'"
    ((row,),) = verbs.connection.execute(query).fetchall()
    assert row == row | said
    assert (row["enabled"], row["params"], row["accepted_cron"]) == (True, {}, None)


def test_who_asked_is_noted(verbs: Verbs) -> None:
    assert verbs.enqueue(p_requested_by="ann")["requested_by"] == "ann"
    assert verbs.enqueue()["requested_by"] == "service_role"


def test_an_operator_may_ask_for_fewer_attempts_but_not_for_none(verbs: Verbs) -> None:
    assert verbs.enqueue(p_max_attempts=1)["max_attempts"] == 1
    with pytest.raises(Refused, match="23514"):
        verbs.enqueue(p_max_attempts=0)
    assert verbs.count() == 1


@pytest.mark.parametrize(
    "call",
    [
        "register_jobs('[]')",
        "enqueue_run('work')",
        "enqueue_slots('[]')",
        "accept_schedules('[]')",
        "claim_runs('w')",
        "heartbeat_run(gen_random_uuid(), 1)",
        "finish_runs('[]')",
        "cancel_run(gen_random_uuid())",
        "approve_run(gen_random_uuid())",
        "retry_run(gen_random_uuid())",
        "find_runs('abcd')",
        "scheduler_state()",
        "prune_runs()",
        "changes_of_run(gen_random_uuid(), 0, 0, 10)",
        "undo_changes(gen_random_uuid(), 1, gen_random_uuid())",
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
