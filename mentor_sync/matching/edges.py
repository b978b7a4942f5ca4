"""The pairs among which an assignment is looked for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mentor_sync.matching.arrays import Ints
from mentor_sync.matching.candidates import NONE, Candidates


@dataclass(frozen=True)
class Edges:
    """Pairs with their units, by student and mentor: parallel arrays."""

    student: Ints
    mentor: Ints
    units: Ints

    @classmethod
    def of(cls, candidates: Candidates) -> Edges:
        """All candidates of everybody."""
        student, place = np.nonzero(candidates.mentor != NONE)
        return cls(
            student, candidates.mentor[student, place], candidates.units[student, place]
        ).once()

    def joined(self, others: list[Edges]) -> Edges:
        """With further ones."""
        every = [self, *others]
        return Edges(
            np.concatenate([one.student for one in every]),
            np.concatenate([one.mentor for one in every]),
            np.concatenate([one.units for one in every]),
        ).once()

    def once(self) -> Edges:
        """Each once."""
        width = int(self.mentor.max(initial=0)) + 1
        _, first = np.unique(self.student * width + self.mentor, return_index=True)
        return self.chosen(first)

    def chosen(self, which: Ints) -> Edges:
        return Edges(self.student[which], self.mentor[which], self.units[which])
