"""How fast messages become mails, against a loop that only hands the same mails over.

`python -m bench.mail` starts a stack and an SMTP server of its own; see bench/README.md.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator

from bench.mail_client import Delivered, deliver, send_bare
from bench.project import MIGRATED, Database, Project, statement, temporary_project
from bench.scores import Case, Sample, score, table
from bench.smtp_servers import Server, smtp_server

QUEUED = "queued"
SERVERS = {
    "aiosmtpd": Case("to aiosmtpd", 1.5),
    "nothing": Case("to a server that does nothing"),
}
Round = tuple[Sample, Delivered]


def main() -> int:
    options = _options()
    rounds: dict[str, list[Round]] = {name: [] for name in SERVERS}
    with temporary_project() as project:
        _queue(project, options.messages)
        for number in range(1, options.rounds + 1):
            print(f"{options.messages:,} messages, round {number}", file=sys.stderr)
            for name, case in SERVERS.items():
                with smtp_server(name, project.folder / f"{name} {number}") as server:
                    rounds[name].append(_round(project, server, case, options.messages))
    scores = score(sample for done in rounds.values() for sample, _ in done)
    print(table(scores))
    for done in rounds.values():
        print("", *_shares(done), sep="\n")
    return 0 if all(found.ok for found in scores) or not options.check else 1


def _queue(project: Project, messages: int) -> None:
    database = project.create(QUEUED, MIGRATED)
    database.run(statement("messages"), {"messages": messages})
    database.settle()


def _round(project: Project, server: Server, case: Case, messages: int) -> Round:
    with project.copy(QUEUED) as database, project.served(database) as api:
        run = deliver(api, project.folder, server.port)
        mails = server.taken()
        _each_sent_once(database, messages)
        # The stack stays up, so that the floor has the same machine to itself.
        floor = send_bare(mails, project.folder, server.port)
    if len(mails) != messages or server.taken() != mails:
        raise RuntimeError("The floor and the delivery did not send the same.")
    return Sample(case, messages, run.seconds, floor), run


def _each_sent_once(database: Database, messages: int) -> None:
    found = database.row(
        b"select count(*) filter (where status = 'sent' and attempt = 1), count(*)"
        b" from message_outbox"
    )
    if found != (messages, messages):
        raise RuntimeError(f"Of {found[1]} messages {found[0]} were sent at once.")


def _shares(rounds: list[Round]) -> Iterator[str]:
    """Messages a second, and where the time went in the round in the middle."""
    sample, run = sorted(rounds, key=lambda done: done[0].value)[len(rounds) // 2]
    steps = {"other": run.seconds - sum(run.steps.values()), **run.steps}
    steps |= {f"{name}, meanwhile": seconds for name, seconds in run.meanwhile.items()}
    floor, ours = sample.size / sample.floor, sample.size / sample.ours
    yield f"{sample.case.name}: floor {floor:,.0f} messages a second, ours {ours:,.0f}"
    for name, seconds in sorted(steps.items(), key=lambda step: -step[1]):
        yield f"  {name:27} {seconds:5.2f} s {seconds / sample.size * 1e6:5.0f} µs a message"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.mail", description=__doc__)
    parser.add_argument("--messages", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=3, help="the median counts")
    parser.add_argument("--check", action="store_true", help="exit 1 where the goal is missed")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
