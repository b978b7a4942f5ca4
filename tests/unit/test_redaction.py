"""No secret leaves in any text; other text stays as it is."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mentor_sync.redaction import anonymised, mask, redact, redacted
from tests.unit.support import KEY

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoic2VydmljZV9yb2xlIn0.c2lnbmF0dXJl"
_url_safe = st.text("abcXYZ019-_", min_size=16, max_size=40)
keys = st.one_of(
    _url_safe.map("sb_secret_{}".format),
    _url_safe.map("sb_publishable_{}".format),
    st.tuples(_url_safe, _url_safe, _url_safe).map(lambda p: f"eyJ{p[0]}.eyJ{p[1]}.{p[2]}"),
    st.sampled_from([KEY, TOKEN]),
)
passwords = st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S"]), min_size=8)


@given(st.text(), keys, st.text())
def test_a_key_in_any_text_never_survives(before: str, key: str, after: str) -> None:
    assume(key[-12:] not in before + after)
    shown = redact(before + key + after)
    assert key[-12:] not in shown
    assert "***" in shown


@given(passwords, st.sampled_from(["postgres", "postgres.abc", ""]))
def test_the_password_of_a_url_never_survives(password: str, user: str) -> None:
    url = f"postgresql://{user}:{password}@db.example.org:5432/postgres"
    shown = redact(f"no answer from {url} in time")
    assert shown == f"no answer from postgresql://{user}:***@db.example.org:5432/postgres in time"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("host=h password=s3cret user=u", "host=h password=*** user=u"),
        (r"password='it\'s s3cret' user=u", "password=*** user=u"),
        ("https://x.org/?password=s3cret&a=b", "https://x.org/?password=***&a=b"),
        (f"apikey: {KEY}, 401", "apikey: ***, 401"),
        (f"Authorization: Bearer {TOKEN}", "Authorization: Bearer ***"),
    ],
)
def test_what_stands_around_a_secret_stays(text: str, shown: str) -> None:
    assert redact(text) == shown


@given(st.text().filter(lambda text: not any(part in text for part in ("sb_", "eyJ", "://", "="))))
def test_other_text_stays_as_it_is(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "Hey Jude, heyJude and monkeyJar",
        "ann@example.org wrote to bob@example.org",
        "http://127.0.0.1:54321/rest/v1/rpc/claim_runs of ann@example.org",
        "sb_other_thing 2026-11-21T04:00:00Z 5a1c3f0e-0000-4000-8000-000000000000",
        "https://<ref>.supabase.co, mentor-sync needs the secret key (sb_secret_...)",
    ],
)
def test_so_do_things_that_look_like_a_secret(text: str) -> None:
    assert redact(text) == text


@given(
    st.recursive(
        keys | st.text("ab _") | st.integers() | st.none() | st.booleans(),
        lambda inner: (
            st.lists(inner) | st.tuples(inner) | st.dictionaries(keys | st.text("ab _"), inner)
        ),
    )
)
def test_no_depth_hides_a_key(value: Any) -> None:
    shown = str(redacted(value))
    assert "eyJ" not in shown
    assert "sb_secret_" not in shown


def test_plain_values_keep_their_type_and_others_become_text() -> None:
    plain = {"a": [1, 2.5, True, None, "x"], "b": {"c": "y"}}
    assert redacted(plain) == plain
    run = UUID(int=1)
    assert redacted({"run": run, "error": ValueError(KEY), "pair": (1, 2)}) == {
        "run": str(run),
        "error": "***",
        "pair": [1, 2],
    }


@pytest.mark.parametrize(
    ("secret", "shown"),
    [
        ("sb_secret_0123456789abcdef", "sb_secret_...cdef"),
        ("sb_publishable_0123456789abcdef", "sb_publishable_...cdef"),
        ("eyJhbGciOiJIUzI1NiJ9.e30.wxyz", "eyJ...wxyz"),
        ("something else entirely", "...rely"),
        ("short", "***"),
        ("", "***"),
        (
            "postgresql://postgres:p@ss/w@db.example.org/postgres",
            "postgresql://postgres:***@db.exam",
        ),
    ],
)
def test_settings_show_a_secret_by_its_end(secret: str, shown: str) -> None:
    assert mask(secret).startswith(shown)
    assert len(secret) < 5 or secret not in mask(secret)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Key (email)=(o'hara+x@exämple.org) exists", "Key (email)=(***@exämple.org) exists"),
        ("ann@example.org, Bob <bob.b@example.net>", "***@example.org, Bob <***@example.net>"),
        ("mentor @ home, @everybody, a@b", "mentor @ home, @everybody, a@b"),
        ("postgresql://ann:***@db.example.org:5432", "postgresql://ann:***@db.example.org:5432"),
    ],
)
def test_logs_name_nobody_s_address(text: str, shown: str) -> None:
    assert anonymised(text) == shown
    assert anonymised({"a": [text], text: 1}) == {"a": [shown], shown: 1}


@given(st.emails().filter(lambda address: not set(address.rpartition("@")[0]) & set('"=')))
def test_no_address_survives(address: str) -> None:
    domain = address.rpartition("@")[2]
    assert anonymised(f"x <{address}> y") == f"x <***@{domain}> y"
