"""`mentor-sync match advise`: weights held against outcomes, and never applied."""

from __future__ import annotations

from typing import Any

import pytest

from mentor_sync.matching.advice import Evidence, rates, suggestion
from mentor_sync.matching.weights import DEFAULT_WEIGHTS, FACTORS
from tests.cli.support import Command
from tests.match_cli.support import small
from tests.people import as_admin, as_anon, as_mentor, as_service
from tests.project import Project

# Offers that were accepted had the skills, those that were declined the goals.
_MANY = """
with student as (
  insert into users (email, full_name, role, country)
  select 's' || i || '@example.org', 'S', 'student', (array['Kenya', 'Peru'])[1 + i % 2]
  from generate_series(1, 40) as i returning id, country
),
mentor as (
  insert into users (email, full_name, role) values ('m@example.org', 'M', 'mentor') returning id
),
request as (
  insert into mentorship_requests (student_id, status, expires_at)
  select id, case when country = 'Kenya' then 'matched' else 'expired' end, now() from student
  returning id, student_id, status
),
batch as (
  insert into match_batches (request_id, student_id, weights_version, input_hash, expires_at)
  select r.id, r.student_id, 1, 0, now() from request as r returning id, request_id, student_id
)
insert into match_offers (
  batch_id, request_id, student_id, mentor_id, rank, units, confidence, breakdown, status
)
select
  b.id, r.id, r.student_id, m.id, 1, 500000, 100,
  jsonb_build_object(
    'goals', jsonb_build_object(
      'share', 666700, 'score', case r.status when 'matched' then 0 else 66.67 end
    ),
    'technical', jsonb_build_object(
      'share', 333300, 'score', case r.status when 'matched' then 33.33 else 0 end
    )
  ),
  case r.status when 'matched' then 'accepted' else 'declined' end
from batch as b inner join request as r on r.id = b.request_id cross join mentor as m
returning id"""

_MATCHES = """
insert into matches (
  student_id, mentor_id, request_id, breakdown, started_at, status, ended_at
)
select
  student_id, mentor_id, request_id, breakdown, now() - interval '90 days',
  case status when 'accepted' then 'active' else 'dissolved' end,
  case status when 'declined' then now() - interval '80 days' end
from match_offers"""
_PEERS = """
insert into matches (student_id, mentor_id, role, breakdown, started_at)
select student_id, mentor_id, 'peer', breakdown, now() from match_offers"""
_RATINGS = """
insert into mentorship_feedback (match_id, author_id, author_role, rating)
select id, student_id, 'student', 4 from matches where role = 'peer'
union all select id, mentor_id, 'mentor', 1 from matches"""


def reached(factor: str, good: int, other: int, *parts: float) -> Evidence:
    return Evidence("accepted", factor, good, other, *parts)


@pytest.mark.usefixtures("as_environment")
def test_few_outcomes_suggest_nothing(project: Project, command: Command) -> None:
    empty = command("match", "advise")
    assert "No offer was answered yet" in empty.out
    assert "No suggestion" in empty.out
    small(project)
    command("match", "--quiet")
    project.run("update match_offers set status = 'accepted' where rank = 1")
    project.run("update match_offers set status = 'declined' where rank > 1")
    data = command("match", "advise", "--json").data
    assert data["suggestion"] is None
    assert data["outcomes"] == [{"outcome": "accepted", "good": 1, "other": 2}]
    assert {(one["factor"], one["sample"], one["lift"]) for one in data["factors"]} == {
        ("goals", 3, None),
        ("technical", 3, None),
    }
    assert "too few" in command("match", "advise").out


@pytest.mark.usefixtures("as_environment")
def test_many_outcomes_suggest_and_nothing_is_applied(project: Project, command: Command) -> None:
    project.rows(_MANY)
    before = project.contents("match_weights", "match_offers")
    data = command("match", "advise", "--json").data
    lifts = {one["factor"]: one["lift"] for one in data["factors"]}
    assert lifts == {"goals": -1, "technical": 1}
    assert data["suggestion"] == dict(zip(FACTORS, (18, 25, 20, 27, 5, 5), strict=True))
    requests, offers = data["fairness"]
    assert requests["groups"] == [
        {"country": "Kenya", "sample": 20, "rate": 1},
        {"country": "Peru", "sample": 20, "rate": 0},
    ]
    assert requests["ratio"] == offers["ratio"] == 0
    shown = command("match", "advise").out
    assert "A suggestion, applied by nobody: goals 18, industry 25" in shown
    assert "The lowest is 0.00 of the highest" in shown
    assert project.contents("match_weights", "match_offers") == before


def test_matches_and_ratings_are_outcomes_too(project: Project) -> None:
    project.rows(_MANY)
    project.run(_MATCHES, _PEERS, _RATINGS)
    found: dict[str, Any] = project.one("select match_outcomes()")
    by_name = {one["outcome"]: (one["good"], one["other"]) for one in found["outcomes"]}
    assert by_name == {"accepted": (20, 20), "alive": (20, 20), "rated": (40, 0)}


def test_a_suggestion_keeps_what_little_is_known_of() -> None:
    known = [
        reached("goals", 20, 20, 0.9, 0.4),
        reached("technical", 20, 20, 0.5, 0.5),
        reached("industry", 4, 100, 1.0, 0.0),
        reached("research", 10, 10, 1.0, 0.0),
    ]
    suggested = suggestion(DEFAULT_WEIGHTS, known)
    assert suggested is not None
    assert sum(suggested.values()) == 100
    assert suggested["goals"] > 30
    assert suggested["technical"] < 15
    assert [suggested[name] for name in FACTORS if name not in {"goals", "technical"}] == [
        *(25, 20, 5, 5)
    ]
    assert suggestion(DEFAULT_WEIGHTS, known[:1]) is None
    assert suggestion(DEFAULT_WEIGHTS, known, enough=1000) is None


def test_one_country_alone_is_compared_with_none() -> None:
    told = {"country": "Peru", "requests": 10, "matched": 5, "offers": None, "accepted": None}
    requests, offers = rates([told])
    assert (requests.groups[0]["rate"], requests.ratio) == (0.5, None)
    assert (offers.groups, offers.ratio) == ([], None)


def test_small_groups_are_not_told_and_only_to_the_service(project: Project) -> None:
    project.rows(_MANY)
    read = "select jsonb_array_length(match_outcomes(p_least_group => %s) -> 'countries')"
    with as_service(project) as service:
        assert service.one(read, 20) == 2
        assert service.one(read, 21) == 0
    for somebody in (as_admin, as_mentor, as_anon):
        with somebody(project) as session:
            assert session.refused(read, 10)
