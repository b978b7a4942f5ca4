"""Keep the health of each active match: ask the two when it is at risk, then tell the admins.

Reads matches, sessions and feedback; writes matches, message_outbox and job_alerts. Running it
again is safe: a row that is as it should be is not written, and an episode is told of once.
"""

from __future__ import annotations

from mentor_sync.chunks import run_chunks
from mentor_sync.job import JobContext, JobResult, Params, job

BATCH = 1000
"""Matches a call, each with two mails at the most."""


class HealthParams(Params):
    """dry_run: roll every chunk back."""

    dry_run: bool = False


@job(params=HealthParams, cron="0 6 * * *")
def check_match_health(context: JobContext, params: HealthParams) -> JobResult:
    """Look at how every active match goes, and tell whom it concerns."""
    return run_chunks(context, "check_match_health", most=BATCH, dry_run=params.dry_run)
