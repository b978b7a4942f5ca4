from __future__ import annotations

import psycopg
import pytest

from mentor_sync.adoption import check, faults
from mentor_sync.connection import connect
from mentor_sync.findings import Finding
from mentor_sync.migrations import load, migrate
from mentor_sync.rows import SPACE
from tests.migrations.support import SEED_TABLES
from tests.project import Project, acting

ANNA, BOB, CARL = (f"00000000-0000-0000-0000-00000000000{number}" for number in "123")

SEED_ROWS = (
    "insert into users_user (email) values ('anna@example.org'), ('bob@example.org')",
    f"""
    insert into members (id, email, name, membershiptype, areaOfExpertise) values
      ('{ANNA}', 'anna@example.org', 'Anna', 'mentor', 'Law'),
      ('{BOB}', 'Bob@Example.org', 'Bob', 'student', null)
    """,
    f"insert into mentors (id, user_id, bio) values ('{ANNA}', 1, 'written by hand')",
    f"""
    insert into users (id, full_name, email, role, status, mentor_id) values
      ('{ANNA}', 'Anna', 'anna@example.org', 'mentor', 'Active', null),
      ('{BOB}', 'Bob', 'bob@example.org', 'student', 'Passed out / Completed', '{ANNA}')
    """,
)


# Where the conflict is, and what brings it about.
CONFLICTS = {
    "JSON kept as text": (
        "mentors.expertise",
        "alter table mentors alter expertise drop default",
        "alter table mentors alter expertise type text using '[\"Law\"]'",
    ),
    "an array, with a default": (
        "mentors.expertise",
        "alter table mentors alter expertise drop default",
        "alter table mentors alter expertise type text[] using '{Law}'",
        "alter table mentors alter expertise set default '{}'",
    ),
    "json": ("mentors.expertise", "alter table mentors alter expertise type json"),
    "real": ("mentors.rating", "alter table mentors alter rating type real"),
    "yes and no": (
        "mentors.is_approved",
        "alter table mentors alter is_approved drop default",
        "alter table mentors alter is_approved type text using 'yes'",
        "alter table mentors alter is_approved set default 'no'",
    ),
    "no time zone": (
        "mentors.created_at",
        "alter table mentors alter created_at type timestamp",
    ),
    "no way": (
        "mentors.user_id",
        "alter table mentors drop user_id, add user_id uuid unique",
    ),
    "a number as text": (
        "mentors.user_id",
        "alter table mentors drop user_id, add user_id text unique default '7'",
    ),
    "an id as text": ("members.id", "alter table members alter id type text"),
    "a numeric id": ("members.id", "alter table members drop id, add id serial primary key"),
    "no key": ("members.id", "alter table members drop constraint members_pkey"),
    "words in an array": (
        "members.skills",
        "alter table members alter skills type text[] using '{Go}'",
    ),
    "another name": ("members.name", "alter table members rename name to called"),
    "no account": ("mentors.user_id", "alter table mentors drop user_id"),
    "generated": (
        "users.full_name",
        "alter table users drop full_name",
        "alter table users add full_name text generated always as (email) stored",
    ),
    "a column of ours, without a key": (
        "users.legacy_user_id",
        "alter table users add legacy_user_id int",
    ),
    "role": ("users.role", "update users set role = 'Teacher' where full_name = 'Bob'"),
    "status": ("users.status", "update users set status = 'gone'"),
    "capacity": ("mentors.capacity", "alter table mentors add capacity int default -1"),
    "experience": (
        "mentors.experience_years",
        "alter table mentors add experience_years numeric default -1",
    ),
    "teaching style": (
        "mentors.teaching_style",
        "alter table mentors add teaching_style text default 'Visual'",
    ),
}
# What is said of it, and what brings it about.
HINDRANCES = {
    "a column that has to be filled": (
        "may not be empty",
        "alter table users add username text not null default 'x'",
        "alter table users alter username drop default",
    ),
    "people are logins": (
        "auth.users",
        "alter table users add constraint login foreign key (id) references auth.users not valid",
    ),
    "too short": ("20 characters", "alter table mentors alter bio type varchar(20)"),
}
# Policies that open our tables to everybody, or to who is signed in.
OPENINGS = {
    "everybody reads": "create policy everybody on users for select using (true)",
    "who is signed in changes": 'create policy "Up date" on users to authenticated using (true)',
    "anon reads": "create policy listed on mentors for select to anon using (is_approved)",
}


