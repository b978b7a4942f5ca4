"""Both jobs over the API: twice in a row, at once, killed in the middle."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.health.support import HEALTH, SURVEYS, mails, run
from tests.project import Api, Project

ONCE = """select count(*), count(distinct (kind, recipient)) from message_outbox
  where kind <> 'operator_alert'"""


def many(project: Project, count: int) -> None:
    """So many silent pairs, of nobody else."""
    project.run(
        "insert into users (email, full_name, role) select r || i || '@example.org', r || i, r"
        f" from generate_series(1, {count}) as i, unnest(array['student', 'mentor']) as r",
        """insert into matches (student_id, mentor_id, started_at)
          select s.id, t.id, now() - interval '40 days' from users as s
          join users as t on t.email = replace(s.email, 'student', 'mentor')
          where s.role = 'student'""",
    )


@pytest.mark.parametrize("job", [SURVEYS, HEALTH])
def test_four_at_once_and_once_more_tell_everybody_once(
    project: Project, api: Api, job: str
) -> None:
    many(project, 60)
    with ThreadPoolExecutor(4) as pool:
        ended = list(pool.map(lambda _: run(api, job, chunk_size=25), range(4)))
    assert {one.status for one in ended} == {"succeeded"}
    assert project.rows(ONCE) == [(120, 120)]
    again = run(api, job).counts
    assert again.get("mails", again.get("asked")) == 0
    assert project.rows(ONCE) == [(120, 120)]


@pytest.mark.parametrize("job", [SURVEYS, HEALTH])
def test_killed_in_the_middle_the_next_run_does_the_rest(
    project: Project, api: Api, job: str
) -> None:
    many(project, 400)
    environment = {
        **os.environ,
        "SUPABASE_URL": api.url,
        "SUPABASE_SECRET_KEY": api.keys.secret_key,
        "MENTOR_SYNC_CHUNK_SIZE": "5",
    }
    command = [sys.executable, "-m", "mentor_sync", "job", "run", job, "--yes"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while len(mails(project)) < 20:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.kill()
    process.wait()
    assert 20 <= len(mails(project)) < 800
    assert run(api, job).status == "succeeded"
    assert project.rows(ONCE) == [(800, 800)]
