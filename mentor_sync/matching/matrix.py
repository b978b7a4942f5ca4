"""Scores of students with mentors, however they come about, some students at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from mentor_sync.matching.arrays import Floats, Ints
from mentor_sync.matching.candidates import Candidates, best
from mentor_sync.matching.rules import NO_RULES, Rules

CHUNK = 1_000
"""Students at a time; what is dense is that many by all mentors."""


class Matrix(Protocol):
    """Whoever knows the units of every student with every mentor."""

    students: int
    mentors: int

    def scores(self, students: Ints | slice) -> Floats:
        """A new array of the units of some students, [students x mentors]; below 0 must not be."""


@dataclass
class Given:
    """A matrix of scores that is there already."""

    units: Floats

    def __post_init__(self) -> None:
        self.students, self.mentors = self.units.shape

    def scores(self, students: Ints | slice) -> Floats:
        return np.array(self.units[students], np.float32)


def chunks(matrix: Matrix, students: Ints | None = None, size: int = CHUNK) -> Iterator[Ints]:
    """All students, or these, some at a time."""
    chosen = np.arange(matrix.students) if students is None else students
    for begin in range(0, len(chosen), size):
        yield chosen[begin : begin + size]


def allowed(
    matrix: Matrix, rules: Rules = NO_RULES, students: Ints | None = None
) -> Iterator[tuple[Ints, Floats]]:
    """All students, or these, some at a time, with their scores; below 0 must not be."""
    for chunk in chunks(matrix, students):
        scores = matrix.scores(chunk)
        rules.refuse(scores, chunk)
        yield chunk, scores


def top(
    matrix: Matrix, k: int, *, rules: Rules = NO_RULES, students: Ints | None = None
) -> Candidates:
    """The k best mentors of every student, or of these, among those that the rules allow."""
    kept = min(k, matrix.mentors)
    parts = [best(scores, kept) for _, scores in allowed(matrix, rules, students)]
    return Candidates.joined([Candidates.empty(0, kept), *parts])
