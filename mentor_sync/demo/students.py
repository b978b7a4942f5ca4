"""Members of the invented community who look for a mentor, and what they look for.

The same every time, as the members are. Nothing here reads or writes anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple
from uuid import UUID, uuid5

from mentor_sync.demo import spelling
from mentor_sync.demo.community import NAMESPACE, Person, is_plain, member, member_id, person
from mentor_sync.demo.dice import Dice
from mentor_sync.demo.words import FIELDS, HOPES, Field

MOST = 60
_SEEKING = {"mentee", "student"}
_CHANNELS = ((), (), (), ("video",), ("video", "chat"))
_LONGEST_WAIT = 21


class Student(NamedTuple):
    """A person with a profile and an open request; account_id and days are numbers."""

    id: UUID
    email: str
    full_name: str
    member_id: UUID
    account_id: int
    country: str
    city: str
    career_goals: list[str]
    industries: list[str]
    research_interests: list[str]
    skills: list[str]
    channels: list[str]
    message: str
    goals: list[str]
    days: int


def students(members: int) -> Iterator[Student]:
    """Those of a community of this size who look for a mentor; a few are enough."""
    seeking = (index for index in range(1, members + 1) if _is_seeking(index))
    return map(student, islice(seeking, MOST))


def student_id(index: int) -> UUID:
    return uuid5(NAMESPACE, f"student {index}")


def student(index: int) -> Student:
    """What the member of this number looks for."""
    dice, who = Dice("student", index), person(index)
    field = dice.pick(FIELDS)
    area, occupation = dice.pick(field.areas), dice.pick(field.occupations)
    return Student(
        student_id(index),
        who.address,
        who.name,
        member_id(index),
        index,
        *_place(dice, who),
        career_goals=spelling.wishes(dice, (area, occupation) if dice.one_in(3) else (area,)),
        industries=spelling.wishes(dice, (field.industry,)),
        research_interests=spelling.wishes(dice, (area,)) if dice.one_in(2) else [],
        skills=spelling.wishes(dice, _skills(dice, field)),
        channels=list(dice.pick(_CHANNELS)),
        message=dice.pick(HOPES).format(area=area, occupation=occupation),
        goals=spelling.wishes(dice, (area,)) if dice.one_in(3) else [],
        days=dice.pick(range(_LONGEST_WAIT)),
    )


def _is_seeking(index: int) -> bool:
    typed = member(index).membershiptype.strip().lower()
    return is_plain(index) and typed in _SEEKING


def _place(dice: Dice, who: Person) -> tuple[str, str]:
    return dice.pick(who.home.countries), dice.pick(who.home.cities)


def _skills(dice: Dice, field: Field) -> tuple[str, ...]:
    """One or two that lie beside each other in the list, as with those who know them."""
    first, count = dice.pick(range(len(field.skills))), dice.pick((1, 1, 2))
    return tuple(field.skills[(first + step) % len(field.skills)] for step in range(count))