@pytest.fixture
def project(empty_database: Project) -> Project:
    """A project with the tables of the documents, and rows in them."""
    empty_database.run(*SEED_TABLES, *SEED_ROWS)
    return empty_database


def _findings(database: Project, *levels: str) -> list[Finding]:
    with connect(database.dsn) as connection:
        return [finding for finding in check(connection).findings if finding.level in levels]


def _faults(database: Project) -> list[Finding]:
    """What is wrong after all migrations, as `db migrate` and `db check` see it."""
    applied = [file.text for file in load()]
    with connect(database.dsn) as connection:
        found = faults(connection, applied).of("fault")
        assert found == check(connection, applied).of("fault")
    return found


def _mend(database: Project) -> list[Finding]:
    conflicts = _findings(database, "conflict")
    database.run(*(conflict.sql for conflict in conflicts))
    assert _findings(database, "conflict") == []
    return conflicts


def test_an_empty_project_misses_every_table(empty_database: Project) -> None:
    tables = [finding.table for finding in _findings(empty_database, "missing")]
    assert tables == ["members", "users_user", "users", "mentors"]
    assert _findings(empty_database, "conflict", "warning", "note") == []


def test_the_documents_tables_fit(project: Project) -> None:
    assert _findings(project, "conflict", "warning") == []
    assert [finding.table for finding in _findings(project, "note")] == ["users", "mentors"]
    missing = {(finding.table, finding.column) for finding in _findings(project, "missing")}
    assert ("members", "country") in missing
    assert ("mentors", "slug") in missing
    assert ("members", "areaOfExpertise") not in missing


def test_the_documents_tables_are_migrated_with_their_rows(project: Project) -> None:
    migrate(project.dsn)
    assert project.rows("select areaofexpertise from members where name = 'Anna'") == [("Law",)]
    assert project.rows("select user_id, bio from mentors") == [(1, "written by hand")]
    assert project.rows("select email from users order by email") == [
        ("anna@example.org",),
        ("bob@example.org",),
    ]
    assert _findings(project, "conflict", "missing", "note") == []


def test_a_migrated_project_takes_new_mentors(project: Project) -> None:
    migrate(project.dsn)
    project.run(
        "insert into users_user (email) values ('carl@example.org')",
        "insert into members (id, email, name, membershiptype)"
        f" values ('{CARL}', 'carl@example.org', 'Carl', 'mentor')",
    )
    assert project.rows("select reason from sync_rejects") == []
    assert project.rows(f"select role from users where member_id = '{CARL}'") == [("mentor",)]


@pytest.mark.parametrize("name", CONFLICTS)
def test_a_conflict_is_named_and_its_sql_mends_it(project: Project, name: str) -> None:
    place, *changes = CONFLICTS[name]
    project.run(*changes)
    conflicts = _mend(project)
    assert {f"{conflict.table}.{conflict.column}" for conflict in conflicts} == {place}
    migrate(project.dsn)


def test_values_come_through_the_mending(project: Project) -> None:
    project.run(
        "alter table mentors alter expertise drop default",
        "alter table mentors alter expertise type text using 'Law, Art', alter rating type real",
        "alter table mentors alter created_at type timestamp using '2026-03-01 12:00'",
        "update users set role = ' Mentor' where role = 'mentor'",
        "update users set role = 'teacher' where role = 'student'",
    )
    _mend(project)
    assert project.rows(
        "select expertise::text, created_at = '2026-03-01 12:00+00' from mentors"
    ) == [('["Law", "Art"]', True)]
    assert project.rows("select role, role_before_mentor_sync from users order by email") == [
        ("mentor", " Mentor"),
        ("student", "teacher"),
    ]


def test_a_type_of_the_projects_own_is_mended_with_its_default(project: Project) -> None:
    project.run(
        "create type user_role as enum ('student', 'mentor', 'teacher')",
        "alter table users alter role type user_role using role::user_role,"
        " alter role set default 'student'",
        f"update users set role = 'teacher' where id = '{BOB}'",
    )
    assert [conflict.column for conflict in _mend(project)] == ["role", "role"]
    project.run(f"insert into users (id, email) values ('{CARL}', 'carl@example.org')")
    assert project.rows(f"select role from users where id = '{CARL}'") == [("student",)]
    migrate(project.dsn)


