"""The delivery, or its floor, in a process of its own.

`python -m bench.mail_client deliver FOLDER` runs deliver_messages once on the project of the
environment; `... floor FILE HOST PORT` sends the mails of a file by smtplib alone. Both print what
it took, as JSON.
"""

from __future__ import annotations

import json
import os
import smtplib
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.postgrest import ToPostgrest
from bench.project import Api
from bench.smtp_servers import HOST, Taken
from bench.steps import Steps
from mentor_sync import runner
from mentor_sync.database import Database
from mentor_sync.job import load_jobs
from mentor_sync.local.state import State
from mentor_sync.logs import configure_logs
from mentor_sync.mail import delivery
from mentor_sync.mail.backends import Smtp, letters
from mentor_sync.mail.message import Email
from mentor_sync.settings import load_settings

_UNLIMITED = 1e9
"""Mails a second: the bound that operators set would be all that is measured."""


@dataclass(frozen=True)
class Took:
    """Seconds by the clock, and of this process on a processor: others do not change these."""

    seconds: float
    busy: float


@dataclass(frozen=True)
class Delivered(Took):
    """What one delivery took, in all and by step; `meanwhile` in other threads."""

    steps: dict[str, float]
    meanwhile: dict[str, float]


class _Watch:
    def __init__(self) -> None:
        self._begun = time.perf_counter(), time.process_time()

    def read(self) -> tuple[float, float]:
        return time.perf_counter() - self._begun[0], time.process_time() - self._begun[1]


def deliver(api: Api, folder: Path, port: int) -> Delivered:
    """Run deliver_messages in a fresh process."""
    answer = _asked(
        ["deliver", str(folder)],
        SUPABASE_URL=api.url,
        SUPABASE_SECRET_KEY=api.secret_key,
        MENTOR_SYNC_MAIL=f"smtp://{HOST}:{port}",
        MENTOR_SYNC_MAIL_FROM="Harbour Mentoring <mentoring@mentoring.example>",
        MENTOR_SYNC_LINKS="https://mentoring.example/leave",
    )
    return Delivered(**answer)


def send_bare(mails: list[Taken], folder: Path, port: int) -> Took:
    """What the same mails take over one connection of smtplib, in a fresh process."""
    file = folder / "floor.json"
    file.write_text(json.dumps(mails), encoding="ascii")
    return Took(**_asked(["floor", str(file), HOST, str(port)]))


def _asked(words: list[str], **variables: str) -> Any:
    foreign = ("SUPABASE_", "MENTOR_SYNC_")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(foreign)},
        **variables,
        "PYTHONPATH": str(Path(__file__).parents[1]),
    }
    command = [sys.executable, "-m", __name__, *words]
    # Where there is no .env.
    done = subprocess.run(command, cwd="/", env=environment, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def _floor(file: str, host: str, port: str) -> Took:
    mails = [
        (sender, to, mail.encode("ascii"))
        for sender, to, mail in json.loads(Path(file).read_bytes())
    ]
    with smtplib.SMTP(host, int(port)) as connection:
        connection.ehlo()
        watch = _Watch()
        for sender, to, mail in mails:
            connection.sendmail(sender, to, mail)
        return Took(*watch.read())


def _deliver(folder: str) -> Took:
    settings = load_settings().model_copy(update={"mail_per_second": _UNLIMITED})
    configure_logs(settings.log_level, settings.log_format)
    load_jobs()
    assert settings.supabase_url is not None
    assert settings.supabase_key is not None
    transport = ToPostgrest(State.load(Path(folder)))
    key = settings.supabase_key.get_secret_value()
    with Database(settings.supabase_url, key, transport=transport) as database:
        database.select("job_schedules", order="job", limit=1)  # connects
        steps = _watched()
        watch = _Watch()
        runner.run_now(database, settings, "deliver_messages", {})
        return Delivered(*watch.read(), dict(steps.seconds), dict(steps.meanwhile))


def _watched() -> Steps:
    steps = Steps()
    steps.watch(Database, "rpc", lambda _self, verb, *_: verb)
    steps.watch(delivery, "render", "render")
    steps.watch(letters, "composed", "compose")
    steps.watch(Email, "as_bytes", "compose")
    steps.watch(Smtp, "send", "SMTP")
    return steps


if __name__ == "__main__":
    mode, *words = sys.argv[1:]
    print(json.dumps(asdict(_deliver(*words) if mode == "deliver" else _floor(*words))))
