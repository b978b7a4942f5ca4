"""How fast messages become mails, against a loop that only hands the same mails over.

`python -m bench.mail` starts a stack and an SMTP server of its own; see bench/README.md.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from typing import NamedTuple

from bench.mail_client import Delivered, Took, deliver, send_bare
from bench.project import MIGRATED, Database, Project, statement, temporary_project
from bench.scores import Case, Sample, score, table
from bench.smtp_servers import Server, smtp_server

QUEUED = "queued"
SERVERS = {
    "aiosmtpd": Case("to aiosmtpd", 1.5),
    "nothing": Case("to a server that does nothing"),
}


class Round(NamedTuple):
    """One delivery, and its floor."""

    messages: int
    floor: Took
    ours: Delivered

    @property
    def ratio(self) -> float:
        return self.ours.seconds / self.floor.seconds


def main() -> int:
    options = _options()
    rounds: dict[str, list[Round]] = {name: [] for name in SERVERS}
    with temporary_project() as project:
        _queue(project, options.messages)
        for number in range(1, options.rounds + 1):
            print(f"{options.messages:,} messages, round {number}", file=sys.stderr)
            for name in SERVERS:
                with smtp_server(name, project.folder / f"{name} {number}") as server:
                    rounds[name].append(_round(project, server, options.messages))
    scores = score(
        Sample(SERVERS[name], one.messages, one.ours.seconds, one.floor.seconds)
        for name, done in rounds.items()
        for one in done
    )
    print(table(scores))
    for name, done in rounds.items():
        print("", SERVERS[name].name, *_shares(done), sep="\n")
    return 0 if all(found.ok for found in scores) or not options.check else 1


def _queue(project: Project, messages: int) -> None:
    database = project.create(QUEUED, MIGRATED)
    database.run(statement("messages"), {"messages": messages})
    database.settle()


def _round(project: Project, server: Server, messages: int) -> Round:
    with project.copy(QUEUED) as database, project.served(database) as api:
        ours = deliver(api, project.folder, server.port)
        mails = server.taken()
        _each_sent_once(database, messages)
        # The stack stays up, so that the floor has the same machine to itself.
        floor = send_bare(mails, project.folder, server.port)
    if len(mails) != messages or server.taken() != mails:
        raise RuntimeError("The floor and the delivery did not send the same.")
    return Round(messages, floor, ours)


def _each_sent_once(database: Database, messages: int) -> None:
    found = database.row(
        b"select count(*) filter (where status = 'sent' and attempt = 1), count(*)"
        b" from message_outbox"
    )
    if found != (messages, messages):
        raise RuntimeError(f"Of {found[1]} messages {found[0]} were sent at once.")


def _shares(rounds: list[Round]) -> Iterator[str]:
    """Messages a second, and where the time went, in the round in the middle."""
    done = sorted(rounds, key=lambda one: one.ratio)[len(rounds) // 2]
    for name, took in (("floor", done.floor), ("ours", done.ours)):
        rate, busy = done.messages / took.seconds, took.busy / done.messages * 1e6
        yield f"{name:5} {rate:5,.0f} messages a second, {busy:4.0f} µs of processor a message"
    steps = {"other": done.ours.seconds - sum(done.ours.steps.values()), **done.ours.steps}
    steps |= {f"{name}, meanwhile": seconds for name, seconds in done.ours.meanwhile.items()}
    for name, seconds in sorted(steps.items(), key=lambda step: -step[1]):
        yield f"{seconds / done.messages * 1e6:6.0f} µs a message: {name}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.mail", description=__doc__)
    parser.add_argument("--messages", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=3, help="the median counts")
    parser.add_argument("--check", action="store_true", help="exit 1 where the goal is missed")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
