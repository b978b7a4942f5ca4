"""What goes wrong, in which words, with which exit code; and that nothing happened."""

from __future__ import annotations

import io
import re
import socket
import sys
import time
from typing import Any

import jwt
import pytest

from mentor_sync.cli import app
from mentor_sync.local.ports import free_port
from tests.cli.support import Command
from tests.project import KEYS, Api, Project, serving

URL = "https://abcdefghij.supabase.co"


@pytest.fixture
def hosted(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """A project somewhere else; every look-up of its address is noted, and fails."""
    monkeypatch.setenv("SUPABASE_URL", URL)
    monkeypatch.setenv("SUPABASE_SECRET_KEY", KEYS.secret_key)
    asked: list[Any] = []

    def nowhere(host: Any, *_: Any, **__: Any) -> Any:
        asked.append(host)
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    return asked


def test_a_hosted_project_needs_a_yes_off_a_terminal(hosted: list[Any], command: Command) -> None:
    shown = command("sync", "--json")
    assert (shown.code, shown.error["code"]) == (2, "needs_yes")
    assert "abcdefghij.supabase.co" in shown.error["message"]
    assert "nothing was changed" in shown.error["message"]
    assert "--yes" in shown.error["hint"]
    assert hosted == []


def test_a_project_is_named_without_the_password_of_its_url(
    hosted: list[Any], command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUPABASE_URL", URL.replace("://", "://ann:hunter2@"))
    shown = command("sync", "--json")
    assert "Sync the mentors of abcdefghij.supabase.co?" in shown.error["message"]
    assert "hunter2" not in shown.out + shown.err
    assert hosted == []


def test_with_a_yes_it_is_asked(hosted: list[Any], command: Command) -> None:
    assert command("sync", "--yes").code == 4
    assert hosted


def test_a_dry_run_needs_no_yes(hosted: list[Any], command: Command) -> None:
    assert command("sync", "--dry-run").code == 4
    assert hosted


def test_on_a_terminal_it_asks_and_no_means_nothing(
    hosted: list[Any], command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    stdin = io.StringIO("n\n")
    monkeypatch.setattr(stdin, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdin", stdin)
    shown = command("sync")
    assert shown.code == 130
    assert "Sync the mentors of abcdefghij.supabase.co?" in shown.err
    assert shown.out.strip() == ""
    assert hosted == []


def test_an_unknown_host_is_a_wrong_url(hosted: list[Any], command: Command) -> None:
    shown = command("run", "list", "--json")
    assert (shown.code, shown.error["code"]) == (4, "wrong_url")
    assert "no such host" in shown.error["message"]
    assert len(hosted) <= 2


def test_without_a_url_and_a_local_stack_there_is_a_hint(command: Command) -> None:
    shown = command("sync", "--json")
    assert (shown.code, shown.error["code"]) == (4, "no_project")
    assert "SUPABASE_URL is not set, and no local stack is up." in shown.err
    assert "mentor-sync local up" in shown.err


def test_without_a_key_there_is_a_hint(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUPABASE_URL", URL)
    shown = command("sync", "--json")
    assert (shown.code, shown.error["code"]) == (4, "no_key")
    assert "SUPABASE_SECRET_KEY, SUPABASE_SERVICE_ROLE_KEY, SUPABASE_KEY" in shown.err


def key(role: str, seconds: int = 60) -> str:
    claims = {"role": role, "exp": int(time.time()) + seconds}
    return jwt.encode(claims, "another project's secret, long enough", algorithm="HS256")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (KEYS.publishable_key, "The key is a publishable key, which sees public rows only."),
        (KEYS.legacy_anon_key, "The key is of the role 'anon'"),
        (key("authenticated"), "The key is of the role 'authenticated'"),
        (key("service_role", -60), "The service_role key has expired."),
        ("secret", "The key is not a key of a Supabase project."),
    ],
    ids=["publishable", "anon", "of a user", "expired", "garbage"],
)
def test_a_key_of_the_wrong_kind_is_refused(
    given: str,
    words: str,
    project: Project,
    as_environment: Api,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SUPABASE_SECRET_KEY", given)
    shown = command("sync", "--json")
    assert (shown.code, shown.error["code"]) == (4, "key_refused")
    assert shown.error["message"].startswith(words)
    assert "dashboard, Project Settings, API Keys" in shown.error["hint"]
    assert len(given) < 10 or given not in shown.out + shown.err
    assert project.rows("select * from job_runs") == []


def test_the_key_of_another_project_is_refused_at_once(
    project: Project, as_environment: Api, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUPABASE_SECRET_KEY", key("service_role"))
    begun = time.monotonic()
    shown = command("sync", "--json")
    assert (shown.code, shown.error["code"]) == (4, "key_refused")
    assert "Invalid API key (401)" in shown.error["message"]
    assert "are of the same project" in shown.error["hint"]
    assert time.monotonic() - begun < 3
    assert project.rows("select * from job_runs") == []


def test_a_token_that_postgrest_refuses_is_a_refused_key(
    project: Project, as_environment: Api, command: Command
) -> None:
    as_environment.postgrest.stop()
    as_environment.postgrest._jwt_secret = "x" * 64
    as_environment.postgrest.start()
    shown = command("sync", "--json")
    assert (shown.code, shown.error["code"]) == (4, "key_refused")
    assert "PGRST301" in shown.error["message"]


def test_a_server_that_is_not_there_is_given_up_soon(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    monkeypatch.setenv("SUPABASE_URL", url)
    monkeypatch.setenv("SUPABASE_SECRET_KEY", KEYS.secret_key)
    begun = time.monotonic()
    shown = command("sync", "--json")
    assert time.monotonic() - begun < 7
    assert (shown.code, shown.error["code"]) == (1, "no_connection")
    assert shown.error["retryable"] is True
    assert url in shown.error["message"]
    assert "SUPABASE_URL" in shown.error["hint"]


@pytest.mark.parametrize("url", ["abc.supabase.co", "postgresql://u:s3cret@h/db", "http://[x"])
def test_a_url_that_is_none_is_refused(
    url: str, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUPABASE_URL", url)
    monkeypatch.setenv("SUPABASE_SECRET_KEY", KEYS.secret_key)
    shown = command("sync", "--yes", "--json")
    assert (shown.code, shown.error["code"]) == (4, "wrong_url")
    assert "https://<ref>.supabase.co" in shown.error["hint"]
    assert "s3cret" not in shown.out + shown.err


def test_a_project_without_our_schema_needs_the_migrations(
    empty_database: Project, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(empty_database) as api:
        monkeypatch.setenv("SUPABASE_URL", api.url)
        monkeypatch.setenv("SUPABASE_SECRET_KEY", api.keys.secret_key)
        for words in (["sync"], ["run", "list"], ["run", "show", "abcd"]):
            shown = command(*words, "--json")
            assert (shown.code, shown.error["code"]) == (4, "missing_migrations")
            assert "mentor-sync db migrate" in shown.err


def test_a_grant_that_was_revoked_is_named(
    project: Project, as_environment: Api, command: Command
) -> None:
    project.run("revoke execute on function sync_mentor_profiles from service_role")
    shown = command("sync", "--json")
    assert (shown.code, shown.error["code"]) == (4, "missing_grant")
    assert "permission denied for function sync_mentor_profiles" in shown.error["message"]
    assert "mentor-sync db print" in shown.error["hint"]
    ((status, error),) = project.rows("select status, error->>'code' from job_runs")
    assert (status, error) == ("failed", "missing_grant")


def test_a_bad_setting_is_named_even_before_the_command_is_known(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MENTOR_SYNC_HTTP_TIMEOUT", "soon")
    shown = command("sync", "--json")
    assert (shown.code, shown.error["code"]) == (4, "configuration")
    assert "MENTOR_SYNC_HTTP_TIMEOUT" in shown.error["message"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["sync", "--bogus"], "--bogus"),
        (["sync", "more"], "more"),
        (["bogus"], "bogus"),
        (["run", "show"], "RUN"),
        (["run", "list", "--limit", "0"], "--limit"),
        (["run", "list", "--limit", "many"], "--limit"),
        (["run", "list", "--status", "bogus"], "--status"),
        (["run", "show", "xyz!"], "not the id of a run"),
        (["run", "show", "a---"], "not the id of a run"),
        (["run", "show", "abcd" * 9], "not the id of a run"),
    ],
    ids=" ".join,
)
def test_words_that_cannot_be_understood_are_exit_2(
    words: list[str], said: str, hosted: list[Any], command: Command
) -> None:
    text, document = command(*words), command(*words, "--json")
    assert text.code == document.code == 2
    assert said.lower() in text.err.lower()
    assert text.out == ""
    assert document.error["code"] == "usage"
    assert said.lower() in document.error["message"].lower()
    assert hosted == []


def test_a_bug_is_one_sentence_and_a_traceback_only_with_debug(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise KeyError(f"no {KEYS.secret_key}")

    monkeypatch.setattr(app, "load_settings", broken)
    shown = command("sync", "--json")
    assert (shown.code, shown.error["code"]) == (1, "failed")
    assert shown.error["message"] == "KeyError: 'no ***'"
    assert "--debug" in shown.error["hint"]
    assert KEYS.secret_key not in shown.err


def test_a_known_error_has_its_traceback_with_debug(command: Command) -> None:
    shown = command("--debug", "sync")
    assert shown.code == 4
    assert re.search(r"Traceback.*ConfigurationError", shown.err, re.DOTALL)
    assert shown.out == ""
