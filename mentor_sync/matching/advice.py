"""What outcomes say about the weights, and about fairness. Nobody applies it but a person.

What was never offered has no outcome, so this compares what was chosen; it proves no cause.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from mentor_sync.matching.weights import FACTORS, Weights

Json = dict[str, Any]
ENOUGH = 30
"""Outcomes of a factor below which nothing is concluded from them."""
EACH_SIDE = 5
"""And how many of them must be good, and how many not."""
STEP = 0.5
"""How far a suggestion goes for what is seen: half of the way, since a sample is only one."""
LEAST_GROUP = 10
"""People from a country below which their rate is not told."""


@dataclass(frozen=True)
class Evidence:
    """Of one outcome and factor: what part of its points good and other ones had reached."""

    outcome: str
    factor: str
    good: int
    other: int
    good_reached: float | None
    other_reached: float | None

    @classmethod
    def of(cls, row: Json) -> Evidence:
        """From an entry of `factors` of match_outcomes."""
        return cls(**row)

    @property
    def sample(self) -> int:
        return self.good + self.other

    def lift(self, enough: int = ENOUGH) -> float | None:
        """How much more the good ones had reached; None where the sample is too small to say."""
        if self.sample < enough or min(self.good, self.other) < EACH_SIDE:
            return None
        return float(self.good_reached or 0) - float(self.other_reached or 0)


@dataclass(frozen=True)
class Rates:
    """How often it went well, by country, and how far the countries are apart."""

    measure: str
    groups: list[Json]
    """{country, sample, rate}, in the order of the names."""

    @property
    def ratio(self) -> float | None:
        """The lowest rate in parts of the highest; None where there are not two to compare."""
        rates = [group["rate"] for group in self.groups]
        if len(rates) < 2 or not max(rates):
            return None
        return float(round(min(rates) / max(rates), 2))


def suggestion(
    weights: Weights, evidence: Iterable[Evidence], *, enough: int = ENOUGH
) -> dict[str, int] | None:
    """Weights that lean to what good outcomes had more of; None where too little is known.

    A factor grows with the part that good ones had reached more, the mean over the outcomes; those
    without a large enough sample stay as they are, and together all make up the hundred.
    """
    lifts = _lifts(evidence, enough)
    known = [place for place, factor in enumerate(FACTORS) if factor in lifts]
    wished = {
        place: weights.of_factor[place] * (1 + STEP * lifts[FACTORS[place]]) for place in known
    }
    room = sum(weights.of_factor[place] for place in known)
    whole = sum(wished.values())
    if len(known) < 2 or not whole:
        return None
    dealt = _dealt({place: room * wish / whole for place, wish in wished.items()}, room)
    return {
        factor: dealt.get(place, weights.of_factor[place]) for place, factor in enumerate(FACTORS)
    }


def _lifts(evidence: Iterable[Evidence], enough: int) -> dict[str, float]:
    found: dict[str, list[float]] = {}
    for one in evidence:
        lift = one.lift(enough)
        if lift is not None:
            found.setdefault(one.factor, []).append(lift)
    return {factor: fmean(lifts) for factor, lifts in found.items()}


def _dealt(wished: dict[int, float], room: int) -> dict[int, int]:
    """Whole numbers that make up the room; what is left over goes to the largest remainders."""
    dealt = {place: int(wish) for place, wish in wished.items()}
    by_remainder = sorted(wished, key=lambda place: (dealt[place] - wished[place], place))
    for place in by_remainder[: room - sum(dealt.values())]:
        dealt[place] += 1
    return dealt


def rates(countries: Sequence[Json]) -> list[Rates]:
    """From `countries` of match_outcomes: requests that were matched, offers that were accepted."""
    return [
        Rates("requests matched", _groups(countries, "requests", "matched")),
        Rates("offers accepted", _groups(countries, "offers", "accepted")),
    ]


def _groups(countries: Sequence[Json], of: str, good: str) -> list[Json]:
    return [
        {
            "country": one["country"],
            "sample": one[of],
            "rate": round(one[good] / one[of], 4),
        }
        for one in countries
        if one[of]
    ]
