"""A question is asked, taken by one mentor, answered and rated; nothing else happens to it."""

from __future__ import annotations

from uuid import uuid4

import pytest

from mentor_sync.mail.kinds import KINDS
from tests.people import as_admin, as_anon, as_service, as_stranger
from tests.project import Project
from tests.questions.support import People, asked, status, told


def test_a_question_from_beginning_to_end(project: Project, people: People) -> None:
    mentor, student = people.mentor("m@example.org", "JavaScript"), people.student()
    question = people.question(student, " JS ", "")
    assert asked(project, question) == {"m@example.org": "queued"}
    assert people.claim(mentor, question) == mentor
    assert people.claim(mentor, question) == mentor
    assert asked(project, question) == {"m@example.org": "superseded"}
    assert people.refused(student, "select rate_question(%s, 5)", question) == "MS025"
    assert people.answer(mentor, question) == "completed"
    assert people.refused(mentor, "select rate_question(%s, 5)", question) == "MS025"
    for none in (0, 6, None):
        assert people.refused(student, "select rate_question(%s, %s)", question, none) == "22023"
    assert people.rate(student, question, 4) == 4
    assert people.refused(student, "select rate_question(%s, 1)", question) == "MS025"
    assert told(project, student) == ["question_claimed", "question_completed"]
    query = "select topics, rating, rated_at is not null from quick_questions"
    assert project.rows(query) == [(["JS"], 4, True)]


@pytest.mark.parametrize("number", [2, 20])
def test_of_mentors_who_claim_at_once_one_wins(
    project: Project, people: People, number: int
) -> None:
    mentors, student = people.crowd(number), people.student()
    question, other = people.question(student), people.question(student)
    got = people.at_once(mentors, question)
    assert got.count("MS025") == number - 1
    (winner,) = [mentor for mentor in got if mentor != "MS025"]
    query = "select claimed_by from quick_questions where id = %s"
    assert project.one(query, question) == winner
    assert told(project, student) == ["question_claimed"]
    assert status(project, other) == "open"


def test_who_does_what_with_a_question_of_another(project: Project, people: People) -> None:
    mentor, student = people.mentor("m@example.org"), people.student()
    rival, other = people.mentor("r@example.org"), people.student("other@example.org")
    question = people.question(student)
    assert people.refused(student, "select claim_question(%s)", question) == "42501"
    assert people.refused(other, "select cancel_question(%s)", question) == "MS025"
    people.claim(mentor, question)
    for who in (rival, student, other):
        assert people.refused(who, "select release_question(%s)", question) == "MS025"
        assert people.refused(who, "select complete_question(%s, 'No.')", question) == "MS025"
    assert people.refused(student, "select cancel_question(%s)", question) == "MS025"
    assert people.refused(mentor, "select complete_question(%s, ' ')", question) == "22023"
    assert people.refused(mentor, "select claim_question(%s)", uuid4()) == "MS011"
    assert status(project, question) == "claimed"


def test_what_does_not_fit_is_refused_and_told(project: Project, people: People) -> None:
    mentor, student = people.mentor("m@example.org"), people.student()
    ask = "select post_question(%s, %s, %s)"
    long, many = "x" * 201, [f"t{n}" for n in range(21)]
    for title, text, topics in (
        (" ", "", []),
        (long, "", []),
        ("A", long * 25, []),
        ("A", "", many),
    ):
        assert people.refused(student, ask, title, text, topics) == "22023"
    assert project.rows("select from quick_questions") == []
    question = people.question(student)
    people.claim(mentor, question)
    answer = "select complete_question(%s, repeat('x', 10001))"
    assert people.refused(mentor, answer, question) == "22023"
    people.answer(mentor, question)
    rate = "select rate_question(%s, %s, repeat('x', 2001))"
    assert people.refused(student, rate, question, 5) == "22023"
    assert people.refused(student, "select rate_question(%s, 9)", question) == "22023"
    assert people.rate(student, question) == 5


