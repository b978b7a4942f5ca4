"""How long students have waited, and what that counts for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mentor_sync.matching.arrays import Ints, ints


@dataclass(frozen=True)
class Waiting:
    """Of each student: the credit in units, and the place among those who score the same."""

    credit: Ints
    rank: Ints

    @classmethod
    def of(cls, days: npt.ArrayLike, *, units_per_day: int = 0, most: int = 0) -> Waiting:
        """From whole days; the credit grows by the day, up to `most`."""
        waited = np.maximum(ints(days), 0)
        rank = np.empty(len(waited), np.int64)
        rank[np.argsort(-waited, kind="stable")] = np.arange(len(waited))
        return cls(np.minimum(waited * units_per_day, most), rank)

    @classmethod
    def none(cls, students: int) -> Waiting:
        """Nobody has waited: who comes first in the list is first."""
        return cls.of(np.zeros(students, np.int64))

    def without_credit(self) -> Waiting:
        """Who waits longer is first only where scores are equal."""
        return Waiting(np.zeros_like(self.credit), self.rank)
