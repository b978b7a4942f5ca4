"""Drills 6, 14 and 15: the API or the database goes away under a daemon, and comes back."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from mentor_sync.local.ports import free_port
from mentor_sync.local.postgres import Cluster
from tests.drills.support import Fleet, wait_until
from tests.project import Api, Project
from tests.sync.support import many, without_triggers

MEMBERS = 3000
SYNC = "job = 'sync_mentor_profiles'"
SMALL_CHUNKS = {"MENTOR_SYNC_CHUNK_SIZE": "50"}
slowly = pytest.mark.slow
LENGTHS = [pytest.param(3.0, id="seconds"), pytest.param(60.0, id="a minute", marks=slowly)]


def queued_sync(project: Project) -> str:
    """A sync of many members, as asked for in the dashboard."""
    without_triggers(project)
    many(project, MEMBERS)
    insert = "insert into job_runs (job) values ('sync_mentor_profiles') returning id::text"
    return str(project.one(insert))


def under_way(project: Project) -> bool:
    return bool(100 < project.one("select count(*) from mentors") < MEMBERS - 500)


def ended_like_a_clean_run(project: Project) -> None:
    rows = project.rows(f"select status, counts from job_runs where {SYNC}")
    assert rows == [("succeeded", {"created": MEMBERS})]
    assert project.one("select count(*) from mentors") == MEMBERS
    assert project.one("select count(distinct member_id) from users") == MEMBERS


def ended(project: Project) -> bool:
    return bool(project.rows(f"select from job_runs where {SYNC} and finished_at is not null"))


@contextmanager
def without_postgrest(api: Api) -> Iterator[None]:
    api.postgrest.stop()
    yield
    api.postgrest.start()


@contextmanager
def without_postgres(project: Project, cluster: Cluster) -> Iterator[None]:
    project.close()
    cluster.stop()
    yield
    cluster.start()


@pytest.mark.parametrize("seconds", LENGTHS)
def test_a_sync_goes_on_when_postgrest_is_back(
    project: Project, api: Api, daemons: Fleet, seconds: float
) -> None:
    daemon = daemons.started(**SMALL_CHUNKS)
    queued_sync(project)
    wait_until(lambda: under_way(project))
    with without_postgrest(api):
        wait_until(lambda: not daemon.ready()["ok"], 10)
        time.sleep(seconds)
    wait_until(lambda: ended(project), 120)
    ended_like_a_clean_run(project)
    wait_until(lambda: daemon.ready()["ok"], 20)


@pytest.mark.parametrize("seconds", LENGTHS)
def test_a_sync_goes_on_when_postgresql_is_back(
    project: Project, cluster: Cluster, daemons: Fleet, seconds: float
) -> None:
    daemon = daemons.started(**SMALL_CHUNKS)
    queued_sync(project)
    wait_until(lambda: under_way(project))
    with without_postgres(project, cluster):
        wait_until(lambda: not daemon.ready()["ok"], 10)
        time.sleep(seconds)
    wait_until(lambda: ended(project), 120)
    ended_like_a_clean_run(project)
    wait_until(lambda: daemon.ready()["ok"], 20)


def test_all_connections_cut_are_one_retry(project: Project, daemons: Fleet) -> None:
    daemons.started(**SMALL_CHUNKS)
    queued_sync(project)
    wait_until(lambda: under_way(project))
    with psycopg.connect(project.superuser_dsn) as operator:
        operator.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where usename = 'authenticator' and datname = current_database()"
        )
    wait_until(lambda: ended(project))
    ended_like_a_clean_run(project)
    assert project.one(f"select attempt from job_runs where {SYNC}") == 1


def test_a_daemon_waits_for_an_api_that_is_not_up_yet(project: Project, daemons: Fleet) -> None:
    daemon = daemons.start(f"http://127.0.0.1:{free_port()}")
    wait_until(lambda: daemon.events("waiting for the Data API"))
    assert daemon.process.poll() is None
    assert not daemon.ready()["ok"]
    assert daemon.stop() == 0


def test_two_daemons_share_an_outage(project: Project, api: Api, daemons: Fleet) -> None:
    daemons.started(), daemons.started()
    runs = [daemons.ask(steps=10, pause=0.1) for _ in range(8)]
    wait_until(lambda: daemons.steps(runs[0]) > 2)
    back = threading.Timer(4, api.postgrest.start)
    api.postgrest.stop()
    back.start()
    assert {daemons.ended(run) for run in runs} == {"succeeded"}
    assert {daemons.steps(run) for run in runs} == {10}
    back.join()
