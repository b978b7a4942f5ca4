"""Scores: the definition to the unit, and what it must never do."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mentor_sync.matching import scorer as module
from mentor_sync.matching.breakdown import breakdown
from mentor_sync.matching.postings import Postings
from mentor_sync.matching.scorer import Scorer
from mentor_sync.matching.weights import FACTORS, UNITS, Weights, points
from tests.matching.support import Person, crowds, everybody, few, persons, scorer, units, weights

NOTHING: Person = [set() for _ in FACTORS]


@few
@given(crowds, crowds, weights)
def test_scores_are_the_definition(
    students: list[Person], mentors: list[Person], weighed: Weights
) -> None:
    found = everybody(scorer(students, mentors, weighed))
    assert found == [[units(s, m, weighed) for m in mentors] for s in students]
    assert all(0 <= one <= UNITS for row in found for one in row)


@few
@given(crowds, crowds, weights)
def test_a_sparse_product_a_pair_and_a_breakdown_give_the_same(
    students: list[Person], mentors: list[Person], weighed: Weights
) -> None:
    pairs = np.indices((len(students), len(mentors))).reshape(2, -1)
    found = scorer(students, mentors, weighed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "DENSE", -1)
        sparse = scorer(students, mentors, weighed)
    expected = found.scores(slice(None)).ravel().tolist()
    assert sparse.scores(slice(None)).ravel().tolist() == expected
    for one in (found, sparse):
        assert one.score_pairs(*pairs).tolist() == expected
        assert breakdown(one, *pairs).total.tolist() == expected


@few
@given(persons, persons, st.integers(0, 5), st.integers(0, 5))
def test_more_in_common_never_scores_less(
    student: Person, mentor: Person, factor: int, term: int
) -> None:
    more = [*mentor]
    more[factor] = mentor[factor] | {term}
    ((before, after),) = everybody(scorer([student], [mentor, more]))
    assert after >= before
    assert (after > before) == (term in student[factor] and term not in mentor[factor])


@few
@given(crowds, crowds, st.randoms(use_true_random=False))
def test_the_order_of_terms_and_their_repetition_do_not_matter(
    students: list[Person], mentors: list[Person], random: Random
) -> None:
    rows = [(p, f, t) for p, one in enumerate(students) for f in range(6) for t in one[f]]
    mixed = rows * 2
    random.shuffle(mixed)
    person, factor, term = zip(*mixed, strict=True) if mixed else ((), (), ())
    again = Postings.of(person, factor, term, len(students))
    expected = everybody(scorer(students, mentors))
    assert everybody(Scorer(again, Postings.of_sets(mentors))) == expected


@few
@given(persons)
def test_a_mentor_with_all_that_a_student_asks_scores_nearly_everything(student: Person) -> None:
    ((twin, stranger),) = everybody(scorer([student], [student, NOTHING]))
    assert stranger == 0
    # Each share and each term's part is rounded down once.
    assert twin > UNITS - sum(1 + len(terms) for terms in student) if any(student) else twin == 0
    assert points(twin) == (100 if any(student) else 0)


def test_a_breakdown_says_what_is_shared_and_how_much_was_known() -> None:
    student: Person = [{7, 8}, {3}, set(), {1, 2, 9}, set(), set()]
    mentor: Person = [{8}, {4}, {5}, {9, 2}, set(), set()]
    found = breakdown(scorer([NOTHING, student], [NOTHING, mentor]), [1, 1, 0], [1, 0, 1])
    assert found.share[0].tolist() == [428571, 357142, 0, 214285, 0, 0]
    assert found.units[0].tolist() == [214285, 0, 0, 2 * 71428, 0, 0]
    assert found.total.tolist() == [357141, 0, 0]
    assert found.count[0].tolist() == [2, 1, 0, 3, 0, 0]
    assert [found.terms(0, factor) for factor in range(4)] == [[8], [], [], [2, 9]]
    assert found.confidence.tolist() == [70, 0, 0]
    assert not found.matched[1:].any()


def test_points_round_halves_up() -> None:
    assert [points(one) for one in (0, 49, 50, 875_949, 875_950, UNITS)] == [
        0.0,
        0.0,
        0.01,
        87.59,
        87.6,
        100.0,
    ]


def test_weights_are_whole_and_sum_to_100() -> None:
    assert Weights.of(3, {"goals": 60, "research": 40}).of_factor == (60, 0, 40, 0, 0, 0)
    for bad in ({"goals": 99}, {"goals": 110, "location": -10}, {"goals": 50, "looks": 50}):
        with pytest.raises(ValueError, match=r"sum to 100|no factor looks"):
            Weights.of(1, bad)


def test_postings_that_cannot_be_are_refused() -> None:
    for bad in (([2], [0], [1]), ([0], [6], [1]), ([0], [0], [-1]), ([0], [0], [])):
        with pytest.raises(ValueError, match=r"not all from|a person, a factor and a term"):
            Postings.of(*bad, people=2)
