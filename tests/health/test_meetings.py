"""Meetings: logged by either side of a match, read by the two and by admins."""

from __future__ import annotations

import json
from uuid import uuid4

from tests.health.support import acts, code_of, pair
from tests.people import as_admin, as_anon, as_mentor, as_person, as_service, as_student
from tests.project import Project

LOG = "select log_meeting(%s, now() - interval '3 hours', 45, 'video', 'Read the CV.', %s)"
ITEMS = json.dumps(["Write the CV", {"text": "Call", "due": "2026-12-01", "done": False}])


def test_either_side_logs_a_meeting_and_both_read_it(project: Project) -> None:
    two = pair(project, days=20)
    for person in (two.mentor, two.student):
        with as_person(project, person) as side:
            meeting = side.one(LOG, two.match, ITEMS)
            shown = side.rows("select to_jsonb(m) from meeting_logs as m where id = %s", meeting)
            side.connection.commit()
        assert shown[0][0]["action_items"] == [
            {"text": "Write the CV"},
            {"text": "Call", "due": "2026-12-01", "done": False},
        ]
        assert shown[0][0]["logged_by"] == str(person)
        assert (shown[0][0]["duration_minutes"], shown[0][0]["meeting_type"]) == (45, "video")
    with as_admin(project) as admin:
        assert admin.one("select count(*) from meeting_logs") == 2
        assert admin.refused(LOG, two.match, "[]")
    (contact,) = two.row("now() - last_contact_at > '2 hours'")
    assert contact is True
    assert project.one("select count(*) from message_outbox where kind like 'session%%'") == 0


def test_a_meeting_that_is_logged_twice_is_one(project: Project) -> None:
    two = pair(project, days=0.5)
    log = "select log_meeting(%s, date_trunc('day', now()) - interval '1 minute' * %s)"
    meetings = []
    for minutes in (1, 1, 2):
        with acts(project, two.student) as student:
            meetings.append(student.one(log, two.match, minutes))
            student.connection.commit()
    with acts(project, two.mentor) as mentor:
        meetings.append(mentor.one(log, two.match, 1))
        mentor.connection.commit()
    assert meetings[0] == meetings[1]
    assert len(set(meetings)) == project.one("select count(*) from meeting_logs") == 3


def test_nobody_else_logs_or_reads_one(project: Project) -> None:
    two = pair(project, days=20)
    two.met(1)
    for who in (as_student, as_mentor):
        with who(project) as other:
            assert other.rows("select from meeting_logs") == []
            assert other.refused(LOG, two.match, "[]")
            assert other.refused("insert into mentorship_sessions (session_type) values ('X')")
            assert other.refused("select private.own_match(%s)", two.match)
    with as_anon(project) as anybody:
        assert anybody.refused(LOG, two.match, "[]")
        assert anybody.refused("select from meeting_logs")
    with as_service(project) as service:
        assert len(service.rows("select from meeting_logs")) == 1
    assert project.one("select count(*) from meeting_logs") == 1


def test_what_cannot_be_is_refused(project: Project) -> None:
    two = pair(project, days=20)
    insert = """insert into matches (student_id, mentor_id, status, ended_at)
      values (%s, %s, 'completed', now()) returning id"""
    ended = project.one(insert, two.student, two.mentor)
    log = f"select log_meeting('{two.match}', "
    calls = {
        f"{log} now() + interval '1 day')": "22023",
        f"{log} now() - interval '22 days')": "22023",
        f"{log} '-infinity')": "22023",
        f"{log} 'infinity')": "22023",
        f"""{log} p_action_items => '[{{"due": "2026-12-01"}}]')""": "22023",
        f"""{log} p_action_items => '"Call"')""": "22023",
        f"{log} p_minutes => -45)": "22023",
        f"{log} p_format => 'hologram')": "22023",
        f"{log} p_notes => repeat('x', 20001))": "22023",
        f"{log} p_action_items => to_jsonb(array[repeat('x', 20000)]))": "22023",
        f"select log_meeting('{uuid4()}')": "MS011",
        f"select log_meeting('{ended}')": "MS027",
        f"select set_action_items('{uuid4()}', '[]')": "MS011",
    }
    with as_person(project, two.student) as student:
        assert {call: code_of(student, call) for call in calls} == calls
    assert project.rows("select from mentorship_sessions") == []


def test_action_items_are_ticked_off_by_either_side_only(project: Project) -> None:
    two = pair(project, days=20)
    meeting = two.met(2, items=[{"text": "Call", "due": "2026-01-01"}])
    done = json.dumps([{"text": "Call", "due": "2026-01-01", "done": True}])
    assert two.health()["goals"] == 0
    with as_student(project) as other:
        assert other.refused("select set_action_items(%s, %s)", meeting, done)
    with as_person(project, two.student) as student:
        student.one("select set_action_items(%s, %s)", meeting, done)
        student.connection.commit()
    assert two.health()["goals"] == 10


def test_a_meeting_long_ago_turns_nothing_back(project: Project) -> None:
    two = pair(project, days=90)
    two.met(3)
    before = two.row("last_contact_at")
    two.met(40)
    assert two.row("last_contact_at") == before
