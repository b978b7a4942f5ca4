"""The best of each student: ties, rules, too few mentors."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mentor_sync.matching.candidates import NONE, best
from mentor_sync.matching.rules import Pairs, Requirement, Rules
from tests.matching.support import few, scorer

matrices = st.integers(1, 60).flatmap(
    lambda mentors: st.lists(
        st.lists(
            st.sampled_from([NONE, 0, 1, 2, 999_999, 1_000_000]), min_size=mentors, max_size=mentors
        ),
        min_size=1,
        max_size=4,
    )
)


@few
@given(matrices, st.integers(0, 12))
def test_the_best_are_those_of_a_stable_sort(matrix: list[list[int]], k: int) -> None:
    found = best(np.array(matrix, np.float32), k)
    for row, mentors, units in zip(matrix, found.mentor, found.units, strict=True):
        order = sorted((m for m in range(len(row)) if row[m] >= 0), key=lambda m: -row[m])[:k]
        assert mentors.tolist() == order + [NONE] * (k - len(order))
        assert units.tolist() == [row[m] for m in order] + [NONE] * (k - len(order))


def test_rules_leave_out_who_must_not_be_and_who_lacks_what_is_required() -> None:
    twins = scorer([[{1}, *[set()] * 5]] * 4, [[{1}, *[set()] * 5]] * 3)
    language = Requirement(([1, 1, 3], [40, 50, 60]), ([0, 2, 2], [50, 50, 40]), 4, 3)
    rules = Rules(Pairs.of([2, 0, 2], [0, 1, 2]), [language])
    found = twins.top(5, rules=rules)
    assert found.mentor.tolist() == [[0, 2, NONE], [0, 2, NONE], [1, NONE, NONE], [NONE] * 3]
    chosen = twins.top(1, rules=rules, students=np.array([2, 0]))
    assert chosen.mentor.tolist() == [[1], [0]]


def test_nobody_to_choose_from_is_no_error() -> None:
    nobody = scorer([[set()] * 6] * 2, [])
    assert nobody.top(3).mentor.shape == (2, 0)
    assert scorer([], [[{1}, *[set()] * 5]]).top(3).mentor.shape == (0, 1)
