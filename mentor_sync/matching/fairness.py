"""The assignment in which the lowest score is as high as can be."""

from __future__ import annotations

import numpy as np

from mentor_sync.matching.assignment import Assignment, assign
from mentor_sync.matching.candidates import NONE
from mentor_sync.matching.flow import Solver
from mentor_sync.matching.market import Market
from mentor_sync.matching.matrix import top
from mentor_sync.matching.worth import Worth


def fairest(market: Market, *, solver: Solver | None = None) -> Assignment:
    """As many students as can be, the lowest score among them the highest, then the total.

    The lowest score is found by halving: with only the pairs of so many units, can as many be
    placed? No assignment can place them all above what the best mentor of each allows.
    """
    best = assign(market, solver=solver)
    if not best.placed:
        return best
    tried, edges = best, best.edges
    low, high = _lowest(best), _highest(market, best.placed)
    while low < high:
        middle = (low + high + 1) // 2
        only = Worth.only_placed(market, least=middle)
        tried = assign(market, only, edges=edges, solver=solver, enough=best.placed)
        edges = tried.edges
        if tried.value >= best.placed:
            low = _lowest(tried)
        else:
            high = middle - 1
    return assign(market, Worth.of(market, least=low), edges=edges, solver=solver)


def _lowest(found: Assignment) -> int:
    return int(found.units[found.mentor != NONE].min())


def _highest(market: Market, placed: int) -> int:
    """What so many students reach with their best mentors."""
    units = np.sort(top(market.matrix, 1, rules=market.rules).units[:, 0])
    return int(units[len(units) - placed])
