"""What was measured, held against its goal, as a table and as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median
from typing import Any, Literal


@dataclass(frozen=True)
class Case:
    """Something measured. Without a goal it is for information.

    `compares`: ours/floor, floor/ours, or only ours. The goal holds from `from_size` on.
    """

    name: str
    goal: float | None = None
    compares: Literal["ours/floor", "floor/ours", "ours"] = "ours/floor"
    from_size: int = 0
    unit: str = "x"


@dataclass(frozen=True)
class Sample:
    """One round of a case."""

    case: Case
    size: int
    ours: float
    floor: float = 0.0

    @property
    def value(self) -> float:
        """What the goal is about."""
        return {
            "ours/floor": lambda: self.ours / self.floor,
            "floor/ours": lambda: self.floor / self.ours,
            "ours": lambda: self.ours,
        }[self.case.compares]()


@dataclass(frozen=True)
class Score:
    """All rounds of a case at one size."""

    case: Case
    size: int
    samples: list[Sample]

    @property
    def value(self) -> float:
        """The median of the rounds' ratios: each has its floor beside it in time."""
        return median(sample.value for sample in self.samples)

    @property
    def goal(self) -> float | None:
        return self.case.goal if self.size >= self.case.from_size else None

    @property
    def ok(self) -> bool:
        if self.goal is None:
            return True
        if self.case.compares == "floor/ours":
            return self.value >= self.goal
        return self.value <= self.goal

    def cells(self) -> list[str]:
        timed = self.case.compares != "ours"
        sign = ">=" if self.case.compares == "floor/ours" else "<="
        return [
            self.case.name,
            f"{self.size:,}",
            _number(median(sample.floor for sample in self.samples)) if timed else "",
            _number(median(sample.ours for sample in self.samples)) if timed else "",
            _number(self.value) + f" {self.case.unit}" + self._range(),
            "" if self.goal is None else f"{sign} {self.goal:g} {self.case.unit}",
            "" if self.goal is None else ("yes" if self.ok else "NO"),
        ]

    def as_json(self) -> dict[str, Any]:
        return {
            "case": self.case.name,
            "size": self.size,
            "unit": self.case.unit,
            "value": self.value,
            "goal": self.goal,
            "ok": self.ok,
            "rounds": [
                {"floor": sample.floor, "ours": sample.ours, "value": sample.value}
                for sample in self.samples
            ],
        }

    def _range(self) -> str:
        values = sorted(sample.value for sample in self.samples)
        if len(values) == 1:
            return ""
        return f" ({_number(values[0])}-{_number(values[-1])})"


HEADER = ["case", "size", "floor s", "ours s", "ratio", "goal", "ok"]


def score(samples: Iterable[Sample]) -> list[Score]:
    """One score a case and size, in the order in which they first came."""
    rounds: dict[tuple[Case, int], list[Sample]] = {}
    for sample in samples:
        rounds.setdefault((sample.case, sample.size), []).append(sample)
    return [Score(case, size, found) for (case, size), found in rounds.items()]


def table(scores: Iterable[Score]) -> str:
    """The scores as a table in Markdown, aligned for a terminal too."""
    rows = [HEADER, *(found.cells() for found in scores)]
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    rows.insert(1, ["-" * width for width in widths])
    return "\n".join("| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in rows)


def _number(value: float) -> str:
    """Three digits that matter, and no exponent."""
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.3g}"
