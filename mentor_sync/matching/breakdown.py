"""Why pairs score what they score: by factor, with the terms that both have."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mentor_sync.matching.arrays import Ints, ints, starts
from mentor_sync.matching.postings import TERMS
from mentor_sync.matching.scorer import Scorer
from mentor_sync.matching.weights import FACTORS


@dataclass(frozen=True)
class Breakdown:
    """Of pairs, in the order in which they were asked for; two-dimensional: [pairs x factors]."""

    student: Ints
    mentor: Ints
    total: Ints
    """Units."""
    confidence: Ints
    """Of what the student asks about, in percent, how much the mentor told anything about."""
    share: Ints
    """Units that the factor is worth to the student; 0 where the student left it empty."""
    count: Ints
    """Terms that the student has there."""
    matched: Ints
    """Terms that both have."""
    units: Ints
    """What the factor scores."""
    term: Ints
    """The ids of the terms that both have, by pair, factor and id."""
    begin: Ints
    """Where in `term` those of a pair and a factor begin: at pair * 6 + factor."""

    def terms(self, pair: int, factor: int) -> list[int]:
        """The ids of the terms that both have."""
        cell = pair * len(FACTORS) + factor
        found: list[int] = self.term[self.begin[cell] : self.begin[cell + 1]].tolist()
        return found


def breakdown(scorer: Scorer, students: npt.ArrayLike, mentors: npt.ArrayLike) -> Breakdown:
    """Break the scores of these pairs down; the arrays are parallel."""
    student, mentor = ints(students), ints(mentors)
    shared = scorer.shared(student, mentor)
    cells = len(student) * len(FACTORS)
    found = np.bincount(shared.pair * len(FACTORS) + shared.factor, minlength=cells)
    matched = found.astype(np.int64).reshape(-1, len(FACTORS))
    share, count = scorer.shares[student], scorer.counts[student]
    units = share // np.maximum(count, 1) * matched
    return Breakdown(
        student=student,
        mentor=mentor,
        total=units.sum(axis=1),
        confidence=((count > 0) & scorer.known[mentor]) @ scorer.weights.array,
        share=share,
        count=count,
        matched=matched,
        units=units,
        term=scorer.vocabulary[shared.column] % TERMS,
        begin=starts(found),
    )
