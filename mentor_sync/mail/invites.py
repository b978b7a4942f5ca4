"""Invitations (RFC 5545, 5546, 7986) to a meeting, and the calendar that a person subscribes to.

A meeting keeps its UID for life. Moving it is another REQUEST with a higher SEQUENCE, calling
it off a CANCEL. Equal meetings make equal bytes, on every machine with the same tzdata.

Every text passes one of two doors: _line, where any run of white space becomes one blank, or
_paragraphs, where any line break becomes LF. What no calendar may hold is refused there.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import groupby, pairwise
from typing import Any, Literal
from urllib.parse import urlsplit
from uuid import UUID
from zoneinfo import ZoneInfo

from icalendar import (
    Alarm,
    Calendar,
    Event,
    Timezone,
    TimezoneDaylight,
    TimezoneStandard,
    vCalAddress,
    vText,
    vUri,
)

from mentor_sync.errors import MentorSyncError
from mentor_sync.mail.moments import known_zone

Method = Literal["REQUEST", "CANCEL"]
Person = tuple[str, str]
"""A name, which may be empty, and a mail address."""

ALARM = timedelta(minutes=15)
REFRESH = timedelta(hours=1)
PRODUCT = "-//mentor-sync//mentor-sync//EN"
YEARS = range(1970, 2101)
MOST_CHANGES = 2**31 - 1

# Tab and LF are the only control characters in a text; a lone surrogate has no UTF-8.
_FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
# Narrower than RFC 5322: what would need quotes, or an escape in a mailto: address, is out.
_ADDRESS = re.compile(r"[^\s\x00-\x1f\x7f\ud800-\udfff<>()\[\]\\,;:\"@%?#]+")
_URL = re.compile(r"https?://[^\x00-\x20\x7f-\U0010ffff\"<>\\^`{|}]+", re.IGNORECASE)
_MOMENTS = ("starts_at", "ends_at", "changed_at")
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


class BadMeeting(MentorSyncError):
    """The meeting has a field that no calendar can hold."""

    default_code = "bad_meeting"


@dataclass(frozen=True, kw_only=True)
class Meeting:
    """A meeting as it stands now.

    Times count in whole seconds and lie between 1970 and 2100. timezone is the IANA name of the
    organiser's zone. sequence grows by one with each change that people must hear of, and
    changed_at is when that was.

    Raises:
        BadMeeting: A field is wrong, or holds what a calendar cannot.
    """

    id: UUID
    title: str
    starts_at: datetime
    ends_at: datetime
    timezone: str
    organiser: Person
    attendees: tuple[Person, ...]
    meeting_url: str = ""
    location: str = ""
    description: str = ""
    sequence: int = 0
    changed_at: datetime
    cancelled: bool = False

    def __post_init__(self) -> None:
        _zone(self.timezone)
        for field in ("starts_at", "ends_at", "changed_at"):
            _instant(field, getattr(self, field))
        if self.end <= self.start:
            raise BadMeeting(f"ends_at: {self.ends_at} is not after starts_at, {self.starts_at}.")
        if not 0 <= self.sequence <= MOST_CHANGES:
            raise BadMeeting(f"sequence: {self.sequence} is not between 0 and {MOST_CHANGES}.")
        self._check_words()
        self._check_people()

    @property
    def start(self) -> datetime:
        """The start in UTC, in whole seconds."""
        return _instant("starts_at", self.starts_at)

    @property
    def end(self) -> datetime:
        """The end in UTC, in whole seconds."""
        return _instant("ends_at", self.ends_at)

    def _check_words(self) -> None:
        if not _line("title", self.title):
            raise BadMeeting("title: it is empty.")
        _line("location", self.location)
        _paragraphs("description", self.description)
        if self.meeting_url and not _is_url(self.meeting_url):
            raise BadMeeting(
                f"meeting_url: {self.meeting_url!r} is no http or https address in ASCII."
            )

    def _check_people(self) -> None:
        if not self.attendees:
            raise BadMeeting("attendees: there are none.")
        _check_person("organiser", self.organiser)
        for person in self.attendees:
            _check_person("attendees", person)


def read_meeting(event: Mapping[str, Any], *, organiser: Person) -> Meeting:
    """A meeting as private.session_event writes it, without what no calendar may hold.

    Raises:
        BadMeeting: as Meeting does.
    """
    moments: dict[str, Any] = {name: datetime.fromisoformat(event[name]) for name in _MOMENTS}
    people = ((_clean(name), address) for name, address in event.get("attendees", ()))
    return Meeting(
        id=UUID(event["id"]),
        title=_clean(event["title"]) or "Session",
        timezone=known_zone(event["timezone"]),
        organiser=(_clean(organiser[0]), organiser[1]),
        attendees=tuple(one for one in people if _is_address(one[1])) or (organiser,),
        meeting_url=event["meeting_url"],
        description=_clean(event.get("description", "")),
        sequence=event["sequence"],
        cancelled=event["cancelled"],
        **moments,
    )


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("", text).replace("\\", "/").strip()


@dataclass(frozen=True)
class Invite:
    """A part of a mail: its media type is `text/calendar; charset=utf-8; method=<method>`."""

    ics: bytes
    method: Method


def invite(meeting: Meeting) -> Invite:
    """What tells the attendees' calendars of a meeting, of its change or of its end."""
    method: Method = "CANCEL" if meeting.cancelled else "REQUEST"
    calendar = _calendar(method)
    event = _event(meeting)
    for person in meeting.attendees:
        event.add("attendee", _attendee(person, asked=not meeting.cancelled))
    _fill(calendar, [meeting], [event])
    return Invite(calendar.to_ical(), method)


