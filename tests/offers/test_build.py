"""Open requests are offered to the mentors who suit best, once, whatever happens to the run."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mentor_sync.errors import ApiError
from mentor_sync.job import Progress
from mentor_sync.matching.parity import ScoresDiffer
from mentor_sync.runner import enqueue, run_now, run_queued
from tests.offers.support import job, mentors, offers, plain_settings, students
from tests.project import Api, Project

TABLES = ("match_batches", "match_offers", "mentorship_requests", "message_outbox")
COUNTS = (
    "select count(*), count(distinct request_id), count(distinct announced_at) from match_offers"
)


class Killed(BaseException):
    """As if the process were gone: nothing is noted."""


def test_each_request_is_offered_to_the_three_who_suit_best(project: Project, api: Api) -> None:
    near = mentors(project, 2, "Python", "SQL")
    half = mentors(project, 1, "Python", start=3)
    mentors(project, 2, "Gardening", start=4)
    students(project, 1, "python", "Databases, SQL")
    watched: list[Any] = []
    with api.database() as database:
        run = run_now(
            database,
            plain_settings(),
            "build_match_batches",
            {},
            report=lambda progress: watched.extend(progress.records),
        )
    assert (run.counts["offers"], run.counts["announced"], run.counts["waiting"]) == (3, 3, 0)
    found = offers(project, "mentor_id", "rank", "score", "breakdown", "reasons")
    assert [row[0] for row in found] == [*sorted(near), *half]
    for mentor, _, score, breakdown, reasons in found:
        said = project.one(
            "select private.score_pair(student_id, %s, private.current_weights())"
            " from mentorship_requests",
            mentor,
        )
        assert (float(score), breakdown, reasons) == (
            said["total"],
            said["breakdown"],
            said["reasons"],
        )
    (record,) = watched
    assert (record["outcome"], record["student_name"]) == ("offered", "Student 1")
    assert [mentor["score"] for mentor in record["mentors"]] == [float(row[2]) for row in found]
    mail = project.rows(
        "select recipient, expires_at, data from message_outbox order by data->'score'"
    )
    assert mail[0][0] == half[0]
    assert set(mail[0][2]) >= {"student_name", "score", "reasons", "message", "expires_at"}
    assert project.one("select expires_at - now() > interval '4 days' from match_batches")


def test_a_dry_run_tells_the_same_and_the_second_run_offers_nothing(
    project: Project, api: Api
) -> None:
    mentors(project, 4, "Python")
    students(project, 5, "Python")
    students(project, 1, "Knitting", start=6)
    before = project.contents(*TABLES)
    dry = job(api, dry_run=True, chunk_size=2)
    assert project.contents(*TABLES) == before
    real = job(api, chunk_size=2)
    assert real.counts == dry.counts
    assert (real.counts["offers"], real.counts["batches"], real.counts["waiting"]) == (15, 5, 1)
    after = project.contents(*TABLES)
    assert job(api).counts == {"waiting": 1, "announced": 0}
    assert project.contents(*TABLES) == after


def test_two_runs_at_once_offer_each_request_once(project: Project, api: Api) -> None:
    mentors(project, 10, "Python")
    students(project, 40, "Python")
    with ThreadPoolExecutor(2) as pool:
        runs = list(pool.map(lambda _: job(api, chunk_size=7), range(2)))
    assert sum(run.counts.get("batches", 0) for run in runs) == 40
    assert project.one("select count(*) from match_batches") == 40
    assert project.one("select count(*) from match_offers") == 120
    assert project.one("select count(*) from message_outbox") == 120


def test_a_run_killed_in_the_middle_goes_on(project: Project, api: Api) -> None:
    mentors(project, 10, "Python")
    students(project, 30, "Python")

    def die(progress: Progress) -> None:
        if progress.counts.get("batches", 0) >= 10:
            raise Killed

    with api.database() as database:
        run = enqueue(database, "build_match_batches", {})
        with pytest.raises(Killed):
            run_queued(database, plain_settings(chunk_size=10), run, report=die)
        assert project.one("select count(*) from match_batches") == 10
        project.run("update job_runs set lease_expires_at = now() - interval '1 second'")
        database.rpc("claim_runs", {"p_worker": "x", "p_jobs": ["undo_run"]}, expect=list)
        ended = run_queued(database, plain_settings(chunk_size=10), run)
    assert (ended.counts["batches"], ended.counts["offers"]) == (30, 90)
    assert project.rows(COUNTS)[0][:2] == (90, 30)
    assert project.one("select count(distinct about) from message_outbox") == 90


def test_an_answer_that_is_lost_is_given_again(project: Project, api: Api) -> None:
    mentor = mentors(project, 1, "Python")[0]
    students(project, 1, "Python")
    request = project.one("select id from mentorship_requests")
    job(api, dry_run=True)
    project.run("update job_runs set status = 'running', lease_expires_at = now() + interval '1 h'")
    run, fence = project.rows("select id, fence from job_runs")[0]
    offer = {"mentor_id": str(mentor), "units": 5, "confidence": 1, "breakdown": {}, "reasons": []}
    batch = {"request_id": str(request), "input_hash": 1, "offers": [offer]}
    call = {
        "p_run_id": str(run),
        "p_fence": fence,
        "p_batches": [batch],
        "p_weights_version": 1,
    }
    with api.database() as database:
        first = database.rpc("save_match_batches", call, expect=dict)
        assert first["counts"]["offers"] == 1
        assert database.rpc("save_match_batches", call, expect=dict) == first
        with pytest.raises(ApiError, match="not yours any more"):
            database.rpc("save_match_batches", {**call, "p_fence": fence + 1}, expect=dict)
    assert project.one("select count(*) from match_offers") == 1
    assert project.one("select progress -> 'counts' -> 'offers' from job_runs") == 1


def test_who_must_not_meet_is_not_offered(project: Project, api: Api) -> None:
    student = students(project, 1, "Python")[0]
    blocked, paused, full, silent, far = mentors(project, 5, "Python")
    speaker = mentors(project, 1, "Python", start=6)[0]
    project.run(
        f"insert into blocked_pairs (student_id, mentor_id) values ('{student}', '{blocked}')",
        "update mentorship_profiles set paused_until = now() + interval '1 day'"
        f" where user_id = '{paused}'",
        f"update mentors set capacity = 0 where person_id = '{full}'",
        f"update mentors set is_approved = false where person_id = '{silent}'",
        "update mentorship_profiles set languages = '{de,en}'"
        f" where user_id in ('{speaker}', '{far}')",
        f"update users set timezone = 'Asia/Tokyo' where id = '{far}'",
        f"update users set timezone = 'Europe/Berlin' where id in ('{speaker}', '{student}')",
        "update mentorship_requests set required_languages = '{de}', max_timezone_hours = 3",
    )
    job(api)
    assert offers(project, "mentor_id") == [(speaker,)]


def test_what_a_rule_forbids_by_now_is_dropped(project: Project, api: Api) -> None:
    one, other = mentors(project, 2, "Python")
    student = students(project, 1, "Python")[0]

    def block(*_: Any) -> None:
        project.run(
            f"insert into blocked_pairs values ('{student}', '{one}') on conflict do nothing"
        )

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mentor_sync.matching.parity.Sample.check", lambda *_: block())
        counts = job(api).counts
    assert (counts["refused"], counts["offers"]) == (1, 1)
    assert offers(project, "mentor_id", "rank") == [(other, 1)]


def test_whoever_is_asked_for_alone_is_offered_alone(project: Project, api: Api) -> None:
    mentors(project, 4, "Python")
    wanted, unwilling = mentors(project, 2, "Gardening", start=5)
    asking, hoping = students(project, 2, "Python")
    project.run(
        f"update mentors set is_active = false where person_id = '{unwilling}'",
        f"update mentorship_requests set mentor_id = '{wanted}' where student_id = '{asking}'",
        f"update mentorship_requests set mentor_id = '{unwilling}' where student_id = '{hoping}'",
    )
    watched: list[Any] = []
    with api.database() as database:
        run_now(
            database,
            plain_settings(),
            "build_match_batches",
            {},
            report=lambda progress: watched.extend(progress.records),
        )
    assert offers(project, "student_id", "mentor_id") == [(asking, wanted)]
    said = {row["student_id"]: (row["outcome"], row.get("reason")) for row in watched}
    assert said == {str(asking): ("offered", None), str(hoping): ("waiting", "inactive")}
    assert project.rows(
        "select status, count(*) from mentorship_requests group by 1 order by 1"
    ) == [
        ("offered", 1),
        ("open", 1),
    ]


def test_a_mentor_who_suits_everybody_is_not_offered_to_everybody(
    project: Project, api: Api
) -> None:
    star = mentors(project, 1, "Python", "SQL", capacity=1)[0]
    mentors(project, 8, "Python", capacity=5, start=2)
    students(project, 9, "Python", "SQL")
    project.run(
        "update mentorship_requests set created_at = now() - interval '9 days'"
        " where student_id = (select id from users where email = 'student7@example.org')"
    )
    job(api)
    assert project.one("select count(*) from match_offers where mentor_id = %s", star) == 3
    waited = "select student_id from mentorship_requests order by created_at limit 1"
    assert (
        project.one(
            f"select count(*) from match_offers where mentor_id = %s and student_id = ({waited})",
            star,
        )
        == 1
    )
    per_student = "select count(*) from match_offers group by student_id"
    assert set(project.rows(per_student)) == {(3,)}
    assert job(api).counts["waiting"] == 0


def test_who_waits_longer_goes_first(project: Project, api: Api) -> None:
    mentors(project, 1, "Python", "SQL", capacity=1)
    early = students(project, 1, "Python", "Knitting")[0]
    late = students(project, 1, "Python", "SQL", start=2)[0]
    project.run("update program_settings set value = '1' where key = 'offers_per_seat'")
    project.run(
        "update program_settings set value = '5' where key = 'waiting_credit_per_day'",
        "update program_settings set value = '60' where key = 'waiting_credit_most'",
    )
    age = (
        f"update mentorship_requests set created_at = %s where student_id = '{early}' returning id"
    )
    # Half of the score short: ten days make up for it, and one more decides.
    for days, first in ((9, late), (11, early)):
        project.rows(age, datetime.now(UTC) - timedelta(days=days))
        job(api)
        assert offers(project, "student_id") == [(first,)]
        project.run("delete from match_batches", "update mentorship_requests set status = 'open'")


def test_switched_off_it_offers_nothing(project: Project, api: Api) -> None:
    mentors(project, 1, "Python")
    students(project, 1, "Python")
    project.run("update program_settings set value = 'false' where key = 'auto_match'")
    assert job(api).counts == {"switched_off": 1}
    assert project.rows("select * from match_offers") == []


def test_only_one_student_when_one_is_named(project: Project, api: Api) -> None:
    mentors(project, 3, "Python")
    one = students(project, 3, "Python")[1]
    assert job(api, student_id=str(one)).counts["batches"] == 1
    assert project.rows("select distinct student_id from match_batches") == [(one,)]


def test_a_score_that_differs_from_the_definition_fails_the_run(
    project: Project, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    mentors(project, 2, "Python")
    students(project, 3, "Python", "SQL")
    monkeypatch.setattr("mentor_sync.matching.parity.reasons", lambda _part: ["Because."])
    with pytest.raises(ScoresDiffer, match="Nothing was offered"):
        job(api)
    assert project.rows("select * from match_offers") == []
    assert project.one("select error ->> 'code' from job_runs") == "scores_differ"


def test_a_chunk_that_takes_too_long_is_written_in_halves(project: Project, api: Api) -> None:
    mentors(project, 3, "Python", capacity=100)
    students(project, 9, "Python")
    project.run(
        "create function private.dawdle() returns trigger language plpgsql as $$ begin"
        " if (select count(*) from new_rows) > 3 then raise query_canceled; end if; return null;"
        " end $$",
        "create trigger dawdle after insert on match_batches referencing new table as new_rows"
        " for each statement execute function private.dawdle()",
    )
    assert job(api).counts["batches"] == 9
    assert project.one("select count(*) from match_offers") == 27


def test_profiles_that_changed_are_read_anew_first(project: Project, api: Api) -> None:
    mentors(project, 101, "Python")
    students(project, 1, "Python")
    stale = "select count(distinct user_id) from private.stale_profiles"
    assert project.one(stale) == 101
    assert job(api).counts["offers"] == 3
    assert project.one(stale) == 0


def test_mentors_are_told_as_they_prefer(project: Project, api: Api) -> None:
    inside, never, anyway = mentors(project, 3, "Python")
    project.run(
        "insert into contact_preferences (user_id, kind, channel) values"
        f" ('{inside}', 'mentor_recommendation', 'in_app'), ('{never}', 'all', 'off'),"
        f" ('{anyway}', 'feedback_survey', 'off')"
    )
    students(project, 2, "Python")
    assert job(api).counts["announced"] == 6
    found = project.rows("select recipient, status, count(*) from message_outbox group by 1, 2")
    assert set(found) == {(inside, "in_app", 2), (never, "off", 2), (anyway, "queued", 2)}
    assert project.rows("select user_id, count(*) from notifications group by 1") == [(inside, 2)]
