"""The job in a process of its own, so that its memory can be seen.

`python -m bench.client` runs sync_mentor_profiles once on the project of the environment and
prints what it took, as JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.project import Api
from mentor_sync.database import Database
from mentor_sync.job import load_jobs
from mentor_sync.logs import configure_logs
from mentor_sync.runner import run_now
from mentor_sync.settings import load_settings

JOB = "sync_mentor_profiles"


@dataclass(frozen=True)
class Run:
    """What one run took: seconds, requests, megabytes that the peak of memory rose by."""

    seconds: float
    requests: int
    grown_mb: float
    status: str
    counts: dict[str, int]


def run_job(api: Api, folder: Path) -> Run:
    """Run the job in a fresh process."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("SUPABASE_")},
        "SUPABASE_URL": api.url,
        "SUPABASE_SECRET_KEY": api.secret_key,
        "PYTHONPATH": str(Path(__file__).parents[1]),
    }
    done = subprocess.run(
        [sys.executable, "-m", __name__],
        cwd=folder,  # where there is no .env
        env=environment,
        stdout=subprocess.PIPE,
        check=True,
    )
    run = Run(**json.loads(done.stdout))
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
        memory, begun, requests = peak_kb(), time.perf_counter(), database.calls.requests
        finished = run_now(database, settings, JOB, {})
        run = Run(
            seconds=time.perf_counter() - begun,
            requests=database.calls.requests - requests,
            grown_mb=(peak_kb() - memory) / 1024,
            status=finished.status,
            counts=finished.counts,
        )
    print(json.dumps(asdict(run)))


def peak_kb() -> int:
    """The peak of resident memory. getrusage would begin with that of the parent process."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    raise RuntimeError("/proc/self/status does not tell the peak of memory.")


if __name__ == "__main__":
    main()
