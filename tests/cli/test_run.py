"""`mentor-sync run`: what ran and how it went."""

from __future__ import annotations

import pytest

from tests.cli.support import Command
from tests.project import Project

pytestmark = pytest.mark.usefixtures("as_environment")

FIRST = "aaaa1111-0000-4000-8000-000000000001"
SECOND = "aaaa2222-0000-4000-8000-000000000002"
THIRD = "bbbb1111-0000-4000-8000-000000000003"
HOSTILE = "[bold]no[/] [/x] \x1b[31m"


@pytest.fixture
def history(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Three runs of two jobs, the third the latest."""
    monkeypatch.setenv("COLUMNS", "200")
    project.run(
        "insert into job_schedules (job) values ('sync_mentor_profiles'), ('other')",
        f"""insert into job_runs (id, job, status, created_at, counts, error) values
        ('{FIRST}', 'sync_mentor_profiles', 'succeeded', '2026-11-20T02:00:00Z',
          '{{"created": 1200, "exists": 3}}', null),
        ('{SECOND}', 'other', 'queued', '2026-11-20T03:00:00Z', null, null)""",
        f"""insert into job_runs (id, job, status, created_at, error)
        select '{THIRD}', 'sync_mentor_profiles', 'failed', '2026-11-21T02:00:00Z',
          jsonb_build_object('code', 'x', 'message', '[bold]no[/] [/x] ' || chr(27) || '[31m')""",
    )
    return project


def test_runs_are_listed_the_latest_first(history: Project, command: Command) -> None:
    shown = command("run", "list", "--json")
    assert (shown.code, shown.document["command"]) == (0, "run list")
    assert [run["id"] for run in shown.data["runs"]] == [THIRD, SECOND, FIRST]
    assert shown.data["runs"][2]["counts"] == {"created": 1200, "exists": 3}


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        (["--job", "sync_mentor_profiles"], [THIRD, FIRST]),
        (["--status", "queued"], [SECOND]),
        (["--job", "other", "--status", "failed"], []),
        (["--job", "other,sync_mentor_profiles"], []),
        (["--limit", "1"], [THIRD]),
    ],
    ids=str,
)
def test_the_list_can_be_narrowed(
    history: Project, command: Command, options: list[str], ids: list[str]
) -> None:
    runs = command("run", "list", *options, "--json").data["runs"]
    assert [run["id"] for run in runs] == ids


def test_the_list_as_text(history: Project, command: Command) -> None:
    lines = command("run", "list").out.splitlines()
    assert lines[0].split()[:3] == ["run", "job", "status"]
    assert [line[:8] for line in lines[1:]] == [THIRD[:8], SECOND[:8], FIRST[:8]]
    assert "3 exists, 1,200 created" in lines[3]
    assert "[bold]no[/] [/x]  [31m" in lines[1]


def test_a_long_error_leaves_room_for_the_rest(
    history: Project, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    history.run(
        "update job_runs set error = jsonb_build_object('message', repeat('broken again ', 40))"
        f" where id = '{THIRD}'",
        f"update job_schedules set job = '{'other' * 20}' where job = 'other'",
    )
    _, latest, long, _ = command("run", "list").out.splitlines()
    shown = ["bbbb1111", "sync_mentor_profiles", "failed", "2026-11-21", "02:00"]
    assert latest.split()[:5] == shown
    assert (len(latest), latest[-1]) == (80, "…")
    assert long.split()[0] == "aaaa2222"


def test_a_dry_run_is_told_from_the_real_one(history: Project, command: Command) -> None:
    history.run(f"""update job_runs set params = '{{"dry_run": true}}' where id = '{FIRST}'""")
    lines = command("run", "list").out.splitlines()
    assert ["(dry run)" in line for line in lines[1:]] == [False, False, True]
    assert "sync_mentor_profiles (dry run)  succeeded" in lines[3]


@pytest.mark.parametrize(
    ("lease", "shown"), [("-1 second", "running (silent)"), ("1 hour", "running")]
)
def test_a_run_whose_worker_went_silent_says_so(
    history: Project, command: Command, lease: str, shown: str
) -> None:
    history.run(
        "update job_runs set status = 'running', worker = 'w', fence = 1, attempt = 1,"
        f" started_at = now(), lease_expires_at = now() + interval '{lease}' where id = '{SECOND}'"
    )
    line = command("run", "list", "--status", "running").out.splitlines()[1]
    assert line.split("  ")[:3] == ["aaaa2222", "other", shown]


def test_no_runs_are_no_error(project: Project, command: Command) -> None:
    assert command("run", "list", "--json").data == {"runs": []}
    assert command("run", "list").code == 0


@pytest.mark.parametrize("given", ["bbbb", THIRD, THIRD.upper(), THIRD.replace("-", "")])
def test_a_run_is_shown_by_the_beginning_of_its_id(
    history: Project, command: Command, given: str
) -> None:
    shown = command("run", "show", given, "--json")
    assert (shown.code, shown.document["command"]) == (0, "run show")
    run = shown.data["run"]
    assert (run["id"], run["status"], run["error"]["message"]) == (THIRD, "failed", HOSTILE)


def test_a_run_as_text_leaves_out_what_is_empty(history: Project, command: Command) -> None:
    shown = command("run", "show", "bbbb")
    names = [line.split()[0] for line in shown.out.splitlines()]
    assert {"id", "job", "status", "attempt", "error"} <= set(names)
    assert not {"slot", "worker", "counts", "progress"} & set(names)
    assert "[bold]no[/] [/x]" in shown.out
    assert "\x1b" not in shown.out


@pytest.mark.parametrize(("given", "words"), [("aaaa", "more than one"), ("cccc", "no run")])
def test_which_run_is_meant_must_be_clear(
    history: Project, command: Command, given: str, words: str
) -> None:
    shown = command("run", "show", given, "--json")
    assert (shown.code, shown.error["code"]) == (2, "usage")
    assert words in shown.error["message"]


def test_looking_changes_nothing(history: Project, command: Command) -> None:
    before = history.contents("job_runs", "job_schedules")
    command("run", "list")
    command("run", "show", "bbbb")
    assert history.contents("job_runs", "job_schedules") == before


def test_the_run_of_a_sync_can_be_shown(project: Project, command: Command) -> None:
    project.mentor("ann@example.org")
    run_id = command("sync", "--json").data["run_id"]
    run = command("run", "show", run_id[:8], "--json").data["run"]
    assert (run["id"], run["status"], run["counts"]) == (run_id, "succeeded", {"exists": 1})
    assert "answer" not in run["progress"]
