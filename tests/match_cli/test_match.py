"""`mentor-sync match` and `match explain`: what they say, and what they leave alone."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from tests.cli.support import Command
from tests.community import score
from tests.match_cli.support import TARGETS, small, waiting
from tests.people import as_admin, as_anon, as_service
from tests.project import Project

pytestmark = pytest.mark.usefixtures("as_environment")


def test_a_dry_run_tells_all_and_changes_nothing(project: Project, command: Command) -> None:
    small(project)
    before = project.contents(*TARGETS)
    dry = command("match", "--dry-run", "--json")
    assert (dry.code, dry.err, dry.document["command"]) == (0, "", "match")
    assert (dry.data["dry_run"], dry.data["batches"], dry.data["offers"]) == (True, 1, 3)
    assert "(dry run)" in command("match", "--dry-run").out
    assert project.contents(*TARGETS) == before


def test_each_request_has_a_line_with_three_mentors(project: Project, command: Command) -> None:
    student, mentors = small(project)
    skilled, settled, mixed = mentors
    lonely = waiting(project, "lonely@example.org", full_name="Lou", skills=["Falconry"])
    shown = command("match")
    assert shown.code == 0
    lines = [" ".join(line.split()) for line in shown.out.splitlines()]
    scores = {m: f"{score(project, student, m)['total']:.1f}" for m in mentors}
    assert f"Ann: Gus {scores[settled]}, Bo {scores[mixed]}, Sky {scores[skilled]}" in lines
    assert "Lou: waits on: nobody suits and has room" in lines
    assert {"Requests offered 1", "Offers made 3", "Requests that wait on, nobody found 1"} <= {
        *lines
    }
    again = command("match", "--json").data
    assert (again["batches"], again["waiting"], again["records_complete"]) == (0, 1, True)
    (record,) = again["records"]
    assert UUID(record["student_id"]) == lonely


def test_one_student_is_told_the_reasons(project: Project, command: Command) -> None:
    small(project)
    waiting(project, "other@example.org", skills=["Python"])
    shown = command("match", "--student", " STUDENT@example.org")
    assert "Mentors for Ann:" in shown.out
    assert "1. Gus, " in shown.out
    assert "Goals in common: Data science, Law" in shown.out
    assert project.one("select count(*) from match_batches") == 1
    assert "the latest is offered" in command("match", "--student", "student@example.org").out


def test_whom_nobody_knows_is_a_usage_error(project: Project, command: Command) -> None:
    for who in ("nobody@example.org", str(uuid4()), ""):
        shown = command("match", "--student", who, "--json")
        assert (shown.code, shown.error["code"]) == (2, "usage")
    assert project.rows("select id from job_runs") == []


def test_switched_off_is_said(project: Project, command: Command) -> None:
    small(project)
    project.run("update program_settings set value = 'false' where key = 'auto_match'")
    assert command("match", "--json").data["switched_off"] is True
    assert "auto_match in program_settings is off" in command("match").out
    assert project.rows("select id from match_batches") == []


def test_quiet_says_nothing_and_works(project: Project, command: Command) -> None:
    small(project)
    shown = command("match", "--quiet")
    assert (shown.code, shown.out, shown.err) == (0, "", "")
    assert project.one("select count(*) from match_offers") == 3


def test_explain_shows_the_parts_and_who_is_ahead(project: Project, command: Command) -> None:
    student, (skilled, settled, _) = small(project)
    shown = command("match", "explain", "student@example.org", str(skilled))
    assert shown.code == 0
    lines = [" ".join(line.split()) for line in shown.out.splitlines()]
    assert "technical 33.33 33.33 Python, SQL" in lines
    assert "goals 0.00 66.67 none of 2" in lines
    assert "No rule keeps the two apart." in lines
    assert "Rank 3 of 3 for Ann." in lines
    assert "ahead: Gus, 66.67" in lines
    assert any("would give up 33.34" in line for line in lines)
    data = command("match", "explain", str(student), "skills@example.org", "--json").data
    assert (data["student_name"], data["mentor_name"], data["rank"]) == ("Ann", "Sky", 3)
    assert [one["mentor_id"] for one in data["ahead"]][:1] == [str(settled)]


def test_explain_names_the_rule(project: Project, command: Command) -> None:
    student, (skilled, *_) = small(project)
    block = "insert into blocked_pairs (student_id, mentor_id) values (%s, %s) returning 1"
    project.rows(block, student, skilled)
    shown = command("match", "explain", str(student), str(skilled))
    assert "Kept apart: The two are not to be brought together." in shown.out
    assert command("match", "explain", str(student), "nobody@example.org").code == 2


def test_only_the_service_finds_people(project: Project) -> None:
    person = project.person("ann@example.org")
    find = "select jsonb_array_length(find_people(%s))"
    with as_service(project) as service:
        assert service.one(find, " ANN@example.org\t") == 1
        assert service.one(find, str(person).upper()) == 1
        assert service.one(find, "ann") == service.one(find, " ") == 0
    for somebody in (as_admin, as_anon):
        with somebody(project) as session:
            assert session.refused(find, "ann@example.org")


def test_a_hosted_project_is_not_matched_unasked(
    project: Project, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    small(project)
    monkeypatch.setenv("SUPABASE_URL", "https://abcdefghijklmnopqrst.supabase.co")
    shown = command("match", "--json")
    assert (shown.code, shown.error["code"]) == (2, "needs_yes")
    assert "abcdefghijklmnopqrst.supabase.co" in shown.error["message"]
    assert project.rows("select id from job_runs") == []
