"""What a seat of each mentor is worth, given an assignment that is the best over its pairs."""

from __future__ import annotations

import numpy as np

from mentor_sync.matching.arrays import Ints
from mentor_sync.matching.candidates import NONE


def seat_prices(student: Ints, mentor: Ints, value: Ints, own: Ints, mentors: int) -> Ints:
    """The lowest prices at which nobody would rather have another mentor of their pairs.

    `own` is the number of each student's pair, or NONE. The price is what one more seat there
    would add: the most that a chain of students gains, the first of whom moves to that seat and
    each next one to the seat that has become free. Longest paths, by Bellman and Ford.

    Raises:
        RuntimeError: a chain gains without end, so that the assignment is not the best.
    """
    came_from, gain = _moves(student, mentor, value, own, mentors)
    source, target, gain = _best_moves(came_from, mentor, gain, mentors)
    prices = np.zeros(mentors + 1, np.int64)
    first = np.flatnonzero(np.diff(target, prepend=-1))
    if not len(first):
        return prices[:-1]
    into = target[first]
    for _ in range(mentors + 1):
        offered = np.maximum.reduceat(prices[source] + gain, first)
        if (offered <= prices[into]).all():
            return prices[:-1]
        prices[into] = np.maximum(prices[into], offered)
    raise RuntimeError("The assignment is not the best over its pairs.")


def _moves(student: Ints, mentor: Ints, value: Ints, own: Ints, mentors: int) -> tuple[Ints, Ints]:
    """For each pair, where the student is now and what the pair would gain over it.

    Who has no mentor is at the place after the last.
    """
    placed = own != NONE
    held, at = np.zeros(len(own), np.int64), np.full(len(own), mentors)
    held[placed], at[placed] = value[own[placed]], mentor[own[placed]]
    return at[student], value - held[student]


def _best_moves(source: Ints, target: Ints, gain: Ints, mentors: int) -> tuple[Ints, Ints, Ints]:
    """The best move from each place to each other, by target."""
    moves = np.flatnonzero(source != target)
    code = target[moves] * (mentors + 1) + source[moves]
    order = np.argsort(code, kind="stable")
    code, gain = code[order], gain[moves][order]
    first = np.flatnonzero(np.diff(code, prepend=-1))
    if not len(first):
        return first, first, first
    target, source = np.divmod(code[first], mentors + 1)
    return source, target, np.maximum.reduceat(gain, first)
