"""What admins see of all: the matches, as rows and as a file, and the programme in numbers."""

from __future__ import annotations

import csv
from typing import Any
from uuid import UUID

import pytest

from tests.people import as_admin, as_anon, as_service
from tests.project import Api, Project
from tests.questions.support import People, match

FIND = "select id from get_all_matches({})"
STATS = "select get_dashboard_stats()"


@pytest.fixture
def world(project: Project, people: People) -> dict[str, UUID]:
    """Ann has an active match at risk and a completed one, Ben a paused one as a substitute."""
    ann, ben = people.mentor("ann@example.org"), people.mentor("ben@example.org")
    kim, lee = people.student("kim@example.org"), people.student("lee@example.org")
    risk = match(project, ann, kim, health_status="at_risk", health_score=30, score=81.5)
    done = match(
        project, ann, lee, status="completed", started_at="2026-01-01", ended_at="2026-02-01"
    )
    away = match(project, ben, lee, role="substitute", status="paused", started_at="2026-03-01")
    for status in ("COMPLETED", "COMPLETED", "CANCELLED"):
        project.run(
            f"""insert into mentorship_sessions (mentor_id, user_id, session_type, status, match_id)
            values ('{ann}', '{kim}', 'CAREER', '{status}', '{risk}')"""
        )
    return {"ann": ann, "kim": kim, "lee": lee, "risk": risk, "done": done, "away": away}


def test_admins_find_matches(project: Project, world: dict[str, UUID]) -> None:
    risk, done, away = world["risk"], world["done"], world["away"]
    expected = {
        "": [risk, away, done],
        "p_status => 'paused'": [away],
        "p_health => 'at_risk'": [risk],
        "p_role => 'primary'": [risk, done],
        "p_search => 'LEE@'": [away, done],
        "p_search => '%'": [],
        f"p_mentor_id => '{world['ann']}', p_status => 'active'": [risk],
        f"p_student_id => '{world['lee']}'": [away, done],
    }
    with as_admin(project) as admin:
        found = {asked: [i for (i,) in admin.rows(FIND.format(asked))] for asked in expected}
        assert found == expected
        row = admin.rows(
            "select student_email, mentor_name, score, health_score, meetings"
            " from get_all_matches('active')"
        )
    assert [(row[0][0], row[0][1], float(row[0][2]), *row[0][3:])] == [
        ("kim@example.org", "ann", 81.5, 30, 2)
    ]


def test_nobody_else_sees_all(project: Project, people: People, world: dict[str, UUID]) -> None:
    for who in (world["ann"], world["kim"]):
        assert people.refused(who, FIND.format("")) == "42501"
        assert people.refused(who, STATS) == "42501"
    with as_anon(project) as anybody, as_service(project) as service:
        assert anybody.refused(FIND.format(""))
        assert anybody.refused(STATS)
        assert len(service.rows(FIND.format(""))) == 3
        assert service.one(STATS)["days"] == 30


def test_the_api_pages_and_gives_a_file(api: Api, world: dict[str, UUID]) -> None:
    path = "rpc/get_all_matches?p_search=example&order=started_at.asc&limit=2"
    answer = api.request("GET", path, headers={"Accept": "text/csv", "Prefer": "count=exact"})
    assert answer.headers["content-range"] == "0-1/3"
    rows = list(csv.DictReader(answer.text.splitlines()))
    assert [row["id"] for row in rows] == [str(world["done"]), str(world["away"])]
    assert rows[0]["student_email"] == "lee@example.org"
    path = "rpc/get_all_matches?health_status=eq.at_risk&select=health_status,meetings"
    assert api.request("GET", path).json() == [{"health_status": "at_risk", "meetings": 2}]


def test_an_empty_programme_has_numbers_too(project: Project) -> None:
    with as_admin(project) as admin:
        stats = admin.one(STATS)
    assert stats["offers"]["acceptance_rate"] is None
    assert stats["capacity"] == {"mentors": 0, "declared": 0, "used": 0, "full_mentors": 0}
    assert stats["matches"]["by_status"] == {}


