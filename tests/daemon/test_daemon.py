"""The daemon as a process: schedules, rows from the dashboard, signals, health."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from mentor_sync.local.ports import free_port
from tests.drills.support import Fleet, Replica, fleet, wait_until
from tests.project import Api, Project

SYNC = "sync_mentor_profiles"


@pytest.fixture
def daemon(project: Project, api: Api, tmp_path: Path):  # type: ignore[no-untyped-def]
    with fleet(project, api, tmp_path) as made:
        yield made


def schedule(project: Project, columns: str) -> tuple[object, ...]:
    return project.rows(f"select {columns} from job_schedules where job = '{SYNC}'")[0]


def reloaded(replica: Replica) -> None:
    """It has read the schedules again, without waiting for the next time."""
    before = len(replica.events("reloading"))
    replica.send(signal.SIGHUP)
    wait_until(lambda: len(replica.events("reloading")) > before)


def test_a_daemon_without_a_project_exits_4_at_once(tmp_path: Path) -> None:
    bare = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "mentor_sync", "daemon"],
        env=bare, cwd=tmp_path, capture_output=True, text=True, timeout=20,
    )  # fmt: skip
    assert done.returncode == 4
    assert "SUPABASE_URL is not set" in done.stderr
    assert "--local" in done.stderr


def test_a_wrong_key_exits_4_and_missing_migrations_too(
    empty_database: Project, api: Api, tmp_path: Path
) -> None:
    wrong = Replica(api.url, "sb_secret_" + "0" * 30, tmp_path / "wrong.log")
    assert wrong.process.wait(30) == 4
    assert "The key was refused" in wrong.log.read_text()


def test_a_row_of_the_dashboard_is_run_and_answered(project: Project, daemon: Fleet) -> None:
    daemon.started()
    project.member("ann@example.org")
    project.run(f"insert into job_runs (job) values ('{SYNC}')")
    query = "select status, counts, requested_by from job_runs where finished_at is not null"
    assert wait_until(lambda: project.rows(query)) == [("succeeded", {"no_user": 1}, "postgres")]


def test_parameters_from_the_dashboard_are_checked(project: Project, daemon: Fleet) -> None:
    daemon.started()
    project.run(f"""insert into job_runs (job, params) values ('{SYNC}', '{{"dryrun": true}}')""")
    query = (
        "select status, attempt, error ->> 'message' from job_runs where finished_at is not null"
    )
    ((status, attempt, message),) = wait_until(lambda: project.rows(query))
    assert (status, attempt) == ("failed", 1)
    assert "dryrun" in message
    assert project.rows("select kind from job_alerts") == [("failed",)]


def test_approval_in_the_dashboard_is_enough(project: Project, daemon: Fleet) -> None:
    daemon.started()
    emails = [f"p{n}@example.org" for n in range(15)]
    for email in emails:
        project.mentor(email)
    project.run("alter table members disable trigger user", "update members set is_active = false")
    project.run(f"insert into job_runs (job) values ('{SYNC}')")
    wait_until(lambda: project.rows("select from job_runs where status = 'awaiting_approval'"))
    assert project.one("select count(*) from mentors where is_active") == 15
    project.run("update job_runs set approved = true")
    done = "select counts from job_runs where status = 'succeeded'"
    assert wait_until(lambda: project.rows(done)) == [({"deactivated": 15},)]


def test_a_slot_is_run_and_an_edit_takes_effect(project: Project, daemon: Fleet) -> None:
    replica = daemon.started()
    project.run(f"update job_schedules set cron = '* * * * *' where job = '{SYNC}'")
    reloaded(replica)
    wait_until(lambda: schedule(project, "accepted_cron") == ("* * * * *",))
    project.run(
        f"update job_schedules set scheduled_until = now() - interval '1 hour' where job = '{SYNC}'"
    )
    reloaded(replica)
    done = (
        "select requested_by, slot = date_trunc('minute', slot) from job_runs where counts = '{}'"
    )
    assert wait_until(lambda: project.rows(done))[0] == ("schedule", True)


def test_a_bad_edit_is_told_in_the_row_and_the_old_one_holds(
    project: Project, daemon: Fleet
) -> None:
    replica = daemon.started()
    next_slot = schedule(project, "next_slot_at")
    project.run(f"update job_schedules set timezone = 'Mars/Base' where job = '{SYNC}'")
    reloaded(replica)
    wait_until(lambda: schedule(project, "error") != (None,))
    (error,) = schedule(project, "error")
    assert "'Mars/Base' is no IANA time zone" in str(error)
    assert schedule(project, "next_slot_at") == next_slot
    project.run(f"update job_schedules set timezone = 'Asia/Tokyo' where job = '{SYNC}'")
    reloaded(replica)
    wait_until(lambda: schedule(project, "error") == (None,))
    assert schedule(project, "next_slot_at") != next_slot


def test_a_paused_job_gets_no_slots_but_runs_by_hand(project: Project, daemon: Fleet) -> None:
    replica = daemon.started()
    project.run(
        "update job_schedules set enabled = false, cron = '* * * * *'",
        "update job_schedules set scheduled_until = now() - interval '1 hour'",
    )
    reloaded(replica)
    project.run(f"insert into job_runs (job) values ('{SYNC}')")
    wait_until(lambda: project.rows("select from job_runs where finished_at is not null"))
    assert project.rows("select slot from job_runs") == [(None,)]


def test_a_run_over_its_time_is_given_up(project: Project, daemon: Fleet) -> None:
    daemon.started()
    project.run(
        "insert into job_runs (job, params, timeout_seconds, max_attempts)"
        """ values ('drill', '{"steps": 100, "pause": 0.1}', 1, 1)"""
    )
    query = "select status, error ->> 'code' from job_runs where finished_at is not null"
    assert wait_until(lambda: project.rows(query)) == [("failed", "MS003")]
    assert 0 < project.one("select count(*) from drill_steps") < 100


def test_a_cancelled_run_writes_no_more(project: Project, daemon: Fleet) -> None:
    replica = daemon.started()
    run = daemon.ask(steps=200, pause=0.05)
    wait_until(lambda: daemon.steps(run) > 3)
    project.run("update job_runs set status = 'cancelled'")
    done = daemon.steps(run)
    wait_until(lambda: replica.events("run lost"))
    assert daemon.steps(run) == done
    assert project.rows("select status, finished_at is not null from job_runs") == [
        ("cancelled", True)
    ]


def test_metrics_count_what_happened(project: Project, daemon: Fleet) -> None:
    replica = daemon.started()
    daemon.ended(daemon.ask(steps=1))
    url = replica.events("daemon starting")[0]["health"]
    counted = 'mentor_sync_runs_total{job="drill",outcome="succeeded"} 1.0'
    # The row says that the run ended a moment before the worker counts it.
    wait_until(lambda: counted in httpx.get(f"{url}/metrics", timeout=5).text)
    text = httpx.get(f"{url}/metrics", timeout=5).text
    assert counted in text
    assert 'mentor_sync_api_requests_total{code="200"}' in text
    assert replica.ready()["ok"]


def test_the_health_command_asks_the_daemon(project: Project, daemon: Fleet) -> None:
    port = str(free_port())
    ask = [sys.executable, "-m", "mentor_sync", "health", "--json"]
    environment = {**os.environ, "MENTOR_SYNC_HEALTH_PORT": port}
    nobody = subprocess.run(ask, env=environment, capture_output=True, text=True, timeout=30)
    assert (nobody.returncode, "No daemon answers" in nobody.stderr) == (1, True)
    daemon.started(MENTOR_SYNC_HEALTH_PORT=port)
    well = subprocess.run(ask, env=environment, capture_output=True, text=True, timeout=30)
    assert well.returncode == 0, well.stderr


def test_logs_bind_the_run_and_hold_no_secret(project: Project, api: Api, daemon: Fleet) -> None:
    replica = daemon.started()
    run = daemon.ask(steps=1)
    daemon.ended(run)
    (line,) = wait_until(lambda: replica.events("run finished"))
    assert (line["run_id"], line["job"], line["attempt"], line["slot"]) == (run, "drill", 1, None)
    assert api.keys.secret_key not in replica.log.read_text()