def feed(meetings: Iterable[Meeting], name: str, timezone: str) -> bytes:
    """A person's calendar to subscribe to, read again every hour.

    The order of the meetings does not matter. Each is in its own zone; timezone is the
    person's, for readers that show a calendar in one. Attendees are left out: RFC 5546 forbids
    them in what is published, and the address of a feed tends to travel.

    Raises:
        BadMeeting: The name or the time zone is wrong.
    """
    _zone(timezone)
    calendar = _calendar("PUBLISH")
    for title in ("name", "x-wr-calname"):
        calendar.add(title, _Text(_line("name", name)))
    calendar.add("x-wr-timezone", timezone)
    calendar.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT1H")
    ordered = sorted(meetings, key=lambda meeting: (meeting.start, meeting.id))
    _fill(calendar, ordered, [_event(meeting) for meeting in ordered])
    ics: bytes = calendar.to_ical()
    return ics


# Components ------------------------------------------------------------------------------------


def _calendar(method: str) -> Calendar:
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", method)
    return calendar


def _fill(calendar: Calendar, meetings: Sequence[Meeting], events: Sequence[Event]) -> None:
    """Add the events, and before them each zone that they name."""
    zones: dict[str, list[int]] = {}
    for meeting in meetings:
        if not _in_utc(meeting):
            years = zones.setdefault(meeting.timezone, [])
            years += [meeting.start.year, meeting.end.year]
    for name, years in sorted(zones.items()):
        calendar.add_component(_vtimezone(name, min(years) - 1, max(years) + 1))
    for event in events:
        calendar.add_component(event)


def _event(meeting: Meeting) -> Event:
    """The event without attendees. One that is called off does not ring or block the time."""
    event = Event()
    event.add("uid", f"{meeting.id}@mentor-sync")
    event.add("sequence", meeting.sequence)
    event.add("dtstamp", _instant("changed_at", meeting.changed_at))
    event.add("last-modified", _instant("changed_at", meeting.changed_at))
    _add_times(event, meeting)
    _add_words(event, meeting)
    event.add("organizer", _address(meeting.organiser))
    event.add("status", "CANCELLED" if meeting.cancelled else "CONFIRMED")
    event.add("transp", "TRANSPARENT" if meeting.cancelled else "OPAQUE")
    if not meeting.cancelled:
        event.add_component(_alarm(meeting))
    return event


def _add_times(event: Event, meeting: Meeting) -> None:
    if _in_utc(meeting):
        event.add("dtstart", meeting.start)
        event.add("dtend", meeting.end)
        return
    # The library would name an equivalent zone, so it gets the local time and the name apart.
    for name, instant in (("dtstart", meeting.start), ("dtend", meeting.end)):
        local = instant.astimezone(_zone(meeting.timezone)).replace(tzinfo=None)
        event.add(name, local, parameters={"TZID": meeting.timezone})


