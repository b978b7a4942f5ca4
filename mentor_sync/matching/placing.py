"""Which students are assigned to which mentors, and how that is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from mentor_sync.matching.arrays import Ints
from mentor_sync.matching.breakdown import breakdown
from mentor_sync.matching.candidates import NONE
from mentor_sync.matching.market import Market
from mentor_sync.matching.outcome import Outcome
from mentor_sync.matching.pool import Pool
from mentor_sync.matching.proposals import Labels, Proposals
from mentor_sync.matching.rules import Rules
from mentor_sync.matching.scorer import Scorer
from mentor_sync.matching.waiting import Waiting
from mentor_sync.matching.weights import UNITS, points

Json = dict[str, Any]


@dataclass(frozen=True)
class Seating:
    """Students, seats and the scores between them."""

    pool: Pool
    scorer: Scorer
    market: Market

    @classmethod
    def of(cls, pool: Pool, settings: Json) -> Seating:
        """By the answer of assignment_settings."""
        scorer = pool.scorer(settings)
        rules = pool.rules()
        waiting = Waiting.of(
            pool.requests.days,
            units_per_day=settings["units_a_day"],
            most=settings["units_at_most"],
        )
        every = Rules(rules.forbidden, [*rules.requirements, pool.wishes()])
        return cls(
            pool, scorer, Market.of(scorer, pool.mentors.quotas, waiting=waiting, rules=every)
        )

    def placings(self, outcome: Outcome, most: int | None = None) -> Placings:
        """Those whom an outcome places, who wait longest first; at the most so many."""
        longest = np.argsort(self.market.waiting.rank)
        students = longest[outcome.mentor[longest] != NONE][:most]
        found = breakdown(self.scorer, students, outcome.mentor[students])
        return Placings(Proposals(self.pool, self.scorer, found))


@dataclass(frozen=True)
class Placings:
    """Pairs that are to be matched, one a student, those first who go first."""

    proposals: Proposals

    def __len__(self) -> int:
        return len(self.proposals)

    def chunks(self, size: int, labels: Labels) -> Iterator[list[Json]]:
        """What save_assignments takes, so many students at a time."""
        requests = self.proposals.pool.requests
        places: Ints = self.proposals.found.student
        for begin in range(0, len(self), size):
            chosen = places[begin : begin + size].tolist()
            pairs = self.proposals.offers(begin, begin + len(chosen), labels)
            yield [
                {
                    "student_id": requests.students[place],
                    "request_id": requests.ids[place],
                    "mentor_id": pair["mentor_id"],
                    "units": pair["units"],
                    "breakdown": pair["breakdown"],
                }
                for place, pair in zip(chosen, pairs, strict=True)
            ]


def told(outcome: Outcome) -> Json:
    """An outcome in numbers, scores as people see them; `bound`: no total is above it."""
    found = outcome.assignment
    return {
        "outcome": "goal",
        "goal": outcome.goal,
        "students": len(outcome.mentor),
        "placed": outcome.placed,
        "total": _points(outcome.total),
        "bound": None if found is None else _points(outcome.total + found.bound - found.value),
        "mean": points(round(outcome.mean)),
        "lowest": points(outcome.lowest),
        "good": outcome.good,
        "blocking_pairs": outcome.blocking_pairs,
        "load_deviation": round(outcome.load_deviation, 3),
        "load_most": round(outcome.load_most, 3),
        "proven": outcome.proven,
    }


def _points(units: int) -> float:
    return round(units * 100 / UNITS, 2)
