"""The job send_feedback_surveys: once a period, one mail a person, and the click counts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from uuid import UUID

from tests.health.support import HEALTH, SURVEYS, begin, chunk, click, mails, pair, work
from tests.mail.test_deliver import deliver
from tests.mail.test_deliver import mails as delivered
from tests.people import as_admin, as_anon, as_person, as_student
from tests.project import Api, Project

NOTHING = {"mails": 0, "surveys": 0}


def said(project: Project) -> list[tuple[Any, ...]]:
    return project.rows(
        "select author_role, feedback_type, period, rating, comment from mentorship_feedback"
        " order by match_id, created_at"
    )


def asked(project: Project, person: UUID) -> list[int]:
    """The periods about which a person was asked."""
    query = "select period from match_surveys where user_id = %s order by period"
    return [period for (period,) in project.rows(query, person)]


def texts(folder: Path) -> Iterator[str]:
    """What the mails say."""
    for mail in delivered(folder).values():
        body = mail.get_body(("plain",))
        assert body is not None
        yield body.get_content()


def test_both_sides_are_asked_once_a_period(project: Project) -> None:
    pair(project, days=29.5)
    two = pair(project, days=31, name="b")
    assert work(project, SURVEYS) == {"mails": 2, "surveys": 2}
    assert {person for _, person in mails(project)} == {two.student, two.mentor}
    two.age(28)
    assert work(project, SURVEYS) == NOTHING
    two.age(2)
    assert work(project, SURVEYS) == {"mails": 2, "surveys": 2}
    assert asked(project, two.student) == [1, 2]


def test_an_outage_of_two_periods_is_one_survey(project: Project) -> None:
    two = pair(project, days=31)
    work(project, SURVEYS)
    two.age(62)
    assert work(project, SURVEYS) == {"mails": 2, "surveys": 2}
    assert asked(project, two.mentor) == [1, 3]


def test_only_who_is_to_be_asked_is(project: Project) -> None:
    pair(project, days=31, status="paused")
    gone = pair(project, days=31, name="b")
    project.run(f"update users set status = 'Inactive' where id = '{gone.student}'")
    told = pair(project, days=31, name="c")
    told.says(told.mentor, 4, p_type="survey")
    over = pair(project, days=31, name="d", status="completed", ended_at="now")
    pair(project, days=31, name="e", status="dissolved", ended_at="now")
    pair(project, days=90, name="f", status="completed", ended_at="2026-01-01")
    assert work(project, SURVEYS) == {"mails": 4, "surveys": 4}
    people = {person for _, person in mails(project)}
    assert people == {gone.mentor, told.student, over.student, over.mentor}
    assert asked(project, over.mentor) == [0]
    assert click(project, over.mentor, "5") == "recorded"
    assert ("mentor", "final", 0, 5, "") in said(project)


def test_several_matches_are_one_mail(project: Project) -> None:
    one = pair(project, days=31)
    two = pair(project, days=64, mentor=one.mentor, name="b")
    assert work(project, SURVEYS) == {"mails": 3, "surveys": 4}
    assert ("survey_digest", one.mentor) in mails(project)
    assert len(mails(project)) == 3
    data = project.one("select data from message_outbox where kind = 'survey_digest'")
    names = [survey["other_name"] for survey in data["surveys"]]
    assert names == ["a-student@example.org", "b-student@example.org"]
    assert click(project, one.mentor, "2", question=1) == "recorded"
    assert said(project) == [("mentor", "survey", 2, 2, "")]
    assert click(project, two.student, "4") == "recorded"
    assert work(project, SURVEYS) == NOTHING


def test_the_end_of_one_match_leaves_the_others_survey(project: Project) -> None:
    one = pair(project, days=31)
    pair(project, days=31, mentor=one.mentor, name="b")
    work(project, SURVEYS)
    project.rows("select from private.end_match(%s, 'dissolved', 'moved', null)", one.match)
    query = "select status from message_outbox where recipient = %s and kind like '%%survey%%'"
    assert project.one(query, one.mentor) == "queued"
    assert project.one(query, one.student) == "superseded"


def test_the_mails_lead_to_every_answer(project: Project, api: Api, tmp_path: Path) -> None:
    one = pair(project, days=63)
    two = pair(project, days=63, mentor=one.mentor, name="b")
    work(project, SURVEYS)
    work(project, HEALTH)
    assert deliver(api, tmp_path / "box", links="https://mentoring.example/links").counts == {
        "sent": 7
    }
    for text in texts(tmp_path / "box"):
        tokens = re.findall(r"answer=(\S+)", text)
        assert len(tokens) == len(set(tokens)) > 0
        project.one("select answer_message(%s)", unquote(tokens[-1]))
    ratings = ("survey", 5, ""), ("check_in", None, "help")
    expected = Counter({"student": 2, "mentor": 2})
    for kind, rating, comment in ratings:
        rows = [row for row in said(project) if row[1] == kind]
        assert {(row[3], row[4]) for row in rows} == {(rating, comment)}
        assert Counter(row[0] for row in rows) == expected - Counter(mentor=kind == "survey")
    assert two.row("last_contact_at is not null") == (True,)


def test_a_click_is_the_rating_and_words_are_added(project: Project) -> None:
    two = pair(project, days=31)
    work(project, SURVEYS)
    assert click(project, two.student, "2") == "recorded"
    assert click(project, two.student, "5") == "answered"
    assert said(project) == [("student", "survey", 1, 2, "")]
    two.says(two.student, 3, "It got better", p_type="survey")
    assert said(project) == [("student", "survey", 1, 3, "It got better")]
    assert project.one("select rating::float from mentors") == 3.0


def test_an_answer_about_no_match_is_kept_and_no_feedback(project: Project) -> None:
    two = pair(project, days=31)
    stranger = project.person("stranger@example.org")
    for person, about, answer in (
        (two.student, "match:1", "4"),
        (two.student, f"match:{UUID(int=7)}:survey:1", "4"),
        (two.student, f"match:{two.match}:survey:1", "6"),
        (stranger, f"match:{two.match}:survey:1", "1"),
    ):
        insert = """insert into message_answers (message_id, question, user_id, kind, about, answer)
          values (gen_random_uuid(), 0, %s, 'feedback_survey', %s, %s) returning question"""
        project.rows(insert, person, about, answer)
    assert said(project) == []
    assert project.one("select count(*) from message_answers") == 4


def test_a_dry_run_asks_nobody(project: Project) -> None:
    pair(project, days=31)
    assert work(project, SURVEYS, dry_run=True) == {"mails": 2, "surveys": 2}
    assert mails(project) == project.rows("select from match_surveys") == []
    assert work(project, SURVEYS) == {"mails": 2, "surveys": 2}


def test_a_lost_answer_is_given_again(project: Project) -> None:
    for name in "abc":
        pair(project, days=31, name=name)
    run = begin(project, SURVEYS)
    first = chunk(project, SURVEYS, run, limit=4)
    before = mails(project)
    assert chunk(project, SURVEYS, run, limit=4) == first
    assert mails(project) == before
    second = chunk(project, SURVEYS, run, first["cursor"], limit=4)
    assert (second["done"], second["read"], len(mails(project))) == (True, 2, 6)
    progress = project.one("select progress from job_runs where id = %s", run)
    assert (progress["read"], progress["counts"]) == (6, {"mails": 6, "surveys": 6})


def test_admins_read_who_was_asked_and_nobody_runs_the_job_by_hand(project: Project) -> None:
    two = pair(project, days=31)
    work(project, SURVEYS)
    call = f"select {SURVEYS}(gen_random_uuid(), 1)"
    with as_admin(project) as admin:
        assert admin.one("select count(*) from match_surveys") == 2
        assert admin.refused(call)
    for who in (as_student, as_anon):
        with who(project) as other:
            assert other.refused(call)
    with as_person(project, two.mentor) as mentor:
        assert mentor.rows("select from match_surveys") == []
        assert mentor.refused("insert into match_surveys values (gen_random_uuid())")
