"""Assignments by different goals, and what sets them apart."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from mentor_sync.matching.acceptance import Acceptance
from mentor_sync.matching.arrays import Ints
from mentor_sync.matching.assignment import Assignment, assign
from mentor_sync.matching.candidates import NONE
from mentor_sync.matching.fairness import fairest
from mentor_sync.matching.flow import Solver
from mentor_sync.matching.market import Market
from mentor_sync.matching.worth import Worth

Goal = Literal["score", "coverage", "stable", "fair"]
"""The most in total; the most good scores; no two who would rather have each other; the highest
lowest score. With all but `stable` as many students as can be get a mentor, before anything else.
"""
GOALS: tuple[Goal, ...] = get_args(Goal)
GOOD = 700_000
"""Units from which a score is good, unless told otherwise."""


@dataclass(frozen=True)
class Outcome:
    """An assignment by a goal, in numbers; scores are units."""

    goal: Goal
    mentor: Ints
    units: Ints
    placed: int
    total: int
    mean: float
    lowest: int
    good: int
    blocking_pairs: int
    """Pairs of whom both would rather have each other than what they got."""
    load_deviation: float
    """Standard deviation of load / seats, over the mentors with seats."""
    load_most: float
    proven: bool
    assignment: Assignment | None
    """With value, bound, seat prices and rounds; None where nothing was maximised."""


def reach(goal: Goal, market: Market, *, good: int = GOOD, solver: Solver | None = None) -> Outcome:
    """The best assignment by this goal."""
    if goal == "stable":
        mentor, units = stable(market)
        return _outcome(goal, market, mentor, units, good, None)
    if goal == "fair":
        found = fairest(market, solver=solver)
    else:
        good_from = good if goal == "coverage" else None
        found = assign(market, Worth.of(market, good_from=good_from), solver=solver)
    return _outcome(goal, market, found.mentor, found.units, good, found)


def side_by_side(
    market: Market,
    goals: Iterable[Goal] = GOALS,
    *,
    good: int = GOOD,
    solver: Solver | None = None,
) -> list[Outcome]:
    """One outcome a goal."""
    return [reach(goal, market, good=good, solver=solver) for goal in goals]


def stable(market: Market) -> tuple[Ints, Ints]:
    """The mentor of each student and the units: no pair would rather have each other."""
    each = np.ones(market.students, np.int64)
    free = market.waiting.without_credit()
    found = Acceptance(market.matrix, market.rules, market.seats, each, free).run()
    mentor, units = np.full((2, market.students), NONE)
    mentor[found.student], units[found.student] = found.mentor, found.units
    return mentor, units


def blocking_pairs(market: Market, mentor: Ints, units: Ints) -> int:
    """How many pairs score more than what the student has and than the mentor's lowest.

    A free seat is lower than any score, and so is having no mentor.
    """
    placed = mentor != NONE
    # A mentor without seats has no lowest: nothing is above that.
    lowest = np.full(market.mentors, np.iinfo(np.int64).max)
    np.minimum.at(lowest, mentor[placed], units[placed])
    lowest[market.loads(mentor) < market.seats] = NONE
    return sum(
        int(((scores > units[students, np.newaxis]) & (scores > lowest)).sum())
        for students, scores in market.chunks()
    )


def _outcome(
    goal: Goal,
    market: Market,
    mentor: Ints,
    units: Ints,
    good: int,
    assignment: Assignment | None,
) -> Outcome:
    scores = units[mentor != NONE]
    blocking = blocking_pairs(market, mentor, units)
    loads = (market.loads(mentor) / np.maximum(market.seats, 1))[market.seats > 0]
    return Outcome(
        goal=goal,
        mentor=mentor,
        units=units,
        placed=len(scores),
        total=int(scores.sum()),
        mean=float(scores.mean()) if len(scores) else 0.0,
        lowest=int(scores.min()) if len(scores) else 0,
        good=int((scores >= good).sum()),
        blocking_pairs=blocking,
        load_deviation=float(loads.std()) if len(loads) else 0.0,
        load_most=float(loads.max(initial=0)),
        proven=blocking == 0 if assignment is None else assignment.proven,
        assignment=assignment,
    )
