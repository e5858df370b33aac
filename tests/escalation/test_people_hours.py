"""Sleep and office hours by the clock on somebody's wall."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday.people import (
    WeeklyHours,
    availability,
    in_office_hours,
    is_asleep,
    minute_of_day,
    problems,
    sleep_hours,
    wakes_at,
    wall_time,
)
from gameday.scenario.response import Person, Response

BERLIN = ZoneInfo("Europe/Berlin")


def person(start: str = "23:00", end: str = "07:00", timezone: str = "Europe/Berlin") -> Person:
    return Person(timezone=timezone, asleep=[start, end])


def berlin(*at: int) -> datetime:
    return datetime(*at, tzinfo=BERLIN)  # type: ignore[arg-type, misc]


@pytest.mark.parametrize(
    ("hour", "minute", "asleep"),
    [(22, 59, False), (23, 0, True), (0, 0, True), (3, 0, True), (6, 59, True), (7, 0, False), (12, 0, False)],
)
def test_sleep_over_midnight_includes_its_start_and_excludes_its_end(hour: int, minute: int, asleep: bool) -> None:
    assert is_asleep(person(), berlin(2026, 3, 3, hour, minute)) == asleep


def test_sleep_by_day_does_not_run_over_midnight() -> None:
    night_worker = person("08:00", "16:00")
    assert [is_asleep(night_worker, berlin(2026, 3, 3, hour)) for hour in (7, 8, 15, 16, 23)] == [False, True, True, False, False]


def test_somebody_whose_sleep_has_no_length_never_sleeps() -> None:
    assert not any(is_asleep(person("00:00", "00:00"), berlin(2026, 3, 3, hour)) for hour in range(24))


def test_sleep_is_by_local_time() -> None:
    instant = datetime(2026, 1, 15, 5, 30, tzinfo=UTC)
    zones = ["UTC", "Europe/Berlin", "Asia/Tokyo", "America/New_York", "America/Los_Angeles"]
    assert [is_asleep(person(timezone=zone), instant) for zone in zones] == [True, True, False, True, False]


def test_the_same_hour_utc_is_night_in_winter_and_morning_in_summer() -> None:
    winter, summer = datetime(2026, 1, 15, 5, 30, tzinfo=UTC), datetime(2026, 7, 15, 5, 30, tzinfo=UTC)
    assert [is_asleep(person(), at) for at in (winter, summer)] == [True, False]


def hours_asleep(night: datetime) -> float:
    """Measured minute by minute over the 24 hours after noon."""
    return sum(is_asleep(person(), night.astimezone(UTC) + timedelta(minutes=minute)) for minute in range(24 * 60)) / 60


def test_the_night_is_shorter_when_the_clocks_go_forward_and_longer_when_they_go_back() -> None:
    assert [hours_asleep(berlin(2026, *day, 12)) for day in ((3, 27), (3, 28), (10, 24))] == [8, 7, 9]


def test_waking_is_at_the_end_of_sleep_by_the_local_clock() -> None:
    assert wakes_at(person(), berlin(2026, 3, 3, 23, 30)) == berlin(2026, 3, 4, 7)
    assert wakes_at(person(), berlin(2026, 3, 28, 23, 30)) == datetime(2026, 3, 29, 5, 0, tzinfo=UTC)
    assert wakes_at(person(), berlin(2026, 10, 24, 23, 30)) == datetime(2026, 10, 25, 6, 0, tzinfo=UTC)


def test_waking_of_somebody_awake_is_now() -> None:
    noon = berlin(2026, 3, 3, 12)
    assert wakes_at(person(), noon) == noon


def test_an_end_of_sleep_that_the_clocks_skip_is_when_they_are_put_forward() -> None:
    early = person("20:00", "02:30")
    woken = wakes_at(early, berlin(2026, 3, 28, 23))
    assert woken == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    assert not is_asleep(early, woken)


def test_office_hours_are_monday_to_friday_nine_to_five_by_local_time() -> None:
    at = [
        berlin(2026, 3, 2, 8, 59),
        berlin(2026, 3, 2, 9),
        berlin(2026, 3, 6, 16, 59),
        berlin(2026, 3, 6, 17),
        berlin(2026, 3, 7, 10),
    ]
    assert [in_office_hours(person(), instant) for instant in at] == [False, True, True, False, False]


def test_availability_is_asleep_awake_or_in_office() -> None:
    assert [availability(person(), berlin(2026, 3, 3, hour)) for hour in (3, 8, 10, 20)] == [
        "asleep",
        "awake",
        "in_office",
        "awake",
    ]


def test_hours_over_midnight_belong_to_the_day_they_begin_on() -> None:
    friday_night = WeeklyHours(BERLIN, 22 * 60, 6 * 60, frozenset({4}))
    at = [berlin(2026, 3, 6, 5), berlin(2026, 3, 6, 23), berlin(2026, 3, 7, 5), berlin(2026, 3, 7, 23)]
    assert [friday_night.contains(instant) for instant in at] == [False, True, True, False]


def test_the_end_of_weekly_hours_may_be_days_away() -> None:
    friday_night = WeeklyHours(BERLIN, 22 * 60, 6 * 60, frozenset({4}))
    assert friday_night.next_end(berlin(2026, 3, 7, 6)) == berlin(2026, 3, 14, 6)


@pytest.mark.parametrize(("written", "minute"), [("00:00", 0), ("7:05", 425), ("23:59", 1439), ("24:00", 1440)])
def test_a_time_of_day_is_read(written: str, minute: int) -> None:
    assert minute_of_day(written) == minute


@pytest.mark.parametrize("written", ["24:01", "7", "07:60", "noon", "-1:00", "07:00:00"])
def test_what_is_no_time_of_day_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="is not a time of day"):
        minute_of_day(written)


def test_the_cast_is_checked_and_every_problem_is_named() -> None:
    found = problems(
        Response.model_validate(
            {
                "people": {"ana": {"timezone": "Europe/Berlinn", "asleep": ["23:00", "7 am"]}},
                "rotas": {"shop": {"people": ["ana"], "starts": "monday", "shift": 0}},
            }
        )
    )
    assert [problem.field for problem in found] == [
        "response.people.ana.timezone",
        "response.people.ana.asleep",
        "response.rotas.shop.starts",
        "response.rotas.shop.shift",
    ]


def test_wall_time_counts_real_seconds_over_a_change_of_the_clocks() -> None:
    start = berlin(2026, 3, 28, 23)
    assert wall_time(start, 4 * 3600).astimezone(BERLIN).strftime("%H:%M") == "04:00"


@given(
    st.integers(0, 1439),
    st.integers(0, 1439),
    st.datetimes(datetime.fromisoformat("2025-01-01"), datetime.fromisoformat("2027-01-01")),
    st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"]),
)
def test_somebody_asleep_wakes_later_and_is_awake_then(start: int, end: int, naive: datetime, timezone: str) -> None:
    sleeper = person(f"{start // 60:02}:{start % 60:02}", f"{end // 60:02}:{end % 60:02}", timezone)
    at = naive.replace(tzinfo=UTC)
    woken = wakes_at(sleeper, at)
    assert woken >= at
    assert not is_asleep(sleeper, woken)
    if is_asleep(sleeper, at):
        assert woken - at <= timedelta(hours=26)
        assert sleep_hours(sleeper).contains(woken - timedelta(minutes=1))
