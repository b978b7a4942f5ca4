"""Ask both sides of each match how it goes, once a period.

Reads matches, users and mentorship_feedback; writes match_surveys and message_outbox. Running it
again is safe: who was asked about a period, or said it unasked, is not asked again.
"""

from __future__ import annotations

from mentor_sync.chunks import run_chunks
from mentor_sync.job import JobContext, JobResult, Params, job

BATCH = 1000
"""People a call, each with a mail at the most."""


class SurveyParams(Params):
    """dry_run: roll every chunk back."""

    dry_run: bool = False


@job(params=SurveyParams, cron="0 9 * * *")
def send_feedback_surveys(context: JobContext, params: SurveyParams) -> JobResult:
    """Send the feedback surveys that are due."""
    return run_chunks(context, "send_feedback_surveys", most=BATCH, dry_run=params.dry_run)
