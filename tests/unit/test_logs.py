"""Logs: JSON off a terminal, no secret at any depth, our events and those of libraries alike."""

from __future__ import annotations

import io
import json
import logging
import sys
from typing import Any

import pytest
import structlog

from mentor_sync.logs import configure_logs, get_logger
from tests.unit.support import KEY

Capture = pytest.CaptureFixture[str]
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoic2VydmljZV9yb2xlIn0.c2lnbmF0dXJl"

pytestmark = pytest.mark.usefixtures("restored_logs")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def events(capsys: Capture) -> list[dict[str, Any]]:
    shown = capsys.readouterr()
    assert shown.out == ""
    return [json.loads(line) for line in shown.err.splitlines()]


def test_off_a_terminal_an_event_is_a_line_of_json(capsys: Capture) -> None:
    configure_logs("info", "auto")
    get_logger("mentor_sync.runner").info("run finished", created=3)
    (event,) = events(capsys)
    assert event.pop("timestamp").endswith("Z")
    assert event == {
        "event": "run finished",
        "level": "info",
        "logger": "mentor_sync.runner",
        "created": 3,
    }


@pytest.mark.parametrize("style", ["auto", "console"])
def test_on_a_terminal_an_event_is_for_people(style: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    monkeypatch.setenv("NO_COLOR", "1")
    configure_logs("info", style)
    get_logger("x").info("run finished", created=3)
    assert "run finished" in terminal.getvalue()
    assert "created=3" in terminal.getvalue()
    assert "\x1b" not in terminal.getvalue()


def test_json_can_be_had_on_a_terminal_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    configure_logs("info", "json")
    get_logger("x").info("run finished")
    assert json.loads(terminal.getvalue())["event"] == "run finished"


@pytest.mark.parametrize("style", ["json", "console"])
def test_no_secret_is_logged_at_any_depth(style: Any, capsys: Capture) -> None:
    configure_logs("debug", style)
    inside = {"key": KEY, "list": [{"token": TOKEN}, (KEY,)], KEY: ValueError(KEY)}
    with structlog.contextvars.bound_contextvars(bound=KEY):
        get_logger("x").warning(f"refused {KEY}", url="postgresql://u:s3cret@h/db", inside=inside)
    shown = capsys.readouterr().err
    assert "***" in shown
    for secret in (KEY, TOKEN, TOKEN.split(".")[1], "s3cret"):
        assert secret not in shown


@pytest.mark.parametrize("style", ["json", "console"])
def test_libraries_are_redacted_too(style: Any, capsys: Capture) -> None:
    configure_logs("info", style)
    logging.getLogger("some.library").warning("sent %s", {"apikey": KEY})
    shown = capsys.readouterr().err
    assert "some.library" in shown
    assert "warning" in shown
    assert KEY not in shown


@pytest.mark.parametrize("style", ["json", "console"])
def test_a_traceback_shows_neither_keys_nor_local_variables(style: Any, capsys: Capture) -> None:
    configure_logs("info", style)
    password = "correct horse battery"

    def fail() -> None:
        raise ValueError(f"no {KEY} in {len(password)}")

    for logger in (get_logger("ours"), logging.getLogger("theirs")):
        try:
            fail()
        except ValueError:
            logger.exception("it failed")
    shown = capsys.readouterr().err
    assert shown.count("ValueError: no *** in 21") == 2
    assert password not in shown.replace('password = "correct horse battery"', "")


def test_what_is_below_the_level_is_not_logged(capsys: Capture) -> None:
    configure_logs("warning", "json")
    get_logger("x").info("unseen")
    logging.getLogger("y").info("unseen")
    get_logger("x").warning("seen")
    assert [event["event"] for event in events(capsys)] == ["seen"]


def test_requests_are_not_logged_even_in_debug(capsys: Capture) -> None:
    configure_logs("debug", "json")
    logging.getLogger("httpx").info("HTTP Request: POST https://abc.supabase.co")
    logging.getLogger("httpcore.connection").debug("connect_tcp.started")
    logging.getLogger("httpx").warning("seen")
    assert [event["event"] for event in events(capsys)] == ["seen"]


def test_configuring_twice_logs_once(capsys: Capture) -> None:
    configure_logs("info", "json")
    configure_logs("info", "json")
    get_logger("x").info("once")
    assert len(events(capsys)) == 1


def test_no_event_names_an_address(capsys: Capture) -> None:
    configure_logs("info", "json")
    get_logger("x").error("run ended", reason="Key (email)=(ann@example.org) already exists.")
    logging.getLogger("other").warning("mail to %s", "bob@example.org")
    shown = capsys.readouterr().err
    assert "ann@" not in shown
    assert "bob@" not in shown
    assert shown.count("***@example.org") == 2
