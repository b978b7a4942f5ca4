"""What the dashboard is told of the members without a mentor is what the sync says of them."""

from __future__ import annotations

import re

import pytest

from tests.people import as_service
from tests.project import Project
from tests.sync.support import mentor_of, without_triggers

ANN = "ann@example.org"
CASES = {
    "new": [],
    "no account": ["delete from users_user"],
    "no address": ["update members set email = ' '"],
    "null address": [
        "alter table members alter column email drop not null",
        "update members set email = null",
    ],
    "twin members": [f"insert into members (email, name, membershiptype) values ('{ANN}', '', '')"],
    "twin accounts": [f"insert into users_user (email) values (' {ANN}')"],
    "twin people": [f"insert into users (email) values ('{ANN}'), ('{ANN}')"],
    "account and address of two": [
        f"insert into users (email, legacy_user_id) values ('{ANN}', null), ('x', 1)"
    ],
    "account of another person": [
        f"insert into users (email, member_id) select '{ANN}', id from members",
        "insert into users (email, legacy_user_id) values ('x', 1)",
    ],
    "person of another member": [
        "insert into members (email, name, membershiptype) values ('x', '', 'student')",
        f"insert into users (email, member_id) select '{ANN}', id from members where email = 'x'",
    ],
    "person of a member who is gone": [
        f"insert into users (email, member_id) values ('{ANN}', gen_random_uuid())"
    ],
    "person of another account": [
        "insert into users_user (email) values ('x')",
        f"insert into users (email, legacy_user_id) values ('{ANN}', 2)",
    ],
    "person of an account that is gone": [
        f"insert into users (email, legacy_user_id) values ('{ANN}', 2)"
    ],
    "mentor of another person": [
        "insert into users (email) values ('x')",
        "insert into mentors (user_id, person_id) select 1, id from users",
    ],
    "person with another account's mentor": [
        "insert into users_user (email) values ('x')",
        f"insert into users (email) values ('{ANN}')",
        "insert into mentors (user_id, person_id) select 2, id from users",
    ],
    "mentor without a person": ["insert into mentors (user_id) values (1)"],
    "refused": ["alter table mentors add constraint theirs check (false)"],
}


@pytest.mark.parametrize("case", CASES)
def test_the_view_says_what_the_sync_says(project: Project, case: str) -> None:
    without_triggers(project)
    project.account(ANN)
    member = project.member(ANN)
    project.run(*CASES[case])
    view = "select state, reason from v_members_without_mentor where member_id = %s"
    before = project.rows(view, member)
    ambiguous = project.one("select members_ambiguous from v_sync_health")
    said = project.one("select sync_mentor_from_member(%s)", member)
    refused = said.get("code") == "23514"
    if said["outcome"] in ("created", "exists", "updated") or refused:
        assert before == [("waiting", "the next sync makes the mentor")]
    else:
        assert before == [(said["outcome"], said["reason"])]
        assert (ambiguous > 0) == (said["outcome"] == "ambiguous")
    assert project.rows(view, member) == (
        [] if mentor_of(project, member) else [(said["outcome"], said["reason"])]
    )


def test_the_view_knows_every_reason_of_the_sync(project: Project) -> None:
    view = project.one("select pg_get_viewdef('v_members_without_mentor'::regclass)")
    sync = project.one("select prosrc from pg_proc where proname = 'apply_members'")
    reasons = set(re.findall(r"'((?:another|more|the person|the mentor) [^']{20,})'", sync))
    assert len(reasons) == 7
    assert all(reason in view for reason in reasons)


def test_the_daemon_may_read_them_all(project: Project) -> None:
    project.mentor(ANN)
    project.run("delete from users_user")
    with as_service(project) as daemon:
        assert len(daemon.rows("select * from v_mentors_without_account")) == 1
        assert daemon.rows("select * from v_members_without_mentor") == []
        assert daemon.one("select mentors_without_account from v_sync_health") == 1
