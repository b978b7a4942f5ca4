"""How people type: the same thing in many spellings."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

from mentor_sync.demo.dice import Dice

Spelling = Callable[[str], str]

NO_BREAK_SPACE = "\u00a0"
ZERO_WIDTH_SPACE = "\u200b"


def _as_is(text: str) -> str:
    return text


def _capitals(text: str) -> str:
    """amara.okafor@example.com -> Amara.Okafor@Example.com"""
    return text.title().replace(".Com", ".com")


def _in_blanks(text: str) -> str:
    return f" {text}  "


def _with_tab(text: str) -> str:
    return f"{text}\t"


def _with_no_break_space(text: str) -> str:
    return NO_BREAK_SPACE + text


def _with_zero_width_space(text: str) -> str:
    return text + ZERO_WIDTH_SPACE


def _widely(text: str) -> str:
    return text.replace(" ", "  ")


def _decomposed(text: str) -> str:
    """As some keyboards and file systems write accents."""
    return unicodedata.normalize("NFD", text)


_ADDRESSES: tuple[Spelling, ...] = (
    *(_as_is,) * 26,
    *(_capitals,) * 6,
    *(str.upper,) * 2,
    *(_in_blanks,) * 2,
    *(_with_tab, _with_no_break_space, _with_zero_width_space),
)
_NAMES: tuple[Spelling, ...] = (
    *(_as_is,) * 30,
    *(_in_blanks,) * 2,
    *(_widely, _with_tab, _with_no_break_space, str.upper, str.lower, _decomposed),
)
_TYPES: tuple[Spelling, ...] = (
    *(_as_is,) * 8,
    *(str.capitalize,) * 5,
    *(str.upper, _in_blanks, _with_tab, _with_no_break_space),
)
# None and what forms send for a field that was left alone come along.
_ANSWERS: tuple[Spelling | str | None, ...] = (
    *(_as_is,) * 20,
    *(None,) * 3,
    *(_in_blanks, _with_no_break_space, "", "", " "),
)
_BETWEEN_SKILLS = (*(", ",) * 8, ",", ";", "; ", ",, ", "\n", " ; ,")
_AFTER_SKILLS = (*("",) * 8, ",", ", ", ";;")
_WISHES: tuple[Spelling, ...] = (
    *(_as_is,) * 8,
    *(str.lower,) * 4,
    *(str.upper,) * 2,
    *(_in_blanks, _with_no_break_space, _widely, _with_tab, _decomposed),
)
_BLANKS = ("", "  ", NO_BREAK_SPACE)


def address(dice: Dice, text: str) -> str:
    return dice.pick(_ADDRESSES)(text)


def name(dice: Dice, text: str) -> str:
    """A full name; now and then nothing at all."""
    return "" if dice.one_in(80) else dice.pick(_NAMES)(text)


def membershiptype(dice: Dice, text: str) -> str:
    return dice.pick(_TYPES)(text)


def answer(dice: Dice, text: str) -> str | None:
    """What a form holds where this was to be answered."""
    chosen = dice.pick(_ANSWERS)
    return chosen(text) if callable(chosen) else chosen


def skills(dice: Dice, words: tuple[str, ...]) -> str:
    """A list of some of these words, one of them twice at times."""
    count = dice.pick((1, 2, 3, 3, 4, 5))
    first = dice.pick(range(len(words)))
    chosen = [words[(first + step) % len(words)] for step in range(count)]
    if dice.one_in(8):
        chosen.append(chosen[0].upper())
    return dice.pick(_BETWEEN_SKILLS).join(chosen) + dice.pick(_AFTER_SKILLS)


def wishes(dice: Dice, words: tuple[str, ...]) -> list[str]:
    """What somebody looks for: things one by one, or several in one answer."""
    typed = [dice.pick(_WISHES)(word) for word in words]
    return [dice.pick(_BETWEEN_SKILLS).join(typed)] if dice.one_in(4) else typed


def blank(dice: Dice) -> str:
    """An address that was never given."""
    return dice.pick(_BLANKS)
