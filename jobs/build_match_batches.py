"""Open requests are offered to the three mentors who suit each best and have room.

Reads requests, mentors and their terms; writes match_batches, match_offers, mentorship_requests
and message_outbox. Running it again is safe: a request that is offered is not open, and a mentor
is never asked twice for the same request.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar
from uuid import UUID

from pydantic import Field

from mentor_sync.job import JobContext, JobResult, Params, Progress, job
from mentor_sync.matching.pool import Mentors, Pool, Requests
from mentor_sync.matching.proposals import Labels, Proposals
from mentor_sync.matching.weights import Weights
from mentor_sync.pages import all_pages
from mentor_sync.proof import proved_labels
from mentor_sync.terms import refresh_terms

REQUESTS = 2000
"""Requests a call that writes: what stays under a second or two."""
RECORDS = 200
"""Requests of a run that are reported one by one."""
Item = TypeVar("Item")


class MatchParams(Params):
    """dry_run: roll every chunk back. student_id: only the request of this student."""

    dry_run: bool = False
    # A string in job_runs.params, as JSON has it.
    student_id: UUID | None = Field(None, strict=False)


@job(params=MatchParams, cron="7 * * * *")
def build_match_batches(context: JobContext, params: MatchParams) -> JobResult:
    """Offer open requests to the three mentors who suit each best."""
    settings = context.database.rpc("matching_settings", {}, expect=dict)
    if not settings["auto_match"]:
        context.log.warning("nothing is offered", reason="auto_match in program_settings is off")
        return JobResult({"switched_off": 1})
    refresh_terms(context, Progress(0, 0, {}, []))
    counts: Counter[str] = Counter(context.progress.get("counts", {}))
    pool = _pool(context, params)
    proposals = Proposals.make(
        pool,
        Weights.of(settings["version"], settings["weights"]),
        units_a_day=settings["units_a_day"],
        units_at_most=settings["units_at_most"],
    )
    labels = proved_labels(context, proposals)
    _save(context, params, proposals, labels, counts)
    waiting = proposals.waiting(RECORDS)
    counts["waiting"] = len(proposals.without())
    if not params.dry_run:
        _announce(context, counts)
    context.report(Progress(len(pool.requests), len(pool.requests), dict(counts), waiting))
    return JobResult(dict(counts))


def _pool(context: JobContext, params: MatchParams) -> Pool:
    student = str(params.student_id) if params.student_id else None
    limit = context.settings.chunk_size
    asked = {"p_student_id": student}
    requests = all_pages(context.database, "requests_to_match", asked, limit)
    mentors = all_pages(context.database, "mentors_to_match", {}, limit)
    return Pool(Requests.of(requests), Mentors.of(mentors))


def _save(
    context: JobContext,
    params: MatchParams,
    proposals: Proposals,
    labels: Labels,
    counts: Counter[str],
) -> None:
    """Chunk after chunk; the next one is put together while one is written."""
    read, records = 0, RECORDS
    for chunk in _ahead(proposals.chunks(min(REQUESTS, context.settings.chunk_size), labels)):
        call = {
            **context.ownership,
            "p_batches": chunk,
            "p_weights_version": proposals.weights.version,
            "p_dry_run": params.dry_run,
            "p_records": records,
        }
        answer = context.database.rpc("save_match_batches", call, expect=dict)
        counts.update(answer["counts"])
        read, records = read + len(chunk), records - len(answer["records"])
        about = len(proposals.pool.requests)
        context.report(Progress(read, about, dict(counts), answer["records"]))


def _ahead(items: Iterator[Item]) -> Iterator[Item]:
    with ThreadPoolExecutor(1) as ahead:
        upcoming = ahead.submit(next, items, None)
        while (item := upcoming.result()) is not None:
            upcoming = ahead.submit(next, items, None)
            yield item


def _announce(context: JobContext, counts: Counter[str]) -> None:
    """Tell mentors of offers that somebody made by hand."""
    done = False
    while not done:
        answer = context.database.rpc("announce_offers", context.ownership, expect=dict)
        counts["announced"] += answer["announced"]
        done = answer["done"]
