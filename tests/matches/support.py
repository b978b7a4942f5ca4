"""Students and mentors who can be matched, and what became of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from uuid import UUID

import psycopg
import pytest

from tests.project import Project, Row, Session, acting

SEATED = "role <> 'peer' and status in ('active', 'paused')"

# Whatever counts or names the students of a mentor, and does not agree with the matches.
DISAGREEING = f"""
select 'mentee_count', p.user_id from mentorship_profiles as p where p.mentee_count <> (
  select count(*) from matches as m where m.mentor_id = p.user_id and {SEATED}
)
union all
select 'mentor_id', u.id from users as u where u.mentor_id is distinct from (
  select m.mentor_id from matches as m
  where m.student_id = u.id and m.role = 'primary' and m.status in ('active', 'paused')
)
union all
select 'event', m.id from matches as m where m.status is distinct from (
  select e.new_status from match_events as e
  where e.match_id = m.id order by e.created_at desc limit 1
)"""


def mentor(project: Project, name: str = "mentor", capacity: int | None = None) -> UUID:
    person = project.mentor(f"{name}@example.org")
    set_capacity = "update mentors set capacity = %s where person_id = %s returning id"
    project.rows(set_capacity, capacity, person)
    return person


def student(project: Project, name: str = "student") -> UUID:
    """A student with a profile."""
    person = project.person(f"{name}@example.org")
    project.rows("select user_id from create_profile(p_user_id => %s)", person)
    return person


def students(project: Project, count: int) -> list[UUID]:
    insert = """insert into users (email, full_name)
      select 's' || i || '@example.org', 'S ' || i from generate_series(1, %s) as i returning id"""
    return [row[0] for row in project.rows(insert, count)]


def as_known(project: Project, person: UUID) -> AbstractContextManager[Session]:
    """A person who may have signed in before."""
    known = project.one("select auth_user_id from users where id = %s", person)
    return acting(project, "authenticated", known or project.sign_up(person))


def match(project: Project, of: UUID, by: UUID, role: str = "primary") -> UUID:
    call = "select id from create_manual_match(%s, %s, %s)"
    return UUID(str(project.one(call, of, by, role)))


def mentor_of(project: Project, person: UUID) -> Any:
    return project.one("select mentor_id from users where id = %s", person)


def steps(project: Project, match_id: UUID) -> list[Row]:
    query = """select new_status, reason, actor_id from match_events
      where match_id = %s order by created_at"""
    return project.rows(query, match_id)


def mails(project: Project, status: str = "queued") -> set[Row]:
    query = "select kind, recipient from message_outbox where status = %s"
    return set(project.rows(query, status))


def disagreeing(project: Project) -> list[Row]:
    return project.rows(DISAGREEING)


@contextmanager
def fails(code: str, detail: str | None = None) -> Iterator[None]:
    """The database says no, with this code."""
    with pytest.raises(psycopg.Error) as caught:
        yield
    assert caught.value.sqlstate == code
    assert caught.value.diag.message_hint or code == "42501"
    assert detail is None or caught.value.diag.message_detail == detail
