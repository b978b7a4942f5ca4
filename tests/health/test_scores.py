"""The health score: a sum that can be explained."""

from __future__ import annotations

from typing import Any

import psycopg
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from tests.health.support import Pair, pair
from tests.project import Project, Row

MOST = {"meetings": 35, "replies": 25, "feedback": 20, "check_ins": 10, "goals": 10}
days = st.integers(0, 120)
acts = st.lists(
    st.one_of(
        st.tuples(st.just("met"), days, st.booleans()),
        st.tuples(st.just("says"), st.integers(1, 5), st.booleans()),
        st.tuples(st.just("check_in"), st.sampled_from(["well", "help"]), st.booleans()),
        st.tuples(st.just("age"), st.integers(1, 30), st.booleans()),
    ),
    max_size=5,
)


def test_a_pair_that_meets_is_healthy_and_says_why(project: Project) -> None:
    two = pair(project, days=63)
    for ago in (2, 22, 44):
        two.met(ago)
    two.says(two.student, 5)
    two.says(two.mentor, 3)
    health = two.health()
    assert (health["status"], health["score"]) == ("healthy", 35 + 25 + 15 + 6 + 6)
    assert [reason["of"] for reason in health["reasons"]] == list(MOST.values())
    why = {reason["part"]: reason["why"] for reason in health["reasons"]}
    assert "3 of the last 63 days had a meeting" in why["meetings"]
    assert why["feedback"] == "the latest ratings are 4.0 of 5"


def test_silence_lowers_it_step_by_step(project: Project) -> None:
    two = pair(project, days=63)
    for ago in (1, 22, 44):
        two.met(ago)
    seen = [(two.health()["status"], two.health()["score"])]
    for _ in range(5):
        two.age(14)
        seen.append((two.health()["status"], two.health()["score"]))
    assert [status for status, _ in seen] == [
        "healthy", "healthy", "watch", "at_risk", "at_risk", "at_risk",
    ]  # fmt: skip
    assert sorted((score for _, score in seen), reverse=True) == [score for _, score in seen]


def test_the_young_and_the_resumed_have_time(project: Project) -> None:
    young, old = pair(project, days=13), pair(project, days=80, name="b")
    assert young.health()["status"] == "unknown"
    assert old.health()["status"] == "at_risk"
    old.project.run(
        f"update matches set status = 'paused' where id = '{old.match}'",
        f"update matches set status = 'active' where id = '{old.match}'",
    )
    assert (old.health()["status"], old.health()["replies"]) == ("unknown", 25)


def test_a_meeting_that_is_arranged_counts(project: Project) -> None:
    two = pair(project, days=40)
    before = two.health()
    project.run(
        f"""insert into mentorship_sessions (match_id, session_type, status, scheduled_at)
          values ('{two.match}', 'MENTORSHIP', 'SCHEDULED', now() + interval '2 days')"""
    )
    assert two.health()["meetings"] == before["meetings"] + 20


def test_help_is_at_risk_until_they_met(project: Project) -> None:
    two = pair(project, days=63)
    two.met(2)
    two.says(two.student, None, "help", p_type="check_in")
    assert (two.health()["status"], two.health()["check_ins"]) == ("at_risk", 0)
    two.met()
    assert (two.health()["status"], two.health()["check_ins"]) == ("healthy", 6)


class Rehearsal(Project):
    """The same project over one connection, whose writes are taken back."""

    def __init__(self, project: Project, connection: psycopg.Connection[Row]) -> None:
        super().__init__(project.dsn, "", "", project.folder)
        self.connection = connection

    def rows(self, query: str, *params: Any) -> list[Row]:
        return self.connection.execute(query.encode(), params or None).fetchall()

    def run(self, *statements: str, as_superuser: bool = False) -> None:
        for statement in statements:
            self.connection.execute(statement.encode())


def act(two: Pair, what: str, value: int | str, by_student: bool) -> None:
    say = """select private.keep_feedback(m, %s, %s, %s, %s, 0, null, null)
      from matches as m where m.id = %s"""
    person = two.student if by_student else two.mentor
    match what, value:
        case "met", int():
            two.met(value)
        case "says", int():
            two.project.rows(say, person, value, None, "survey", two.match)
        case "check_in", str():
            two.project.rows(say, person, None, value, "check_in", two.match)
        case _, int():
            two.age(value)


@examples(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(days, acts)
def test_it_is_the_sum_of_its_parts_and_no_meeting_lowers_it(
    project: Project, age: int, done: list[tuple[str, int | str, bool]]
) -> None:
    with psycopg.connect(project.dsn) as connection:
        rehearsal = Rehearsal(project, connection)
        two = pair(rehearsal, age, rehearsal.person("mentor@example.org", "mentor"))
        for what, value, by_student in done:
            act(two, what, value, by_student)
        health = two.health()
        two.met(age / 3)
        after = two.health()
        connection.rollback()
    assert 0 <= health["score"] <= 100
    assert health["score"] == sum(reason["points"] for reason in health["reasons"])
    assert {r["part"]: r["of"] for r in health["reasons"]} == MOST
    assert all(0 <= reason["points"] <= reason["of"] for reason in health["reasons"])
    assert after["score"] >= health["score"]
