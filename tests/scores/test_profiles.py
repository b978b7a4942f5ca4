"""Profiles: who writes them, what becomes of them, how they follow members."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from tests.community import mentor, student, terms
from tests.people import as_admin, as_anon, as_mentor, as_person, as_stranger, as_student
from tests.project import Api, Project, Row
from tests.sync.support import sync

MEMBER = {
    "areaOfExpertise": "Data Science",
    "skills": "python, SQL; Machine Learning, js",
    "industry": "Finance",
    "jobtitle": "Senior Analyst",
    "country": "Deutschland",
    "city": "Köln",
}


def test_the_sync_gives_a_mentor_their_profile(project: Project) -> None:
    ann = project.mentor("ann@example.org", **MEMBER)
    found = terms(project, ann)
    assert found["technical"] == {"python", "sql", "machine learning", "javascript"}
    assert {"data science", "finance"} <= found["goals"] & found["industry"]
    assert found["location"] == {"country germany", "city koln in germany"}
    assert project.rows("select role, skills from mentorship_profiles") == [
        ("mentor", ["python", "SQL", "Machine Learning", "js"])
    ]
    assert project.one("select count(*) from private.stale_profiles") == 0


def test_profiles_follow_the_member_but_not_over_an_edit(project: Project) -> None:
    ann = project.mentor("ann@example.org", **MEMBER)
    bob = project.mentor("bob@example.org", **MEMBER)
    with as_person(project, ann) as session:
        session.rows("select update_profile(p_skills => array['Rust'])")
        session.connection.commit()
    project.run("update members set skills = 'Java', industry = 'Law'")
    assert terms(project, ann)["technical"] == {"rust"}
    assert terms(project, bob)["technical"] == {"java"}
    assert "law" in terms(project, ann)["industry"]


def test_many_profiles_wait_for_the_job(project: Project, api: Api) -> None:
    count = 250
    project.run(
        f"insert into users_user (email) select i || '@x.org' from generate_series(1, {count}) i",
        "insert into members (email, name, membershiptype, skills) select i || '@x.org', 'N',"
        f" 'mentor', 'Go' from generate_series(1, {count}) i",
    )
    waiting = project.one("select count(*) from private.stale_profiles")
    assert waiting > 100
    sync(api)
    assert project.one("select count(*) from private.stale_profiles") == 0
    assert project.one("select count(*) from mentorship_profiles where skills = '{Go}'") == count
    before = project.contents("mentorship_profiles", "private.profile_terms")
    sync(api)
    assert project.contents("mentorship_profiles", "private.profile_terms") == before


def test_a_row_that_cannot_be_read_is_set_aside(project: Project) -> None:
    ann, bob = project.mentor("ann@example.org"), project.mentor("bob@example.org")
    project.run(
        "create function refuse() returns trigger language plpgsql as"
        " $$ begin raise exception 'broken'; end $$",
        f"create trigger broken before update on mentorship_profiles for each row"
        f" when (new.user_id = '{ann}' and new.skills = '{{Go}}') execute function refuse()",
        "update members set skills = 'Go'",
    )
    assert project.rows("select user_id, error from private.stale_profiles") == [(ann, "broken")]
    assert terms(project, bob)["technical"] == {"go"}


def test_a_student_makes_and_changes_their_own_profile(project: Project) -> None:
    bob = student(project, "bob@example.org", skills=("Law",))
    with as_student(project, "ann@example.org") as ann:
        with pytest.raises(psycopg.Error, match="no profile yet"), ann.connection.transaction():
            ann.rows("select update_profile(p_skills => '{Go}')")
        ann.rows("select create_profile(p_skills => '{Python}', p_languages => '{DE, en}')")
        ann.rows("select update_profile(p_about => 'Hello')")
        row = ann.rows("select role, skills, languages, about from get_profile()")
        assert row == [("student", ["Python"], ["de", "en"], "Hello")]
        assert ann.rows("select from get_profile_by_id(%s)", bob) == []
        assert ann.refused("select update_profile(p_skills => '{x}', p_user_id => %s)", bob)
        assert ann.refused("update mentorship_profiles set mentee_count = 0")
    assert terms(project, bob) == {"technical": {"law"}}


def test_nobody_without_a_person_has_a_profile(project: Project) -> None:
    for who in (as_anon, as_stranger):
        with who(project) as person:
            assert person.refused("select create_profile()")
    with as_student(project) as person:
        assert person.refused("select create_profile('mentor')")
    assert project.one("select count(*) from mentorship_profiles") == 0


def test_admins_write_and_read_any_profile(project: Project) -> None:
    ann = student(project, "ann@example.org")
    with as_admin(project) as admin:
        admin.rows("select update_profile(p_skills => '{Go}', p_user_id => %s)", ann)
        assert admin.one("select skills from get_profile_by_id(%s)", ann) == ["Go"]
        admin.connection.commit()
    assert terms(project, ann) == {"technical": {"go"}}


def test_location_and_ways_to_meet_become_terms(project: Project) -> None:
    ann = student(
        project, timezone="Europe/Berlin", country="Deutschland", city="Berlin",
        channels=("video",), learning_style="visual",
    )  # fmt: skip
    bob = mentor(project, teaching_style="mixed", timezone="Pacific/Auckland")
    assert terms(project, ann) == {
        "location": {"country germany", "city berlin in germany", "region europe"}
        | {"zone 0", "zone 1", "zone 2"},
        "communication": {"channel video", "style visual"},
    }
    assert terms(project, bob)["communication"] == {
        "style auditory",
        "style kinesthetic",
        "style visual",
    }
    assert terms(project, bob)["location"] == {"region pacific", "zone 11", "zone -12", "zone -11"}


def test_a_person_who_moves_gets_other_terms(project: Project) -> None:
    with as_mentor(project) as session:
        session.changed("update users set city = 'Rome', country = 'Italia'")
        person = session.one("select id from users")
        session.connection.commit()
    assert terms(project, person)["location"] == {"country italy", "city rome in italy"}


def test_a_long_country_is_a_term_like_others(project: Project) -> None:
    ann = student(project, country="Xy" * 60, city="Berlin", timezone="Europe/Berlin")
    bob = mentor(project, country="Xy" * 60 + " and more", timezone="Europe/Berlin")
    assert (
        "country " + "xy" * 46 in terms(project, ann)["location"] & terms(project, bob)["location"]
    )
    student(project, "cid@x.org", country="Wakanda" + " " * 300 + "Buy at evil.example")
    assert project.one("select max(length(label)) from match_terms") == 100


def test_of_very_long_lists_the_beginning_counts(project: Project) -> None:
    words = [",".join(f"w{n}x{m}" for m in range(300)) for n in range(20)]
    ann = student(project, skills=words)
    assert len(terms(project, ann)["technical"]) == 500
    assert "w0x0" in terms(project, ann)["technical"]


def _call(connection: psycopg.Connection[Row], query: str, *params: object) -> str:
    """For good: ok, or the SQLSTATE."""
    try:
        connection.execute(query.encode(), params)
        connection.commit()
    except psycopg.Error as error:
        connection.rollback()
        return str(error.sqlstate)
    return "ok"


def test_who_saves_profile_and_city_at_once_is_not_refused(project: Project) -> None:
    ann = student(project, skills=("Rust",))
    city = "update users set city = %s where id = %s"
    skills = "select update_profile(p_skills => array[%s], p_user_id => %s)"
    with (
        ThreadPoolExecutor(2) as pool,
        psycopg.connect(project.dsn) as one,
        psycopg.connect(project.dsn) as other,
    ):
        for number in range(40):
            both = [
                pool.submit(_call, one, city, f"City {number}", ann),
                pool.submit(_call, other, skills, f"Skill {number}", ann),
            ]
            assert [one.result() for one in both] == ["ok", "ok"]
    # What one did not see of the other is noted, for the next run.
    project.run("select private.refresh_stale(array(select user_id from private.stale_profiles))")
    known = terms(project, ann)
    assert known["technical"] == {"skill 39"}
    assert known["location"] == {"city city 39 in"}


def test_nobody_waits_for_the_job_that_makes_terms(project: Project) -> None:
    ann = student(project, skills=("Rust",))
    project.run(f"insert into private.stale_profiles (user_id) values ('{ann}')")
    save = "select update_profile(p_skills => array['Go'], p_user_id => %s)"
    with psycopg.connect(project.dsn) as job, psycopg.connect(project.dsn) as person:
        job.execute("select from private.stale_profiles for update")
        person.execute("set lock_timeout = '1s'")
        assert _call(person, save, ann) == "ok"
        assert _call(person, "update users set city = 'Rome' where id = %s", ann) == "ok"
        assert _call(job, "select private.refresh_stale(array[%s::uuid])", ann) == "ok"
    assert terms(project, ann)["technical"] == {"go"}
    assert project.rows("select from private.stale_profiles") == []


def test_a_mentor_who_makes_the_profile_again_stays_one(project: Project) -> None:
    bob = mentor(project)
    with as_person(project, bob) as session:
        assert session.one("select role from create_profile(p_skills => '{Go}')") == "mentor"
        assert session.one("select role from create_profile('student')") == "student"
