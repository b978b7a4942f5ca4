"""The mapping from a member to a mentor, against a model of it in Python."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import Templates

SPACE = (
    " \t\n\v\f\r\u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009"
    "\u200a\u200b\u2028\u2029\u202f\u205f\u3000\ufeff"
)
WORDS = st.text(st.sampled_from(list("abAB,; éÄß'\"|{}") + list(SPACE[:8])), max_size=12)
SKILLS = WORDS | st.lists(WORDS, max_size=7).map(",".join)
ANY_TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)
MANY = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def connection(templates: Templates) -> Iterator[psycopg.Connection]:
    name = templates.clone(templates.migrated("none"))
    with psycopg.connect(templates.cluster.dsn("postgres", name), autocommit=True) as opened:
        yield opened
    templates.drop(name)


def ask(connection: psycopg.Connection, query: str, *values: object) -> object:
    found = connection.execute(query.encode(), values).fetchone()
    return found[0] if found else None


def model_of_expertise(area: str | None, industry: str | None, skills: str | None) -> list[str]:
    listed = (skills or "").replace(";", ",").replace("\n", ",").replace("\r", ",").split(",")
    three = [skill for skill in (part.strip(SPACE) for part in listed) if skill][:3]
    words = [(area or "").strip(SPACE), (industry or "").strip(SPACE), *three]
    once = {word.lower(): word for word in reversed(words) if word}
    return [
        word
        for i, word in enumerate(words)
        if word
        and once[word.lower()] == word
        and word.lower() not in [earlier.lower() for earlier in words[:i]]
    ]


@given(area=st.none() | WORDS, industry=st.none() | WORDS, skills=st.none() | SKILLS)
@MANY
def test_expertise_is_area_industry_and_three_skills(
    connection: psycopg.Connection, area: str | None, industry: str | None, skills: str | None
) -> None:
    found = ask(connection, "select private.mentor_expertise(%s, %s, %s)", area, industry, skills)
    assert found == model_of_expertise(area, industry, skills)


def test_the_fourth_skill_does_not_count(connection: psycopg.Connection) -> None:
    found = ask(connection, "select private.mentor_expertise(' Law', 'law', ',a;b,, A ,d,e')")
    assert found == ["Law", "a", "b"]


@given(parts=st.tuples(*[st.none() | WORDS] * 3))
@MANY
def test_bio_is_the_parts_that_are_there(
    connection: psycopg.Connection, parts: tuple[str | None, ...]
) -> None:
    names = ("Experience", "Occupation", "Job Title")
    said = [
        f"{name}: {part.strip(SPACE)}"
        for name, part in zip(names, parts, strict=True)
        if part and part.strip(SPACE)
    ]
    assert ask(connection, "select private.mentor_bio(%s, %s, %s)", *parts) == (
        " | ".join(said) or None
    )


@given(address=ANY_TEXT, before=st.text(SPACE, max_size=3), after=st.text(SPACE, max_size=3))
@MANY
def test_an_address_is_the_same_whatever_stands_around_it(
    connection: psycopg.Connection, address: str, before: str, after: str
) -> None:
    normalise = "select private.normalise_email(%s)"
    plain = ask(connection, normalise, address)
    assert ask(connection, normalise, before + address + after) == plain
    assert ask(connection, normalise, plain) == plain


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("A@B.org", "a@b.ORG"),
        ("ä@x.org", "Ä@X.org"),
        ("\ta@x.org\u00a0", "a@x.org"),
        ("o'hara\"+ü,ß@exämple.org", " O'Hara\"+Ü,ß@EXÄMPLE.org"),
    ],
)
def test_these_addresses_are_one(connection: psycopg.Connection, left: str, right: str) -> None:
    same = "select private.normalise_email(%s) = private.normalise_email(%s)"
    assert ask(connection, same, left, right) is True


@pytest.mark.parametrize(("left", "right"), [("a_b@x.org", "aXb@x.org"), ("a@x.org", "a@x.or")])
def test_these_addresses_are_two(connection: psycopg.Connection, left: str, right: str) -> None:
    same = "select private.normalise_email(%s) = private.normalise_email(%s)"
    assert ask(connection, same, left, right) is False


@given(name=ANY_TEXT)
@MANY
def test_a_slug_is_plain(connection: psycopg.Connection, name: str) -> None:
    slug = ask(connection, "select private.slug(%s, gen_random_uuid())", name)
    assert isinstance(slug, str)
    assert set(slug) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert slug == slug.strip("-") != ""
    assert "--" not in slug


@pytest.mark.parametrize("name", ["Evil!", "evil", " Evil -- ", "--evil\u0301"])
def test_a_slug_has_single_dashes(connection: psycopg.Connection, name: str) -> None:
    slug = ask(connection, "select private.slug(%s, %s)", name, UUID(int=0xA006FAFA << 96))
    assert slug == "evil-a006fafa"
