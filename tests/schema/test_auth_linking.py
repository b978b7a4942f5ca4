"""Who becomes which person by signing up with Supabase Auth."""

from __future__ import annotations

from uuid import UUID, uuid4

import psycopg
import pytest

from tests.project import Project

INSTANCE = "00000000-0000-0000-0000-000000000000"
ADDRESS = "ann@example.org"


def sign_up(project: Project, email: str | None = ADDRESS, **values: object) -> UUID:
    """A confirmed auth user, made as Supabase Auth does it."""
    row = {"id": uuid4(), "instance_id": INSTANCE, "email": email, "email_confirmed_at": "now"}
    row |= values
    columns, places = ", ".join(row), ", ".join(f"%({name})s" for name in row)
    with psycopg.connect(project.superuser_dsn) as connection:
        connection.execute(b"set role supabase_auth_admin; set statement_timeout = '5s'")
        insert = f"insert into auth.users ({columns}) values ({places})"
        connection.execute(insert.encode(), row)
    return UUID(str(row["id"]))


def change(project: Project, auth_user: UUID, assignment: str) -> None:
    with psycopg.connect(project.superuser_dsn) as connection:
        connection.execute(b"set role supabase_auth_admin")
        update = f"update auth.users set {assignment} where id = %s"
        connection.execute(update.encode(), [auth_user])


def linked(project: Project) -> dict[str, UUID]:
    """Auth users, by the address of the person that they are."""
    query = "select email, auth_user_id from users where auth_user_id is not null"
    return dict(project.rows(query))


@pytest.mark.parametrize("role", ["student", "mentor"])
def test_whoever_confirms_an_address_is_the_person(project: Project, role: str) -> None:
    project.person(ADDRESS, role)
    project.person("bob@example.org")
    auth_user = sign_up(project)
    assert linked(project) == {ADDRESS: auth_user}
    assert project.rows("select updated_at from users") == project.rows(
        "select created_at from users"
    )


def test_addresses_are_compared_in_their_normal_form(project: Project) -> None:
    project.person("\u00a0Ann@Example.org ")
    auth_user = sign_up(project, "ANN@example.ORG")
    assert list(linked(project).values()) == [auth_user]


def test_an_address_counts_once_it_is_confirmed(project: Project) -> None:
    project.person(ADDRESS)
    auth_user = sign_up(project, email_confirmed_at=None)
    change(project, auth_user, "phone = '123', phone_confirmed_at = now()")
    assert linked(project) == {}
    change(project, auth_user, "email_confirmed_at = now()")
    assert linked(project) == {ADDRESS: auth_user}


def test_an_address_that_changes_counts_when_nobody_is_linked(project: Project) -> None:
    project.person(ADDRESS)
    project.person("bob@example.org")
    auth_user = sign_up(project, "other@example.org")
    change(project, auth_user, f"email = '{ADDRESS}'")
    assert linked(project) == {ADDRESS: auth_user}
    change(project, auth_user, "email = 'bob@example.org'")
    assert linked(project) == {ADDRESS: auth_user}


@pytest.mark.parametrize(
    "email",
    [
        None,
        "",
        "x@example.org",
        "ann@example.org.evil.example",
    ],
)
def test_other_addresses_are_nobody(project: Project, email: str | None) -> None:
    project.person(ADDRESS)
    project.person("")
    sign_up(project, email)
    assert linked(project) == {}


def test_anonymous_users_are_nobody_until_they_are_not(project: Project) -> None:
    project.person(ADDRESS)
    auth_user = sign_up(project, is_anonymous=True)
    assert linked(project) == {}
    change(project, auth_user, "is_anonymous = false")
    assert linked(project) == {ADDRESS: auth_user}


@pytest.mark.parametrize("role", ["admin", "system"])
def test_admins_and_system_accounts_are_never_linked(project: Project, role: str) -> None:
    project.person(ADDRESS, role)
    sign_up(project)
    project.run("update users set role = 'student'")
    assert linked(project) == {}


def test_two_auth_users_with_the_address_are_nobody(project: Project) -> None:
    project.person(ADDRESS)
    sign_up(project, email_confirmed_at=None)
    sign_up(project, ADDRESS.upper(), is_sso_user=True)
    assert linked(project) == {}


def test_two_people_with_the_address_are_nobody(project: Project) -> None:
    project.person(ADDRESS)
    project.person(f" {ADDRESS.upper()}")
    sign_up(project)
    assert linked(project) == {}


def test_a_person_is_linked_once(project: Project) -> None:
    project.person(ADDRESS)
    first = sign_up(project)
    change(project, first, "email = 'gone@example.org'")
    sign_up(project)
    assert linked(project) == {ADDRESS: first}


def test_an_auth_user_is_one_person(project: Project) -> None:
    project.person(ADDRESS)
    auth_user = sign_up(project)
    project.run(f"update users set email = 'old@example.org' where email = '{ADDRESS}'")
    project.person(ADDRESS)
    change(project, auth_user, "email_confirmed_at = now() + interval '1 day'")
    assert linked(project) == {"old@example.org": auth_user}


def test_whoever_comes_after_a_deleted_auth_user_is_linked_anew(project: Project) -> None:
    project.person(ADDRESS)
    first = sign_up(project)
    project.run(f"delete from auth.users where id = '{first}'")
    assert linked(project) == {}
    second = sign_up(project)
    assert linked(project) == {ADDRESS: second}


def test_a_person_whom_the_sync_makes_later_is_linked(project: Project) -> None:
    auth_user = sign_up(project)
    other = sign_up(project, "bob@example.org", email_confirmed_at=None)
    person = project.mentor(f" {ADDRESS.upper()}")
    project.mentor("bob@example.org")
    assert project.rows("select id, auth_user_id from users where auth_user_id is not null") == [
        (person, auth_user)
    ]
    assert other not in linked(project).values()


_FAILING = """
create function fail() returns trigger language plpgsql as $$ begin raise 'no'; end $$;
create trigger fail before update on users for each row execute function fail();
"""


@pytest.mark.parametrize(
    "fault",
    [
        _FAILING,
        "alter table users drop auth_user_id cascade",
        "drop table users cascade",
        "alter function private.normalise_email rename to other",
        "revoke all on auth.users from postgres",
    ],
)
def test_nothing_of_ours_stops_people_from_signing_up(project: Project, fault: str) -> None:
    project.person(ADDRESS)
    project.run(fault, as_superuser=True)
    auth_user = sign_up(project, email_confirmed_at=None)
    change(project, auth_user, "email_confirmed_at = now()")
    confirmed = "select id from auth.users where email_confirmed_at is not null"
    with psycopg.connect(project.superuser_dsn) as connection:
        assert connection.execute(confirmed.encode()).fetchall() == [(auth_user,)]


def test_a_locked_person_does_not_stop_people_from_signing_up(project: Project) -> None:
    person = project.person(ADDRESS)
    with psycopg.connect(project.dsn) as other:
        other.execute("select from users where id = %s for update", [person])
        auth_user = sign_up(project)
    assert project.rows("select id from auth.users") == [(auth_user,)]
    assert linked(project) == {}
