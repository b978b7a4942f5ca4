"""What old batches would be by other weights."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, Literal

from mentor_sync.matching.pool import Mentors, Pool, Requests
from mentor_sync.matching.proposals import Proposals
from mentor_sync.matching.weights import Weights, points

Json = dict[str, Any]
Outcome = Literal["same", "other_order", "other_mentors"]


@dataclass(frozen=True)
class Replayed:
    """A batch: the mentors as they were offered, and those that come out now.

    Mentors are {mentor_id, name, score}, the best first. `fits`: nobody's profile changed since.
    """

    batch_id: str
    student_id: str
    student_name: str
    made_at: str
    version: int
    fits: bool
    offered: list[Json]
    replayed: list[Json]

    @property
    def outcome(self) -> Outcome:
        before, after = ([one["mentor_id"] for one in side] for side in self._sides)
        if before == after:
            return "same"
        return "other_order" if sorted(before) == sorted(after) else "other_mentors"

    @property
    def change(self) -> float | None:
        """By how much the mean score of the mentors differs; None where nobody is found now."""
        if not all(self._sides):
            return None
        before, after = (fmean(float(one["score"]) for one in side) for side in self._sides)
        return after - before

    @property
    def _sides(self) -> tuple[list[Json], list[Json]]:
        return self.offered, self.replayed


@dataclass(frozen=True)
class Summary:
    """Many batches, counted."""

    batches: int
    same: int
    other_order: int
    other_mentors: int
    changed_since: int
    mean_change: float | None

    @classmethod
    def of(cls, replayed: Sequence[Replayed]) -> Summary:
        kinds = Counter(batch.outcome for batch in replayed)
        changes = [batch.change for batch in replayed if batch.change is not None]
        return cls(
            batches=len(replayed),
            same=kinds["same"],
            other_order=kinds["other_order"],
            other_mentors=kinds["other_mentors"],
            changed_since=sum(not batch.fits for batch in replayed),
            mean_change=round(fmean(changes), 2) if changes else None,
        )


def replay(
    answer: Json, weights: Weights, *, units_a_day: int, units_at_most: int
) -> Iterator[Replayed]:
    """The batches of an answer of replay_inputs, made again as the job would have made them."""
    if not answer["batches"]:
        return
    told, mentors = answer["requests"], answer["mentors"]
    pool = Pool(Requests.of([told]), Mentors.of([mentors]))
    proposals = Proposals.make(pool, weights, units_a_day=units_a_day, units_at_most=units_at_most)
    found = _found(proposals, mentors["names"])
    for place, batch_id in enumerate(told["requests"]):
        yield Replayed(
            batch_id=batch_id,
            student_id=told["students"][place],
            student_name=told["names"][place],
            made_at=told["made_at"][place],
            version=told["versions"][place],
            fits=told["fits"][place],
            offered=told["offered"][place],
            replayed=found[place],
        )


def _found(proposals: Proposals, names: list[str]) -> list[list[Json]]:
    """The mentors for each batch, the best first."""
    listed: list[list[Json]] = [[] for _ in proposals.pool.requests.ids]
    pairs = proposals.found
    for student, mentor, units in zip(
        pairs.student.tolist(), pairs.mentor.tolist(), pairs.total.tolist(), strict=True
    ):
        mentor_id = proposals.pool.mentors.ids[mentor]
        listed[student].append(
            {"mentor_id": mentor_id, "name": names[mentor], "score": points(units)}
        )
    return listed
