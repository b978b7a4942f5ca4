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
_FEW = 1_000


def place(
    student: Ints, mentor: Ints, value: Ints, students: int, seats: Ints, solver: Solver
) -> Ints:
    """The number of each student's pair, or NONE, so that the values add up to the most.

    Pairs are parallel arrays of values above 0; being without a mentor is worth 0.
    """
    if not len(student):
        return np.full(students, NONE)
    return _SOLVERS[solver](student, mentor, value, students, seats)


def best_solver(seats: Ints) -> Solver:
    """The quickest that is installed: with few mentors of one seat each, scipy's."""
    few = len(seats) <= _FEW and seats.max(initial=0) <= 1
    return "ortools" if not few and find_spec("ortools") else "scipy"


def _by_ortools(student: Ints, mentor: Ints, value: Ints, students: int, seats: Ints) -> Ints:
    """First as if everybody could be placed, which is quicker, and mostly so."""
    costs = value.max() - value
    alone = int(value.max())
    whole = int(np.gcd(np.gcd.reduce(costs), alone)) or 1
    for without in (None, alone // whole):
        flows = _flow(student, mentor, costs // whole, students, seats, without)
        if flows is not None:
            return _pair_of_student(student, np.flatnonzero(flows), students)
    raise RuntimeError("The flow was not solved.")


def _flow(
    student: Ints, mentor: Ints, costs: Ints, students: int, seats: Ints, without: int | None
) -> Ints | None:
    """The flow over each pair: from students to mentors to a sink, or None where there is none.

    `without` is the cost of being without a mentor, which is to flow to the sink at once.
    """
    from ortools.graph.python.min_cost_flow import SimpleMinCostFlow  # an extra, slow to import

    everybody, sink = np.arange(students), students + len(seats)
    ones = np.ones_like(everybody)
    flow = SimpleMinCostFlow()
    add = flow.add_arcs_with_capacity_and_unit_cost
    pairs = add(student, students + mentor, np.ones_like(student), costs)
    seated = students + np.arange(len(seats))
    add(seated, np.full_like(seated, sink), seats, np.zeros_like(seats))
    if without is not None:
        add(everybody, np.full_like(everybody, sink), ones, np.full_like(everybody, without))
    flow.set_nodes_supplies(np.append(everybody, sink), np.append(ones, -students))
    if flow.solve() != flow.OPTIMAL:
        return None
    found: Ints = flow.flows(pairs)
    return found


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
