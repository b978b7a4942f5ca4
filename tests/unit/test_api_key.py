"""Only keys that see every row pass; each other kind is told what it is."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mentor_sync.api_key import require_service_key
from mentor_sync.errors import KeyRefused
from mentor_sync.local.keys import Keys

KEYS = Keys.generate()


def jwt(**claims: Any) -> str:
    """Unsigned: what it says is all that counts here."""
    parts = ({"alg": "HS256", "typ": "JWT"}, claims)
    coded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode() for part in parts]
    return ".".join(part.rstrip("=") for part in coded) + ".c2lnbmF0dXJl"


GOOD = {
    "secret": KEYS.secret_key,
    "legacy": KEYS.legacy_service_role_key,
    "without an end": jwt(role="service_role"),
    "with an end to come": jwt(role="service_role", exp=time.time() + 3600),
}
BAD = {
    "publishable": (KEYS.publishable_key, "a publishable key, which sees public rows only"),
    "anon": (KEYS.legacy_anon_key, "of the role 'anon'"),
    "of a user": (KEYS.mint("authenticated", sub="x"), "of the role 'authenticated'"),
    "without a role": (jwt(iss="supabase"), "of the role None"),
    "with a list of roles": (jwt(role=["service_role"]), "of the role"),
    "expired": (jwt(role="service_role", exp=time.time() - 60), "has expired"),
    "empty": ("", "not a key of a Supabase project"),
    "secret without its secret": ("sb_secret_", "not a key of a Supabase project"),
    "with a space": ("sb_secret_a b", "not a key of a Supabase project"),
    "not of ASCII": ("sb_secret_\u00fc", "not a key of a Supabase project"),
    "in quotes": (f'"{KEYS.secret_key}"', "not a key of a Supabase project"),
    "with a line end": (f"{jwt(role='service_role')}\n", "not a key of a Supabase project"),
    "not base64": ("a.b.c", "not a key of a Supabase project"),
    "a list": ("a.W10.c", "not a key of a Supabase project"),
    "deep": (f"a.{base64.b64encode(b'[' * 99_999).decode()}.c", "not a key"),
}


@pytest.mark.parametrize("kind", GOOD)
def test_a_service_key_passes(kind: str) -> None:
    require_service_key(GOOD[kind])


@pytest.mark.parametrize("kind", BAD)
def test_another_key_is_refused_and_named(kind: str) -> None:
    key, words = BAD[kind]
    with pytest.raises(KeyRefused, match=words) as caught:
        require_service_key(key)
    assert "SUPABASE_SECRET_KEY" in caught.value.hint
    assert not key[11:] or key not in caught.value.message


@given(
    st.one_of(
        st.text(),
        st.text().map("sb_{}".format),
        st.tuples(st.text(), st.binary(), st.text()).map(
            lambda p: f"{p[0]}.{base64.urlsafe_b64encode(p[1]).decode()}.{p[2]}"
        ),
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.text(),
            lambda values: st.lists(values) | st.dictionaries(st.text(), values),
        ).map(lambda claims: jwt(role=claims, exp=claims)),
    )
)
def test_any_text_is_refused_and_breaks_nothing(key: str) -> None:
    with pytest.raises(KeyRefused):
        require_service_key(key)
