"""Twice in a row, dry, at once, killed, cut off: the end state is that of one clean run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from jobs.sync_mentor_profiles import sync_mentor_profiles
from mentor_sync.errors import MentorSyncError
from tests.project import Api, Project
from tests.sync.support import TARGETS, many, shown, sync, sync_in_sql, without_triggers


def test_the_dry_run_counts_what_the_run_does(project: Project, api: Api) -> None:
    without_triggers(project)
    many(project, 2500)
    project.member("nobody@example.org")
    project.run("alter table mentors add constraint theirs check (bio is null)")
    project.account("poison@example.org")
    project.member("poison@example.org", experience="5 years")
    before = project.contents(*TARGETS)
    dry = sync(api, chunk_size=1000, dry_run=True)
    assert project.contents(*TARGETS) == before
    real = sync(api, chunk_size=1000)
    assert dry.counts == real.counts == {"created": 2500, "no_user": 1, "rejected": 1}


def test_the_second_run_writes_no_row_but_its_own(project: Project, api: Api) -> None:
    without_triggers(project)
    many(project, 1200)
    project.member("")
    sync(api)
    stamp = "select xmin::text, ctid::text from {}"
    before = [project.rows(stamp.format(table)) for table in (*TARGETS, "members", "users_user")]
    assert sync(api).counts == {"exists": 1200, "rejected": 1}
    after = [project.rows(stamp.format(table)) for table in (*TARGETS, "members", "users_user")]
    assert after == before
    assert project.one("select count(*) from job_runs") == 2


def test_more_members_than_the_api_gives_in_one_answer_are_all_seen(
    project: Project, api: Api
) -> None:
    without_triggers(project)
    many(project, 2501)
    assert sync(api, chunk_size=700).counts == {"created": 2501}
    assert project.one("select count(distinct person_id) from mentors") == 2501


def test_four_syncs_at_once_make_each_mentor_once(project: Project, api: Api) -> None:
    without_triggers(project)
    many(project, 2000)
    with ThreadPoolExecutor(4) as pool:
        runs = list(pool.map(lambda _: sync(api, chunk_size=500), range(4)))
    assert sum(run.counts.get("created", 0) for run in runs) == 2000
    assert all(sum(run.counts.values()) == 2000 for run in runs)
    assert project.one("select count(*) from mentors") == 2000
    assert project.one("select count(*) from users") == 2000
    assert project.rows("select * from sync_rejects") == []


def test_members_and_accounts_arriving_at_once_meet(project: Project) -> None:
    def write(statement: str) -> None:
        with psycopg.connect(project.dsn, autocommit=True) as connection:
            for i in range(100):
                connection.execute(statement.encode(), [f"p{i}@example.org"])

    statements = [
        "insert into members (email, name, membershiptype) values (%s, 'P', 'mentor')",
        "insert into users_user (email) values (%s)",
    ]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, statements))
    counts = sync_in_sql(project)
    assert sum(counts.values()) == 100
    assert project.one("select count(*) from mentors") == 100


def test_a_sync_killed_in_the_middle_is_made_good_by_the_next(project: Project, api: Api) -> None:
    without_triggers(project)
    many(project, 6000)
    environment = {
        **os.environ,
        "SUPABASE_URL": api.url,
        "MENTOR_SYNC_CHUNK_SIZE": "200",
        "SUPABASE_SECRET_KEY": api.keys.secret_key,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "mentor_sync", "sync", "--quiet"], env=environment
    )
    wait_for_mentors(project, 400)
    process.send_signal(signal.SIGKILL)
    process.wait()
    counts = sync(api).counts
    assert counts["exists"] >= 400
    assert counts["created"] > 0
    assert counts["created"] + counts["exists"] == 6000
    assert project.rows("select status from job_runs order by created_at")[0] == ("running",)


def test_the_killed_run_is_dead_once_its_lease_is_over(project: Project, api: Api) -> None:
    sync(api)
    project.run(
        "insert into job_runs (job, status, attempt, max_attempts, fence, lease_expires_at)"
        " values ('sync_mentor_profiles', 'running', 1, 1, 1, now() - interval '1 second')"
    )
    sync(api)
    found = project.rows("select status, error->>'code' from job_runs where worker is null")
    assert found == [("dead", "lease_expired")]


def test_postgrest_stopped_in_the_middle_and_back_again(project: Project, api: Api) -> None:
    without_triggers(project)
    many(project, 6000)

    def outage() -> None:
        wait_for_mentors(project, 400)
        api.postgrest.stop()
        time.sleep(1)
        api.postgrest.start()

    saboteur = threading.Thread(target=outage)
    saboteur.start()
    run = sync(api, chunk_size=200)
    saboteur.join()
    assert run.counts == {"created": 6000}
    assert project.one("select count(*) from mentors") == 6000


def test_an_answer_that_is_lost_is_counted_once(project: Project, api: Api) -> None:
    without_triggers(project)
    many(project, 300)
    with api.database() as database:
        database.rpc("register_jobs", {"p_jobs": [sync_mentor_profiles.schedule()]}, expect=int)
        run = database.rpc("enqueue_run", {"p_job": "sync_mentor_profiles"}, expect=dict)
        (claimed,) = database.rpc(
            "claim_runs", {"p_worker": "t", "p_run_id": run["id"]}, expect=list
        )
        call = {"p_run_id": run["id"], "p_fence": claimed["fence"], "p_limit": 100}
        first = database.rpc("sync_mentor_profiles", call, expect=dict)
        assert database.rpc("sync_mentor_profiles", call, expect=dict) == first
    progress = project.one("select progress from job_runs")
    assert (progress["counts"], progress["read"]) == ({"created": 100}, 100)


def test_a_stale_worker_writes_nothing(project: Project, api: Api) -> None:
    without_triggers(project)
    many(project, 10)
    sync_in_sql(project, dry_run=True)
    run = project.one("select id from job_runs")
    with api.database() as database, pytest.raises(MentorSyncError) as caught:
        database.rpc("sync_mentor_profiles", {"p_run_id": str(run), "p_fence": 1}, expect=dict)
    assert caught.value.code == "MS001"
    assert project.one("select count(*) from mentors") == 0


def test_sql_and_job_and_triggers_agree(project: Project, api: Api) -> None:
    many(project, 50)
    by_triggers = shown(project)
    project.run("delete from mentors", "delete from users")
    sync(api, chunk_size=20)
    assert shown(project) == by_triggers


def wait_for_mentors(project: Project, count: int) -> None:
    deadline = time.monotonic() + 60
    while project.one("select count(*) from mentors") < count:
        assert time.monotonic() < deadline, "the sync does not get going"
        time.sleep(0.01)
