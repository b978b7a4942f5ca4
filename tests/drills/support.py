"""Daemons as operators start them, which the drills then mistreat."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import httpx

import mentor_sync
from tests.drills.jobs import SQL
from tests.project import Api, Project

ROOT = Path(mentor_sync.__file__).parents[1]
PATIENCE = 60.0
Found = TypeVar("Found")


def wait_until(look: Callable[[], Found], seconds: float = PATIENCE) -> Found:
    """What `look` gives as soon as it gives anything."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, "it did not come to pass in time"
        time.sleep(0.05)
    return found


def install_the_drill(project: Project, api: Api) -> None:
    """The tables and verbs of the job `drill`; returns once the API knows them."""
    project.run(SQL, "notify pgrst, 'reload schema'")
    call = {"p_run_id": str(uuid4()), "p_fence": 1, "p_step": 1, "p_seconds": 0}

    def refused_as_stale() -> bool:
        return "MS001" in api.request("POST", "rpc/drill_step", json=call).text

    wait_until(refused_as_stale)


class Replica:
    """One daemon process and its log."""

    def __init__(self, url: str, key: str, log: Path, **settings: str) -> None:
        self.log = log
        environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("SUPABASE_", "MENTOR_"))},
            "SUPABASE_URL": url,
            "SUPABASE_SECRET_KEY": key,
            "MENTOR_SYNC_HEALTH_PORT": "0",
            "MENTOR_SYNC_POLL_SECONDS": "0.2",
            "PYTHONPATH": str(ROOT),
            **settings,
        }
        with log.open("wb") as sink:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.drills.jobs", "daemon", "--grace", "10"],
                stdout=sink,
                stderr=sink,
                env=environment,
                cwd=log.parent,
            )

    def events(self, name: str) -> list[dict[str, Any]]:
        """The log's lines of this event."""
        lines = self.log.read_text().splitlines()
        found = [json.loads(line) for line in lines if line.startswith("{")]
        return [line for line in found if line["event"] == name]

    def ready(self) -> dict[str, Any]:
        """What /readyz says."""
        url = wait_until(lambda: self.events("daemon starting"))[0]["health"]
        answer: dict[str, Any] = httpx.get(f"{url}/readyz", timeout=5).json()
        return answer

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)

    def stop(self) -> int:
        """SIGTERM: the exit code."""
        self.send(signal.SIGTERM)
        return self.process.wait(30)


class Fleet:
    """Daemons of one project; all are gone in the end."""

    def __init__(self, project: Project, api: Api, folder: Path) -> None:
        self.project, self.api, self.folder = project, api, folder
        self.replicas: list[Replica] = []
        install_the_drill(project, api)
        # Due every minute, it would come into what the drills count.
        project.run("insert into job_schedules (job, enabled) values ('deliver_messages', false)")

    def start(self, url: str = "", **settings: str) -> Replica:
        log = self.folder / f"daemon{len(self.replicas)}.log"
        made = Replica(url or self.api.url, self.api.keys.secret_key, log, **settings)
        self.replicas.append(made)
        return made

    def started(self, url: str = "", **settings: str) -> Replica:
        """One that is ready."""
        replica = self.start(url, **settings)
        wait_until(lambda: replica.events("daemon ready"))
        return replica

    def ask(self, **params: Any) -> str:
        """Ask for a run of the job `drill`, as in the dashboard: its id."""
        insert = "insert into job_runs (job, params) values ('drill', %s) returning id::text"
        return str(self.project.one(insert, json.dumps(params)))

    def ended(self, run: str) -> str:
        """The status of a run once it has ended."""
        query = "select status from job_runs where id = %s and finished_at is not null"
        return str(wait_until(lambda: self.project.rows(query, run))[0][0])

    def steps(self, run: str) -> int:
        return int(self.project.one("select count(*) from drill_steps where run_id = %s", run))

    def owner(self, run: str) -> Replica:
        """The daemon that has this run."""
        worker = self.project.one("select worker from job_runs where id = %s", run)
        pid = int(worker.split("/")[1])
        return next(replica for replica in self.replicas if replica.process.pid == pid)


@contextmanager
def fleet(project: Project, api: Api, folder: Path) -> Iterator[Fleet]:
    made = Fleet(project, api, folder)
    try:
        yield made
    finally:
        for replica in made.replicas:
            replica.send(signal.SIGCONT)
            replica.kill()
