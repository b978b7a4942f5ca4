"""Students whom an outcome leaves without a mentor, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mentor_sync.matching.arrays import Bools, Ints
from mentor_sync.matching.candidates import NONE
from mentor_sync.matching.outcome import Outcome
from mentor_sync.matching.placing import Seating
from mentor_sync.matching.rules import Requirement

_NO_SEAT = "No seat left."
_NOBODY = "No seat left, or no mentor whom the rules allow."


@dataclass(frozen=True)
class Unplaced:
    """Those without a place; `words`: what each hard rule means."""

    seating: Seating
    outcome: Outcome
    words: Mapping[str, str]

    def records(self, most: int) -> list[dict[str, Any]]:
        """Who waits longest first; at the most so many."""
        requests = self.seating.pool.requests
        longest = np.argsort(self.seating.market.waiting.rank)
        students = longest[self.outcome.mentor[longest] == NONE][:most]
        return [
            {
                "outcome": "without",
                "student_id": requests.students[student],
                "student_name": requests.names[student],
                "reason": reason,
            }
            for student, reason in zip(students.tolist(), self._reasons(students), strict=True)
        ]

    def _reasons(self, students: Ints) -> list[str]:
        market, requests = self.seating.market, self.seating.pool.requests
        languages, zones, *_ = market.rules.requirements
        speechless, far = self._unmet(languages, students), self._unmet(zones, students)
        left = market.seats - market.loads(self.outcome.mentor)

        def reason(place: int, student: int) -> str:
            rule = requests.rules[student]
            if rule or requests.wanted[student]:
                return self.words[rule or "full"]
            if speechless[place]:
                return f"No mentor with a seat speaks {', '.join(requests.languages[student])}."
            if far[place]:
                return "No mentor with a seat is in a time zone so near."
            return _NOBODY if left.any() else _NO_SEAT

        return [reason(place, student) for place, student in enumerate(students.tolist())]

    def _unmet(self, requirement: Requirement, students: Ints) -> Bools:
        """Whether each wants what no mentor who had a seat offers."""
        seated = np.flatnonzero(self.seating.market.seats)
        if not len(seated):
            return np.zeros(len(students), np.bool_)
        scores = np.zeros((len(students), self.seating.market.mentors), np.float32)
        requirement.refuse(scores, students)
        unmet: Bools = np.max(scores[:, seated], axis=1) < 0
        return unmet
