"""How fast members become mentors, each case as a ratio against a floor of the same run.

`python -m bench.sync` starts a stack of its own in a temporary folder; see bench/README.md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.cases import load_round, sync_round
from bench.population import forget, populate
from bench.project import Project, temporary_project
from bench.scores import Sample, Score, score, table

SIZES = (10_000, 100_000)
MILLION = 1_000_000


def main() -> int:
    options = _options()
    sizes = list(options.members or SIZES) + [MILLION] * options.million
    with temporary_project() as project:
        version = project.version()
        samples = [found for size in sizes for found in _measured(project, size, options.rounds)]
    scores = score(samples)
    print(table(scores))
    if options.json:
        document = {**_circumstances(version), "scores": [found.as_json() for found in scores]}
        options.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return _verdict(scores) if options.check else 0


def _measured(project: Project, members: int, rounds: int) -> Iterator[Sample]:
    population = populate(project, members)
    for number in range(1, rounds + 1):
        print(f"{members:,} members, round {number} of {rounds}", file=sys.stderr)
        yield from sync_round(project, population)
        yield from load_round(project, population)
    forget(project, population)


def _verdict(scores: list[Score]) -> int:
    missed = [found for found in scores if not found.ok]
    for found in missed:
        print(f"missed: {found.case.name}, {found.size:,} members", file=sys.stderr)
    return 1 if missed else 0


def _circumstances(postgres: str) -> dict[str, Any]:
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "postgres": postgres,
    }


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.sync", description=__doc__)
    parser.add_argument(
        "--members", type=_positive, action="append", help="how many; may be given repeatedly"
    )
    parser.add_argument("--million", action="store_true", help="a million members as well")
    parser.add_argument("--rounds", type=_positive, default=3, help="the median counts")
    parser.add_argument("--check", action="store_true", help="exit 1 where a goal is missed")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every round there")
    return parser.parse_args()


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


if __name__ == "__main__":
    sys.exit(main())
