"""Invitations and feeds: read back by two other readers, through clock changes and hostile words.

vobject goes by the VTIMEZONE alone, as Outlook does. icalendar goes by the name of the zone, as
Gmail and Apple do; here it is made to go by the VTIMEZONE too.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
import vobject  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar, Component, Event

from mentor_sync.mail.invites import BadMeeting, Meeting, feed, invite

BERLIN = "Europe/Berlin"
NEW_YORK = "America/New_York"
KOLKATA = "Asia/Kolkata"
URL = "https://meet.example/a,b;c?d=e&f=%20"
CHANGED = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
NAIVE = CHANGED.replace(tzinfo=None)


def at(text: str) -> datetime:
    """An instant of 2026, in UTC: month, day and time."""
    return datetime.fromisoformat(f"2026-{text}:00+00:00")


def a_meeting(**changes: Any) -> Meeting:
    """Half an hour in Berlin, unless told otherwise."""
    start = changes.get("starts_at", at("06-01 10:00"))
    fields = {
        "id": UUID("6f2c1c1e-0b1e-4d6e-9d0a-3f1f4c0e7a11"),
        "title": "First talk",
        "starts_at": start,
        "ends_at": start + timedelta(minutes=30),
        "timezone": BERLIN,
        "organiser": ("Ada Lovelace", "ada@example.org"),
        "attendees": (("Grace Hopper", "grace@example.org"),),
        "changed_at": CHANGED,
    }
    return Meeting(**{**fields, **changes})


def event_of(ics: bytes) -> Event:
    [event] = Calendar.from_ical(ics).events
    return event


def times_by_zone_name(ics: bytes) -> tuple[datetime, datetime]:
    event = event_of(ics)
    return event.decoded("dtstart"), event.decoded("dtend")


def times_by_vtimezone(ics: bytes) -> tuple[datetime, datetime]:
    """As icalendar reads them when it may look up no zone by its name."""
    zones = Calendar.from_ical(ics).timezones
    start, end = times_by_zone_name(ics)
    if not zones or start.tzinfo is UTC:
        return start, end
    zone = zones[0].to_tz(lookup_tzid=False)
    return start.replace(tzinfo=zone), end.replace(tzinfo=zone)


def times_by_vobject(ics: bytes) -> tuple[datetime, datetime]:
    event = by_vobject(ics).vevent
    return event.dtstart.value, event.dtend.value


def by_vobject(ics: bytes) -> Any:
    """The calendar by its own VTIMEZONE: vobject goes by the first of a name it ever saw."""
    for zone in vobject.readOne(ics.decode()).contents.get("vtimezone", []):
        vobject.icalendar.registerTzid(zone.tzid.value, zone.tzinfo)
    return vobject.readOne(ics.decode())


slow_to_read = settings(deadline=None)
READERS = [times_by_zone_name, times_by_vtimezone, times_by_vobject]


def utc(*moments: datetime) -> list[datetime]:
    """Never compared as they are: to Python, a local time that comes twice equals no instant."""
    return [moment.astimezone(UTC) for moment in moments]


def shown(moment: datetime) -> str:
    return f"{moment.replace(tzinfo=None):%m-%d %H:%M}"


# What an invitation says -----------------------------------------------------------------------


def test_an_invitation_in_full() -> None:
    ics = invite(a_meeting(meeting_url=URL, description="Bring:\r\nquestions")).ics
    assert ics.decode().replace("\r\n", "\n") == IN_FULL


IN_FULL = r"""BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//mentor-sync//mentor-sync//EN
CALSCALE:GREGORIAN
METHOD:REQUEST
BEGIN:VTIMEZONE
TZID:Europe/Berlin
BEGIN:DAYLIGHT
DTSTART:20250330T020000
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3
TZNAME:CEST
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
END:DAYLIGHT
BEGIN:STANDARD
DTSTART:20251026T030000
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
TZNAME:CET
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
END:VTIMEZONE
BEGIN:VEVENT
SUMMARY:First talk
DTSTART;TZID=Europe/Berlin:20260601T120000
DTEND;TZID=Europe/Berlin:20260601T123000
DTSTAMP:20260105T080000Z
UID:6f2c1c1e-0b1e-4d6e-9d0a-3f1f4c0e7a11@mentor-sync
SEQUENCE:0
ATTENDEE;CN="Grace Hopper";CUTYPE=INDIVIDUAL;PARTSTAT=NEEDS-ACTION;ROLE=RE
 Q-PARTICIPANT;RSVP=TRUE:mailto:grace@example.org
