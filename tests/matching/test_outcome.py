"""Goals side by side: each is the best at what it promises."""

from __future__ import annotations

import numpy as np
from hypothesis import given

from mentor_sync.matching.candidates import NONE
from mentor_sync.matching.market import Market
from mentor_sync.matching.matrix import Given
from mentor_sync.matching.outcome import blocking_pairs, reach, side_by_side
from tests.matching.markets import every_assignment, markets, require_possible, scores, tiny
from tests.matching.support import few


@few
@given(tiny)
def test_each_goal_is_the_best_of_all_assignments(market: Market) -> None:
    found = {outcome.goal: outcome for outcome in side_by_side(market)}
    tried = [units[units != NONE] for _, units in every_assignment(market)]
    most = max(len(units) for units in tried)
    full = [units for units in tried if len(units) == most]
    credit = market.waiting.credit.max()
    assert {found[goal].placed for goal in ("score", "coverage", "fair")} == {most}
    assert found["coverage"].good == max((units >= 700_000).sum() for units in full)
    assert found["fair"].lowest == max(units.min(initial=2**20) % 2**20 for units in full)
    best = max(units.sum() for units in full)
    assert best - most * credit <= found["score"].total <= best
    assert all(outcome.proven for outcome in found.values())


@few
@given(markets)
def test_in_a_stable_one_no_two_would_rather_have_each_other(market: Market) -> None:
    found = reach("stable", market)
    require_possible(market, found.mentor, found.units)
    assert found.blocking_pairs == 0
    # Nor where they are counted one by one.
    units, loads = scores(market), market.loads(found.mentor)
    for student, mentor in np.argwhere(units > found.units[:, np.newaxis]):
        held = found.units[found.mentor == mentor]
        assert loads[mentor] == market.seats[mentor]
        assert (held >= units[student, mentor]).all()


def test_blocking_pairs_and_loads_are_counted() -> None:
    market = Market.of(Given(np.array([[5, 4, 0], [9, 3, 0], [1, 2, 0]], np.float32)), [1, 2, 0])
    mentor, units = np.array([0, 1, NONE]), np.array([5, 3, NONE])
    # The second student with the first mentor, the third with a seat that is free.
    assert blocking_pairs(market, mentor, units) == 2
    found = reach("score", market, good=4)
    assert (found.placed, found.total, found.lowest, found.good) == (3, 15, 2, 2)
    assert (found.load_most, found.load_deviation) == (1.0, 0.0)
