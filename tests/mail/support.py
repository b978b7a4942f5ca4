"""Messages in the outbox, and the verbs of deliver_messages as a worker calls them."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from tests.project import Project


def queue(project: Project, recipient: UUID, about: str = "x", **values: Any) -> UUID:
    """Queue a message, as its cause does."""
    named = {"p_kind": "milestone", "p_recipient": recipient, "p_about": about, **values}
    given = ", ".join(f"{name} => %s" for name in named)
    bound = [json.dumps(value) if isinstance(value, dict) else value for value in named.values()]
    return UUID(str(project.one(f"select queue_message({given})", *bound)))


def statuses(project: Project) -> dict[str, int]:
    return dict(project.rows("select status, count(*) from message_outbox group by 1"))


class Worker:
    """A run of deliver_messages."""

    def __init__(self, project: Project) -> None:
        self.project = project
        project.run(
            "insert into job_schedules (job, max_concurrent) values ('deliver_messages', null)"
            " on conflict do nothing"
        )
        insert = """insert into job_runs (job, status, fence, attempt, claimed_at, lease_expires_at)
          values ('deliver_messages', 'running', 1, 1, now(), now() + interval '1 hour')
          returning id"""
        self.run = project.one(insert)
        self.fence = 1

    def claim(self, limit: int = 100) -> list[dict[str, Any]]:
        call = "select claim_messages(%s, %s, %s) -> 'messages'"
        found: list[dict[str, Any]] = self._one(call, limit)
        return found

    def finish(self, *ids: Any, outcome: str = "sent", **more: Any) -> dict[str, int]:
        results = [{"id": str(i), "outcome": outcome, **more} for i in ids]
        counts: dict[str, int] = self._one(
            "select finish_messages(%s, %s, %s)", json.dumps(results)
        )
        return counts

    def compose(self) -> int:
        return int(self._one("select compose_digests(%s, %s) -> 'digests'"))

    def die(self) -> None:
        self.project.run(f"update job_runs set status = 'dead' where id = '{self.run}'")

    def _one(self, query: str, *values: Any) -> Any:
        return self.project.one(query, self.run, self.fence, *values)
