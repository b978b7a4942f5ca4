"""The students of the demo: invented, admitted once, and well matched."""

from __future__ import annotations

import re

from mentor_sync.demo.admission import admit
from mentor_sync.demo.community import Oddity, accounts, members, oddity
from mentor_sync.demo.loading import load
from mentor_sync.demo.students import MOST, student_id, students
from mentor_sync.demo.words import FIELDS
from mentor_sync.runner import run_now
from mentor_sync.settings import Settings
from tests.project import Api, Project

TABLES = ("users", "mentorship_profiles", "mentorship_requests")
SIZE = 400
STUDENTS = list(students(SIZE))


def test_they_are_the_same_every_time_and_members_with_an_account() -> None:
    assert list(students(SIZE)) == STUDENTS
    assert list(students(10 * SIZE)) == STUDENTS
    assert str(student_id(1)) == "34885ffa-ab65-52a5-8a4e-eeb45d197b76"
    assert len({one.id for one in STUDENTS}) == len(STUDENTS) == MOST
    types = {one.id: one.membershiptype.strip().lower() for one in members(SIZE)}
    assert {types[one.member_id] for one in STUDENTS} == {"mentee", "student"}
    owners = {one.id: one.email.strip().strip("\u200b").lower() for one in accounts(SIZE)}
    assert all(owners[one.account_id] == one.email for one in STUDENTS)
    assert {oddity(one.account_id) for one in STUDENTS} == {Oddity.NONE}


def test_they_type_as_people_do() -> None:
    said = [text for one in STUDENTS for text in (*one.career_goals, *one.skills)]
    assert any(text != text.strip() for text in said)
    assert any(text.isupper() and len(text) > 5 for text in said)
    assert any(text.islower() for text in said)
    assert any(re.search("[,;\n]", text) for text in said)
    assert any(not one.research_interests for one in STUDENTS)
    assert {field.industry.lower() for field in FIELDS} <= {
        text.strip().lower() for one in STUDENTS for text in one.industries
    }


def test_they_are_admitted_once(project: Project) -> None:
    load(project.dsn, 60)
    wanted = len(list(students(60)))
    assert admit(project.dsn, 60) == wanted > 10
    assert project.one("select count(*) from mentorship_requests where status = 'open'") == wanted
    project.rows("delete from users where id = %s returning id", STUDENTS[0].id)
    before = project.contents(*TABLES)
    assert admit(project.dsn, 60) == 0
    assert project.contents(*TABLES) == before
    assert admit(project.dsn, 3) == 0


def test_most_find_mentors_who_suit_them_well(project: Project, api: Api) -> None:
    load(project.dsn, SIZE)
    settings = Settings(_env_file=None)  # type: ignore[call-arg]  # of pydantic
    with api.database() as database:
        run_now(database, settings, "sync_mentor_profiles", {})
        admit(project.dsn, SIZE)
        run = run_now(database, settings, "build_match_batches", {})
    assert (run.counts["batches"], run.counts["waiting"]) == (MOST, 0)
    good = project.one("select avg((score >= 70)::integer) from match_offers where rank <= 3")
    assert good > 0.75
