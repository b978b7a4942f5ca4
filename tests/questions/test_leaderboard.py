"""The leaderboard: points for what was given, ties, and nothing written that stands already."""

from __future__ import annotations

from uuid import UUID

import pytest

from mentor_sync.runner import FinishedRun, run_now
from tests.people import as_anon, as_student
from tests.project import Api, Project
from tests.questions.support import People, match
from tests.sync.support import settings


def refresh(api: Api) -> FinishedRun:
    """The job, over the API."""
    with api.database() as database:
        return run_now(database, settings(), "refresh_leaderboard", {})


def session(mentor: UUID, student: UUID, status: str, *, is_deleted: bool = False) -> str:
    return f"""insert into mentorship_sessions
      (mentor_id, user_id, session_type, status, is_deleted)
      values ('{mentor}', '{student}', 'CAREER', '{status}', {is_deleted})"""


@pytest.fixture
def mentors(project: Project, people: People) -> list[UUID]:
    """Ann has 3 questions (5, 2, unrated) and 5 points of sessions, Ben a match with a meeting,
    Cid 35 points of sessions, Dan a match that was completed without any."""
    ann, ben, cid, dan = (people.mentor(f"{n}@example.org") for n in ("ann", "ben", "cid", "dan"))
    student = people.student()
    for rating in (5, 2, None):
        question = people.question(student)
        people.claim(ann, question)
        people.answer(ann, question)
        if rating:
            people.rate(student, question, rating)
    people.claim(dan, people.question(student))
    met = match(project, ben, student, status="completed", ended_at="2026-11-01")
    match(project, dan, student, status="completed", ended_at="2026-11-01")
    match(project, dan, student)
    project.run(
        session(ben, student, "COMPLETED"),
        f"update mentorship_sessions set match_id = '{met}'",
        session(ann, student, "COMPLETED"),
        *[session(cid, student, "COMPLETED")] * 7,
        session(cid, student, "CANCELLED"),
        session(dan, student, "COMPLETED", is_deleted=True),
    )
    return [ann, ben, cid, dan]


def test_what_counts_and_who_is_where(project: Project, api: Api, mentors: list[UUID]) -> None:
    assert refresh(api).counts == {"written": 3, "removed": 0, "unchanged": 0}
    with as_student(project, "other@example.org") as student:
        found = student.rows(
            "select name, rank, points, questions_completed, question_rating::text, sessions_held,"
            " matches_completed from get_leaderboard()"
        )
        assert student.rows("select points from get_leaderboard(1)") == [(39,)]
    assert found == [
        ("ann", 1, 39, 3, "3.50", 1, 0),
        ("ben", 2, 35, 0, None, 1, 1),
        ("cid", 2, 35, 0, None, 7, 0),
    ]
    with as_anon(project) as anybody:
        assert anybody.refused("select * from get_leaderboard()")


def test_what_stands_is_not_written_again(project: Project, api: Api, mentors: list[UUID]) -> None:
    query = "select mentor_id, xmin::text, rank, refreshed_at from mentor_leaderboard order by 1"
    refresh(api)
    before = project.rows(query)
    assert refresh(api).counts == {"written": 0, "removed": 0, "unchanged": 3}
    assert project.rows(query) == before
    project.run(f"update mentors set is_active = false where person_id = '{mentors[0]}'")
    with as_student(project, "other@example.org") as student:
        assert len(student.rows("select from get_leaderboard()")) == 2
    assert refresh(api).counts == {"written": 2, "removed": 1, "unchanged": 0}
    assert project.rows("select distinct rank from mentor_leaderboard") == [(1,)]


def test_the_verb_is_for_the_run_s_owner(project: Project, people: People) -> None:
    verb = "select refresh_leaderboard(gen_random_uuid(), 1)"
    assert people.refused(people.student(), verb) == "42501"
    assert people.refused(people.mentor("m@example.org"), verb) == "42501"
    assert project.rows("select from mentor_leaderboard") == []
