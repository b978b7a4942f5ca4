"""The best assignment of students to seats, and the proof that there is no better one.

An assignment is looked for among the best candidates of each student. Its seat prices then show
which of all other pairs could improve it; those are added, until there are none. What students
gain over the prices, and the prices of all seats, bound every assignment from above: where the
bound equals the value, nothing is better.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mentor_sync.matching.arrays import Ints
from mentor_sync.matching.candidates import NONE
from mentor_sync.matching.edges import Edges
from mentor_sync.matching.flow import Solver, best_solver, place
from mentor_sync.matching.market import Market
from mentor_sync.matching.matrix import top
from mentor_sync.matching.prices import seat_prices
from mentor_sync.matching.worth import Values, Worth

WIDTH = 20
"""Candidates of each student to begin with."""
_ADDED = 10
"""Pairs of a student that are added at once."""


@dataclass(frozen=True)
class Assignment:
    """The mentor of each student and the units, or NONE; and how good that is by its worth."""

    mentor: Ints
    units: Ints
    worth: Worth
    value: int
    bound: int
    """No assignment is worth more."""
    prices: Ints
    """What one more seat of each mentor would add to the value."""
    rounds: int
    edges: Edges
    """The pairs that were looked at in the end."""

    @property
    def proven(self) -> bool:
        return self.value == self.bound

    @property
    def placed(self) -> int:
        return int((self.mentor != NONE).sum())

    @property
    def total(self) -> int:
        """Units of everybody who is placed."""
        return int(self.units[self.mentor != NONE].sum())


def assign(
    market: Market,
    worth: Worth | None = None,
    *,
    edges: Edges | None = None,
    solver: Solver | None = None,
    enough: int | None = None,
) -> Assignment:
    """The assignment of the highest value, proven.

    `edges` are pairs to begin with. With `enough` it ends as soon as a value of that is reached,
    or proven to be out of reach.
    """
    goal = worth or Worth.of(market)
    pairs = Edges.of(top(market.matrix, WIDTH, rules=market.rules)) if edges is None else edges
    chosen = solver or best_solver(market.seats)
    rounds = 0
    while True:
        rounds += 1
        found, improving = _round(market, goal, pairs, rounds, chosen)
        settled = enough is not None and (found.value >= enough or found.bound < enough)
        if settled or not improving:
            return found
        pairs = pairs.joined(improving)


def _round(
    market: Market, worth: Worth, pairs: Edges, rounds: int, solver: Solver
) -> tuple[Assignment, list[Edges]]:
    """The best over the pairs, its bound, and the pairs that could improve it."""
    values = worth.values(pairs.units, pairs.student)
    may = np.flatnonzero(values > 0)
    student, mentor, value = pairs.student[may], pairs.mentor[may], values[may].astype(np.int64)
    # Who has no pair is at NONE, the last place: with nothing held.
    own = place(student, mentor, value, market.students, market.seats, solver)
    prices = seat_prices(student, mentor, value, own, market.mentors)
    held = np.append(value, 0)[own]
    mentor_of, units_of = np.append(mentor, NONE)[own], np.append(pairs.units[may], NONE)[own]
    surplus = held - np.append(prices, 0)[mentor_of]
    most, improving = _price(market, worth, prices, surplus)
    bound = most + int((prices * market.seats).sum())
    found = Assignment(mentor_of, units_of, worth, int(held.sum()), bound, prices, rounds, pairs)
    return found, improving


def _price(market: Market, worth: Worth, prices: Ints, surplus: Ints) -> tuple[int, list[Edges]]:
    """What all students could gain at these prices, and the pairs by which they would."""
    most, improving = 0, []
    for students, scores in market.chunks():
        gain = worth.values(scores, students)
        gain -= prices
        best = gain.max(axis=1, initial=0)
        most += int(best.astype(np.int64).sum())
        rows = np.flatnonzero(best > surplus[students])
        if len(rows):
            row, mentor = _most_improving(gain[rows], surplus[students[rows]])
            row = rows[row]
            units = scores[row, mentor].astype(np.int64)
            improving.append(Edges(students[row], mentor, units))
    return most, improving


def _most_improving(gain: Values, surplus: Ints) -> tuple[Ints, Ints]:
    """The best few columns of each row in which it gains."""
    kept = min(_ADDED, gain.shape[1])
    column = np.argpartition(gain, gain.shape[1] - kept, axis=1)[:, -kept:]
    row = np.broadcast_to(np.arange(len(gain))[:, np.newaxis], column.shape)
    improves = gain[row, column] > surplus[:, np.newaxis]
    return row[improves], column[improves]
