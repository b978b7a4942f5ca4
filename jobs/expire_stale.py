"""What nobody answered in time ends: offers, requests, questions; offers that cannot be accepted.

Reads and writes match_batches, match_offers, mentorship_requests, quick_questions and
message_outbox. The next three mentors are asked by build_match_batches. Running it again is safe:
what has expired is not due any more.
"""

from __future__ import annotations

from mentor_sync.job import JobContext, JobResult, Params, Progress, job


class ExpireParams(Params):
    """It takes none."""


@job(params=ExpireParams, cron="*/15 * * * *")
def expire_stale(context: JobContext, _params: ExpireParams) -> JobResult:
    """End offers, requests and questions whose time is over."""
    counts: dict[str, int] = {}
    done = False
    while not done:
        answer = context.database.rpc("expire_stale", context.ownership, expect=dict)
        counts, done = answer["counts"], answer["done"]
        read = sum(counts.values())
        context.report(Progress(read, read, counts, []))
    return JobResult(counts)
