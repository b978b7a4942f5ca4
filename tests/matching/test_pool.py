"""What the database tells, as arrays: pages are joined, rules are kept."""

from __future__ import annotations

from typing import Any

import numpy as np

from mentor_sync.matching.pool import Mentors, Pool, Requests
from mentor_sync.matching.proposals import Labels, Proposals
from mentor_sync.matching.weights import DEFAULT_WEIGHTS


def requests(*ids: str, **more: Any) -> dict[str, Any]:
    """A page of requests whose students all name the term 7 as a goal."""
    count = len(ids)
    page: dict[str, Any] = {
        "requests": list(ids),
        "students": [f"student {one}" for one in ids],
        "names": list(ids),
        "days": [0] * count,
        "languages": [[]] * count,
        "hours": [None] * count,
        "zones": [None] * count,
        "wanted": [None] * count,
        "rules": [None] * count,
        "forbidden": {"places": [], "mentors": []},
        "terms": " ".join(["42"] * count),
        "counts": [1] * count,
        "hashes": [5] * count,
    }
    return page | more


def mentors(*ids: str, **more: Any) -> dict[str, Any]:
    """A page of mentors who all name it, too."""
    count = len(ids)
    page: dict[str, Any] = {
        "mentors": list(ids),
        "names": [f"Mentor {one}" for one in ids],
        "quotas": [9] * count,
        "languages": [[]] * count,
        "zones": [None] * count,
        "terms": " ".join(["42"] * count),
        "counts": [1] * count,
        "hashes": [3] * count,
    }
    return page | more


def offered(asking: list[dict[str, Any]], *offering: dict[str, Any]) -> dict[str, list[str]]:
    """Who is offered to whom."""
    pool = Pool(Requests.of(asking), Mentors.of(offering))
    made = Proposals.make(pool, DEFAULT_WEIGHTS, units_a_day=0, units_at_most=0)
    chunks = made.chunks(1, Labels.of({"ids": [7], "labels": ["Seven"]}))
    return {
        batch["request_id"]: [offer["mentor_id"] for offer in batch["offers"]]
        for chunk in chunks
        for batch in chunk
    }


def test_pages_are_joined() -> None:
    asking = [
        requests("a", forbidden={"places": [0], "mentors": ["x"]}),
        requests("b", "c", forbidden={"places": [1, 1], "mentors": ["y", "gone"]}),
    ]
    found = offered(asking, mentors("x"), mentors("y"))
    assert found == {"a": ["y"], "b": ["x", "y"], "c": ["x"]}


def test_nobody_asks_or_nobody_is_there() -> None:
    assert offered([requests()], mentors("x")) == {}
    assert offered([requests("a")], mentors()) == {}


def test_only_who_has_something_in_common_is_offered() -> None:
    assert offered([requests("a")], mentors("x", "y", terms="42 48")) == {"a": ["x"]}


def test_languages_and_time_zones_are_kept_to() -> None:
    asking = [
        requests(
            "any", "german", "near", "exact", "nowhere",
            languages=[[], ["de", "fr"], [], [], []],
            hours=[None, None, 2, 0, 3],
            zones=[None, None, -11.5, 5.75, None],
        )
    ]  # fmt: skip
    offering = mentors("x", "y", "z", languages=[["de"], ["en"], []], zones=[11.0, 5.75, None])
    assert offered(asking, offering) == {
        "any": ["x", "y", "z"],
        "german": ["x"],
        "near": ["x"],
        "exact": ["y"],
    }


def test_whoever_is_asked_for_is_offered_and_counts_for_the_quota() -> None:
    asking = [requests("a", "b", "c", wanted=["x", "y", None], rules=[None, "full", None])]
    assert offered(asking, mentors("x", "z", quotas=[1, 1])) == {"a": ["x"], "c": ["z"]}


def test_the_breakdown_is_told_as_the_definition_tells_it() -> None:
    pool = Pool(Requests.of([requests("a")]), Mentors.of([mentors("x")]))
    made = Proposals.make(pool, DEFAULT_WEIGHTS, units_a_day=0, units_at_most=0)
    ((batch,),) = made.chunks(10, Labels.of({"ids": [7], "labels": ["Seven"]}))
    goals = {"weight": 30, "share": 1_000_000, "named": 1, "matched": ["Seven"], "score": 100}
    assert batch == {
        "request_id": "a",
        "input_hash": 5 ^ 3,
        "offers": [
            {
                "mentor_id": "x",
                "units": 1_000_000,
                "confidence": 30,
                "breakdown": {"goals": goals},
                "reasons": ["Goals in common: Seven"],
            }
        ],
    }
    assert made.waiting(9) == []


def test_labels_keep_their_order() -> None:
    labels = Labels.of({"ids": [9, 2, 5], "labels": ["A", "B", "C"]})
    assert labels.places(np.array([5, 9, 2])).tolist() == [2, 0, 1]
