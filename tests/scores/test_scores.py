"""calculate_match_score: what it adds up, what it leaves out, who may know."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.community import mentor, score, student
from tests.people import as_admin, as_anon, as_mentor, as_person, as_service, as_student
from tests.project import Project

LISTS = ("career_goals", "industries", "research_interests", "skills")
WORDS = ("Python", "Law", "Finance", "Rust", "Biology", "Music", "Energy", "Kotlin", "Physics")
lists = st.fixed_dictionaries(
    {name: st.lists(st.sampled_from(WORDS), unique=True, max_size=5) for name in LISTS}
)
quick = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def pair(project: Project) -> tuple[UUID, UUID]:
    return student(project), mentor(project)


def _say(project: Project, person: UUID, said: dict[str, list[str]]) -> None:
    project.rows(
        "update mentorship_profiles set career_goals = %s, industries = %s,"
        " research_interests = %s, skills = %s where user_id = %s returning 1",
        *(said[name] for name in LISTS),
        person,
    )


def test_a_pair_that_shares_everything_scores_a_hundred(project: Project) -> None:
    lists: dict[str, Any] = dict.fromkeys(LISTS, ("Law", "Finance", "Physics"))
    where: dict[str, Any] = {"timezone": "Europe/Berlin", "country": "Germany", "city": "Berlin"}
    ann = student(project, channels=("video",), **lists, **where)
    bob = mentor(project, channels=("video", "chat"), **lists, **where)
    found = score(project, ann, bob)
    assert (float(found["total"]), found["confidence"], found["weights_version"]) == (100, 100, 1)
    parts = found["breakdown"]
    assert {name: parts[name]["weight"] for name in parts} == {
        "goals": 30, "industry": 25, "research": 20, "technical": 15, "location": 5,
        "communication": 5,
    }  # fmt: skip
    assert parts["goals"]["matched"] == ["Finance", "Law", "Physics"]
    assert found["reasons"][0] == "Goals in common: Finance, Law, Physics"


def test_what_the_student_left_empty_is_left_out(project: Project) -> None:
    ann = student(project, industries=("Law", "Music"), skills=("Rust",))
    bob = mentor(project, industries=("Law",))
    found = score(project, ann, bob)
    assert set(found["breakdown"]) == {"industry", "technical"}
    assert found["breakdown"]["industry"]["share"] == 625_000
    assert (found["units"], found["confidence"]) == (312_500, 25)


def test_a_thin_mentor_never_wins(project: Project) -> None:
    ann = student(project, skills=("Rust", "Kotlin"), industries=("Law",))
    thin, full = mentor(project, "thin@x.org"), mentor(project, "full@x.org", skills=("Rust",))
    assert score(project, ann, thin)["units"] == 0
    assert score(project, ann, thin)["confidence"] == 0
    assert score(project, ann, full)["units"] > 0
    nobody = student(project, "nobody@x.org")
    assert score(project, nobody, full) | {"breakdown": {}} == score(project, nobody, full)


@quick
@given(said=lists, known=lists, more=st.sampled_from(WORDS))
def test_more_in_common_never_scores_less(
    project: Project, pair: tuple[UUID, UUID], said: Any, known: Any, more: str
) -> None:
    _say(project, pair[0], said)
    _say(project, pair[1], known)
    before = score(project, *pair)["units"]
    _say(project, pair[1], {name: [*known[name], more] for name in LISTS})
    after = score(project, *pair)
    assert 0 <= before <= after["units"] <= 1_000_000
    assert sum(p["share"] for p in after["breakdown"].values()) <= 1_000_000


@quick
@given(said=lists, known=lists, order=st.randoms(use_true_random=False))
def test_order_and_case_do_not_matter(
    project: Project, pair: tuple[UUID, UUID], said: Any, known: Any, order: Any
) -> None:
    _say(project, pair[0], said)
    _say(project, pair[1], known)
    before = score(project, *pair)
    for person, words in zip(pair, (said, known), strict=True):
        shuffled = {n: order.sample([w.upper() for w in words[n]], len(words[n])) for n in LISTS}
        _say(project, person, shuffled)
    assert score(project, *pair) == before


def test_the_nearer_the_better(project: Project) -> None:
    ann = student(project, timezone="Europe/Berlin", country="Germany", city="Berlin")
    zones = ("Europe/Berlin", "Europe/Helsinki", "Africa/Nairobi", "Asia/Tokyo")
    scores = [
        score(project, ann, mentor(project, f"{n}@x.org", timezone=zone))["units"]
        for n, zone in enumerate(zones)
    ]
    assert scores[0] > scores[1] > scores[2] > scores[3] == 0
    home = mentor(project, "home@x.org", country="germany", city="BERLIN")
    abroad = mentor(project, "abroad@x.org", country="France", city="Berlin")
    assert score(project, ann, home)["units"] > score(project, ann, abroad)["units"] == 0


def test_other_weights_are_another_version(project: Project) -> None:
    ann, bob = (
        student(project, skills=("Rust",), industries=("Law",)),
        mentor(project, skills=("Rust",)),
    )
    assert score(project, ann, bob)["units"] == 375_000
    project.run(
        "insert into match_weights (goals, industry, research, technical, location,"
        " communication, is_current) values (0, 0, 0, 100, 0, 0, true)"
    )
    found = score(project, ann, bob)
    assert (found["units"], found["weights_version"], set(found["breakdown"])) == (
        1_000_000, 2, {"technical"},
    )  # fmt: skip
    assert project.one("select count(*) from match_weights where is_current") == 1
    with pytest.raises(psycopg.errors.CheckViolation):
        project.run("insert into match_weights values (9, 99, 0, 0, 0, 0, 0)")


def test_one_row_of_weights_is_current(project: Project) -> None:
    weights = "goals, industry, research, technical, location, communication"
    project.run(f"insert into match_weights ({weights}) values (0, 0, 0, 100, 0, 0)")
    found = "select version from match_weights where is_current"
    twice = "select 0, 0, 0, 100, 0, 0, true from generate_series(1, 2)"
    for statement in (
        "update match_weights set is_current = true",
        f"insert into match_weights ({weights}, is_current) {twice}",
    ):
        with pytest.raises(psycopg.Error, match="Only one row") as caught:
            project.run(statement)
        assert caught.value.sqlstate == "22023"
        assert project.rows(found) == [(1,)]
    with as_service(project) as daemon:
        assert daemon.changed("update match_weights set is_current = version = 2") == 2
        daemon.connection.commit()
    assert project.rows(found) == [(2,)]
    project.run("update match_weights set is_current = true where version = 1")
    assert project.rows(found) == [(1,)]


def test_a_student_asks_about_themselves_only(project: Project) -> None:
    ann, bob = student(project, "ann@x.org"), mentor(project, "bob@x.org")
    cid = student(project, "cid@x.org")
    with as_person(project, ann) as session:
        assert session.one("select calculate_match_score(%s, %s)", ann, bob)["units"] == 0
        assert session.refused("select calculate_match_score(%s, %s)", cid, bob)
        assert session.refused("select explain_match(%s, %s)", cid, bob)
        assert session.refused("select recommend_mentors(%s)", cid)
        assert session.refused("select private.score_pair(%s, %s, null)", ann, bob)
    for who in (as_anon, as_student, as_mentor):
        with who(project) as person:
            assert person.refused("select calculate_match_score(%s, %s)", ann, bob)
    with as_admin(project) as admin, as_service(project) as daemon:
        for session in (admin, daemon):
            assert session.one("select calculate_match_score(%s, %s)", cid, bob)["units"] == 0


def test_a_mentor_knows_the_score_of_their_students_only(project: Project) -> None:
    ann, cid = student(project, "ann@x.org"), student(project, "cid@x.org")
    bob = mentor(project, "bob@x.org")
    project.run(f"update users set mentor_id = '{bob}' where id = '{ann}'")
    with as_person(project, bob) as session:
        assert session.one("select calculate_match_score(%s, %s)", ann, bob)["units"] == 0
        assert session.refused("select calculate_match_score(%s, %s)", cid, bob)


def test_a_score_of_nobody_says_so(project: Project) -> None:
    ann = student(project)
    with as_service(project) as daemon:
        with (
            pytest.raises(psycopg.Error, match="no person") as unknown,
            daemon.connection.transaction(),
        ):
            daemon.one("select calculate_match_score(%s, %s)", ann, uuid4())
        assert unknown.value.sqlstate == "MS011"
        with pytest.raises(psycopg.Error, match="no profile") as bare:
            daemon.one("select calculate_match_score(%s, %s)", uuid4(), ann)
        assert bare.value.sqlstate == "MS026"


def test_nobody_learns_by_a_score_what_others_look_for(project: Project) -> None:
    values: dict[str, Any] = {"skills": ("Rust",), "country": "Chile"}
    ann, cid = student(project, "ann@x.org", **values), student(project, "cid@x.org", **values)
    bob, new = mentor(project, **values), mentor(project, "new@x.org", approved=False, **values)
    both = mentor(project, "both@x.org", **values)
    project.run(f"update mentorship_profiles set role = 'student' where user_id = '{both}'")
    for person in (ann, bob):
        with as_person(project, person) as session:
            for other in (cid, new, both):
                assert session.refused("select calculate_match_score(%s, %s)", person, other)
                assert session.refused("select explain_match(%s, %s)", person, other)
