"""What the job says of each member, and that it is so."""

from __future__ import annotations

from uuid import UUID

import pytest

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


def test_a_member_who_registers_again_is_the_same_mentor(project: Project) -> None:
    person = project.mentor("ann@example.org", skills="Python")
    project.mentor("bob@example.org")
    (before,) = project.rows("select id, user_id, slug from mentors where person_id = %s", person)
    project.run("delete from members where email = 'ann@example.org'")
    sync_in_sql(project)
    again = project.member("Ann@example.org", skills="Rust")
    after = mentor_of(project, again)
    assert (UUID(after["id"]), after["user_id"], after["slug"]) == before
    assert (after["is_active"], after["expertise"]) == (True, ["Rust"])
    assert sync_in_sql(project) == {"exists": 2}


def test_who_registers_again_before_the_sync_saw_it_stays(project: Project) -> None:
    project.mentor("ann@example.org")
    project.run("delete from members")
    again = project.member("ann@example.org")
    assert sync_in_sql(project) == {"exists": 1}
    assert mentor_of(project, again)["is_active"] is True


def test_a_mentor_paused_by_hand_stays_paused_on_registering_again(project: Project) -> None:
    project.mentor("ann@example.org")
    project.run("update mentors set is_active = false", "delete from members")
    again = project.member("ann@example.org", skills="Rust")
    assert (mentor_of(project, again)["is_active"], sync_in_sql(project)) == (False, {"exists": 1})


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ("delete from users_user where email = 'ann@example.org'", "is gone"),
        (
            "update users_user set email = 'x@y.org' where email = 'ann@example.org'",
            "has another e-mail address",
        ),
    ],
)
def test_a_mentor_without_the_account_is_reported_and_stays(
    project: Project, change: str, cause: str
) -> None:
    person = project.mentor("ann@example.org")
    project.mentor("bob@example.org")
    project.run(change)
    assert sync_in_sql(project) == {"exists": 1, "no_user": 1}
    member = project.one("select member_id from users where id = %s", person)
    reason = project.one("select sync_mentor_from_member(%s)", member)["reason"]
    assert reason == f"the account {cause}; the mentor stays listed"
    found = project.rows("select member_id, reason from v_mentors_without_account")
    assert found == [(member, f"the account {cause}")]
    assert project.one("select mentors_without_account from v_sync_health") == 1


def test_the_replacement_of_an_account_that_is_gone_is_taken_over(project: Project) -> None:
    person = project.mentor("ann@example.org")
    other = project.mentor("bob@example.org")
    project.run("delete from users_user where email = 'ann@example.org'")
    account = project.account("ANN@example.org")
    find = """select u.legacy_user_id, t.user_id, t.is_active
        from users as u join mentors as t on t.person_id = u.id where u.id = %s"""
    assert project.rows(find, person) == [(account, account, True)]
    assert project.rows(find, other) != [(account, account, True)]
    assert sync_in_sql(project) == {"exists": 2}


def test_an_adopted_mentor_may_name_an_account_that_is_gone(project: Project) -> None:
    project.run("alter table mentors drop constraint mentors_user_id_fkey")
    person = project.mentor("ann@example.org")
    project.run("delete from users_user")
    account = project.account("ann@example.org")
    assert project.rows("select person_id, user_id from mentors") == [(person, account)]
    assert sync_in_sql(project) == {"exists": 1}


def test_an_account_with_another_address_now_keeps_its_person(project: Project) -> None:
    person = project.mentor("ann@example.org")
    before = project.one("select legacy_user_id from users where id = %s", person)
    project.run("update users_user set email = 'ann@new.example'")
    project.account("ann@example.org")
    assert sync_in_sql(project) == {"ambiguous": 1}
    assert project.one("select legacy_user_id from users where id = %s", person) == before


def test_a_member_whose_address_is_null_is_rejected_and_stays(project: Project) -> None:
    project.run("alter table members alter column email drop not null")
    member = project.one(
        "insert into members (name, membershiptype) values ('Eve', 'mentor') returning id"
    )
    listed = project.mentor("ann@example.org")
    project.run("update members set email = null where name = 'Ann'")
    assert sync_in_sql(project) == {"rejected": 2}
    assert project.one("select is_active from mentors where person_id = %s", listed) is True
    assert set(project.rows("select code, reason from sync_rejects")) == {
        ("MS010", "the member has no e-mail address")
    }
    view = "select state, reason from v_members_without_mentor where member_id = %s"
    assert project.rows(view, member) == [("rejected", "the member has no e-mail address")]


def test_rejects_go_with_their_members(project: Project) -> None:
    for _ in range(30):
        project.member("", name="Gone")
    kept = [project.member("", name="Kept") for _ in range(30)]
    project.run("delete from members where name = 'Gone'")
    assert project.one("select count(*) from sync_rejects") == 60
    assert sync_in_sql(project, limit=7) == {"rejected": 30}
    assert sorted(project.rows("select source_id from sync_rejects")) == sorted(
        (str(member),) for member in kept
    )


def test_a_dry_run_keeps_the_rejects_of_members_who_are_gone(project: Project) -> None:
    project.member("")
    project.run("delete from members")
    sync_in_sql(project, dry_run=True)
    assert project.one("select count(*) from sync_rejects") == 1
