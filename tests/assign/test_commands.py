"""`mentor-sync assign` and `simulate leave`: what they say, and what they do."""

from __future__ import annotations

from uuid import UUID

import pytest

from tests.assign.support import TABLES, pairs
from tests.cli.support import Command
from tests.offers.support import job, mentors, students
from tests.project import KEYS, Api, Project


def test_assign_shows_all_goals_and_does_one(
    project: Project, as_environment: Api, command: Command
) -> None:
    mentors(project, 2, "Rust", capacity=2)
    students(project, 5, "Rust", "Law")
    before = project.contents(*TABLES)
    dry = command("assign", "--dry-run", "--goal", "fair")
    assert (dry.code, dry.err) == (0, "")
    assert project.contents(*TABLES) == before
    lines = [line.split() for line in dry.out.splitlines() if line]
    assert ["goal", "score", "coverage", "stable", "fair", "*"] in lines
    assert ["scores", "in", "total", *["200.0"] * 4] in lines
    assert ["proven", *["yes"] * 4] in lines
    assert "5 students without a mentor." in dry.out
    assert "Dry run: everything was done and rolled back." in dry.out
    assert "1 students without a place:" in dry.out
    assert any(line[-3:] == ["No", "seat", "left."] for line in lines)
    data = command("assign", "--json").data
    assert [row["reason"] for row in data["without"]] == ["No seat left."]
    assert (data["goal"], data["counts"]) == ("score", {"placed": 4, "without": 1})
    assert [found["goal"] for found in data["goals"]] == ["score", "coverage", "stable", "fair"]
    assert all(found["proven"] for found in data["goals"])
    assert {UUID(row["student_id"]) for row in data["records"]} == set(pairs(project))
    assert project.one("select status from job_runs where id = %s", UUID(data["run_id"])) == (
        "succeeded"
    )
    assert "0 students without" not in command("assign").out


def test_assign_says_whom_mentors_look_at(
    project: Project, as_environment: Api, command: Command
) -> None:
    mentors(project, 1, "Rust")
    students(project, 2, "Rust")
    job(as_environment)
    shown = command("assign")
    assert "0 students to place; 2 are being looked at by mentors." in shown.out
    assert "without a place" not in shown.out


def test_assign_refuses_goals_that_there_are_not(command: Command) -> None:
    shown = command("assign", "--goal", "luck", "--json")
    assert (shown.code, shown.error["code"]) == (2, "usage")
    assert "coverage" in shown.error["hint"]


def test_a_hosted_project_is_asked_for_first(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUPABASE_URL", "https://abcdefghijklmnopqrst.supabase.co")
    monkeypatch.setenv("SUPABASE_SECRET_KEY", KEYS.secret_key)
    shown = command("assign", "--json")
    assert (shown.code, shown.error["code"]) == (2, "needs_yes")


@pytest.fixture
def world(project: Project) -> dict[str, UUID]:
    """Ann leaves four students; Bob has one seat, Eve is full, and Zoe has nothing in common."""
    (ann,) = mentors(project, 1, "Rust", "Law", "Music", capacity=4)
    (bob,) = mentors(project, 1, "Rust", capacity=1, start=2)
    (eve,) = mentors(project, 1, "Law", capacity=1, start=3)
    (zoe,) = mentors(project, 1, "Sailing", capacity=1, start=4)
    rust = students(project, 2, "Rust")
    (law,), (music,) = students(project, 1, "Law", start=3), students(project, 1, "Music", start=4)
    (hers,) = students(project, 1, "Law", start=5)
    project.run("delete from mentorship_requests")
    for student, mentor in [(s, ann) for s in (*rust, law, music)] + [(hers, eve)]:
        project.run(f"insert into matches (student_id, mentor_id) values ('{student}', '{mentor}')")
    project.rows("select private.refresh_profiles(array(select id from users))")
    return {"ann": ann, "bob": bob, "eve": eve, "zoe": zoe, "law": law, "music": music}


def test_simulate_leave_tells_who_is_orphaned_and_whom_to_recruit(
    project: Project, as_environment: Api, command: Command, world: dict[str, UUID]
) -> None:
    before = project.contents(*TABLES, "job_runs")
    data = command("simulate", "leave", "mentor1@example.org", "--json").data
    assert (data["mentor"]["name"], data["orphaned"]) == ("Mentor 1", 4)
    assert (data["placed"], data["without"]) == (2, 2)
    assert (data["before"], data["after"], data["cost"]) == (400, 100, 300)
    takers = {row["mentor_id"] for row in data["students"]}
    assert takers == {str(world["bob"]), str(world["zoe"]), None}
    assert all(row["score"] == 100 for row in data["students"])
    recruit = {row["expertise"]: row for row in data["recruit"]}
    # Eve is full: with one more seat she would take the student who wants law.
    assert (recruit["Law"]["students"], recruit["Law"]["points"]) == (1, 100)
    assert sum(row["asked_by_students_without"] for row in data["recruit"]) == 2
    assert "Sailing" not in recruit
    assert project.contents(*TABLES, "job_runs") == before
    text = command("simulate", "leave", str(world["ann"])).out
    assert "If Mentor 1 left, 4 students would need another mentor." in text
    assert "2 would find a place, 2 would not." in text
    assert "nobody" in text


def test_blocked_mentors_absorb_nobody_and_some_leave_nobody(
    project: Project, as_environment: Api, command: Command, world: dict[str, UUID]
) -> None:
    project.run(
        "insert into blocked_pairs (student_id, mentor_id)"
        f" select student_id, '{world['zoe']}' from matches",
        f"update mentorship_profiles set is_active = false where user_id = '{world['bob']}'",
    )
    data = command("simulate", "leave", str(world["ann"]), "--json").data
    assert (data["placed"], data["without"], data["after"]) == (0, 4, 0)
    asked = {row["expertise"]: row["asked_by_students_without"] for row in data["recruit"]}
    assert asked == {"Rust": 2, "Law": 1, "Music": 1}
    shown = command("simulate", "leave", "mentor4@example.org")
    assert shown.out == "If Mentor 4 left, 0 students would need another mentor.\n"
    wrong = command("simulate", "leave", "nobody@example.org", "--json")
    assert (wrong.code, wrong.error["code"]) == (2, "MS011")
