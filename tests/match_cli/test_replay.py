"""`mentor-sync match replay`: old batches, made again."""

from __future__ import annotations

from uuid import UUID

import pytest

from tests.cli.support import Command
from tests.community import mentor, student
from tests.match_cli.support import TARGETS, answered, refreshed, request, small, waiting
from tests.people import as_admin, as_anon, as_mentor, as_service
from tests.project import Project

pytestmark = pytest.mark.usefixtures("as_environment")

_FOR_SKILLS = """
insert into match_weights (goals, industry, research, technical, location, communication)
values (10, 25, 20, 35, 5, 5) returning version"""
KINDS = ("batches", "same", "other_order", "other_mentors", "changed_since")


def counted(data: dict[str, object]) -> dict[str, object]:
    return {kind: data[kind] for kind in KINDS if data[kind]}


def test_unchanged_weights_change_nothing(project: Project, command: Command) -> None:
    """Room is scarce, some are taken since, and requests had goals of their own."""
    project.run("update program_settings set value = '1' where key = 'offers_per_seat'")
    small(project)
    for name in ("bob", "cem", "dan"):
        person = student(project, f"{name}@example.org", skills=["Python"])
        request(project, person, "Law", "Data science")
    for number, place in enumerate(("Nursing", "Law", "Python", "SQL")):
        mentor(project, f"{number}@example.org", capacity=1, skills=[place, "Python"])
    project.run("update mentors set capacity = 2 where capacity is null")
    first = command("match", "--json").data
    assert first["batches"] == 4
    assert first["offers"] < 4 * 3
    assert counted(command("match", "replay", "--json").data) == {"batches": 4, "same": 4}
    answered(project)
    project.run("update mentorship_requests set status = 'matched', closed_at = now()")
    refreshed(project)
    before = project.contents(*TARGETS, "match_weights")
    again = command("match", "replay", "--json").data
    assert counted(again) == {"batches": 4, "same": 4}
    assert again["mean_change"] == 0
    assert project.contents(*TARGETS, "match_weights") == before


def test_other_weights_tell_what_would_have_changed(project: Project, command: Command) -> None:
    student_id, (skilled, settled, mixed) = small(project)
    command("match", "--quiet")
    version = project.one(_FOR_SKILLS)
    data = command("match", "replay", "--weights", str(version), "--json").data
    assert data["weights_version"] == version
    assert counted(data) == {"batches": 1, "other_order": 1}
    (batch,) = data["records"]
    assert (UUID(batch["student_id"]), batch["version"]) == (student_id, 1)
    assert [UUID(one["mentor_id"]) for one in batch["offered"]] == [settled, mixed, skilled]
    assert [UUID(one["mentor_id"]) for one in batch["replayed"]] == [skilled, mixed, settled]
    shown = command("match", "replay", "--weights", str(version)).out
    assert "offered  Gus 66.7, Bo 50.0, Sky 33.3" in shown
    assert "replayed Sky 77.8, Bo 50.0, Gus 22.2" in shown
    assert project.one("select count(*) from match_batches") == 1


def test_who_came_later_could_not_have_been_offered(project: Project, command: Command) -> None:
    student_id, (skilled, *_) = small(project)
    command("match", "--quiet")
    mentor(project, "late@example.org", career_goals=["Law", "Data science"], skills=["Python"])
    project.rows(
        "insert into blocked_pairs (student_id, mentor_id) values (%s, %s) returning 1",
        student_id,
        skilled,
    )
    assert counted(command("match", "replay", "--json").data) == {"batches": 1, "same": 1}


def test_a_profile_that_changed_since_is_marked(project: Project, command: Command) -> None:
    person, _ = small(project)
    waiting(project, "other@example.org", skills=["SQL"])
    command("match", "--quiet")
    project.rows(
        "update mentorship_profiles set career_goals = '{Falconry}' where user_id = %s returning 1",
        person,
    )
    data = command("match", "replay", "--json").data
    assert (data["batches"], data["changed_since"]) == (2, 1)
    shown = command("match", "replay")
    assert shown.out.count("(the profiles have changed since)") == 1
    assert command("match", "replay", "--limit", "1", "--json").data["batches"] == 1


def test_what_is_not_there(project: Project, command: Command) -> None:
    empty = command("match", "replay", "--json")
    assert (empty.code, empty.data["batches"], empty.data["mean_change"]) == (0, 0, None)
    shown = command("match", "replay", "--weights", "99", "--json")
    assert (shown.code, shown.error["code"]) == (2, "usage")


def test_only_the_service_reads_what_batches_were_made_of(project: Project) -> None:
    read = "select replay_inputs('{}') ->> 'batches'"
    with as_service(project) as service:
        assert service.one(read) == "0"
        assert service.refused("select private.request_terms(gen_random_uuid())")
        assert service.refused("select private.replayed_mentors('{}')")
    for somebody in (as_admin, as_mentor, as_anon):
        with somebody(project) as session:
            assert session.refused(read)
