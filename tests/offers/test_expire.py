"""Time goes by: offers, requests and questions expire, and the next mentors are asked."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tests.offers.support import answer, job, later, mentors, offers, students
from tests.people import as_admin
from tests.project import Api, Project


def test_nobody_answers_and_the_next_three_never_repeat(project: Project, api: Api) -> None:
    mentors(project, 8, "Python")
    students(project, 1, "Python")
    job(api)
    assert job(api, "expire_stale").counts == {
        "offers": 0,
        "withdrawn": 0,
        "reopened": 0,
        "requests": 0,
        "questions": 0,
    }
    later(project, "5 days")
    assert job(api, "expire_stale").counts["reopened"] == 1
    assert project.rows("select status from match_batches") == [("expired",)]
    assert job(api).counts["offers"] == 3
    later(project, "5 days")
    job(api, "expire_stale")
    assert job(api).counts["offers"] == 2
    assert len({row[0] for row in offers(project, "mentor_id")}) == 8
    later(project, "5 days")
    assert job(api, "expire_stale").counts["offers"] == 2
    assert job(api).counts == {"waiting": 1, "announced": 0}
    assert project.rows("select status, count(*) from match_offers group by 1") == [("expired", 8)]
    assert project.rows("select status, count(*) from message_outbox group by 1") == [
        ("superseded", 8)
    ]


def test_some_declined_the_others_said_nothing(project: Project, api: Api) -> None:
    mentors(project, 3, "Python")
    students(project, 2, "Python")
    job(api)
    mentor, offer = offers(project, "mentor_id", "id")[0]
    answer(project, mentor, "decline_offer", offer)
    project.run(
        f"update match_batches set expires_at = now() where id = (select batch_id from"
        f" match_offers where id = '{offer}')"
    )
    job(api, "expire_stale")
    states = "select status, count(*) from {} group by 1 order by 1"
    assert project.rows(states.format("match_batches")) == [("exhausted", 1), ("offered", 1)]
    assert project.rows(states.format("match_offers")) == [
        ("declined", 1),
        ("expired", 2),
        ("offered", 3),
    ]
    assert project.rows(states.format("mentorship_requests")) == [("offered", 1), ("open", 1)]


def test_a_request_that_waits_too_long_is_given_up(project: Project, api: Api) -> None:
    mentors(project, 1, "Python")
    waiting, offered = students(project, 2, "Knitting")
    project.run(f"update mentorship_profiles set skills = '{{python}}' where user_id = '{offered}'")
    job(api)
    project.run("update mentorship_requests set expires_at = now()")
    assert job(api, "expire_stale").counts["requests"] == 1
    found: dict[object, str] = dict(
        project.rows("select student_id, status from mentorship_requests")
    )
    assert found == {waiting: "expired", offered: "offered"}
    assert project.one(
        "select closed_at is not null from mentorship_requests where status = 'expired'"
    )
    later(project, "5 days")
    assert job(api, "expire_stale").counts["requests"] == 1
    assert job(api).counts["waiting"] == 0


def test_questions_that_nobody_took_are_closed(project: Project, api: Api) -> None:
    student = project.person("student@example.org")
    mentor = project.mentor("mentor@example.org")
    project.run(
        "insert into quick_questions (student_id, title, status, expires_at)"
        f" select '{student}', s, s, now() - interval '1 hour' from unnest("
        "  '{open,claimed,completed,cancelled}'::text[]) as s",
        f"insert into quick_questions (student_id, title, expires_at)"
        f" values ('{student}', 'later', now() + interval '1 hour')",
        "select queue_message('quick_question', u.id, 'question:' || q.id)"
        " from quick_questions as q, users as u where q.status = 'open' and u.role = 'mentor'",
    )
    assert job(api, "expire_stale").counts["questions"] == 1
    assert job(api, "expire_stale").counts["questions"] == 0
    found: dict[object, str] = dict(project.rows("select title, status from quick_questions"))
    assert (found.pop("open"), found.pop("later")) == ("expired", "open")
    assert all(title == status for title, status in found.items())
    mails = "select m.status from message_outbox as m where m.recipient = %s order by 1"
    assert project.rows(mails, mentor) == [("queued",), ("superseded",)]


def test_two_sweeps_at_once_and_an_answer_in_between(project: Project, api: Api) -> None:
    mentors(project, 6, "Python")
    students(project, 20, "Python")
    job(api)
    later(project, "6 days")
    with ThreadPoolExecutor(2) as pool:
        runs = list(pool.map(lambda _: job(api, "expire_stale"), range(2)))
    assert sum(run.counts["reopened"] for run in runs) == 20
    assert sum(run.counts["offers"] for run in runs) == 60
    assert job(api).counts["offers"] == 60
    with as_admin(project) as admin:
        assert admin.refused("select expire_stale(gen_random_uuid(), 1)")


def test_what_one_student_wrote_keeps_no_other_request_open(project: Project, api: Api) -> None:
    _, odd = students(project, 2, "Python")
    project.run(
        f"update users set country = repeat('Xy', 60) where id = '{odd}'",
        f"update mentorship_profiles set skills = array[repeat('a,', 900), repeat('a b ', 500)]"
        f" where user_id = '{odd}'",
        "update mentorship_requests set expires_at = now()",
        # Whatever else may be wrong with a text, now or later.
        "alter table match_terms add constraint no_zebras check (term <> 'zebra') not valid",
        f"update mentorship_profiles set skills = '{{zebra}}' where user_id = '{odd}'",
    )
    assert job(api, "expire_stale").counts["requests"] == 2
    assert project.rows("select user_id, error like '%no_zebras%' from private.stale_profiles") == [
        (odd, True)
    ]


def test_who_cannot_accept_any_more_keeps_nobody_waiting(project: Project, api: Api) -> None:
    full, unlisted, paused, next_one = mentors(project, 4, "Python", capacity=1)
    project.run(f"update mentorship_profiles set is_active = false where user_id = '{next_one}'")
    students(project, 1, "Python")
    (other,) = students(project, 1, start=2)
    job(api)
    project.run(
        f"update users set mentor_id = '{full}' where id = '{other}'",
        f"update mentors set is_approved = false where person_id = '{unlisted}'",
        f"update mentorship_profiles set is_active = true where user_id = '{next_one}'",
    )
    counts = job(api, "expire_stale").counts
    assert (counts["withdrawn"], counts["reopened"], counts["offers"]) == (2, 0, 0)
    assert {row[1]: row[3] for row in offers(project)} == {
        full: "withdrawn", unlisted: "withdrawn", paused: "offered",
    }  # fmt: skip
    project.run(
        f"update mentorship_profiles set paused_until = now() + interval '9 days'"
        f" where user_id = '{paused}'"
    )
    counts = job(api, "expire_stale").counts
    assert (counts["withdrawn"], counts["reopened"]) == (1, 1)
    assert project.rows("select status from match_batches") == [("exhausted",)]
    mails = "select status from message_outbox where kind = 'mentor_recommendation'"
    assert project.rows(mails) == [("superseded",)] * 3
    assert job(api).counts["offers"] == 1
    assert offers(project, "mentor_id", "status")[-1] == (next_one, "offered")
