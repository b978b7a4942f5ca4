"""What each factor of a match is worth.

UNITS is a score of 100. Everything is whole units, so that SQL and Python agree to the last one;
a score fits a float32 exactly, because it is below 2 ** 24.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mentor_sync.matching.arrays import Ints, ints

UNITS = 1_000_000
FACTORS = ("goals", "industry", "research", "technical", "location", "communication")
_WHOLE = 100


@dataclass(frozen=True)
class Weights:
    """A version of the weights: a whole number a factor, in the order of FACTORS.

    Raises:
        ValueError: one is missing or below 0, or they do not sum to 100.
    """

    version: int
    of_factor: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.of_factor) != len(FACTORS):
            raise ValueError(f"There are {len(FACTORS)} factors, not {len(self.of_factor)}.")
        if min(self.of_factor) < 0 or sum(self.of_factor) != _WHOLE:
            raise ValueError(f"Weights are at least 0 and sum to 100: {self.of_factor}.")

    @classmethod
    def of(cls, version: int, by_name: Mapping[str, int]) -> Weights:
        """From the factors' names; one that is not named weighs nothing."""
        unknown = sorted(set(by_name) - set(FACTORS))
        if unknown:
            raise ValueError(f"There is no factor {', '.join(unknown)}.")
        return cls(version, tuple(by_name.get(name, 0) for name in FACTORS))

    @property
    def array(self) -> Ints:
        return ints(self.of_factor)


DEFAULT_WEIGHTS = Weights(1, (30, 25, 20, 15, 5, 5))


def shares(counts: Ints, weights: Weights) -> Ints:
    """The units of each factor, [people x factors], given how many terms each person has there.

    Factors without a term are left out, and what they weigh goes to the others.
    """
    weight = np.where(counts > 0, weights.array, 0)
    whole = weight.sum(axis=1, keepdims=True)
    found: Ints = UNITS * weight // np.maximum(whole, 1)
    return found


def points(units: int) -> float:
    """Units as people see them: 0 to 100, two places, halves up."""
    return (units + 50) // 100 / 100
