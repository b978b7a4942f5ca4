"""Moments, as the clocks and the language of a reader show them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from jinja2 import pass_context
from jinja2.runtime import Context

from mentor_sync.mail.values import BadValue

_HINT = "Pass moments as in 2026-11-26T14:30:00+00:00."


class _Calendar(NamedTuple):
    """How a language writes a moment."""

    days: list[str]
    months: list[str]
    pattern: str
    zones: Mapping[str, str]


_CALENDARS = {
    "en": _Calendar(
        ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"],
        [
            "January",
            "February",
            "March",
            "April",
            "May",
            "June",
            "July",
            "August",
            "September",
            "October",
            "November",
            "December",
        ],
        "{day} {at.day} {month} {at.year}, {at:%H:%M} ({zone})",
        {},
    ),
    "de": _Calendar(
        ["Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"],
        [
            "Januar",
            "Februar",
            "März",
            "April",
            "Mai",
            "Juni",
            "Juli",
            "August",
            "September",
            "Oktober",
            "November",
            "Dezember",
        ],
        "{day}, {at.day}. {month} {at.year}, {at:%H:%M} Uhr ({zone})",
        {
            "CET": "MEZ",
            "CEST": "MESZ",
            "EET": "OEZ",
            "EEST": "OESZ",
            "WET": "WEZ",
            "WEST": "WESZ",
        },
    ),
}


def moment(value: str | datetime, timezone: str, locale: str = "en") -> str:
    """A moment as the clocks of a time zone show it, with the zone's abbreviation.

    In a language without a table: 2026-11-26 15:30 (CET).

    Raises:
        BadValue: it has no offset, or there is no such time zone.
    """
    at = _local(value, _zone(timezone))
    calendar = _CALENDARS.get(re.split("[-_]", locale)[0].lower())
    if calendar is None:
        return f"{at:%Y-%m-%d %H:%M} ({_abbreviation(at)})"
    zone = _abbreviation(at)
    return calendar.pattern.format(
        day=calendar.days[at.weekday()],
        month=calendar.months[at.month - 1],
        at=at,
        zone=calendar.zones.get(zone, zone),
    )


@pass_context
def moment_for_reader(
    context: Context, value: str | datetime, timezone: str = "", locale: str = ""
) -> str:
    """In templates the zone is the recipient's and the language that of the template."""
    zone = timezone or context.resolve("timezone")
    return moment(value, str(zone), locale or str(context.resolve("language")))


def _local(value: str | datetime, zone: ZoneInfo) -> datetime:
    try:
        at = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        local = at.astimezone(zone)
    except (TypeError, ValueError, OverflowError):
        raise BadValue(f"{value!r} is no moment.", hint=_HINT) from None
    if at.utcoffset() is None:
        raise BadValue(f"The moment {value} has no offset from UTC.", hint=_HINT)
    return local


def known_zone(name: str | None) -> str:
    """The zone, or UTC where there is none: PostgreSQL knows names that Python does not."""
    try:
        _zone(name or "UTC")
    except BadValue:
        return "UTC"
    return name or "UTC"


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, ZoneInfoNotFoundError):
        raise BadValue(
            f"There is no time zone {name!r}.", hint="They are called as in Europe/Berlin."
        ) from None


def _abbreviation(at: datetime) -> str:
    """CET; where a zone has a number instead, such as +0330, UTC+03:30."""
    name = at.tzname() or ""
    return name if name[:1].isalpha() else "UTC" + ":".join(filter(None, (name[:3], name[3:])))
