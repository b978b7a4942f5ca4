"""Take back what an earlier run changed, as far as nobody touched it since.

Reads job_changes; writes the tables that it names. The undoing is a run like any other: its own
changes are logged, and can be undone.
"""

from __future__ import annotations

from uuid import UUID

from pydantic import Field

from mentor_sync.job import JobContext, JobResult, Params, Progress, job


class UndoParams(Params):
    """run_id: the run to undo. dry_run: roll every chunk back."""

    # A string in job_runs.params, as JSON has it.
    run_id: UUID = Field(strict=False)
    dry_run: bool = False


@job(params=UndoParams)
def undo_run(context: JobContext, params: UndoParams) -> JobResult:
    """Take back what a run changed, except in rows that were changed since."""
    cursor: int | None = context.progress.get("cursor")
    counts: dict[str, int] = dict(context.progress.get("counts", {}))
    done: bool = context.progress.get("done", False)
    while not done:
        answer = context.database.rpc(
            "undo_changes",
            {
                **context.ownership,
                "p_of": str(params.run_id),
                "p_before": cursor,
                "p_limit": context.settings.chunk_size,
                "p_dry_run": params.dry_run,
            },
            expect=dict,
        )
        cursor, done = answer["cursor"], answer["done"]
        for outcome, number in answer["counts"].items():
            counts[outcome] = counts.get(outcome, 0) + number
        read = sum(counts.values())
        context.report(Progress(read, read, counts, answer["kept"]))
    return JobResult(counts, partial=counts.get("kept", 0) > 0)
