"""Alertmanager's time intervals: minutes of the day, days of the week and month, months, years, on one clock.

    [start, end) of the day, `22:00` to `24:00` · weekdays `monday:friday` · days of the month `1:5`, `-3:-1` · months, years

The rule that surprises: parts must all hold, the elements of one part need only one; an interval over midnight is written as two; and
a day of the month counts from the end when it is negative, clamped to the month. UTC unless a place is named. What Alertmanager refuses is
refused (`7:30`, spaces, `31:-1`), so that what is written back can be used; so are months that no year has.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import partial
from typing import TYPE_CHECKING, Protocol

from gameday.people import minute_of_day, zone

if TYPE_CHECKING:
    from gameday.scenario.routing import TimeInterval

WEEKDAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
"""As Alertmanager counts them, from 0: a range may not run over the end of Saturday."""
MONTHS = tuple(name.lower() for name in calendar.month_name)[1:]
SHORTEST_MONTH = 28
Range = tuple[int, int]
"""First and last, both included."""


class Interval(Protocol):
    """Some stretch of wall time."""

    def contains(self, at: datetime) -> bool:
        """Whether the instant lies in it."""
        ...


@dataclass(frozen=True, slots=True)
class WallInterval:
    """One element of a time interval; a part that is empty holds always."""

    timezone: tzinfo = UTC
    minutes: tuple[Range, ...] = ()
    """Minutes of the day; here the end is excluded."""
    weekdays: tuple[Range, ...] = ()
    """Sunday = 0."""
    days_of_month: tuple[Range, ...] = ()
    """From 1, or from -1 backwards."""
    months: tuple[Range, ...] = ()
    years: tuple[Range, ...] = ()

    def contains(self, at: datetime) -> bool:
        """Whether the instant lies in it."""
        local = at.astimezone(self.timezone)
        minute = local.hour * 60 + local.minute
        return (
            (not self.minutes or any(first <= minute < end for first, end in self.minutes))
            and (not self.days_of_month or any(_in_month(each, local) for each in self.days_of_month))
            and _within(self.months, local.month)
            and _within(self.weekdays, local.isoweekday() % 7)
            and _within(self.years, local.year)
        )


def _within(ranges: Sequence[Range], value: int) -> bool:
    return not ranges or any(first <= value <= last for first, last in ranges)


def _in_month(days: Range, local: datetime) -> bool:
    length = calendar.monthrange(local.year, local.month)[1]
    first, last = (day + length + 1 if day < 0 else day for day in days)
    return first <= length and max(first, -length) <= local.day <= min(last, length)


def wall_interval(written: TimeInterval) -> WallInterval:
    """The interval a scenario writes. Raises ValueError; `parts_of` says which part."""
    parts = {name: read() for name, _, read in parts_of(written)}
    return WallInterval(
        zone(written.location) if written.location else UTC,
        minutes=_of(parts, "times"),
        weekdays=_of(parts, "weekdays"),
        days_of_month=_of(parts, "days_of_month"),
        months=_of(parts, "months"),
        years=_of(parts, "years"),
    )


def _of(parts: Mapping[str, Range | tzinfo], name: str) -> tuple[Range, ...]:
    return tuple(value for key, value in parts.items() if key.partition(".")[0] == name and isinstance(value, tuple))


def parts_of(written: TimeInterval) -> list[tuple[str, str, Callable[[], Range | tzinfo]]]:
    """Every part of an interval: its field, as it was written, and what reads it or raises ValueError."""
    found: list[tuple[str, str, Callable[[], Range | tzinfo]]] = [
        (f"times.{number}", f"{each.start_time} to {each.end_time}", partial(_clock, each.start_time, each.end_time))
        for number, each in enumerate(written.times or ())
    ]
    readers: dict[str, Callable[[str], Range]] = {
        "weekdays": _weekdays,
        "days_of_month": _days,
        "months": _months,
        "years": _years,
    }
    for name, read in readers.items():
        found += [
            (f"{name}.{number}", str(text), partial(read, str(text))) for number, text in enumerate(getattr(written, name) or ())
        ]
    found += [(name, "[]", _never) for name in ("times", *readers) if getattr(written, name) == []]
    if written.location:
        found.append(("location", written.location, partial(zone, written.location)))
    return found


def _never() -> Range:
    raise ValueError("without elements never holds, to Alertmanager too: leave it out where it does not matter")


def _clock(start: str, end: str) -> Range:
    for clock in (start, end):
        if not re.fullmatch(r"\d\d:\d\d", clock):
            raise ValueError(f"'{clock}' is not a time of day in two digits each such as '07:30' or '24:00'")
    first, last = minute_of_day(start), minute_of_day(end)
    if first >= last:
        raise ValueError("must end after it starts; hours over midnight are two entries")
    return first, last


def _split(text: str) -> tuple[str, str]:
    first, colon, last = text.lower().partition(":")
    return first, last if colon else first


def _weekdays(text: str) -> Range:
    first, last = _split(text)
    for word in (first, last):
        if word not in WEEKDAYS:
            raise ValueError("must be a day such as 'monday', or days such as 'monday:friday'")
    return _ordered(WEEKDAYS.index(first), WEEKDAYS.index(last), "the week begins on Sunday")


def _days(text: str) -> Range:
    first, last = (_number(word, "a day of the month such as '1', '-1' or '1:5'") for word in _split(text))
    if not all(1 <= abs(day) <= 31 for day in (first, last)):
        raise ValueError("a day of the month is from 1 to 31, or from -1 to -31")
    if (first < 0) == (last < 0):
        return _ordered(first, last, "the first day stands first")
    if first < 0 < last:
        raise ValueError("cannot begin at the end of a month and end at its beginning")
    if first > 0 and last < 0 and first > SHORTEST_MONTH + last:
        raise ValueError(
            f"might end before it begins in February: up to {last}, Alertmanager takes a first day of at most {SHORTEST_MONTH + last}"
        )
    return first, last


def _months(text: str) -> Range:
    first, last = _split(text)
    numbers = [
        MONTHS.index(word) + 1 if word in MONTHS else _number(word, "a month: 'march', '3' or '1:3'") for word in (first, last)
    ]
    if not all(1 <= number <= 12 for number in numbers):
        raise ValueError("a month is from 1 to 12")
    return _ordered(numbers[0], numbers[1], "the year begins in January")


def _years(text: str) -> Range:
    first, last = (_number(word, "a year such as '2026' or '2026:2027'") for word in _split(text))
    return _ordered(first, last, "the first year stands first")


def _number(word: str, meant: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,5}", word):
        raise ValueError(f"must be {meant}")
    return int(word)


def _ordered(first: int, last: int, why: str) -> Range:
    if first > last:
        raise ValueError(f"begins after it ends: {why}")
    return first, last
