"""How fast runs are taken and ended, how late slots start, what the change log costs.

`python -m bench.runner` starts a stack of its own in a temporary folder; see bench/README.md.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from bench.client import run_job
from bench.population import forget, populate
from bench.postgrest import ToPostgrest
from bench.project import MIGRATED, Api, Database, Project, statement, temporary_project
from bench.scores import Case, Sample, score, table
from mentor_sync import database as door
from mentor_sync.local.state import State

QUEUED = 5_000
DAEMONS = 4
JOBS = 100
MINUTES = 3
# Hosted Supabase has a proxy in C where ours is in Python, so the goal is about PostgREST itself.
GATEWAY = Case("claim and finish, 100 a call, through our gateway")
QUEUE = {batch: Case(f"claim and finish, {batch} a call", goal) for batch, goal in
         ((1, None), (10, None), (100, 1 / 0.6))}  # fmt: skip
P50 = Case("slot lateness, median", None, "ours", unit="s")
P99 = Case("slot lateness, 99 %", 1, "ours", unit="s")
LOGGED = Case("first sync with the change log", 2)

Call = Callable[[str, dict[str, Any]], Any]


def main() -> int:
    options = _options()
    with temporary_project() as project:
        samples = [sample for _ in range(options.rounds) for sample in _queue(project)]
        samples += _lateness(project)
        samples += _change_log(project, options.members, options.rounds)
    print(table(score(samples)))
    return 0


def _queue(project: Project) -> Iterator[Sample]:
    """The same verbs over the API and over a direct connection."""
    for batch, case in QUEUE.items():
        with project.copy(MIGRATED) as database:
            _fill(database)
            with psycopg.connect(database.dsn, autocommit=True) as connection:
                floor = _drain(_directly(connection), batch)
            _each_taken_once(database)
        yield Sample(case, QUEUED, _over_api(project, batch, direct=True), floor)
    yield Sample(GATEWAY, QUEUED, _over_api(project, batch, direct=False), floor)


def _over_api(project: Project, batch: int, *, direct: bool) -> float:
    with project.copy(MIGRATED) as database, project.served(database) as api:
        _fill(database)
        transport = ToPostgrest(State.load(project.folder)) if direct else None
        with door.Database(api.url, api.secret_key, transport=transport) as opened:
            seconds = _drain(_over(opened), batch)
        _each_taken_once(database)
    return seconds


def _fill(database: Database) -> None:
    database.run(b"insert into job_schedules (job, max_concurrent) values ('queue', null)")
    database.run(
        b"insert into job_runs (job) select 'queue' from generate_series(1, %(n)s)", {"n": QUEUED}
    )
    database.settle()


def _drain(call: Call, batch: int) -> float:
    """Seconds to claim and finish everything, so many a call."""
    call("claim_runs", {"p_worker": "nobody", "p_limit": 0})  # connects
    begun = time.perf_counter()
    while claimed := call("claim_runs", {"p_worker": "bench", "p_limit": batch}):
        ends = [{"id": r["id"], "fence": r["fence"], "status": "succeeded"} for r in claimed]
        assert call("finish_runs", {"p_results": ends}) == {"stale": []}
    return time.perf_counter() - begun


def _directly(connection: psycopg.Connection[Any]) -> Call:
    def call(verb: str, params: dict[str, Any]) -> Any:
        if verb == "finish_runs":
            query = b"select finish_runs(%(p_results)s)"
            params = {"p_results": json.dumps(params["p_results"])}
        else:
            query = b"select claim_runs(%(p_worker)s, %(p_limit)s)"
        found = connection.execute(query, params).fetchone()
        assert found
        return found[0]

    return call


def _over(opened: door.Database) -> Call:
    def call(verb: str, params: dict[str, Any]) -> Any:
        if verb == "finish_runs":
            return opened.rpc(verb, params, expect=dict)
        return opened.rpc(verb, params, expect=list)

    return call


def _each_taken_once(database: Database) -> None:
    found = database.row(
        b"select count(*) filter (where status = 'succeeded' and attempt = 1 and fence = 1),"
        b" count(*) from job_runs"
    )
    if found != (QUEUED, QUEUED):
        raise RuntimeError(f"Of {found[1]} runs {found[0]} ran once.")


def _lateness(project: Project) -> Iterator[Sample]:
    """100 jobs of every minute, four daemons, some minutes: from the slot to the claim."""
    with project.copy(MIGRATED) as database, project.served(database) as api:
        with _daemons(project, api):
            time.sleep(MINUTES * 60 + 5)
        count, median, late = database.row(
            b"select count(*), percentile_cont(0.5) within group (order by late),"
            b" percentile_cont(0.99) within group (order by late)"
            b" from (select extract(epoch from claimed_at - slot) as late from job_runs"
            b" where slot is not null and claimed_at is not null) as r"
        )
        if count < JOBS * MINUTES:
            raise RuntimeError(f"Only {count} slots ran.")
    yield Sample(P50, count, float(median))
    yield Sample(P99, count, float(late))


@contextmanager
def _daemons(project: Project, api: Api) -> Iterator[None]:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("SUPABASE_")},
        "SUPABASE_URL": api.url,
        "SUPABASE_SECRET_KEY": api.secret_key,
        "MENTOR_SYNC_HEALTH_PORT": "0",
        "MENTOR_SYNC_LOG_LEVEL": "error",
        "PYTHONPATH": str(Path(__file__).parents[1]),
    }
    command = [sys.executable, "-m", "bench.every_minute", "daemon", "--grace", "5"]
    started = [
        subprocess.Popen(command, cwd=project.folder, env=environment) for _ in range(DAEMONS)
    ]
    try:
        yield
    finally:
        for daemon in started:
            daemon.terminate()
        for daemon in started:
            daemon.wait(30)


def _change_log(project: Project, members: int, rounds: int) -> Iterator[Sample]:
    """The first sync with and without the triggers that log."""
    population = populate(project, members)
    for _ in range(rounds):
        with project.copy(population.registered) as database:
            for name in ("inserted", "updated"):
                for target in ("users", "mentors"):
                    database.run(
                        f"alter table {target} disable trigger mentor_sync_log_{name}".encode()
                    )
            with project.served(database) as api:
                floor = run_job(api, project.folder).seconds
            wanted = database.row(statement("digest"))
        with project.copy(population.registered) as database:
            with project.served(database) as api:
                ours = run_job(api, project.folder).seconds
            if database.row(statement("digest")) != wanted:
                raise RuntimeError("The log changed what the sync does.")
        yield Sample(LOGGED, members, ours, floor)
    forget(project, population)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.runner", description=__doc__)
    parser.add_argument("--members", type=int, default=100_000, help="for the change log")
    parser.add_argument("--rounds", type=int, default=3, help="the median counts")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
