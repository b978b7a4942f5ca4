"""Open requests are offered to the three mentors who suit each best and have room.

Reads requests, mentors and their terms; writes match_batches, match_offers, mentorship_requests
and message_outbox. Running it again is safe: a request that is offered is not open, and a mentor
is never asked twice for the same request.
"""

from __future__ import annotations

from collections import Counter
from uuid import UUID

from pydantic import Field

from mentor_sync.batches import RECORDS, Batches, announce, prove, read_pool
from mentor_sync.job import JobContext, JobResult, Params, Progress, job
from mentor_sync.matching.proposals import Proposals
from mentor_sync.matching.weights import Weights
from mentor_sync.terms import refresh_terms


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
    counts: Counter[str] = Counter(context.progress.get("counts", {}))
    # Also in a dry run: it is the scores that would be old otherwise.
    refresh_terms(context, Progress(0, 0, dict(counts), []))
    proposals = Proposals.make(
        read_pool(context, params.student_id),
        Weights.of(settings["version"], settings["weights"]),
        units_a_day=settings["units_a_day"],
        units_at_most=settings["units_at_most"],
    )
    labels = prove(context, proposals)
    about = len(proposals.pool.requests)
    read = 0
    for answer in Batches(context, proposals, params.dry_run).save(labels):
        counts.update(answer["counts"])
        read += answer["counts"]["batches"] + answer["counts"]["passed_over"]
        context.report(Progress(read, about, dict(counts), answer["records"]))
    counts["waiting"] = len(proposals.without())
    counts["announced"] += 0 if params.dry_run else announce(context)
    context.report(Progress(about, about, dict(counts), proposals.waiting(RECORDS)))
    return JobResult(dict(counts))
