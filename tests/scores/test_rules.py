"""Hard rules and rankings: who is never offered, who is best, and why."""

from __future__ import annotations

from uuid import UUID

import pytest

from tests.community import mentor, student
from tests.people import as_anon, as_person, as_service
from tests.project import Api, Project

_BOTH = "from users a, users b where a.role = 'student' and b.role = 'mentor'"


def _rule(project: Project, ann: UUID, bob: UUID) -> str | None:
    rule: str | None = project.one("select private.blocking_rule(%s, %s)", ann, bob)
    return rule


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("delete from mentors", "not_a_mentor"),
        ("delete from mentorship_profiles where role = 'mentor'", "not_a_mentor"),
        ("update mentors set is_approved = false", "not_approved"),
        ("update mentors set is_active = false", "inactive"),
        ("update users set status = 'Inactive' where role = 'mentor'", "inactive"),
        ("update mentorship_profiles set is_active = false where role = 'mentor'", "inactive"),
        ("update mentorship_profiles set paused_until = now() + '1 day'", "paused"),
        ("update mentorship_profiles set available_hours = 0", "no_hours"),
        ("update mentors set capacity = 0", "full"),
        (f"insert into blocked_pairs select a.id, b.id {_BOTH}", "blocked"),
        (
            f"insert into matches (student_id, mentor_id) select a.id, b.id {_BOTH}",
            "matched_before",
        ),
    ],
)
def test_a_rule_keeps_two_apart(project: Project, change: str, rule: str) -> None:
    ann, bob = student(project), mentor(project)
    assert _rule(project, ann, bob) is None
    project.run(change)
    assert _rule(project, ann, bob) == rule
    assert project.one("select private.rule_words(%s)", rule)
    assert _rule(project, bob, bob) == "oneself"


def _ask(project: Project, student: UUID, **values: str) -> None:
    columns = "".join(f", {name}" for name in values)
    given = "".join(f", '{value}'" for value in values.values())
    project.run(
        f"insert into mentorship_requests (student_id, expires_at{columns})"
        f" values ('{student}', now() + '1 day'{given})"
    )


def test_a_request_may_ask_for_a_language_and_a_time_zone(project: Project) -> None:
    ann = student(project, timezone="Europe/Berlin")
    near = mentor(project, "near@x.org", languages=("de",), timezone="Europe/Paris")
    far = mentor(project, "far@x.org", languages=("de", "en"), timezone="America/New_York")
    mute = mentor(project, "mute@x.org", timezone="Europe/Paris")
    assert [_rule(project, ann, m) for m in (near, far, mute)] == [None] * 3
    _ask(project, ann, required_languages="{de,fr}", max_timezone_hours="2")
    assert [_rule(project, ann, m) for m in (near, far, mute)] == [None, "timezone", "language"]


def test_the_time_zones_of_the_earth_are_a_circle(project: Project) -> None:
    apart = "select private.hours_apart('Pacific/Auckland', 'Pacific/Honolulu')"
    assert project.one(apart) == 2
    for nowhere in ("Nowhere/City", "X167"):
        assert project.one("select private.hours_apart('UTC', %s)", nowhere) is None


def test_a_silent_mentor_leaves_the_pool_and_comes_back(project: Project) -> None:
    bob = mentor(project, capacity=4)
    for n in range(3):
        _offer(project, student(project, f"{n}@x.org"), bob, "expired", hours=100 + n)
    assert _state(project, bob) == (4, 0, "silent")
    project.run("update mentorship_profiles set about = 'Back again'")
    assert _state(project, bob) == (4, 4, None)


def test_a_slow_mentor_gets_half(project: Project) -> None:
    bob = mentor(project, capacity=5)
    _offer(project, student(project), bob, "declined", hours=100)
    assert _state(project, bob) == (5, 3, None)
    _offer(project, student(project, "b@x.org"), bob, "declined", hours=1)
    _offer(project, student(project, "c@x.org"), bob, "declined", hours=1)
    assert _state(project, bob) == (5, 5, None)


