"""A few students who wait and mentors who suit them, and how offers went."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from tests.community import mentor, student
from tests.project import Project

TARGETS = ("match_batches", "match_offers", "mentorship_requests", "message_outbox")
_REQUEST = """
insert into mentorship_requests (student_id, goals, expires_at)
values (%s, %s, now() + interval '90 days') returning id"""
_ANSWER = """
update match_offers as o
set status = case when o.rank = 1 then 'accepted' else 'declined' end, answered_at = now()
returning o.id"""


def request(project: Project, person: UUID, *goals: str) -> UUID:
    """The student looks for a mentor."""
    made = UUID(str(project.one(_REQUEST, person, list(goals))))
    refreshed(project)
    return made


def refreshed(project: Project) -> None:
    """The terms of all students, as the verbs for requests make them."""
    project.rows(
        "select private.refresh_profiles(array(select student_id from mentorship_requests))"
    )


def waiting(project: Project, email: str = "student@example.org", **profile: Any) -> UUID:
    """A student who has asked for a mentor."""
    person = student(project, email, **profile)
    request(project, person)
    return person


def small(project: Project) -> tuple[UUID, list[UUID]]:
    """One who waits, three who suit: by skills, by goals, and by a little of both."""
    goals = ["Law", "Data science"]
    one = waiting(project, full_name="Ann", skills=["Python", "SQL"], career_goals=goals)
    skilled = mentor(project, "skills@example.org", full_name="Sky", skills=["Python", "SQL"])
    settled = mentor(project, "goals@example.org", full_name="Gus", career_goals=goals)
    mixed = mentor(
        project, "both@example.org", full_name="Bo", skills=["SQL"], career_goals=["Law"]
    )
    return one, [skilled, settled, mixed]


def answered(project: Project) -> None:
    """The first of each three accepts, the others decline."""
    project.rows(_ANSWER)
