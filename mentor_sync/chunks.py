"""A job that is one verb, called chunk by chunk until it says that it is done."""

from __future__ import annotations

from mentor_sync.job import JobContext, JobResult, Progress


def run_chunks(context: JobContext, verb: str, *, most: int, dry_run: bool) -> JobResult:
    """Call `verb` with a cursor, from where an earlier attempt got to; the counts of all chunks.

    The verb takes p_run_id, p_fence, p_after, p_limit and p_dry_run, and answers with read,
    cursor, done and counts, which it keeps in `job_runs.progress` too.
    """
    cursor: str | None = context.progress.get("cursor")
    counts: dict[str, int] = dict(context.progress.get("counts", {}))
    read: int = context.progress.get("read", 0)
    done: bool = context.progress.get("done", False)
    asked = {**context.ownership, "p_limit": min(most, context.settings.chunk_size)}
    while not done:
        call = {**asked, "p_after": cursor, "p_dry_run": dry_run}
        answer = context.database.rpc(verb, call, expect=dict)
        read, cursor, done = read + answer["read"], answer["cursor"], answer["done"]
        for outcome, number in answer["counts"].items():
            counts[outcome] = counts.get(outcome, 0) + number
        context.report(Progress(read, read, counts, []))
    return JobResult(counts)
