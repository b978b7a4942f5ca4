"""The verbs of runs, called as the daemon calls them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from threading import Barrier
from typing import Any, TypeVar

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from mentor_sync.job import Job, JobContext, JobResult, Params
from tests.project import Project, Row

Run = dict[str, Any]
Given = TypeVar("Given")
RETRYABLE = {"code": "unreachable", "message": "No answer.", "hint": "", "retryable": True}
FOR_GOOD = {"code": "22P02", "message": "Nonsense.", "hint": "Look.", "retryable": False}


class Refused(Exception):
    """The SQLSTATE of an error."""


def _work(_context: JobContext, _params: Params) -> JobResult:
    """Never called."""
    raise AssertionError


def schedule(job: str = "work", **values: Any) -> dict[str, Any]:
    """A row as daemons register it; any number of runs at a time, but for these values."""
    row = Job(job, "Work.", Params, _work).schedule()
    return row | {"max_concurrent": None} | values


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
        try:
            with self.connection.transaction():
                found = self.connection.execute(query, params).fetchone()
        except psycopg.Error as error:
            raise Refused(error.sqlstate) from error
        return found[0] if found else None

    def register(self, *jobs: dict[str, Any]) -> int:
        return int(self.call("register_jobs", p_jobs=Jsonb(list(jobs))))

    def enqueue(self, job: str = "work", **params: Any) -> Run:
        given = {name: Jsonb(v) if name == "p_params" else v for name, v in params.items()}
        run: Run = self.call("enqueue_run", p_job=job, **given)
        return run

    def slots(self, *due: dict[str, Any]) -> list[dict[str, str]]:
        """The runs that were made of these slots."""
        made: list[dict[str, str]] = self.call("enqueue_slots", p_due=Jsonb(list(due)))
        return made

    def claim_all(self, worker: str = "w", limit: int = 1, **params: Any) -> list[Run]:
        claimed: list[Run] = self.call("claim_runs", p_worker=worker, p_limit=limit, **params)
        assert isinstance(claimed, list)
        return claimed

    def claim(self, worker: str = "w", run: Run | None = None, **params: Any) -> Run | None:
        """One run, if one is due."""
        named = {"p_run_id": run["id"]} if run else {}
        claimed = self.claim_all(worker, p_holding=self.held(worker), **named, **params)
        assert len(claimed) <= 1
        return claimed[0] if claimed else None

    def claimed(self, worker: str = "w", **params: Any) -> Run:
        """A new run that this worker has."""
        run = self.claim(worker, self.enqueue(**params))
        assert run
        return run

    def held(self, worker: str) -> list[str]:
        """What this worker knows it has."""
        query = "select id from public.job_runs where worker = %s and status = 'running'"
        return [str(run) for (run,) in self.connection.execute(query, [worker])]

    def heartbeat(self, run: Run) -> Any:
        return self.call("heartbeat_run", p_run_id=run["id"], p_fence=run["fence"])

    def finish_all(self, *results: dict[str, Any]) -> list[str]:
        """Those that somebody else has by now."""
        answer = self.call("finish_runs", p_results=Jsonb(list(results)))
        assert list(answer) == ["stale"]
        stale: list[str] = answer["stale"]
        return stale

    def finish(self, run: Run, status: str = "succeeded", **more: Any) -> bool:
        """Whether the run was still the worker's own to end."""
        result = {"id": run["id"], "fence": run["fence"], "status": status, **more}
        stale = self.finish_all(result)
        assert stale in ([], [run["id"]])
        return not stale

    def fail(self, run: Run) -> Run:
        """An attempt that may go better next time: the run after it."""
        assert self.finish(run, "failed", error=RETRYABLE)
        return self.row(run)

    def sync(self, run: Run) -> Any:
        """The verb of a job that writes."""
        return self.call("sync_mentor_profiles", p_run_id=run["id"], p_fence=run["fence"])

    def by_hand(self, verb: str, run: Run) -> Run:
        """cancel, approve or retry."""
        changed: Run = self.call(f"{verb}_run", p_run_id=run["id"])
        return changed

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

    def alerts(self, run: Run) -> list[tuple[str, bool]]:
        """The alerts of a run, the oldest first: their kind, and whether somebody saw to them."""
        query = """select a.kind, a.acknowledged_at is not null from public.job_alerts as a
          where a.run_id = %s order by a.created_at, a.acknowledged_at nulls last"""
        return [(kind, seen) for kind, seen in self.connection.execute(query, [run["id"]])]

    def count(self) -> int:
        return len(self.connection.execute("select from public.job_runs").fetchall())

    def change(self, run: Run, assignment: str) -> None:
        """As time passing would change it, or an operator in the dashboard."""
        self.connection.execute(
            f"update public.job_runs set {assignment} where id = %s".encode(), [run["id"]]
        )

    def expire(self, run: Run) -> None:
        self.change(run, "lease_expires_at = clock_timestamp() - interval '1 second'")

    def wait_over(self, run: Run) -> None:
        """Until the next attempt of a run that failed is due."""
        self.change(run, "run_at = clock_timestamp()")


def moment(run: Run, column: str) -> datetime:
    return datetime.fromisoformat(run[column])


@contextmanager
def daemon(project: Project) -> Iterator[Verbs]:
    """One whose every call is a transaction of its own, as over the API."""
    with psycopg.connect(project.authenticator_dsn, autocommit=True) as connection:
        connection.execute("set role service_role")
        yield Verbs(connection)


def until_waiting(project: Project, number: int) -> None:
    """Until so many sessions wait for a lock."""
    query = """select count(*) from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'"""
    deadline = time.monotonic() + 30
    while project.one(query) < number:
        assert time.monotonic() < deadline, "nobody waits"


def at_once(project: Project, number: int, work: Callable[[Verbs, int], Given]) -> list[Given]:
    """So many daemons, who begin at the same moment."""
    start = Barrier(number)

    def begin(worker: int) -> Given:
        with daemon(project) as verbs:
            start.wait(30)
            return work(verbs, worker)

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(begin, range(number)))
