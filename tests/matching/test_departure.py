"""If a mentor left: what is said of one more seat is what one more seat would bring."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mentor_sync.matching.departure import Departure
from mentor_sync.matching.market import Market
from mentor_sync.matching.outcome import reach
from mentor_sync.matching.pool import Mentors, Pool, Requests
from mentor_sync.matching.weights import DEFAULT_WEIGHTS, FACTORS

SKILLS = FACTORS.index("technical")
WEIGHTS = dict(zip(FACTORS, DEFAULT_WEIGHTS.of_factor, strict=True))
Skills = list[set[int]]
People = st.lists(st.sets(st.integers(1, 6), min_size=1, max_size=4), min_size=1, max_size=6)


def _people(skills: Skills, letter: str) -> dict[str, Any]:
    terms = " ".join(str(term * 6 + SKILLS) for one in skills for term in sorted(one))
    return {
        "names": [f"{letter}{place}" for place in range(len(skills))],
        "languages": [[] for _ in skills],
        "zones": [None for _ in skills],
        "terms": terms,
        "counts": [len(one) for one in skills],
        "hashes": [0 for _ in skills],
    }


def _departure(students: Skills, mentors: Skills, seats: list[int]) -> Departure:
    """The last mentor leaves; nobody was matched with anybody else."""
    nothing: list[None] = [None for _ in students]
    asked = _people(students, "s")
    last = len(mentors) - 1
    page = {
        **asked,
        **dict.fromkeys(("requests", "hours", "wanted", "rules"), nothing),
        "students": asked["names"],
        "days": [0 for _ in students],
        "forbidden": {
            "places": list(range(len(students))),
            "mentors": [f"m{last}" for _ in students],
        },
    }
    told = _people(mentors, "m")
    offered = {**told, "mentors": told["names"], "quotas": [*seats[:last], 0]}
    pool = Pool(Requests.of([page]), Mentors.of([offered]))
    return Departure.of(pool, pool.scorer({"version": 1, "weights": WEIGHTS}))


@settings(max_examples=60)
@given(People, People, st.lists(st.integers(0, 2), min_size=6, max_size=6))
def test_what_one_more_seat_adds_is_true(
    students: Skills, mentors: Skills, seats: list[int]
) -> None:
    departure = _departure(students, mentors, seats[: len(mentors)])
    before, most = departure.outcome, dict[int, tuple[int, int]]()
    assert before.assignment is not None
    for mentor in range(len(mentors) - 1):
        more = np.array(departure.market.seats)
        more[mentor] += 1
        after = reach("score", Market.of(departure.scorer, more, rules=departure.market.rules))
        added = (after.placed - before.placed, after.total - before.total)
        price = before.assignment.worth.split(int(before.assignment.prices[mentor]))
        assert (price.placed, price.units) == added
        for term in mentors[mentor]:
            most[term] = max(most.get(term, (0, 0)), added)
    for one in departure.expertise():
        if one.without:
            new = _departure(students, [{one.term}, *mentors], [1, *seats]).outcome
            added = (new.placed - before.placed, new.total - before.total)
            most[one.term] = max(most.get(one.term, (0, 0)), added)
        assert (one.students, one.units) <= most.get(one.term, (0, 0))


def test_who_is_without_and_what_they_asked_for() -> None:
    told = _departure([{1}, {1}, {2}, {3}], [{1}, {2}, {1, 2, 3}], [1, 0, 3]).as_json(
        {1: "Rust", 2: "Law", 3: "Music"}
    )
    assert (told["orphaned"], told["placed"], told["without"]) == (4, 1, 3)
    assert (told["before"], told["after"], told["cost"]) == (400, 100, 300)
    assert told["mentor"] == {"id": "m2", "name": "m2"}
    recruit = {row.pop("expertise"): row for row in told["recruit"]}
    assert recruit["Rust"] == {"asked_by_students_without": 1, "students": 1, "points": 100}
    assert recruit["Law"] == {"asked_by_students_without": 1, "students": 1, "points": 100}
    assert recruit["Music"] == {"asked_by_students_without": 1, "students": 1, "points": 100}
