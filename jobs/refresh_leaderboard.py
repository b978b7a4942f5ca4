"""Who gave most: the leaderboard of mentors, made anew.

Reads mentors, quick_questions, mentorship_sessions and matches; writes mentor_leaderboard, in one
statement. Running it again is safe: a row that is as it should be is not written.
"""

from __future__ import annotations

from mentor_sync.job import JobContext, JobResult, Params, Progress, job


class LeaderboardParams(Params):
    """It takes none."""


@job(params=LeaderboardParams, cron="0 4 * * *")
def refresh_leaderboard(context: JobContext, _params: LeaderboardParams) -> JobResult:
    """Count what mentors gave, and rank them by it."""
    answer = context.database.rpc("refresh_leaderboard", context.ownership, expect=dict)
    counts: dict[str, int] = answer["counts"]
    read = sum(counts.values())
    context.report(Progress(read, read, counts, []))
    return JobResult(counts)
