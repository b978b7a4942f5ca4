"""What an assignment has to go by: scores, seats, rules, and who has waited."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mentor_sync.matching.arrays import Floats, Ints, ints
from mentor_sync.matching.candidates import NONE
from mentor_sync.matching.matrix import Matrix, allowed
from mentor_sync.matching.rules import NO_RULES, Rules
from mentor_sync.matching.waiting import Waiting


@dataclass(frozen=True)
class Market:
    """Students without a mentor, and how many each mentor can take."""

    matrix: Matrix
    seats: Ints
    waiting: Waiting
    rules: Rules = NO_RULES

    @classmethod
    def of(
        cls,
        matrix: Matrix,
        seats: npt.ArrayLike,
        *,
        waiting: Waiting | None = None,
        rules: Rules = NO_RULES,
    ) -> Market:
        """Raises ValueError where seats are below 0, or not one number a mentor."""
        free = ints(seats)
        if free.shape != (matrix.mentors,) or free.min(initial=0) < 0:
            raise ValueError("Seats are a number a mentor, at least 0.")
        return cls(matrix, free, waiting or Waiting.none(matrix.students), rules)

    @property
    def students(self) -> int:
        return self.matrix.students

    @property
    def mentors(self) -> int:
        return self.matrix.mentors

    def chunks(self) -> Iterator[tuple[Ints, Floats]]:
        """All students, some at a time, with their scores; below 0 must not be."""
        return allowed(self.matrix, self.rules)

    def loads(self, mentor: Ints) -> Ints:
        """How many each mentor has, given the mentor of each student."""
        return np.bincount(mentor[mentor != NONE], minlength=self.mentors).astype(np.int64)
