"""A database that was there before us keeps its rows, and the sync goes on from them."""

from __future__ import annotations

from typing import Any

import pytest

from mentor_sync.migrations import migrate
from tests.migrations.support import SEED_TABLES
from tests.project import Project, serving
from tests.sync.support import sync, sync_in_sql

ROWS = """
insert into users_user (email) values
  ('ann@example.org'), ('bob@example.org'), ('cem@example.org'), ('dee@example.org');
insert into members (id, email, name, membershiptype, areaofexpertise, experience)
select gen_random_uuid(), e || '@Example.org', initcap(e), t, 'Law', '5 years'
from (values ('ann', 'mentor'), ('bob', 'student'), ('cem', 'Mentor'), ('eve', 'mentor'))
  as m (e, t);
insert into mentors (id, user_id, bio, expertise, is_approved, rating, total_sessions, version)
values (gen_random_uuid(), 1, 'written by hand', '["Poetry"]', false, 4.5, 12, 7),
  (gen_random_uuid(), 2, null, null, true, null, null, null);
insert into users (id, full_name, email, role, status)
values (gen_random_uuid(), 'Ann A.', 'ann@example.org', 'student', 'Active'),
  (gen_random_uuid(), 'Zoe', 'zoe@example.org', 'student', 'Passed out / Completed');
"""
THEIRS = {
    "users_user": "id, password, email, first_name, last_name",
    "members": "id, email, name, membershiptype, areaofexpertise, skills, experience, is_active",
    "mentors": "id, user_id, bio, expertise, is_approved, rating, total_sessions, version,"
    " created_at, updated_at",
    "users": "id, full_name, email, role, status, created_at, mentor_id",
}


@pytest.fixture
def adopted(empty_database: Project) -> Project:
    empty_database.run(*SEED_TABLES, ROWS)
    return empty_database


def theirs(project: Project) -> dict[str, set[tuple[Any, ...]]]:
    """The rows as their owner knows them: only the columns that were there."""
    return {
        table: {tuple(map(str, row)) for row in project.rows(f"select {columns} from {table}")}
        for table, columns in THEIRS.items()
    }


def test_migrating_and_syncing_loses_and_changes_no_row(adopted: Project) -> None:
    before = theirs(adopted)
    migrate(adopted.dsn)
    with serving(adopted) as api:
        assert sync(api).counts == {"created": 1, "exists": 1, "no_user": 1}
        assert sync(api).counts == {"exists": 2, "no_user": 1}
    after = theirs(adopted)
    assert all(rows <= after[table] for table, rows in before.items())
    assert {table: len(after[table]) - len(before[table]) for table in before} == {
        "users_user": 0,
        "members": 0,
        "mentors": 1,
        "users": 1,
    }


def test_the_member_of_an_adopted_mentor_is_found_again(adopted: Project) -> None:
    migrate(adopted.dsn)
    sync_in_sql(adopted)
    adopted.run("update members set experience = '6 years', membershiptype = 'MENTOR'")
    bios = adopted.rows("select bio from mentors where bio is not null order by bio")
    assert bios == [("Experience: 6 years",), ("written by hand",)]
    adopted.run("update members set membershiptype = 'alumni' where name = 'Ann'")
    assert adopted.rows("select bio from mentors where not is_active") == [("written by hand",)]


def test_a_mentor_whose_member_was_never_one_stays(adopted: Project) -> None:
    migrate(adopted.dsn)
    before = adopted.rows("select * from mentors where user_id = 2")
    sync_in_sql(adopted)
    adopted.run("update members set experience = '7 years' where name = 'Bob'")
    assert adopted.rows("select * from mentors where user_id = 2") == before


def test_the_api_shows_adopted_mentors(adopted: Project) -> None:
    migrate(adopted.dsn)
    sync_in_sql(adopted)
    listed = adopted.one("select list_mentors()")
    member = {row["user"]["id"]: row["member"] for row in listed["results"]}
    assert listed["count"] == 3
    assert member[1]["areaOfExpertise"] == "Law"
    assert member[2] is None


def test_an_adopted_mentor_without_a_person_gets_one(adopted: Project) -> None:
    migrate(adopted.dsn)
    adopted.run("delete from users", "update members set membershiptype = 'mentor'")
    adopted.run("delete from users", "update mentors set synced = '{}'")
    assert sync_in_sql(adopted) == {"exists": 3, "no_user": 1}
    assert adopted.one("select count(*) from mentors where person_id is null") == 0
    assert adopted.one("select count(*) from users where role = 'mentor'") == 3
    assert adopted.rows("select bio from mentors where user_id = 1") == [("written by hand",)]


def test_an_expertise_that_is_no_list_stays_writable(adopted: Project) -> None:
    adopted.run("""update mentors set expertise = '{"x": 1}'""")
    migrate(adopted.dsn)
    sync_in_sql(adopted)
    adopted.run("update mentors set rating = 5")
    odd = adopted.rows("""select rating from mentors where expertise = '{"x": 1}'""")
    assert odd == [(5,), (5,)]
    assert adopted.rows("select * from sync_rejects") == []
