"""What a run changed is logged, row by row, and shown to those who may see it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.people import as_admin, as_mentor, as_service, as_student
from tests.project import Api, Project
from tests.sync.support import many, sync, sync_in_sql, without_triggers

COUNTS = "select relation, action, count(*) from job_changes group by 1, 2 order by 1, 2"


def changes(project: Project) -> list[dict[str, Any]]:
    """What the only run changed, as `run show --changes` reads it."""
    with as_service(project) as daemon:
        found: list[dict[str, Any]] = daemon.one(
            "select changes_of_run(id, 0, 0, 1000) from job_runs order by created_at desc limit 1"
        )
    return found


@pytest.fixture
def unsynced(project: Project) -> Project:
    """Five members who are no mentors yet."""
    without_triggers(project)
    many(project, 5)
    return project


def test_each_row_that_a_run_makes_is_logged(unsynced: Project) -> None:
    sync_in_sql(unsynced)
    assert unsynced.rows(COUNTS) == [("mentors", "insert", 5), ("users", "insert", 5)]
    for table in ("mentors", "users"):
        ids = {row["row_id"] for row in changes(unsynced) if row["relation"] == table}
        assert ids == {str(row[0]) for row in unsynced.rows(f"select id from {table}")}
    assert {row["before"] for row in changes(unsynced)} == {None}


def test_what_is_logged_is_the_row_without_the_time_of_writing(unsynced: Project) -> None:
    sync_in_sql(unsynced)
    row = next(row for row in changes(unsynced) if row["relation"] == "users")
    columns = "select to_jsonb(u) - 'updated_at' from users u where id = %s"
    assert row["after"] == unsynced.one(columns, row["row_id"])


def test_a_change_is_logged_with_what_was_before(unsynced: Project) -> None:
    sync_in_sql(unsynced)
    unsynced.run("update members set city = 'Rome' where email like 'P3%'")
    assert sync_in_sql(unsynced) == {"exists": 4, "updated": 1}
    found = {row["relation"]: row for row in changes(unsynced)}
    assert len(changes(unsynced)) == len(found)
    person = found["users"]
    assert (person["action"], person["before"]["city"]) == ("update", None)
    assert person["after"] == person["before"] | {"city": "Rome"}


def test_a_run_that_changes_nothing_logs_nothing(unsynced: Project) -> None:
    sync_in_sql(unsynced)
    before = unsynced.contents("job_changes")
    sync_in_sql(unsynced)
    assert changes(unsynced) == []
    assert unsynced.contents("job_changes") == before


def test_a_dry_run_logs_nothing(unsynced: Project) -> None:
    assert sync_in_sql(unsynced, dry_run=True) == {"created": 5}
    assert unsynced.rows(COUNTS) == []


def test_each_chunk_is_told_from_the_others(unsynced: Project) -> None:
    sync_in_sql(unsynced, limit=2)
    chunks = unsynced.rows("select count(*) from job_changes group by chunk order by min(id)")
    assert chunks == [(4,), (4,), (2,)]


def test_what_triggers_and_people_write_is_not_logged(project: Project) -> None:
    project.mentor("mentor@example.org")
    with as_mentor(project, "other@example.org") as mentor:
        assert mentor.changed("update mentors set bio = 'Mine'") == 1
        mentor.connection.commit()
    project.run("update users set city = 'Rome'", "insert into users (email) values ('x@x.org')")
    assert project.rows(COUNTS) == []


def test_the_log_is_read_in_pages(project: Project, api: Api) -> None:
    without_triggers(project)
    many(project, 600)
    run = sync(api, chunk_size=250)
    with api.database() as database:
        pages, after = [], {"p_after_chunk": 0, "p_after": 0}
        while True:
            asked = {"p_run_id": str(run.id), "p_limit": 5000, **after}
            page = database.rpc("changes_of_run", asked, expect=list)
            if not page:
                break
            pages.append(page)
            after = {"p_after_chunk": page[-1]["chunk"], "p_after": page[-1]["id"]}
    ids = [row["id"] for page in pages for row in page]
    assert [len(page) for page in pages] == [1000, 200]
    assert ids == sorted(set(ids))


def test_only_admins_see_it(unsynced: Project) -> None:
    sync_in_sql(unsynced)
    with as_admin(unsynced) as admin:
        assert admin.rows(COUNTS) == [("mentors", "insert", 5), ("users", "insert", 5)]
    with as_student(unsynced) as student:
        assert student.rows(COUNTS) == []
        assert student.refused("select changes_of_run(gen_random_uuid(), 0, 0, 9)")


def test_nothing_that_only_others_may_know_is_logged(unsynced: Project) -> None:
    """The sources are other people's; of what they hold, only what we write is in the log."""
    unsynced.run("update members set linkedin = 'https://linkedin.example/secret'")
    sync_in_sql(unsynced)
    assert unsynced.one("select count(*) from job_changes where after::text like '%secret%'") == 0
    assert unsynced.one("select count(*) from job_changes") == 10
