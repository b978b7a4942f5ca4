"""What a pair costs in each of the three engines; all come to the same scores."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, LiteralString, TypeVar

import numpy as np
import psycopg

from bench.project import Database, statement
from mentor_sync.matching.arrays import Floats, Ints
from mentor_sync.matching.matrix import chunks
from mentor_sync.matching.pool import Mentors, Pool, Requests
from mentor_sync.matching.scorer import Scorer
from mentor_sync.matching.weights import Weights

Found = TypeVar("Found")
K = 3
PAIRS = 20_000
STUDENTS = 500

_READ: tuple[LiteralString, ...] = (
    "select private.matching_settings()",
    "select private.requests_to_match(null, 1000000, null)",
    "select private.mentors_to_match(null, 1000000)",
)
_DEFINITION: LiteralString = """
select array_agg((public.calculate_match_score(p.student, p.mentor) ->> 'units')::integer
  order by p.place)
from unnest(%(students)s::uuid[], %(mentors)s::uuid[]) with ordinality
  as p (student, mentor, place)
"""


@dataclass(frozen=True)
class Costs:
    """Seconds a pair."""

    definition: float
    postings: float
    scipy: float
    differing: int
    """Pairs, of PAIRS, that scipy and the definition score differently."""


@dataclass
class Engines:
    """Everybody in a database, read and encoded."""

    database: Database

    def costs(self) -> Costs:
        """Measure, and hold the scores against each other."""
        pairs = self.scorer.students * self.scorer.mentors  # encoded by now
        scipy, best = timed(self.bare_top)
        definition, differing = self._by_definition()
        return Costs(
            definition=definition / PAIRS,
            postings=self._by_postings(best),
            scipy=scipy / pairs,
            differing=differing,
        )

    @cached_property
    def pool(self) -> Pool:
        _, requests, mentors = self._read
        return Pool(Requests.of([requests]), Mentors.of([mentors]))

    @cached_property
    def scorer(self) -> Scorer:
        settings = self._read[0]
        weights = Weights.of(settings["version"], settings["weights"])
        return Scorer(self.pool.requests.postings, self.pool.mentors.postings, weights)

    def bare_top(self) -> tuple[Ints, Floats]:
        """Mentors and units of the three best of all, by argmax: the kernel, and no more."""
        scorer = self.scorer
        mentors = np.empty((scorer.students, K), np.int64)
        units = np.empty((scorer.students, K), np.float32)
        for chunk in chunks(scorer):
            scores = scorer.scores(slice(chunk[0], chunk[-1] + 1))
            rows = np.arange(len(scores))
            for place in range(K):
                best = scores.argmax(axis=1)
                mentors[chunk, place], units[chunk, place] = best, scores[rows, best]
                scores[rows, best] = -1
        return mentors, units

    def _by_definition(self) -> tuple[float, int]:
        dice = np.random.default_rng(PAIRS)
        student = dice.integers(self.scorer.students, size=PAIRS)
        mentor = dice.integers(self.scorer.mentors, size=PAIRS)
        asked = {
            "students": [self.pool.requests.students[place] for place in student],
            "mentors": [self.pool.mentors.ids[place] for place in mentor],
        }
        with psycopg.connect(self.database.dsn) as connection:
            seconds, found = timed(lambda: _rows(connection, _DEFINITION, asked)[0][0])
        return seconds, int((self.scorer.score_pairs(student, mentor) != np.array(found)).sum())

    def _by_postings(self, best: tuple[Ints, Floats]) -> float:
        """Of some students; each must get the mentors and units that scipy found."""
        chosen = np.unique(np.linspace(0, self.scorer.students - 1, STUDENTS).astype(np.int64))
        ids, mentors = self.pool.requests.students, self.pool.mentors.ids
        wanted = {
            (ids[place], mentors[mentor], int(units))
            for place in chosen
            for mentor, units in zip(best[0][place], best[1][place], strict=True)
            if units > 0
        }
        with psycopg.connect(self.database.dsn, autocommit=True) as connection:
            connection.execute(statement("postings"))
            asked = {"students": [ids[place] for place in chosen]}
            seconds, rows = timed(lambda: _rows(connection, statement("postings_top"), asked))
        if {(str(student), str(mentor), units) for student, mentor, units in rows} != wanted:
            raise RuntimeError("Postings and scipy do not find the same mentors.")
        return seconds / (len(chosen) * self.scorer.mentors)

    @cached_property
    def _read(self) -> list[Any]:
        with psycopg.connect(self.database.dsn) as connection:
            return [_rows(connection, query)[0][0] for query in _READ]


def timed(work: Callable[[], Found]) -> tuple[float, Found]:
    """Seconds, and what came out."""
    begun = time.perf_counter()
    found = work()
    return time.perf_counter() - begun, found


def _rows(
    connection: psycopg.Connection[Any],
    query: bytes | LiteralString,
    params: dict[str, Any] | None = None,
) -> list[Any]:
    return connection.execute(query, params).fetchall()
