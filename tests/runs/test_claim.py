"""Each run is one worker's at a time, and the fence says whose."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier

import psycopg
import pytest

from tests.people import as_service
from tests.project import Project
from tests.runs.support import JOB, Refused, Run, Verbs


def test_a_claim_takes_the_oldest_run_and_counts(verbs: Verbs) -> None:
    later, first = verbs.enqueue(), verbs.enqueue()
    verbs.change(first, "run_at = now() - interval '1 minute'")
    run = verbs.claim("host/1")
    assert run == verbs.row(first)
    assert run == run | {"status": "running", "attempt": 1, "fence": 1, "worker": "host/1"}
    assert run["started_at"] is not None
    assert verbs.row(later) == later


def test_the_lease_lasts_as_long_as_the_job_says(verbs: Verbs) -> None:
    verbs.register({**JOB, "job": "long", "lease_seconds": 900})
    run = verbs.claimed(job="long")
    length = datetime.fromisoformat(run["lease_expires_at"]) - datetime.fromisoformat(
        run["started_at"]
    )
    assert timedelta(seconds=899) < length < timedelta(seconds=901)


def test_an_empty_queue_gives_null(verbs: Verbs) -> None:
    assert verbs.claim() is None
    run = verbs.claimed()
    assert verbs.claim() is None
    verbs.finish(run)
    assert verbs.claim() is None


def test_a_run_that_is_not_due_waits(verbs: Verbs) -> None:
    run = verbs.enqueue()
    verbs.change(run, "run_at = now() + interval '1 minute'")
    assert verbs.claim() is None
    assert verbs.claim(run=run) is None
    verbs.change(run, "run_at = now()")
    assert verbs.claim() == verbs.row(run)


def test_a_worker_may_ask_for_some_jobs_only(verbs: Verbs) -> None:
    verbs.register({**JOB, "job": "other"})
    wanted, other = verbs.enqueue("other"), verbs.enqueue()
    connection = verbs.connection
    query = "select public.claim_run('w', null, array['other', 'no_such_job'])"
    found = connection.execute(query).fetchone()
    assert found
    assert found[0]["id"] == wanted["id"]
    assert connection.execute(query).fetchone() == (None,)
    assert verbs.row(other) == other


def test_a_named_run_is_taken_and_no_other(verbs: Verbs) -> None:
    first, named = verbs.enqueue(), verbs.enqueue()
    verbs.change(first, "run_at = now() - interval '1 minute'")
    before = verbs.others(named)
    claimed = verbs.claim(run=named)
    assert claimed
    assert claimed["id"] == named["id"]
    assert verbs.others(named) == before


@pytest.mark.parametrize(
    "status", ["awaiting_approval", "succeeded", "partial", "failed", "dead", "cancelled"]
)
def test_a_run_in_another_state_is_never_taken(verbs: Verbs, status: str) -> None:
    run = verbs.enqueue()
    verbs.change(run, f"status = '{status}'")
    before = verbs.row(run)
    assert verbs.claim() is None
    assert verbs.claim(run=run) is None
    assert verbs.row(run) == before


def test_the_lost_answer_of_a_claim_is_given_again(verbs: Verbs) -> None:
    run = verbs.claimed("host/1")
    again = verbs.claim("host/1", run)
    assert again
    assert (again["fence"], again["attempt"]) == (run["fence"], run["attempt"]) == (1, 1)
    assert verbs.claim("host/2", run) is None
    assert verbs.heartbeat(run)


def test_an_expired_lease_is_claimed_again_with_a_new_fence(verbs: Verbs) -> None:
    run = verbs.claimed("host/1")
    verbs.change(run, 'progress = \'{"cursor": "x"}\'')
    verbs.expire(run)
    taken = verbs.claim("host/2")
    assert taken
    assert (taken["id"], taken["fence"], taken["attempt"]) == (run["id"], 2, 2)
    assert (taken["worker"], taken["progress"]) == ("host/2", {"cursor": "x"})
    assert taken["started_at"] == run["started_at"]


def test_a_stale_fence_is_ms001_and_writes_nothing(verbs: Verbs) -> None:
    stale = verbs.claimed("host/1")
    verbs.expire(stale)
    assert verbs.claim("host/2")
    before = verbs.row(stale)
    for write in (verbs.heartbeat, verbs.finish, verbs.sync):
        with pytest.raises(Refused, match="MS001"):
            write(stale)
    assert verbs.row(stale) == before
    assert verbs.connection.execute("select from public.mentors").fetchall() == []


def test_the_fence_decides_and_not_the_clock(verbs: Verbs) -> None:
    run = verbs.claimed()
    verbs.expire(run)
    assert verbs.heartbeat(run)
    assert verbs.claim("other") is None
    assert verbs.finish(run)["status"] == "succeeded"


def test_a_run_whose_attempts_are_used_up_is_dead(verbs: Verbs) -> None:
    run = verbs.claimed("host/1", p_max_attempts=2)
    verbs.expire(run)
    second = verbs.claim("host/2")
    assert second
    verbs.expire(second)
    assert verbs.claim("host/3") is None
    row = verbs.row(run)
    assert (row["status"], row["attempt"], row["lease_expires_at"]) == ("dead", 2, None)
    assert row["error"]["code"] == "lease_expired"
    assert "attempt 2 of 2" in row["error"]["message"]
    assert "host/2" in row["error"]["hint"]
    assert row["finished_at"] is not None


def test_the_dead_take_nobody_with_them(verbs: Verbs) -> None:
    dying = verbs.claimed(p_max_attempts=1)
    alive, waiting = verbs.claimed(), verbs.enqueue()
    verbs.change(waiting, "run_at = now() + interval '1 hour'")
    before = verbs.others(dying)
    verbs.expire(dying)
    assert verbs.claim() is None
    assert verbs.others(dying) == before
    assert verbs.row(alive)["status"] == "running"


def test_a_run_is_not_taken_while_its_worker_writes(project: Project) -> None:
    project.run(
        "insert into job_schedules (job) values ('work')",
        "insert into job_runs (job, status, attempt, fence, worker, lease_expires_at)"
        " values ('work', 'running', 1, 1, 'slow', now() - interval '1 second')",
    )
    with as_service(project) as slow, as_service(project) as other:
        run = {"id": project.one("select id from job_runs"), "fence": 1}
        assert Verbs(slow.connection).heartbeat(run)
        assert Verbs(other.connection).claim("other") is None
        slow.connection.rollback()
        taken = Verbs(other.connection).claim("other")
    assert taken
    assert (taken["fence"], taken["attempt"]) == (2, 2)


def test_eight_workers_take_each_of_200_runs_once(project: Project) -> None:
    project.run(
        "insert into job_schedules (job) values ('work')",
        "insert into job_runs (job) select 'work' from generate_series(1, 200)",
    )
    start = Barrier(8)

    def work(worker: int) -> list[Run]:
        with psycopg.connect(project.authenticator_dsn, autocommit=True) as connection:
            connection.execute("set role service_role")
            verbs = Verbs(connection)
            start.wait(30)
            return list(iter(lambda: verbs.claim(f"w{worker}"), None))

    with ThreadPoolExecutor(8) as pool:
        claimed = [run for runs in pool.map(work, range(8)) for run in runs]
    assert len(claimed) == len({run["id"] for run in claimed}) == 200
    assert {(run["attempt"], run["fence"]) for run in claimed} == {(1, 1)}
    rows = project.rows("select status, attempt, fence, count(*) from job_runs group by 1, 2, 3")
    assert rows == [("running", 1, 1, 200)]
    assert len({run["worker"] for run in claimed}) > 1


def test_eight_workers_take_an_expired_run_once(project: Project) -> None:
    project.run(
        "insert into job_schedules (job) values ('work')",
        "insert into job_runs (job, status, attempt, fence, worker, lease_expires_at)"
        " values ('work', 'running', 1, 1, 'gone', now() - interval '1 second')",
    )
    start = Barrier(8)

    def work(worker: int) -> Run | None:
        with psycopg.connect(project.authenticator_dsn, autocommit=True) as connection:
            connection.execute("set role service_role")
            start.wait(30)
            return Verbs(connection).claim(f"w{worker}")

    with ThreadPoolExecutor(8) as pool:
        claimed = [run for run in pool.map(work, range(8)) if run]
    assert [(run["attempt"], run["fence"]) for run in claimed] == [(2, 2)]
