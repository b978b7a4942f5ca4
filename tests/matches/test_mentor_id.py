"""users.mentor_id follows the matches; edited by hand, it is an assignment."""

from __future__ import annotations

import psycopg
import pytest

from mentor_sync.migrations import migrate
from tests.jobs.test_undo_run import undo
from tests.matches.support import (
    disagreeing,
    fails,
    mails,
    match,
    mentor,
    mentor_of,
    steps,
    student,
    students,
)
from tests.migrations.support import SEED_TABLES
from tests.migrations.test_adoption import ANNA, BOB, SEED_ROWS
from tests.people import as_service
from tests.project import Api, Project


def test_who_is_written_there_is_the_mentor(project: Project) -> None:
    one, ann, bob = student(project), mentor(project), mentor(project, "bob")
    with as_service(project) as daemon:
        for person in (ann, bob, bob, None):
            daemon.changed("update users set mentor_id = %s where id = %s", person, one)
        daemon.changed("update users set mentor_id = %s where id = %s", ann, one)
        daemon.connection.commit()
    pairs = project.rows("select mentor_id, status from matches")
    assert sorted(pairs) == sorted([(ann, "dissolved"), (bob, "dissolved"), (ann, "active")])
    assert (mentor_of(project, one), disagreeing(project)) == (ann, [])
    assert ("mentor_changed", one) in mails(project)


def test_edits_that_nobody_may_make_change_nothing(project: Project) -> None:
    (one, two), ann = students(project, 2), mentor(project, capacity=1)
    match(project, one, ann)
    for wrong, code in ((ann, "MS021"), (one, "MS022"), (two, "MS022")):
        with fails(code):
            project.run(f"update users set mentor_id = '{wrong}' where id = '{two}'")
    assert (mentor_of(project, two), disagreeing(project)) == (None, [])


def test_people_come_with_mentors_and_many_change_at_once(project: Project) -> None:
    ann, bob = mentor(project), mentor(project, "bob")
    insert = """insert into users (email, mentor_id)
      select 's' || i || '@example.org', %s from generate_series(1, 5) as i returning id"""
    project.rows(insert, ann)
    assert disagreeing(project) == []
    project.run(f"update users set mentor_id = '{bob}' where mentor_id is not null")
    held = "select mentor_id, count(*) from matches where status = 'active' group by 1"
    assert project.rows(held) == [(bob, 5)]
    assert disagreeing(project) == []


def test_assign_student_replaces_the_mentor(project: Project) -> None:
    one, ann, bob = student(project), mentor(project), mentor(project, "bob", capacity=0)
    first = match(project, one, ann)
    assign = "select id from assign_student(%s, %s)"
    assert project.one(assign, one, ann) == first
    with fails("MS021"):
        project.one(assign, one, bob)
    assert (mentor_of(project, one), len(steps(project, first))) == (ann, 1)
    project.run("update mentors set capacity = 1")
    second = project.one(assign, one, bob)
    assert (mentor_of(project, one), len(steps(project, first))) == (bob, 2)
    told = "select data ->> 'new_mentor_name' from message_outbox where kind = 'mentor_changed'"
    assert project.rows(told) == [("Bob",)]
    assert project.rows("select id from assign_student(%s, null)", one) == [(None,)]
    assert steps(project, second)[-1][0] == "dissolved"
    assert (mentor_of(project, one), disagreeing(project)) == (None, [])


@pytest.mark.parametrize("was_matched", [False, True])
def test_undoing_a_run_gives_the_mentors_back(
    project: Project, api: Api, was_matched: bool
) -> None:
    (one, two), ann, bob = students(project, 2), mentor(project), mentor(project, "bob")
    if was_matched:
        match(project, one, ann)
    project.run("insert into job_schedules (job) values ('by_hand')")
    run = project.one(
        "insert into job_runs (job, status, finished_at) values ('by_hand', 'succeeded', now())"
        " returning id"
    )
    with psycopg.connect(project.dsn) as connection:
        connection.execute("select set_config('mentor_sync.run_id', %s, true)", [str(run)])
        connection.execute("update users set mentor_id = %s where id = any(%s)", [bob, [one, two]])
    assert (mentor_of(project, one), mentor_of(project, two)) == (bob, bob)
    assert project.one("select count(*) from match_events where run_id = %s", run) >= 2
    undo(api, run)
    expected = (ann if was_matched else None, None)
    assert (mentor_of(project, one), mentor_of(project, two)) == expected
    assert disagreeing(project) == []


def test_mentors_who_were_there_before_us_get_their_matches(empty_database: Project) -> None:
    empty_database.run(*SEED_TABLES, *SEED_ROWS)
    empty_database.run(f"update users set mentor_id = id where id = '{ANNA}'")
    migrate(empty_database.dsn)
    held = empty_database.rows(
        "select student_id::text, mentor_id::text, role, status from matches"
    )
    assert held == [(BOB, ANNA, "primary", "active")]
    assert mails(empty_database) == set()
    assert [row for row in disagreeing(empty_database) if str(row[1]) != ANNA] == []
    assert empty_database.one("select mentee_count from mentorship_profiles") == 1
