"""One assignment in a process of its own, so that its memory can be seen.

`python -m bench.assignment_client WAY STUDENTS MENTORS` prints what it took, as JSON. WAY is a
solver of ours, or `lsa` for scipy's linear_sum_assignment with a column a seat. All begin with
people and their terms; scoring counts.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import get_args

import numpy as np
from scipy.optimize import linear_sum_assignment

from bench.client import peak_kb
from bench.crowd import Crowd, crowd
from mentor_sync.matching.assignment import assign
from mentor_sync.matching.flow import Solver, place
from mentor_sync.matching.market import Market

LSA = "lsa"


@dataclass(frozen=True)
class Assigned:
    """What an assignment took, and what came out."""

    seconds: float
    peak_mb: float
    placed: int
    total: int
    proven: bool


def assigned(way: str, students: int, mentors: int) -> Assigned:
    """Assign in a fresh process."""
    command = [sys.executable, "-m", __name__, way, str(students), str(mentors)]
    root = Path(__file__).parents[1]
    done = subprocess.run(command, cwd=root, stdout=subprocess.PIPE, check=True)
    return Assigned(**json.loads(done.stdout))


def main() -> None:
    way, students, mentors = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    people = crowd(students, mentors)
    warm_up()
    begun = time.process_time()
    placed, total, proven = _by_lsa(people) if way == LSA else _by_us(people, way)
    seconds = time.process_time() - begun
    print(json.dumps(asdict(Assigned(seconds, peak_kb() / 1024, placed, total, proven))))


def warm_up() -> None:
    """Imports do not count, OR-tools' neither."""
    one = np.array([0])
    for solver in get_args(Solver):
        place(one, one, one + 1, 1, one + 1, solver)


def _by_us(people: Crowd, way: str) -> tuple[int, int, bool]:
    solver: Solver = "scipy" if way == "scipy" else "ortools"
    found = assign(Market.of(people.scorer(), people.seats), solver=solver)
    return found.placed, found.total, found.proven


def _by_lsa(people: Crowd) -> tuple[int, int, bool]:
    seats = np.repeat(people.scorer().scores(slice(None)), people.seats, axis=1)
    rows, columns = linear_sum_assignment(seats, maximize=True)
    return len(rows), int(seats[rows, columns].astype(np.int64).sum()), True


if __name__ == "__main__":
    main()
