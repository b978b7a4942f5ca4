"""Which requests are offered to which mentors, and how that is told to the database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from mentor_sync.matching.arrays import Floats, Ints, ints
from mentor_sync.matching.breakdown import Breakdown, breakdown
from mentor_sync.matching.candidates import NONE
from mentor_sync.matching.offers import OFFERS, spread
from mentor_sync.matching.pool import Pool
from mentor_sync.matching.reasons import reasons
from mentor_sync.matching.scorer import Scorer
from mentor_sync.matching.waiting import Waiting
from mentor_sync.matching.weights import FACTORS, Weights, points

Json = dict[str, Any]


class Suiting:
    """The scores of those who have anything in common; the others are not offered."""

    def __init__(self, scorer: Scorer) -> None:
        self.students, self.mentors = scorer.students, scorer.mentors
        self._scorer = scorer

    def scores(self, students: Ints | slice) -> Floats:
        found = self._scorer.scores(students)
        found[found <= 0] = NONE
        return found


@dataclass(frozen=True)
class Labels:
    """How terms are shown: two parallel lists, in the order in which people read them."""

    ids: Ints
    labels: list[str]

    @classmethod
    def of(cls, answer: Json) -> Labels:
        """From the answer of term_labels."""
        return cls(ints(answer["ids"]), answer["labels"])

    def places(self, terms: Ints) -> Ints:
        """Where each of these stands in that order."""
        order = np.argsort(self.ids)
        found: Ints = order[np.searchsorted(self.ids, terms, sorter=order)]
        return found


@dataclass(frozen=True)
class Proposals:
    """Pairs of requests and mentors, by request and then from the best, with their scores."""

    pool: Pool
    scorer: Scorer
    found: Breakdown

    @property
    def weights(self) -> Weights:
        return self.scorer.weights

    @classmethod
    def make(
        cls, pool: Pool, weights: Weights, *, units_a_day: int, units_at_most: int
    ) -> Proposals:
        """Score everybody, and spread the offers."""
        scorer = Scorer(pool.requests.postings, pool.mentors.postings, weights)
        waiting = Waiting.of(pool.requests.days, units_per_day=units_a_day, most=units_at_most)
        asked = pool.asked()
        held = np.bincount(asked[asked >= 0], minlength=len(pool.mentors))
        best = spread(
            Suiting(scorer),
            np.maximum(pool.mentors.quotas - held, 0),
            each=pool.asks_anybody() * OFFERS,
            waiting=waiting,
            rules=pool.rules(),
        ).mentor
        student, mentor = _pairs(best, asked)
        return cls(pool, scorer, breakdown(scorer, student, mentor))

    def __len__(self) -> int:
        return len(self.found.student)

    def without(self) -> list[int]:
        """The places of requests that nobody is found for."""
        offered = np.bincount(self.found.student, minlength=len(self.pool.requests))
        places: list[int] = np.flatnonzero(offered == 0).tolist()
        return places

    def waiting(self, most: int) -> list[Json]:
        """Those requests, for people to read, and why."""
        requests = self.pool.requests
        return [
            {
                "request_id": requests.ids[place],
                "student_id": requests.students[place],
                "student_name": requests.names[place],
                "outcome": "waiting",
                "reason": requests.rules[place] or "nobody_suits_and_has_room",
            }
            for place in self.without()[:most]
        ]

    def terms(self) -> list[int]:
        """The ids of all terms that matched, each once."""
        found: list[int] = np.unique(self.found.term).tolist()
        return found

    def chunks(self, size: int, labels: Labels) -> Iterator[list[Json]]:
        """What save_match_batches takes, so many requests at a time."""
        begins = np.flatnonzero(np.diff(self.found.student, prepend=-1))
        ends = np.append(begins[1:], len(self))
        for first in range(0, len(begins), size):
            begin, end = begins[first : first + size], ends[first : first + size]
            offers = list(self.offers(int(begin[0]), int(end[-1]), labels))
            yield [
                self._batch(one, offers[one - begin[0] : other - begin[0]])
                for one, other in zip(begin.tolist(), end.tolist(), strict=True)
            ]

    def _batch(self, pair: int, offers: list[Json]) -> Json:
        place = self.found.student[pair]
        mentors = self.found.mentor[pair : pair + len(offers)]
        hashes = self.pool.mentors.hashes[mentors]
        told = int(np.bitwise_xor.reduce(hashes) ^ self.pool.requests.hashes[place])
        return {"request_id": self.pool.requests.ids[place], "input_hash": told, "offers": offers}

    def offers(self, begin: int, end: int, labels: Labels) -> Iterator[Json]:
        """The pairs from `begin` to `end`."""
        ids = self.pool.mentors.ids
        parts = breakdowns(self.found, self.weights, labels, begin, end)
        for mentor, units, confidence, part in zip(
            self.found.mentor[begin:end].tolist(),
            self.found.total[begin:end].tolist(),
            self.found.confidence[begin:end].tolist(),
            parts,
            strict=True,
        ):
            yield {
                "mentor_id": ids[mentor],
                "units": units,
                "confidence": confidence,
                "breakdown": part,
                "reasons": reasons(part),
            }


def _pairs(best: Ints, asked: Ints) -> tuple[Ints, Ints]:
    """Whom each request is offered to: those found for it, or the one whom it asks."""
    listed = np.hstack((np.where(asked >= 0, asked, NONE)[:, np.newaxis], best))
    student, column = np.nonzero(listed != NONE)
    return student, listed[student, column]


def breakdowns(
    found: Breakdown, weights: Weights, labels: Labels, begin: int, end: int
) -> Iterator[Json]:
    """Of the pairs from `begin` to `end`, as calculate_match_score has it."""
    cells = slice(begin * len(FACTORS), end * len(FACTORS) + 1)
    starts = found.begin[cells]
    names = _names(found.term[starts[0] : starts[-1]], np.diff(starts), labels)
    edges = (starts - starts[0]).tolist()
    cell = 0
    for shares, counts, units in zip(
        found.share[begin:end].tolist(),
        found.count[begin:end].tolist(),
        found.units[begin:end].tolist(),
        strict=True,
    ):
        part = {}
        for place, name in enumerate(FACTORS):
            if counts[place]:
                part[name] = {
                    "weight": weights.of_factor[place],
                    "share": shares[place],
                    "named": counts[place],
                    "matched": names[edges[cell] : edges[cell + 1]],
                    "score": points(units[place]),
                }
            cell += 1
        yield part


def _names(terms: Ints, lengths: Ints, labels: Labels) -> list[str]:
    """The labels of terms that lie list after list, each list in its order."""
    places = labels.places(terms)
    cell = np.repeat(np.arange(len(lengths)), lengths)
    return [labels.labels[place] for place in places[np.lexsort((places, cell))].tolist()]
