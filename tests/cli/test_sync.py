"""`mentor-sync sync`: what it says, in every form in which it says it."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from uuid import UUID

import pytest

from tests.cli.support import Command
from tests.project import Api, Project
from tests.sync.support import TARGETS, many, without_triggers

pytestmark = pytest.mark.usefixtures("as_environment")

KINDS = [
    "created",
    "updated",
    "exists",
    "no_user",
    "ambiguous",
    "inactive",
    "deactivated",
    "rejected",
]


@pytest.fixture
def community(project: Project) -> Project:
    """A member of most kinds, and accounts, as before mentor_sync was installed."""
    without_triggers(project)
    for name in ("ann", "eve"):
        project.account(f"{name}@example.org")
    project.member("ann@example.org")
    project.member("bob@example.org")
    project.member("eve@example.org", is_active=False)
    project.member("sam@example.org", "student")
    return project


def test_the_document_has_all_counts_and_the_records(community: Project, command: Command) -> None:
    shown = command("sync", "--json")
    assert (shown.code, shown.err) == (0, "")
    assert (shown.document["command"], shown.document["ok"]) == ("sync", True)
    data = shown.data
    assert list(data) == ["run_id", "dry_run", "found", *KINDS, "records", "records_complete"]
    counts = {kind: n for kind in KINDS if (n := data[kind])}
    assert counts == {"created": 1, "no_user": 1, "inactive": 1}
    assert (data["found"], data["dry_run"], data["records_complete"]) == (2, False, True)
    assert community.one("select status from job_runs where id = %s", UUID(data["run_id"])) == (
        "succeeded"
    )


def test_a_record_says_who_and_why_and_which_mentor(community: Project, command: Command) -> None:
    records = {record["email"]: record for record in command("sync", "--json").data["records"]}
    member, mentor = community.rows(
        "select u.member_id::text, t.id::text"
        " from users as u join mentors as t on t.person_id = u.id"
    )[0]
    assert records["ann@example.org"] == {
        "name": "Ann",
        "email": "ann@example.org",
        "outcome": "created",
        "member_id": member,
        "mentor_id": mentor,
    }
    assert records["bob@example.org"]["reason"] == "no account has this e-mail address"
    assert "sam@example.org" not in records


def test_text_has_a_line_a_record_and_the_summary(community: Project, command: Command) -> None:
    shown = command("sync")
    lines = [line.split() for line in shown.out.splitlines() if line]
    assert shown.code == 0
    assert ["created", "Ann", "ann@example.org", "mentor"] in [line[:4] for line in lines]
    assert ["Mentor", "profiles", "created", "1"] in lines
    assert ["Active", "members", "of", "type", "mentor", "2"] in lines
    assert "127.0.0.1" in shown.out.splitlines()[0]
    assert f"mentor-sync run show {str(community.one('select id from job_runs'))[:8]}" in shown.out
    assert "more" not in shown.out.replace("More:", "")


def test_more_than_forty_records_are_shown_by_samples(project: Project, command: Command) -> None:
    without_triggers(project)
    many(project, 60)
    shown = command("sync")
    assert shown.out.count("@Example.org") == 5
    assert "... and 55 more" in shown.out
    assert command("sync", "--json").data["records_complete"] is True


def test_more_than_a_thousand_records_are_not_all_in_the_document(
    project: Project, command: Command
) -> None:
    without_triggers(project)
    many(project, 1200)
    data = command("sync", "--json").data
    assert (data["created"], data["found"]) == (1200, 1200)
    assert (len(data["records"]), data["records_complete"]) == (1000, False)


def test_names_cannot_steer_the_terminal(
    project: Project, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    hostile = "[bold red]Bob[/] [/x] :smile: \x1b[31m\x07\u202eX\nY"
    project.mentor("bob@example.org", name=hostile)
    shown = command("sync")
    assert shown.code == 0
    assert "[bold red]Bob[/] [/x] :smile:  [31m  X Y" in shown.out
    assert not {"\x1b", "\x07", "\u202e"} & set(shown.out)
    (record,) = command("sync", "--json").data["records"]
    assert record["name"] == hostile


def test_a_dry_run_says_so_and_changes_nothing(community: Project, command: Command) -> None:
    before = community.contents(*TARGETS)
    dry = command("sync", "--dry-run", "--json").data
    assert (dry["dry_run"], dry["created"]) == (True, 1)
    assert "(dry run)" in command("sync", "--dry-run").out
    assert community.contents(*TARGETS) == before
    assert command("sync", "--json").data["created"] == 1


def test_again_changes_nothing(community: Project, command: Command) -> None:
    command("sync")
    before = community.contents(*TARGETS)
    data = command("sync", "--json").data
    assert (data["created"], data["updated"], data["exists"]) == (0, 0, 1)
    assert community.contents(*TARGETS) == before


def test_one_address_syncs_that_member_only(community: Project, command: Command) -> None:
    community.account("bob@example.org")
    data = command("sync", "--email", " BOB@example.org", "--json").data
    assert (data["found"], data["created"]) == (1, 1)
    assert community.rows("select email from users") == [("bob@example.org",)]
    assert command("sync", "--email", "nobody@example.org", "--json").data["found"] == 0


@pytest.mark.parametrize("address", ["", "\udcff@example.org"])
def test_an_address_that_is_none_is_a_usage_error(
    community: Project, command: Command, address: str
) -> None:
    shown = command("sync", "--email", address, "--json")
    assert (shown.code, shown.error["code"]) == (2, "usage")
    assert community.rows("select email from users") == []


@pytest.mark.parametrize(
    ("option", "approved"), [("--no-auto-approve", False), ("--json", True)], ids=["off", "on"]
)
def test_new_mentors_are_approved_unless_told_otherwise(
    community: Project, command: Command, option: str, approved: bool
) -> None:
    assert command("sync", option).code == 0
    assert community.rows("select is_approved from mentors") == [(approved,)]


def test_quiet_prints_nothing(community: Project, command: Command) -> None:
    shown = command("sync", "--quiet")
    assert (shown.code, shown.out, shown.err) == (0, "", "")
    assert community.one("select count(*) from mentors") == 1


def test_rows_set_aside_are_exit_3(community: Project, command: Command) -> None:
    community.member("", name="Nobody")
    shown = command("sync")
    assert shown.code == 3
    assert "sync_rejects" in shown.out
    assert "the member has no e-mail address" in shown.out
    assert community.one("select count(*) from mentors") == 1
    again = command("sync", "--json")
    assert (again.code, again.data["rejected"], again.document["ok"]) == (3, 1, True)


def test_a_dry_run_does_not_send_anybody_to_what_was_rolled_back(
    community: Project, command: Command
) -> None:
    community.member("", name="Nobody")
    shown = command("sync", "--dry-run")
    assert "Rows would be set aside" in shown.out
    assert "sync_rejects" not in shown.out
    assert community.rows("select * from sync_rejects") == []


def test_a_csv_with_addresses_is_for_its_owner_only(community: Project, command: Command) -> None:
    Path("mine.csv").write_text("older, and much longer than what follows" * 100)
    Path("mine.csv").chmod(0o644)
    for name in ("new.csv", "mine.csv"):
        assert command("sync", "--csv", name, "--quiet").code == 0
    assert Path("new.csv").read_text() == Path("mine.csv").read_text().replace("exists", "created")
    assert Path("new.csv").stat().st_mode & 0o777 == 0o600
    assert Path("mine.csv").stat().st_mode & 0o777 == 0o644


def test_csv_has_every_record_and_runs_nothing(project: Project, command: Command) -> None:
    without_triggers(project)
    many(project, 1500)
    project.account("evil@example.org")
    project.member("evil@example.org", name="=cmd|'/c calc'!A1")
    project.member("+49@example.org", name='-1 "quoted", \n@SUM(1)')
    assert command("sync", "--csv", "out.csv", "--quiet").code == 0
    with Path("out.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 1502
    assert list(rows[0]) == ["outcome", "name", "email", "reason", "member_id", "mentor_id"]
    by_email = {row["email"]: row for row in rows}
    assert by_email["evil@example.org"]["name"] == "'=cmd|'/c calc'!A1"
    assert by_email["'+49@example.org"]["name"] == '\'-1 "quoted", \n@SUM(1)'
    assert not [cell for row in rows for cell in row.values() if cell[:1] in tuple("=+-@\t\r\n")]


@pytest.mark.parametrize("path", ["no/such/folder/out.csv", "."])
def test_a_file_that_cannot_be_written_changes_nothing(
    community: Project, command: Command, path: str
) -> None:
    shown = command("sync", "--csv", path, "--json")
    assert (shown.code, shown.error["code"]) == (2, "usage")
    assert community.rows("select * from job_runs") == []
    assert community.rows("select * from mentors") == []


def test_debug_logs_to_stderr_without_the_key(
    community: Project, command: Command, api: Api
) -> None:
    shown = command("--debug", "sync", "--json")
    assert shown.data["created"] == 1
    assert '"event": "run finished"' in shown.err
    assert '"milliseconds"' in shown.err
    assert api.keys.secret_key not in shown.out + shown.err


def test_the_run_is_of_this_process(community: Project, command: Command) -> None:
    command("sync", "--dry-run")
    ((worker, attempt, params),) = community.rows("select worker, attempt, params from job_runs")
    assert f"/{os.getpid()}/" in worker
    assert attempt == 1
    assert params == {
        "email": None,
        "dry_run": True,
        "auto_approve": None,
        "max_changes": None,
        "every_record": False,
    }
