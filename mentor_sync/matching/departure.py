"""What if a mentor left: who takes the students, at what cost, and who would be worth finding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mentor_sync.matching.arrays import Ints
from mentor_sync.matching.assignment import Assignment
from mentor_sync.matching.breakdown import breakdown
from mentor_sync.matching.candidates import NONE
from mentor_sync.matching.market import Market
from mentor_sync.matching.outcome import Outcome, reach
from mentor_sync.matching.pool import Pool
from mentor_sync.matching.scorer import Scorer
from mentor_sync.matching.weights import UNITS, points

Json = dict[str, Any]
_SPOKEN = 4
"""The first factors are what people know and want; the others are where and how they meet."""


@dataclass(frozen=True)
class Expertise:
    """A term, and what one more seat with a mentor who has it would add."""

    term: int
    without: int
    """Students who would have no mentor, and asked for it."""
    students: int
    """How many more would have a mentor."""
    units: int
    """And by how much the total would grow, at least."""

    @property
    def rank(self) -> tuple[int, int, int, int]:
        return (-self.without, -self.students, -self.units, self.term)


@dataclass(frozen=True)
class Departure:
    """The students of the last mentor of the pool, over the seats of the others."""

    pool: Pool
    scorer: Scorer
    market: Market
    outcome: Outcome

    @classmethod
    def of(cls, pool: Pool, scorer: Scorer) -> Departure:
        """Everybody else stays where they are."""
        market = Market.of(scorer, pool.mentors.quotas, rules=pool.rules())
        return cls(pool, scorer, market, reach("score", market))

    def before(self) -> Ints:
        """What each student scores with the mentor who leaves."""
        everybody = np.arange(self.market.students)
        leaver = np.full(self.market.students, self.market.mentors - 1)
        return self.scorer.score_pairs(everybody, leaver)

    def expertise(self) -> list[Expertise]:
        """What to look for in a new mentor, the most useful first."""
        vain, adds = self._asked_in_vain(), self._added_by_seats()
        listed = []
        for term in {*vain, *adds}:
            without, units = vain.get(term, (0, 0))
            # Whoever is without gets a seat, and shares at least this term.
            added = max((1, units) if without else (0, 0), adds.get(term, (0, 0)))
            listed.append(Expertise(term, without, *added))
        return sorted(listed, key=lambda one: one.rank)

    def _asked_in_vain(self) -> dict[int, tuple[int, int]]:
        """Terms of students without a place: how many named each, and the most that it scores."""
        asked = self.pool.requests.postings.distinct()
        kept = (self.outcome.mentor[asked.person] == NONE) & (asked.factor < _SPOKEN)
        asked = asked.where(kept)
        per_term = self.scorer.shares // np.maximum(self.scorer.counts, 1)
        named: dict[int, dict[int, int]] = {}
        for term, person, units in zip(
            asked.term.tolist(),
            asked.person.tolist(),
            per_term[asked.person, asked.factor].tolist(),
            strict=True,
        ):
            students = named.setdefault(term, {})
            students[person] = students.get(person, 0) + units
        return {term: (len(each), max(each.values())) for term, each in named.items()}

    def _added_by_seats(self) -> dict[int, tuple[int, int]]:
        """The terms for which somebody would take one more seat, and the most that one adds."""
        most: dict[int, tuple[int, int]] = {}
        assignment = self.outcome.assignment
        if assignment is None or not self.market.students:
            return most
        mentors, students = self._takers(assignment)
        found = breakdown(self.scorer, students, mentors)
        for pair, mentor in enumerate(mentors.tolist()):
            added = assignment.worth.split(int(assignment.prices[mentor]))
            value = (added.placed, added.units)
            for factor in range(_SPOKEN):
                for term in found.terms(pair, factor):
                    most[term] = max(most.get(term, value), value)
        return most

    def _takers(self, assignment: Assignment) -> tuple[Ints, Ints]:
        """Mentors of whom one more seat would be worth something, and who would take it."""
        mentors = np.flatnonzero(assignment.prices > 0)
        everybody = np.arange(self.market.students)
        held = assignment.worth.values(assignment.units, everybody)
        placed = assignment.mentor != NONE
        surplus = np.where(placed, held - assignment.prices[assignment.mentor], 0.0)
        scores = self.scorer.scores(everybody)
        self.market.rules.refuse(scores, everybody)
        gain = assignment.worth.values(scores[:, mentors], everybody) - surplus[:, np.newaxis]
        return mentors, gain.argmax(axis=0)

    def as_json(self, labels: dict[int, str]) -> Json:
        """For people and programs; scores are points of 100."""
        before, outcome = self.before(), self.outcome
        return {
            "mentor": {"id": self.pool.mentors.ids[-1], "name": self.pool.mentors.names[-1]},
            "students": [self._student(place, before) for place in range(len(before))],
            "orphaned": len(before),
            "placed": outcome.placed,
            "without": len(before) - outcome.placed,
            "before": _points(int(before.sum())),
            "after": _points(outcome.total),
            "cost": _points(int(before.sum()) - outcome.total),
            "recruit": [
                {
                    "expertise": labels[one.term],
                    "asked_by_students_without": one.without,
                    "students": one.students,
                    "points": _points(one.units),
                }
                for one in self.expertise()
                if one.term in labels
            ],
        }

    def _student(self, place: int, before: Ints) -> Json:
        mentor = int(self.outcome.mentor[place])
        placed = mentor != NONE
        return {
            "student_id": self.pool.requests.students[place],
            "student_name": self.pool.requests.names[place],
            "score": points(int(before[place])),
            "mentor_id": self.pool.mentors.ids[mentor] if placed else None,
            "mentor_name": self.pool.mentors.names[mentor] if placed else None,
            "new_score": points(int(self.outcome.units[place])) if placed else None,
        }


def _points(units: int) -> float:
    return round(units * 100 / UNITS, 2)
