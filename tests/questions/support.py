"""Students who ask, mentors who answer; each call is a transaction of its own, as over the API."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from uuid import UUID

import psycopg
import pytest

from tests.project import Project


class Refused(Exception):
    """The SQLSTATE of an error."""


class People:
    """People who are signed up once, and call verbs."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.auth_users: dict[UUID, UUID] = {}

    def mentor(self, email: str, *expertise: str) -> UUID:
        person = self.project.mentor(email)
        words = json.dumps(expertise)
        self.project.run(
            f"update mentors set expertise = '{words}' where person_id = '{person}'",
            f"update users set full_name = '{email.split('@')[0]}' where id = '{person}'",
        )
        return person

    def crowd(self, number: int) -> list[UUID]:
        """So many mentors, who have signed up."""
        self.project.run(
            f"""with p as (
              insert into users (email, role) select 'crowd' || n || '@example.org', 'mentor'
              from generate_series(1, {number}) as n returning id
            ) insert into mentors (person_id, is_approved) select id, true from p""",
            """insert into auth.users (instance_id, id, email, email_confirmed_at)
            select '00000000-0000-0000-0000-000000000000', gen_random_uuid(), email, now()
            from users where email like 'crowd%'""",
        )
        query = "select id, auth_user_id from users where email like 'crowd%'"
        made: dict[UUID, UUID] = dict(self.project.rows(query))
        self.auth_users.update(made)
        return list(made)

    def student(self, email: str = "student@example.org") -> UUID:
        return self.project.person(email)

    def call(self, person: UUID, query: str, *params: Any) -> Any:
        """The only value of the only row that a person gets by a query; raises Refused."""
        rows = self.rows(person, query, *params)
        return rows[0][0] if rows else None

    def rows(self, person: UUID, query: str, *params: Any) -> list[tuple[Any, ...]]:
        if person not in self.auth_users:
            self.auth_users[person] = self.project.sign_up(person)
        claims = json.dumps({"role": "authenticated", "sub": str(self.auth_users[person])})
        with psycopg.connect(self.project.authenticator_dsn) as connection:
            connection.execute(
                b"select set_config('role', 'authenticated', true),"
                b" set_config('request.jwt.claims', %s, true)",
                [claims],
            )
            try:
                return connection.execute(query.encode(), params or None).fetchall()
            except psycopg.Error as error:
                raise Refused(error.sqlstate) from error

    def question(self, student: UUID, *topics: str, title: str = "How do I start?") -> UUID:
        ask = "select (post_question(%s, 'Please tell.', %s)).id"
        return UUID(str(self.call(student, ask, title, list(topics))))

    def claim(self, mentor: UUID, question: UUID) -> Any:
        return self.call(mentor, "select (claim_question(%s)).claimed_by", question)

    def answer(self, mentor: UUID, question: UUID) -> Any:
        query = "select (complete_question(%s, 'Like this.')).status"
        return self.call(mentor, query, question)

    def rate(self, student: UUID, question: UUID, rating: int | None = 5) -> Any:
        return self.call(student, "select (rate_question(%s, %s)).rating", question, rating)

    def refused(self, person: UUID, query: str, *params: Any) -> str:
        """With which SQLSTATE."""
        with pytest.raises(Refused) as caught:
            self.call(person, query, *params)
        return str(caught.value)

    def at_once(self, mentors: list[UUID], question: UUID) -> list[Any]:
        """What each gets who claims the question at the same moment."""
        start = Barrier(len(mentors))

        def claim(mentor: UUID) -> Any:
            start.wait(30)
            try:
                return self.claim(mentor, question)
            except Refused as error:
                return str(error)

        with ThreadPoolExecutor(len(mentors)) as pool:
            return list(pool.map(claim, mentors))


def status(project: Project, question: UUID) -> Any:
    return project.one("select status from quick_questions where id = %s", question)


def told(project: Project, person: UUID) -> list[str]:
    """Which notifications a person has, the oldest first."""
    query = "select type from notifications where user_id = %s order by created_at"
    return [kind for (kind,) in project.rows(query, person)]


def asked(project: Project, question: UUID) -> dict[str, str]:
    """Who got a mail about the question, and what became of it."""
    query = """select u.email, m.status
      from message_outbox as m join users as u on u.id = m.recipient
      where m.kind = 'quick_question' and m.about = 'question:' || %s"""
    return dict(project.rows(query, question))


def match(project: Project, mentor: UUID, student: UUID, **values: Any) -> UUID:
    row = {"mentor_id": mentor, "student_id": student, **values}
    columns = psycopg.sql.SQL(", ").join(map(psycopg.sql.Identifier, row))
    places = psycopg.sql.SQL(", ").join([psycopg.sql.Placeholder()] * len(row))
    with psycopg.connect(project.dsn) as connection:
        query = psycopg.sql.SQL("insert into matches ({}) values ({}) returning id")
        found = connection.execute(query.format(columns, places), list(row.values())).fetchone()
    assert found
    return UUID(str(found[0]))
