"""When jobs run: slots through clock changes, schedules that cannot be read, what is due."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mentor_sync.schedule import MOST, ON_TIME, BadSchedule, CatchUp, Cron, Schedule

BERLIN = "Europe/Berlin"
NOW = datetime(2026, 6, 1, 12, 0, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


def at(text: str) -> datetime:
    """An instant of 2026, in UTC: month, day and time."""
    return datetime.fromisoformat(f"2026-{text}:00+00:00")


def slots(expression: str, after: str, until: str, timezone: str = BERLIN) -> list[str]:
    """The slots between two instants, as in at()."""
    found = Cron(expression, timezone).after(at(after))
    return [f"{slot:%m-%d %H:%M}" for slot in until_then(found, at(until))]


def until_then(found: Iterator[datetime], end: datetime) -> Iterator[datetime]:
    for slot in found:
        if slot > end:
            return
        yield slot


# Clock changes ---------------------------------------------------------------------------------


def test_in_spring_a_time_that_does_not_exist_is_the_next_that_does() -> None:
    # On 29 March 02:00 becomes 03:00: there is no 02:30, and 03:00 is 01:00 UTC.
    assert slots("30 2 * * *", "03-27 12:00", "03-30 12:00") == [
        "03-28 01:30",
        "03-29 01:00",
        "03-30 00:30",
    ]


def test_in_autumn_a_time_that_comes_twice_counts_once() -> None:
    # On 25 October 03:00 becomes 02:00: 02:30 is 00:30 UTC, and 01:30 UTC again.
    assert slots("30 2 * * *", "10-23 12:00", "10-26 12:00") == [
        "10-24 00:30",
        "10-25 00:30",
        "10-26 01:30",
    ]


@pytest.mark.parametrize("after", ["00:30", "00:45", "01:00", "01:29", "01:30", "02:00"])
def test_nothing_runs_in_the_hour_that_comes_again(after: str) -> None:
    assert slots("30 2 * * *", f"10-25 {after}", "10-26 01:29") == []


def test_every_hour_is_every_real_hour() -> None:
    spring = slots("0 * * * *", "03-28 22:30", "03-29 03:30")
    assert spring == ["03-28 23:00", "03-29 00:00", "03-29 01:00", "03-29 02:00", "03-29 03:00"]
    autumn = slots("0 * * * *", "10-24 22:30", "10-25 03:30")
    assert autumn == ["10-24 23:00", "10-25 00:00", "10-25 01:00", "10-25 02:00", "10-25 03:00"]


def test_two_times_in_the_hour_that_is_left_out_are_one() -> None:
    assert slots("0,30 2 * * *", "03-28 12:00", "03-29 12:00") == ["03-29 01:00"]


def test_a_time_zone_without_clock_changes_has_none() -> None:
    found = slots("30 2 * * *", "03-28 12:00", "03-30 12:00", "UTC")
    assert found == ["03-29 02:30", "03-30 02:30"]


# Expressions -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("alias", "expression"),
    [
        ("@hourly", "0 * * * *"),
        ("@daily", "0 0 * * *"),
        ("@midnight", "0 0 * * *"),
        (" @Weekly ", "0 0 * * 0"),
        ("@monthly", "0 0 1 * *"),
        ("@yearly", "0 0 1 1 *"),
        ("@annually", "0 0 1 1 *"),
    ],
)
def test_aliases(alias: str, expression: str) -> None:
    named, written = Cron(alias, BERLIN), Cron(expression, BERLIN)
    assert list(islice(named.after(NOW), 9)) == list(islice(written.after(NOW), 9))
    assert named.explain() == written.explain()


@pytest.mark.parametrize("weekday", ["0", "7", "SUN", "sun"])
def test_the_week_begins_and_ends_with_sunday(weekday: str) -> None:
    found = slots(f"0 2 * * {weekday}", "11-20 00:00", "12-01 00:00", "UTC")
    assert found == ["11-22 02:00", "11-29 02:00"]
    monday = slots("0 2 * * 1", "11-20 00:00", "12-01 00:00", "UTC")
    assert monday == ["11-23 02:00", "11-30 02:00"]


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "   ",
        "at two",
        "@reboot",
        "@fortnightly",
        "* * * *",
        "0 0 2 * * *",
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * * 13 *",
        "* * * * 8",
        "*/0 * * * *",
        "5-1 * * * *",
        "0 0 30 2 *",
        "² * * * *",
        "٣ * * * *",
        "* * * * ²L",
        "0 0 LW/3 * FRI#6",
    ],
)
def test_a_cron_that_is_none_is_named(expression: str) -> None:
    with pytest.raises(BadSchedule, match=r"^cron: ") as caught:
        Cron(expression, "UTC")
    assert repr(expression) in str(caught.value)


@pytest.mark.parametrize(
    "timezone", ["", "Mars/Base", "Europe", "../etc/passwd", "/etc/localtime", "x" * 300, "a\0b"]
)
def test_a_time_zone_that_is_none_is_named(timezone: str) -> None:
    with pytest.raises(BadSchedule, match=r"^timezone: ") as caught:
        Cron("0 2 * * *", timezone)
    assert repr(timezone) in str(caught.value)


def test_what_can_never_be_has_no_slots() -> None:
    never = Cron("0 0 */30 2 SUN#5", "UTC")
    assert list(islice(never.after(NOW), 1)) == []


# Rows ------------------------------------------------------------------------------------------


def row(**cells: Any) -> dict[str, Any]:
    return {
        "job": "work",
        "cron": "0 2 * * *",
        "timezone": None,
        "enabled": True,
        "catch_up": "one",
        "max_age_seconds": 86_400,
        "scheduled_until": NOW.isoformat(),
        "accepted_cron": "0 5 * * *",
        "accepted_timezone": BERLIN,
    } | cells


def test_a_row_says_when_it_runs() -> None:
    read = Schedule.of(row(timezone="Asia/Tokyo", catch_up="all", max_age_seconds=90), BERLIN)
    assert (read.cron, read.error) == (Cron("0 2 * * *", "Asia/Tokyo"), None)
    assert (read.catch_up, read.max_age) == ("all", timedelta(seconds=90))
    assert read.scheduled_until == NOW


def test_an_empty_time_zone_is_the_programmes() -> None:
    for empty in (None, ""):
        assert Schedule.of(row(timezone=empty), BERLIN).cron == Cron("0 2 * * *", BERLIN)


@pytest.mark.parametrize("cron", [None, "", "  "])
def test_without_cron_it_runs_by_hand_only(cron: str | None) -> None:
    read = Schedule.of(row(cron=cron), "UTC")
    assert (read.cron, read.error) == (None, None)
    assert read.due(NOW + 99 * HOUR) == []
    assert read.verdict(NOW) == {
        "job": "work",
        "error": None,
        "cron": None,
        "timezone": None,
        "next_slot_at": None,
    }


@pytest.mark.parametrize(
    ("bad", "named"),
    [
        ({"cron": "at two"}, "'at two'"),
        ({"timezone": "Mars/Base"}, "'Mars/Base'"),
        ({"cron": "²  * * * *"}, "²"),
    ],
)
def test_a_row_that_cannot_be_read_leaves_what_was_accepted(
    bad: dict[str, str], named: str
) -> None:
    read = Schedule.of(row(**bad), "UTC")
    assert read.cron == Cron("0 5 * * *", BERLIN)
    assert read.error is not None
    assert named in read.error
    verdict = read.verdict(NOW)
    assert (verdict["cron"], verdict["timezone"]) == ("0 5 * * *", BERLIN)
    assert verdict["next_slot_at"] == "2026-06-02T03:00:00+00:00"


def test_a_programmes_time_zone_that_is_none_is_an_error_of_the_row() -> None:
    read = Schedule.of(row(), "Mars/Base")
    assert read.cron == Cron("0 5 * * *", BERLIN)
    assert "Mars/Base" in str(read.error)


@pytest.mark.parametrize("accepted", [None, "", "at two"])
def test_without_anything_accepted_it_does_not_run(accepted: str | None) -> None:
    read = Schedule.of(row(cron="at two", accepted_cron=accepted), "UTC")
    assert read.cron is None
    assert "'at two'" in str(read.error)
    assert read.due(NOW + 99 * HOUR) == []


# What is due -----------------------------------------------------------------------------------


def hourly(catch_up: CatchUp, *, max_age: timedelta = 24 * HOUR, out: int = 3) -> Schedule:
    """Of every full hour; no daemon ran for so many hours."""
    return Schedule("work", Cron("0 * * * *", "UTC"), True, catch_up, max_age, NOW - out * HOUR)


@pytest.mark.parametrize(
    ("catch_up", "expected"),
    [("skip", [12]), ("one", [12]), ("all", [10, 11, 12])],
)
def test_after_an_outage_of_three_hours_at_the_full_hour(
    catch_up: CatchUp, expected: list[int]
) -> None:
    assert [slot.hour for slot in hourly(catch_up).due(NOW)] == expected


@pytest.mark.parametrize(
    ("catch_up", "expected"),
    [("skip", []), ("one", [12]), ("all", [10, 11, 12])],
)
def test_after_an_outage_of_three_hours_within_the_hour(
    catch_up: CatchUp, expected: list[int]
) -> None:
    later = NOW + timedelta(minutes=20)
    assert [slot.hour for slot in hourly(catch_up).due(later)] == expected


def test_what_is_too_old_is_not_caught_up() -> None:
    old = hourly("all", max_age=2 * HOUR)
    assert [slot.hour for slot in old.due(NOW)] == [11, 12]
    assert hourly("one", max_age=timedelta(minutes=10)).due(NOW + 0.5 * HOUR) == []
    assert len(hourly("one", max_age=timedelta(seconds=1)).due(NOW)) == 1


def test_a_paused_schedule_has_nothing_due() -> None:
    paused = Schedule("work", Cron("* * * * *", "UTC"), False, "all", 24 * HOUR, NOW - 3 * HOUR)
    assert paused.due(NOW) == []
    assert paused.verdict(NOW)["next_slot_at"] is None


def test_what_was_dealt_with_is_not_due_again() -> None:
    schedule = hourly("all")
    (*_, last) = schedule.due(NOW)
    assert schedule.dealt_with(last).due(NOW) == []
    assert schedule.dealt_with(last).due(NOW + HOUR) == [last + HOUR]
    assert schedule.dealt_with(NOW - 99 * HOUR) == schedule


def test_more_slots_than_one_pass_catches_up_go_on_in_the_next() -> None:
    month = timedelta(days=10)
    every = Schedule("work", Cron("* * * * *", "UTC"), True, "all", month, NOW - month)
    first = every.due(NOW)
    second = every.dealt_with(first[-1]).due(NOW)
    assert len(first) == MOST
    assert second[0] - first[-1] == timedelta(minutes=1)
    assert len(first + second) == 14_400


def test_a_schedule_dealt_with_ahead_of_the_clock_has_nothing_due() -> None:
    assert hourly("all", out=-5).due(NOW) == []


# Any cron, any zone ----------------------------------------------------------------------------

_minute = st.sampled_from(["*", "0", "30", "*/15", "5,50", "10-40/10", "59"])
_hour = st.sampled_from(["*", "0", "2", "*/2", "1-3", "23", "2,3", "*/6", "0-23"])
_day = st.sampled_from(["*", "1", "29", "L", "LW", "*/2", "24-31"])
_month = st.sampled_from(["*", "3", "10", "2", "MAR-APR", "*/3"])
_weekday = st.sampled_from(["*", "0", "7", "SUN", "1-5", "5L", "SUN#1"])
expressions = st.tuples(_minute, _hour, _day, _month, _weekday).map(" ".join)
zones = st.sampled_from(
    [
        *("UTC", BERLIN, "America/New_York", "Australia/Lord_Howe", "America/Santiago"),
        *("Africa/Cairo", "Asia/Beirut", "America/Havana", "Africa/Casablanca", "Asia/Kathmandu"),
        *("Antarctica/Troll", "Pacific/Apia", "America/Scoresbysund"),
    ]
)
moments = st.datetimes(datetime(2025, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # as hypothesis wants them
near_changes = st.sampled_from(
    [at("03-29 00:59"), at("10-25 00:30"), at("04-04 14:45"), at("10-03 15:15"), at("04-23 21:59")]
)
outages = st.timedeltas(timedelta(0), timedelta(days=40))
ages = st.timedeltas(timedelta(seconds=60), timedelta(days=31))


@given(expressions, zones, moments | near_changes)
@settings(max_examples=400, deadline=None)
def test_slots_come_one_after_the_other_in_utc(
    expression: str, zone: str, moment: datetime
) -> None:
    found = list(islice(Cron(expression, zone).after(moment), 30))
    assert all(before < after for before, after in pairwise([moment, *found]))
    assert {slot.tzinfo for slot in found} <= {UTC}
    assert all(slot.second == slot.microsecond == 0 for slot in found)


@given(expressions, zones, moments | near_changes, st.integers(0, 9))
@settings(max_examples=200, deadline=None)
def test_it_does_not_matter_from_when_one_looks(
    expression: str, zone: str, moment: datetime, index: int
) -> None:
    cron = Cron(expression, zone)
    found = list(islice(cron.after(moment), 10))
    for seen in found[index : index + 1]:
        assert list(islice(cron.after(seen), 9 - index)) == found[index + 1 :]


@given(expressions, zones, moments, outages, ages, st.sampled_from(["skip", "one", "all"]))
@settings(max_examples=200, deadline=None)
def test_what_is_due_is_neither_ahead_nor_dealt_with(
    expression: str, zone: str, now: datetime, out: timedelta, age: timedelta, catch_up: CatchUp
) -> None:
    schedule = Schedule("work", Cron(expression, zone), True, catch_up, age, now - out)
    due = schedule.due(now)
    assert all(now - out < slot <= now for slot in due)
    assert all(now - slot <= (age if catch_up != "skip" else ON_TIME) for slot in due)
    assert due == sorted(set(due))


@given(expressions, zones, moments, outages, ages)
@settings(max_examples=200, deadline=None)
def test_one_is_the_last_of_all(
    expression: str, zone: str, now: datetime, out: timedelta, age: timedelta
) -> None:
    cron = Cron(expression, zone)
    every = Schedule("work", cron, True, "all", age, now - out).due(now)
    one = Schedule("work", cron, True, "one", age, now - out).due(now)
    skip = Schedule("work", cron, True, "skip", age, now - out).due(now)
    # Ten thousand at the most are caught up in one go.
    assert one == every[-1:] or len(every) == 10_000
    assert skip in ([], one)


@given(st.text(st.sampled_from("0123456789*,-/#LW@² \tFRIJAN"), max_size=20), st.text(max_size=9))
@settings(max_examples=400, deadline=None)
def test_any_words_are_a_schedule_or_a_bad_one(expression: str, timezone: str) -> None:
    for zone in ("UTC", timezone):
        with suppress(BadSchedule):
            assert len(list(islice(Cron(expression, zone).after(NOW), 1))) <= 1