def test_the_mail_says_what_its_kind_needs(project: Project, people: People) -> None:
    people.mentor("m@example.org", "SQL")
    people.question(people.student(), "SQL", title="A join?")
    (data,) = project.rows("select data from message_outbox where kind = 'quick_question'")[0]
    own = {v.name for v in KINDS["quick_question"].variables} & data.keys()
    assert own == data.keys() == {"student_name", "title", "question", "topics", "claim_url"}
    assert (data["title"], data["topics"]) == ("A join?", ["SQL"])


def test_who_may_ask(project: Project, people: People) -> None:
    mentor, student = people.mentor("m@example.org"), people.student()
    ask = "select post_question('Why?')"
    assert people.refused(mentor, ask) == "42501"
    project.run(f"update mentorship_profiles set role = 'student' where user_id = '{mentor}'")
    question = people.question(mentor)
    assert people.refused(mentor, "select claim_question(%s)", question) == "MS025"
    assert people.rows(mentor, "select id from get_open_questions()") == []
    project.run(f"update users set status = 'Inactive' where id = '{student}'")
    assert people.refused(student, ask) == "42501"
    with as_anon(project) as anybody, as_stranger(project) as stranger:
        assert anybody.refused(ask)
        assert stranger.refused(ask)
    assert project.one("select count(*) from quick_questions") == 1


def test_a_student_has_five_open_questions_at_most(project: Project, people: People) -> None:
    mentor, student = people.mentor("m@example.org"), people.student()
    first, second, *_ = (people.question(student, title=f"Q {n}") for n in range(5))
    ask = "select post_question('One more')"
    assert people.refused(student, ask) == "MS025"
    people.claim(mentor, first)
    people.question(student)
    assert people.refused(student, ask) == "MS025"
    assert people.call(student, "select (cancel_question(%s)).status", second) == "cancelled"
    people.question(student)
    assert people.refused(student, ask) == "MS025"
    assert people.refused(mentor, "select claim_question(%s)", second) == "MS025"
    people.question(people.student("other@example.org"))


def test_mentors_see_first_what_suits_them(project: Project, people: People) -> None:
    mentor, student = people.mentor("m@example.org", "SQL", "Law"), people.student()
    plain = people.question(student, "cooking")
    law = people.question(student, "law", "cooking")
    taken = people.question(student, "law")
    people.claim(people.mentor("r@example.org"), taken)
    listed = "select id, suits from get_open_questions(%s)"
    assert people.rows(mentor, listed, None) == [(law, True), (plain, False)]
    assert people.rows(mentor, listed, ["Law"]) == [(law, True)]
    project.run("update mentors set is_active = false")
    assert people.refused(mentor, listed, None) == "42501"
    assert people.refused(mentor, "select claim_question(%s)", law) == "42501"
    assert people.refused(student, listed, None) == "42501"
    with as_admin(project) as admin, as_service(project) as service, as_anon(project) as anybody:
        assert len(admin.rows("select id from get_open_questions()")) == 2
        assert len(service.rows("select id from get_open_questions()")) == 2
        assert anybody.refused("select id from get_open_questions()")


def test_a_question_keeps_its_terms_and_follows_an_alias(project: Project, people: People) -> None:
    mentor, student = people.mentor("m@example.org", "JavaScript"), people.student()
    js, other = people.question(student, "JS"), people.question(student, "Ecma Skript")
    listed = "select id, suits from get_open_questions()"
    assert people.rows(mentor, listed) == [(js, True), (other, False)]
    terms = "select terms from quick_questions where id = %s"
    assert project.one(terms, js) == ["javascript"]
    project.run("insert into term_aliases (alias, term) values ('Ecma Skript', 'javascript')")
    assert project.one(terms, other) == ["javascript"]
    assert people.rows(mentor, listed) == [(js, True), (other, True)]
    project.run("delete from term_aliases where alias = 'ecma skript'")
    assert project.one(terms, other) == ["ecma skript"]


