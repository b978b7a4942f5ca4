"""Small markets, and what is best in them by trying everything, or by another algorithm."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from mentor_sync.matching.arrays import Ints
from mentor_sync.matching.candidates import NONE
from mentor_sync.matching.market import Market
from mentor_sync.matching.matrix import Given
from mentor_sync.matching.rules import Pairs, Rules
from mentor_sync.matching.waiting import Waiting
from mentor_sync.matching.worth import Worth


def market(seed: int, students: int = 8, mentors: int = 6) -> Market:
    """Few different scores, forbidden pairs, no seats or too many: whatever the seed gives."""
    random = np.random.default_rng(seed)
    shape = random.integers(1, students, endpoint=True), random.integers(1, mentors, endpoint=True)
    units = random.integers(0, 11, shape) * np.float32(100_000)
    forbidden = np.nonzero(random.random(shape) < random.choice([0, 0.2, 0.6]))
    waiting = Waiting.of(random.integers(0, 5, shape[0]), units_per_day=1_000, most=3_000)
    seats = random.integers(0, 4, shape[1])
    return Market.of(Given(units), seats, waiting=waiting, rules=Rules(Pairs.of(*forbidden)))


markets = st.integers(0, 10**6).map(market)
tiny = st.integers(0, 10**6).map(lambda seed: market(seed, 4, 3))


def scores(found: Market) -> npt.NDArray[np.float32]:
    """All scores; below 0 must not be."""
    return np.concatenate([part for _, part in found.chunks()])


def best_value(found: Market, worth: Worth) -> int:
    """By linear_sum_assignment, every seat a column, and one a student for having no mentor."""
    values = worth.values(scores(found), np.arange(found.students))
    seats = np.repeat(np.maximum(values, 0), found.seats, axis=1)
    alone = np.zeros((found.students, found.students))
    every = np.concatenate((seats, alone), axis=1)
    rows, columns = linear_sum_assignment(every, maximize=True)
    return int(every[rows, columns].sum())


def every_assignment(found: Market) -> Iterator[tuple[Ints, Ints]]:
    """Mentor and units of each student, in all ways that seats and rules allow."""
    units = scores(found)
    choices = [[NONE, *np.flatnonzero(row >= 0).tolist()] for row in units]
    for chosen in itertools.product(*choices):
        mentor = np.array(chosen)
        if (found.loads(mentor) <= found.seats).all():
            of_each = np.append(units, np.full((len(units), 1), NONE), axis=1)
            yield mentor, of_each[np.arange(len(units)), mentor].astype(np.int64)


def require_possible(found: Market, mentor: Ints, units: Ints) -> None:
    """Nobody above their seats, no forbidden pair, and the units are the pairs'."""
    placed = mentor != NONE
    assert (found.loads(mentor) <= found.seats).all()
    assert (units[placed] >= 0).all()
    assert (units[~placed] == NONE).all()
    assert (scores(found)[np.flatnonzero(placed), mentor[placed]] == units[placed]).all()