def _offer(project: Project, student: UUID, mentor: UUID, status: str, hours: int) -> None:
    """An offer of two weeks ago that was answered, or expired, after so many hours."""
    _ask(project, student)
    project.run(
        "with batch as (insert into match_batches (request_id, student_id, weights_version,"
        " input_hash, status, expires_at) select id, student_id, 1, 0, 'expired', now()"
        f" from mentorship_requests where student_id = '{student}' returning *)"
        " insert into match_offers (batch_id, request_id, student_id, mentor_id, rank, units,"
        " confidence, breakdown, status, created_at, answered_at)"
        f" select id, request_id, student_id, '{mentor}', 1, 1, 1, '{{}}', '{status}',"
        f" now() - interval '14 days', now() - interval '14 days' + interval '{hours} hours'"
        " from batch",
        "alter table mentorship_profiles disable trigger mentor_sync_touch",
        f"update mentorship_profiles set updated_at = now() - interval '15 days'"
        f" where user_id = '{mentor}'",
        "alter table mentorship_profiles enable trigger mentor_sync_touch",
    )


def _state(project: Project, mentor: UUID) -> tuple[int, int, str | None]:
    query = "select declared, effective, rule from v_mentor_capacity where mentor_id = %s"
    with as_service(project) as daemon:
        ((declared, effective, rule),) = daemon.rows(query, mentor)
    return declared, effective, rule


def test_the_best_three_in_one_call_over_the_api(project: Project, api: Api) -> None:
    ann = student(project, skills=("Rust", "Kotlin", "Law", "Music"))
    words = ("Rust", "Kotlin", "Law", "Music")
    mentors = [mentor(project, f"{n}@x.org", skills=words[: n + 1]) for n in range(4)]
    project.run(f"update mentors set capacity = 0 where person_id = '{mentors[3]}'")
    answer = api.request("POST", "rpc/recommend_mentors", json={"p_student_id": str(ann)})
    rows = answer.json()
    assert [row["mentor_id"] for row in rows] == [str(m) for m in reversed(mentors[:3])]
    assert [row["score"] for row in rows] == [75, 50, 25]
    assert rows[0]["reasons"] == ["Skills wanted and known: Kotlin, Law, Rust"]
    anybody = api.request("POST", "rpc/recommend_mentors", key=api.keys.publishable_key, json={})
    assert anybody.status_code == 401


def test_why_and_why_not(project: Project) -> None:
    ann = student(project, skills=("Rust", "Kotlin"))
    best = mentor(project, "best@x.org", skills=("Rust", "Kotlin"))
    good = mentor(project, "good@x.org", skills=("Rust",))
    with as_person(project, ann) as session:
        why = session.one("select explain_match(%s, %s)", ann, good)
        assert (why["rank"], why["of"], why["gives_up"], why["rule"]) == (2, 2, 50, None)
        assert [other["mentor_id"] for other in why["ahead"]] == [str(best)]
        top = session.one("select explain_match(%s, %s)", ann, best)
        assert (top["rank"], top["gives_up"], top["ahead"]) == (1, 0, [])
    project.run(f"insert into blocked_pairs values ('{ann}', '{good}')")
    with as_service(project) as session:
        why = session.one("select explain_match(%s, %s)", ann, good)
        assert (why["rule"], why["of"]) == ("blocked", 2)
        assert "not to be brought together" in why["rule_in_words"]


def test_the_state_of_mentors_is_for_the_daemon(project: Project) -> None:
    bob = mentor(project)
    with as_person(project, bob) as session, as_anon(project) as anybody:
        for person in (session, anybody):
            assert person.refused("select from v_mentor_capacity")
            assert person.refused("select private.mentor_states('{}')")


def test_a_mentor_is_not_told_who_else_suits(project: Project) -> None:
    ann, bob = student(project, skills=("Rust",)), mentor(project, skills=("Rust",))
    mentor(project, "best@x.org", skills=("Rust",))
    project.run(f"update users set mentor_id = '{bob}' where id = '{ann}'")
    with as_person(project, bob) as session:
        why = session.one("select explain_match(%s, %s)", ann, bob)
        assert why == session.one("select calculate_match_score(%s, %s)", ann, bob)
        assert not why.keys() & {"rank", "of", "ahead", "best_total", "rule"}


def test_the_capacity_of_mentors_is_for_the_daemon_to_read(project: Project) -> None:
    bob, cid = mentor(project, "bob@x.org", capacity=2), mentor(project, "cid@x.org", capacity=0)
    view = "select mentor_id, declared, free, rule from v_mentor_capacity where mentor_id = %s"
    with as_service(project) as daemon:
        assert daemon.rows(view, bob) == [(bob, 2, 2, None)]
        assert daemon.rows(view, cid) == [(cid, 0, 0, "full")]
