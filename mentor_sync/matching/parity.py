"""Whether the engine scores as the definition does: a sample, held against the database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mentor_sync.errors import MentorSyncError
from mentor_sync.matching.arrays import Ints
from mentor_sync.matching.breakdown import Breakdown, breakdown
from mentor_sync.matching.proposals import Labels, Proposals, breakdowns
from mentor_sync.matching.reasons import reasons

Json = dict[str, Any]
SAMPLE = 50
"""Pairs a run; one half was chosen, the other half is any pairs."""


class ScoresDiffer(MentorSyncError):
    """The engine and calculate_match_score disagree; nothing was offered."""

    default_code = "scores_differ"


@dataclass(frozen=True)
class Sample:
    """Pairs and what the engine makes of them."""

    proposals: Proposals
    found: Breakdown

    @classmethod
    def draw(cls, proposals: Proposals, seed: int) -> Sample:
        """The same for the same run."""
        dice = np.random.default_rng(seed)
        half = SAMPLE // 2 if len(proposals) else 0
        chosen = dice.integers(max(len(proposals), 1), size=half)
        pool = proposals.pool
        student = dice.integers(max(len(pool.requests), 1), size=half)
        mentor = dice.integers(max(len(pool.mentors), 1), size=half)
        return cls(
            proposals,
            breakdown(
                proposals.scorer,
                np.concatenate((proposals.found.student[chosen], student)),
                np.concatenate((proposals.found.mentor[chosen], mentor)),
            ),
        )

    @property
    def pairs(self) -> Json:
        """The parameters of scores_of_pairs."""
        pool = self.proposals.pool
        students, mentors = pool.requests.students, pool.mentors.ids
        return {
            "p_students": [students[place] for place in self.found.student.tolist()],
            "p_mentors": [mentors[place] for place in self.found.mentor.tolist()],
        }

    def terms(self) -> list[int]:
        """The ids of all terms that matched, each once."""
        found: list[int] = np.unique(self.found.term).tolist()
        return found

    def check(self, answer: list[Json], labels: Labels) -> int:
        """How many agree; who changed since they were read proves nothing.

        Compared are the numbers by which mentors are ranked, too, which come another way.

        Raises:
            ScoresDiffer: a pair is not what the definition says.
        """
        weights = self.proposals.weights
        parts = breakdowns(self.found, weights, labels, 0, len(self.found.student))
        known = zip(
            self._hashes(),
            self.found.total.tolist(),
            self.found.confidence.tolist(),
            parts,
            strict=True,
        )
        ranked = self._ranked()
        agreed = 0
        for said, by_rank, (hashes, units, confidence, part) in zip(
            answer, ranked, known, strict=True
        ):
            if (said["student_hash"], said["mentor_hash"]) != hashes:
                continue
            if said["weights_version"] != weights.version:
                continue
            engine = {
                "units": units,
                "confidence": confidence,
                "breakdown": part,
                "reasons": reasons(part),
            }
            if engine != {name: said[name] for name in engine}:
                raise _differing(said, engine)
            if by_rank != units:
                raise _differing(said, engine | {"units": by_rank})
            agreed += 1
        return agreed

    def _ranked(self) -> list[int]:
        """The units by which the engine ranks each pair."""
        scores = self.proposals.scorer.scores(self.found.student)
        places = np.arange(len(self.found.student))
        ranked: list[int] = scores[places, self.found.mentor].astype(np.int64).tolist()
        return ranked

    def _hashes(self) -> list[tuple[int, int]]:
        pool = self.proposals.pool
        student: Ints = pool.requests.hashes[self.found.student]
        mentor: Ints = pool.mentors.hashes[self.found.mentor]
        return list(zip(student.tolist(), mentor.tolist(), strict=True))


def _differing(said: Json, engine: Json) -> ScoresDiffer:
    definition = {name: said[name] for name in engine}
    return ScoresDiffer(
        f"Student {said['student_id']} and mentor {said['mentor_id']}: calculate_match_score says"
        f" {definition}, the engine {engine}. Nothing was offered.",
        hint="Report it. If the migrations were edited: mentor-sync db check",
    )
