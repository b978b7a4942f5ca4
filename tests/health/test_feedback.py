"""Feedback: given by the two, read by whom it is meant for, counted for the mentor."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg
import pytest

from tests.health.support import acts, code_of, pair
from tests.people import as_admin, as_anon, as_mentor, as_service, as_student
from tests.project import Project

GET = "select author_role, rating, comment, is_shared from get_feedback(%s)"


def rating(project: Project, mentor: UUID) -> tuple[Any, ...]:
    (found,) = project.rows(
        "select rating::float, rating_count from mentors where person_id = %s", mentor
    )
    return found


def test_each_side_reads_its_own_and_what_is_shared(project: Project) -> None:
    two = pair(project, days=20)
    two.says(two.student, 4, "Good talks")
    two.says(two.student, 5, "Thank you", p_is_shared=True)
    two.says(two.mentor, 3, "Late at times")
    with acts(project, two.student) as student:
        assert {row[2] for row in student.rows(GET, two.match)} == {"Good talks", "Thank you"}
    with acts(project, two.mentor) as mentor:
        assert {row[2] for row in mentor.rows(GET, two.match)} == {"Late at times", "Thank you"}
    for everybody in (as_admin, as_service):
        with everybody(project) as reader:
            assert len(reader.rows(GET, two.match)) == 3


def test_nobody_else_gives_or_reads_feedback(project: Project) -> None:
    two = pair(project, days=20)
    two.says(two.student, 4, "Good talks", p_is_shared=True)
    submit = "select submit_feedback(%s, 1)"
    for who in (as_student, as_mentor):
        with who(project) as other:
            assert other.refused(submit, two.match)
            assert other.rows(GET, two.match) == []
            assert other.refused("delete from mentorship_feedback")
            assert other.rows("select from match_surveys") == []
    with as_anon(project) as anybody:
        assert anybody.refused(submit, two.match)
        assert anybody.refused(GET, two.match)
    assert project.one("select count(*) from mentorship_feedback") == 1


def test_a_survey_answered_again_is_corrected(project: Project) -> None:
    two = pair(project, days=65)
    first = two.says(two.student, 2, "Hm", p_type="survey")
    assert two.says(two.student, 4, p_type="survey") == first
    assert two.says(two.mentor, 3, p_type="survey") != first
    rows = project.rows(
        "select author_role, rating, comment, period from mentorship_feedback order by 1 desc"
    )
    assert rows == [("student", 4, "Hm", 2), ("mentor", 3, "", 2)]
    assert rating(project, two.mentor) == (4.0, 1)


def test_feedback_has_its_time(project: Project) -> None:
    two, other = pair(project, days=65), pair(project, days=65, name="b")
    theirs, others = two.met(3), other.met(3)
    call = f"select submit_feedback('{two.match}', 3, "
    open_calls = {
        f"{call} p_type => 'final')": "MS027",
        f"{call} p_type => 'meeting')": "MS011",
        f"{call} p_type => 'meeting', p_session_id => '{others}')": "MS011",
        f"{call} p_type => 'meeting', p_session_id => '{theirs}')": None,
        f"{call} 'so so', p_type => 'check_in')": "22023",
        f"{call} p_type => 'rumour')": "22023",
        f"{call} p_type => null)": "22023",
        f"{call} repeat('x', 5001))": "22023",
        f"select submit_feedback('{two.match}')": "22023",
        f"select submit_feedback('{two.match}', 9)": "22023",
    }
    with acts(project, two.student) as student:
        assert {call: code_of(student, call) for call in open_calls} == open_calls
    ended = {f"{call} p_type => 'survey')": "MS027", f"{call} p_type => 'final')": None}
    end = "update matches set status = 'completed', ended_at = now() - interval '{} days'"
    project.run(end.format(29))
    with acts(project, two.student) as student:
        assert {call: code_of(student, call) for call in ended} == ended
    project.run(end.format(31))
    with acts(project, two.student) as student:
        assert code_of(student, f"{call} p_type => 'final')") == "MS027"


def test_what_is_wrong_is_named_and_what_may_be_given(project: Project) -> None:
    two = pair(project, days=20)
    log, give = f"select log_meeting('{two.match}', ", f"select submit_feedback('{two.match}', "
    said = {
        f"{log} p_minutes => -45)": ("A meeting does not take -45 minutes.", "1 to 1440"),
        f"{log} p_format => 'hologram')": ('The format "hologram" is not known.', "in_person"),
        f"{give} 9)": ("A rating of 9 cannot be given.", "1 to 5"),
        f"{give} 3, p_type => 'rumour')": (
            'The type "rumour" of feedback is not known.',
            "check_in",
        ),
    }
    for call, (message, hint) in said.items():
        with acts(project, two.student) as student, pytest.raises(psycopg.Error) as caught:
            student.rows(call)
        assert caught.value.diag.message_primary == message
        assert hint in str(caught.value.diag.message_hint)
    assert project.rows("select from mentorship_feedback") == []


def test_a_student_has_one_vote_a_match(project: Project) -> None:
    one = pair(project, days=65)
    two = pair(project, days=65, mentor=one.mentor, name="b")
    untouched = project.mentor("c-mentor@example.org")
    for _ in range(3):
        one.says(one.student, 5)
    two.says(two.student, 2)
    two.says(two.student, 3)
    two.says(two.mentor, 1)
    assert rating(project, one.mentor) == (3.75, 2)
    project.run(f"delete from mentorship_feedback where match_id = '{two.match}'")
    assert rating(project, one.mentor) == (5.0, 1)
    project.run("delete from mentorship_feedback")
    assert rating(project, one.mentor) == rating(project, untouched) == (0.0, 0)


def test_feedback_is_contact_and_a_call_for_help_is_none(project: Project) -> None:
    two, other = pair(project, days=65), pair(project, days=65, name="b")
    two.says(two.mentor, None, "Fine")
    other.says(other.mentor, None, "help", p_type="check_in")
    assert two.row("last_contact_at is not null") == (True,)
    assert other.row("last_contact_at is not null") == (False,)


def test_who_clears_comments_away_was_not_heard_of(project: Project) -> None:
    two = pair(project, days=65)
    two.says(two.mentor, 4, "Fine", p_type="survey")
    two.age(30)
    assert two.row("last_contact_at") == (None,)
    project.run("update mentorship_feedback set comment = ''")
    with as_service(project) as service:
        service.changed("update mentorship_feedback set comment = '', rating = 3")
        service.connection.commit()
    assert two.row("last_contact_at") == (None,)
    project.run("update mentorship_feedback set period = 3")
    two.says(two.mentor, 2, p_type="survey")
    assert rating(project, two.mentor) == (0.0, 0)
    assert two.row("last_contact_at is not null") == (True,)
    assert project.one("select count(*) from mentorship_feedback") == 1
