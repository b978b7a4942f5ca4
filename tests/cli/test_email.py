"""`mentor-sync email`: looking at mails, and sending one."""

from __future__ import annotations

import io
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from mentor_sync.mail.kinds import KINDS
from tests.cli.support import Command
from tests.project import Project


def test_a_mail_is_shown_as_text(command: Command) -> None:
    shown = command("email", "preview", "milestone")
    assert shown.code == 0
    assert shown.out.startswith("Subject: ")
    assert "<" not in shown.out


def test_every_mail_is_written_with_an_index(command: Command, tmp_path: Path) -> None:
    shown = command("email", "preview", "--all", "--out", str(tmp_path / "mails"), "--json")
    assert shown.data["mails"] == len(KINDS) + 3
    index = (tmp_path / "mails" / "index.html").read_text()
    assert all(f'href="en/{kind}.html"' in index for kind in KINDS)


@pytest.mark.parametrize("words", [[], ["no_such_kind"], ["--all"], ["milestone", "--all"]])
def test_words_that_name_no_mail_are_refused(command: Command, words: list[str]) -> None:
    shown = command("email", "preview", *words, "--json")
    assert (shown.code != 0, shown.error["hint"] != "") == (True, True)


def test_a_test_mail_is_sent_as_the_setting_says(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MENTOR_SYNC_MAIL", f"file:{tmp_path / 'box'}")
    assert command("email", "test", "--to", "ann@example.org").code == 0
    (file,) = (tmp_path / "box").glob("*.eml")
    mail = message_from_bytes(file.read_bytes(), policy=policy.default)
    assert "ann@example.org" in mail["To"]


def test_without_a_setting_nothing_is_sent(command: Command) -> None:
    shown = command("email", "test", "--to", "ann@example.org", "--json")
    assert (shown.code, shown.error["code"]) == (4, "no_mail")


def test_an_address_that_is_none_is_refused(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MENTOR_SYNC_MAIL", f"file:{tmp_path / 'box'}")
    shown = command("email", "test", "--to", "nobody", "--json")
    assert (shown.code, shown.error["code"]) == (1, "not_sent")
    assert list(tmp_path.glob("box/*.eml")) == []


@pytest.mark.usefixtures("as_environment")
def test_the_secret_of_the_webhook_is_kept_where_nobody_reads_it(
    project: Project, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("whsec_c2VjcmV0IG9mIHRoZSB3ZWJob29r\nhunter2\n"))
    shown = command("email", "webhook", "--json")
    assert shown.data["url"].endswith("/rest/v1/rpc/resend_webhook?apikey=")
    assert "c2VjcmV0" not in shown.out + shown.err
    assert project.one("select count(*) from private.signing_keys where name = 'resend'") == 1
    again = command("email", "webhook", "--json")
    assert (again.code, again.error["code"]) == (1, "MS009")
