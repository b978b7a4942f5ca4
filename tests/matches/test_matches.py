"""Matches: how they begin and end, and what follows them."""

from __future__ import annotations

import pytest

from tests.matches.support import (
    disagreeing,
    fails,
    mails,
    match,
    mentor,
    mentor_of,
    steps,
    student,
    students,
)
from tests.matches.test_requests import ask, offer
from tests.people import as_admin, as_person
from tests.project import Project


def test_a_match_by_hand_answers_the_request_and_tells_both(project: Project) -> None:
    one, ann, bob = student(project), mentor(project), mentor(project, "bob")
    with as_person(project, one) as session:
        request = ask(session, goals=["law"])
        session.connection.commit()
    offer(project, request, [ann, bob])
    made = match(project, one, ann)
    row = "select request_id, goals, role, status from matches where id = %s"
    assert project.rows(row, made) == [(request, ["law"], "primary", "active")]
    assert dict(project.rows("select mentor_id, status from match_offers")) == {
        ann: "accepted", bob: "withdrawn",
    }  # fmt: skip
    assert project.rows("select status, selected_by from match_batches") == [("accepted", ann)]
    assert project.one("select status from mentorship_requests") == "matched"
    assert mails(project) == {
        ("match_confirmed", one), ("match_confirmed", ann), ("new_student", ann),
    }  # fmt: skip
    assert (mentor_of(project, one), disagreeing(project)) == (ann, [])


def test_a_mentor_who_chose_the_student_is_told_once(project: Project) -> None:
    one, ann = student(project), mentor(project)
    begin = "select private.begin_match(%s, %s, 'primary', null, '{}', 80, '{}', %s, null)"
    project.rows(begin, one, ann, ann)
    assert mails(project) == {("match_confirmed", one), ("match_confirmed", ann)}
    data = project.one("select data from message_outbox where recipient = %s", one)
    assert (data["other_email"], data["other_role"]) == ("mentor@example.org", "mentor")


def test_a_request_that_is_not_open_is_answered_by_nobody(project: Project) -> None:
    one, two, ann = student(project), student(project, "two"), mentor(project)
    with as_person(project, one) as session:
        request = ask(session)
        session.connection.commit()
    begin = "select private.begin_match(%s, %s, 'primary', %s, null, null, null, null, null)"
    with fails("MS011"):
        project.rows(begin, two, ann, request)
    project.rows("select cancel_request(%s)", request)
    with fails("MS024"):
        project.rows(begin, one, ann, request)
    project.run("update mentorship_requests set status = 'matched'")
    with fails("MS020"):
        project.rows(begin, one, ann, request)
    assert project.rows("select from matches") == []


def test_one_mentor_beside_substitutes_and_peers(project: Project) -> None:
    one, peer = student(project), student(project, "peer")
    ann, bob = mentor(project, capacity=1), mentor(project, "bob", capacity=1)
    match(project, one, ann)
    for again in (ann, bob):
        with fails("MS020"):
            match(project, one, again)
    match(project, one, bob, "substitute")
    match(project, one, peer, "peer")
    with fails("MS020"):
        match(project, one, peer, "peer")
    with fails("MS021"):
        match(project, peer, bob, "substitute")
    assert mentor_of(project, one) == ann
    assert disagreeing(project) == []


def test_who_cannot_be_a_mentor_is_refused_whoever_writes(project: Project) -> None:
    one, ann, bob = student(project), mentor(project, capacity=1), mentor(project, "bob")
    project.run(
        f"insert into blocked_pairs (student_id, mentor_id) values ('{one}', '{ann}')",
        f"update users set status = 'Inactive' where id = '{bob}'",
    )
    system = project.person("system@example.org", "system")
    for wrong, rule in (
        (one, "oneself"), (ann, "blocked"), (bob, "inactive"), (system, "not_a_mentor"),
        (student(project, "two"), "not_a_mentor"),
    ):  # fmt: skip
        with fails("MS022", rule):
            match(project, one, wrong)
    first, second = students(project, 2)
    match(project, first, ann)
    with fails("MS021"):
        project.run(f"insert into matches (student_id, mentor_id) values ('{second}', '{ann}')")
    assert disagreeing(project) == []


