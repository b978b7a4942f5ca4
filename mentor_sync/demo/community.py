"""An invented community, as messy as a real one: members and accounts, made out of numbers.

The person of a number is the same in every community, so a larger one holds the smaller ones.
Nothing here reads or writes anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum, auto
from typing import NamedTuple
from uuid import NAMESPACE_DNS, UUID, uuid5

from mentor_sync.demo import spelling
from mentor_sync.demo.dice import Dice
from mentor_sync.demo.words import (
    DOMAINS,
    EXPERIENCE,
    FIELDS,
    RANKS,
    REGIONS,
    SCHOOLS,
    Name,
    Region,
)

NAMESPACE = uuid5(NAMESPACE_DNS, "demo.mentor-sync.example")

MEMBERSHIPS = (
    *("mentor",) * 9,
    *("mentee",) * 4,
    *("student",) * 4,
    *("alumni", "partner", "volunteer"),
)


class Oddity(Enum):
    """What is out of the ordinary about a member."""

    NONE = auto()
    NO_ACCOUNT = auto()
    NO_ADDRESS = auto()
    INACTIVE = auto()
    REGISTERED_TWICE = auto()  # the same person as the number before
    TWO_ACCOUNTS = auto()  # the number after gives its account away
    BARE = auto()  # only what the form insists on


# By place in each eighty: rare things are there in small communities too, and keep their share.
_CYCLE = 80
_ODDITIES = {
    **dict.fromkeys((4, 17, 31, 44, 57, 71), Oddity.NO_ACCOUNT),
    **dict.fromkeys((9, 26, 49, 66), Oddity.INACTIVE),
    **dict.fromkeys((36, 76), Oddity.BARE),
    14: Oddity.REGISTERED_TWICE,
    16: Oddity.TWO_ACCOUNTS,
}
_MENTORS_ALWAYS = {Oddity.REGISTERED_TWICE, Oddity.TWO_ACCOUNTS, Oddity.NO_ADDRESS}
# The accounts of these places are of people who never became members.
_STRANGERS = {4, 44}


class Member(NamedTuple):
    """A row of members; the fields are its columns."""

    id: UUID
    email: str
    name: str
    membershiptype: str
    area_of_expertise: str | None
    skills: str | None
    experience: str | None
    occupation: str | None
    jobtitle: str | None
    industry: str | None
    is_active: bool | None
    country: str | None
    city: str | None
    linkedin: str | None
    school: str | None


class Account(NamedTuple):
    """A row of users_user."""

    id: int
    email: str
    first_name: str | None
    last_name: str | None


class Person(NamedTuple):
    """Who somebody is, before they type it."""

    given: str
    family: str
    name: str
    address: str
    home: Region


def members(count: int) -> Iterator[Member]:
    """The members of a community of this size."""
    return (member(index) for index in range(1, count + 1))


def accounts(count: int) -> Iterator[Account]:
    """The accounts of a community of this size."""
    made = (account(index) for index in range(1, count + 1))
    return (found for found in made if found is not None)


def member_id(index: int) -> UUID:
    return uuid5(NAMESPACE, str(index))


def oddity(index: int) -> Oddity:
    if index % 200 == 38:
        return Oddity.NO_ADDRESS
    return _ODDITIES.get(index % _CYCLE, Oddity.NONE)


def is_plain(index: int) -> bool:
    """Whether nothing is odd about this member, so that the account of the number is theirs."""
    return (
        oddity(index) is Oddity.NONE
        and oddity(index - 1) is not Oddity.TWO_ACCOUNTS
        and index % _CYCLE not in _STRANGERS
    )


def member(index: int) -> Member:
    """The member of this number, counted from 1."""
    kind, dice = oddity(index), Dice("member", index)
    who = person(index - 1 if kind is Oddity.REGISTERED_TWICE else index)
    membership = "mentor" if kind in _MENTORS_ALWAYS else dice.pick(MEMBERSHIPS)
    typed = spelling.address(dice, who.address)
    bare = kind is Oddity.BARE
    return Member._make(
        (
            member_id(index),
            spelling.blank(dice) if kind is Oddity.NO_ADDRESS else typed,
            spelling.name(dice, who.name),
            spelling.membershiptype(dice, membership),
            *((None,) * 6 if bare else _work(dice, membership)),
            dice.pick((False, False, None)) if kind is Oddity.INACTIVE else True,
            *((None,) * 4 if bare else _life(dice, who)),
        )
    )


def account(index: int) -> Account | None:
    """The account of this number, if there is one."""
    dice = Dice("account", index)
    who = _owner(index)
    if who is None:
        return None
    nameless = dice.one_in(12)
    return Account(
        index,
        spelling.address(dice, who.address),
        None if nameless else who.given,
        dice.pick(("", None)) if nameless else who.family,
    )


def person(index: int, purpose: str = "person") -> Person:
    """The person of this number."""
    dice = Dice(purpose, index)
    home = dice.pick(REGIONS)
    given, family = dice.pick(home.given), dice.pick(home.family)
    address = _address(dice, given, family, f"{'x' if purpose != 'person' else ''}{index}")
    if dice.one_in(3):  # in letters a to z, whatever the name is written in at home
        given, family = (Name(each.plain.title(), each.plain) for each in (given, family))
    parts = [given.written, family.written]
    return Person(
        given.written,
        family.written,
        " ".join(reversed(parts) if home.family_first else parts),
        address,
        home,
    )


def _owner(index: int) -> Person | None:
    if index % _CYCLE in _STRANGERS:
        return person(index, "stranger")
    if oddity(index - 1) is Oddity.TWO_ACCOUNTS:
        return person(index - 1)
    without = {Oddity.NO_ACCOUNT, Oddity.REGISTERED_TWICE}
    return None if oddity(index) in without else person(index)


def _address(dice: Dice, given: Name, family: Name, number: str) -> str:
    """An address in lower case, which the number makes the only one of its kind."""
    first, last = given.plain, family.plain
    accented = f"{given.written}.{family.written}".lower()
    local = dice.pick((f"{first}.{last}", f"{first[0]}.{last}", f"{last}.{first}", f"{first}"))
    if dice.one_in(20) and accented.replace(".", "").isalpha() and _survives(accented):
        local = accented
    return f"{local}{number}@{dice.pick(DOMAINS)}"


def _survives(text: str) -> bool:
    """Whether the case may change and change back, which it may not for ß and ı."""
    return text.upper().lower() == text and text.title().lower() == text


def _work(dice: Dice, membership: str) -> tuple[str | None, ...]:
    """area_of_expertise to industry."""
    field = dice.pick(FIELDS)
    occupation, rank = dice.pick(field.occupations), dice.pick(RANKS)
    if membership == "student":
        occupation, rank = "Student", ""
    wanted = (
        dice.pick(field.areas),
        spelling.skills(dice, field.skills),
        dice.pick(EXPERIENCE),
        occupation,
        rank + occupation,
        field.industry,
    )
    return tuple(spelling.answer(dice, text) for text in wanted)


def _life(dice: Dice, who: Person) -> tuple[str | None, ...]:
    """country to school; one in five lives abroad."""
    place = dice.pick(REGIONS) if dice.one_in(5) else who.home
    handle = who.address.partition("@")[0].replace(".", "-")
    wanted = (
        dice.pick(place.countries),
        dice.pick(place.cities),
        f"https://linkedin.example/in/{handle}",
        dice.pick(SCHOOLS),
    )
    return tuple(spelling.answer(dice, text) for text in wanted)
