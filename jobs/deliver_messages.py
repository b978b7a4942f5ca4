"""Send what waits in the outbox: claim, render, hand over, note what became of each.

Reads message_outbox, users and the preferences; writes message_outbox. Killed anywhere, it may
hand a message over again, with the same id: a provider that knows ids sends it once, a receiver
sees the same Message-ID.
"""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

from mentor_sync.errors import MentorSyncError
from mentor_sync.job import JobContext, JobResult, Params, Progress, job
from mentor_sync.mail.delivery import Post, Row, mail_url, open_post

BATCH = 100
"""Messages a claim: so many may be handed over twice where a worker is killed."""


class DeliverParams(Params):
    """It takes none."""


@job(params=DeliverParams, cron="* * * * *", catch_up="skip", max_concurrent=None, keep_days=7)
def deliver_messages(context: JobContext, _params: DeliverParams) -> JobResult:
    """Send the messages that are due."""
    counts: Counter[str] = Counter()
    context.database.rpc("compose_digests", context.ownership, expect=dict)
    if mail_url(context.settings, context.database.url) is None:
        return _undeliverable(context)
    with closing(open_post(context.settings, context.database.url)) as post:
        _deliver(context, post, counts)
    return JobResult(dict(counts), partial=counts["failed"] + counts["dead"] > 0)


def _deliver(context: JobContext, post: Post, counts: Counter[str]) -> None:
    """Batch after batch; the next one is claimed while one is sent."""
    with ThreadPoolExecutor(1) as ahead:
        upcoming = ahead.submit(_claim, context)
        while (claimed := upcoming.result())["looked_at"]:
            upcoming = ahead.submit(_claim, context)
            try:
                results = post.send(claimed["messages"], str(context.run_id))
            except MentorSyncError:
                # None went out, and that is no fault of theirs: they wait as they did.
                _release(context, claimed["messages"] + upcoming.result()["messages"])
                raise
            counts.update(_finish(context, results))
            read = sum(counts.values())
            context.report(Progress(read, read, dict(counts), []))


def _claim(context: JobContext) -> dict[str, Any]:
    asked = {**context.ownership, "p_limit": BATCH}
    return context.database.rpc("claim_messages", asked, expect=dict)


def _release(context: JobContext, messages: list[Row]) -> None:
    _finish(context, [{"id": message["id"], "outcome": "released"} for message in messages])


def _finish(context: JobContext, results: list[dict[str, Any]]) -> dict[str, int]:
    told = {**context.ownership, "p_results": results}
    return context.database.rpc("finish_messages", told, expect=dict)


def _undeliverable(context: JobContext) -> JobResult:
    """Not an error of every minute: a project may do without mail."""
    waiting = context.database.select(
        "message_outbox", "id", order="created_at", limit=1, status="queued"
    )
    if waiting:
        context.log.warning("mail waits, and MENTOR_SYNC_MAIL is not set")
    return JobResult({"waiting": len(waiting)}, partial=bool(waiting))