def _in_utc(meeting: Meeting) -> bool:
    """Whether its times have no name in its own zone: an hour comes twice, this is the second."""
    zone = _zone(meeting.timezone)
    folds = [instant.astimezone(zone).fold for instant in (meeting.start, meeting.end)]
    return meeting.timezone == "UTC" or any(folds)


def _add_words(event: Event, meeting: Meeting) -> None:
    event.add("summary", _Text(_line("title", meeting.title)))
    # Gmail and Outlook show the place and not the URL, and make a link of it.
    place = _line("location", meeting.location) or meeting.meeting_url
    if place:
        event.add("location", _Text(place))
    if meeting.description:
        event.add("description", _Text(_paragraphs("description", meeting.description)))
    if meeting.meeting_url:
        event.add("url", vUri(meeting.meeting_url))
        event.add("conference", _conference(meeting.meeting_url))


def _conference(url: str) -> vUri:
    features = {"VALUE": "URI", "FEATURE": ["AUDIO", "VIDEO"], "LABEL": "Meeting"}
    return vUri(url, params=features)


def _alarm(meeting: Meeting) -> Alarm:
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("trigger", -ALARM)
    alarm.add("description", _Text(_line("title", meeting.title)))
    return alarm


def _attendee(person: Person, *, asked: bool) -> vCalAddress:
    address = _address(person)
    address.params["CUTYPE"] = "INDIVIDUAL"
    address.params["ROLE"] = "REQ-PARTICIPANT"
    if asked:
        address.params["PARTSTAT"] = "NEEDS-ACTION"
        address.params["RSVP"] = "TRUE"
    return address


def _address(person: Person) -> vCalAddress:
    name, address = person
    found = vCalAddress(f"mailto:{address}")
    if name := _line("name", name):
        found.params["CN"] = name
    return found


# Time zones ------------------------------------------------------------------------------------
#
# Not icalendar's Timezone.from_tzid: it puts the spring change an hour late (7.3 writes the
# local time after the change, RFC 5545 wants the one before), and lists dates where Outlook
# reads only yearly rules.


@dataclass(frozen=True)
class _Shift:
    """A change of a zone's clocks."""

    local: datetime
    """What the clocks show as they are changed, without a zone."""
    before: timedelta
    after: timedelta
    name: str


def _vtimezone(name: str, first: int, last: int) -> Timezone:
    """The zone as it is from the year `first` to the year `last`."""
    component = Timezone()
    component.add("tzid", name)
    groups = _groups(_shifts(name, first, last))
    rules = [_rule(group, range(first, last + 1)) for group in groups]
    if not all(rules) or not rules:
        component.add_component(_from_the_start(name, first))
    for group, rule in zip(groups, rules, strict=True):
        # Without a rule, each shift alone: some readers take only the first of a list of dates.
        for shift in group[:1] if rule else group:
            component.add_component(_observance(shift, rule, alone=len(groups) == 1))
    return component


@lru_cache(maxsize=512)
def _shifts(name: str, first: int, last: int) -> tuple[_Shift, ...]:
    zone, start = _zone(name), datetime(first, 1, 1, tzinfo=UTC)
    days = (datetime(last + 1, 1, 1, tzinfo=UTC) - start).days
    offsets = [(start + timedelta(days=day)).astimezone(zone).utcoffset() for day in range(days)]
    return tuple(
        _shift(zone, start + timedelta(days=day))
        for day, (before, after) in enumerate(pairwise(offsets))
        if before != after
    )


def _shift(zone: ZoneInfo, day: datetime) -> _Shift:
    """The change in the 24 hours after an instant."""
    before, low, high = _offset(zone, day), 0, 24 * 60 * 60
    while high - low > 1:
        middle = (low + high) // 2
        same = _offset(zone, day + timedelta(seconds=middle)) == before
        low, high = (middle, high) if same else (low, middle)
    onset = day + timedelta(seconds=high)
    after = onset.astimezone(zone)
    local = (onset + before).replace(tzinfo=None)
    return _Shift(local, before, _offset(zone, onset), after.tzname() or "")


def _offset(zone: ZoneInfo, instant: datetime) -> timedelta:
    return instant.astimezone(zone).utcoffset() or timedelta(0)


