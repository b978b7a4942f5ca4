"""The verbs of runs, called as the daemon calls them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from tests.project import Row

Run = dict[str, Any]
JOB = {
    "job": "work",
    "description": "Work.",
    "cron": None,
    "timezone": "UTC",
    "lease_seconds": 60,
    "max_attempts": 3,
}


class Refused(Exception):
    """The SQLSTATE of an error."""


@dataclass(frozen=True)
class Verbs:
    """Over a connection that acts as service_role."""

    connection: psycopg.Connection[Row]

    def call(self, verb: str, **params: Any) -> Any:
        """Raises Refused, and the transaction goes on."""
        named = sql.SQL(", ").join(
            sql.SQL("{} => {}").format(sql.Identifier(name), sql.Placeholder(name))
            for name in params
        )
        query = sql.SQL("select public.{}({})").format(sql.Identifier(verb), named)
        values = {
            name: Jsonb(value) if isinstance(value, dict | list) and name != "p_jobs" else value
            for name, value in params.items()
        }
        try:
            with self.connection.transaction():
                found = self.connection.execute(query, values).fetchone()
        except psycopg.Error as error:
            raise Refused(error.sqlstate) from error
        return found[0] if found else None

    def register(self, *jobs: dict[str, Any]) -> int:
        return int(self.call("register_jobs", p_jobs=Jsonb(list(jobs))))

    def enqueue(self, job: str = "work", **params: Any) -> Run:
        run: Run = self.call("enqueue_run", p_job=job, **params)
        return run

    def claim(self, worker: str = "w", run: Run | None = None, **params: Any) -> Run | None:
        named = {"p_run_id": run["id"]} if run else {}
        claimed: Run | None = self.call("claim_run", p_worker=worker, **named, **params)
        return claimed

    def claimed(self, worker: str = "w", **params: Any) -> Run:
        """A new run that this worker has."""
        run = self.claim(worker, self.enqueue(**params))
        assert run
        return run

    def heartbeat(self, run: Run) -> Any:
        return self.call("heartbeat_run", p_run_id=run["id"], p_fence=run["fence"])

    def finish(self, run: Run, status: str = "succeeded", **params: Any) -> Run:
        done: Run = self.call(
            "finish_run", p_run_id=run["id"], p_fence=run["fence"], p_status=status, **params
        )
        return done

    def sync(self, run: Run) -> Any:
        """The verb of a job that writes."""
        return self.call("sync_mentor_profiles", p_run_id=run["id"], p_fence=run["fence"])

    def row(self, run: Run) -> Run:
        """The run as it is now."""
        found = self.connection.execute(
            "select to_jsonb(r) from public.job_runs as r where r.id = %s", [run["id"]]
        ).fetchone()
        assert found
        row: Run = found[0]
        return row

    def others(self, run: Run) -> list[Row]:
        """Every other run, to compare before and after."""
        return self.connection.execute(
            "select r::text from public.job_runs as r where r.id <> %s order by r.id", [run["id"]]
        ).fetchall()

    def count(self) -> int:
        return len(self.connection.execute("select from public.job_runs").fetchall())

    def change(self, run: Run, assignment: str) -> None:
        """As time passing would change it, or an operator in the dashboard."""
        self.connection.execute(
            f"update public.job_runs set {assignment} where id = %s".encode(), [run["id"]]
        )

    def expire(self, run: Run) -> None:
        self.change(run, "lease_expires_at = clock_timestamp() - interval '1 second'")
