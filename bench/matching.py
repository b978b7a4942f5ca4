"""How fast students are offered mentors: a pair in three engines, and the whole job.

`python -m bench.matching` starts a stack of its own in a temporary folder; see bench/README.md.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from bench.community import Community, found
from bench.engines import Costs, Engines
from bench.match_client import Matched
from bench.matching_cases import engines_round, job_round
from bench.project import Project, temporary_project
from bench.scores import Sample, score, table

LARGE = (50_000, 5_000)


def main() -> int:
    options = _options()
    sizes = [(options.students, options.mentors)] + [LARGE] * options.large
    samples: list[Sample] = []
    told: list[str] = []
    with temporary_project() as project:
        for students, mentors in sizes:
            community = found(project, students, mentors)
            costs, runs = _measured(project, community, options.rounds, samples)
            told += ["", *_pair_costs(community, costs), "", *_shares(community, runs)]
            project.drop(community.database.name)
    scores = score(samples)
    print(table(scores), *told, sep="\n")
    if options.json:
        document = {"scores": [found.as_json() for found in scores]}
        options.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return 0 if all(found.ok for found in scores) or not options.check else 1


def _measured(
    project: Project, community: Community, rounds: int, samples: list[Sample]
) -> tuple[list[Costs], list[Matched]]:
    costs, runs = [], []
    engines = Engines(community.database)
    for number in range(1, rounds + 1):
        size = f"{community.students:,} students, {community.mentors:,} mentors"
        print(f"{size}, round {number} of {rounds}", file=sys.stderr)
        cost, found_of_pairs = engines_round(community, engines)
        run, found_of_job = job_round(project, community, engines)
        samples += found_of_pairs + found_of_job
        costs.append(cost)
        runs.append(run)
    return costs, runs


def _pair_costs(community: Community, costs: list[Costs]) -> Iterator[str]:
    yield f"µs a pair, {community.students:,} x {community.mentors:,}"
    for name in ("definition", "postings", "scipy"):
        middle = median(getattr(cost, name) for cost in costs)
        yield f"{middle * 1e6:9.4f} {name}"


def _shares(community: Community, runs: list[Matched]) -> Iterator[str]:
    """Where the time of the job went, in the round in the middle."""
    run = sorted(runs, key=lambda one: one.seconds)[len(runs) // 2]
    yield f"seconds of the job, {community.students:,} x {community.mentors:,}: {run.seconds:.2f}"
    steps = {"other": run.seconds - sum(run.steps.values()), **run.steps}
    steps |= {f"{name}, meanwhile": seconds for name, seconds in run.meanwhile.items()}
    for name, seconds in sorted(steps.items(), key=lambda step: -step[1]):
        yield f"{seconds:9.3f} {name}"
    yield f"{run.requests} requests; {run.counts}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.matching", description=__doc__)
    parser.add_argument("--students", type=int, default=10_000, help="who wait for a mentor")
    parser.add_argument("--mentors", type=int, default=2_000)
    parser.add_argument("--large", action="store_true", help="50,000 and 5,000 as well")
    parser.add_argument("--rounds", type=int, default=3, help="the median counts")
    parser.add_argument("--check", action="store_true", help="exit 1 where a goal is missed")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every round there")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
