"""Each run is one worker's at a time, and the fence says whose."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from tests.people import as_service
from tests.project import Project
from tests.runs.support import (
    Refused,
    Run,
    Verbs,
    at_once,
    daemon,
    moment,
    schedule,
    until_waiting,
)


def test_a_claim_takes_the_oldest_run_and_counts(verbs: Verbs) -> None:
    later, first = verbs.enqueue(), verbs.enqueue()
    verbs.change(first, "run_at = now() - interval '1 minute'")
    run = verbs.claim("host/1")
    assert run == verbs.row(first)
    assert run == run | {"status": "running", "attempt": 1, "fence": 1, "worker": "host/1"}
    assert run["started_at"] is not None
    assert verbs.row(later) == later


def test_the_lease_lasts_as_long_as_the_job_says(verbs: Verbs) -> None:
    verbs.register(schedule("long", lease_seconds=900))
    run = verbs.claimed(job="long")
    length = moment(run, "lease_expires_at") - moment(run, "claimed_at")
    assert timedelta(seconds=899) < length < timedelta(seconds=901)


def test_an_empty_queue_gives_an_empty_list(verbs: Verbs) -> None:
    assert verbs.claim_all() == []
    run = verbs.claimed()
    assert verbs.claim_all("other") == []
    verbs.finish(run)
    assert verbs.claim_all() == []


def test_a_run_that_is_not_due_waits(verbs: Verbs) -> None:
    run = verbs.enqueue()
    verbs.change(run, "run_at = now() + interval '1 minute'")
    assert verbs.claim() is None
    assert verbs.claim(run=run) is None
    verbs.change(run, "run_at = now()")
    assert verbs.claim() == verbs.row(run)


def test_a_worker_may_ask_for_some_jobs_only(verbs: Verbs) -> None:
    verbs.register(schedule("other"))
    wanted, other = verbs.enqueue("other"), verbs.enqueue()
    assert verbs.claim_all(limit=9, p_jobs=["other", "no_such_job"]) == [verbs.row(wanted)]
    assert verbs.claim(p_jobs=["other", "no_such_job"]) is None
    assert verbs.claim(p_jobs=[]) is None
    assert verbs.row(other) == other


def test_a_named_run_is_taken_and_no_other(verbs: Verbs) -> None:
    first, named = verbs.enqueue(), verbs.enqueue()
    verbs.change(first, "run_at = now() - interval '1 minute'")
    before = verbs.others(named)
    assert verbs.claim_all(limit=9, p_run_id=named["id"]) == [verbs.row(named)]
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


# Many at a time --------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [1, 2, 4])
def test_a_batch_is_as_many_as_were_asked_for(verbs: Verbs, limit: int) -> None:
    runs = [verbs.enqueue() for _ in range(5)]
    for age, run in enumerate(runs):
        verbs.change(run, f"run_at = now() - interval '{9 - age} minutes'")
    taken = verbs.claim_all(limit=limit)
    assert [run["id"] for run in taken] == [run["id"] for run in runs[:limit]]
    assert {(run["attempt"], run["fence"]) for run in taken} == {(1, 1)}
    assert {verbs.row(run)["status"] for run in runs[limit:]} == {"queued"}


def test_a_batch_is_of_several_jobs_the_longest_waiting_first(verbs: Verbs) -> None:
    verbs.register(schedule("other"))
    ages = {"work": (5, 1), "other": (4, 3)}
    for job, minutes in ages.items():
        for age in minutes:
            verbs.change(verbs.enqueue(job), f"run_at = now() - interval '{age} minutes'")
    taken = verbs.claim_all(limit=3)
    assert [run["job"] for run in taken] == ["work", "other", "other"]
    assert len(verbs.claim_all(limit=3, p_holding=verbs.held("w"))) == 1


def test_four_workers_take_each_of_2000_runs_once_in_batches(project: Project) -> None:
    runs_of_work(project, 2000)

    def work(verbs: Verbs, worker: int) -> list[Run]:
        taken: list[Run] = []
        while batch := verbs.claim_all(f"w{worker}", 100, p_holding=[r["id"] for r in taken]):
            assert len(batch) <= 100
            taken += batch
        return taken

    batches = at_once(project, 4, work)
    taken = [run for batch in batches for run in batch]
    assert len(taken) == len({run["id"] for run in taken}) == 2000
    assert all(batches)
    rows = project.rows("select status, attempt, fence, count(*) from job_runs group by 1, 2, 3")
    assert rows == [("running", 1, 1, 2000)]


def test_eight_workers_take_each_of_200_runs_once(project: Project) -> None:
    runs_of_work(project, 200)

    def work(verbs: Verbs, worker: int) -> list[Run]:
        return list(iter(lambda: verbs.claim(f"w{worker}"), None))

    taken = [run for runs in at_once(project, 8, work) for run in runs]
    assert len(taken) == len({run["id"] for run in taken}) == 200
    rows = project.rows("select status, attempt, fence, count(*) from job_runs group by 1, 2, 3")
    assert rows == [("running", 1, 1, 200)]


# So many runs of a job at a time ---------------------------------------------------------------


def test_no_more_runs_than_the_job_allows(verbs: Verbs) -> None:
    verbs.register(schedule("few", max_concurrent=2))
    runs = [verbs.enqueue("few") for _ in range(4)]
    taken = verbs.claim_all(limit=9)
    assert len(taken) == 2
    assert verbs.claim("other") is None
    verbs.finish(taken[0])
    assert len(verbs.claim_all("other", limit=9)) == 1
    assert sorted(verbs.row(run)["status"] for run in runs) == [
        *("queued", "running", "running", "succeeded")
    ]


def test_a_job_without_a_limit_runs_any_number(verbs: Verbs) -> None:
    for _ in range(30):
        verbs.enqueue()
    assert len(verbs.claim_all(limit=20)) == 20
    assert len(verbs.claim_all("other", limit=20)) == 10


def test_a_full_job_keeps_no_other_waiting(verbs: Verbs) -> None:
    verbs.register(schedule("few", max_concurrent=1))
    older = [verbs.enqueue("few") for _ in range(3)]
    for run in older:
        verbs.change(run, "run_at = now() - interval '1 hour'")
    free = verbs.enqueue()
    assert {run["job"] for run in verbs.claim_all(limit=2)} == {"few", "work"}
    assert verbs.row(free)["status"] == "running"


def test_a_run_asked_for_by_its_id_goes_beyond_the_limit(verbs: Verbs) -> None:
    verbs.register(schedule("few", max_concurrent=1))
    verbs.claimed(job="few")
    by_hand, waiting = verbs.enqueue("few"), verbs.enqueue("few")
    assert verbs.claim("daemon") is None
    assert verbs.claim("cli", by_hand) == verbs.row(by_hand)
    assert verbs.row(waiting) == waiting


def test_eight_workers_never_have_more_than_the_limit(project: Project) -> None:
    runs_of_work(project, 120, max_concurrent=3)

    def work(verbs: Verbs, worker: int) -> list[int]:
        seen = []
        while waits(verbs):
            for run in verbs.claim_all(f"w{worker}", 2):
                seen.append(len(verbs.connection.execute(RUNNING).fetchall()))
                verbs.finish(run)
        return seen

    seen = [number for numbers in at_once(project, 8, work) for number in numbers]
    assert len(seen) == 120
    assert 1 < max(seen) <= 3
    assert project.rows("select distinct status, attempt from job_runs") == [("succeeded", 1)]


def test_runs_that_come_while_two_workers_look_keep_to_the_limit(project: Project) -> None:
    """The jobs `a` and `c` only hold the workers up until the runs of `few` are there."""
    project.run("insert into job_schedules (job) values ('a'), ('c'), ('few')")
    project.run("insert into job_runs (job) values ('a'), ('c')")
    with as_service(project) as gate, as_service(project) as one, as_service(project) as two:
        gate.rows("select from job_schedules where job in ('a', 'c') for update")
        with ThreadPoolExecutor(2) as pool:
            looks = [
                pool.submit(Verbs(session.connection).claim_all, job, 9, p_jobs=[job, "few"])
                for session, job in ((one, "a"), (two, "c"))
            ]
            until_waiting(project, 2)
            project.run("insert into job_runs (job) values ('few'), ('few')")
            gate.connection.rollback()
            taken = [run["job"] for look in looks for run in look.result(30)]
    assert taken.count("few") <= 1
    assert taken.count("a") == taken.count("c") == 1


RUNNING = "select from public.job_runs where status = 'running'"


def waits(verbs: Verbs) -> bool:
    query = "select from public.job_runs where status = 'queued' limit 1"
    return bool(verbs.connection.execute(query).fetchall())


# Answers that were lost ------------------------------------------------------------------------


def test_the_lost_answer_of_a_claim_is_given_again(verbs: Verbs) -> None:
    lost = [verbs.claimed("host/1"), verbs.claimed("host/1")]
    waiting = verbs.enqueue()
    again = verbs.claim_all("host/1")
    assert {run["id"]: run["fence"] for run in again} == {run["id"]: 1 for run in lost}
    assert verbs.row(waiting) == waiting
    assert verbs.heartbeat(lost[0])


def test_what_a_worker_knows_it_has_is_not_given_again(verbs: Verbs) -> None:
    known, lost, waiting = verbs.claimed("host/1"), verbs.claimed("host/1"), verbs.enqueue()
    again = verbs.claim_all("host/1", p_holding=[known["id"]])
    assert [run["id"] for run in again] == [lost["id"]]
    both = [known["id"], lost["id"]]
    assert [run["id"] for run in verbs.claim_all("host/1", p_holding=both)] == [waiting["id"]]


def test_another_worker_is_never_given_it(verbs: Verbs) -> None:
    run = verbs.claimed("host/1")
    before = verbs.row(run)
    assert verbs.claim_all("host/2") == []
    assert verbs.claim_all("host/2", p_run_id=run["id"]) == []
    assert verbs.claim_all("host/1", p_run_id=run["id"]) == [before]
    assert verbs.row(run) == before


# Workers that fell silent ----------------------------------------------------------------------


def test_an_expired_lease_is_claimed_again_with_a_new_fence(verbs: Verbs) -> None:
    run = verbs.claimed("host/1")
    verbs.change(run, 'progress = \'{"cursor": "x"}\'')
    verbs.expire(run)
    taken = verbs.claim("host/2")
    assert taken
    assert (taken["id"], taken["fence"], taken["attempt"]) == (run["id"], 2, 2)
    assert (taken["worker"], taken["progress"]) == ("host/2", {"cursor": "x"})
    assert taken["started_at"] == run["started_at"]
    assert moment(taken, "claimed_at") > moment(run, "claimed_at")


def test_an_expired_run_waits_again_when_somebody_claims_another(verbs: Verbs) -> None:
    run, other = verbs.claimed("host/1"), verbs.enqueue()
    verbs.expire(run)
    assert verbs.claim("host/2", other)
    row = verbs.row(run)
    assert (row["status"], row["attempt"], row["lease_expires_at"]) == ("queued", 1, None)
    assert row["error"]["code"] == "lease_expired"
    assert "host/1" in row["error"]["hint"]
    assert row["finished_at"] is None
    assert verbs.alerts(run) == []


@pytest.mark.parametrize("write", [Verbs.heartbeat, Verbs.sync])
def test_a_stale_fence_is_ms001_and_writes_nothing(
    verbs: Verbs, write: Callable[[Verbs, Run], object]
) -> None:
    stale = verbs.claimed("host/1")
    verbs.expire(stale)
    assert verbs.claim("host/2")
    before = verbs.row(stale)
    with pytest.raises(Refused, match="MS001"):
        write(verbs, stale)
    assert verbs.row(stale) == before
    assert verbs.connection.execute("select from public.mentors").fetchall() == []


def test_the_fence_decides_and_not_the_clock(verbs: Verbs) -> None:
    run = verbs.claimed()
    verbs.expire(run)
    assert verbs.heartbeat(run)
    assert verbs.claim("other") is None
    assert verbs.finish(run)
    assert verbs.row(run)["status"] == "succeeded"


def test_a_run_whose_attempts_are_used_up_is_dead(verbs: Verbs) -> None:
    run = verbs.claimed("host/1", p_max_attempts=2)
    verbs.expire(run)
    second = verbs.claim("host/2")
    assert second
    verbs.expire(second)
    assert verbs.claim("host/3") is None
    row = verbs.row(run)
    assert (row["status"], row["attempt"], row["lease_expires_at"]) == ("dead", 2, None)
    assert "attempt 2 of 2" in row["error"]["message"]
    assert "host/2" in row["error"]["hint"]
    assert row["finished_at"] is not None
    assert verbs.alerts(run) == [("dead", False)]


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
    silent_worker(project)
    with as_service(project) as slow, as_service(project) as other:
        run = {"id": project.one("select id from job_runs"), "fence": 1}
        assert Verbs(slow.connection).heartbeat(run)
        assert Verbs(other.connection).claim("other") is None
        slow.connection.rollback()
        taken = Verbs(other.connection).claim("other")
    assert taken
    assert (taken["fence"], taken["attempt"]) == (2, 2)


def test_eight_workers_take_an_expired_run_once(project: Project) -> None:
    silent_worker(project)
    taken = [run for run in at_once(project, 8, lambda v, i: v.claim(f"w{i}")) if run]
    assert [(run["attempt"], run["fence"]) for run in taken] == [(2, 2)]


def test_a_silent_run_gives_its_place_back(project: Project) -> None:
    silent_worker(project, max_concurrent=1)
    with daemon(project) as verbs:
        taken = verbs.claim_all("other", 9)
    assert [(run["attempt"], run["worker"]) for run in taken] == [(2, "other")]


# How long an attempt may take ------------------------------------------------------------------


@pytest.mark.parametrize("write", [Verbs.heartbeat, Verbs.sync])
def test_an_attempt_that_takes_too_long_is_ms003(
    verbs: Verbs, write: Callable[[Verbs, Run], object]
) -> None:
    run = verbs.claimed()
    verbs.change(run, "claimed_at = clock_timestamp() - interval '3599 seconds'")
    assert verbs.heartbeat(run)
    verbs.change(run, "claimed_at = clock_timestamp() - interval '3601 seconds'")
    before = verbs.row(run)
    with pytest.raises(Refused, match="MS003"):
        write(verbs, run)
    assert verbs.row(run) == before


def test_what_timed_out_waits_for_another_attempt_with_time_of_its_own(verbs: Verbs) -> None:
    run = verbs.claimed()
    verbs.change(run, "claimed_at = clock_timestamp() - interval '2 hours'")
    assert verbs.fail(run)["status"] == "queued"
    verbs.wait_over(run)
    again = verbs.claim("host/2")
    assert again
    assert again["attempt"] == 2
    assert verbs.heartbeat(again)


def test_a_worker_that_ignores_its_time_loses_the_run_with_its_lease(verbs: Verbs) -> None:
    run = verbs.claimed()
    verbs.change(run, "claimed_at = clock_timestamp() - interval '2 hours'")
    verbs.expire(run)
    with pytest.raises(Refused, match="MS003"):
        verbs.heartbeat(run)
    taken = verbs.claim("host/2")
    assert taken
    assert (taken["id"], taken["fence"]) == (run["id"], 2)


def runs_of_work(project: Project, count: int, max_concurrent: int | None = None) -> None:
    with daemon(project) as verbs:
        verbs.register(schedule(max_concurrent=max_concurrent))
    project.run(f"insert into job_runs (job) select 'work' from generate_series(1, {count})")


def silent_worker(project: Project, max_concurrent: int | None = None) -> None:
    with daemon(project) as verbs:
        verbs.register(schedule(max_concurrent=max_concurrent))
    project.run(
        "insert into job_runs (job, status, attempt, fence, worker, lease_expires_at)"
        " values ('work', 'running', 1, 1, 'gone', now() - interval '1 second')"
    )
