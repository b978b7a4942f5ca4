"""Assignments, and what became of them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from mentor_sync.job import Progress
from mentor_sync.runner import FinishedRun, run_now
from tests.offers.support import plain_settings
from tests.project import Api, Project, Row

JOB = "assign_students"
TABLES = ("matches", "match_events", "mentorship_requests", "message_outbox", "users")


def assign(api: Api, **params: Any) -> tuple[FinishedRun, list[Any]]:
    """The job, over the API, whether it is switched on or not: the run, and its records."""
    chunk_size = params.pop("chunk_size", 20_000)
    records: list[Any] = []

    def watch(progress: Progress) -> None:
        records.extend(progress.records)

    with api.database() as database:
        given = {"force": True, **params}
        run = run_now(database, plain_settings(chunk_size=chunk_size), JOB, given, report=watch)
    return run, records


def pairs(project: Project) -> dict[UUID, UUID]:
    """The mentor of each student."""
    return dict(project.rows("select student_id, mentor_id from matches where status = 'active'"))


def overfull(project: Project) -> list[Row]:
    return project.rows(
        "select person_id from mentors where capacity < (select count(*) from matches as m"
        " where m.mentor_id = person_id and status in ('active', 'paused'))"
    )


def waits(project: Project, student: UUID, days: int) -> None:
    """The student asked so many days ago."""
    project.run(
        f"update mentorship_requests set created_at = now() - interval '{days} days'"
        f" where student_id = '{student}'"
    )
