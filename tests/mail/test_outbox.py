"""The outbox: once a cause, as people prefer, not at night, not too many, gone when superseded."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import UTC, datetime

import psycopg
import pytest

from tests.mail.support import Worker, queue, statuses
from tests.people import as_admin, as_anon, as_mentor, as_person, as_service, as_student
from tests.project import Project, Session

Who = Callable[[Project], AbstractContextManager[Session]]


def test_the_same_cause_is_one_message(project: Project) -> None:
    ann, bob = project.person("ann@example.org"), project.person("bob@example.org")
    first = queue(project, ann, "m:1", p_data={"a": 1})
    assert queue(project, ann, "m:1", p_data={"a": 2}) == first
    assert len({first, queue(project, ann, "m:2"), queue(project, bob, "m:1")}) == 3
    assert project.one("select data from message_outbox where id = %s", first) == {"a": 1}


def test_a_cause_that_is_rolled_back_sends_nothing(project: Project) -> None:
    ann = project.person("ann@example.org")
    with psycopg.connect(project.dsn) as connection:
        connection.execute("select queue_message('milestone', %s, 'x')", [ann])
        connection.rollback()
    assert statuses(project) == {}


def test_a_message_is_claimed_with_all_it_takes_to_send_it(project: Project) -> None:
    ann = project.person(" Ann@example.org ")
    project.run("update users set timezone = 'Asia/Tokyo', locale = 'de', full_name = 'Ann'")
    made = queue(project, ann, p_data={"title": "T"})
    worker = Worker(project)
    (row,) = worker.claim()
    wanted = {"id": str(made), "kind": "milestone", "data": {"title": "T"}, "attempt": 1}
    person = {"address": "Ann@example.org", "name": "Ann", "timezone": "Asia/Tokyo", "locale": "de"}
    assert row == row | wanted | person
    assert worker.claim() == []
    assert worker.finish(made, provider_id="p1") == {"sent": 1}
    assert worker.finish(made) == {}
    rows = project.rows("select status, provider_id, sent_at is not null from message_outbox")
    assert rows == [("sent", "p1", True)]


def test_two_workers_never_have_the_same_message(project: Project) -> None:
    for number in range(60):
        queue(project, project.person(f"p{number}@example.org"))
    workers = [Worker(project) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        claims = list(pool.map(lambda worker: worker.claim(20), workers))
    ids = [row["id"] for rows in claims for row in rows]
    assert len(ids) == len(set(ids)) == 60


@pytest.mark.parametrize(
    ("flag", "kind"),
    [
        ("NEW_STUDENT_ASSIGNMENT", "new_student"),
        ("PENDING_SUBMISSION_REMINDER", "submission_received"),
        ("STUDENT_MILESTONE_ACHIEVED", "milestone"),
        ("SESSION_REMINDERS", "session_reminder"),
        ("OVERDUE_FEEDBACK_ALERT", "overdue_feedback"),
    ],
)
def test_a_switch_of_the_programme_ends_a_kind(project: Project, flag: str, kind: str) -> None:
    ann = project.person("ann@example.org")
    queue(project, ann, "on", p_kind=kind)
    project.run(f"update program_settings set value = 'false' where key = '{flag}'")
    queue(project, ann, "off", p_kind=kind)
    queue(project, ann, "other", p_kind="match_confirmed")
    found: dict[str, str] = dict(project.rows("select about, status from message_outbox"))
    assert found == {"on": "queued", "off": "off", "other": "queued"}


def test_what_may_have_been_sent_comes_back_whole_and_unjudged(project: Project) -> None:
    ann = project.person("ann@example.org")
    first, second = Worker(project), Worker(project)
    made = [queue(project, ann, f"m:{number}") for number in range(3)]
    (batch,) = {row["batch"] for row in first.claim()}
    first.die()
    project.run("insert into contact_hours select id, '00:00', '23:59' from users")
    later = queue(project, ann, "later", p_priority=9)
    again = second.claim()
    assert {row["id"] for row in again} == {str(i) for i in made}
    assert {row["batch"] for row in again} == {batch}
    assert second.finish(*made, outcome="retry") == {"uncertain": 3}
    assert [(row["id"], row["batch"]) for row in second.claim()] == [(str(later), str(later))]


def test_a_batch_in_doubt_waits_until_all_of_it_is_due(project: Project) -> None:
    ann, worker = project.person("ann@example.org"), Worker(project)
    made = [queue(project, ann, f"m:{number}") for number in range(2)]
    worker.claim()
    worker.finish(made[0], outcome="uncertain")
    worker.finish(made[1], outcome="uncertain", retry_after=900)
    project.run(f"update message_outbox set not_before = now() where id = '{made[0]}'")
    assert worker.claim() == []
    project.run("update message_outbox set not_before = now()")
    assert len(worker.claim()) == 2


def test_two_workers_never_share_a_batch_in_doubt(project: Project) -> None:
    ann, dead = project.person("ann@example.org"), Worker(project)
    project.run("update program_settings set value = '100' where key = 'mail_daily_cap'")
    for number in range(60):
        queue(project, ann, f"m:{number}")
    batches = [{row["id"] for row in dead.claim(20)} for _ in range(3)]
    dead.die()
    workers = [Worker(project) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        claims = list(pool.map(lambda n: workers[n % 4].claim(), range(20)))
    found = [{row["id"] for row in rows} for rows in claims if rows]
    assert sorted(map(sorted, found)) == sorted(map(sorted, batches))


def test_what_never_went_out_loses_no_attempt(project: Project) -> None:
    made, worker = queue(project, project.person("ann@example.org")), Worker(project)
    for _ in range(10):
        assert [row["attempt"] for row in worker.claim()] == [1]
        assert worker.finish(made, outcome="released") == {"queued": 1}


def test_what_is_for_later_is_decided_later(project: Project) -> None:
    ann, soon = project.person("ann@example.org"), "2100-01-01T00:00Z"
    for about in ("off", "in_app", "digest", "email"):
        queue(project, ann, about, p_not_before=soon, p_kind=f"kind_{about}")
        project.run(f"insert into contact_preferences values ('{ann}', 'kind_{about}', '{about}')")
    assert statuses(project) == {"queued": 4}
    project.run("update message_outbox set not_before = now()")
    assert [row["kind"] for row in Worker(project).claim()] == ["kind_email"]
    found: dict[str, str] = dict(project.rows("select about, status from message_outbox"))
    assert found == {"off": "off", "in_app": "in_app", "digest": "digest", "email": "sending"}
    assert project.rows("select type from notifications") == [("kind_in_app",)]


@pytest.mark.parametrize(
    "stop",
    [
        "update program_settings set value = 'false' where key = 'STUDENT_MILESTONE_ACHIEVED'",
        "insert into contact_preferences select id, 'milestone', 'off' from users",
        "select supersede_messages('x')",
    ],
)
def test_what_was_stopped_on_its_way_is_not_tried_again(project: Project, stop: str) -> None:
    made, worker = queue(project, project.person("ann@example.org")), Worker(project)
    worker.claim()
    project.run(stop)
    worker.finish(made, outcome="retry", reason="busy")
    project.run("update message_outbox set not_before = now()")
    assert worker.claim() == []
    assert statuses(project).keys() <= {"off", "superseded"}


def test_only_what_would_be_sent_counts_for_the_cap(project: Project) -> None:
    ann = project.person("ann@example.org")
    for number in range(6):
        queue(project, ann, f"late:{number}", p_expires_at="2026-01-01T00:00Z", p_priority=6)
    queue(project, ann, "good")
    Worker(project).claim()
    assert statuses(project) == {"expired": 6, "sending": 1}


def test_two_workers_keep_to_one_cap(project: Project) -> None:
    ann = project.person("ann@example.org")
    for number in range(8):
        queue(project, ann, f"m:{number}")
    first, second = Worker(project), Worker(project)
    assert len(first.claim(4)) + len(second.claim(4)) == 5


@pytest.mark.parametrize("value", ["5.0", "2.5", "99999999999", '"five"', "null", "[]"])
def test_an_odd_setting_stops_nothing(project: Project, value: str) -> None:
    project.run(f"update program_settings set value = '{value}' where key = 'mail_daily_cap'")
    queue(project, project.person("ann@example.org"))
    assert len(Worker(project).claim()) == 1


@pytest.mark.parametrize("ask", [None, 1, "x", [1], [{"about": "m"}], [{"answers": 5}]])
def test_a_question_that_is_none_stops_nobody(project: Project, ask: object) -> None:
    queue(project, project.person("ann@example.org"), p_data={"ask": ask})
    queue(project, project.person("bob@example.org"))
    assert len(Worker(project).claim()) == 2


def test_a_long_title_fails_no_cause(project: Project) -> None:
    ann = project.person("ann@example.org")
    project.run(f"insert into contact_preferences values ('{ann}', 'all', 'in_app')")
    for title in ("x" * 400, "", None):
        queue(project, ann, f"t:{title}", p_data={"title": title})
    rows = project.rows("select length(title) from notifications order by 1")
    assert rows == [(9,), (9,), (300,)]


def test_a_digest_is_not_kept_from_those_who_wait_longest_by_others(project: Project) -> None:
    early = [project.person(f"e{number}@example.org") for number in range(5)]
    late = project.person("late@example.org")
    project.run(
        "insert into contact_preferences select id, 'all', 'digest' from users",
        "update program_settings set value = '0' where key = 'digest_hour'",
    )
    worker = Worker(project)
    for person in early:
        queue(project, person, "today")
    assert worker.compose() == 5
    for person in (*early, late):
        queue(project, person, "again")
    query = "select compose_digests(%s, %s, 3) -> 'digests'"
    assert project.one(query, worker.run, worker.fence) == 1


def test_a_digest_leaves_out_what_is_too_late(project: Project) -> None:
    ann = project.person("ann@example.org")
    project.run(
        f"insert into contact_preferences values ('{ann}', 'all', 'digest')",
        "update program_settings set value = '0' where key = 'digest_hour'",
    )
    queue(project, ann)
    project.run("update message_outbox set expires_at = now() - interval '1 s'")
    assert Worker(project).compose() == 0
    assert statuses(project) == {"expired": 1}


def test_nothing_goes_to_an_address_that_bounced(project: Project) -> None:
    ann, bob = project.person("Ann@example.org "), project.person("bob@example.org")
    project.run("insert into undeliverable_addresses values ('ann@example.org', 'no such user')")
    queue(project, ann, p_priority=9)
    made = queue(project, bob)
    assert [row["id"] for row in Worker(project).claim()] == [str(made)]
    assert statuses(project) == {"failed": 1, "sending": 1}


def test_the_messages_of_a_dead_worker_wait_again(project: Project) -> None:
    made = queue(project, project.person("ann@example.org"))
    first, second = Worker(project), Worker(project)
    assert len(first.claim()) == 1
    assert second.claim() == []
    first.die()
    (row,) = second.claim()
    assert (row["id"], row["attempt"]) == (str(made), 2)
    assert second.finish(made) == {"sent": 1}


def test_a_worker_that_was_taken_over_ends_nothing(project: Project) -> None:
    made = queue(project, project.person("ann@example.org"))
    stale = Worker(project)
    stale.claim()
    project.run("update job_runs set fence = 2")
    with pytest.raises(psycopg.Error) as caught:
        stale.finish(made)
    assert caught.value.sqlstate == "MS001"
    assert statuses(project) == {"sending": 1}


def test_what_may_go_better_waits_and_is_dead_in_the_end(project: Project) -> None:
    made = queue(project, project.person("ann@example.org"))
    project.run("update message_outbox set max_attempts = 2")
    worker = Worker(project)
    worker.claim()
    assert worker.finish(made, outcome="retry", reason="busy", retry_after=900) == {"queued": 1}
    assert project.one("select not_before > now() + interval '890 s' from message_outbox")
    assert worker.claim() == []
    project.run("update message_outbox set not_before = now()")
    assert len(worker.claim()) == 1
    assert worker.finish(made, outcome="retry", reason="busy") == {"dead": 1}


@pytest.mark.parametrize("channel", ["off", "in_app", "digest", "email"])
@pytest.mark.parametrize("kind", ["milestone", "all"])
def test_people_get_it_as_they_prefer(project: Project, channel: str, kind: str) -> None:
    ann = project.person("ann@example.org")
    with as_person(project, ann) as person:
        insert = "insert into contact_preferences (user_id, kind, channel) values (%s, %s, %s)"
        assert person.changed(insert, ann, kind, channel) == 1
        person.connection.commit()
    queue(project, ann, p_data={"title": "Well done"})
    assert statuses(project) == {"queued" if channel == "email" else channel: 1}
    told = project.rows("select title from notifications where user_id = %s", ann)
    assert told == ([("Well done",)] if channel == "in_app" else [])


def test_a_choice_for_a_kind_goes_before_that_for_all(project: Project) -> None:
    ann = project.person("ann@example.org")
    project.run(
        f"insert into contact_preferences values ('{ann}', 'all', 'off'), "
        f"('{ann}', 'milestone', 'email')"
    )
    queue(project, ann)
    queue(project, ann, p_kind="session_reminder")
    assert statuses(project) == {"queued": 1, "off": 1}


QUIET = "select private.quiet_until(%s, %s, %s, %s)"


@pytest.mark.parametrize(
    ("now", "zone", "hours", "until"),
    [
        ("2026-11-21T22:30Z", "Europe/Berlin", ("22:00", "07:00"), "2026-11-22T06:00Z"),
        ("2026-11-21T05:30Z", "Europe/Berlin", ("22:00", "07:00"), "2026-11-21T06:00Z"),
        ("2026-11-21T12:00Z", "Europe/Berlin", ("22:00", "07:00"), None),
        ("2026-11-21T13:30Z", "Asia/Tokyo", ("22:00", "07:00"), "2026-11-21T22:00Z"),
        ("2026-11-21T13:30Z", "America/New_York", ("08:00", "09:00"), "2026-11-21T14:00Z"),
        ("2026-03-29T00:30Z", "Europe/Berlin", ("22:00", "07:00"), "2026-03-29T05:00Z"),
        ("2026-10-25T00:30Z", "Europe/Berlin", ("22:00", "07:00"), "2026-10-25T06:00Z"),
        ("2026-11-21T23:30Z", "Mars/Base", ("22:00", "07:00"), "2026-11-22T07:00Z"),
        ("2026-11-21T23:30Z", None, ("22:00", "07:00"), "2026-11-22T07:00Z"),
    ],
)
def test_quiet_hours_are_those_of_the_person(
    project: Project, now: str, zone: str | None, hours: tuple[str, str], until: str | None
) -> None:
    wanted = datetime.fromisoformat(until).astimezone(UTC) if until else None
    assert project.one(QUIET, now, zone, *hours) == wanted


def test_a_message_waits_until_it_is_not_quiet(project: Project) -> None:
    ann, bob = project.person("ann@example.org"), project.person("bob@example.org")
    project.run(
        f"insert into contact_hours select '{ann}', utc.here - interval '1 h',"
        " utc.here + interval '1 h' from (select (now() at time zone 'UTC')::time) as utc (here)"
    )
    queue(project, ann)
    queue(project, ann, "urgent", p_priority=9)
    queue(project, bob)
    claimed = Worker(project).claim()
    assert len(claimed) == 2
    assert project.one("select count(*) from message_outbox where not_before > now()") == 1


def test_more_than_the_cap_waits_for_the_digest(project: Project) -> None:
    ann, bob = project.person("ann@example.org"), project.person("bob@example.org")
    for number in range(8):
        queue(project, ann, f"m:{number}")
    queue(project, bob)
    worker = Worker(project)
    claimed = worker.claim()
    worker.finish(*(row["id"] for row in claimed))
    assert statuses(project) == {"sent": 6, "digest": 3}
    queue(project, ann, "m:9")
    assert worker.claim() == []
    assert statuses(project) == {"sent": 6, "digest": 4}


def test_a_digest_is_one_message_a_day(project: Project) -> None:
    ann = project.person("ann@example.org")
    project.run(
        f"insert into contact_preferences values ('{ann}', 'all', 'digest')",
        "update program_settings set value = '0' where key = 'digest_hour'",
    )
    for number in range(3):
        queue(project, ann, f"m:{number}", p_data={"n": number})
    worker = Worker(project)
    assert (worker.compose(), worker.compose()) == (1, 0)
    (digest,) = worker.claim()
    assert [message["data"]["n"] for message in digest["data"]["messages"]] == [0, 1, 2]
    assert (digest["kind"], statuses(project)) == ("digest", {"sending": 1, "digested": 3})
    queue(project, ann, "m:late")
    assert worker.compose() == 0


def test_before_its_hour_there_is_no_digest(project: Project) -> None:
    ann = project.person("ann@example.org")
    project.run(
        f"insert into contact_preferences values ('{ann}', 'all', 'digest')",
        "update program_settings set value = '24' where key = 'digest_hour'",
    )
    queue(project, ann)
    assert Worker(project).compose() == 0
    assert statuses(project) == {"digest": 1}


def test_what_is_superseded_or_too_late_is_never_sent(project: Project) -> None:
    ann = project.person("ann@example.org")
    queue(project, ann, "session:1", p_kind="session_reminder")
    queue(project, ann, "session:2", p_kind="session_reminder")
    queue(project, ann, "late", p_expires_at="2026-01-01T00:00Z")
    assert project.one("select supersede_messages('session:1')") == 1
    assert [row["kind"] for row in Worker(project).claim()] == ["session_reminder"]
    assert statuses(project) == {"superseded": 1, "sending": 1, "expired": 1}


@pytest.mark.parametrize("who", [as_anon, as_student, as_mentor, as_admin])
def test_the_outbox_is_nobody_s(any_project: Project, who: Who) -> None:
    ann = any_project.person("ann@example.org")
    with who(any_project) as person:
        for query in (
            "select from message_outbox",
            f"select queue_message('milestone', '{ann}', 'x')",
            "select claim_messages(gen_random_uuid(), 1)",
            "select finish_messages(gen_random_uuid(), 1, '[]')",
            "select compose_digests(gen_random_uuid(), 1)",
            "select supersede_messages('x')",
        ):
            assert person.refused(query)
    with as_service(any_project) as daemon:
        assert daemon.one(f"select queue_message('milestone', '{ann}', 'x')")


def test_nobody_sees_or_sets_the_preferences_of_others(any_project: Project) -> None:
    ann = any_project.person("ann@example.org")
    any_project.run(
        f"insert into contact_preferences values ('{ann}', 'all', 'off')",
        f"insert into contact_hours values ('{ann}', '22:00', '07:00')",
    )
    with as_student(any_project) as other:
        for table in ("contact_preferences", "contact_hours"):
            assert other.rows(f"select from {table}") == []
            assert other.changed(f"delete from {table}") == 0
        insert = "insert into contact_preferences values (%s, 'milestone', 'off')"
        assert other.refused(insert, ann)
    assert any_project.one("select count(*) from contact_preferences") == 1


def test_notifications_are_one_s_own(any_project: Project) -> None:
    ann = any_project.person("ann@example.org")
    call = "select create_notification(%s, 'test', 'Test', 'Test notification')"
    with as_admin(any_project) as admin:
        assert admin.one(call, ann)
        admin.connection.commit()
    with as_student(any_project) as other:
        assert other.rows("select from notifications") == []
        assert other.refused(call, ann)
    with as_person(any_project, ann) as person:
        assert person.changed("update notifications set read_at = now()") == 1
        assert person.refused("update notifications set title = 'x'")
        assert person.refused(
            "insert into notifications (user_id, type, title) values (%s, 'a', 'b')", ann
        )
    with as_anon(any_project) as anybody:
        assert anybody.refused("select from notifications")
