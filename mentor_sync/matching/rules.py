"""Pairs that must not be: what is a filter, not a weight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from mentor_sync.matching.arrays import Floats, Ints, ints, spans
from mentor_sync.matching.candidates import NONE


@dataclass(frozen=True)
class Pairs:
    """Students and mentors, two parallel arrays, by student."""

    student: Ints
    mentor: Ints

    @classmethod
    def of(cls, student: npt.ArrayLike, mentor: npt.ArrayLike) -> Pairs:
        """From lists in any order."""
        students, mentors = ints(student), ints(mentor)
        order = np.argsort(students, kind="stable")
        return cls(students[order], mentors[order])

    def of_students(self, students: Ints) -> Pairs:
        """Those of some students, who are counted anew, from 0."""
        begin = np.searchsorted(self.student, students)
        lengths = np.searchsorted(self.student, students, side="right") - begin
        places = spans(begin, lengths)
        return Pairs(np.repeat(np.arange(len(students)), lengths), self.mentor[places])


class Requirement:
    """A student who wants one of some values gets only mentors who offer one of them.

    Values are any whole numbers: languages, time zones. Who wants none takes everybody.
    """

    def __init__(
        self,
        wanted: tuple[npt.ArrayLike, npt.ArrayLike],
        offered: tuple[npt.ArrayLike, npt.ArrayLike],
        students: int,
        mentors: int,
    ) -> None:
        """`wanted` is (students, values), `offered` (mentors, values), each parallel arrays."""
        student, value = (ints(column) for column in wanted)
        mentor, has = (ints(column) for column in offered)
        values = np.unique(np.concatenate((value, has)))
        shape = len(values)
        self._wanted = _flags(student, np.searchsorted(values, value), (students, shape))
        self._offered = _flags(np.searchsorted(values, has), mentor, (shape, mentors))
        self._picky = np.bincount(student, minlength=students) > 0

    def refuse(self, scores: Floats, students: Ints) -> None:
        """Mark in the rows of these students whom they do not take."""
        rows = np.flatnonzero(self._picky[students])
        if len(rows):
            met = (self._wanted[students[rows]] @ self._offered).toarray()
            scores[rows] = np.where(met > 0, scores[rows], np.float32(NONE))


@dataclass(frozen=True)
class Rules:
    """What holds for every pair that is scored, offered or assigned."""

    forbidden: Pairs | None = None
    requirements: Sequence[Requirement] = ()

    def refuse(self, scores: Floats, students: Ints) -> None:
        """Set NONE in the rows of these students where the rules forbid the pair."""
        for requirement in self.requirements:
            requirement.refuse(scores, students)
        if self.forbidden is not None:
            pairs = self.forbidden.of_students(students)
            scores[pairs.student, pairs.mentor] = NONE


NO_RULES = Rules()


def _flags(rows: Ints, columns: Ints, shape: tuple[int, int]) -> sparse.csr_array:
    ones = np.ones(len(rows), np.float32)
    return sparse.csr_array((ones, (rows, columns)), shape=shape)