def test_two_mentors_of_one_account(project: Project) -> None:
    project.run(
        "alter table mentors drop constraint mentors_user_id_key",
        f"insert into mentors (id, user_id) values ('{BOB}', 1), ('{CARL}', 2)",
    )
    assert [conflict.column for conflict in _mend(project)] == ["user_id", "user_id"]
    rows = project.rows("select id::text, user_id from mentors order by id")
    assert rows == [(ANNA, 1), (BOB, None), (CARL, 2)]


def test_a_view_in_the_place_of_a_table(empty_database: Project) -> None:
    empty_database.run("create view members as select 1 as id")
    assert [conflict.table for conflict in _mend(empty_database)] == ["members"]
    assert empty_database.has("public.members_before_mentor_sync")


def test_a_table_of_somebody_else(project: Project) -> None:
    project.run("alter table members owner to supabase_admin", as_superuser=True)
    (conflict,) = _findings(project, "conflict")
    assert (conflict.table, conflict.column) == ("members", "")
    project.run(conflict.sql, as_superuser=True)
    assert _findings(project, "conflict") == []


@pytest.mark.parametrize("table", ["members", "users_user"])
def test_a_source_that_the_api_may_write_is_warned_of(project: Project, table: str) -> None:
    project.run(f"grant all on {table} to anon, authenticated")
    warning, reading = _findings(project, "warning")
    assert (warning.table, "anon and authenticated may write" in warning.message) == (table, True)
    project.run(warning.sql)
    assert _findings(project, "warning") == [reading]
    select = f"select has_table_privilege('anon', '{table}', 'select')"
    assert project.rows(select) == [(True,)]


@pytest.mark.parametrize("table", ["members", "users_user"])
def test_addresses_that_the_api_may_read_are_warned_of(project: Project, table: str) -> None:
    project.run(f"grant select (email) on {table} to authenticated")
    (warning,) = _findings(project, "warning")
    assert (warning.table, "authenticated may read" in warning.message) == (table, True)
    project.run(warning.sql)
    assert _findings(project, "warning") == []


def test_a_source_that_is_read_without_its_addresses_is_no_danger(project: Project) -> None:
    project.run(
        "grant select (name) on members to anon",
        "grant select on users_user to anon, authenticated",
        "alter table users_user enable row level security",
    )
    assert _findings(project, "warning") == []
    project.run("create policy own on users_user for select to authenticated using (true)")
    (warning,) = _findings(project, "warning")
    assert warning.message.startswith("authenticated may read")


def test_who_becomes_an_admin_of_ours_is_counted_beforehand(project: Project) -> None:
    project.run("update users set role = ' Admin'")
    (warning,) = _findings(project, "warning")
    assert (warning.table, warning.column) == ("users", "role")
    assert warning.message.startswith("Rows with the role admin: 2.")
    assert len(project.rows(warning.sql)) == 2
    _mend(project)
    migrate(project.dsn)
    assert _findings(project, "warning") == []


def test_row_level_security_without_a_policy_closes_a_source(project: Project) -> None:
    project.run(
        "grant all on members to authenticated", "alter table members enable row level security"
    )
    assert _findings(project, "warning") == []
    project.run("create policy own on members for update to authenticated using (id is null)")
    assert len(_findings(project, "warning")) == 1


def test_a_grant_on_other_columns_is_no_danger(project: Project) -> None:
    project.run("grant update (name, skills) on members to authenticated")
    assert _findings(project, "warning") == []
    project.run("grant update (membershiptype) on members to authenticated")
    assert len(_findings(project, "warning")) == 1


def test_addresses_that_two_rows_share_are_counted(project: Project) -> None:
    project.run(
        "insert into members (id, email, name, membershiptype)"
        f" values ('{CARL}', E' ANNA@example.org\\u00a0', 'Anna', 'mentor')",
        "insert into users_user (email) values (''), (' ')",
    )
    (warning,) = _findings(project, "warning")
    assert (warning.table, warning.column) == ("members", "email")
    assert warning.message.startswith("1 ")