def offers(project: Project, world: dict[str, UUID], people: People) -> None:
    """A request of three days, offered to four mentors; and one that was matched after 10 hours."""
    waiting = people.student("waiting@example.org")
    project.run(
        f"""insert into mentorship_requests (student_id, status, expires_at, created_at)
        values ('{waiting}', 'offered', now(), now() - interval '72 hours')""",
        f"""with r as (
          insert into mentorship_requests (student_id, status, expires_at, created_at)
          values ('{world["kim"]}', 'matched', now(), now() - interval '10 hours') returning id
        ) update matches set request_id = r.id from r where matches.id = '{world["risk"]}'""",
        """insert into match_batches (request_id, student_id, weights_version, input_hash,
          expires_at) select id, student_id, 1, 0, now() from mentorship_requests
          where status = 'offered'""",
    )
    for rank, (units, status) in enumerate(
        [(800_000, "accepted"), (710_000, "declined"), (700_000, "expired"), (900_000, "offered")],
        1,
    ):
        mentor = people.mentor(f"offered{rank}@example.org")
        project.run(
            f"""insert into match_offers (batch_id, request_id, student_id, mentor_id, rank, units,
            confidence, breakdown, status) select id, request_id, student_id, '{mentor}', {rank},
            {units}, 50, '{{}}', '{status}' from match_batches"""
        )


def questions(project: Project, world: dict[str, UUID]) -> None:
    """Asked 40 days ago; taken in time; too late; not yet, and young; never, and old; cancelled."""
    for asked, taken, status, rating in [
        (960, 950, "completed", 1), (100, 90, "completed", 4), (100, 50, "claimed", None),
        (2, None, "open", None), (100, None, "expired", None), (100, None, "cancelled", None),
    ]:  # fmt: skip
        project.run(
            f"""insert into quick_questions (student_id, title, status, created_at,
            first_claimed_at, expires_at, rating, rated_at) values ('{world["kim"]}', 'Q',
            '{status}', now() - interval '{asked} hours',
            now() - interval '{taken or 0} hours' * {1 if taken else "null"}, now(),
            {rating or "null"}, {"now()" if rating else "null"})"""
        )


def test_a_small_world_in_numbers(project: Project, people: People, world: dict[str, UUID]) -> None:
    offers(project, world, people)
    questions(project, world)
    project.run(
        f"update mentors set capacity = 1 where person_id = '{world['ann']}'",
        "update mentors set is_active = false where person_id in (select mentor_id"
        " from match_offers)",
        f"""insert into mentorship_feedback (match_id, author_id, author_role, rating,
        feedback_type, created_at) values
        ('{world["risk"]}', '{world["kim"]}', 'student', 5, 'survey', now()),
        ('{world["risk"]}', '{world["kim"]}', 'student', 2, 'general', now()),
        ('{world["risk"]}', '{world["ann"]}', 'mentor', 3, 'survey', now()),
        ('{world["risk"]}', '{world["ann"]}', 'mentor', 1, 'general', now() - '31 days'::interval)
        """,
    )
    with as_admin(project) as admin:
        stats: dict[str, Any] = admin.one(STATS)
        assert admin.one("select get_dashboard_stats(60)")["questions"]["asked"] == 6
    assert stats["requests"] == {
        "waiting": 1, "longest_wait_hours": 72.0, "mean_wait_hours": 72.0, "made": 2,
        "median_hours_to_match": 10.0,
    }  # fmt: skip
    assert stats["offers"] == {
        "made": 4, "open": 1, "accepted": 1, "declined": 1, "expired": 1, "withdrawn": 0,
        "acceptance_rate": 0.333, "good_score_share": 0.667,
    }  # fmt: skip
    assert stats["matches"] == {
        "by_status": {"active": 1, "completed": 1, "paused": 1}, "at_risk": 1, "started": 1,
        "completed": 0, "dissolved": 0,
    }  # fmt: skip
    assert stats["capacity"] == {"mentors": 2, "declared": 21, "used": 2, "full_mentors": 1}
    assert stats["feedback"] == {
        "given": 3, "mean_rating_by_students": 3.5, "mean_rating_by_mentors": 3.0,
        "surveys_answered": 2, "survey_mails": 0,
    }  # fmt: skip
    assert stats["questions"] == {
        "asked": 5, "open": 1, "claimed": 1, "completed": 1, "expired": 1,
        "claimed_within_day_share": 0.333, "mean_rating": 4.0,
    }  # fmt: skip
