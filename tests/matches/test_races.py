"""Many at once, each with a connection of their own: nobody gets more than there is."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import psycopg

from tests.matches.support import disagreeing, match, mentor, student, students
from tests.project import Project

CREATE = "select create_manual_match(%s, %s)"


def outcome(project: Project, query: str, *values: Any) -> str:
    """The SQLSTATE of what went wrong, or ok."""
    try:
        project.rows(query, *values)
    except psycopg.Error as error:
        return str(error.sqlstate)
    return "ok"


def at_once(calls: Iterable[Callable[[], str]]) -> Counter[str]:
    calls = list(calls)
    with ThreadPoolExecutor(len(calls)) as pool:
        return Counter(pool.map(lambda call: call(), calls))


def creating(project: Project, of: UUID, by: UUID) -> Callable[[], str]:
    return lambda: outcome(project, CREATE, of, by)


def test_a_student_wanted_by_thirty_gets_one_mentor(project: Project) -> None:
    one, mentors = student(project), [mentor(project, f"m{i}") for i in range(6)]
    ended = at_once(creating(project, one, mentors[i % 6]) for i in range(30))
    assert ended == {"ok": 1, "MS020": 29}
    assert project.one("select count(*) from matches") == 1
    assert disagreeing(project) == []


def test_five_seats_are_given_five_times(project: Project) -> None:
    ann = mentor(project, capacity=5)
    ended = at_once(creating(project, one, ann) for one in students(project, 30))
    assert ended == {"ok": 5, "MS021": 25}
    assert project.one("select mentee_count from mentorship_profiles where user_id = %s", ann) == 5
    assert disagreeing(project) == []


STORM = (
    CREATE,
    "select assign_student(%s, %s)",
    "update users set mentor_id = %s where id = %s returning id",
    """select complete_match(id) from matches where student_id = %s or mentor_id = %s
    order by random() limit 1""",
    """select dissolve_match(id) from matches where student_id = %s and status = 'active'
    and mentor_id <> %s""",
)


def test_a_storm_ends_without_deadlocks_and_adds_up(project: Project) -> None:
    mentors = [mentor(project, f"m{i}", capacity=3) for i in range(4)]
    people = students(project, 12)
    until = time.monotonic() + 3

    def blow(seed: int) -> Counter[str]:
        dice, ended = random.Random(seed), Counter[str]()
        while time.monotonic() < until:
            pair = dice.choice(people), dice.choice(mentors)
            query = dice.choice(STORM)
            values = reversed(pair) if query.startswith("update") else pair
            ended[outcome(project, query, *values)] += 1
        return ended

    with ThreadPoolExecutor(8) as pool:
        ended = sum(pool.map(blow, range(8)), Counter[str]())
    assert ended.keys() <= {"ok", "MS020", "MS021", "MS027"}
    assert ended["ok"] > 20
    assert disagreeing(project) == []
    over = "select count(*) from mentorship_profiles where mentee_count > 3"
    assert project.one(over) == 0
    assert match(project, student(project), mentor(project)) is not None
