"""Students and mentors with profiles, for the tests of matching."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from tests.project import Project

LISTS = ("career_goals", "industries", "research_interests", "skills", "languages", "channels")


def student(project: Project, email: str = "student@example.org", **values: Any) -> UUID:
    """A student with a profile: its columns, and timezone, country and city of the person."""
    return _person(project, email, "student", values)


def mentor(
    project: Project,
    email: str = "mentor@example.org",
    *,
    capacity: int | None = None,
    expertise: tuple[str, ...] = (),
    approved: bool = True,
    teaching_style: str | None = None,
    **values: Any,
) -> UUID:
    """A mentor of the directory, with a profile."""
    person = _person(project, email, "mentor", {})
    insert = """
        insert into mentors (person_id, is_approved, capacity, expertise, teaching_style)
        values (%s, %s, %s, %s, %s)"""
    with psycopg.connect(project.dsn) as connection:
        row = [person, approved, capacity, Jsonb(list(expertise)), teaching_style]
        connection.execute(insert, row)
    _change(project, "users", "id", person, _of_person(values))
    _change(project, "mentorship_profiles", "user_id", person, values)
    return person


def _person(project: Project, email: str, role: str, values: dict[str, Any]) -> UUID:
    person = project.person(email, role)
    _change(project, "users", "id", person, _of_person(values))
    with psycopg.connect(project.dsn) as connection:
        connection.execute(
            b"insert into mentorship_profiles (user_id, role) values (%s, %s)", [person, role]
        )
    _change(project, "mentorship_profiles", "user_id", person, values)
    return person


def _of_person(values: dict[str, Any]) -> dict[str, Any]:
    """Takes out what is kept in users."""
    names = ("timezone", "country", "city", "contact_preference", "full_name")
    return {name: values.pop(name) for name in names if name in values}


def _change(project: Project, table: str, key: str, person: UUID, values: dict[str, Any]) -> None:
    if not values:
        return
    pairs = [sql.SQL("{} = {}").format(sql.Identifier(n), sql.Placeholder()) for n in values]
    statement = sql.SQL("update {} set {} where {} = {}").format(
        sql.Identifier(table), sql.SQL(", ").join(pairs), sql.Identifier(key), sql.Placeholder()
    )
    given = [list(v) if isinstance(v, tuple) else v for v in values.values()]
    with psycopg.connect(project.dsn) as connection:
        connection.execute(statement, [*given, person])


def terms(project: Project, person: UUID) -> dict[str, set[str]]:
    """What matching knows of a person: terms by factor."""
    names = ("goals", "industry", "research", "technical", "location", "communication")
    found = project.rows(
        "select p.factor, t.term from private.profile_terms as p"
        " join match_terms as t on t.id = p.term_id where p.user_id = %s",
        person,
    )
    known: dict[str, set[str]] = {}
    for factor, term in found:
        known.setdefault(names[factor - 1], set()).add(term)
    return known


def score(project: Project, student: UUID, mentor: UUID) -> dict[str, Any]:
    """What calculate_match_score says."""
    found: dict[str, Any] = project.one("select calculate_match_score(%s, %s)", student, mentor)
    return found
