"""Batches of offers, between the database and the arithmetic of matching."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from mentor_sync.database import Json
from mentor_sync.job import JobContext
from mentor_sync.matching.parity import Sample
from mentor_sync.matching.pool import Mentors, Pool, Requests
from mentor_sync.matching.proposals import Labels, Proposals
from mentor_sync.paging import all_pages, in_halves

REQUESTS = 1000
"""Requests a call that writes: what stays far under the statement timeout of the API."""
RECORDS = 200
"""Requests of a run that are reported one by one."""
Item = TypeVar("Item")


def read_pool(context: JobContext, student: UUID | None = None) -> Pool:
    """Everybody who looks for a mentor, or one student, and every mentor who has room."""
    asked = {"p_student_id": str(student) if student else None}
    limit = context.settings.chunk_size
    requests = all_pages(context.database, "requests_to_match", asked, limit)
    mentors = all_pages(context.database, "mentors_to_match", {}, limit)
    return Pool(Requests.of(requests), Mentors.of(mentors))


def prove(context: JobContext, proposals: Proposals) -> Labels:
    """Hold a sample of the scores against the definition: the labels of all terms that matched.

    Raises:
        ScoresDiffer: the engine is wrong.
    """
    sample = Sample.draw(proposals, context.run_id.int)
    terms = {"p_term_ids": sorted({*proposals.terms(), *sample.terms()})}
    labels = Labels.of(context.database.rpc("term_labels", terms, expect=dict))
    answer = context.database.rpc("scores_of_pairs", sample.pairs, expect=list)
    context.log.debug("scores agree", pairs=sample.check(answer, labels))
    return labels


@dataclass
class Batches:
    """Writes proposals chunk after chunk; the next one is put together while one is written."""

    context: JobContext
    proposals: Proposals
    dry_run: bool
    records: int = RECORDS
    """How many requests may still be reported one by one."""

    def save(self, labels: Labels) -> Iterator[Json]:
        """The answer to each chunk."""
        size = min(REQUESTS, self.context.settings.chunk_size)
        for chunk in _ahead(self.proposals.chunks(size, labels)):
            for answer in in_halves(self._call, chunk):
                self.records -= len(answer["records"])
                yield answer

    def _call(self, chunk: list[Json]) -> Json:
        call = {
            **self.context.ownership,
            "p_batches": chunk,
            "p_weights_version": self.proposals.weights.version,
            "p_dry_run": self.dry_run,
            "p_records": self.records,
        }
        return self.context.database.rpc("save_match_batches", call, expect=dict)


def _ahead(items: Iterator[Item]) -> Iterator[Item]:
    with ThreadPoolExecutor(1) as ahead:
        upcoming = ahead.submit(next, items, None)
        while (item := upcoming.result()) is not None:
            upcoming = ahead.submit(next, items, None)
            yield item


def announce(context: JobContext) -> int:
    """Tell mentors of offers that somebody made by hand: how many."""
    announced = 0
    done = False
    while not done:
        answer = context.database.rpc("announce_offers", context.ownership, expect=dict)
        announced, done = announced + answer["announced"], answer["done"]
    return announced
