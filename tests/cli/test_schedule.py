"""`mentor-sync schedule` and `job`: when jobs run, and which there are."""

from __future__ import annotations

import pytest

from tests.cli.support import Command
from tests.project import Project

pytestmark = pytest.mark.usefixtures("as_environment")
SYNC = "sync_mentor_profiles"


def test_the_list_shows_the_defaults_of_the_code(project: Project, command: Command) -> None:
    shown = command("schedule", "list", "--json")
    by_job = {row["job"]: row for row in shown.data["schedules"]}
    assert by_job[SYNC]["runs"] == "0 2 * * *"
    assert (by_job[SYNC]["in_words"], by_job[SYNC]["timezone"]) == ("At 02:00 every day", "UTC")
    assert by_job["undo_run"]["next"] is None
    assert SYNC in command("schedule", "list").out


def test_the_programme_s_time_zone_is_the_default(project: Project, command: Command) -> None:
    project.run("""update program_settings set value = '"Asia/Tokyo"' where key = 'timezone'""")
    slots = command("schedule", "next", SYNC, "-n", "2", "--json").data["slots"]
    assert [slot["slot"][11:16] for slot in slots] == ["17:00", "17:00"]


def test_a_bad_edit_is_told_and_the_old_schedule_holds(project: Project, command: Command) -> None:
    command("schedule", "list")
    project.run(
        "update job_schedules set cron = '0 25 * * *', accepted_cron = '5 4 * * *',"
        " accepted_timezone = 'UTC'"
    )
    shown = command("schedule", "list")
    assert "5 4 * * *" in shown.out
    assert "'0 25 * * *': Bad hour." in shown.err


def test_what_was_missed_is_shown_as_due(project: Project, command: Command) -> None:
    command("schedule", "list")
    project.run("update job_schedules set scheduled_until = now() - interval '3 days'")
    slots = command("schedule", "next", SYNC, "-n", "1", "--json").data["slots"]
    assert [slot["missed"] for slot in slots] == [True, False]


def test_pause_and_resume(project: Project, command: Command) -> None:
    command("schedule", "list")
    assert command("schedule", "pause", SYNC).code == 0
    rows = "select job from job_schedules where not enabled"
    assert project.rows(rows) == [(SYNC,)]
    assert command("schedule", "next", SYNC, "--json").data["slots"] == []
    assert command("schedule", "resume", SYNC).code == 0
    assert project.rows(rows) == []


@pytest.mark.parametrize("words", [["pause"], ["resume"], ["next"], ["run"]])
def test_an_unknown_job_is_refused(project: Project, command: Command, words: list[str]) -> None:
    shown = command("schedule", *words, "no_such_job", "--json")
    assert (shown.code, shown.error["code"]) == (2, "usage")
    assert "no_such_job" in shown.error["message"]
    assert project.one("select count(*) from job_runs") == 0


def test_a_run_is_left_to_the_daemons(project: Project, command: Command) -> None:
    shown = command("schedule", "run", SYNC, "--json")
    rows = project.rows("select id::text, job, status, max_attempts from job_runs")
    assert rows == [(shown.data["run_id"], SYNC, "queued", 3)]


def test_jobs_are_listed_with_what_they_take(command: Command) -> None:
    jobs = {job["job"]: job for job in command("job", "list", "--json").data["jobs"]}
    assert jobs["undo_run"]["params"] == ["run_id", "dry_run"]
    assert SYNC in command("job", "list").out


def test_a_job_runs_here_and_now(project: Project, command: Command) -> None:
    project.member("ann@example.org")
    shown = command("job", "run", SYNC, "--params", '{"dry_run": true}', "--json")
    assert (shown.code, shown.data["counts"]) == (0, {"no_user": 1})
    assert project.rows("select status, params from job_runs") == [("succeeded", {"dry_run": True})]


@pytest.mark.parametrize("params", ["{", "[]", '{"no_such": 1}', '{"dry_run": "yes"}'])
def test_parameters_that_are_none_are_refused(
    project: Project, command: Command, params: str
) -> None:
    shown = command("job", "run", SYNC, "--params", params, "--json")
    assert (shown.code, shown.error["code"]) == (2, "usage")
    assert project.one("select count(*) from job_runs") == 0
