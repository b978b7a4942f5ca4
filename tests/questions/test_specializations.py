"""Mentors say what they are good at; an admin says what of it was checked."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from tests.people import as_admin, as_anon, as_service, as_student
from tests.project import Project
from tests.questions.support import People, match

ADD = """insert into mentor_specializations (mentor_id, specialization, proficiency_level)
values (%s, %s, %s) returning id"""
FIND = "select specialization, proficiency_level, verified from get_specializations(%s)"
VERIFY = "select (verify_specialization(%s)).verified"


@pytest.fixture
def entry(people: People) -> tuple[UUID, UUID]:
    """A mentor, and what they are good at."""
    mentor = people.mentor("m@example.org")
    return mentor, people.call(mentor, ADD, mentor, "Python", 4)


def test_mentors_write_their_own_and_never_that_it_is_verified(
    project: Project, people: People, entry: tuple[UUID, UUID]
) -> None:
    mentor, made = entry
    other, student = people.mentor("o@example.org"), people.student()
    for who, whose in ((other, mentor), (mentor, other), (student, student)):
        assert people.refused(who, ADD, whose, "Law", 1) == "42501"
    verified = "update mentor_specializations set verified = true returning id"
    assert people.refused(mentor, verified) == "42501"
    assert people.refused(mentor, ADD, mentor, "Law", 6) == "23514"
    change = "update mentor_specializations set proficiency_level = 5 where id = %s returning id"
    assert people.rows(other, change, made) == []
    assert people.call(mentor, change, made) == made
    remove = "delete from mentor_specializations where id = %s returning id"
    assert people.rows(other, remove, made) == []
    assert project.rows("select proficiency_level, verified from mentor_specializations") == [
        (5, False)
    ]
    assert people.call(mentor, remove, made) == made


def test_admins_verify_and_what_is_changed_is_not_verified(
    project: Project, people: People, entry: tuple[UUID, UUID]
) -> None:
    mentor, made = entry
    assert people.refused(mentor, VERIFY, made) == "42501"
    with as_admin(project) as admin:
        assert admin.one(VERIFY, made) is True
        assert admin.one("select (verify_specialization(%s, false)).verified", made) is False
        assert admin.one(VERIFY, made) is True
        admin.connection.commit()
    assert people.rows(mentor, FIND, mentor) == [("Python", 4, True)]
    people.rows(mentor, "update mentor_specializations set proficiency_level = 5 returning id")
    assert people.rows(mentor, FIND, mentor) == [("Python", 5, False)]


def test_signed_in_people_see_those_of_listed_mentors(
    project: Project, people: People, entry: tuple[UUID, UUID]
) -> None:
    mentor, _ = entry
    with as_student(project) as student, as_anon(project) as anybody:
        assert student.rows(FIND, mentor) == [("Python", 4, False)]
        assert student.rows("select from mentor_specializations") == []
        assert anybody.refused(FIND, mentor)
    project.run("update mentors set is_approved = false")
    assert people.rows(people.student("s@example.org"), FIND, mentor) == []
    assert people.rows(mentor, FIND, mentor) == [("Python", 4, False)]
    with as_service(project) as service:
        assert service.rows(FIND, mentor) == [("Python", 4, False)]


def test_the_report_counts_by_specialisation(project: Project, people: People) -> None:
    ann, ben, off = (people.mentor(f"{name}@example.org") for name in ("ann", "ben", "off"))
    named: list[tuple[Any, ...]] = [
        (ann, "Python", 5), (ann, "Law", 2), (ben, "python ", 2), (off, "Python", 1)
    ]  # fmt: skip
    for mentor, what, level in named:
        people.call(mentor, ADD, mentor, what, level)
    project.run(
        "update mentor_specializations set verified = true where proficiency_level = 5",
        f"update mentors set is_active = false where person_id = '{off}'",
        f"update mentors set rating = 5, rating_count = 3 where person_id = '{ann}'",
        f"update mentors set rating = 3, rating_count = 1 where person_id = '{ben}'",
    )
    for n, mentor in enumerate((ann, ann, ben)):
        match(project, mentor, people.student(f"s{n}@example.org"))
    report = """select specialization, mentors, verified, mean_level::text, active_students,
      mean_rating::text from get_specialization_report()"""
    with as_admin(project) as admin:
        found = admin.rows(report)
    assert [(row[0].lower(), *row[1:]) for row in found] == [
        ("python", 2, 1, "3.50", 3, "4.50"),
        ("law", 1, 0, "2.00", 2, "5.00"),
    ]
    assert people.refused(ann, report) == "42501"
