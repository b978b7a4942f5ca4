"""Pairs of mentor and student, time that passed, and the jobs that look after them."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg

from mentor_sync.runner import FinishedRun, run_now
from tests.project import Api, Project, Session, acting
from tests.sync.support import settings

SURVEYS, HEALTH = "send_feedback_surveys", "check_match_health"


@dataclass(frozen=True)
class Pair:
    """A match and its two sides."""

    project: Project
    match: UUID
    student: UUID
    mentor: UUID

    def met(self, days_ago: float = 0, **values: Any) -> UUID:
        """They met, and it was logged: the meeting."""
        insert = """insert into mentorship_sessions (match_id, mentor_id, user_id, session_type,
            status, completed_at, action_items)
          select id, mentor_id, student_id, 'MENTORSHIP', 'COMPLETED',
            now() - %s * interval '1 day', %s from matches where id = %s returning session_id"""
        items = json.dumps(values.get("items", []))
        return UUID(str(self.project.one(insert, days_ago, items, self.match)))

    def health(self) -> dict[str, Any]:
        """What the score is now: with its parts by name."""
        query = """select score, status, reasons from private.match_health(array[%s::uuid])"""
        ((score, status, reasons),) = self.project.rows(query, self.match)
        return {
            "score": score,
            "status": status,
            "reasons": reasons,
            **{reason["part"]: reason["points"] for reason in reasons},
        }

    def row(self, columns: str) -> tuple[Any, ...]:
        (found,) = self.project.rows(f"select {columns} from matches where id = %s", self.match)
        return found

    def age(self, days: float) -> None:
        """So many days pass for this match."""
        self.project.run(
            f"""update matches set (started_at, last_contact_at, at_risk_since, escalated_at) = (
                started_at - interval '{days} days', last_contact_at - interval '{days} days',
                at_risk_since - interval '{days} days', escalated_at - interval '{days} days'
              ) where id = '{self.match}'""",
            f"""update mentorship_sessions set completed_at = completed_at - interval '{days} days'
              where match_id = '{self.match}'""",
            f"""update match_surveys set asked_at = asked_at - interval '{days} days'
              where match_id = '{self.match}'""",
            f"""update matches set last_contact_at = (
                select max(completed_at) from mentorship_sessions where match_id = matches.id
              ) where id = '{self.match}'""",
        )

    def says(self, person: UUID, *values: Any, **named: Any) -> UUID:
        """Feedback of one side, kept."""
        places = ["%s"] * (len(values) + 1) + [f"{name} => %s" for name in named]
        with acts(self.project, person) as side:
            call = f"select submit_feedback({', '.join(places)})"
            made = side.one(call, self.match, *values, *named.values())
            side.connection.commit()
        return UUID(str(made))


def pair(
    project: Project, days: float = 0, mentor: UUID | None = None, name: str = "a", **values: Any
) -> Pair:
    """A match that began so many days ago."""
    student = project.person(f"{name}-student@example.org")
    mentor = mentor or project.mentor(f"{name}-mentor@example.org")
    row = {"status": "active", "ended_at": None, **values}
    insert = """insert into matches (student_id, mentor_id, started_at, status, ended_at)
      values (%s, %s, now() - %s * interval '1 day', %s, %s) returning id"""
    made = project.one(insert, student, mentor, days, row["status"], row["ended_at"])
    return Pair(project, made, student, mentor)


def acts(project: Project, person: UUID) -> AbstractContextManager[Session]:
    """A person, signed in, who may have signed up before."""
    found = project.one("select auth_user_id from users where id = %s", person)
    return acting(project, "authenticated", found or project.sign_up(person))


def begin(project: Project, job: str) -> UUID:
    """A run of the job that is under way, with fence 1."""
    project.run(f"insert into job_schedules (job) values ('{job}') on conflict do nothing")
    insert = """insert into job_runs (job, status, fence, attempt, claimed_at, lease_expires_at)
      values (%s, 'running', 1, 1, now(), now() + interval '1 hour') returning id"""
    return UUID(str(project.one(insert, job)))


def chunk(project: Project, job: str, run: UUID, after: Any = None, **values: Any) -> Any:
    """One call of the job's verb."""
    given = {"limit": 2000, "dry_run": False, **values}
    call = f"select {job}(%s, 1, %s, %s, %s)"
    with psycopg.connect(project.dsn) as connection:
        connection.execute("set role service_role")
        found = connection.execute(
            call.encode(), [run, after, given["limit"], given["dry_run"]]
        ).fetchone()
    assert found
    return found[0]


def work(project: Project, job: str, **values: Any) -> dict[str, int]:
    """The job's verb to its end: counts by outcome."""
    run, after, done = begin(project, job), None, False
    counts: dict[str, int] = {}
    while not done:
        answer = chunk(project, job, run, after, **values)
        after, done = answer["cursor"], answer["done"]
        for kind, n in answer["counts"].items():
            counts[kind] = counts.get(kind, 0) + n
    return counts


def run(api: Api, job: str, **values: Any) -> FinishedRun:
    """The job, over the API."""
    with api.database() as database:
        return run_now(database, settings(**values), job, {})


def mails(project: Project) -> list[tuple[str, UUID]]:
    """Kind and recipient of every message, the programme's own left out."""
    return project.rows(
        "select kind, recipient from message_outbox where kind <> 'operator_alert'"
        " order by kind, about, recipient"
    )


def click(project: Project, person: UUID, answer: str, question: int = 0) -> str:
    """The person clicks on an answer in their latest mail that asks something."""
    tokens = project.one(
        """select private.answer_tokens(id, data, created_at, expires_at) -> %s
        from message_outbox where recipient = %s and data ? 'ask'
        order by created_at desc limit 1""",
        question, person,
    )  # fmt: skip
    place = project.one(
        """select array_position(array(select jsonb_array_elements_text(
          data -> 'ask' -> %s -> 'answers')), %s) from message_outbox
        where recipient = %s and data ? 'ask' order by created_at desc limit 1""",
        question, answer, person,
    )  # fmt: skip
    outcome: str = project.one("select answer_message(%s) ->> 'outcome'", tokens[place - 1])
    return outcome


def code_of(session: Session, call: str) -> str | None:
    """The SQLSTATE with which a call is refused."""
    try:
        with session.connection.transaction():
            session.connection.execute(call.encode())
    except psycopg.Error as error:
        return error.sqlstate
    return None
