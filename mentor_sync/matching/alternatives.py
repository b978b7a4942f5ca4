"""Why not somebody else: what it would cost all others to give a student another mentor.

To make the place, others have to change, one moving where the next leaves, until a seat is free.
The cheapest such chain is a shortest path between mentors, where the step from one to another
costs what the student loses who loses least by that change.
"""

from __future__ import annotations

import numpy as np

from mentor_sync.matching.arrays import Ints
from mentor_sync.matching.assignment import Assignment
from mentor_sync.matching.candidates import NONE
from mentor_sync.matching.market import Market
from mentor_sync.matching.worth import Difference, Values


class Alternatives:
    """Answers for one assignment, which has to be the best; made once, then quick."""

    def __init__(self, market: Market, assignment: Assignment) -> None:
        """Takes one pass over all scores, and memory for mentors x mentors."""
        self._market, self._assignment = market, assignment
        # Two more places: being without a mentor, and the free seats.
        self._without, self._free = market.mentors, market.mentors + 1
        self._at = np.where(assignment.mentor == NONE, self._without, assignment.mentor)
        self._steps = np.full((market.mentors + 2, market.mentors + 2), np.inf)
        self._step_between_mentors()
        self._step_to_free_seats()

    def cost(self, student: int, mentor: int) -> Difference | None:
        """What the others and the student lose; None where the two must not be.

        Below 0 is a gain, for example in units where one student fewer is placed.
        """
        wanted = self._values(np.array([student]))[0][mentor]
        if wanted == -np.inf or not self._market.seats[mentor]:
            return None
        at = int(self._at[student])
        if at == mentor:
            return Difference(0, 0, 0)
        lost = self._held(np.array([student]))[0] - wanted + self._ways(at)[mentor]
        return self._assignment.worth.split(float(lost))

    def _ways(self, target: int) -> Values:
        """From every place, the least that a chain to this one costs, by Bellman and Ford."""
        ways = np.full(len(self._steps), np.inf)
        ways[target] = 0
        for _ in range(len(self._steps)):
            shorter = np.minimum(ways, (self._steps + ways).min(axis=1))
            shorter[target] = 0
            if (shorter == ways).all():
                break
            ways = shorter
        return ways

    def _step_between_mentors(self) -> None:
        for students, scores in self._market.chunks():
            order = np.argsort(self._at[students], kind="stable")
            at, students = self._at[students][order], students[order]
            held = self._held(students)
            first = np.flatnonzero(np.diff(at, prepend=-1))
            values = self._assignment.worth.values(scores[order], students)
            lost = np.minimum.reduceat(held[:, np.newaxis] - values, first)
            steps = self._steps[at[first]]
            steps[:, : self._without] = np.minimum(steps[:, : self._without], lost)
            leaving = np.minimum.reduceat(held, first)
            steps[:, self._without] = np.minimum(steps[:, self._without], leaving)
            self._steps[at[first]] = steps

    def _step_to_free_seats(self) -> None:
        """A chain may end at a free seat, and another begin where somebody leaves one."""
        loads = np.bincount(self._at, minlength=self._free)
        room = np.append(self._market.seats, self._market.students + 1) > loads
        self._steps[: self._free, self._free] = np.where(room, 0.0, np.inf)
        self._steps[self._free, : self._free] = np.where(loads > 0, 0.0, np.inf)

    def _held(self, students: Ints) -> Values:
        units = self._assignment.units[students]
        values = self._assignment.worth.values(units, students)
        return np.where(units == NONE, 0.0, values)

    def _values(self, students: Ints) -> Values:
        scores = self._market.matrix.scores(students)
        self._market.rules.refuse(scores, students)
        return self._assignment.worth.values(scores, students)
