"""Keep the health of each active match: ask the two when it is at risk, then tell the admins.

Reads matches, sessions and feedback; writes matches, message_outbox and job_alerts. Running it
again is safe: a row that is as it should be is not written, and an episode is told of once.
"""

from __future__ import annotations

from mentor_sync.job import JobContext, JobResult, Params, Progress, job

BATCH = 1000
"""Matches a call, each with two mails at the most."""


class HealthParams(Params):
    """dry_run: roll every chunk back."""

    dry_run: bool = False


@job(params=HealthParams, cron="0 6 * * *")
def check_match_health(context: JobContext, params: HealthParams) -> JobResult:
    """Look at how every active match goes, and tell whom it concerns."""
    cursor: str | None = context.progress.get("cursor")
    counts: dict[str, int] = dict(context.progress.get("counts", {}))
    read: int = context.progress.get("read", 0)
    done: bool = context.progress.get("done", False)
    while not done:
        answer = context.database.rpc(
            "check_match_health",
            {
                **context.ownership,
                "p_after": cursor,
                "p_limit": min(BATCH, context.settings.chunk_size),
                "p_dry_run": params.dry_run,
            },
            expect=dict,
        )
        read, cursor, done = read + answer["read"], answer["cursor"], answer["done"]
        for outcome, number in answer["counts"].items():
            counts[outcome] = counts.get(outcome, 0) + number
        context.report(Progress(read, read, counts, []))
    return JobResult(counts)
