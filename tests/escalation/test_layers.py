"""Layers, hours, overrides and gaps of rotas, over hand-overs at which the clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday.describe import describe
from gameday.rotas import OnCall, rota
from gameday.scenario.response import Response
from tests.people.small import scenario

BERLIN = ZoneInfo("Europe/Berlin")
WEEKDAYS = ["mon", "tue", "wed", "thu", "fri"]
STARTS = datetime(2026, 3, 26, 9, 0, tzinfo=BERLIN)
"""Thursday before the clocks go forward on 29 March 2026."""


def made(**model: Any) -> OnCall:
    people = {name: {"timezone": "Europe/Berlin"} for name in ("ana", "ben", "cyd", "dee")}
    cast = Response.model_validate({"people": people, "rotas": {"shop": model}})
    return rota(cast.rotas["shop"], cast, STARTS)


def at(day: int, hour: int, minute: int = 0, month: int = 3) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=BERLIN)


def test_a_later_layer_comes_before_the_earlier_ones_within_its_hours() -> None:
    found = made(people=["ana"], layers=[{"people": ["ben"], "only": [{"days": WEEKDAYS, "starts": "09:00", "ends": "17:00"}]}])
    assert [found.on_call(at(26, hour)) for hour in (8, 9, 16, 17)] == [("ana",), ("ben",), ("ben",), ("ana",)]
    assert found.on_call(at(28, 12)) == ("ana",), "a Saturday"


def test_the_hours_of_a_layer_are_local_before_and_after_the_change_of_the_clocks() -> None:
    found = made(people=["ana"], layers=[{"people": ["ben"], "only": [{"starts": "09:00", "ends": "17:00"}]}])
    before, after = datetime(2026, 3, 28, 7, 59, tzinfo=UTC), datetime(2026, 3, 29, 6, 59, tzinfo=UTC)
    for instant in (before, after):
        assert found.on_call(instant) == ("ana",)
        assert found.on_call(instant + timedelta(minutes=1)) == ("ben",)


def test_turns_within_hours_of_the_night_that_is_an_hour_short() -> None:
    """Daily turns from 18:00, on call from 18:00 to 08:00: the night of the change has 13 hours, and one person has all of it."""
    found = made(people=["ana", "ben"], shift="1d", starts="2026-03-27T18:00", only=[{"starts": "18:00", "ends": "08:00"}])
    night = [at(28, 18).astimezone(UTC) + timedelta(minutes=minute) for minute in range(0, 13 * 60, 10)]
    assert {found.on_call(instant) for instant in night} == {("ben",)}
    assert found.on_call(night[0] - timedelta(minutes=1)) == ()
    assert found.on_call(night[0] + timedelta(hours=13)) == ()


def test_a_layer_counts_from_its_since_to_its_until() -> None:
    found = made(people=["ana"], layers=[{"people": ["ben"], "since": "2026-03-27T09:00", "until": "2026-03-28T09:00"}])
    assert [found.on_call(at(27, 8, 59)), found.on_call(at(27, 9)), found.on_call(at(28, 9))] == [("ana",), ("ben",), ("ana",)]


def test_an_override_replaces_everybody_or_only_whom_it_names() -> None:
    swap = {"starts": "2026-03-26T12:00", "ends": "2026-03-26T14:00"}
    assert made(people=["ana"], overrides=[{**swap, "person": "cyd"}]).on_call(at(26, 12)) == ("cyd",)
    assert made(people=["ana"], overrides=[{**swap, "person": "cyd"}]).on_call(at(26, 14)) == ("ana",)
    assert made(people=["ana"], overrides=[{**swap, "person": "cyd", "instead_of": "ben"}]).on_call(at(26, 12)) == ("ana",)
    assert made(people=["ben"], overrides=[{**swap, "person": "cyd", "instead_of": "ben"}]).on_call(at(26, 12)) == ("cyd",)


def test_a_later_override_comes_before_an_earlier_one() -> None:
    swap = {"starts": "2026-03-26T12:00", "ends": "2026-03-26T14:00"}
    found = made(people=["ana"], overrides=[{**swap, "person": "cyd"}, {**swap, "person": "dee", "instead_of": "cyd"}])
    assert found.on_call(at(26, 13)) == ("dee",)


def test_an_override_over_the_hour_that_comes_twice_lasts_an_hour_longer() -> None:
    swap = {"person": "cyd", "starts": "2026-10-25T01:00", "ends": "2026-10-25T04:00"}
    found = made(people=["ana"], overrides=[swap])
    instants = [datetime(2026, 10, 24, 22, 30, tzinfo=UTC) + timedelta(minutes=30 * step) for step in range(12)]
    assert sum(found.on_call(instant) == ("cyd",) for instant in instants) == 8, "four hours, in half hours"


def test_a_gap_pages_nobody_and_is_found_to_the_minute() -> None:
    found = made(people=["ana"], only=[{"days": WEEKDAYS, "starts": "07:00", "ends": "23:00"}])
    gaps = found.gaps(at(26, 9), at(28, 9))
    assert gaps == [(at(26, 23), at(27, 7)), (at(27, 23), at(28, 9))]
    assert made(people=["ana"]).may_have_gaps is False


def test_a_rota_with_a_gap_in_the_day_is_a_finding_of_describe_and_of_the_run() -> None:
    from tests.people.small import play

    holes = {
        "response": {
            "rotas": {"shop": {"people": ["ana"], "only": [{"starts": "10:30", "ends": "09:00"}]}},
            "escalations": {"default": {"levels": [{"notify": ["rota/shop"]}], "repeat": 0}},
        }
    }
    assert "gap in the rota shop: nobody is on call from Mon 10:00 to Mon 10:20 (UTC)" in describe(scenario(holes)).warnings
    played = play(holes)
    assert played.of("page.sent") == []
    assert played.notes("nobody is behind rota/shop")


@pytest.mark.parametrize("whole", [True, False])
def test_only_what_takes_people_out_may_leave_gaps(*, whole: bool) -> None:
    swap = {"starts": "2026-03-26T12:00", "ends": "2026-03-26T14:00"}
    found = made(people=["ana"], overrides=[{**swap, "person": "cyd"} if whole else {**swap, "instead_of": "ana"}])
    assert found.may_have_gaps is not whole
    assert (found.gaps(at(26, 9), at(26, 18)) == []) is whole


@given(hour=st.integers(0, 47), first=st.integers(0, 23), length=st.integers(1, 23))
def test_hours_and_their_complement_cover_every_instant_once(hour: int, first: int, length: int) -> None:
    """Whatever the hours, also over midnight and in the night of the change: one of the two layers has somebody."""
    ends = (first + length) % 24
    inside = made(people=["ana"], only=[{"starts": f"{first:02}:00", "ends": f"{ends:02}:00"}])
    outside = made(people=["ben"], only=[{"starts": f"{ends:02}:00", "ends": f"{first:02}:00"}])
    instant = datetime(2026, 3, 28, 12, 30, tzinfo=UTC) + timedelta(hours=hour)
    assert len(inside.on_call(instant)) + len(outside.on_call(instant)) == 1
