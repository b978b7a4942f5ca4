"""Drills 7 and 9 to 13: answers that are late, cut, lost or nonsense, on each verb of a run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mentor_sync import job as registry
from mentor_sync.errors import BadAnswer
from mentor_sync.runner import FinishedRun, enqueue, run_now, run_queued
from tests.drills.jobs import DRILL
from tests.drills.proxy import Fault, Proxy, faulty
from tests.drills.support import install_the_drill
from tests.project import Api, Project
from tests.sync.support import many, settings, sync, without_triggers

# Those that lose an answer, or make one up; the others are slower to tell the same.
QUICK = {Fault.RESET_AFTER, Fault.HALF, Fault.GARBAGE_200, Fault.UNAVAILABLE_JSON}
PASSING = [
    fault if fault in QUICK else pytest.param(fault, marks=pytest.mark.slow)
    for fault in Fault
    if fault is not Fault.SLOW
]
VERBS = ["enqueue_run", "claim_runs", "drill_step", "finish_runs"]


@pytest.fixture
def proxy(project: Project, api: Api, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """The wire to the API. The job of the drills is known here too."""
    install_the_drill(project, api)
    monkeypatch.setitem(registry._registry, "drill", DRILL)
    with faulty(api.url) as made:
        yield made


def run_drill(api: Api, proxy: Proxy, steps: int = 4) -> FinishedRun:
    wired = Api(proxy.url, api.postgrest, api.keys)
    with wired.database(timeout=1.0) as database:
        run_id = enqueue(database, "drill", {"steps": steps})
        return run_queued(database, settings(), run_id)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("fault", PASSING)
def test_one_bad_answer_is_no_bad_run(
    project: Project, api: Api, proxy: Proxy, fault: Fault, verb: str
) -> None:
    proxy.inject(fault, path=verb, times=1)
    assert run_drill(api, proxy).status == "succeeded"
    assert proxy.injected == 1
    assert project.one("select count(*) from drill_steps") == 4
    rows = project.rows("select status, attempt, fence, counts from job_runs")
    assert rows == [("succeeded", 1, 1, {"steps": 4})]


@pytest.mark.parametrize("fault", [Fault.STALL_AFTER, Fault.RESET_AFTER, Fault.HALF])
def test_a_chunk_whose_answer_is_lost_is_counted_once(
    project: Project, api: Api, proxy: Proxy, fault: Fault
) -> None:
    without_triggers(project)
    many(project, 300)
    proxy.inject(fault, path="sync_mentor_profiles", times=1, after=1)
    wired = Api(proxy.url, api.postgrest, api.keys)
    with wired.database(timeout=2.0) as database:
        small = settings(chunk_size=100)
        run = run_now(database, small, "sync_mentor_profiles", {})
    assert proxy.injected == 1
    assert run.counts == {"created": 300}
    assert sync(api).counts == {"exists": 300}


@pytest.mark.parametrize("fault", [Fault.GARBAGE_200, Fault.EMPTY_200])
def test_nonsense_for_ever_is_an_error_and_never_no_rows(
    project: Project, api: Api, proxy: Proxy, fault: Fault
) -> None:
    without_triggers(project)
    many(project, 30)
    sync(api)
    proxy.inject(fault, path="sync_mentor_profiles", times=None)
    wired = Api(proxy.url, api.postgrest, api.keys)
    with wired.database(timeout=2.0) as database, pytest.raises(BadAnswer):
        run_now(database, settings(), "sync_mentor_profiles", {})
    assert project.one("select count(*) from mentors where is_active") == 30
    assert project.rows("select status from job_runs order by created_at desc limit 1") == [
        ("failed",)
    ]
