"""Sessions: both sides are invited, told of a move and of the end, and reminded in time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest
from icalendar import Calendar

from tests.mail.support import statuses
from tests.mail.test_deliver import deliver, mails
from tests.mail.test_links import site
from tests.people import as_anon, as_mentor, as_person, as_student
from tests.project import Api, Project

__all__ = ["site"]
SOON = datetime.now(UTC).replace(microsecond=0) + timedelta(days=3)


@pytest.fixture
def pair(project: Project) -> tuple[UUID, UUID]:
    """A mentor in Berlin and a student in Tokyo."""
    mentor, student = project.mentor("mentor@example.org"), project.person("student@example.org")
    project.run(
        f"update users set timezone = 'Europe/Berlin' where id = '{mentor}'",
        f"update users set timezone = 'Asia/Tokyo' where id = '{student}'",
    )
    return mentor, student


def arranged(project: Project, pair: tuple[UUID, UUID], at: datetime = SOON, **values: Any) -> UUID:
    insert = """insert into mentorship_sessions
      (mentor_id, user_id, session_type, status, scheduled_at, meeting_url)
      values (%s, %s, 'MOCK_INTERVIEW', %s, %s, 'https://meet.example/1') returning session_id"""
    return UUID(str(project.one(insert, *pair, values.get("status", "SCHEDULED"), at)))


def change(project: Project, session: UUID, values: str) -> None:
    project.run(f"update mentorship_sessions set {values} where session_id = '{session}'")


def abouts(project: Project, kind: str, status: str = "queued") -> list[str]:
    query = "select about from message_outbox where kind = %s and status = %s order by 1"
    return [about for (about,) in project.rows(query, kind, status)]


def events(ics: str) -> list[Any]:
    return list(Calendar.from_ical(ics).events)


def invitations(folder: Path) -> list[tuple[Any, EmailMessage]]:
    """The events and the mails that brought them, in the order of their SEQUENCE."""
    found = []
    for mail in mails(folder).values():
        for part in mail.iter_attachments():
            calendar = Calendar.from_ical(part.get_content())
            found.append((calendar, mail))
    return sorted(found, key=lambda one: one[0].events[0]["SEQUENCE"])


def test_both_sides_are_invited_and_reminded(
    project: Project, api: Api, pair: tuple[UUID, UUID], tmp_path: Path
) -> None:
    session = arranged(project, pair)
    assert len(abouts(project, "session_reminder")) == 4
    deliver(api, tmp_path / "box")
    found = invitations(tmp_path / "box")
    assert {mail["To"].addresses[0].addr_spec for _, mail in found} == {
        "mentor@example.org", "student@example.org",
    }  # fmt: skip
    for calendar, _ in found:
        (event,) = calendar.events
        assert (event["UID"].split("@")[0], event["SEQUENCE"]) == (str(session), 0)
        assert (event.start.astimezone(UTC), str(event.start.tzinfo)) == (SOON, "Europe/Berlin")
        assert event.end - event.start == timedelta(hours=1)
    assert statuses(project) == {"sent": 2, "queued": 4}


def test_a_move_and_a_cancellation_are_of_the_same_event(
    project: Project, api: Api, pair: tuple[UUID, UUID], tmp_path: Path
) -> None:
    session, later = arranged(project, pair), SOON + timedelta(days=1)
    deliver(api, tmp_path / "box")
    change(project, session, f"scheduled_at = '{later}'")
    deliver(api, tmp_path / "box")
    change(project, session, "status = 'CANCELLED'")
    deliver(api, tmp_path / "box")
    calendars = [calendar for calendar, _ in invitations(tmp_path / "box")]
    assert [c["METHOD"] for c in calendars] == ["REQUEST"] * 4 + ["CANCEL"] * 2
    assert [c.events[0]["SEQUENCE"] for c in calendars] == [0, 0, 1, 1, 2, 2]
    assert len({c.events[0]["UID"] for c in calendars}) == 1
    assert calendars[2].events[0].start.astimezone(UTC) == later
    assert abouts(project, "session_reminder") == []


@pytest.mark.parametrize(
    "values",
    ["status = 'PENDING', scheduled_at = null", "is_deleted = true", "scheduled_at = '2026-01-01'"],
)
def test_what_is_not_to_come_any_more_leaves_calendars(
    project: Project, api: Api, pair: tuple[UUID, UUID], tmp_path: Path, values: str
) -> None:
    session = arranged(project, pair)
    deliver(api, tmp_path / "first")
    change(project, session, values)
    deliver(api, tmp_path / "then")
    calendars = [calendar for calendar, _ in invitations(tmp_path / "then")]
    assert [(c["METHOD"], c.events[0]["SEQUENCE"]) for c in calendars] == [("CANCEL", 1)] * 2
    assert calendars[0].events[0].start.astimezone(UTC) == SOON
    assert abouts(project, "session_reminder") == []


def test_a_move_that_nobody_heard_of_hides_no_end(
    project: Project, api: Api, pair: tuple[UUID, UUID], tmp_path: Path
) -> None:
    session = arranged(project, pair)
    deliver(api, tmp_path / "first")
    change(project, session, "scheduled_at = scheduled_at + interval '1 day'")
    change(project, session, "status = 'CANCELLED'")
    deliver(api, tmp_path / "then")
    assert [c["METHOD"] for c, _ in invitations(tmp_path / "then")] == ["CANCEL"] * 2


def test_a_session_that_is_held_after_all_is_invited_to_again(
    project: Project, api: Api, pair: tuple[UUID, UUID], tmp_path: Path
) -> None:
    session = arranged(project, pair)
    deliver(api, tmp_path / "first")
    change(project, session, "status = 'CANCELLED'")
    deliver(api, tmp_path / "second")
    change(project, session, "status = 'SCHEDULED'")
    deliver(api, tmp_path / "third")
    calendars = [calendar for calendar, _ in invitations(tmp_path / "third")]
    assert [(c["METHOD"], c.events[0]["SEQUENCE"]) for c in calendars] == [("REQUEST", 2)] * 2
    assert len(abouts(project, "session_reminder")) == 4


@pytest.mark.parametrize("what", ["mentorship_sessions", "users"])
def test_a_session_that_is_gone_leaves_calendars(
    project: Project, api: Api, pair: tuple[UUID, UUID], tmp_path: Path, what: str
) -> None:
    arranged(project, pair)
    deliver(api, tmp_path / "first")
    where = f"where id = '{pair[0]}'" if what == "users" else ""
    project.run(f"delete from {what} {where}")
    deliver(api, tmp_path / "then")
    told = [mail["To"].addresses[0].addr_spec for c, mail in invitations(tmp_path / "then")]
    assert "student@example.org" in told
    assert {str(c["METHOD"]) for c, _ in invitations(tmp_path / "then")} == {"CANCEL"}
    assert abouts(project, "session_reminder") == []


@pytest.mark.parametrize(
    "values",
    [
        "update mentorship_sessions set title = 'a' || chr(7) || 'b'",
        "update users set full_name = 'a' || chr(7) || E'\\\\b'",
        "update users set timezone = 'PST'",
        "update users set email = '' where role = 'student'",
    ],
)
def test_what_no_calendar_may_hold_is_left_out(
    project: Project, api: Api, pair: tuple[UUID, UUID], tmp_path: Path, site: str, values: str
) -> None:
    project.run("update users set full_name = 'M' where role = 'mentor'")
    arranged(project, pair)
    project.run(values)
    project.run("update mentorship_sessions set scheduled_at = scheduled_at + interval '1 day'")
    deliver(api, tmp_path / "box")
    assert "REQUEST" in {str(c["METHOD"]) for c, _ in invitations(tmp_path / "box")}
    with as_person(project, pair[0]) as mentor:
        token = mentor.one("select reset_calendar_feed()")
        mentor.connection.commit()
    assert len(events(httpx.get(f"{site}/calendar/{token}.ics").text)) == 1


def test_who_was_not_told_of_it_is_not_told_of_its_end(
    project: Project, pair: tuple[UUID, UUID]
) -> None:
    session = arranged(project, pair)
    change(project, session, "status = 'CANCELLED'")
    assert statuses(project) == {"superseded": 2}


def test_a_mentor_who_is_replaced_has_it_taken_out_of_the_calendar(
    project: Project, api: Api, pair: tuple[UUID, UUID], tmp_path: Path
) -> None:
    session, other = arranged(project, pair), project.mentor("other@example.org")
    deliver(api, tmp_path / "first")
    change(project, session, f"mentor_id = '{other}'")
    deliver(api, tmp_path / "then")
    told = {
        mail["To"].addresses[0].addr_spec: str(calendar["METHOD"])
        for calendar, mail in invitations(tmp_path / "then")
    }
    assert told == {
        "mentor@example.org": "CANCEL",
        "student@example.org": "REQUEST",
        "other@example.org": "REQUEST",
    }
    assert len(abouts(project, "session_reminder")) == 4


def test_a_moved_session_is_reminded_of_at_its_new_time_only(
    project: Project, pair: tuple[UUID, UUID]
) -> None:
    session = arranged(project, pair)
    before = abouts(project, "session_reminder")
    change(project, session, f"scheduled_at = '{SOON + timedelta(days=1)}'")
    after = abouts(project, "session_reminder")
    assert len(before) == len(after) == 4
    assert not set(before) & set(after)
    wanted = {SOON + timedelta(days=1) - timedelta(hours=h) for h in (1, 24)}
    assert {
        at
        for (at,) in project.rows(
            "select not_before from message_outbox where kind = 'session_reminder'"
        )
    } == wanted


def test_a_session_in_two_hours_is_reminded_of_once(
    project: Project, pair: tuple[UUID, UUID]
) -> None:
    arranged(project, pair, datetime.now(UTC) + timedelta(hours=2))
    assert len(abouts(project, "session_reminder")) == 2


@pytest.mark.parametrize("values", ["notes = 'x'", "session_rating = 5", "platform = 'zoom'"])
def test_what_calendars_do_not_show_is_no_change(
    project: Project, pair: tuple[UUID, UUID], values: str
) -> None:
    session = arranged(project, pair)
    before = project.contents("message_outbox")
    change(project, session, values)
    assert project.contents("message_outbox") == before
    assert project.one("select calendar_sequence from mentorship_sessions") == 0


def test_a_wish_or_a_session_of_the_past_is_no_invitation(
    project: Project, pair: tuple[UUID, UUID]
) -> None:
    arranged(project, pair, status="PENDING")
    arranged(project, pair, SOON - timedelta(days=30))
    assert statuses(project) == {}


@pytest.mark.parametrize(
    "values",
    [
        *("meeting_url = 'javascript:alert(1)'", "meeting_url = 'https://x/a|b'"),
        *("ends_at = scheduled_at", "scheduled_at = null", "status = 'DONE'"),
        *("session_rating = 6", "session_type = 'mock-interview'"),
    ],
)
def test_what_no_session_can_be_is_refused(
    project: Project, pair: tuple[UUID, UUID], values: str
) -> None:
    session = arranged(project, pair)
    with pytest.raises(psycopg.errors.CheckViolation):
        change(project, session, values)


def test_both_sides_see_their_session_and_nobody_else(
    project: Project, pair: tuple[UUID, UUID]
) -> None:
    session = arranged(project, pair)
    for side in pair:
        with as_person(project, side) as person:
            assert person.rows("select session_id from mentorship_sessions") == [(session,)]
            assert person.refused("update mentorship_sessions set notes = 'x'")
    for who in (as_mentor, as_student):
        with who(project, f"{who.__name__}@example.org") as other:
            assert other.rows("select from mentorship_sessions") == []
    with as_anon(project) as anybody:
        assert anybody.refused("select from mentorship_sessions")


def test_a_calendar_to_subscribe_to(project: Project, pair: tuple[UUID, UUID], site: str) -> None:
    session = arranged(project, pair)
    with as_person(project, pair[1]) as student:
        old, token = (student.one("select reset_calendar_feed()") for _ in range(2))
        student.connection.commit()
    answer = httpx.get(f"{site}/calendar/{token}.ics")
    assert answer.headers["content-type"].startswith("text/calendar")
    (event,) = events(answer.text)
    assert (event["UID"].split("@")[0], event.start.astimezone(UTC)) == (str(session), SOON)
    assert "mentor@example.org" not in answer.text
    for none in (old, session):
        assert httpx.get(f"{site}/calendar/{none}.ics").status_code == 404


def test_nobody_reads_the_secret_of_another_calendar(
    project: Project, pair: tuple[UUID, UUID]
) -> None:
    with as_person(project, pair[1]) as student:
        student.one("select reset_calendar_feed()")
        student.connection.commit()
    with as_mentor(project, "other@example.org") as other:
        assert other.rows("select from calendar_feeds") == []
        assert other.changed("delete from calendar_feeds") == 0
        assert other.refused("update calendar_feeds set token = gen_random_uuid()")
    with as_anon(project) as anybody:
        assert anybody.refused("select reset_calendar_feed()")
        assert anybody.one("select calendar_feed(gen_random_uuid())") == {}
