"""Who has which term: a person, a factor and the id of a term."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mentor_sync.matching.arrays import Bools, Ints, ints
from mentor_sync.matching.weights import FACTORS

TERMS = 2**48
"""Above every id of a term, so that a factor and a term make one number."""


@dataclass(frozen=True)
class Postings:
    """Parallel arrays, in any order; a term that comes twice counts once.

    `person` is a place in the caller's list of `people` persons, `factor` one in FACTORS.

    Raises:
        ValueError: the arrays are not equally long, or hold what cannot be.
    """

    person: Ints
    factor: Ints
    term: Ints
    people: int

    def __post_init__(self) -> None:
        if not len(self.person) == len(self.factor) == len(self.term):
            raise ValueError("A posting is a person, a factor and a term.")
        for values, end in ((self.person, self.people), (self.factor, len(FACTORS))):
            _require_below(values, end)
        _require_below(self.term, TERMS)

    @classmethod
    def of(
        cls, person: npt.ArrayLike, factor: npt.ArrayLike, term: npt.ArrayLike, people: int
    ) -> Postings:
        """From lists, or arrays of any whole numbers."""
        return cls(ints(person), ints(factor), ints(term), people)

    @classmethod
    def of_sets(cls, people: Iterable[Iterable[Iterable[int]]]) -> Postings:
        """From a list of people, each a list of the terms of each factor."""
        listed = [[list(terms) for terms in person] for person in people]
        rows = [
            (person, factor, term)
            for person, factors in enumerate(listed)
            for factor, terms in enumerate(factors)
            for term in terms
        ]
        columns = ints(rows).reshape(-1, 3).T
        return cls(columns[0], columns[1], columns[2], len(listed))

    @property
    def key(self) -> Ints:
        """Factor and term in one number, which sorts by factor first."""
        return self.factor * TERMS + self.term

    def where(self, kept: Bools) -> Postings:
        """Only these."""
        return Postings(self.person[kept], self.factor[kept], self.term[kept], self.people)

    def distinct(self) -> Postings:
        """Each once, by person, factor and term."""
        order = np.lexsort((self.key, self.person))
        person, key = self.person[order], self.key[order]
        new = np.ones(len(order), np.bool_)
        new[1:] = (person[1:] != person[:-1]) | (key[1:] != key[:-1])
        return Postings(person[new], key[new] // TERMS, key[new] % TERMS, self.people)

    def counts(self) -> Ints:
        """How many terms each has in each factor, [people x factors]."""
        cells = self.person * len(FACTORS) + self.factor
        size = self.people * len(FACTORS)
        return np.bincount(cells, minlength=size).astype(np.int64).reshape(-1, len(FACTORS))


def _require_below(values: Ints, end: int) -> None:
    if len(values) and not 0 <= values.min() <= values.max() < end:
        raise ValueError(f"{values.min()} to {values.max()} are not all from 0 to {end - 1}.")