def test_many_open_questions_are_all_listed(project: Project, people: People) -> None:
    mentor, student = people.mentor("m@example.org", "SQL"), people.student()
    project.run(
        f"""insert into quick_questions (student_id, title, topics, terms, expires_at)
        select '{student}', 'Q', '{{SQL joins and views}}', '{{}}', now() + interval '1 day'
        from generate_series(1, 2000)"""
    )
    found = people.rows(mentor, "select suits from get_open_questions()")
    assert found == [(True,)] * 2000


def test_the_table_shows_each_their_own(project: Project, people: People) -> None:
    mentor, student = people.mentor("m@example.org"), people.student()
    rival, other = people.mentor("r@example.org"), people.student("other@example.org")
    taken, waiting = people.question(student), people.question(student)
    people.claim(mentor, taken)
    find = "select id from quick_questions"
    seen = {who: {row for (row,) in people.rows(who, find)} for who in (mentor, rival, student)}
    assert seen == {mentor: {taken, waiting}, rival: {waiting}, student: {taken, waiting}}
    assert people.rows(other, find) == []
    change = "update quick_questions set rating = 5 returning id"
    assert people.refused(student, change) == "42501"
    assert people.refused(mentor, "delete from quick_questions") == "42501"
    with as_admin(project) as admin, as_anon(project) as anybody:
        assert len(admin.rows(find)) == 2
        assert anybody.refused(find)


def test_at_most_five_suiting_mentors_are_asked_and_then_the_next(
    project: Project, people: People
) -> None:
    for n in range(7):
        people.mentor(f"sql{n}@example.org", "SQL")
    both = people.mentor("both@example.org", "sql", "Excel")
    people.mentor("cook@example.org", "cooking")
    gone = people.mentor("gone@example.org", "SQL", "Excel")
    project.run(f"update mentors set is_approved = false where person_id = '{gone}'")
    question = people.question(people.student(), "sql", "excel")
    first = asked(project, question)
    assert len(first) == 5
    assert "both@example.org" in first
    people.claim(both, question)
    people.call(both, "select release_question(%s)", question)
    after = asked(project, question)
    assert (len(after), set(first.values())) == (8, {"queued"})
    assert {after[email] for email in first} == {"superseded"}
    assert not {"cook@example.org", "gone@example.org"} & after.keys()


def test_a_question_that_is_held_too_long_is_open_again(project: Project, people: People) -> None:
    mentor, student = people.mentor("m@example.org"), people.student()
    late, held, old, young = (people.question(student, title=f"Q {n}") for n in range(4))
    for question in (late, held):
        people.claim(mentor, question)
    project.run(
        f"""update quick_questions set claimed_at = now() - interval '49 hours',
        expires_at = now() - interval '1 hour' where id = '{late}'""",
        f"update quick_questions set claimed_at = now() - interval '47 hours' where id = '{held}'",
        f"update quick_questions set expires_at = now() where id = '{old}'",
    )
    assert project.one("select private.expire_questions(100)") == 2
    found = [status(project, question) for question in (late, held, old, young)]
    assert found == ["open", "claimed", "expired", "open"]
    query = "select expires_at > now(), claimed_by from quick_questions where id = %s"
    assert project.rows(query, late) == [(True, None)]
    assert project.one("select private.expire_questions(100)") == 0
    assert told(project, mentor) == ["question_reopened"]
    assert told(project, student) == ["question_claimed", "question_claimed", "question_expired"]
    assert people.refused(mentor, "select claim_question(%s)", old) == "MS025"
    assert people.refused(mentor, "select complete_question(%s, 'x')", late) == "MS025"


def test_a_question_is_not_for_mentors_who_are_kept_from_the_student(
    project: Project, people: People
) -> None:
    mentor, student = people.mentor("m@example.org", "Python"), people.student()
    project.run(f"insert into blocked_pairs values ('{student}', '{mentor}')")
    question = people.question(student, "Python")
    assert asked(project, question) == {}
    assert people.rows(mentor, "select from quick_questions") == []
    assert people.rows(mentor, "select from get_open_questions()") == []
    assert people.refused(mentor, "select claim_question(%s)", question) == "MS025"
    other = people.mentor("other@example.org", "Python")
    assert people.claim(other, question) == other
