"""Drills 1, 2, 3, 5 and 26: daemons that die, freeze, or are told to stop."""

from __future__ import annotations

import random
import signal
import time

import psycopg
import pytest

from tests.drills.support import Fleet, wait_until
from tests.project import Project

SLOTS = 100


def hundred_slots(project: Project) -> None:
    """A job of every minute that nobody ran for a hundred minutes, all of them to be caught up."""
    project.run(
        "update job_schedules set cron = '* * * * *', catch_up = 'all', max_age_seconds = 6060"
        " where job = 'drill'",
        # An edit catches nothing up, an outage does.
        "update job_schedules set"
        " scheduled_until = date_trunc('minute', now()) - interval '100 minutes'"
        " where job = 'drill'",
    )


def each_slot_ran_once(project: Project) -> None:
    rows = project.rows(
        "select r.slot, r.status, count(s.run_id) from job_runs as r"
        " left join drill_steps as s on s.run_id = r.id"
        " where r.job = 'drill' group by r.id order by r.slot"
    )
    assert SLOTS <= len(rows) <= SLOTS + 3  # a minute or two may have passed
    assert len({slot for slot, _, _ in rows}) == len(rows)
    assert {(status, steps) for _, status, steps in rows} == {("succeeded", 1)}


def all_done(project: Project) -> bool:
    query = """select count(*) >= %s and bool_and(finished_at is not null) from job_runs
      where job = 'drill'"""
    return bool(project.one(query, SLOTS))


def test_five_daemons_and_a_hundred_slots_are_a_hundred_runs(
    project: Project, daemons: Fleet
) -> None:
    daemons.started().stop()
    hundred_slots(project)
    for _ in range(5):
        daemons.start()
    wait_until(lambda: all_done(project))
    each_slot_ran_once(project)
    workers = project.one("select count(distinct worker) from job_runs where job = 'drill'")
    assert workers > 1


@pytest.mark.slow
def test_and_so_they_are_while_daemons_are_killed(project: Project, daemons: Fleet) -> None:
    daemons.started().stop()
    project.run("""update job_schedules set params = '{"pause": 0.5}' where job = 'drill'""")
    hundred_slots(project)
    alive = [daemons.start() for _ in range(5)]
    kills = 0
    while not all_done(project):
        time.sleep(2)
        victim = alive.pop(random.randrange(len(alive)))
        victim.kill()
        kills += 1
        alive.append(daemons.start())
    each_slot_ran_once(project)
    assert kills > 2
    assert project.one("select max(attempt) from job_runs") > 1


def test_a_killed_daemon_s_run_goes_on_elsewhere(project: Project, daemons: Fleet) -> None:
    daemons.started(), daemons.started()
    run = daemons.ask(steps=30, pause=0.1)
    wait_until(lambda: daemons.steps(run) > 3)
    victim = daemons.owner(run)
    victim.kill()
    assert daemons.ended(run) == "succeeded"
    assert daemons.owner(run) is not victim
    fences = project.rows("select fence, count(*) from drill_steps group by 1 order by 1")
    assert [fence for fence, _ in fences] == [1, 2]
    assert sum(steps for _, steps in fences) == 30


IN_A_CHUNK = "select from pg_stat_activity where state = 'active' and wait_event = 'PgSleep'"


@pytest.mark.parametrize("where", ["between chunks", "in a chunk"])
def test_a_frozen_daemon_s_late_write_is_refused(
    project: Project, daemons: Fleet, where: str
) -> None:
    daemons.started(), daemons.started()
    chunks = {"pause": 0.2} if where == "between chunks" else {"seconds": 0.3}
    run = daemons.ask(steps=20, **chunks)
    wait_until(lambda: daemons.steps(run) > 3)
    wait_until(lambda: bool(project.rows(IN_A_CHUNK)) is (where == "in a chunk"))
    frozen = daemons.owner(run)
    frozen.send(signal.SIGSTOP)
    assert daemons.ended(run) == "succeeded"
    before = project.contents("drill_steps", "job_runs")
    frozen.send(signal.SIGCONT)
    (lost,) = wait_until(lambda: frozen.events("run lost"))
    assert (lost["code"], lost["run_id"]) == ("MS001", run)
    assert project.contents("drill_steps", "job_runs") == before
    assert frozen.process.poll() is None


