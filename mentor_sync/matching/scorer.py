"""The score of every student with every mentor.

A score is the sum, over the factors in which the student has terms, of the weight of one term
times the terms that both have. So it is a product: the students' weights of terms, sparse, with
the mentors' terms, dense. The same as the SQL function calculate_match_score, to the unit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from mentor_sync.matching.arrays import Bools, Floats, Ints, ints, spans, starts
from mentor_sync.matching.candidates import Candidates
from mentor_sync.matching.matrix import top
from mentor_sync.matching.postings import Postings
from mentor_sync.matching.rules import NO_RULES, Rules
from mentor_sync.matching.weights import DEFAULT_WEIGHTS, Weights, shares

DENSE = 2**25
"""Cells of mentors' terms that are kept dense, 128 MB; beyond, scores are slower and leaner."""


@dataclass(frozen=True)
class _Terms:
    """The terms of each student that some mentor has too, by factor and id."""

    begin: Ints
    column: Ints
    factor: Ints
    weight: Ints


@dataclass(frozen=True)
class Shared:
    """Terms that both of some pairs have, by pair, factor and id: parallel arrays."""

    pair: Ints
    column: Ints
    factor: Ints
    weight: Ints


class Scorer:
    """Students and mentors, encoded once.

    Mentors count in the order in which the caller passed them, by id; ties go to the earlier.
    """

    def __init__(
        self, students: Postings, mentors: Postings, weights: Weights = DEFAULT_WEIGHTS
    ) -> None:
        self.weights = weights
        self.students = students.people
        self.mentors = mentors.people
        asked = students.distinct()
        asked = asked.where(weights.array[asked.factor] > 0)
        told = mentors.distinct()
        self.counts = asked.counts()
        """How many terms each student has in each factor that counts, [students x factors]."""
        self.shares = shares(self.counts, weights)
        """What each factor is worth to each student, in units, [students x factors]."""
        self.known: Bools = told.counts() > 0
        """Whether a mentor told anything about a factor, [mentors x factors]."""
        self.vocabulary = np.intersect1d(asked.key, told.key)
        """The terms that a student and a mentor have, as `Postings.key`."""
        self._terms = self._asked(asked)
        self._weighed = self._matrix()
        known, column = self._columns(told.key)
        self._cells = column * self.mentors + told.person[known]
        self._told = self._dense_or_not()

    def scores(self, students: Ints | slice) -> Floats:
        """Units of some students with every mentor, [students x mentors]."""
        product = self._weighed[students] @ self._told
        return product.toarray() if sparse.issparse(product) else product

    def top(self, k: int, *, rules: Rules = NO_RULES, students: Ints | None = None) -> Candidates:
        """The k best mentors of every student, or of these, among those that the rules allow."""
        return top(self, k, rules=rules, students=students)

    def score_pairs(self, students: npt.ArrayLike, mentors: npt.ArrayLike) -> Ints:
        """Units of single pairs, given as parallel arrays."""
        student = ints(students)
        shared = self.shared(student, ints(mentors))
        return np.bincount(shared.pair, shared.weight, len(student)).astype(np.int64)

    def shared(self, students: Ints, mentors: Ints) -> Shared:
        """The terms that both of each pair have; `pair` is its number in these arrays."""
        begin = self._terms.begin[students]
        lengths = self._terms.begin[students + 1] - begin
        pair = np.repeat(np.arange(len(students)), lengths)
        place = spans(begin, lengths)
        column = self._terms.column[place]
        both = self._tells(mentors[pair], column)
        terms, place = self._terms, place[both]
        return Shared(pair[both], column[both], terms.factor[place], terms.weight[place])

    def _asked(self, asked: Postings) -> _Terms:
        known, column = self._columns(asked.key)
        each = self.shares // np.maximum(self.counts, 1)
        person, factor = asked.person[known], asked.factor[known]
        lengths = np.bincount(person, minlength=self.students).astype(np.int64)
        return _Terms(starts(lengths), column, factor, each[person, factor])

    def _matrix(self) -> sparse.csr_array:
        data = self._terms.weight.astype(np.float32)
        shape = (self.students, len(self.vocabulary))
        return sparse.csr_array((data, self._terms.column, self._terms.begin), shape=shape)

    def _dense_or_not(self) -> Floats | sparse.csr_array:
        """Who has which term: [vocabulary x mentors]."""
        shape = (len(self.vocabulary), self.mentors)
        if shape[0] * shape[1] <= DENSE:
            dense = np.zeros(shape, np.float32)
            dense.ravel()[self._cells] = 1
            return dense
        ones = np.ones(len(self._cells), np.float32)
        return sparse.csr_array((ones, np.divmod(self._cells, self.mentors)), shape=shape)

    def _tells(self, mentors: Ints, columns: Ints) -> Bools:
        """Whether each of these mentors has the term."""
        if isinstance(self._told, np.ndarray):
            return self._told[columns, mentors] > 0
        return np.isin(columns * self.mentors + mentors, self._cells)

    def _columns(self, keys: Ints) -> tuple[Bools, Ints]:
        """Which of these the vocabulary has, and where."""
        place = np.searchsorted(self.vocabulary, keys)
        known = np.append(self.vocabulary, -1)[place] == keys
        return known, place[known]
