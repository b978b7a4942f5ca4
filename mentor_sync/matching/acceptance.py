"""Who gets whom when pairs are taken one by one, the best first.

A pair counts its units and the student's credit for waiting; where that is equal, who has waited
longer comes first, then the earlier student, then the earlier mentor. Both sides rank by the same
number, so taking pairs in that order while there is room is what deferred acceptance finds: each
student asks the best who may still accept, each mentor keeps the best who asked. That needs no
order over all pairs, only lists of candidates, which grow where they are used up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mentor_sync.matching.arrays import Bools, Floats, Ints, within
from mentor_sync.matching.candidates import NONE, Candidates, best
from mentor_sync.matching.matrix import Matrix, allowed, top
from mentor_sync.matching.rules import Rules
from mentor_sync.matching.waiting import Waiting

WIDTH = 20
"""Candidates that a student looks at before asking for more."""
_NOBODY = -1
"""Below the worth of every pair."""


@dataclass(frozen=True)
class Accepted:
    """Pairs, by student and then from the best: parallel arrays."""

    student: Ints
    mentor: Ints
    units: Ints


class Acceptance:
    """Students ask mentors until nobody is left to ask."""

    def __init__(
        self, matrix: Matrix, rules: Rules, room: Ints, each: Ints, waiting: Waiting
    ) -> None:
        self._matrix, self._rules = matrix, rules
        self._room, self._waiting = room, waiting
        self._lists = top(matrix, WIDTH, rules=rules)
        self._asked = np.zeros(matrix.students, np.int64)
        self._open = each.copy()
        self._held = Accepted(*(np.empty(0, np.int64) for _ in range(3)))
        # The last whom each mentor has accepted and must keep for want of a better one:
        # whoever is not before them is refused. A mentor with room refuses nobody.
        self._worth = np.where(room > 0, _NOBODY, np.iinfo(np.int64).max)
        self._rank = np.full(matrix.mentors, matrix.students)

    def run(self) -> Accepted:
        """Everything that is accepted in the end."""
        waiting = np.flatnonzero(self._open)
        while len(waiting):
            self._ask(waiting)
            waiting = self._widened(np.flatnonzero(self._open))
        held = self._held
        order = np.lexsort((held.mentor, -held.units, held.student))
        return _chosen(held, order)

    def _ask(self, active: Ints) -> None:
        """Ask from the lists, as often as somebody is refused and knows another."""
        while len(active):
            self._settle(self._proposals(active))
            active = np.flatnonzero((self._open > 0) & (self._asked < self._lists.mentor.shape[1]))

    def _proposals(self, active: Ints) -> Accepted:
        """The next whom each asks, as many as they still need."""
        mentor, units = self._lists.mentor[active], self._lists.units[active]
        places = np.arange(mentor.shape[1])
        may = (places >= self._asked[active, np.newaxis]) & (mentor != NONE)
        may &= self._before(active[:, np.newaxis], mentor, units)
        count = np.cumsum(may, axis=1)
        chosen = may & (count <= self._open[active, np.newaxis])
        self._asked[active] = (count < self._open[active, np.newaxis]).sum(axis=1) + 1
        row, column = np.nonzero(chosen)
        return Accepted(active[row], mentor[row, column], units[row, column])

    def _before(self, student: Ints, mentor: Ints, units: Ints | Floats) -> Bools:
        """Whether the mentor would rather have the student than the last who was accepted."""
        worth = units + self._waiting.credit[student]
        last = self._worth[mentor]
        found: Bools = (worth > last) | (
            (worth == last) & (self._waiting.rank[student] < self._rank[mentor])
        )
        return found

    def _settle(self, proposals: Accepted) -> None:
        """Each mentor who was asked keeps the best, and refuses the others."""
        asked = np.zeros(self._matrix.mentors, np.bool_)
        asked[proposals.mentor] = True
        touched = asked[self._held.mentor]
        pool = _joined(_chosen(self._held, touched), proposals)
        worth = pool.units + self._waiting.credit[pool.student]
        order = np.lexsort((self._waiting.rank[pool.student], -worth, pool.mentor))
        pool, worth = _chosen(pool, order), worth[order]
        place = within(np.bincount(pool.mentor, minlength=self._matrix.mentors).astype(np.int64))
        room = self._room[pool.mentor]
        kept = place < room
        full = place == room - 1
        self._worth[pool.mentor[full]] = worth[full]
        self._rank[pool.mentor[full]] = self._waiting.rank[pool.student[full]]
        self._held = _joined(_chosen(self._held, ~touched), _chosen(pool, kept))
        students = self._matrix.students
        self._open -= np.bincount(proposals.student, minlength=students)
        self._open += np.bincount(pool.student[~kept], minlength=students)

    def _widened(self, students: Ints) -> Ints:
        """Those of the students who still find somebody to ask, with new lists."""
        parts = []
        for chunk, scores in allowed(self._matrix, self._rules, students):
            self._leave_out(chunk, scores)
            parts.append(best(scores, self._lists.mentor.shape[1]))
        if not parts or not parts[0].mentor.shape[1]:
            return students[:0]
        found = Candidates.joined(parts)
        self._lists.mentor[students], self._lists.units[students] = found.mentor, found.units
        self._asked[students] = 0
        hopeful = found.mentor[:, 0] != NONE
        self._open[students[~hopeful]] = 0
        still: Ints = students[hopeful]
        return still

    def _leave_out(self, students: Ints, scores: Floats) -> None:
        """Whoever would refuse, and whoever has accepted them already."""
        mentors = np.arange(self._matrix.mentors)
        scores[~self._before(students[:, np.newaxis], mentors, scores)] = NONE
        row = np.full(self._matrix.students, NONE)
        row[students] = np.arange(len(students))
        held = _chosen(self._held, row[self._held.student] != NONE)
        scores[row[held.student], held.mentor] = NONE


def _joined(one: Accepted, other: Accepted) -> Accepted:
    return Accepted(
        np.concatenate((one.student, other.student)),
        np.concatenate((one.mentor, other.mentor)),
        np.concatenate((one.units, other.units)),
    )


def _chosen(pairs: Accepted, which: Ints | Bools) -> Accepted:
    return Accepted(pairs.student[which], pairs.mentor[which], pairs.units[which])
