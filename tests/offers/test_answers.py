"""Mentors accept and decline; the first to accept has the student."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import psycopg
import pytest

from tests.offers.support import answer, as_one, job, mentors, offers, students
from tests.people import as_admin, as_anon
from tests.project import Api, Project

MAILS = "select status, count(*) from message_outbox where kind = %s group by 1 order by 1"


@pytest.fixture
def three(project: Project, api: Api) -> list[tuple[UUID, UUID]]:
    """A student offered to three mentors: the mentors and the offers, the best first."""
    mentors(project, 3, "Python")
    students(project, 1, "Python")
    job(api)
    return [(row[0], row[1]) for row in offers(project, "mentor_id", "id")]


def test_the_first_to_accept_has_the_student(
    project: Project, three: list[tuple[UUID, UUID]]
) -> None:
    (first, offer), (second, other), (third, last) = three
    assert answer(project, second, "select_student", other) == "ok"
    assert answer(project, first, "select_student", offer) == "MS020"
    assert answer(project, third, "decline_offer", last) == "MS020"
    assert [row[3] for row in offers(project)] == ["withdrawn", "accepted", "withdrawn"]
    assert project.rows("select mentor_id, role, status, goals from matches") == [
        (second, "primary", "active", [])
    ]
    assert project.one("select mentor_id from users where role = 'student'") == second
    assert project.rows("select status, selected_by from match_batches") == [("accepted", second)]
    assert project.one("select status from mentorship_requests") == "matched"
    assert project.rows(MAILS, "mentor_recommendation") == [("superseded", 3)]


def test_accepting_twice_is_accepting_once(
    project: Project, three: list[tuple[UUID, UUID]]
) -> None:
    mentor, offer = three[0]
    with as_one(project, mentor) as session:
        first = session.one("select id from select_student(%s)", offer)
        assert session.one("select id from select_student(%s)", offer) == first
    assert project.rows("select * from matches") == []


def test_an_offer_to_somebody_else_is_none(
    project: Project, three: list[tuple[UUID, UUID]]
) -> None:
    before = project.contents("match_offers", "matches", "mentorship_requests")
    student = project.one("select id from users where role = 'student'")
    for person in (three[1][0], student):
        assert answer(project, person, "select_student", three[0][1]) == "MS023"
        assert answer(project, person, "decline_offer", three[0][1]) == "MS023"
    with as_anon(project) as anon:
        assert anon.refused("select select_student(gen_random_uuid())")
    assert project.contents("match_offers", "matches", "mentorship_requests") == before


def test_a_mentor_without_a_seat_accepts_nobody(
    project: Project, three: list[tuple[UUID, UUID]]
) -> None:
    (full, offer), (free, other), _ = three
    project.run(f"update mentors set capacity = 0 where person_id = '{full}'")
    assert answer(project, full, "select_student", offer) == "MS021"
    assert [row[3] for row in offers(project)] == ["offered"] * 3
    assert answer(project, free, "select_student", other) == "ok"


def test_an_offer_whose_time_is_over_is_not_accepted(
    project: Project, three: list[tuple[UUID, UUID]]
) -> None:
    project.run("update match_batches set expires_at = now()")
    assert {answer(project, mentor, "select_student", offer) for mentor, offer in three} == {
        "MS023"
    }
    assert project.rows("select * from matches") == []


def test_when_all_decline_the_next_three_are_asked(
    project: Project, api: Api, three: list[tuple[UUID, UUID]]
) -> None:
    mentors(project, 4, "Python", start=4)
    for mentor, offer in three[:2]:
        assert answer(project, mentor, "decline_offer", offer, "No time") == "ok"
        assert answer(project, mentor, "decline_offer", offer) == "ok"
    assert project.one("select status from mentorship_requests") == "offered"
    assert job(api).counts["waiting"] == 0
    assert answer(project, *three[2][:1], "decline_offer", three[2][1]) == "ok"
    assert project.rows("select status from match_batches") == [("exhausted",)]
    assert project.one("select status from mentorship_requests") == "open"
    assert job(api).counts["offers"] == 3
    found = offers(project, "mentor_id", "number")
    assert len({mentor for mentor, _ in found}) == 6
    assert [number for _, number in found] == [1, 1, 1, 2, 2, 2]
    assert project.rows(MAILS, "mentor_recommendation") == [("queued", 3), ("superseded", 3)]


def test_each_sees_what_is_theirs(project: Project, three: list[tuple[UUID, UUID]]) -> None:
    ours = students(project, 1, "Python", start=2)[0]
    student = project.one("select student_id from match_batches")
    (mentor, offer), *_ = three
    answer(project, three[2][0], "decline_offer", three[2][1], "Not my field")
    with as_one(project, student) as me:
        found = me.rows("select side, person_name, rank, status from get_match_batch()")
        assert [row[:1] + row[2:] for row in found] == [
            ("student", 1, "offered"),
            ("student", 2, "offered"),
            ("student", 3, "declined"),
        ]
        assert len(me.rows("select from match_offers")) == 3
        assert len(me.rows("select from match_batches")) == 1
        assert me.rows("select * from decline_reasons") == []
        assert me.refused("update match_offers set status = 'accepted'")
    with as_one(project, mentor) as session:
        assert session.rows(
            "select side, person_name, message, offer_id, rank, score from get_match_batch()"
        ) == [("mentor", "Student 1", "I am student1", offer, None, 100)]
        assert session.rows("select id from match_offers") == [(offer,)]
        assert session.refused("select rank from match_offers")
        assert session.refused("select batch_id from match_offers")
        assert session.rows("select * from match_batches") == []
        assert session.one("select private.offered_people()") == [student]
        assert session.rows("select * from decline_reasons") == []
    with as_one(project, mentor) as session:
        decline = "select status, rank, batch_id from decline_offer(%s)"
        assert session.rows(decline, offer) == [("declined", None, None)]
        assert session.rows(decline, offer) == [("declined", None, None)]
    with as_one(project, three[2][0]) as declined:
        assert declined.rows("select * from get_match_batch()") == []
        assert declined.rows("select reason from decline_reasons") == [("Not my field",)]
        assert declined.one("select private.offered_people()") == []
    with as_one(project, ours) as other:
        assert other.rows("select * from get_match_batch()") == []
        assert other.rows("select from match_offers") == []
    with as_admin(project) as admin:
        assert len(admin.rows("select from match_offers")) == 3
        assert admin.rows("select reason from decline_reasons") == [("Not my field",)]
        assert admin.refused("select save_match_batches(gen_random_uuid(), 1, '[]', 1)")
        assert admin.refused("select requests_to_match()")
    with as_anon(project) as anon:
        assert anon.refused("select from match_offers")
        assert anon.refused("select get_match_batch()")


def test_accepting_once_more_does_not_tell_of_the_health(
    project: Project, three: list[tuple[UUID, UUID]]
) -> None:
    mentor, offer = three[0]
    assert answer(project, mentor, "select_student", offer) == "ok"
    project.run(
        "update matches set health_score = 9, health_status = 'at_risk', at_risk_since = now(),"
        " health_reasons = '[\"they rated it 1 of 5\"]', health_checked_at = now()"
    )
    with as_one(project, mentor) as session:
        assert session.refused("select health_score from matches")
        told = session.rows(
            "select status, health_score, health_status, health_reasons, health_checked_at,"
            " at_risk_since from select_student(%s)",
            offer,
        )
    assert told == [("active", None, None, None, None, None)]


@pytest.mark.parametrize("change", ["is_approved = false", "is_active = false"])
def test_who_is_no_mentor_of_the_directory_any_more_accepts_nobody(
    project: Project, three: list[tuple[UUID, UUID]], change: str
) -> None:
    (gone, offer), (listed, other), _ = three
    project.run(f"update mentors set {change} where person_id = '{gone}'")
    assert answer(project, gone, "select_student", offer) == "MS022"
    assert answer(project, gone, "decline_offer", offer) == "ok"
    assert answer(project, listed, "select_student", other) == "ok"


def test_who_accepts_locks_the_student_before_the_request(
    project: Project, three: list[tuple[UUID, UUID]]
) -> None:
    mentor, offer = three[0]
    waiting = "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
    with ThreadPoolExecutor(1) as pool, psycopg.connect(project.dsn) as edit:
        # As whoever edits users.mentor_id: first the row, and by its trigger the request.
        edit.execute("select from users where role = 'student' for no key update")
        accepted = pool.submit(answer, project, mentor, "select_student", offer)
        while not project.one(waiting):
            pass
        edit.execute("select from mentorship_requests for update nowait")
        edit.commit()
        assert accepted.result() == "ok"


def test_who_is_kept_from_a_student_loses_the_offer(
    project: Project, three: list[tuple[UUID, UUID]]
) -> None:
    (kept, offer), (second, other), (third, last) = three
    block = "insert into blocked_pairs select id, '{}' from users where role = 'student'"
    project.run(block.format(kept))
    assert [row[3] for row in offers(project)] == ["withdrawn", "offered", "offered"]
    with as_one(project, kept) as session:
        for table in ("get_match_batch()", "mentorship_requests"):
            assert session.rows(f"select from {table}") == []
        assert session.rows("select from mentorship_profiles where role = 'student'") == []
    assert answer(project, kept, "select_student", offer) == "MS023"
    assert project.rows(MAILS, "mentor_recommendation") == [("queued", 2), ("superseded", 1)]
    assert answer(project, second, "decline_offer", other) == "ok"
    project.run(block.format(third))
    assert project.one("select status from mentorship_requests") == "open"
    assert answer(project, third, "select_student", last) == "MS023"


def test_a_student_who_left_is_accepted_and_offered_by_nobody(
    project: Project, api: Api, three: list[tuple[UUID, UUID]]
) -> None:
    (mentor, offer), (second, other), _ = three
    (waiting,) = students(project, 1, "Python", start=2)
    project.run("update users set status = 'Inactive' where role = 'student'")
    assert answer(project, mentor, "select_student", offer) == "MS024"
    assert answer(project, second, "decline_offer", other) == "ok"
    assert job(api, student_id=str(waiting)).counts["waiting"] == 0
    assert project.rows("select * from matches") == []
    project.run("update users set status = 'Active' where role = 'student'")
    assert answer(project, mentor, "select_student", offer) == "ok"


def test_a_mentor_who_may_not_accept_is_sent_to_the_other_offers(
    project: Project, three: list[tuple[UUID, UUID]]
) -> None:
    mentor, offer = three[0]
    project.run(
        f"insert into blocked_pairs select id, '{mentor}' from users where role = 'student'",
        f"update match_offers set status = 'offered' where id = '{offer}'",
    )
    with as_one(project, mentor) as session, pytest.raises(psycopg.Error) as caught:
        session.rows("select select_student(%s)", offer)
    told = caught.value.diag
    assert (told.sqlstate, told.message_detail) == ("MS022", "inactive")
    assert "get_match_batch" in str(told.message_hint)
