"""`mentor-sync run approve|retry|cancel|undo`: what a person decides about a run."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.support import Command
from tests.project import Project
from tests.sync.support import many, without_triggers

pytestmark = pytest.mark.usefixtures("as_environment")


def latest(project: Project, columns: str = "id::text") -> Any:
    (row,) = project.rows(f"select {columns} from job_runs order by created_at desc limit 1")
    return row[0] if len(row) == 1 else row


def active(project: Project) -> int:
    return int(project.one("select count(*) from mentors where is_active"))


@pytest.fixture
def emptied(project: Project, command: Command) -> Project:
    """A hundred mentors, whose members all became inactive by accident."""
    without_triggers(project)
    many(project, 100)
    assert command("sync", "--quiet").code == 0
    project.run("update members set is_active = false")
    return project


def test_an_emptied_source_stops_and_asks(emptied: Project, command: Command) -> None:
    before = emptied.contents("users", "mentors")
    shown = command("sync", "--json")
    assert (shown.code, shown.error["code"]) == (5, "MS005")
    assert "would stop 100 of 100 mentors, and may stop 20" in shown.error["message"]
    assert "run approve" in shown.error["hint"]
    assert emptied.contents("users", "mentors") == before
    assert latest(emptied, "status, finished_at") == ("awaiting_approval", None)
    alert = emptied.rows("select kind, run_id::text, acknowledged_at from job_alerts")
    assert alert == [("awaiting_approval", latest(emptied), None)]


def test_approval_lets_it(emptied: Project, command: Command) -> None:
    command("sync", "--quiet")
    shown = command("run", "approve", latest(emptied)[:8], "--json")
    assert (shown.code, shown.data["counts"]) == (0, {"deactivated": 100})
    assert (active(emptied), latest(emptied, "status")) == (0, "succeeded")
    assert emptied.rows("select from job_alerts where acknowledged_at is null") == []
    again = command("run", "approve", latest(emptied), "--json")
    assert (again.code, again.error["code"]) == (2, "MS004")


def test_refusing_it_changes_nothing(emptied: Project, command: Command) -> None:
    command("sync", "--quiet")
    assert command("run", "cancel", latest(emptied)).code == 0
    assert (active(emptied), latest(emptied, "status")) == (100, "cancelled")
    assert command("run", "approve", latest(emptied)).code == 2


def test_the_number_can_be_said_before(emptied: Project, command: Command) -> None:
    assert command("sync", "--max-changes", "99", "--quiet").code == 5
    assert active(emptied) == 100
    assert command("sync", "--max-changes", "100", "--quiet").code == 0
    assert active(emptied) == 0


def test_a_dry_run_says_that_it_would_ask(emptied: Project, command: Command) -> None:
    shown = command("sync", "--dry-run", "--json")
    assert (shown.code, shown.data["deactivated"]) == (0, 100)
    assert "approval will be needed" in shown.err
    assert active(emptied) == 100


def test_a_few_who_leave_need_nobody(project: Project, command: Command) -> None:
    without_triggers(project)
    many(project, 12)
    command("sync", "--quiet")
    project.run("update members set is_active = false where email < 'P3'")
    gone = project.one("select count(*) from members where not is_active")
    assert 2 < gone <= 10
    assert command("sync", "--quiet").code == 0
    assert active(project) == 12 - gone


def test_retry_takes_only_what_was_set_aside(project: Project, command: Command) -> None:
    without_triggers(project)
    many(project, 20)
    project.run("alter table mentors add constraint theirs check (bio <> 'Experience: no')")
    project.run("update members set experience = 'no' where email in ('P3@Example.org')")
    assert command("sync", "--quiet").code == 3
    failed = latest(project)
    project.run("alter table mentors drop constraint theirs")
    shown = command("run", "retry", failed, "--json")
    assert (shown.code, shown.data["counts"]) == (0, {"created": 1})
    assert project.rows("select from sync_rejects") == []
    assert active(project) == 20


def test_retry_goes_on_with_a_run_that_broke_off(project: Project, command: Command) -> None:
    without_triggers(project)
    many(project, 20)
    command("sync", "--quiet")
    run = latest(project)
    project.run("update job_runs set status = 'dead', progress = '{}', attempt = 3")
    shown = command("run", "retry", run, "--json")
    assert (shown.code, shown.data) == (
        0,
        {"run_id": run, "status": "succeeded", "counts": {"exists": 20}},
    )
    assert latest(project, "attempt, fence") == (1, 2)
    assert command("run", "retry", run).code == 2


def test_a_retry_can_be_left_to_a_daemon(project: Project, command: Command) -> None:
    command("sync", "--quiet")
    project.run("update job_runs set status = 'failed'")
    assert command("run", "retry", latest(project), "--queue").code == 0
    assert latest(project, "status, attempt") == ("queued", 0)


def test_undo_takes_back_and_names_what_it_keeps(project: Project, command: Command) -> None:
    without_triggers(project)
    many(project, 20)
    command("sync", "--quiet")
    run = latest(project)
    project.run(
        "update mentors set bio = 'Mine.' where id = (select min(id::text)::uuid from mentors)"
    )
    dry = command("run", "undo", run, "--dry-run", "--json")
    assert (dry.code, dry.data["undone"], dry.data["kept"], active(project)) == (3, 38, 2, 20)
    shown = command("run", "undo", run, "--json")
    reasons = {(row["relation"], row["reason"]) for row in shown.data["kept_rows"]}
    assert (shown.code, shown.data["undone"]) == (3, 38)
    assert reasons == {("mentors", "changed since"), ("users", "mentors refers to it")}
    assert project.rows("select bio from mentors") == [("Mine.",)]


def test_show_tells_what_changed(project: Project, command: Command) -> None:
    without_triggers(project)
    many(project, 2)
    command("sync", "--quiet")
    shown = command("run", "show", latest(project), "--changes", "--json")
    changes = shown.data["changes"]
    assert sorted(row["relation"] for row in changes) == ["mentors"] * 2 + ["users"] * 2
    assert {row["action"] for row in changes} == {"insert"}
    text = command("run", "show", latest(project), "--changes").out
    assert 'email "P1@Example.org"' in text


def test_a_run_under_way_cannot_be_undone(project: Project, command: Command) -> None:
    command("sync", "--quiet")
    project.run("update job_runs set status = 'queued'")
    shown = command("run", "undo", latest(project), "--json")
    assert (shown.code, shown.error["code"]) == (2, "usage")
    assert "run cancel" in shown.error["hint"]
    assert project.one("select count(*) from job_runs") == 1
