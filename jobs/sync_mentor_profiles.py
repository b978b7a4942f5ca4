"""Members become mentors: the full sweep that keeps users and mentors in step with members.

Reads members and users_user; writes users, mentors and sync_rejects, by the SQL function that
the triggers use too, and in the end the profiles by which mentors are matched. Running it again
is safe: a row that is as it should be is not written.
"""

from __future__ import annotations

from pydantic import Field

from mentor_sync.api_errors import STATEMENT_TIMEOUT
from mentor_sync.database import Json
from mentor_sync.errors import Overloaded
from mentor_sync.job import JobContext, JobResult, Params, Progress, job
from mentor_sync.terms import refresh_terms

GOAL_MILLISECONDS = 1000
"""What a call should take: far under the statement timeout of the API."""
SMALLEST_CHUNK = 100
"""Fewer members a call gain nothing."""


class SyncParams(Params):
    """dry_run: roll every chunk back. auto_approve: none means what program_settings says.

    email: only the member with this address. only_rejected: only members that were set aside.
    max_changes: stop so many mentors without approval, instead of the part that job_schedules
    allows. every_record: report all records, not samples.
    """

    dry_run: bool = False
    auto_approve: bool | None = None
    email: str | None = Field(None, min_length=1)
    only_rejected: bool = False
    max_changes: int | None = Field(default=None, ge=0)
    every_record: bool = False


@job(params=SyncParams, cron="0 2 * * *")
def sync_mentor_profiles(context: JobContext, params: SyncParams) -> JobResult:
    """Make mentors of the active members of type mentor, and keep them in step."""
    cursor: str | None = context.progress.get("cursor")
    counts: dict[str, int] = dict(context.progress.get("counts", {}))
    read: int = context.progress.get("read", 0)
    done: bool = context.progress.get("done", False)
    limit = context.settings.chunk_size
    records = 1000
    while not done:
        answer, limit = _chunk(context, params, cursor, limit, records)
        counts = {
            kind: counts.get(kind, 0) + answer["counts"].get(kind, 0)
            for kind in sorted(counts.keys() | answer["counts"].keys())
        }
        read, cursor, done = read + answer["read"], answer["cursor"], answer["done"]
        records = max(20, records - len(answer["records"]))
        context.report(Progress(read, max(read, answer["about"]), counts, answer["records"]))
        if answer.get("warning"):
            context.log.warning("approval will be needed", reason=answer["warning"])
        context.log.debug("chunk", read=read, limit=limit, milliseconds=answer["milliseconds"])
    if not params.dry_run:
        refresh_terms(context, Progress(read, read, counts, []))
    return JobResult(counts, partial=counts.get("rejected", 0) > 0)


def _chunk(
    context: JobContext, params: SyncParams, cursor: str | None, limit: int, records: int
) -> tuple[Json, int]:
    """One call, and the limit for the next; a call that takes too long is tried with less."""
    while True:
        try:
            answer = context.database.rpc(
                "sync_mentor_profiles",
                {
                    **context.ownership,
                    "p_after": cursor,
                    "p_limit": limit,
                    "p_dry_run": params.dry_run,
                    "p_auto_approve": params.auto_approve,
                    "p_email": params.email,
                    "p_only_rejected": params.only_rejected,
                    "p_max_changes": params.max_changes,
                    "p_records": None if params.every_record else records,
                },
                expect=dict,
            )
        except Overloaded as error:
            if error.code != STATEMENT_TIMEOUT or limit <= SMALLEST_CHUNK:
                raise
            limit = max(SMALLEST_CHUNK, limit // 4)
            context.log.warning("chunk took too long", next_limit=limit)
            continue
        return answer, _next_limit(limit, answer["milliseconds"], context.settings.chunk_size)


def _next_limit(limit: int, milliseconds: int, most: int) -> int:
    """So many members as should take a second, changing by at most a factor of two a call."""
    wanted = limit * GOAL_MILLISECONDS // max(milliseconds, 1)
    smallest = min(SMALLEST_CHUNK, most)
    return max(smallest, min(most, 2 * limit, max(limit // 2, wanted)))
