"""How fast students are assigned to seats, against scipy's linear_sum_assignment and mentor-match.

`python -m bench.assignment` needs no database; see bench/README.md.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.assignment_client import LSA, Assigned, assigned, warm_up
from bench.crowd import ATTRIBUTES, Pairing, crowd, pairing
from bench.mentor_match import PACKAGE, install, matched
from bench.scores import Case, Sample, score, table
from mentor_sync.matching.assignment import assign
from mentor_sync.matching.market import Market
from mentor_sync.matching.outcome import GOALS, reach

SIZES = ((1_000, 100), (10_000, 900))
PAIRINGS = (100, 400)
LARGE = 10_000

FASTER = Case("assignment, CPU seconds", 10, "floor/ours", from_size=LARGE)
LEANER = Case("assignment, peak MB", 5, "floor/ours", from_size=LARGE)
WITHOUT = Case("without OR-tools, CPU seconds", compares="floor/ours")
PEER = Case("one seat each, mentor-match", 200, "floor/ours", from_size=400)


def main() -> int:
    options = _options()
    samples = [found for _ in range(options.rounds) for found in _against_scipy()]
    with tempfile.TemporaryDirectory() as folder:
        samples += _against_mentor_match(Path(folder), options.rounds)
    scores = score(samples)
    print(table(scores))
    print("", *_goals(*SIZES[-1]), sep="\n")
    if options.json:
        document = {"scores": [found.as_json() for found in scores]}
        options.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return 0 if all(found.ok for found in scores) or not options.check else 1


def _against_scipy() -> Iterator[Sample]:
    for students, mentors in SIZES:
        print(f"{students:,} students, {mentors} mentors", file=sys.stderr)
        floor = assigned(LSA, students, mentors)
        ours = assigned("ortools", students, mentors)
        plain = assigned("scipy", students, mentors)
        for found in (ours, plain):
            _require_equal(found, floor, students)
        yield Sample(FASTER, students, ours.seconds, floor.seconds)
        yield Sample(LEANER, students, ours.peak_mb, floor.peak_mb)
        yield Sample(WITHOUT, students, plain.seconds, floor.seconds)


def _require_equal(ours: Assigned, floor: Assigned, students: int) -> None:
    if not ours.proven or ours.placed != students or ours.total != floor.total:
        raise RuntimeError(f"Ours is not the best: {ours}, the floor {floor}.")


def _against_mentor_match(folder: Path, rounds: int) -> Iterator[Sample]:
    python = install(folder / "peer")
    if python is None:
        print(f"{PACKAGE} cannot be installed: not compared.", file=sys.stderr)
        return
    warm_up()
    for size in PAIRINGS:
        people = pairing(size)
        for _ in range(rounds):
            begun = time.process_time()
            ours = assign(Market.of(people.scorer(), [1] * size))
            seconds = time.process_time() - begun
            theirs = matched(python, _as_participants(people))
            if not ours.proven or ours.total != theirs.total:
                raise RuntimeError(f"Ours {ours.total:,}, mentor-match {theirs.total:,}.")
            yield Sample(PEER, size, seconds, theirs.seconds)


def _as_participants(people: Pairing) -> dict[str, Any]:
    """Their columns; an attribute is worth to them what it is worth to us, in units."""
    names = [name for name, _, _ in ATTRIBUTES]
    return {
        "units": {name: weight * 10_000 for name, _, weight in ATTRIBUTES},
        "students": [
            _participant("s", number, names, row) for number, row in _rows(people.students)
        ],
        "mentors": [_participant("m", number, names, row) for number, row in _rows(people.mentors)],
    }


def _rows(values: Any) -> Iterator[tuple[int, list[int]]]:
    yield from enumerate(values.tolist())


def _participant(kind: str, number: int, names: list[str], values: list[int]) -> dict[str, Any]:
    attributes = {name: str(value) for name, value in zip(names, values, strict=True)}
    return {"email": f"{kind}{number}@example.org", "grade": 1, **attributes}


def _goals(students: int, mentors: int) -> Iterator[str]:
    """The goals side by side, as a table in Markdown."""
    people = crowd(students, mentors)
    market = Market.of(people.scorer(), people.seats)
    yield (
        "| goal | CPU s | placed | mean | lowest | good"
        " | blocking pairs | load deviation | proven |"
    )
    yield "|---|---|---|---|---|---|---|---|---|"
    for goal in GOALS:
        begun = time.process_time()
        found = reach(goal, market)
        seconds = time.process_time() - begun
        yield (
            f"| {goal} | {seconds:.2f} | {found.placed:,} | {found.mean / 1e4:.3f}"
            f" | {found.lowest / 1e4:.2f} | {found.good:,} | {found.blocking_pairs:,}"
            f" | {found.load_deviation:.2f} | {'yes' if found.proven else 'no'} |"
        )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.assignment", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="the median counts")
    parser.add_argument("--check", action="store_true", help="exit 1 where a goal is missed")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every round there")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
