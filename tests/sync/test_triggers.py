"""What happens at the moment when a member or an account is written."""

from __future__ import annotations

import pytest

from tests.project import Api, Project
from tests.sync.support import many, mentor_of, sync_in_sql, writing


def test_a_member_inserted_over_the_api_is_listed_at_once(project: Project, api: Api) -> None:
    project.account("ann@example.org", "Ann")
    member = {
        "email": "Ann@Example.org ",
        "name": "Ann",
        "membershiptype": "mentor",
        "areaOfExpertise": "Software Engineering",
        "experience": "5+ years",
    }
    assert api.request("POST", "members", json=member).status_code == 201
    page = api.request(
        "POST", "rpc/list_mentors", key=api.keys.publishable_key, json={"expertise": "engineering"}
    ).json()
    assert page["count"] == 1
    assert page["results"][0]["bio"] == "Experience: 5+ years"
    assert page["results"][0]["user"]["email"] is None


def test_a_member_waits_for_the_account(project: Project) -> None:
    member = project.member("ann@example.org")
    other = project.member("bob@example.org")
    assert mentor_of(project, member) == {}
    account = project.account("\tANN@example.org\u00a0")
    assert mentor_of(project, member)["user_id"] == account
    assert mentor_of(project, other) == {}


def test_an_account_that_gets_the_address_later_makes_the_mentor(project: Project) -> None:
    member = project.member("ann@example.org")
    account = project.account("old@example.org")
    assert mentor_of(project, member) == {}
    project.run(f"update users_user set email = 'ann@example.org' where id = {account}")
    assert mentor_of(project, member)["user_id"] == account


def test_membershiptype_is_trimmed_and_case_does_not_matter(project: Project) -> None:
    project.account("ann@example.org")
    member = project.member("ann@example.org", "student")
    assert mentor_of(project, member) == {}
    project.run("update members set membershiptype = ' Mentor '")
    mentor = mentor_of(project, member)
    assert (mentor["is_approved"], mentor["is_active"]) == (True, True)
    assert (mentor["rating"], mentor["total_sessions"], mentor["version"]) == (0, 0, 1)


def test_a_member_who_stops_being_a_mentor_is_deactivated_and_kept(project: Project) -> None:
    project.account("ann@example.org")
    member = project.member("ann@example.org", skills="Python")
    other = project.mentor("bob@example.org")
    before = mentor_of(project, member)
    project.run(f"update members set membershiptype = 'alumni' where id = '{member}'")
    after = mentor_of(project, member)
    assert (after["id"], after["expertise"], after["is_active"]) == (
        before["id"],
        ["Python"],
        False,
    )
    assert project.one("select is_active from mentors where person_id = %s", other) is True


def test_an_inactive_member_is_deactivated_and_comes_back(project: Project) -> None:
    project.account("ann@example.org")
    member = project.member("ann@example.org")
    project.run("update members set is_active = false")
    assert mentor_of(project, member)["is_active"] is False
    project.run("update members set is_active = true")
    assert mentor_of(project, member)["is_active"] is True


def test_a_mentor_paused_by_hand_stays_paused(project: Project) -> None:
    project.account("ann@example.org")
    member = project.member("ann@example.org")
    project.run("update mentors set is_active = false")
    project.run("update members set jobtitle = 'Lead'")
    sync_in_sql(project)
    assert mentor_of(project, member)["is_active"] is False
    assert mentor_of(project, member)["bio"] == "Job Title: Lead"


def test_a_bio_that_the_mentor_edited_survives_every_sync(project: Project, api: Api) -> None:
    person = project.mentor("ann@example.org", experience="5 years", industry="Law")
    project.mentor("bob@example.org", experience="1 year")
    token = api.keys.mint("authenticated", sub=str(project.sign_up(person)))
    everybody = {"method": "PATCH", "path": "mentors?id=not.is.null", "token": token}
    assert api.request(**everybody, json={"bio": "My own words"}).status_code == 204
    project.run("update members set experience = '6 years', industry = 'Health'")
    assert sync_in_sql(project) == {"exists": 2}
    rows = project.rows("select bio, expertise from mentors order by bio")
    assert rows == [("Experience: 6 years", ["Health"]), ("My own words", ["Health"])]


def test_a_change_of_the_member_reaches_mentor_and_person(project: Project) -> None:
    person = project.mentor("ann@example.org", city="Bonn")
    other = project.mentor("bob@example.org", city="Bonn")
    project.run("update members set city = 'Kyiv', name = 'Ann B' where email = 'ann@example.org'")
    find = "select full_name, city from users where id = %s"
    assert project.rows(find, person) == [("Ann B", "Kyiv")]
    assert project.rows(find, other) == [("Bob", "Bonn")]


def test_columns_that_are_not_ours_do_not_move_the_mentor(project: Project) -> None:
    project.mentor("ann@example.org")
    project.run("alter table members add column last_seen timestamptz")
    before = project.rows("select xmin, version, updated_at from mentors")
    project.run("update members set last_seen = now()")
    assert project.rows("select xmin, version, updated_at from mentors") == before


def test_the_switch_auto_approve_holds_for_new_mentors_only(project: Project) -> None:
    first = project.mentor("ann@example.org")
    project.run("update program_settings set value = 'false' where key = 'auto_approve'")
    second = project.mentor("bob@example.org")
    find = "select is_approved from mentors where person_id = %s"
    assert (project.one(find, first), project.one(find, second)) == (True, False)


def test_our_triggers_never_make_a_write_fail(project: Project) -> None:
    project.account("ann@example.org")
    project.run("alter table mentors rename to mentors_gone")
    member = project.member("ann@example.org")
    assert project.one("select count(*) from members where id = %s", member) == 1
    assert project.rows("select source_id, code from sync_rejects") == [(str(member), "42P01")]
    project.run("alter table mentors_gone rename to mentors")
    assert sync_in_sql(project) == {"created": 1}
    assert project.rows("select * from sync_rejects") == []


def test_a_member_who_is_deleted_is_deactivated_by_the_next_sync(project: Project) -> None:
    person = project.mentor("ann@example.org")
    other = project.mentor("bob@example.org")
    project.run("delete from members where email = 'ann@example.org'")
    assert sync_in_sql(project) == {"deactivated": 1, "exists": 1}
    find = "select is_active from mentors where person_id = %s"
    assert (project.one(find, person), project.one(find, other)) == (False, True)
    assert sync_in_sql(project) == {"exists": 1}


@pytest.mark.parametrize(("stopped", "left"), [(20, 30), (10, 20)])
def test_too_many_leaving_at_once_wait_for_somebody(
    project: Project, stopped: int, left: int
) -> None:
    many(project, 30)
    warnings = writing(
        project,
        "update members set is_active = false where id in"
        f" (select id from members order by id limit {stopped})",
    )
    assert project.one("select count(*) from mentors where is_active") == left
    held = left == 30
    alerts = project.rows("select job from job_alerts where kind = 'held_back'")
    assert alerts == [("sync_mentor_profiles",)] * held
    assert len(warnings) == held, warnings


def test_those_who_leave_are_held_back_and_the_others_are_not(project: Project) -> None:
    many(project, 30)
    project.run(
        "update members set is_active = n.nth > 20, city = 'Kyiv'"
        " from (select id, row_number() over () as nth from members) as n"
        " where n.id = members.id"
    )
    assert project.one("select count(*) from users where city = 'Kyiv'") == 10
    assert project.one("select count(*) from mentors where is_active") == 30
