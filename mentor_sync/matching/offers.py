"""Who is offered which mentors, so that a popular mentor is not offered to everybody."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mentor_sync.matching.acceptance import Acceptance
from mentor_sync.matching.arrays import ints, within
from mentor_sync.matching.candidates import Candidates
from mentor_sync.matching.matrix import Matrix
from mentor_sync.matching.rules import NO_RULES, Rules
from mentor_sync.matching.waiting import Waiting

OFFERS = 3


def spread(
    matrix: Matrix,
    quota: npt.ArrayLike,
    *,
    each: npt.ArrayLike = OFFERS,
    waiting: Waiting | None = None,
    rules: Rules = NO_RULES,
) -> Candidates:
    """The offers of every student, [students x most of each], from the best.

    `quota` is how many offers each mentor may hold, `each` how many a student is to get, one
    number or one a student. Pairs are taken from the most units with credit on, as long as the
    student lacks offers and the mentor's quota lasts; who waits longer is first where equal.
    """
    wanted = np.broadcast_to(ints(each), matrix.students)
    patience = waiting or Waiting.none(matrix.students)
    found = Acceptance(matrix, rules, ints(quota), wanted, patience).run()
    offers = Candidates.empty(matrix.students, int(wanted.max(initial=0)))
    place = within(np.bincount(found.student, minlength=matrix.students).astype(np.int64))
    offers.mentor[found.student, place] = found.mentor
    offers.units[found.student, place] = found.units
    return offers
