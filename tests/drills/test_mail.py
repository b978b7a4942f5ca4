"""Mail under kill -9: each message arrives, and again only where a kill left no word of it."""

from __future__ import annotations

import random
import time
from collections import Counter
from functools import partial

import pytest

from tests.drills.support import Fleet, wait_until
from tests.mail.resend_server import KEY, resend_server
from tests.mail.smtp_server import smtp_server
from tests.mail.support import statuses
from tests.project import Project

BATCH = 100


def queued(project: Project, count: int) -> None:
    """One message each to so many people."""
    project.run(
        "insert into users (email, full_name, role)"
        " select 'p' || i || '@example.org', 'P ' || i, 'student'"
        f" from generate_series(1, {count}) as i",
        "insert into message_outbox (kind, recipient, about, data) select 'milestone', id, 'm',"
        " jsonb_build_object('student_name', full_name, 'is_yours', true, 'title', 'Module 3',"
        " 'reached_at', now(), 'milestone_url', 'https://example.org/m') from users",
    )


def all_sent(project: Project) -> bool:
    return statuses(project).keys() == {"sent"}


def more_sent_than(project: Project, number: int) -> bool:
    return statuses(project).get("sent", 0) > number


def delivered(project: Project, daemons: Fleet, count: int, kills: int, **mail: str) -> None:
    """So many messages by two daemons, of which one is killed and replaced again and again."""
    mail["MENTOR_SYNC_MAIL_PER_SECOND"] = "1000"
    alive = [daemons.started(**mail), daemons.started(**mail)]
    project.run(
        "update job_schedules set lease_seconds = 5, max_concurrent = null, enabled = true,"
        " cron = '* * * * *' where job = 'deliver_messages'"
    )
    queued(project, count)
    project.run("insert into job_runs (job) select 'deliver_messages' from generate_series(1, 2)")
    step = count // (kills + 2)
    for wanted in range(step, count - count // (kills + 1), step):
        wait_until(partial(more_sent_than, project, wanted))
        alive.pop(random.randrange(2)).kill()
        alive.append(daemons.started(**mail))
    wait_until(lambda: all_sent(project), 180)
    time.sleep(0.5)


SIZES = pytest.mark.parametrize(
    ("count", "kills"), [(600, 2), pytest.param(10_000, 5, marks=pytest.mark.slow)]
)


@SIZES
def test_each_message_arrives_whoever_is_killed(
    project: Project, daemons: Fleet, count: int, kills: int
) -> None:
    with smtp_server() as server:
        delivered(project, daemons, count, kills, MENTOR_SYNC_MAIL=server.url())
        arrived = Counter(server.message_ids())
    again = [message for message, n in arrived.items() if n > 1]
    print(f"{count} messages, {kills} kills: {len(arrived)} arrived, {len(again)} of them twice")
    assert len(arrived) == count
    assert len(again) <= kills * BATCH
    assert max(arrived.values()) <= 1 + kills


@SIZES
def test_resend_is_given_each_message_once(
    project: Project, daemons: Fleet, count: int, kills: int
) -> None:
    with resend_server() as server:
        server.lost_answers = 2
        backend = {"MENTOR_SYNC_MAIL": f"resend:{server.url}", "RESEND_API_KEY": KEY}
        delivered(project, daemons, count, kills, **backend)
        requests, sent = len(server.requests), Counter(server.recipients())
    print(f"{count} messages, {kills} kills, {requests} requests: {len(sent)} were sent, each once")
    assert len(sent) == count
    assert set(sent.values()) == {1}
    assert requests < count / 10
