"""The job check_match_health: a silent pair is asked once, then told of once, and recovers."""

from __future__ import annotations

from tests.health.support import HEALTH, Pair, begin, chunk, click, mails, pair, work
from tests.people import as_admin, as_anon, as_person, as_service, as_student
from tests.project import Project

LIST = "select student_name, mentor_name, health_score from get_at_risk_matches()"


def alerts(project: Project) -> list[str]:
    query = "select message from job_alerts where kind = 'match_at_risk' order by created_at"
    return [message for (message,) in project.rows(query)]


def episode(two: Pair) -> tuple[object, ...]:
    return two.row("health_status, at_risk_since is not null, escalated_at is not null")


def test_a_silent_pair_is_asked_then_told_of_then_recovers(project: Project) -> None:
    admin = project.person("admin@example.org", "admin")
    two, fine = pair(project, days=63), pair(project, days=63, name="b")
    for ago in (1, 22, 44):
        fine.met(ago)
    work(project, HEALTH)
    both = sorted([("health_check_in", two.student), ("health_check_in", two.mentor)])
    assert sorted(mails(project)) == both
    assert episode(two) == ("at_risk", True, False)
    assert episode(fine) == ("healthy", False, False)
    for _ in range(6):
        two.age(1)
        work(project, HEALTH)
    assert (sorted(mails(project)), alerts(project)) == (both, [])
    for _ in range(3):
        two.age(1)
        work(project, HEALTH)
    (message,) = alerts(project)
    assert "a-student@example.org with" in message
    assert sorted(mails(project)) == both
    query = "select recipient from message_outbox where kind = 'operator_alert'"
    assert project.rows(query) == [(admin,)]
    two.met()
    assert work(project, HEALTH)["recovered"] == 1
    assert episode(two)[1:] == (False, False)


def test_another_episode_is_told_of_again(project: Project) -> None:
    two = pair(project, days=63)
    work(project, HEALTH)
    two.age(9)
    work(project, HEALTH)
    two.met()
    work(project, HEALTH)
    project.run(
        "update message_outbox set about = replace(about, to_char(now(), 'YYYY'), '2020')"
    )  # the first was on another day
    two.age(70)
    assert work(project, HEALTH)["asked"] == 2
    two.age(8)
    assert work(project, HEALTH)["escalated"] == 1
    assert len(alerts(project)) == 2


def test_well_ends_it_and_help_tells_the_admins_at_once(project: Project) -> None:
    well, ill = pair(project, days=63), pair(project, days=63, name="b")
    work(project, HEALTH)
    assert click(project, well.student, "well") == "recorded"
    assert click(project, ill.mentor, "help") == "recorded"
    counts = work(project, HEALTH)
    assert (counts["recovered"], counts["escalated"]) == (1, 1)
    assert episode(well) == ("watch", False, False)
    assert episode(ill) == ("at_risk", True, True)
    waiting = "select recipient in (%s, %s), status from message_outbox where kind like 'health%%'"
    assert sorted(project.rows(waiting, well.student, well.mentor)) == [
        (False, "queued"), (False, "queued"), (True, "superseded"), (True, "superseded"),
    ]  # fmt: skip
    assert "b-student@example.org with B-Mentor (asks for help)" in alerts(project)[0]
    said = project.rows("select feedback_type, comment, rating from mentorship_feedback")
    assert sorted(said) == [("check_in", "help", None), ("check_in", "well", None)]


def test_a_student_whose_mentor_left_is_told_of_at_once(project: Project) -> None:
    young, asked = pair(project, days=3), pair(project, days=63, name="b")
    fine = pair(project, days=3, name="c")
    work(project, HEALTH)
    assert sorted(mails(project)) == sorted(
        [("health_check_in", asked.student), ("health_check_in", asked.mentor)]
    )
    for two in (young, asked):
        project.run(f"update mentors set is_active = false where person_id = '{two.mentor}'")
    counts = work(project, HEALTH)
    assert (counts["asked"], counts["escalated"]) == (0, 2)
    assert episode(young) == episode(asked) == ("at_risk", True, True)
    assert episode(fine) == ("unknown", False, False)
    assert young.health()["reasons"][-1]["why"] == "the mentor is not active any more"
    (message,) = alerts(project)
    assert "a-student@example.org with A-Mentor (the mentor is not active any more)" in message
    assert "simulate leave ADDRESS" in project.one("select hint from job_alerts")
    waiting = "select distinct status from message_outbox where kind like 'health%'"
    assert project.rows(waiting) == [("superseded",)]
    assert work(project, HEALTH)["changed"] == 0
    project.run("update mentors set is_active = true")
    assert work(project, HEALTH)["recovered"] == 1
    assert episode(young) == ("unknown", False, False)


def test_only_active_matches_are_looked_at_and_only_news_written(project: Project) -> None:
    paused = pair(project, days=80, status="paused")
    ended = pair(project, days=80, name="b", status="dissolved", ended_at="now")
    young = pair(project, days=5, name="c")
    silent = pair(project, days=80, name="d")
    counts = work(project, HEALTH, limit=1)
    assert counts == {"asked": 2, "changed": 2, "escalated": 0, "recovered": 0, "unchanged": 0}
    stamp = "select id, xmin::text from matches order by id"
    before = project.rows(stamp)
    assert work(project, HEALTH)["changed"] == 0
    assert project.rows(stamp) == before
    assert paused.row("health_score") == ended.row("health_score") == (None,)
    assert episode(young) == ("unknown", False, False)
    assert {person for _, person in mails(project)} == {silent.student, silent.mentor}


def test_a_dry_run_changes_nothing_and_a_lost_answer_is_given_again(project: Project) -> None:
    for name in "ab":
        pair(project, days=63, name=name)
    tables = ("matches", "message_outbox", "job_alerts")
    before = project.contents(*tables)
    assert work(project, HEALTH, dry_run=True)["asked"] == 4
    assert project.contents(*tables) == before
    run = begin(project, HEALTH)
    first = chunk(project, HEALTH, run, limit=1)
    between = project.contents(*tables)
    assert chunk(project, HEALTH, run, limit=1) == first
    assert project.contents(*tables) == between
    assert len(mails(project)) == 2
    assert work(project, HEALTH)["changed"] == 1
    assert len(mails(project)) == 4


def test_admins_and_the_daemon_see_who_is_at_risk(project: Project) -> None:
    two = pair(project, days=63)
    pair(project, days=5, name="b")
    work(project, HEALTH)
    (score,) = two.row("health_score")
    for who in (as_admin, as_service):
        with who(project) as reader:
            assert reader.rows(LIST) == [("a-student@example.org", "A-Mentor", score)]
    for other in (as_person(project, two.mentor), as_student(project), as_anon(project)):
        with other as session:
            assert session.refused(LIST)
            assert session.refused("select from v_at_risk_matches")
            assert session.refused("select private.match_health('{}')")
            assert session.refused(f"select {HEALTH}(gen_random_uuid(), 1)")
