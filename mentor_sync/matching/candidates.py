"""The best of each row of scores, exactly, also where scores are equal."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from mentor_sync.matching.arrays import Floats, Ints, within

NONE = -1
"""Where there is no further mentor; also the units of a pair that must not be."""
_GROUPS_A_PLACE = 8
_UNITS_BITS = 20
_MENTOR_BITS = 22


@dataclass(frozen=True)
class Candidates:
    """The best mentors of each student, [students x k]: more units first, then the lower mentor.

    Both arrays hold NONE behind the last that may be.
    """

    mentor: Ints
    units: Ints

    @classmethod
    def empty(cls, students: int, k: int) -> Candidates:
        """None for anybody."""
        return cls(np.full((students, k), NONE), np.full((students, k), NONE))

    @classmethod
    def joined(cls, parts: Iterable[Candidates]) -> Candidates:
        """Those of several chunks of students, one after the other."""
        listed = list(parts)
        return cls(
            np.concatenate([part.mentor for part in listed]),
            np.concatenate([part.units for part in listed]),
        )


def best(scores: Floats, k: int) -> Candidates:
    """The k best of each row; below 0 is none.

    Row, score and column are packed into one number, so that sorting needs no second array.
    """
    if not k:
        return Candidates.empty(len(scores), 0)
    cells = np.flatnonzero(scores >= _bound(scores, k)[:, np.newaxis])
    rows, columns = np.divmod(cells, scores.shape[1])
    units = scores.ravel()[cells].astype(np.int64)
    lack = (1 << _UNITS_BITS) - 1 - units
    packed = np.sort((((rows << _UNITS_BITS) | lack) << _MENTOR_BITS) | columns)
    return _unpacked(packed, len(scores), k)


def _bound(scores: Floats, k: int) -> Floats:
    """A score that at least k of each row reach, or 0.

    The k-th best of the maxima of groups of columns is one, and quicker than the k-th best.
    """
    mentors = scores.shape[1]
    groups = min(mentors, _GROUPS_A_PLACE * k)
    if groups < k:
        return np.zeros(len(scores), np.float32)
    depth = mentors // groups
    grouped = scores[:, : depth * groups].reshape(len(scores), depth, groups).max(axis=1)
    bound = np.partition(grouped, groups - k, axis=1)[:, groups - k]
    return np.maximum(bound, np.float32(0))


def _unpacked(packed: Ints, students: int, k: int) -> Candidates:
    rows = packed >> (_UNITS_BITS + _MENTOR_BITS)
    lengths = np.bincount(rows, minlength=students).astype(np.int64)
    place = within(lengths)
    kept = place < k
    found = Candidates.empty(students, k)
    rows, place, packed = rows[kept], place[kept], packed[kept]
    found.mentor[rows, place] = packed & ((1 << _MENTOR_BITS) - 1)
    lack = (packed >> _MENTOR_BITS) & ((1 << _UNITS_BITS) - 1)
    found.units[rows, place] = (1 << _UNITS_BITS) - 1 - lack
    return found
