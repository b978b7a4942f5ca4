"""What the two sides of a match share is theirs: others neither read nor add to it."""

from __future__ import annotations

from uuid import uuid4

from tests.people import as_admin, as_anon
from tests.project import Project
from tests.questions.support import People, match

SHARE = "select (share_resource(%s, 'link', ' Notes ', 'https://example.org')).id"
FIND = "select title, url from get_resources(%s)"
WITHDRAW = "select (withdraw_resource(%s)).title"


def test_both_sides_share_and_nobody_else(project: Project, people: People) -> None:
    mentor, student = people.mentor("m@example.org"), people.student()
    other, stranger = people.mentor("o@example.org"), people.student("s@example.org")
    pair = match(project, mentor, student)
    match(project, other, stranger)
    people.call(mentor, SHARE, pair)
    file = "select share_resource(%s, 'file', 'Plan', p_storage_path => 'shared/plan.pdf')"
    people.call(student, file, pair)
    for who in (mentor, student):
        assert people.rows(who, FIND, pair) == [("Plan", None), ("Notes", "https://example.org")]
    for who in (other, stranger):
        assert people.rows(who, FIND, pair) == []
        assert people.refused(who, SHARE, pair) == "42501"
    with as_admin(project) as admin, as_anon(project) as anybody:
        assert len(admin.rows(FIND, pair)) == 2
        assert admin.refused(SHARE, pair)
        assert anybody.refused(FIND, pair)


def test_a_link_is_a_link_and_a_file_a_file(project: Project, people: People) -> None:
    mentor = people.mentor("m@example.org")
    pair = match(project, mentor, people.student())
    share = "select share_resource(%s, %s, 'Title', %s, %s)"
    for kind, url, path in (
        ("link", None, None), ("link", "javascript:x", None), ("link", "https://x.y", "a/b"),
        ("file", "https://x.y", None), ("file", None, None), ("note", None, "a/b"),
    ):  # fmt: skip
        assert people.refused(mentor, share, pair, kind, url, path) == "23514"
    forged = "insert into mentorship_resources (match_id, shared_by, kind, title, url)"
    forged += " select match_id, student_id, 'link', 'T', 'https://x.y'"
    assert people.refused(mentor, f"{forged} from (select %s::uuid, %s::uuid) as x"
                          " (match_id, student_id)", pair, uuid4()) == "42501"  # fmt: skip
    assert project.rows("select from mentorship_resources") == []


def test_only_who_shared_it_takes_it_back(project: Project, people: People) -> None:
    mentor, student = people.mentor("m@example.org"), people.student()
    pair = match(project, mentor, student)
    shared = people.call(mentor, SHARE, pair)
    assert people.refused(student, WITHDRAW, shared) == "42501"
    assert people.refused(people.student("s@example.org"), WITHDRAW, shared) == "MS011"
    with as_admin(project) as admin:
        assert admin.changed("delete from mentorship_resources") == 0
    assert people.call(mentor, WITHDRAW, shared) == "Notes"
    assert people.refused(mentor, WITHDRAW, shared) == "MS011"


def test_when_a_match_is_over_all_stays_and_nothing_is_added(
    project: Project, people: People
) -> None:
    mentor, student = people.mentor("m@example.org"), people.student()
    pair = match(project, mentor, student)
    shared = people.call(mentor, SHARE, pair)
    project.run("update matches set status = 'completed', ended_at = now()")
    assert people.refused(student, SHARE, pair) == "MS027"
    assert len(people.rows(student, FIND, pair)) == 1
    assert people.call(mentor, WITHDRAW, shared) == "Notes"
