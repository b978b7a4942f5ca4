"""The invented community: always the same, and as messy as a real one."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from itertools import islice

import pytest

from mentor_sync.demo.community import (
    Member,
    Oddity,
    accounts,
    member_id,
    members,
    oddity,
    person,
)
from mentor_sync.demo.dice import Dice

SIZE = 400
MEMBERS = list(members(SIZE))
ACCOUNTS = list(accounts(SIZE))
RESERVED = re.compile(r"(example\.(com|org|net)|[a-z]+\.example)")


def compared(address: str) -> str:
    """As private.normalise_email has it."""
    return address.strip().strip("\u200b").lower()


def is_mentor(member: Member) -> bool:
    return compared(member.membershiptype) == "mentor"


def texts(member: Member) -> list[str]:
    return [value for value in member if isinstance(value, str)]


def test_it_is_the_same_every_time() -> None:
    assert list(members(SIZE)) == MEMBERS
    assert list(accounts(SIZE)) == ACCOUNTS
    # Stacks remember these from one version of mentor-sync to the next.
    assert str(member_id(1)) == "9b4a2d7c-566e-597d-8159-c7db3b8110ff"


def test_a_larger_one_holds_the_smaller_one() -> None:
    assert list(islice(members(1_000_000), SIZE)) == MEMBERS
    assert [account for account in accounts(2 * SIZE) if account.id <= SIZE] == ACCOUNTS


def test_a_number_is_one_row() -> None:
    assert len({member.id for member in MEMBERS}) == SIZE
    assert len({account.id for account in ACCOUNTS}) == len(ACCOUNTS)


def test_every_address_is_one_that_nobody_can_have() -> None:
    typed = [member.email for member in members(5_000)]
    typed += [account.email for account in accounts(5_000)]
    for address in map(compared, typed):
        assert not address or RESERVED.fullmatch(address.partition("@")[2]), address
    pages = [member.linkedin.strip() for member in MEMBERS if member.linkedin]
    assert all(page.startswith("https://linkedin.example/") for page in pages if page)


def test_only_twins_share_an_address() -> None:
    of_members = Counter(compared(member.email) for member in members(5_000))
    of_accounts = Counter(compared(account.email) for account in accounts(5_000))
    del of_members[""]
    odd = Counter(oddity(index) for index in range(1, 5_001))
    assert sum(n > 1 for n in of_members.values()) == odd[Oddity.REGISTERED_TWICE]
    assert sum(n > 1 for n in of_accounts.values()) == odd[Oddity.TWO_ACCOUNTS]
    assert max(*of_members.values(), *of_accounts.values()) == 2


def test_the_shares_are_believable() -> None:
    known = {compared(account.email) for account in ACCOUNTS}
    mentors = [member for member in MEMBERS if is_mentor(member)]
    assert 0.4 < len(mentors) / SIZE < 0.55
    assert 0.9 < sum(bool(member.is_active) for member in MEMBERS) / SIZE < 0.98
    assert 0.88 < sum(compared(member.email) in known for member in MEMBERS) / SIZE < 0.96
    types = {compared(member.membershiptype) for member in MEMBERS}
    assert types == {"mentor", "mentee", "student", "alumni", "partner", "volunteer"}


@pytest.mark.parametrize(
    "is_so",
    [
        lambda member: member.email != member.email.lower(),
        lambda member: member.email.startswith(" "),
        lambda member: member.email.endswith("\t"),
        lambda member: member.email.startswith("\u00a0"),
        lambda member: member.email.endswith("\u200b"),
        lambda member: not member.email.strip(),
        lambda member: not member.email.isascii() and member.email.strip().isprintable(),
        lambda member: is_mentor(member) and member.membershiptype.isupper(),
        lambda member: is_mentor(member) and member.membershiptype.endswith("\t"),
        lambda member: is_mentor(member) and member.membershiptype.startswith("\u00a0"),
        lambda member: not member.name,
        lambda member: "  " in member.name,
        lambda member: member.name != unicodedata.normalize("NFC", member.name),
        lambda member: member.is_active is False,
        lambda member: member.is_active is None,
        lambda member: member.occupation is None,
        lambda member: member.occupation == "",
        lambda member: member.city == " ",
        lambda member: (member.skills, member.occupation, member.country) == (None, None, None),
        lambda member: ";" in (member.skills or ""),
        lambda member: ",," in (member.skills or ""),
        lambda member: "\n" in (member.skills or ""),
        lambda member: any(word.isupper() and len(word) > 4 for word in skills(member)),
    ],
)
def test_each_kind_of_mess_is_there(is_so: Callable[[Member], bool]) -> None:
    assert any(is_so(member) for member in MEMBERS)


def skills(member: Member) -> list[str]:
    return [word.strip() for word in re.split(r"[,;\n]", member.skills or "")]


@pytest.mark.parametrize("script", ["ETHIOPIC", "ARABIC", "CJK", "HANGUL", "CYRILLIC", "GREEK"])
def test_names_are_in_many_scripts(script: str) -> None:
    assert any(
        unicodedata.name(member.name.strip()[:1] or " ").startswith(script) for member in MEMBERS
    )


def test_the_database_can_hold_it() -> None:
    assert not any("\0" in text for member in MEMBERS for text in texts(member))
    assert all(account.email for account in ACCOUNTS)


@pytest.mark.parametrize("kind", list(Oddity))
def test_a_small_community_has_all_that_is_odd(kind: Oddity) -> None:
    assert kind in {oddity(index) for index in range(1, 61)}


def test_the_second_account_is_of_the_same_person() -> None:
    twice = next(index for index in range(1, SIZE) if oddity(index) is Oddity.TWO_ACCOUNTS)
    address = person(twice).address
    found = [account for account in ACCOUNTS if compared(account.email) == address]
    assert [account.id for account in found] == [twice, twice + 1]


def test_dice_are_fair_enough() -> None:
    thrown = Counter(Dice("test", index).pick("abcd") for index in range(4_000))
    assert set(thrown) == set("abcd")
    assert all(900 < n < 1_100 for n in thrown.values())
    assert 300 < sum(Dice("other", index).one_in(10) for index in range(4_000)) < 500
