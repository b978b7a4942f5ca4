"""The kinds of arrays that matching passes around, and how those of lists are walked."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Ints: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float32]
Bools: TypeAlias = npt.NDArray[np.bool_]


def ints(values: npt.ArrayLike) -> Ints:
    """Whole numbers; a fraction is an error, not a whole number nearby."""
    found: npt.NDArray[Any] = np.asarray(values)
    return found.astype(np.int64, casting="same_kind") if found.size else np.empty(0, np.int64)


def starts(lengths: Ints) -> Ints:
    """Where each of the lists begins that lie one after the other, and where the last ends."""
    return np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)


def within(lengths: Ints) -> Ints:
    """The place in its own list of everything that lies in lists of these lengths."""
    return np.arange(lengths.sum()) - np.repeat(starts(lengths)[:-1], lengths)


def spans(begin: Ints, lengths: Ints) -> Ints:
    """The places of lists that begin there and are that long, one list after the other."""
    return np.repeat(begin, lengths) + within(lengths)
