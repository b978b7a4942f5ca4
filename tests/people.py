"""The people who act in the tests. Each gives a session that is rolled back in the end."""

from __future__ import annotations

from contextlib import AbstractContextManager
from uuid import UUID

from tests.project import Project, Session, acting


def as_anon(project: Project) -> AbstractContextManager[Session]:
    """Anybody who has the publishable key."""
    return acting(project, "anon")


def as_person(project: Project, person: UUID) -> AbstractContextManager[Session]:
    """A person of `users`, signed in."""
    return acting(project, "authenticated", project.sign_up(person))


def as_mentor(
    project: Project, email: str = "mentor@example.org"
) -> AbstractContextManager[Session]:
    """A new mentor, signed in."""
    return as_person(project, project.mentor(email))


def as_student(
    project: Project, email: str = "student@example.org"
) -> AbstractContextManager[Session]:
    """A new student, signed in."""
    return as_person(project, project.person(email))


def as_admin(project: Project, email: str = "admin@example.org") -> AbstractContextManager[Session]:
    """A new admin, signed in."""
    return as_person(project, project.person(email, "admin"))


def as_stranger(project: Project) -> AbstractContextManager[Session]:
    """Somebody who signed up and is nobody in the programme."""
    return acting(project, "authenticated", project.auth_user("stranger@example.net"))


def as_service(project: Project) -> AbstractContextManager[Session]:
    """The daemon: whoever has the secret key."""
    return acting(project, "service_role")
