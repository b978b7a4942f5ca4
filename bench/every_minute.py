"""The daemon with a hundred jobs that do nothing, each due every minute."""

from __future__ import annotations

from mentor_sync.cli import run
from mentor_sync.job import JobContext, JobResult, Params, job

JOBS = 100


def nothing(context: JobContext, params: Params) -> JobResult:
    """Do nothing."""
    return JobResult()


if __name__ == "__main__":
    for number in range(JOBS):
        nothing.__name__ = f"minute_{number:03}"
        job(params=Params, cron="* * * * *", jitter_seconds=0)(nothing)
    run()
