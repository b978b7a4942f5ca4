"""What people can and cannot do, on projects of today and on older ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from jobs.undo_run import undo_run
from tests.people import (
    as_admin,
    as_anon,
    as_mentor,
    as_person,
    as_service,
    as_stranger,
    as_student,
)
from tests.project import Api, Project, Session
from tests.schema.test_grants import RELATIONS

Who = Callable[[Project], AbstractContextManager[Session]]

TABLES = [name for name in RELATIONS if name.startswith("public.")]
VIEWS = ("public.v_", "public.meeting_logs")
WRITABLE = [name for name in TABLES if not name.startswith(VIEWS)]
OWN = {
    "contact_hours", "contact_preferences", "calendar_feeds", "mentor_specializations",
    "mentorship_resources",
}  # fmt: skip
JOB_TABLES = ("job_schedules", "job_runs", "job_alerts", "job_changes")
SAID_BY_OTHERS = (
    "id", "user_id", "person_id", "slug", "is_approved", "is_active", "rating", "rating_count",
    "total_sessions", "version", "synced", "created_at", "updated_at",
)  # fmt: skip
IDENTITY = (
    "id", "email", "role", "status", "auth_user_id", "legacy_user_id", "member_id", "mentor_id",
    "created_at", "updated_at",
)  # fmt: skip


# Anybody, and whoever just signed up -----------------------------------------------------------


@pytest.fixture
def mentors(any_project: Project) -> dict[str, UUID]:
    """Ann is listed; Bob is not approved; Cid is not active."""
    made = {
        name: any_project.mentor(f"{name}@example.org", linkedin=f"https://linkedin.example/{name}")
        for name in ("ann", "bob", "cid")
    }
    any_project.run(
        f"update mentors set is_approved = false where person_id = '{made['bob']}'",
        f"update mentors set is_active = false where person_id = '{made['cid']}'",
    )
    return made


def _directory(session: Session) -> list[dict[str, Any]]:
    """What both verbs show, which is the same."""
    rows = [
        row for (row,) in session.rows("select to_jsonb(d) from get_mentors_with_member_data() d")
    ]
    page: list[dict[str, Any]] = session.one("select list_mentors()")["results"]
    assert sorted(page, key=str) == sorted(rows, key=str)
    return page


def _contacts(session: Session) -> dict[str, tuple[str | None, str | None]]:
    """Who is listed, with address and LinkedIn."""
    return {
        row["user"]["full_name"]: (row["user"]["email"], row["member"]["linkedin"])
        for row in _directory(session)
    }


@pytest.mark.usefixtures("mentors")
@pytest.mark.parametrize("who", [as_anon, as_stranger, as_student])
def test_everybody_sees_the_public_fields_of_listed_mentors(any_project: Project, who: Who) -> None:
    with who(any_project) as anybody:
        assert _contacts(anybody) == {"Ann": (None, None)}
        (ann,) = _directory(anybody)
    assert ann.keys().isdisjoint({"email", "person_id", "synced", "availability", "capacity"})
    assert "@example.org" not in json.dumps(ann)
    assert "linkedin.example" not in json.dumps(ann)


def test_anon_is_refused_every_table(any_project: Project) -> None:
    with as_anon(any_project) as anybody:
        for table in TABLES:
            assert anybody.refused(f"select from {table}")
            assert anybody.refused(f"select count(*) from {table}")
        for table in WRITABLE:
            assert anybody.refused(f"insert into {table} default values")
            assert anybody.refused(f"delete from {table}")


@pytest.mark.usefixtures("mentors")
def test_a_stranger_finds_every_table_closed_or_empty(any_project: Project) -> None:
    _a_bit_of_everything(any_project)
    with as_stranger(any_project) as stranger:
        for table in TABLES:
            select = f"select from {table}"
            assert stranger.refused(select) or stranger.rows(select) == []
        for table in WRITABLE:
            assert stranger.refused(f"insert into {table} default values")
            delete = f"delete from {table}"
            # Of their own people may delete rows, which a stranger has none of.
            if table.removeprefix("public.") in OWN:
                assert stranger.changed(delete) == 0
            else:
                assert stranger.refused(delete)
        assert stranger.changed("update users set city = 'Rome'") == 0
        assert stranger.changed("update mentors set bio = 'x'") == 0


@pytest.mark.usefixtures("mentors")
@pytest.mark.parametrize("key", ["app_metadata", "user_metadata"])
def test_what_a_token_says_beside_sub_is_no_right(any_project: Project, key: str) -> None:
    any_project.person("admin@example.org", "admin")
    with as_stranger(any_project) as stranger:
        claims = stranger.one("select current_setting('request.jwt.claims')::jsonb")
        claims |= {key: {"role": "admin"}, "email": "admin@example.org", "role": "service_role"}
        stranger.rows("select set_config('request.jwt.claims', %s, true)", json.dumps(claims))
        assert _contacts(stranger) == {"Ann": (None, None)}
        assert stranger.rows("select from users") == []
        assert stranger.refused("select sync_mentor_from_member(gen_random_uuid())")


def test_the_api_serves_neither_the_schema_private_nor_sequences(api: Api) -> None:
    profile: dict[str, Any] = {
        "headers": {"Accept-Profile": "private", "Content-Profile": "private"}
    }
    refused = [
        api.request("GET", "source_members", **profile),
        api.request("POST", "rpc/mentor_directory", json={}, **profile),
        api.request("POST", "rpc/mentor_directory", json={}),
        api.request("GET", "users_user_id_seq"),
    ]
    assert [answer.status_code // 100 for answer in refused] == [4] * 4
    listed = api.request("POST", "rpc/list_mentors", key=api.keys.publishable_key, json={})
    assert listed.json() == {"results": [], "count": 0, "page": 1, "page_size": 12}


def test_a_page_has_a_size(project: Project) -> None:
    with as_anon(project) as anybody, pytest.raises(psycopg.Error, match="page_size"):
        anybody.one("select list_mentors(page_size => null)")


# Mentors and students --------------------------------------------------------------------------


def test_mentors_see_themselves_and_nobody_else(
    any_project: Project, mentors: dict[str, UUID]
) -> None:
    with as_person(any_project, mentors["bob"]) as bob:
        assert bob.rows("select id from users") == [(mentors["bob"],)]
        assert bob.rows("select person_id from mentors") == [(mentors["bob"],)]
        for table in (*JOB_TABLES, "sync_rejects"):
            assert bob.rows(f"select from {table}") == []


def test_mentors_see_their_own_contact_fields_even_when_not_listed(
    any_project: Project, mentors: dict[str, UUID]
) -> None:
    with as_person(any_project, mentors["bob"]) as bob:
        own = ("bob@example.org", "https://linkedin.example/bob")
        assert _contacts(bob) == {"Ann": (None, None), "Bob": own}
    with as_person(any_project, mentors["ann"]) as ann:
        own = ("ann@example.org", "https://linkedin.example/ann")
        assert _contacts(ann) == {"Ann": own}


def test_mentors_change_what_they_say_of_themselves(
    any_project: Project, mentors: dict[str, UUID]
) -> None:
    say = """update mentors set bio = 'Mine', expertise = '["Law"]', capacity = 2, domain = 'Law',
      availability = '{}', timezone = 'UTC', experience_years = 3, teaching_style = 'visual'"""
    with as_person(any_project, mentors["ann"]) as ann:
        assert ann.changed(say) == 1
        assert ann.changed(f"{say} where person_id = %s", mentors["bob"]) == 0
        ann.connection.commit()
    changed = any_project.rows("select person_id from mentors where bio = 'Mine'")
    assert changed == [(mentors["ann"],)]


@pytest.mark.parametrize(
    "column",
    [
        "id",
        "user_id",
        "person_id",
        "slug",
        "is_approved",
        "is_active",
        "rating",
        "rating_count",
        "total_sessions",
        "version",
        "synced",
        "created_at",
        "updated_at",
    ],
)
def test_mentors_do_not_change_what_others_say_of_them(project: Project, column: str) -> None:
    with as_mentor(project) as mentor:
        assert mentor.refused(f"update mentors set {column} = default")
        assert mentor.refused(f"update mentors set {column} = {column}, bio = 'x'")
        assert mentor.changed("update mentors set bio = 'x'") == 1


def test_mentors_neither_make_nor_delete_mentors(any_project: Project) -> None:
    with as_mentor(any_project) as mentor:
        assert mentor.refused("insert into mentors (bio) values ('x')")
        assert mentor.refused("delete from mentors")
        assert mentor.refused("truncate mentors")
        assert len(mentor.rows("select from mentors")) == 1


def test_people_change_the_listed_columns_of_their_own_row(any_project: Project) -> None:
    other = any_project.person("other@example.org")
    change = """update users set full_name = 'Me', timezone = 'UTC', country = 'IT', city = 'Rome',
      contact_preference = 'phone'"""
    with as_student(any_project) as student:
        assert student.changed(change) == 1
        assert student.changed(f"{change} where id = %s", other) == 0
        student.connection.commit()
    changed = any_project.rows("select email from users where city = 'Rome'")
    assert changed == [("student@example.org",)]


@pytest.mark.parametrize(
    "column",
    [
        "id",
        "email",
        "role",
        "status",
        "auth_user_id",
        "legacy_user_id",
        "member_id",
        "mentor_id",
        "created_at",
        "updated_at",
    ],
)
def test_people_do_not_change_who_they_are(project: Project, column: str) -> None:
    for who in (as_student, as_mentor, as_admin):
        with who(project) as person:
            assert person.refused(f"update users set {column} = default")
            assert person.refused(f"update users set city = 'Rome', {column} = {column}")
            assert person.refused("insert into users (email) values ('x')")
            assert person.refused("delete from users")


def test_mentors_and_students_see_each_other_and_students_no_others(any_project: Project) -> None:
    mentor = any_project.mentor("mentor@example.org")
    ann, bob, other = (any_project.person(f"{name}@example.org") for name in ("ann", "bob", "cid"))
    any_project.run(f"update users set mentor_id = '{mentor}' where id in ('{ann}', '{bob}')")
    with as_person(any_project, mentor) as session:
        assert {row[0] for row in session.rows("select id from users")} == {mentor, ann, bob}
        assert session.changed("update users set city = 'Rome' where id <> %s", mentor) == 0
    for student, seen in ((ann, {ann, mentor}), (other, {other})):
        with as_person(any_project, student) as session:
            assert {row[0] for row in session.rows("select id from users")} == seen
            assert session.rows("select from mentors") == []
            assert session.changed("update users set city = 'Rome' where id <> %s", student) == 0


# Admins ----------------------------------------------------------------------------------------


def _a_bit_of_everything(project: Project) -> None:
    project.mentor("mentor@example.org")
    project.run(
        "insert into job_schedules (job) values ('x')",
        "insert into job_runs (job) values ('x')",
        "insert into job_alerts (kind, job, message) values ('dead', 'x', 'y')",
        "insert into job_changes (run_id, chunk, relation, row_id, action, after)"
        " select id, 1, 'users', id, 'insert', '{}' from job_runs",
        "insert into sync_rejects values ('members', 'x', 'y', 'z')",
    )


def test_admins_read_everything_of_ours(any_project: Project) -> None:
    _a_bit_of_everything(any_project)
    with as_admin(any_project) as admin:
        for table in ("users", "mentors", *JOB_TABLES, "sync_rejects"):
            count = any_project.one(f"select count(*) from {table}")
            assert admin.one(f"select count(*) from {table}") == count > 0
        assert _contacts(admin) == {"Mentor": ("mentor@example.org", None)}


def test_admins_write_neither_jobs_nor_other_people(any_project: Project) -> None:
    _a_bit_of_everything(any_project)
    with as_admin(any_project) as admin:
        for table in ("job_schedules", "job_runs", "job_alerts"):
            assert admin.refused(f"insert into {table} (job) values ('y')")
            assert admin.refused(f"update {table} set job = 'y'")
        for table in (*JOB_TABLES, "sync_rejects"):
            assert admin.refused(f"delete from {table}")
        assert admin.changed("update users set city = 'Rome'") == 1
        assert admin.changed("update mentors set bio = 'x'") == 0


@pytest.mark.parametrize(
    "change", ["status = 'Inactive'", "role = 'mentor'", "auth_user_id = null"]
)
def test_an_admin_who_is_none_any_more_sees_no_more_than_others(
    any_project: Project, change: str
) -> None:
    _a_bit_of_everything(any_project)
    with as_admin(any_project) as admin:
        any_project.run(f"update users set {change} where role = 'admin'")
        assert len(admin.rows("select from users")) <= 1
        assert admin.rows("select from mentors") + admin.rows("select from job_runs") == []
        assert _contacts(admin) == {"Mentor": (None, None)}
        assert admin.refused("select sync_mentor_from_member(gen_random_uuid())")


# Verbs -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", [as_anon, as_stranger, as_student, as_mentor])
def test_only_admins_and_the_daemon_sync_a_member(any_project: Project, who: Who) -> None:
    any_project.account("new@example.org")
    any_project.run("alter table members disable trigger user")
    member = any_project.member("new@example.org")
    any_project.run("alter table members enable trigger user")
    with who(any_project) as person:
        assert person.refused("select sync_mentor_from_member(%s)", member)
    for allowed in (as_admin, as_service):
        with allowed(any_project) as session:
            assert session.one("select sync_mentor_from_member(%s)", member)["outcome"] == "created"


VERBS = (
    "register_jobs('[]')",
    "accept_schedules('[]')",
    "enqueue_run('x')",
    "enqueue_slots('[]')",
    "claim_runs('me')",
    f"heartbeat_run('{uuid4()}', 1)",
    "finish_runs('[]')",
    f"cancel_run('{uuid4()}')",
    f"approve_run('{uuid4()}')",
    f"retry_run('{uuid4()}')",
    "find_runs('00')",
    "scheduler_state()",
    f"changes_of_run('{uuid4()}', 0, 0, 10)",
    f"undo_changes('{uuid4()}', 1, '{uuid4()}')",
    "prune_runs()",
    f"sync_mentor_profiles('{uuid4()}', 1)",
)


@pytest.mark.parametrize("who", [as_anon, as_stranger, as_mentor, as_admin])
def test_the_verbs_of_jobs_are_refused_to_people(any_project: Project, who: Who) -> None:
    any_project.run("insert into job_schedules (job) values ('x')")
    before = any_project.contents(*JOB_TABLES)
    with who(any_project) as person:
        assert [verb for verb in VERBS if not person.refused(f"select {verb}")] == []
    assert any_project.contents(*JOB_TABLES) == before


def test_the_verbs_of_jobs_serve_the_daemon(any_project: Project) -> None:
    with as_service(any_project) as daemon:
        daemon.one("select register_jobs(%s)", json.dumps([undo_run.schedule()]))
        run = daemon.one("select enqueue_run('undo_run')")
        owned = {"id": run["id"], "fence": 1}
        assert daemon.one("select claim_runs('me')")[0]["id"] == run["id"]
        assert daemon.one("select sync_mentor_profiles(%s, 1)", run["id"])["done"]
        assert daemon.one("select heartbeat_run(%s, 1)", run["id"])["lease_expires_at"]
        ended = json.dumps([owned | {"status": "awaiting_approval"}])
        assert daemon.one("select finish_runs(%s)", ended) == {"stale": []}
        assert daemon.one("select approve_run(%s)", run["id"])["status"] == "queued"
        assert daemon.one("select cancel_run(%s)", run["id"])["status"] == "cancelled"
        assert daemon.one("select retry_run(%s)", run["id"])["status"] == "queued"


def test_the_verbs_of_schedules_and_change_logs_serve_the_daemon(any_project: Project) -> None:
    with as_service(any_project) as daemon:
        daemon.one("select register_jobs(%s)", json.dumps([undo_run.schedule()]))
        verdict = {"job": "undo_run", "error": None, "cron": "@daily", "timezone": "UTC"}
        assert daemon.one("select accept_schedules(%s)", json.dumps([verdict])) == 1
        assert daemon.one("select enqueue_slots('[]')") == []
        assert daemon.one("select scheduler_state()")["schedules"][0]["job"] == "undo_run"
        ended = daemon.one("select enqueue_run('undo_run')")["id"]
        daemon.rows("select cancel_run(%s)", ended)
        run = daemon.one("select enqueue_run('undo_run')")["id"]
        daemon.rows("select claim_runs('me')")
        assert daemon.one("select undo_changes(%s, 1, %s)", run, ended)["done"]
        assert daemon.one("select changes_of_run(%s, 0, 0, 10)", run) == []
        assert daemon.one("select prune_runs()") == {"changes": 0, "runs": 0}


def test_nobody_writes_the_change_log_by_hand(any_project: Project) -> None:
    _a_bit_of_everything(any_project)
    for who in (as_service, as_admin, as_student):
        with who(any_project) as person:
            assert person.refused("insert into job_changes (relation) values ('users')")
            assert person.refused("update job_changes set before = null")
            assert person.refused("select private.undo_chunk(gen_random_uuid(), 1)")
            assert person.refused("insert into job_alerts (kind) values ('dead')")
    with as_admin(any_project, "other@example.org") as admin:
        assert admin.refused("delete from job_changes")
        assert admin.refused("delete from job_alerts")


# Sources and settings --------------------------------------------------------------------------


@pytest.mark.parametrize("who", [as_anon, as_stranger, as_student, as_mentor, as_admin])
def test_people_neither_read_nor_write_sources_and_settings(any_project: Project, who: Who) -> None:
    before = any_project.contents("program_settings")
    with who(any_project) as person:
        for table in ("members", "users_user", "program_settings"):
            assert person.refused(f"select from {table}")
            assert person.refused(f"insert into {table} default values")
            assert person.refused(f"delete from {table}")
        assert person.refused("update members set membershiptype = 'mentor'")
        assert person.refused("update users_user set email = 'x'")
        assert person.refused("update program_settings set value = 'false'")
    assert any_project.contents("program_settings") == before


def test_the_daemon_reads_and_writes_sources(any_project: Project) -> None:
    switch_off = "update program_settings set value = 'false' where key = 'auto_approve'"
    with as_service(any_project) as daemon:
        daemon.changed("insert into users_user (email) values ('new@example.org')")
        daemon.changed(
            "insert into members (email, name, membershiptype) values (%s, 'N', 'mentor')",
            "new@example.org",
        )
        assert _contacts(daemon) == {"N": ("new@example.org", None)}
        assert daemon.changed("delete from members") == 1
        assert daemon.changed(switch_off) == 1
        assert daemon.refused("delete from program_settings")


@pytest.mark.parametrize("role", ["anon", "registration"])
def test_whoever_may_write_the_sources_is_not_hindered(project: Project, role: str) -> None:
    """As in a project where another application registers members with a role of its own."""
    project.run(
        "do $$ begin create role registration; exception when duplicate_object then end $$",
        f"grant insert on members, users_user to {role}",
        "alter table members disable row level security",
        "alter table users_user disable row level security",
    )
    with psycopg.connect(project.superuser_dsn) as other:
        other.execute(f"set role {role}".encode())
        other.execute("insert into users_user (email) values ('a@example.org')")
        other.execute(
            "insert into members (email, name, membershiptype)"
            " values ('a@example.org', 'A', 'mentor')"
        )
