"""The best assignment over given pairs, by min-cost flow, or by a matching of seats.

Both are exact. OR-tools (the extra `optimal`) is quicker; scipy is always there.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Literal

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import min_weight_full_bipartite_matching

from mentor_sync.matching.arrays import Ints, spans, starts
from mentor_sync.matching.candidates import NONE

Solver = Literal["ortools", "scipy"]


def place(
    student: Ints, mentor: Ints, value: Ints, students: int, seats: Ints, solver: Solver
) -> Ints:
    """The number of each student's pair, or NONE, so that the values add up to the most.

    Pairs are parallel arrays of values above 0; being without a mentor is worth 0.
    """
    if not len(student):
        return np.full(students, NONE)
    return _SOLVERS[solver](student, mentor, value, students, seats)


def best_solver() -> Solver:
    """The quicker of those that are installed."""
    return "ortools" if find_spec("ortools") else "scipy"


def _by_ortools(student: Ints, mentor: Ints, value: Ints, students: int, seats: Ints) -> Ints:
    """Students, mentors and a sink; who is not placed flows to the sink at once."""
    from ortools.graph.python.min_cost_flow import SimpleMinCostFlow  # an extra, slow to import

    sink, most = students + len(seats), int(value.max())
    everybody = np.arange(students)
    flow = SimpleMinCostFlow()
    pairs = flow.add_arcs_with_capacity_and_unit_cost(
        student, students + mentor, np.ones_like(student), most - value
    )
    flow.add_arcs_with_capacity_and_unit_cost(
        students + np.arange(len(seats)), np.full(len(seats), sink), seats, np.zeros_like(seats)
    )
    flow.add_arcs_with_capacity_and_unit_cost(
        everybody, np.full(students, sink), np.ones_like(everybody), np.full(students, most)
    )
    flow.set_nodes_supplies(
        np.append(everybody, sink), np.append(np.ones_like(everybody), -students)
    )
    status = flow.solve()
    if status != flow.OPTIMAL:
        raise RuntimeError(f"The flow was not solved: {status.name}.")
    taken = np.flatnonzero(flow.flows(pairs))
    return _pair_of_student(student, taken, students)


def _by_scipy(student: Ints, mentor: Ints, value: Ints, students: int, seats: Ints) -> Ints:
    """Every seat is a column, and every student has one more, for being without a mentor."""
    asked = np.bincount(mentor, minlength=len(seats))
    kept = np.minimum(seats, asked).astype(np.int64)
    begin, copies = starts(kept), kept[mentor]
    pair = np.repeat(np.arange(len(student)), copies)
    alone = np.arange(students)
    rows = np.concatenate((student[pair], alone))
    columns = np.concatenate((spans(begin[mentor], copies), begin[-1] + alone))
    # No cost may be 0: that would be no edge.
    most = int(value.max()) + 1
    costs = np.concatenate((most - value[pair], np.full(students, most))).astype(np.float64)
    shape = (students, int(begin[-1]) + students)
    matrix = sparse.csr_array((costs, (rows, columns)), shape=shape)
    taken_rows, taken = min_weight_full_bipartite_matching(matrix)
    seat_of = np.empty(students, np.int64)
    seat_of[taken_rows] = taken
    mentor_of = np.searchsorted(begin, seat_of, side="right") - 1
    own = (mentor == mentor_of[student]) & (seat_of[student] < begin[-1])
    return _pair_of_student(student, np.flatnonzero(own), students)


def _pair_of_student(student: Ints, taken: Ints, students: int) -> Ints:
    found = np.full(students, NONE)
    found[student[taken]] = taken
    return found


_SOLVERS: dict[Solver, Callable[[Ints, Ints, Ints, int, Ints], Ints]] = {
    "ortools": _by_ortools,
    "scipy": _by_scipy,
}
