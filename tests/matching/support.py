"""People with a few terms, and scores by the letter of the definition."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from mentor_sync.matching.postings import Postings
from mentor_sync.matching.scorer import Scorer
from mentor_sync.matching.weights import DEFAULT_WEIGHTS, FACTORS, UNITS, Weights

Person = list[set[int]]
"""The terms of each factor."""

few: Callable[[Any], Any] = settings(max_examples=25, deadline=None)
terms = st.sets(st.integers(0, 5), max_size=4)
persons = st.lists(terms, min_size=len(FACTORS), max_size=len(FACTORS))
crowds = st.lists(persons, min_size=1, max_size=6)
weights = st.lists(st.integers(0, 100), min_size=5, max_size=5).map(
    lambda cuts: Weights(2, tuple(np.diff([0, *sorted(cuts), 100]).tolist()))
)


def units(student: Person, mentor: Person, weighed: Weights = DEFAULT_WEIGHTS) -> int:
    """The definition, slowly."""
    present = [f for f in range(len(FACTORS)) if student[f] and weighed.of_factor[f]]
    whole = sum(weighed.of_factor[f] for f in present)
    return sum(
        UNITS * weighed.of_factor[f] // whole // len(student[f]) * len(student[f] & mentor[f])
        for f in present
    )


def scorer(
    students: list[Person], mentors: list[Person], weighed: Weights = DEFAULT_WEIGHTS
) -> Scorer:
    return Scorer(Postings.of_sets(students), Postings.of_sets(mentors), weighed)


def everybody(found: Scorer) -> list[list[int]]:
    """All scores, as a list of each student's."""
    listed: list[list[int]] = found.scores(slice(None)).astype(int).tolist()
    return listed
