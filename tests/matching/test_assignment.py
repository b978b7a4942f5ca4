"""Assignments: the best there is, proven, within seats and rules, by either solver."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mentor_sync.matching import assignment as module
from mentor_sync.matching.alternatives import Alternatives
from mentor_sync.matching.assignment import assign
from mentor_sync.matching.candidates import NONE
from mentor_sync.matching.flow import Solver
from mentor_sync.matching.market import Market
from mentor_sync.matching.matrix import Given
from mentor_sync.matching.rules import Pairs, Rules
from mentor_sync.matching.waiting import Waiting
from mentor_sync.matching.worth import Difference, Worth
from tests.matching.markets import best_value, markets, require_possible, scores
from tests.matching.support import few

solvers = st.sampled_from(["ortools", "scipy"])
wishes = st.sampled_from([None, 700_000])


@few
@given(markets, solvers, wishes, st.integers(1, 3))
def test_an_assignment_is_worth_what_linear_sum_assignment_finds(
    market: Market, solver: Solver, good_from: int | None, width: int
) -> None:
    worth = Worth.of(market, good_from=good_from)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "WIDTH", width)
        found = assign(market, worth, solver=solver)
    require_possible(market, found.mentor, found.units)
    assert found.value == found.bound == best_value(market, worth)
    assert found.proven


@few
@given(markets, st.data())
def test_the_price_of_a_seat_is_what_one_more_would_add(
    market: Market, data: st.DataObject
) -> None:
    mentor = data.draw(st.integers(0, market.mentors - 1))
    more = market.seats + (np.arange(market.mentors) == mentor)
    found = assign(market)
    wider = assign(Market(market.matrix, more, market.waiting, market.rules), found.worth)
    if market.seats[mentor]:
        assert found.prices[mentor] == wider.value - found.value


@few
@given(markets, st.data())
def test_why_not_is_what_solving_again_with_that_pair_costs(
    market: Market, data: st.DataObject
) -> None:
    student = data.draw(st.integers(0, market.students - 1))
    mentor = data.draw(st.integers(0, market.mentors - 1))
    best = assign(market)
    found = Alternatives(market, best).cost(student, mentor)
    forbidden = scores(market) < 0
    forbidden[student, np.arange(market.mentors) != mentor] = True
    only = Rules(Pairs.of(*np.nonzero(forbidden)))
    # Sure to be placed there: worth more than everything else together.
    credit = market.waiting.credit + (np.arange(market.students) == student) * 10**12
    forced = Market(market.matrix, market.seats, Waiting(credit, market.waiting.rank), only)
    again = assign(forced, Worth(best.worth.placed, 0, 0, 1, 0, credit))
    if again.mentor[student] == NONE:
        assert found is None
    else:
        assert found == best.worth.split(best.value - (again.value - 10**12))


def test_where_seats_are_short_as_many_as_can_be_and_first_who_waits_longest() -> None:
    matrix = Given(np.array([[900_000, 0], [850_000, 0], [899_000, -1]], np.float32))
    waiting = Waiting.of([0, 60, 0], units_per_day=1_000, most=100_000)
    short = assign(Market.of(matrix, [1, 0], waiting=waiting))
    assert short.mentor.tolist() == [NONE, 0, NONE]
    more = assign(Market.of(matrix, [1, 1], waiting=waiting))
    assert more.mentor.tolist() == [0, 1, NONE]
    assert more.worth.split(more.value - short.value).placed == 1


def test_everybody_is_placed_where_seats_suffice_and_told_what_another_would_cost() -> None:
    matrix = Given(np.array([[900_000, 100_000], [800_000, 500_000]], np.float32))
    market = Market.of(matrix, [1, 2], rules=Rules(Pairs.of([], [])))
    found = assign(market)
    assert found.mentor.tolist() == [0, 1]
    assert found.total == 1_400_000
    assert found.prices.tolist() == [300_000, 0]
    others = Alternatives(market, found)
    assert others.cost(1, 0) == Difference(placed=0, good=0, units=500_000)
    assert others.cost(0, 0) == Difference(0, 0, 0)


def test_seats_that_cannot_be_are_refused_and_nobody_is_no_error() -> None:
    matrix = Given(np.zeros((2, 2), np.float32))
    for seats in ([1], [1, -1]):
        with pytest.raises(ValueError, match="Seats"):
            Market.of(matrix, seats)
    assert assign(Market.of(matrix, [0, 0])).placed == 0
    for shape in ((0, 2), (2, 0)):
        nobody = assign(Market.of(Given(np.zeros(shape, np.float32)), [1] * shape[1]))
        assert nobody.proven
        assert nobody.placed == nobody.total == 0
