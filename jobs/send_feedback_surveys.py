"""Ask both sides of each match how it goes, once a period.

Reads matches, users and mentorship_feedback; writes match_surveys and message_outbox. Running it
again is safe: who was asked about a period, or said it unasked, is not asked again.
"""

from __future__ import annotations

from mentor_sync.job import JobContext, JobResult, Params, Progress, job

BATCH = 1000
"""People a call, each with a mail at the most."""


class SurveyParams(Params):
    """dry_run: roll every chunk back."""

    dry_run: bool = False


@job(params=SurveyParams, cron="0 9 * * *")
def send_feedback_surveys(context: JobContext, params: SurveyParams) -> JobResult:
    """Send the feedback surveys that are due."""
    cursor: str | None = context.progress.get("cursor")
    counts: dict[str, int] = dict(context.progress.get("counts", {}))
    read: int = context.progress.get("read", 0)
    done: bool = context.progress.get("done", False)
    while not done:
        answer = context.database.rpc(
            "send_feedback_surveys",
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
