"""Requests: a student asks for a mentor, for themselves and once at a time."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest

from tests.matches.support import as_known, fails, mails, match, mentor, student
from tests.people import (
    as_admin,
    as_anon,
    as_mentor,
    as_person,
    as_service,
    as_stranger,
    as_student,
)
from tests.project import Project, Session

REQUESTS = "select id, student_id, mentor_id, message, goals, status from mentorship_requests"


def ask(session: Session, **values: Any) -> UUID:
    given = ", ".join(f"p_{name} => %s" for name in values)
    bound = [json.dumps(value) if isinstance(value, dict) else value for value in values.values()]
    return UUID(str(session.one(f"select id from request_mentor({given})", *bound)))


def offer(project: Project, request: UUID, mentors: list[UUID]) -> None:
    """What build_match_batches would have done."""
    project.rows(
        """with batch as (
             insert into match_batches
               (request_id, student_id, weights_version, input_hash, expires_at)
             select id, student_id, 1, 0, now() + interval '5 days' from mentorship_requests
             where id = %s returning *
           ), offered as (
             insert into match_offers
               (batch_id, request_id, student_id, mentor_id, rank, units, confidence, breakdown)
             select b.id, b.request_id, b.student_id, m.id, m.place, 500000, 100, '{}'
             from batch as b cross join unnest(%s::uuid[]) with ordinality as m (id, place)
             returning *
           ), told as (
             select queue_message('mentor_recommendation', mentor_id, 'offer:' || id) from offered
           )
           update mentorship_requests as r set status = 'offered' from batch as b
           where r.id = b.request_id returning (select count(*) from told)""",
        request,
        mentors,
    )


def test_a_student_asks_and_asks_again_for_something_else(project: Project) -> None:
    one, ann = student(project), mentor(project)
    with as_person(project, one) as session:
        first = ask(session, message="Hello", goals=["law"], required_languages=["DE ", "de"])
        again = ask(session, message="Rather you", mentor_id=ann, goals=["music"])
        session.connection.commit()
    assert first == again
    assert project.rows(REQUESTS) == [(first, one, ann, "Rather you", ["music"], "open")]
    days = "select round(extract(epoch from expires_at - now()) / 86400) from mentorship_requests"
    assert project.one(days) == 90


def test_goals_of_an_open_request_are_compared_and_then_no_more(project: Project) -> None:
    one = student(project)
    terms = "select count(*) from private.profile_terms where user_id = %s and factor = 1"
    with as_person(project, one) as session:
        request = ask(session, goals=["law"], focus_areas=["music"])
        session.connection.commit()
    assert project.one(terms, one) == 2
    project.rows("select cancel_request(%s)", request)
    assert project.one(terms, one) == 0


@pytest.mark.parametrize(
    "overrides",
    [
        {"languages": ["de"]}, {"skills": "sql"}, {"skills": [1]}, {"channels": ["smoke"]},
        {"skills": ["x"] * 51}, {"industries": [["law"]]},
    ],
)  # fmt: skip
def test_overrides_are_lists_of_the_profile(project: Project, overrides: dict[str, Any]) -> None:
    right = {"industries": ["law"], "skills": [], "channels": ["video"]}
    with as_person(project, student(project)) as session:
        with fails("MS012"), session.connection.transaction():
            ask(session, preference_overrides=overrides)
        ask(session, preference_overrides=right)
        kept = session.one("select preference_overrides from mentorship_requests")
    assert kept == right


def test_who_has_a_mentor_or_asks_nobody_of_use_is_told_so(project: Project) -> None:
    one, ann, bob = student(project), mentor(project), mentor(project, "bob")
    project.run(
        f"insert into blocked_pairs (student_id, mentor_id) values ('{one}', '{bob}')",
    )
    other = project.person("other@example.org")
    with as_person(project, one) as session:
        # Not blocked: that the two are kept apart is for admins to know.
        for wrong, rule in ((one, "oneself"), (other, "not_a_mentor"), (bob, "inactive")):
            with fails("MS022", rule), session.connection.transaction():
                ask(session, mentor_id=wrong)
        why = session.one("select explain_match(%s, %s)", one, bob)
        assert (why["rule"], why["rule_in_words"]) == ("inactive", "The mentor is not active.")
    match(project, one, ann)
    with as_known(project, one) as session, fails("MS020"):
        ask(session)
    assert project.rows(REQUESTS) == []


def test_only_students_with_a_profile_ask(any_project: Project) -> None:
    ask_now = "select request_mentor()"
    for who in (as_anon, as_stranger, as_mentor, as_admin, as_service):
        with who(any_project) as session:
            assert session.refused(ask_now)
    with as_student(any_project) as session, fails("MS026"):
        session.one(ask_now)
    assert any_project.rows(REQUESTS) == []


def test_a_request_is_read_by_its_student_those_offered_it_and_admins(project: Project) -> None:
    one, ann, bob = student(project), mentor(project), mentor(project, "bob")
    with as_person(project, one) as session:
        request = ask(session)
        assert session.rows(REQUESTS)[0][0] == request
        session.connection.commit()
    offer(project, request, [ann])
    for who, count in ((ann, 1), (bob, 0), (student(project, "other"), 0)):
        with as_person(project, who) as session:
            assert len(session.rows("select from mentorship_requests")) == count
            assert session.refused("update mentorship_requests set message = 'x'")
            assert session.refused("insert into mentorship_requests default values")
            assert session.refused("select cancel_request(%s)", request)
    with as_admin(project) as admin:
        assert len(admin.rows("select from mentorship_requests")) == 1


def test_a_cancelled_request_takes_its_offers_along(project: Project) -> None:
    one, two, ann = student(project), student(project, "two"), mentor(project)
    requests = []
    for person in (one, two):
        with as_person(project, person) as session:
            requests.append(ask(session))
            session.connection.commit()
        offer(project, requests[-1], [ann])
    with as_known(project, one) as session:
        assert session.one("select status from cancel_request(%s)", requests[0]) == "cancelled"
        with fails("MS024"):
            session.one("select cancel_request(%s)", requests[0])
    with as_admin(project) as admin:
        assert admin.one("select status from cancel_request(%s)", requests[0]) == "cancelled"
        admin.connection.commit()
    assert project.rows("select id from mentorship_requests where status = 'offered'") == [
        (requests[1],)
    ]
    for table in ("match_batches", "match_offers"):
        left = project.rows(f"select request_id from {table} where status = 'offered'")
        assert left == [(requests[1],)]
    assert mails(project, "superseded") == mails(project) == {("mentor_recommendation", ann)}
    with fails("MS011"):
        project.one("select cancel_request(%s)", one)
