"""`mentor-sync config show`: every setting, and no secret."""

from __future__ import annotations

import pytest
from pydantic import AliasChoices

from mentor_sync.settings import Settings
from tests.cli.support import Command

SECRETS = {
    "SUPABASE_SECRET_KEY": "sb_secret_0123456789abcdef",
    "SUPABASE_DB_URL": "postgresql://postgres:p@ss/w0rd@db.example.org:5432/postgres",
    "SUPABASE_URL": "https://ann:hunter2@abcdefghij.supabase.co",
}


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)


def test_secrets_are_masked_in_every_form(command: Command) -> None:
    values = command("config", "show", "--json").data["settings"]
    assert values["SUPABASE_SECRET_KEY"] == "sb_secret_...cdef"
    assert values["SUPABASE_DB_URL"] == "postgresql://postgres:***@db.example.org:5432/postgres"
    assert values["SUPABASE_URL"] == "https://ann:***@abcdefghij.supabase.co"
    text = command("config", "show").out
    assert "sb_secret_...cdef" in text
    for secret in ("0123456789", "w0rd", "hunter2"):
        assert secret not in text


def test_every_setting_is_shown_by_its_variable(command: Command) -> None:
    aliases = [field.validation_alias for field in Settings.model_fields.values()]
    names = [str(a.choices[0]) if isinstance(a, AliasChoices) else str(a) for a in aliases]
    shown = command("config", "show", "--json")
    assert shown.document["command"] == "config show"
    assert list(shown.data["settings"]) == names
    lines = command("config", "show").out.splitlines()[1:]
    assert [line.split()[0] for line in lines] == names


def test_the_legacy_key_is_masked_too(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUPABASE_SECRET_KEY")
    monkeypatch.setenv("SUPABASE_SERVICE_ROLE_KEY", "eyJhbGciOiJIUzI1NiJ9.e30.0123456789wxyz")
    values = command("config", "show", "--json").data["settings"]
    assert values["SUPABASE_SECRET_KEY"] == "eyJ...wxyz"


def test_values_are_shown_as_they_are(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MENTOR_SYNC_LOCAL_DIR", "[/x] [bold]:smile:")
    assert "[/x] [bold]:smile:" in command("config", "show").out


def test_what_is_not_set_says_so(command: Command) -> None:
    assert command("config", "show", "--json").data["settings"]["MENTOR_SYNC_LOCAL_PORT"] is None
    (line,) = [x for x in command("config", "show").out.splitlines() if "LOCAL_PORT" in x]
    assert line.split() == ["MENTOR_SYNC_LOCAL_PORT", "not", "set"]