def test_a_pause_keeps_the_seat_and_an_end_frees_it(project: Project) -> None:
    (one, two), ann = students(project, 2), mentor(project, capacity=1)
    made = match(project, one, ann)
    project.rows("select pause_match(%s, 'Abroad')", made)
    with fails("MS021"):
        match(project, two, ann)
    with fails("MS027"):
        project.rows("select pause_match(%s)", made)
    assert mentor_of(project, one) == ann
    project.rows("select resume_match(%s)", made)
    project.rows("select dissolve_match(%s, 'Moved')", made)
    with fails("MS027"):
        project.rows("select complete_match(%s)", made)
    match(project, two, ann)
    assert [step[:2] for step in steps(project, made)] == [
        ("active", None), ("paused", "Abroad"), ("active", None), ("dissolved", "Moved"),
    ]  # fmt: skip
    assert (mentor_of(project, one), disagreeing(project)) == (None, [])


def test_the_end_takes_back_mails_and_tells_the_student(project: Project) -> None:
    one, ann = student(project), mentor(project)
    made = match(project, one, ann)
    survey = "select queue_message('feedback_survey', %s, 'match:' || %s::text || ':survey:1')"
    project.rows(survey, one, made)
    project.rows("select dissolve_match(%s)", made)
    assert mails(project) == {("mentor_changed", one)}
    assert len(mails(project, "superseded")) == 4


def test_edits_in_the_dashboard_are_counted_and_noted(project: Project) -> None:
    (one, two, three), ann, bob = students(project, 3), mentor(project), mentor(project, "bob")
    for person in (one, two, three):
        match(project, person, ann)
    project.run(
        f"update matches set status = 'completed', ended_at = now(), end_reason = 'By hand'"
        f" where student_id = '{one}'",
        f"update matches set mentor_id = '{bob}' where student_id = '{two}'",
        f"delete from matches where student_id = '{three}'",
    )
    assert [mentor_of(project, person) for person in (one, two, three)] == [None, bob, None]
    assert disagreeing(project) == []
    assert project.rows("select reason from match_events where new_status = 'completed'") == [
        ("By hand",)
    ]


@pytest.mark.parametrize("gone", ["mentor", "student"])
def test_people_can_be_deleted(project: Project, gone: str) -> None:
    (one, two), ann = students(project, 2), mentor(project)
    match(project, one, ann)
    match(project, two, ann)
    project.rows("delete from users where id = %s returning id", ann if gone == "mentor" else one)
    left = 0 if gone == "mentor" else 1
    assert project.one("select count(*) from matches") == left
    assert project.one("select count(*) from users where mentor_id is not null") == left
    assert disagreeing(project) == []


def test_steps_tell_who_did_them(project: Project) -> None:
    one, ann = student(project), mentor(project)
    with as_admin(project) as admin:
        made = admin.one("select id from create_manual_match(%s, %s, p_reason => 'Met')", one, ann)
        me = admin.one("select private.current_user_id()")
        admin.connection.commit()
    with as_person(project, ann) as session:
        session.rows("select complete_match(%s, 'All done')", made)
        assert session.one("select count(*) from match_events") == 2
        session.connection.commit()
    assert steps(project, made) == [("active", "Met", me), ("completed", "All done", ann)]


def test_who_did_not_end_it_is_told_in_the_application(project: Project) -> None:
    one, ann, bob = student(project), mentor(project), mentor(project, "bob")
    told = "select user_id, type, title from notifications order by created_at"
    left = ("student_left", "student@example.org is not your student any more")
    match(project, one, ann)
    project.run(f"update users set mentor_id = '{bob}' where id = '{one}'")
    assert project.rows(told) == [(ann, *left)]
    project.run("delete from notifications", f"select assign_student('{one}', null)")
    assert project.rows(told) == [(bob, *left)]
    made = match(project, one, ann)
    project.run("delete from notifications", f"select dissolve_match('{made}')")
    assert project.rows(told) == [(ann, *left)]
    made = match(project, one, bob)
    project.run("delete from notifications")
    with as_person(project, bob) as session:
        session.rows("select complete_match(%s)", made)
        session.connection.commit()
    assert project.rows(told) == [(one, "mentor_left", "Bob is not your mentor any more")]
