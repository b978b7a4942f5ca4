"""build_match_batches in a process of its own, so that its memory can be seen.

`python -m bench.match_client` runs it once on the project of the environment and prints what it
took, as JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.client import peak_kb
from bench.project import Api
from bench.steps import Steps
from mentor_sync.database import Database
from mentor_sync.job import load_jobs
from mentor_sync.logs import configure_logs
from mentor_sync.matching import proposals
from mentor_sync.matching.parity import Sample
from mentor_sync.matching.pool import Mentors, Pool, Requests
from mentor_sync.matching.proposals import Proposals
from mentor_sync.matching.scorer import Scorer
from mentor_sync.runner import run_now
from mentor_sync.settings import load_settings

JOB = "build_match_batches"
SCORE = "score"
WRITE = "write"
_VERBS = {
    "requests_to_match": "read",
    "mentors_to_match": "read",
    "term_labels": "parity sample",
    "scores_of_pairs": "parity sample",
    "save_match_batches": WRITE,
    "announce_offers": "announce",
}


@dataclass(frozen=True)
class Matched:
    """What one run took, in all and by step; `meanwhile` in other threads."""

    seconds: float
    peak_mb: float
    grown_mb: float
    requests: int
    status: str
    counts: dict[str, int]
    steps: dict[str, float]
    meanwhile: dict[str, float]


def match(api: Api, folder: Path) -> Matched:
    """Run the job in a fresh process."""
    foreign = ("SUPABASE_", "MENTOR_SYNC_")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(foreign)},
        "SUPABASE_URL": api.url,
        "SUPABASE_SECRET_KEY": api.secret_key,
        "PYTHONPATH": str(Path(__file__).parents[1]),
    }
    command = [sys.executable, "-m", __name__]
    # Where there is no .env.
    done = subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.PIPE, check=True)
    run = Matched(**json.loads(done.stdout))
    if run.status != "succeeded":
        raise RuntimeError(f"The job ended as {run.status}: {run.counts}")
    return run


def main() -> None:
    settings = load_settings()
    configure_logs(settings.log_level, settings.log_format)
    load_jobs()
    assert settings.supabase_url is not None
    assert settings.supabase_key is not None
    with Database(settings.supabase_url, settings.supabase_key.get_secret_value()) as database:
        database.select("job_schedules", order="job", limit=1)  # connects
        steps = _watched()
        memory, begun, requests = peak_kb(), time.perf_counter(), database.calls.requests
        finished = run_now(database, settings, JOB, {})
        run = Matched(
            seconds=time.perf_counter() - begun,
            peak_mb=peak_kb() / 1024,
            grown_mb=(peak_kb() - memory) / 1024,
            requests=database.calls.requests - requests,
            status=finished.status,
            counts=finished.counts,
            steps=dict(steps.seconds),
            meanwhile=dict(steps.meanwhile),
        )
    print(json.dumps(asdict(run)))


def _watched() -> Steps:
    steps = Steps()
    steps.watch(Database, "rpc", lambda _self, verb, *_: _VERBS.get(verb, "run and progress"))
    for reader in (Requests, Mentors):
        steps.watch(reader, "of", "encode")
    steps.watch(Pool, "rules", "encode")
    steps.watch(Scorer, "__init__", "encode")
    steps.watch(Scorer, "scores", SCORE)
    steps.watch(proposals, "spread", "spread")
    steps.watch(proposals, "breakdown", "breakdown")
    steps.watch(Sample, "draw", "parity sample")
    steps.watch(Sample, "check", "parity sample")
    steps.watch_items(Proposals, "chunks", "put together")
    return steps


if __name__ == "__main__":
    main()
