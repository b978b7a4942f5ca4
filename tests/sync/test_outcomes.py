"""What the job says of each member, and that it is so."""

from __future__ import annotations

from tests.people import as_anon
from tests.project import Project
from tests.sync.support import TARGETS, mentor_of, sync_in_sql, without_triggers


def test_each_kind_of_member_gets_its_outcome(project: Project) -> None:
    without_triggers(project)
    for name in ("new", "two", "two-accounts", "two-accounts", "blank"):
        project.account(f"{name}@example.org")
    project.member("NEW@example.org")
    project.member("nobody@example.org")
    project.member("two@example.org")
    project.member("Two@example.org", "student")
    project.member("two-accounts@example.org")
    project.member("gone@example.org", is_active=False)
    project.member("student@example.org", "student")
    project.member(" \u00a0")
    counts = sync_in_sql(project)
    assert counts == {"created": 1, "no_user": 1, "ambiguous": 2, "inactive": 1, "rejected": 1}
    assert project.rows("select email from users") == [("NEW@example.org",)]
    assert project.rows("select code from sync_rejects") == [("MS010",)]


def test_an_empty_address_never_meets_an_empty_account(project: Project) -> None:
    project.account("")
    member = project.member("")
    assert sync_in_sql(project) == {"rejected": 1}
    assert mentor_of(project, member) == {}


def test_a_person_who_is_there_already_is_linked_not_doubled(project: Project) -> None:
    person = project.person("Ann@example.org", "student")
    before = project.rows("select email, full_name, role, updated_at from users")
    account = project.account("ann@example.org")
    project.member("ann@example.org", name="Ann From The Form")
    find = "select email, full_name, role, updated_at from users"
    assert project.rows(find) == before
    assert project.rows("select person_id, user_id from mentors") == [(person, account)]


def test_two_people_with_the_address_are_ambiguous(project: Project) -> None:
    project.person("ann@example.org")
    project.person(" ANN@example.org")
    project.account("ann@example.org")
    project.member("ann@example.org")
    before = project.contents(*TARGETS)
    assert sync_in_sql(project) == {"ambiguous": 1}
    assert project.contents(*TARGETS) == before


def test_an_account_of_another_member_is_ambiguous(project: Project) -> None:
    project.mentor("ann@example.org")
    project.run("update members set email = 'ann-new@example.org'")
    second = project.member("ann@example.org")
    assert sync_in_sql(project) == {"ambiguous": 1, "no_user": 1}
    assert mentor_of(project, second) == {}


def test_a_twin_who_comes_later_leaves_the_mentor_as_is(project: Project) -> None:
    project.mentor("ann@example.org", skills="Python")
    before = project.contents("mentors", "users")
    project.member("Ann@example.org", skills="Cobol")
    assert sync_in_sql(project) == {"ambiguous": 2}
    assert project.contents("mentors", "users") == before


def test_the_address_moves_with_member_and_account(project: Project) -> None:
    person = project.mentor("ann@example.org")
    project.run("update users_user set email = 'ann@new.example'")
    project.run("update members set email = 'ann@new.example'")
    assert project.one("select email from users where id = %s", person) == "ann@new.example"
    assert sync_in_sql(project) == {"exists": 1}


def test_one_member_can_be_synced_by_hand(project: Project) -> None:
    without_triggers(project)
    project.account("ann@example.org")
    wanted, other = project.member("ann@example.org"), project.member("bob@example.org")
    answer = project.one("select sync_mentor_from_member(%s)", wanted)
    assert answer["outcome"] == "created"
    assert mentor_of(project, wanted)["id"] == answer["mentor_id"]
    assert project.one("select sync_mentor_from_member(%s)", other)["outcome"] == "no_user"


def test_a_mentor_whose_row_was_deleted_is_made_again(project: Project) -> None:
    person = project.mentor("ann@example.org")
    project.run("delete from mentors")
    assert sync_in_sql(project) == {"created": 1}
    assert project.rows("select person_id from mentors") == [(person,)]


def test_a_person_who_was_deleted_is_made_again(project: Project) -> None:
    project.mentor("ann@example.org")
    (mentor,) = project.rows("select id, bio from mentors")
    project.run("delete from users")
    assert sync_in_sql(project) == {"exists": 1}
    assert project.rows("select id, bio from mentors") == [mentor]
    assert project.one("select count(*) from users as u join mentors as t on t.person_id = u.id")


def test_a_member_without_a_name_does_not_show_the_address(project: Project) -> None:
    project.account("secret@example.org")
    project.member("secret@example.org", name=" ")
    with as_anon(project) as anybody:
        page = anybody.one("select list_mentors()")
    assert page["count"] == 1
    assert "secret" not in str(page)