def test_the_space_around_an_address_is_what_the_schema_trims(empty_database: Project) -> None:
    migrate(empty_database.dsn)
    with psycopg.connect(empty_database.superuser_dsn) as connection:
        query = "select private.trim_space(%s), private.trim_space(%s)"
        assert connection.execute(query, [SPACE, f"{SPACE}\u2060{SPACE}"]).fetchone() == (
            "",
            "\u2060",
        )


@pytest.mark.parametrize("name", HINDRANCES)
def test_what_hinders_rows_of_ours_is_warned_of(project: Project, name: str) -> None:
    said, *changes = HINDRANCES[name]
    project.run(*changes)
    (warning,) = _findings(project, "warning")
    assert said in warning.message
    project.run(warning.sql)
    assert _findings(project, "warning") == []


@pytest.mark.parametrize("name", OPENINGS)
def test_a_policy_that_is_not_ours_is_a_fault_before_and_after(project: Project, name: str) -> None:
    project.run(OPENINGS[name])
    (before,) = _findings(project, "fault")
    assert _findings(project, "conflict") == []
    migrate(project.dsn)
    (after,) = _faults(project)
    assert after == before
    project.run(after.sql)
    assert _faults(project) == []


def test_a_policy_that_is_not_ours_lets_everybody_read(project: Project) -> None:
    """Why it is a fault: our grants let through what the project's own did not."""
    project.run(OPENINGS["everybody reads"], "revoke all on users from authenticated")
    migrate(project.dsn)
    with acting(project, "authenticated") as somebody:
        assert len(somebody.rows("select email from users")) == 2
    project.run(_faults(project)[0].sql)
    with acting(project, "authenticated") as somebody:
        assert somebody.rows("select email from users") == []


def test_a_policy_for_a_role_of_the_projects_own_is_warned_of(project: Project) -> None:
    project.run("create policy own on users to service_role using (true)")
    migrate(project.dsn)
    assert _faults(project) == []
    (warning,) = _findings(project, "warning")
    assert warning.sql == "drop policy own on public.users;"


def test_a_restrictive_policy_is_no_fault(project: Project) -> None:
    project.run("create policy own on users as restrictive using (true)")
    assert _findings(project, "fault", "warning") == []


@pytest.mark.parametrize(
    ("table", "level"), [("career_mentors", "note"), ("meeting_logs", "conflict")]
)
def test_a_table_where_a_view_is_or_will_be_is_told(
    empty_database: Project, table: str, level: str
) -> None:
    empty_database.run(f"create table {table} ()")
    (finding,) = _findings(empty_database, level)
    empty_database.run(finding.sql)
    assert empty_database.has(f"public.{table}_before_mentor_sync")
    assert _findings(empty_database, "note", "conflict") == []


def test_a_table_where_one_of_ours_will_be_is_told(empty_database: Project) -> None:
    empty_database.run(
        "create table matches (id int)",
        "insert into matches values (7)",
        "create view mentorship_requests as select 1 as id",
    )
    found = _findings(empty_database, "conflict")
    assert {finding.table for finding in found} == {"matches", "mentorship_requests"}
    empty_database.run(*(finding.sql for finding in found))
    assert _findings(empty_database, "conflict") == []
    migrate(empty_database.dsn)
    assert _findings(empty_database, "conflict") == []
    assert empty_database.rows("select id from matches_before_mentor_sync") == [(7,)]


def test_a_database_that_knows_ascii_only_is_warned_of(
    empty_database: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty_database.run("create database ascii template template0 locale 'C' owner postgres")
    dsn = empty_database.dsn.rpartition("/")[0] + "/ascii"
    with connect(dsn) as connection:
        (warning,) = check(connection).of("warning")
    empty_database.run("drop database ascii")
    assert "LC_CTYPE" in warning.message


def test_names_that_need_quotes_get_them(project: Project) -> None:
    project.run(
        'alter table users add "Key No" int not null default 1',
        'alter table users alter "Key No" drop default',
    )
    (warning,) = _findings(project, "warning")
    assert '"Key No"' in warning.sql
    project.run(warning.sql)
    assert _findings(project, "warning") == []


def test_the_check_changes_nothing(project: Project) -> None:
    state = "select relname, xmin::text from pg_class where relnamespace = 'public'::regnamespace"
    before = project.rows(state)
    _findings(project, "conflict")
    assert project.rows(state) == before
