"""Offers: quotas, waiting, rules, and nobody left without one who could have one."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mentor_sync.matching import acceptance
from mentor_sync.matching.candidates import NONE
from mentor_sync.matching.matrix import Given
from mentor_sync.matching.offers import spread
from mentor_sync.matching.rules import Pairs, Rules
from mentor_sync.matching.waiting import Waiting
from tests.matching.support import few

seeds = st.integers(0, 10**6).map(np.random.default_rng)


def one_by_one(
    units: npt.NDArray[np.float32], quota: list[int], waiting: Waiting, each: int
) -> list[list[int]]:
    """The rule by its letter: all pairs in order, taken while there is room."""
    left, taken = list(quota), [[] for _ in units]  # type: list[int], list[list[int]]
    pairs = [(s, m) for s in range(len(units)) for m in range(len(quota)) if units[s, m] >= 0]
    pairs.sort(key=lambda p: (-units[p] - waiting.credit[p[0]], waiting.rank[p[0]], p[1]))
    for student, mentor in pairs:
        if left[mentor] and len(taken[student]) < each:
            left[mentor] -= 1
            taken[student].append(mentor)
    return taken


@few
@given(seeds, st.integers(1, 4), st.integers(1, 3))
def test_offers_are_those_of_taking_pairs_one_by_one(
    random: np.random.Generator, width: int, each: int
) -> None:
    students, mentors = random.integers(1, 9, 2).tolist()
    units = random.integers(-2, 5, (students, mentors)).clip(-1).astype(np.float32)
    quota = random.integers(0, 5, mentors)
    waiting = Waiting.of(random.integers(0, 4, students), units_per_day=1, most=2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(acceptance, "WIDTH", width)
        found = spread(Given(units), quota, each=each, waiting=waiting)
    expected = one_by_one(units, quota.tolist(), waiting, each)
    assert [[m for m in row if m != NONE] for row in found.mentor.tolist()] == expected
    assert (np.bincount(found.mentor[found.mentor != NONE], minlength=mentors) <= quota).all()


def test_who_waits_longer_is_first_and_a_forbidden_pair_never() -> None:
    equal = Given(np.full((3, 2), 500_000, np.float32))
    rules = Rules(Pairs.of([2], [0]))
    waiting = Waiting.of([0, 3, 9])
    found = spread(equal, [1, 1], each=[1, 2, 1], waiting=waiting, rules=rules)
    assert found.mentor.tolist() == [[NONE, NONE], [0, NONE], [1, NONE]]
    assert found.units.tolist() == [[-1, -1], [500_000, -1], [500_000, -1]]


def test_credit_for_waiting_has_an_end() -> None:
    matrix = Given(np.array([[900_000], [800_000]], np.float32))
    for most, first in ((99_999, 0), (100_000, 1)):
        waiting = Waiting.of([0, 400], units_per_day=1_000, most=most)
        found = spread(matrix, [1], waiting=waiting)
        assert found.mentor[first, 0] == 0
        assert found.mentor[1 - first].tolist() == [NONE] * 3