def test_sigterm_gives_the_run_back_between_chunks(project: Project, daemons: Fleet) -> None:
    first = daemons.started()
    run = daemons.ask(steps=200, pause=0.1)
    wait_until(lambda: daemons.steps(run) > 3)
    assert first.stop() == 0
    status, attempt, lease = project.rows("select status, attempt, lease_expires_at from job_runs")[
        0
    ]
    assert (status, attempt, lease) == ("queued", 0, None)
    done = daemons.steps(run)
    project.run("""update job_runs set params = '{"steps": 120}'""")
    daemons.started()
    assert daemons.ended(run) == "succeeded"
    assert done < daemons.steps(run) == 120


def test_a_second_sigterm_ends_at_once_and_still_gives_it_back(
    project: Project, daemons: Fleet
) -> None:
    daemon = daemons.started()
    run = daemons.ask(steps=500, pause=0.1)
    wait_until(lambda: daemons.steps(run) > 3)
    daemon.send(signal.SIGTERM)
    wait_until(lambda: daemon.events("stopping"))
    began = time.monotonic()
    assert daemon.stop() == 143
    assert time.monotonic() - began < 5
    assert project.one("select status from job_runs") == "queued"


def test_a_short_run_ends_by_itself_within_the_grace(project: Project, daemons: Fleet) -> None:
    daemon = daemons.started()
    run = daemons.ask(steps=15, pause=0.1)
    wait_until(lambda: daemons.steps(run) > 3)
    assert daemon.stop() == 0
    assert daemons.ended(run) == "succeeded"
    assert project.one("select attempt from job_runs") == 1


@pytest.mark.slow
def test_a_job_that_kills_its_process_is_dead_in_the_end(project: Project, daemons: Fleet) -> None:
    daemons.started()
    project.run("insert into job_runs (job) values ('drill_fatal')")
    daemons.replicas[0].process.wait(30)
    daemons.start().process.wait(30)
    daemons.started()
    query = "select status, attempt from job_runs where finished_at is not null"
    assert wait_until(lambda: project.rows(query)) == [("dead", 2)]
    assert project.rows("select kind, job from job_alerts") == [("dead", "drill_fatal")]
    assert daemons.ended(daemons.ask(steps=1)) == "succeeded"


def test_one_daemon_alone_never_runs_an_attempt_twice(project: Project, daemons: Fleet) -> None:
    daemon = daemons.started()
    run = daemons.ask(steps=3, pause=6)
    wait_until(lambda: daemons.steps(run) == 1)
    daemon.send(signal.SIGSTOP)
    time.sleep(7)
    daemon.send(signal.SIGCONT)
    assert daemons.ended(run) == "succeeded"
    wait_until(lambda: daemon.events("run finished"))
    attempts = [line["attempt"] for line in daemon.events("run started")]
    assert sorted(attempts) == sorted(set(attempts))
    assert len(daemon.events("run finished")) == 1


def test_misbehaving_jobs_fail_once_and_leave_the_daemon_whole(
    project: Project, daemons: Fleet
) -> None:
    daemon = daemons.started()
    for how in ("nothing", "nonsense", "exit") * 3:
        daemons.ask(how=how)
    query = "select count(*) from job_runs where status = 'failed' and error is not null"
    wait_until(lambda: project.one(query) == 9)
    assert len(daemon.events("run started")) == 9
    assert daemons.ended(daemons.ask(steps=1)) == "succeeded"
    assert "0 runs under way" in str(wait_until(lambda: daemon.ready()))


@pytest.mark.parametrize(
    "row",
    [
        "insert into job_runs (job, progress) values ('drill', 'null')",
        "insert into job_runs (job, attempt) values ('drill', 2147483647)",
        "insert into job_runs (job, slot) values ('drill', '-infinity')",
        "insert into job_runs (job, fence) values ('drill', 9223372036854775807)",
        "update job_schedules set scheduled_until = 'infinity'",
        "update job_schedules set cron = repeat('9', 5000) || ' * * * *'",
    ],
)
def test_rows_that_would_stop_everything_are_refused(
    project: Project, daemons: Fleet, row: str
) -> None:
    daemons.started()
    with pytest.raises(psycopg.errors.CheckViolation):
        project.run(row)
    project.run("update job_schedules set cron = repeat('9', 150) || ' * * * *'")
    assert daemons.ended(daemons.ask(steps=1)) == "succeeded"
