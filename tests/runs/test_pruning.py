"""Forgetting: runs and change logs past their time go, and nothing else does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.people import as_service
from tests.project import Project, Session

LEFT = "select worker from job_runs order by worker"


@pytest.fixture
def kept(project: Project) -> Iterator[Session]:
    """The daemon; runs of `work` are kept 10 days, those of `other` 90, change logs 30."""
    project.run("insert into job_schedules (job, keep_days) values ('work', 10), ('other', 90)")
    with as_service(project) as session:
        yield session


def ended(
    session: Session, name: str, days: float, job: str = "work", status: str = "failed"
) -> str:
    """A run that ended so many days ago; its name is that of its worker."""
    insert = """insert into job_runs (job, worker, status, created_at, finished_at)
      values (%s, %s, %s, now() - interval '1 year', now() - make_interval(secs => %s * 86400))
      returning id"""
    return str(session.one(insert, job, name, status, days))


def logged(project: Project, run_id: str, days: int) -> None:
    project.run(
        "insert into job_changes (run_id, chunk, relation, row_id, action, after, changed_at)"
        f" values ('{run_id}', 1, 'users', gen_random_uuid(), 'insert', '{{}}',"
        f" now() - interval '{days} days')"
    )


def test_runs_past_their_time_are_deleted_job_by_job(kept: Session) -> None:
    ended(kept, "old", 10.1)
    ended(kept, "young", 9.9)
    ended(kept, "kept longer", 80, "other")
    ended(kept, "old there", 90.1, "other", "succeeded")
    assert kept.one("select prune_runs()") == {"changes": 0, "runs": 2}
    assert kept.rows(LEFT) == [("kept longer",), ("young",)]
    assert kept.one("select prune_runs()") == {"changes": 0, "runs": 0}


def test_a_run_that_has_not_ended_is_kept_however_old(kept: Session) -> None:
    for status in ("queued", "awaiting_approval"):
        kept.rows(
            "insert into job_runs (job, worker, status, created_at) values"
            " ('work', %s, %s, now() - interval '1 year') returning id",
            status,
            status,
        )
    assert kept.one("select prune_runs()")["runs"] == 0
    assert kept.rows(LEFT) == [("awaiting_approval",), ("queued",)]


def test_change_logs_go_before_their_runs(project: Project, kept: Session) -> None:
    old, young = ended(kept, "old", 31, "other"), ended(kept, "young", 1)
    kept.connection.commit()
    for run_id in (old, old, young):
        logged(project, run_id, 31)
    with as_service(project) as daemon:
        assert daemon.one("select prune_runs()") == {"changes": 2, "runs": 0}
        assert daemon.rows("select run_id::text from job_changes") == [(young,)]
        assert daemon.rows(LEFT) == [("old",), ("young",)]


def test_the_changes_of_a_deleted_run_go_with_it(project: Project, kept: Session) -> None:
    gone, left = ended(kept, "gone", 1), ended(kept, "left", 1)
    kept.connection.commit()
    logged(project, gone, 1)
    logged(project, left, 1)
    project.run(f"delete from job_runs where id = '{gone}'")
    assert project.rows("select run_id::text from job_changes") == [(left,)]


def test_how_long_change_logs_are_kept_is_a_setting(project: Project, kept: Session) -> None:
    run_id = ended(kept, "old", 40)
    kept.connection.commit()
    logged(project, run_id, 31)
    project.run("update program_settings set value = '60' where key = 'change_log_days'")
    with as_service(project) as daemon:
        assert daemon.one("select prune_runs()") == {"changes": 0, "runs": 0}
    project.run("update program_settings set value = '30' where key = 'change_log_days'")
    with as_service(project) as daemon:
        assert daemon.one("select prune_runs()") == {"changes": 1, "runs": 1}


def test_the_alerts_of_a_run_go_with_it_and_no_others(project: Project, kept: Session) -> None:
    old, young = ended(kept, "old", 11), ended(kept, "young", 1)
    kept.connection.commit()
    for run_id in (f"'{old}'", f"'{young}'", "null"):
        project.run(
            "insert into job_alerts (kind, job, run_id, message)"
            f" values ('dead', 'work', {run_id}, 'x')"
        )
    with as_service(project) as daemon:
        assert daemon.one("select prune_runs()")["runs"] == 1
        assert sorted(
            map(str, *zip(*daemon.rows("select run_id from job_alerts"), strict=True))
        ) == (sorted([young, "None"]))


def test_it_takes_so_many_at_a_time(project: Project, kept: Session) -> None:
    for name in "abcde":
        ended(kept, name, 20 + ord(name))
    assert kept.one("select prune_runs(2)")["runs"] == 2
    assert kept.rows(LEFT) == [("a",), ("b",), ("c",)]
    assert kept.one("select prune_runs(2)")["runs"] == 2
    assert kept.one("select prune_runs(2)")["runs"] == 1
    assert kept.one("select prune_runs(2)") == {"changes": 0, "runs": 0}
