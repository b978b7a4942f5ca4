"""Students, mentors and seats for the matching benchmarks; the same in every run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mentor_sync.matching.arrays import Ints
from mentor_sync.matching.postings import Postings
from mentor_sync.matching.scorer import Scorer
from mentor_sync.matching.weights import Weights

TERMS = ((120, 3), (60, 3), (150, 3), (200, 6), (60, 3), (15, 2))
"""Of each factor: how many terms there are, and how many a person draws; common ones often."""
MOST_SEATS = 20
SPARE = 1.1


@dataclass(frozen=True)
class Crowd:
    """Everybody, and how many students each mentor takes."""

    students: Postings
    mentors: Postings
    seats: Ints

    def scorer(self) -> Scorer:
        return Scorer(self.students, self.mentors)


def crowd(students: int, mentors: int) -> Crowd:
    """Seats from 1 to 20 a mentor, in all some ten percent more than students."""
    random = np.random.default_rng(students)
    asked, told = _people(random, students), _people(random, mentors)
    seats = random.integers(1, MOST_SEATS, mentors, endpoint=True)
    wanted = int(students * SPARE)
    seats = np.maximum(seats * wanted // seats.sum(), 1)
    while seats.sum() < wanted:
        seats[random.integers(mentors)] += 1
    return Crowd(asked, told, seats)


def _people(random: np.random.Generator, people: int) -> Postings:
    person, factor, term = [], [], []
    for number, (terms, drawn) in enumerate(TERMS):
        person.append(np.repeat(np.arange(people), drawn))
        factor.append(np.full(people * drawn, number))
        # Cubed, so that the first terms are far more common than the last.
        term.append((terms * random.random(people * drawn) ** 3).astype(np.int64))
    return Postings.of(np.concatenate(person), np.concatenate(factor), np.concatenate(term), people)


ATTRIBUTES = (("profession", 40, 50), ("organisation", 25, 30), ("role", 10, 20))
"""What both we and mentor-match can compare: name, how many values there are, weight."""
ALIKE = Weights(1, (50, 30, 20, 0, 0, 0))


@dataclass(frozen=True)
class Pairing:
    """As many mentors as students, one seat each: [people x attributes]."""

    students: Ints
    mentors: Ints

    def scorer(self) -> Scorer:
        return Scorer(_postings(self.students), _postings(self.mentors), ALIKE)


def pairing(size: int) -> Pairing:
    """People with one value of each attribute."""
    random = np.random.default_rng(size)
    values = [values for _, values, _ in ATTRIBUTES]
    students, mentors = random.integers(0, values, (2, size, len(values)))
    return Pairing(students, mentors)


def _postings(people: Ints) -> Postings:
    person, factor = np.indices(people.shape)
    return Postings.of(person.ravel(), factor.ravel(), people.ravel(), len(people))
