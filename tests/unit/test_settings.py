"""Settings come from the environment and .env; .env.example lists them all."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest
from pydantic import AliasChoices, SecretStr

from mentor_sync.errors import ConfigurationError
from mentor_sync.settings import KEY_VARIABLES, Settings, load_settings

EXAMPLE = Path(__file__).parents[2] / ".env.example"
OURS = "MENTOR_SYNC_HTTP_TIMEOUT"


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in _variables():
        monkeypatch.delenv(name, raising=False)


def _variables() -> list[str]:
    aliases = [field.validation_alias for field in Settings.model_fields.values()]
    return [
        str(name)
        for alias in aliases
        for name in (alias.choices if isinstance(alias, AliasChoices) else [alias])
    ]


def test_the_example_lists_exactly_the_settings() -> None:
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    listed = [line.partition("=")[0] for line in lines if line and not line.startswith("#")]
    assert listed == _variables()
    assert all(re.fullmatch(r"[A-Z_]+", name) for name in listed)


def test_each_setting_of_the_example_is_explained() -> None:
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    for above, line in pairwise(lines):
        assert not line or line.startswith("#") or re.match(r"# .{15}", above), line


def test_the_example_as_it_is_changes_nothing() -> None:
    defaults = Settings(_env_file=None)  # type: ignore[call-arg]  # of pydantic
    assert Settings(_env_file=EXAMPLE) == defaults  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (OURS, "soon"),
        (OURS, "0"),
        ("MENTOR_SYNC_CHUNK_SIZE", "20001"),
        ("MENTOR_SYNC_LOG_LEVEL", "loud"),
        ("MENTOR_SYNC_LOG_FORMAT", "xml"),
        ("MENTOR_SYNC_LOCAL_PORT", "99999"),
    ],
)
def test_a_bad_value_names_its_variable(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=f"^{name}: ") as caught:
        load_settings()
    assert ".env.example" in caught.value.hint
    monkeypatch.delenv(name)
    load_settings()


@pytest.mark.parametrize("name", _variables())
def test_an_empty_value_counts_as_not_set(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = load_settings()
    monkeypatch.setenv(name, "")
    assert load_settings() == before


def test_the_first_key_that_is_set_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().supabase_key is None
    for name in reversed(KEY_VARIABLES):
        monkeypatch.setenv(name, f"the key of {name}")
        assert load_settings().supabase_key == SecretStr(f"the key of {name}")
    monkeypatch.setenv(KEY_VARIABLES[0], "")
    assert load_settings().supabase_key == SecretStr(f"the key of {KEY_VARIABLES[1]}")


def test_the_environment_goes_before_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text(f"{OURS}=7\nMENTOR_SYNC_CHUNK_SIZE=9\n", encoding="utf-8")
    monkeypatch.setenv(OURS, "8")
    found = load_settings()
    assert (found.http_timeout, found.chunk_size) == (8.0, 9)


def test_secrets_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUPABASE_SECRET_KEY", "sb_secret_0123456789")
    monkeypatch.setenv("SUPABASE_DB_URL", "postgresql://u:s3cret@h/db")
    found = load_settings()
    assert "0123456789" not in f"{found!r} {found}"
    assert "s3cret" not in f"{found!r} {found}"


@pytest.mark.parametrize("name", ["LOG_LEVEL", "CHUNK_SIZE", "CACHE_DIR", "POSTGREST"])
def test_variables_of_other_programs_are_not_read(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = load_settings()
    monkeypatch.setenv(name, "5")
    assert load_settings() == before
