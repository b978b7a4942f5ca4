"""Students get mentors, nobody asked: all of them while there are seats, once, by the rules."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager

import pytest

from mentor_sync.errors import ApiError
from mentor_sync.job import Progress
from mentor_sync.runner import enqueue, run_queued
from tests.assign.support import JOB, TABLES, assign, overfull, pairs, waits
from tests.jobs.test_undo_run import undo
from tests.matches.support import disagreeing, mails
from tests.offers.support import job, mentors, plain_settings, students
from tests.people import as_admin, as_anon, as_mentor, as_student
from tests.project import Api, Project, Session

Actor = Callable[[Project], AbstractContextManager[Session]]


class Killed(BaseException):
    """As if the process were gone: nothing is noted."""


def test_nobody_is_assigned_until_it_is_switched_on(project: Project, api: Api) -> None:
    mentors(project, 1, "Python")
    (one,) = students(project, 1, "Python")
    assert job(api, JOB).counts == {"switched_off": 1}
    assert pairs(project) == {}
    project.run("update program_settings set value = 'true' where key = 'auto_assignment'")
    assert job(api, JOB).counts == {"placed": 1, "without": 0}
    assert list(pairs(project)) == [one]
    assert project.one("select cron from job_schedules where job = %s", JOB) == "30 3 * * *"


def test_everybody_is_placed_where_seats_suffice(project: Project, api: Api) -> None:
    rust = mentors(project, 3, "Rust", capacity=4)
    music = mentors(project, 2, "Music", capacity=6, start=4)
    asked, other = students(project, 12, "Rust"), students(project, 12, "Music", start=13)
    project.run(
        "insert into blocked_pairs (student_id, mentor_id)"
        f" values ('{asked[0]}', '{rust[0]}'), ('{asked[0]}', '{rust[1]}')",
        "insert into matches (student_id, mentor_id, status, ended_at)"
        f" values ('{other[0]}', '{music[0]}', 'dissolved', now())",
        f"delete from mentorship_requests where student_id = '{other[1]}'",
    )
    run, records = assign(api)
    assert (run.status, run.counts) == ("succeeded", {"placed": 24, "without": 0})
    (goal, *placed) = records
    assert (goal["placed"], goal["proven"], goal["total"]) == (24, True, 2400.0)
    assert goal["total"] == goal["bound"]
    found = pairs(project)
    assert (len(found), found[asked[0]], found[other[0]]) == (24, rust[2], music[1])
    assert {found[student] for student in asked} == set(rust)
    assert (overfull(project), disagreeing(project)) == ([], [])
    assert {record["outcome"] for record in placed} == {"placed"}
    assert project.rows("select distinct status from mentorship_requests") == [("matched",)]
    assert {("match_confirmed", other[1]), ("new_student", rust[2])} < mails(project)
    score, breakdown, reason = project.rows(
        "select score, breakdown -> 'technical' -> 'matched', reason from matches as m"
        " join match_events as e on e.match_id = m.id where student_id = %s",
        asked[0],
    )[0]
    assert (score, breakdown, reason) == (100, ["Rust"], "Assigned by the programme.")


def test_where_seats_are_short_those_who_wait_longest_have_them(project: Project, api: Api) -> None:
    mentors(project, 1, "Rust", capacity=2)
    waiting = sorted(students(project, 5, "Rust"))
    waits(project, waiting[3], 10)
    waits(project, waiting[4], 20)
    dry, told = assign(api, dry_run=True, max_changes=1)
    assert [r["student_id"] for r in told if r["outcome"] == "placed"] == [str(waiting[4])]
    assert [r["reason"] for r in told if r["outcome"] == "without"] == ["No seat left."] * 3
    assert (dry.counts, pairs(project)) == ({"placed": 1, "without": 3}, {})
    run, _ = assign(api)
    assert set(pairs(project)) == {waiting[3], waiting[4]}
    assert run.counts == {"placed": 2, "without": 3}
    assert (overfull(project), disagreeing(project)) == ([], [])


def test_who_asked_mentors_or_said_no_is_left_alone(project: Project, api: Api) -> None:
    rust = [*mentors(project, 1, "Rust"), *mentors(project, 1, "Music", start=2)]
    offered, cancelled, done, unasked, picky, speaker, asleep = students(project, 7, "Rust")
    job(api, student_id=str(offered))
    project.run(
        f"update mentorship_requests set status = 'cancelled', closed_at = now()"
        f" where student_id = '{cancelled}'",
        f"delete from mentorship_requests where student_id in ('{done}', '{unasked}')",
        "insert into matches (student_id, mentor_id, status, ended_at)"
        f" values ('{done}', '{rust[0]}', 'completed', now())",
        f"update mentorship_requests set mentor_id = '{rust[1]}' where student_id = '{picky}'",
        "update mentorship_requests set required_languages = '{de}'"
        f" where student_id = '{speaker}'",
        f"update users set status = 'Inactive' where id = '{asleep}'",
    )
    assert assign(api, dry_run=True, unasked=False)[0].counts == {"placed": 1, "without": 1}
    assert assign(api)[0].counts == {"placed": 2, "without": 1}
    found = pairs(project)
    assert (set(found), found[picky]) == ({unasked, picky}, rust[1])
    assert project.one("select count(*) from match_offers where status = 'offered'") == 1


def test_each_goal_is_reached_in_its_own_way(project: Project, api: Api) -> None:
    """Of a and b, c and d: who has the best pair leaves the other with little."""
    ones, twos = ["A1", "A2", "A3", "A4", "A5"], ["B1", "B2", "B3", "B4", "B5"]
    mentors(project, 1, *ones, capacity=1)
    mentors(project, 1, *ones[:2], capacity=1, start=2)
    mentors(project, 1, *twos[:4], *("C1", "C2", "C3"), capacity=1, start=3)
    mentors(project, 1, *twos[:3], capacity=1, start=4)
    students(project, 1, *ones)
    students(project, 1, "A5", "Z1", start=2)
    students(project, 1, *twos, start=3)
    students(project, 1, "C1", "C2", "C3", "C4", "C5", start=4)
    _, records = assign(api, dry_run=True, compare=True)
    told = {r["goal"]: (r["total"], r["lowest"], r["good"]) for r in records if "goal" in r}
    assert told == {
        "score": (220, 0, 1),
        "coverage": (180, 0, 2),
        "stable": (180, 0, 2),
        "fair": (210, 40, 0),
    }
    assert all(r["proven"] and r["placed"] == 4 for r in records if "goal" in r)
    blocking = {r["goal"]: r["blocking_pairs"] for r in records if "goal" in r}
    assert (blocking["stable"], blocking["fair"] > 0) == (0, True)
    assign(api, goal="fair")
    assert sorted(project.rows("select score from matches")) == [(40,), (50,), (60,), (60,)]


def test_a_dry_run_tells_the_same_and_the_second_run_places_nobody(
    project: Project, api: Api
) -> None:
    mentors(project, 3, "Rust", capacity=4)
    students(project, 10, "Rust")
    before = project.contents(*TABLES)
    dry, told = assign(api, dry_run=True, chunk_size=3)
    assert project.contents(*TABLES) == before
    real, records = assign(api, chunk_size=3)
    assert (real.counts, records) == (dry.counts, told)
    after = project.contents(*TABLES)
    assert assign(api)[0].counts == {"without": 0}
    assert project.contents(*TABLES) == after


def test_two_runs_at_once_place_each_student_once(project: Project, api: Api) -> None:
    mentors(project, 10, "Rust", capacity=4)
    students(project, 40, "Rust")
    with ThreadPoolExecutor(2) as pool:
        runs = list(pool.map(lambda _: assign(api, chunk_size=7)[0], range(2)))
    assert sum(run.counts.get("placed", 0) for run in runs) == 40
    assert project.rows("select count(*), count(distinct student_id) from matches") == [(40, 40)]
    assert (overfull(project), disagreeing(project)) == ([], [])
    assert project.one("select count(*) from message_outbox where kind = 'new_student'") == 40


def test_a_run_killed_in_the_middle_goes_on(project: Project, api: Api) -> None:
    mentors(project, 5, "Rust", capacity=6)
    students(project, 30, "Rust")

    def die(progress: Progress) -> None:
        if progress.counts.get("placed", 0) >= 10:
            raise Killed

    with api.database() as database:
        run = enqueue(database, JOB, {"force": True})
        with pytest.raises(Killed):
            run_queued(database, plain_settings(chunk_size=10), run, report=die)
        assert project.one("select count(*) from matches") == 10
        project.run("update job_runs set lease_expires_at = now() - interval '1 second'")
        database.rpc("claim_runs", {"p_worker": "x", "p_jobs": ["undo_run"]}, expect=list)
        ended = run_queued(database, plain_settings(chunk_size=10), run)
    assert ended.counts == {"placed": 30, "without": 0}
    assert (len(pairs(project)), overfull(project), disagreeing(project)) == (30, [], [])


def test_one_that_fails_is_set_aside_and_one_too_late_is_dropped(
    project: Project, api: Api
) -> None:
    rust = mentors(project, 1, "Rust", capacity=4)[0]
    late, ill, well, last = students(project, 4, "Rust")
    for days, student in enumerate((late, ill, well, last)):
        waits(project, student, 10 - days)
    project.run(
        "create function public.refuse() returns trigger language plpgsql as $$ begin"
        f" if new.student_id = '{ill}' then raise 'No, not this one.'; end if; return new; end $$",
        "create trigger refuse before insert on matches for each row execute function refuse()",
    )
    other = mentors(project, 1, "Music", start=2)[0]
    project.run(f"update mentors set is_approved = false where person_id = '{other}'")

    def meanwhile(*_: object) -> None:
        project.run(
            f"insert into matches (student_id, mentor_id) values ('{late}', '{other}')",
            f"update mentors set capacity = 2 where person_id = '{rust}'",
        )

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mentor_sync.matching.parity.Sample.check", meanwhile)
        run, records = assign(api)
    assert run.status == "partial"
    dropped = {"dropped_has_mentor": 1, "dropped_full": 1}
    assert run.counts == {"placed": 1, "failed": 1, "without": 0, **dropped}
    assert {r["student_id"]: (r["outcome"], r["reason"]) for r in records[1:]} == {
        str(late): ("dropped", "has_mentor"),
        str(ill): ("failed", "No, not this one."),
        str(well): ("placed", None),
        str(last): ("dropped", "full"),
    }
    assert pairs(project) == {late: other, well: rust}


def test_an_answer_that_is_lost_is_given_again(project: Project, api: Api) -> None:
    (mentor,), (student,) = mentors(project, 1, "Rust", capacity=1), students(project, 1, "Rust")
    assign(api, dry_run=True)
    project.run("update job_runs set status = 'running', lease_expires_at = now() + interval '1 h'")
    run, fence = project.rows("select id, fence from job_runs")[0]
    request = project.one("select id from mentorship_requests")
    pair = {"student_id": student, "mentor_id": mentor, "request_id": request, "units": 5}
    pair = {key: value if key == "units" else str(value) for key, value in pair.items()}
    call = {"p_run_id": str(run), "p_fence": fence, "p_pairs": [{**pair, "breakdown": {}}]}
    with api.database() as database:
        first = database.rpc("save_assignments", call, expect=dict)
        assert first["counts"] == {"placed": 1}
        assert database.rpc("save_assignments", call, expect=dict) == first
        with pytest.raises(ApiError, match="not yours any more"):
            database.rpc("save_assignments", {**call, "p_fence": fence + 1}, expect=dict)
    assert project.one("select progress -> 'counts' -> 'placed' from job_runs") == 1
    assert len(pairs(project)) == 1


@pytest.mark.parametrize("actor", [as_student, as_mentor, as_admin, as_anon])
def test_only_the_service_assigns(project: Project, actor: Actor) -> None:
    none = "00000000-0000-0000-0000-000000000000"
    with actor(project) as session:
        assert session.refused("select assignment_settings()")
        assert session.refused("select students_to_assign()")
        assert session.refused("select mentors_to_assign()")
        assert session.refused("select departure('mentor@example.org')")
        assert session.refused(f"select save_assignments('{none}', 1, '[]')")


def test_undoing_an_assignment_ends_its_matches(project: Project, api: Api) -> None:
    rust = mentors(project, 2, "Rust", capacity=3)
    first = students(project, 2, "Rust")
    assign(api)
    before = pairs(project)
    students(project, 3, "Rust", start=3)
    run, _ = assign(api)
    assert len(pairs(project)) == 5
    assert undo(api, run).counts == {"undone": 3}
    assert (pairs(project), set(before)) == (before, set(first))
    taken_back = "select count(*) from matches where status = 'dissolved' and undone"
    assert project.one(f"{taken_back} and end_reason = 'The assignment was taken back.'") == 3
    assert (disagreeing(project), len(rust)) == ([], 2)
    waiting = "select count(*) from mentorship_requests where status = 'open' and closed_at is null"
    assert project.one(waiting) == 3
    # As if it had not been: the same mentors may have them, and the requests are answered.
    assert assign(api)[0].counts == {"placed": 3, "without": 0}
    assert (project.one(waiting), disagreeing(project)) == (0, [])


def test_undoing_late_does_not_ask_the_same_mentor_again(project: Project, api: Api) -> None:
    mentors(project, 1, "Rust")
    students(project, 1, "Rust")
    run, _ = assign(api)
    project.run(
        "update matches set started_at = started_at - interval '2 days'",
        "update mentorship_requests set expires_at = now()",
    )
    assert undo(api, run).counts == {"undone": 1}
    assert project.rows("select undone, request_id is null from matches") == [(False, False)]
    assert project.one("select status from mentorship_requests") == "matched"
    assert assign(api)[0].counts == {"without": 1}


def test_who_is_left_out_is_told_why(project: Project, api: Api) -> None:
    rust, music = *mentors(project, 1, "Rust"), *mentors(project, 1, "Music", start=2)
    speaker, far, picky, kept = students(project, 4, "Rust")
    wish = "update mentorship_requests set {} where student_id = '{}'"
    project.run(
        wish.format("required_languages = '{de,fr}'", speaker),
        wish.format("max_timezone_hours = 1", far),
        wish.format(f"mentor_id = '{music}'", picky),
        f"update mentors set capacity = 0 where person_id = '{music}'",
        f"insert into blocked_pairs (student_id, mentor_id) values ('{kept}', '{rust}')",
    )
    run, records = assign(api)
    assert run.counts == {"without": 4}
    assert {r["student_id"]: r["reason"] for r in records if r["outcome"] == "without"} == {
        str(speaker): "No mentor with a seat speaks de, fr.",
        str(far): "No mentor with a seat is in a time zone so near.",
        str(picky): "The mentor has no seat left.",
        str(kept): "No seat left, or no mentor whom the rules allow.",
    }
