"""Students who wait and mentors who have room, in one statement each, and the jobs."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any
from uuid import UUID

import psycopg

from mentor_sync.runner import FinishedRun, run_now
from mentor_sync.settings import Settings
from tests.project import Api, Project, Session, acting

Row = tuple[Any, ...]

_PEOPLE = """
with person as (
  insert into users (email, full_name, role)
  select {role} || i || '@example.org', initcap({role}) || ' ' || i, {role}
  from generate_series(%s::integer, %s::integer) as i
  returning id, split_part(email, '@', 1) as name
)"""
_MENTORS = (
    _PEOPLE.format(role="'mentor'")
    + """,
directory as (
  insert into mentors (person_id, slug, is_approved, capacity)
  select id, name, true, %s from person
)
insert into mentorship_profiles (user_id, role, skills)
select id, 'mentor', %s from person returning user_id"""
)
_STUDENTS = (
    _PEOPLE.format(role="'student'")
    + """,
profile as (
  insert into mentorship_profiles (user_id, role, skills) select id, 'student', %s from person
)
insert into mentorship_requests (student_id, message, expires_at)
select id, 'I am ' || name, now() + interval '90 days' from person returning student_id"""
)


def mentors(
    project: Project, count: int, *skills: str, capacity: int | None = None, start: int = 1
) -> list[UUID]:
    """So many approved mentors who know these skills."""
    numbers = (start, start + count - 1, capacity, list(skills))
    return [row[0] for row in project.rows(_MENTORS, *numbers)]


def students(project: Project, count: int, *skills: str, start: int = 1) -> list[UUID]:
    """So many students who look for a mentor, and want to learn these skills."""
    return [row[0] for row in project.rows(_STUDENTS, start, start + count - 1, list(skills))]


def plain_settings(**values: Any) -> Settings:
    plain = Settings(_env_file=None)  # type: ignore[call-arg]  # of pydantic
    return plain.model_copy(update=values)


def job(api: Api, name: str = "build_match_batches", **params: Any) -> FinishedRun:
    """A job, over the API."""
    chunk_size = params.pop("chunk_size", 20_000)
    settings = plain_settings(chunk_size=chunk_size)
    with api.database() as database:
        return run_now(database, settings, name, params)


def offers(project: Project, *columns: str) -> list[Row]:
    """Columns of all offers, by request and rank."""
    listed = ", ".join(columns or ("student_id", "mentor_id", "rank", "status"))
    return project.rows(
        f"select {listed} from match_offers as o inner join"
        " (select id as batch, number from match_batches) as b on b.batch = o.batch_id"
        " order by request_id, number, rank"
    )


def as_one(project: Project, person: UUID) -> AbstractContextManager[Session]:
    """A person, signed in; any number of times."""
    known = project.one("select auth_user_id from users where id = %s", person)
    return acting(project, "authenticated", known or project.sign_up(person))


def answer(project: Project, mentor: UUID, verb: str, *given: Any) -> str:
    """A mentor's select_student or decline_offer, for good: ok, or the code of the error."""
    try:
        with as_one(project, mentor) as session:
            places = ", ".join(["%s"] * len(given))
            session.rows(f"select {verb}({places})", *given)
            session.connection.commit()
    except psycopg.Error as error:
        return str(error.sqlstate)
    return "ok"


def later(project: Project, interval: str) -> None:
    """So much time passes for requests and offers."""
    shift = "set {0} = {0} - interval '{1}', created_at = created_at - interval '{1}'"
    project.run(
        f"update mentorship_requests {shift.format('expires_at', interval)}",
        f"update match_batches {shift.format('expires_at', interval)}",
        f"update match_offers set created_at = created_at - interval '{interval}'",
    )
