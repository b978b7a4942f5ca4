"""Chance that falls the same way every time, on every machine and Python."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeVar

T = TypeVar("T")


class Dice:
    """512 bits out of what they are thrown for, spent from throw to throw."""

    __slots__ = ("_left",)

    def __init__(self, purpose: str, index: int) -> None:
        self._left = int.from_bytes(blake2b(f"{purpose} {index}".encode()).digest(), "big")

    def pick(self, options: Sequence[T]) -> T:
        """One of the options; one that is there twice comes twice as often."""
        self._left, place = divmod(self._left, len(options))
        return options[place]

    def one_in(self, sides: int) -> bool:
        """True once in so many throws."""
        self._left, place = divmod(self._left, sides)
        return place == 0