def _groups(shifts: Sequence[_Shift]) -> list[list[_Shift]]:
    """The shifts of one kind together, each kind in the order of time."""

    def kind(shift: _Shift) -> tuple[timedelta, timedelta, str]:
        return shift.before, shift.after, shift.name

    groups = [list(group) for _, group in groupby(sorted(shifts, key=kind), kind)]
    return sorted(groups, key=lambda group: group[0].local)


def _rule(shifts: Sequence[_Shift], years: range) -> dict[str, str | int]:
    """The yearly rule that makes exactly these shifts in these years; empty if there is none."""
    days = [shift.local for shift in shifts]
    if [day.year for day in days] != list(years):
        return {}
    if len({(day.month, day.weekday(), day.time()) for day in days}) > 1:
        return {}
    weeks = {(day.day - 1) // 7 + 1 for day in days}
    if all(day.day > monthrange(day.year, day.month)[1] - 7 for day in days):
        weeks = {-1}
    if len(weeks) > 1:
        return {}
    weekday = _WEEKDAYS[days[0].weekday()]
    return {"freq": "yearly", "bymonth": days[0].month, "byday": f"{weeks.pop()}{weekday}"}


def _observance(
    shift: _Shift, rule: dict[str, str | int], *, alone: bool
) -> TimezoneStandard | TimezoneDaylight:
    # Clocks that are put forward for good do not begin a summer time.
    summer = shift.after > shift.before and not alone
    component = TimezoneDaylight() if summer else TimezoneStandard()
    _set(component, shift)
    if rule:
        component.add("rrule", rule)
    return component


def _from_the_start(name: str, year: int) -> TimezoneStandard:
    start = datetime(year, 1, 1, tzinfo=UTC).astimezone(_zone(name))
    offset = start.utcoffset() or timedelta(0)
    component = TimezoneStandard()
    _set(component, _Shift(start.replace(tzinfo=None), offset, offset, start.tzname() or ""))
    return component


def _set(component: TimezoneStandard | TimezoneDaylight, shift: _Shift) -> None:
    component.add("dtstart", shift.local)
    component.add("tzoffsetfrom", shift.before)
    component.add("tzoffsetto", shift.after)
    component.add("tzname", shift.name)


# Values ----------------------------------------------------------------------------------------


class _Text(vText):
    r"""A text that icalendar escapes as RFC 5545 does: its own way makes a line break of \N."""

    def to_ical(self) -> bytes:
        escaped = re.sub(r"([\\;,])", r"\\\1", self).replace("\n", r"\n")
        return escaped.encode()


def _line(field: str, text: str) -> str:
    return _allowed(field, " ".join(text.split()))


def _paragraphs(field: str, text: str) -> str:
    return _allowed(field, "\n".join(text.splitlines()))


def _allowed(field: str, text: str) -> str:
    if found := _FORBIDDEN.search(text):
        raise BadMeeting(f"{field}: U+{ord(found[0]):04X} is a character no calendar may hold.")
    return text


def _check_person(field: str, person: Person) -> None:
    name, address = person
    # No escape exists for it in a parameter, yet readers take it for one and lose what follows.
    if "\\" in _line(field, name):
        raise BadMeeting(f"{field}: {name!r} has a backslash, which no name in a calendar may.")
    if not _is_address(address):
        raise BadMeeting(f"{field}: {address!r} is no mail address.")


def _is_address(address: str) -> bool:
    local, _, domain = address.partition("@")
    return bool(_ADDRESS.fullmatch(local) and _ADDRESS.fullmatch(domain))


def _is_url(text: str) -> bool:
    try:
        return bool(_URL.fullmatch(text) and urlsplit(text).hostname)
    except ValueError:  # An IPv6 address that is none.
        return False


def _instant(field: str, moment: datetime) -> datetime:
    """The moment in UTC, in whole seconds."""
    if moment.utcoffset() is None:
        raise BadMeeting(f"{field}: {moment} has no time zone.")
    if moment.year not in YEARS:
        raise BadMeeting(f"{field}: {moment} is not between {YEARS[0]} and {YEARS[-1]}.")
    return moment.astimezone(UTC).replace(microsecond=0)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        raise BadMeeting(
            f"timezone: {name!r} is no IANA time zone such as Europe/Berlin."
        ) from None
