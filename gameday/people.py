"""Whether somebody is asleep or at work at an instant, by the clock on their own wall.

The rule that surprises: hours are local wall time, start inclusive and end exclusive, and may run over midnight; on a day on
which the clocks change, eight hours of sleep may last seven or nine. A window whose start and end are equal is empty.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

from gameday.errors import Problem

if TYPE_CHECKING:
    from gameday.scenario.response import Person, Response

MINUTES_A_DAY = 24 * 60
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)|24:00")

Availability = Literal["in_office", "awake", "asleep", "unavailable"]
"""How easily somebody can be had: at work, awake, to be woken, or not at all."""


def wall_time(starts: datetime, now_s: float) -> datetime:
    """The wall time (UTC) at `now_s` seconds after `starts`, which must carry its offset."""
    assert starts.tzinfo is not None, "the start of a run carries its offset from UTC"
    return starts.astimezone(UTC) + timedelta(seconds=now_s)


def minute_of_day(clock: str) -> int:
    """Minutes after midnight of `HH:MM`, up to `24:00`. Raises ValueError."""
    found = _CLOCK.fullmatch(clock.strip())
    if found is None:
        raise ValueError(f"'{clock}' is not a time of day such as '07:30' or '23:00'")
    return MINUTES_A_DAY if found[1] is None else int(found[1]) * 60 + int(found[2])


@lru_cache(maxsize=256)
def zone(name: str) -> ZoneInfo:
    """The time zone of an IANA name. Raises ValueError."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"'{name}' is not a time zone of the IANA list, e.g. 'Europe/Berlin'") from None


@dataclass(frozen=True, slots=True)
class WeeklyHours:
    """The same hours on some days of the week, in one time zone; hours over midnight belong to the day they begin on."""

    timezone: tzinfo
    """Whose clock."""
    start_minute: int
    """Start, minutes after midnight; included."""
    end_minute: int
    """End, minutes after midnight; excluded."""
    weekdays: frozenset[int] = frozenset(range(7))
    """Days, Monday = 0."""

    def contains(self, at: datetime) -> bool:
        """Whether the instant lies in the hours."""
        local = at.astimezone(self.timezone)
        minute = local.hour * 60 + local.minute
        today, yesterday = local.weekday(), (local.weekday() - 1) % 7
        if self.start_minute <= self.end_minute:
            return today in self.weekdays and self.start_minute <= minute < self.end_minute
        return (today in self.weekdays and minute >= self.start_minute) or (
            yesterday in self.weekdays and minute < self.end_minute
        )

    def next_end(self, at: datetime) -> datetime:
        """The first end of the hours after `at`, UTC; an end that the clocks skip falls on the moment they are put forward."""
        local = at.astimezone(self.timezone)
        for days in range(9):
            day = local.date() + timedelta(days=days)
            if self._ends_on(day):
                midnight = datetime.combine(day, datetime.min.time(), self.timezone)
                end = self._before_any_gap((midnight + timedelta(minutes=self.end_minute)).astimezone(UTC))
                if end > at:
                    return end
        raise AssertionError("hours without a day have no end")

    def _before_any_gap(self, end: datetime) -> datetime:
        """An end that fell into an hour that the clocks skipped, moved back to the first instant outside the hours."""
        for _ in range(MINUTES_A_DAY):
            if self.contains(end - timedelta(minutes=1)):
                break
            end -= timedelta(minutes=1)
        return end

    def _ends_on(self, day: date) -> bool:
        """Whether a stretch of these hours ends on a day."""
        begins = day.weekday() if self.start_minute <= self.end_minute else (day.weekday() - 1) % 7
        return begins in self.weekdays and self.start_minute != self.end_minute


DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WORKING_DAYS = frozenset(range(5))
OFFICE_START_MINUTE, OFFICE_END_MINUTE = 9 * 60, 17 * 60


def office_hours(timezone: tzinfo) -> WeeklyHours:
    """Monday to Friday, 09:00 to 17:00. Assumption; public holidays are not known."""
    return WeeklyHours(timezone, OFFICE_START_MINUTE, OFFICE_END_MINUTE, WORKING_DAYS)


def sleep_hours(person: Person) -> WeeklyHours:
    """When a person sleeps."""
    start, end = person.asleep
    return WeeklyHours(zone(person.timezone), minute_of_day(start), minute_of_day(end))


def is_asleep(person: Person, at: datetime) -> bool:
    """Whether a person sleeps at an instant, if nobody wakes them."""
    return sleep_hours(person).contains(at)


def wakes_at(person: Person, at: datetime) -> datetime:
    """When a person who sleeps at `at` wakes by themselves (UTC); `at` itself for somebody awake."""
    return sleep_hours(person).next_end(at) if is_asleep(person, at) else at


def hours_at_work(person: Person) -> WeeklyHours:
    """When a person is at work."""
    start, end = person.office
    days = frozenset(DAYS.index(day) for day in person.office_days)
    return WeeklyHours(zone(person.timezone), minute_of_day(start), minute_of_day(end), days)


def in_office_hours(person: Person, at: datetime) -> bool:
    """Whether an instant lies in a person's office hours."""
    return hours_at_work(person).contains(at)


def availability(person: Person, at: datetime) -> Availability:
    """How easily a person can be had at an instant, by the clock alone. Who sleeps in their office hours sleeps."""
    if is_asleep(person, at):
        return "unavailable" if person.only_in_office else "asleep"
    if in_office_hours(person, at):
        return "in_office"
    return "unavailable" if person.only_in_office else "awake"


def problems(response: Response) -> list[Problem]:
    """What is wrong with the people's time zones and sleeping hours, and with the starts of rotas."""
    found = [problem for name, person in response.people.items() for problem in _person_problems(name, person)]
    for name, rota in response.rotas.items():
        if rota.starts is not None:
            found += refused(f"response.rotas.{name}.starts", rota.starts, _iso)
        if rota.shift <= 0:
            found += [_problem(f"response.rotas.{name}.shift", "0s", "a turn must last longer than nothing")]
    return found


def _person_problems(name: str, person: Person) -> list[Problem]:
    found = refused(f"response.people.{name}.timezone", person.timezone, zone)
    for field, clocks in (("asleep", person.asleep), ("office", person.office)):
        for clock in clocks:
            found += refused(f"response.people.{name}.{field}", clock, minute_of_day)
    if person.only_in_office and person.office[0] == person.office[1]:
        message = "is empty, so this person can never be had (only_in_office)"
        found.append(_problem(f"response.people.{name}.office", "-".join(person.office), message))
    return found


def _iso(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"'{text}' is not an ISO date and time, e.g. '2026-03-02T09:00'") from None


def refused(field: str, value: str, read: Callable[[str], object]) -> list[Problem]:
    """The problem of a value that `read` refuses with a ValueError; empty = it reads."""
    try:
        read(value)
    except ValueError as refusal:
        return [_problem(field, value, str(refusal))]
    return []


def _problem(field: str, value: str, message: str) -> Problem:
    return Problem(file=None, line=None, column=None, field=field, value=value, message=message)
