"""Who can and who cannot: the verbs of matches, and what people read of each other."""

from __future__ import annotations

import pytest

from tests.matches.support import as_known, match, mentor, student
from tests.people import as_admin, as_anon, as_mentor, as_service, as_stranger, as_student
from tests.project import Project
from tests.schema.test_access import Who

ADMIN_VERBS = (
    "select create_manual_match(%(student)s, %(mentor)s)",
    "select assign_student(%(student)s, %(mentor)s)",
    "select pause_match(%(match)s)",
    "select resume_match(%(match)s)",
    "select dissolve_match(%(match)s)",
)
TABLES = ("matches", "match_events", "users", "mentorship_requests")
READ = "select mentor_id from matches"


@pytest.mark.parametrize("who", [as_anon, as_stranger, as_student, as_mentor])
def test_others_touch_no_match(any_project: Project, who: Who) -> None:
    one, ann = student(any_project, "one"), mentor(any_project, "ann")
    made = match(any_project, one, ann)
    before = any_project.contents("matches", "match_events")
    named = {"student": one, "mentor": ann, "match": made}
    with who(any_project) as person:
        for verb in (*ADMIN_VERBS, "select complete_match(%(match)s)"):
            assert person.refused(verb % {name: f"'{given}'" for name, given in named.items()})
        assert person.refused(READ) or person.rows(READ) == []
        for table in ("matches", "match_events"):
            assert person.refused(f"delete from {table}")
            assert person.refused(f"insert into {table} default values")
        assert person.refused("update matches set status = 'paused'")
    assert any_project.contents("matches", "match_events") == before


def test_both_sides_complete_their_match_and_do_nothing_else(any_project: Project) -> None:
    one, ann = student(any_project), mentor(any_project)
    made = match(any_project, one, ann)
    for side in (one, ann):
        with as_known(any_project, side) as session:
            assert session.refused("select dissolve_match(%s)", made)
            assert session.refused("select pause_match(%s)", made)
            assert session.refused("update matches set status = 'paused'")
            assert session.refused("select health_status from matches")
            assert session.one("select status from complete_match(%s, 'Done')", made) == "completed"


@pytest.mark.parametrize("who", [as_admin, as_service])
def test_admins_and_the_daemon_do_it_all(any_project: Project, who: Who) -> None:
    one, ann, bob = student(any_project), mentor(any_project), mentor(any_project, "bob")
    with who(any_project) as session:
        made = session.one("select id from create_manual_match(%s, %s)", one, ann)
        for verb, status in (("pause", "paused"), ("resume", "active"), ("dissolve", "dissolved")):
            assert session.one(f"select status from {verb}_match(%s, 'x')", made) == status
        made = session.one("select id from assign_student(%s, %s)", one, bob)
        assert session.one("select status from complete_match(%s)", made) == "completed"
        assert session.one("select count(*) from matches") == 2
        assert session.refused(
            "select private.begin_match(null,null,null,null,null,null,null,null,null)"
        )


def test_the_two_sides_see_each_other_while_they_are_matched(any_project: Project) -> None:
    one, two, ann = student(any_project), student(any_project, "two"), mentor(any_project)
    any_project.run("update mentors set is_active = false")
    made = match(any_project, one, ann)
    listed = "select \"user\" ->> 'email' from get_mentors_with_member_data()"
    mine = "select my_role, other_id, other_email, status from get_matches()"
    with as_known(any_project, one) as session:
        assert {row[0] for row in session.rows("select id from users")} == {one, ann}
        assert session.rows(listed) == [("mentor@example.org",)]
        assert session.one("select list_mentors() -> 'count'") == 1
        assert session.rows(mine) == [("student", ann, "mentor@example.org", "active")]
    with as_known(any_project, ann) as session:
        assert {row[0] for row in session.rows("select id from users")} == {one, ann}
        assert session.rows(mine) == [("mentor", one, "student@example.org", "active")]
    with as_known(any_project, two) as session:
        assert session.rows("select id from users") == [(two,)]
        assert session.rows(listed) + session.rows(mine) == []
    any_project.rows("select complete_match(%s)", made)
    with as_known(any_project, one) as session:
        assert session.rows("select id from users") == [(one,)]
        assert session.rows(listed) == []
        assert session.rows(mine) == [("student", ann, None, "completed")]
