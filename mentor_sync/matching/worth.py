"""What a goal makes of a pair's units: one number, in which what comes first outweighs the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mentor_sync.matching.arrays import Floats, Ints
from mentor_sync.matching.market import Market
from mentor_sync.matching.weights import UNITS

Values = npt.NDArray[np.float64]
"""Whole numbers below 2 ** 53, and minus infinity for what must not be."""


class Difference(NamedTuple):
    """What one assignment has more than another, or less: students, good ones, units."""

    placed: int
    good: int
    units: int


@dataclass(frozen=True)
class Worth:
    """A student placed, a good score, the units and the credit for waiting, added up."""

    placed: int
    good: int
    good_from: int
    units: int
    least: int
    """Pairs of fewer units must not be."""
    credit: Ints

    @classmethod
    def of(cls, market: Market, *, good_from: int | None = None, least: int = 0) -> Worth:
        """As many students as can be; then as many good scores, if asked for; then the total.

        To place one student more, at most every mentor changes hands once: what comes first has
        to outweigh that many changes of what comes after it.
        """
        credit = market.waiting.credit
        changes = 2 * (min(market.students, market.mentors) + 2)
        pair = UNITS + int(credit.max(initial=0))
        good = 0 if good_from is None else changes * pair
        return cls(changes * (good + pair), good, good_from or 0, 1, least, credit)

    @classmethod
    def only_placed(cls, market: Market, *, least: int) -> Worth:
        """As many students as can be, each with at least so many units."""
        return cls(1, 0, 0, 0, least, np.zeros(market.students, np.int64))

    def values(self, units: Ints | Floats, students: Ints) -> Values:
        """Of pairs: of students down, with any number of mentors across, or parallel."""
        row = (self.placed + self.credit[students]).astype(np.float64)
        row = row.reshape(-1, *(1,) * (units.ndim - 1))
        found = units * float(self.units) + row
        if self.good:
            found += np.where(units >= self.good_from, float(self.good), 0.0)
        found[units < self.least] = -np.inf
        return found

    def split(self, value: float) -> Difference:
        """The difference between the values of two assignments, taken apart again."""
        placed, rest = _parts(int(value), self.placed)
        good, units = _parts(rest, self.good)
        return Difference(placed, good, units)


def _parts(value: int, whole: int) -> tuple[int, int]:
    """How often it holds the whole, and the rest, which may be below 0."""
    if not whole:
        return 0, value
    times = (2 * value + whole) // (2 * whole)
    return times, value - times * whole
