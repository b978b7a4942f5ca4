"""The community on its way into the database."""

from __future__ import annotations

import pytest

from mentor_sync.demo.community import member_id, members
from mentor_sync.demo.loading import load
from mentor_sync.errors import ConfigurationError
from tests.project import Project

SOURCES = ("members", "users_user")


def test_it_is_loaded_once(project: Project) -> None:
    first = load(project.dsn, 60)
    assert (first.members_added, first.members) == (60, 60)
    assert first.accounts_added == first.accounts > 50
    before = project.contents(*SOURCES)
    again = load(project.dsn, 60)
    assert (again.members_added, again.accounts_added, again.members) == (0, 0, 60)
    assert project.contents(*SOURCES) == before


def test_nobody_is_a_mentor_before_the_sync(project: Project) -> None:
    load(project.dsn, 60)
    assert project.one("select count(*) from mentors") == 0


def test_the_triggers_work_again(project: Project) -> None:
    load(project.dsn, 60)
    project.mentor("new.mentor@example.com")
    assert project.one("select count(*) from mentors") == 1


def test_the_next_account_gets_the_next_number(project: Project) -> None:
    load(project.dsn, 60)
    last = project.one("select max(id) from users_user")
    assert project.account("new@example.com") == last + 1


def test_it_grows(project: Project) -> None:
    load(project.dsn, 30)
    changed = "update members set name = 'Changed' where id = %s returning id"
    project.rows(changed, member_id(1))
    grown = load(project.dsn, 60)
    assert (grown.members_added, grown.members) == (30, 60)
    assert project.one("select name from members where id = %s", member_id(1)) == "Changed"


def test_who_was_deleted_stays_so(project: Project) -> None:
    load(project.dsn, 60)
    project.rows("delete from members where id = any (%s) returning id", [member_id(60)])
    assert load(project.dsn, 60).members == 59


@pytest.mark.parametrize("few", [1, 5])
def test_a_few_are_a_community_too(project: Project, few: int) -> None:
    assert load(project.dsn, few).members == few
    assert load(project.dsn, few).members_added == 0


def test_it_is_not_mixed_with_other_people(project: Project) -> None:
    project.mentor("real.person@example.com")
    before = project.contents(*SOURCES)
    with pytest.raises(ConfigurationError) as caught:
        load(project.dsn, 60)
    assert caught.value.code == "not_the_demo"
    assert project.contents(*SOURCES) == before


def test_accents_and_blanks_arrive_as_they_are(project: Project) -> None:
    load(project.dsn, 60)
    columns = "id, email, name, membershiptype, skills, is_active"
    stored = {row[0]: row for row in project.rows(f"select {columns} from members")}
    for made in members(60):
        wanted = (made.id, made.email, made.name, made.membershiptype, made.skills, made.is_active)
        assert stored[made.id] == wanted