CONFERENCE;FEATURE=AUDIO,VIDEO;LABEL=Meeting;VALUE=URI:https://meet.exampl
 e/a,b;c?d=e&f=%20
DESCRIPTION:Bring:\nquestions
LAST-MODIFIED:20260105T080000Z
LOCATION:https://meet.example/a\,b\;c?d=e&f=%20
ORGANIZER;CN="Ada Lovelace":mailto:ada@example.org
STATUS:CONFIRMED
TRANSP:OPAQUE
URL:https://meet.example/a,b;c?d=e&f=%20
BEGIN:VALARM
ACTION:DISPLAY
DESCRIPTION:First talk
TRIGGER:-PT15M
END:VALARM
END:VEVENT
END:VCALENDAR
"""


def test_a_move_is_the_same_event_asked_again() -> None:
    first = a_meeting()
    later = a_meeting(starts_at=at("06-02 10:00"), sequence=1, changed_at=at("05-01 00:00"))
    assert invite(later).method == "REQUEST"
    before, after = event_of(invite(first).ics), event_of(invite(later).ics)
    assert before["uid"] == after["uid"]
    assert (before["sequence"], after["sequence"]) == (0, 1)
    assert shown(after.decoded("dtstart")) == "06-02 12:00"
    assert after.decoded("dtstamp") == after.decoded("last-modified") == at("05-01 00:00")


def test_a_cancellation_takes_the_event_away() -> None:
    asked, called_off = invite(a_meeting()), invite(a_meeting(sequence=2, cancelled=True))
    assert called_off.method == Calendar.from_ical(called_off.ics)["method"] == "CANCEL"
    event = event_of(called_off.ics)
    assert event["uid"] == event_of(asked.ics)["uid"]
    assert (event["sequence"], event["status"], event["transp"]) == (2, "CANCELLED", "TRANSPARENT")
    assert not event.walk("VALARM")
    assert "rsvp" not in event["attendee"].params


def test_a_place_stays_beside_the_address_of_the_call() -> None:
    event = event_of(invite(a_meeting(location="Room 4", meeting_url=URL)).ics)
    assert (event["location"], event["url"], event["conference"]) == ("Room 4", URL, URL)


def test_equal_meetings_make_equal_bytes() -> None:
    tokyo = ZoneInfo("Asia/Tokyo")
    start = at("06-01 10:00")
    elsewhere = a_meeting(
        starts_at=start.astimezone(tokyo),
        ends_at=(start + timedelta(minutes=30, microseconds=5)).astimezone(tokyo),
        changed_at=CHANGED.astimezone(tokyo),
    )
    assert invite(a_meeting()) == invite(a_meeting()) == invite(elsewhere)


# Clock changes ---------------------------------------------------------------------------------


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize(
    ("timezone", "start", "local"),
    [
        (BERLIN, "03-28 11:00", "03-28 12:00"),
        (BERLIN, "03-29 00:30", "03-29 01:30"),
        (BERLIN, "03-29 01:00", "03-29 03:00"),
        (BERLIN, "03-29 01:30", "03-29 03:30"),
        (BERLIN, "03-29 10:00", "03-29 12:00"),
        (BERLIN, "10-24 10:00", "10-24 12:00"),
        (BERLIN, "10-24 23:30", "10-25 01:30"),
        (BERLIN, "10-25 02:00", "10-25 03:00"),
        (BERLIN, "10-25 11:00", "10-25 12:00"),
        (NEW_YORK, "03-07 17:00", "03-07 12:00"),
        (NEW_YORK, "03-08 06:30", "03-08 01:30"),
        (NEW_YORK, "03-08 07:00", "03-08 03:00"),
        (NEW_YORK, "03-08 07:30", "03-08 03:30"),
        (NEW_YORK, "03-08 16:00", "03-08 12:00"),
        (NEW_YORK, "10-31 16:00", "10-31 12:00"),
        (NEW_YORK, "11-01 04:30", "11-01 00:30"),
        (NEW_YORK, "11-01 07:00", "11-01 02:00"),
        (NEW_YORK, "11-01 17:00", "11-01 12:00"),
        (KOLKATA, "03-29 01:30", "03-29 07:00"),
        (KOLKATA, "11-01 07:00", "11-01 12:30"),
    ],
)
def test_the_local_time_around_clock_changes(
    read: Any, timezone: str, start: str, local: str
) -> None:
    found, end = read(invite(a_meeting(timezone=timezone, starts_at=at(start))).ics)
    assert shown(found) == local
    assert utc(found, end) == [at(start), at(start) + timedelta(minutes=30)]


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize(
    ("timezone", "start", "end"),
    [
        (BERLIN, "10-25 00:15", "10-25 00:45"),
        (BERLIN, "10-25 00:30", "10-25 01:30"),
        (BERLIN, "10-25 01:15", "10-25 01:45"),
        (BERLIN, "10-25 01:30", "10-25 02:30"),
        (NEW_YORK, "11-01 05:30", "11-01 06:30"),
        (NEW_YORK, "11-01 06:15", "11-01 06:45"),
    ],
)
def test_the_hour_that_comes_twice(read: Any, timezone: str, start: str, end: str) -> None:
    meeting = a_meeting(timezone=timezone, starts_at=at(start), ends_at=at(end))
    assert utc(*read(invite(meeting).ics)) == [at(start), at(end)]


ODD_ZONES = [
    *("Africa/Cairo", "Africa/Casablanca", "America/Nuuk", "America/Santiago", "Asia/Almaty"),
    *("Asia/Jerusalem", "Asia/Kathmandu", "Australia/Lord_Howe", "Europe/Dublin", "Etc/UTC"),
    *("Pacific/Apia", "Pacific/Chatham", "UTC", BERLIN, NEW_YORK, KOLKATA),
]


@slow_to_read
@given(
    timezone=st.sampled_from(ODD_ZONES),
    start=st.integers(0, 4_000_000_000).map(lambda second: datetime.fromtimestamp(second, UTC)),
)
def test_any_zone_at_any_time(timezone: str, start: datetime) -> None:
    meeting = a_meeting(timezone=timezone, starts_at=start)
    ics = invite(meeting).ics
    for read in READERS:
        assert utc(*read(ics)) == [meeting.start, meeting.end]


def test_a_zone_that_changed_for_good_on_new_year() -> None:
    start = datetime(1987, 1, 1, tzinfo=UTC)
    ics = invite(a_meeting(timezone="Asia/Kathmandu", starts_at=start)).ics
    assert [utc(*read(ics))[0] for read in READERS] == [start] * 3


def test_a_zone_without_summer_time_has_one_rule() -> None:
    [zone] = Calendar.from_ical(invite(a_meeting(timezone=KOLKATA)).ics).timezones
    assert [part.name for part in zone.subcomponents] == ["STANDARD"]


def test_utc_needs_no_zone() -> None:
    ics = invite(a_meeting(timezone="UTC")).ics
    assert b"VTIMEZONE" not in ics
    assert b"DTSTART:20260601T100000Z" in ics


# The feed --------------------------------------------------------------------------------------


def two_meetings() -> list[Meeting]:
    called_off = a_meeting(
        id=UUID(int=2), timezone=NEW_YORK, starts_at=at("05-01 10:00"), cancelled=True
    )
    return [a_meeting(), called_off]


def test_a_feed_is_a_calendar_with_a_name_read_every_hour() -> None:
    calendar = Calendar.from_ical(feed(two_meetings(), "Ada, mentoring", KOLKATA))
    assert calendar["method"] == "PUBLISH"
    assert calendar["name"] == calendar["x-wr-calname"] == r"Ada\, mentoring"
    assert calendar["x-wr-timezone"] == KOLKATA
    assert calendar.decoded("refresh-interval") == timedelta(hours=1)
    assert calendar["x-published-ttl"] == "PT1H"


def test_a_feed_keeps_what_is_called_off() -> None:
    events = Calendar.from_ical(feed(two_meetings(), "Ada", BERLIN)).events
    assert [event["status"] for event in events] == ["CANCELLED", "CONFIRMED"]
    assert [len(event.walk("VALARM")) for event in events] == [0, 1]
    assert [shown(event.decoded("dtstart")) for event in events] == ["05-01 06:00", "06-01 12:00"]


def test_a_feed_names_each_zone_once_and_no_attendee() -> None:
    ics = feed([*two_meetings(), a_meeting(id=UUID(int=3))], "Ada", BERLIN)
    zones = [zone["tzid"] for zone in Calendar.from_ical(ics).timezones]
    assert zones == [NEW_YORK, BERLIN]
    assert b"ATTENDEE" not in ics
    assert b"grace@" not in ics


def test_a_feed_does_not_depend_on_the_order() -> None:
    meetings = two_meetings()
    assert feed(meetings, "Ada", BERLIN) == feed(reversed(meetings), "Ada", BERLIN)


def test_a_feed_of_many_years_keeps_each_time() -> None:
    years = range(2004, 2032)
    starts = [datetime(year, month, 20, 12, tzinfo=UTC) for year in years for month in (3, 4, 11)]
    many = [
        a_meeting(id=UUID(int=number), timezone=NEW_YORK, starts_at=start)
        for number, start in enumerate(starts)
    ]
    found = by_vobject(feed(many, "Ada", BERLIN)).vevent_list
    assert utc(*(event.dtstart.value for event in found)) == starts


def test_an_empty_feed_is_a_calendar() -> None:
    assert not Calendar.from_ical(feed([], "Ada", BERLIN)).events


# Hostile words ---------------------------------------------------------------------------------

ATTACKS = [
    "x\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nSUMMARY:y",
    "x\nATTENDEE:mailto:eve@example.org",
    'x";X-EVIL="1":mailto:eve@example.org\r\n',
    "x\x0bEND:VCALENDAR\x0c\x85\u2028\u2029y",
    "x\\",
    "C:\\New\\nothing",
    "\\\\n\\N\\,",
    "^n^'^^",
    "%2C%5C",
]
hostile = st.text(st.characters() | st.sampled_from("\r\n\t \"'\\;:,=^%nN")) | st.sampled_from(
    ATTACKS
)


def one_line(text: str) -> str:
    return " ".join(text.split())


def paragraphs(text: str) -> str:
    return "\n".join(text.splitlines())


def escaped(text: str) -> str:
    return re.sub(r"[\\;,]", r"\\\g<0>", text)


def made(**words: Any) -> bytes | None:
    """The invitation, unless it is refused."""
    try:
        return invite(a_meeting(**words)).ics
    except BadMeeting:
        return None


def parts(component: Component) -> Counter[str]:
    """How often each component and property is there."""
    return Counter(name for name, _ in component.property_items())


def names(ics: bytes) -> Counter[str]:
    """The same, of the lines as they are, without a library."""
    lines = ics.decode().replace("\r\n ", "").removesuffix("\r\n").split("\r\n")
    return Counter(re.split("[:;]", line)[0] for line in lines)


def params_of_vobject(line: Any) -> str:
    """The CN that vobject reads, without the escapes of RFC 6868, which it leaves."""
    escapes = {"^^": "^", "^'": '"', "^n": "\n"}
    [name] = line.params["CN"]
    return re.sub(r"\^[\^'n]", lambda found: escapes[found[0]], name)


PLAIN = invite(a_meeting(location="x", description="x", meeting_url=URL)).ics


@slow_to_read
@given(title=hostile, location=hostile, description=hostile)
def test_words_survive_or_are_refused(title: str, location: str, description: str) -> None:
    ics = made(title=title, location=location, description=description, meeting_url=URL)
    if ics is None:
        return
    event, other = event_of(ics), vobject.readOne(ics.decode()).vevent
    expected = one_line(title), one_line(location) or URL, paragraphs(description)
    assert (event["summary"], event["location"], event.get("description", "")) == expected
    assert (other.summary.value, other.location.value) == expected[:2]
    assert other.getChildValue("description", "") == expected[2]
    assert event.walk("VALARM")[0]["description"] == expected[0]


@slow_to_read
@given(organiser=hostile, attendee=hostile)
def test_names_survive_or_are_refused(organiser: str, attendee: str) -> None:
    people = {"organiser": (organiser, "a@b.org"), "attendees": ((attendee, "c@d.org"),)}
    if ics := made(**people):
        event, other = event_of(ics), vobject.readOne(ics.decode()).vevent
        assert event["organizer"] == "mailto:a@b.org"
        assert event["attendee"] == "mailto:c@d.org"
        for name, text in (("organizer", organiser), ("attendee", attendee)):
            assert event[name].params.get("CN", "") == one_line(text)
            if one_line(text):
                assert params_of_vobject(getattr(other, name)) == one_line(text)


@slow_to_read
@given(tail=hostile, address=hostile)
def test_addresses_survive_or_are_refused(tail: str, address: str) -> None:
    if ics := made(meeting_url=f"https://meet.example/{tail}"):
        event = event_of(ics)
        assert event["url"] == event["conference"] == f"https://meet.example/{tail}"
    if ics := made(attendees=(("Eve", f"{address}@example.org"),)):
        assert event_of(ics)["attendee"] == f"mailto:{address}@example.org"


@slow_to_read
@given(words=st.tuples(hostile, hostile, hostile, hostile), tail=hostile)
def test_words_add_no_component_or_property(words: tuple[str, ...], tail: str) -> None:
    title, location, description, name = words
    person = (name, "eve@example.org")
    people = {"organiser": person, "attendees": (person,)}
    url = f"https://x.org/{tail}"
    ics = made(title=title, location=location, description=description, meeting_url=url, **people)
    if ics is not None:
        assert names(ics) <= names(PLAIN)
        assert parts(Calendar.from_ical(ics)) <= parts(Calendar.from_ical(PLAIN))
        assert len(event_of(ics)["attendee"].params) <= 5


@slow_to_read
@given(name=hostile)
def test_the_name_of_a_feed_survives_or_is_refused(name: str) -> None:
    try:
        ics = feed([], name, BERLIN)
    except BadMeeting:
        return
    # Neither reader knows these two as texts, so both leave the escapes.
    found = Calendar.from_ical(ics)
    assert found["name"] == found["x-wr-calname"] == escaped(one_line(name))
    assert names(ics) == names(feed([], "x", BERLIN))


@slow_to_read
@given(text=st.text(st.sampled_from("aé€😀,\\\n"), min_size=30), name=st.text("é😀", min_size=1))
def test_lines_are_at_most_75_octets_and_whole_characters(text: str, name: str) -> None:
    people = {"organiser": (name * 30, "a@b.org")}
    ics = made(title=f"x{text}", description=text, **people)
    assert ics is not None
    assert all(len(line) <= 75 and line.decode() for line in lines_of(ics))
    assert event_of(ics).get("description", "") == paragraphs(text)


def lines_of(ics: bytes) -> Iterator[bytes]:
    assert ics.endswith(b"\r\n")
    yield from ics.removesuffix(b"\r\n").split(b"\r\n")


# What is refused -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"title": " \n "}, "title: it is empty"),
        ({"title": "a\x00b"}, r"title: U\+0000"),
        ({"description": "\ud800"}, r"description: U\+D800"),
        ({"location": "\x1b[2J"}, r"location: U\+001B"),
        ({"timezone": "Europe/Bonn"}, "timezone: 'Europe/Bonn'"),
        ({"timezone": "Europe"}, "timezone: 'Europe'"),
        ({"timezone": ""}, "timezone: ''"),
        ({"starts_at": NAIVE, "ends_at": CHANGED}, "starts_at: .* no time zone"),
        ({"ends_at": NAIVE}, "ends_at: .* has no time zone"),
        ({"changed_at": NAIVE}, "changed_at: .* has no time zone"),
        ({"changed_at": datetime(1, 1, 1, tzinfo=UTC)}, "changed_at: .* between 1970 and 2100"),
        ({"ends_at": at("06-01 10:00")}, "ends_at: .* is not after starts_at"),
        ({"ends_at": datetime(2026, 6, 1, 10, 0, 0, 9, UTC)}, "ends_at: .* is not after"),
        ({"sequence": -1}, "sequence: -1"),
        ({"sequence": 2**31}, "sequence: 2147483648"),
        ({"attendees": ()}, "attendees: there are none"),
        ({"attendees": (("Eve", "eve"),)}, "attendees: 'eve' is no mail address"),
        ({"organiser": ("Eve", "eve@a@b")}, "organiser: 'eve@a@b' is no mail address"),
        ({"organiser": ("Eve\x07", "eve@a.org")}, r"organiser: U\+0007"),
        ({"organiser": ("Eve\\", "eve@a.org")}, "organiser: .* has a backslash"),
        ({"meeting_url": "javascript:alert(1)"}, "meeting_url: 'javascript"),
        ({"meeting_url": "https://"}, "meeting_url: 'https://'"),
        ({"meeting_url": "https://[x/"}, "meeting_url"),
        ({"meeting_url": "https://x.org/\r\nURL:y"}, "meeting_url"),
    ],
)
def test_a_meeting_no_calendar_can_hold(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(BadMeeting, match=message):
        a_meeting(**changes)


def test_a_feed_in_no_zone() -> None:
    with pytest.raises(BadMeeting, match="timezone: 'Mars/Base'"):
        feed([], "Ada", "Mars/Base")
