"""Rotas: hand-overs in wall time, over both changes of the clocks; who is behind a name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday.escalation import Directory
from gameday.rotas import Turns, rota
from gameday.scenario.response import Response

BERLIN = ZoneInfo("Europe/Berlin")
WEEK, DAY = 7 * 86_400, 86_400
STARTS = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


def response(**changes: Any) -> Response:
    people = {"ana": {"timezone": "Europe/Berlin"}, "ben": {"timezone": "America/New_York"}, "cyd": {}}
    return Response.model_validate({"people": people, **changes})


def berlin(*at: int, fold: int = 0) -> datetime:
    return datetime(*at, tzinfo=BERLIN, fold=fold)  # type: ignore[arg-type, misc]


def test_people_take_turns() -> None:
    turns = Turns(("ana", "ben", "cyd"), DAY, berlin(2026, 1, 5, 9))
    days = [turns.on_call(berlin(2026, 1, day, 12)) for day in range(5, 10)]
    assert days == ["ana", "ben", "cyd", "ana", "ben"]


def test_a_turn_begins_at_its_hand_over_and_not_before() -> None:
    turns = Turns(("ana", "ben"), WEEK, berlin(2026, 1, 5, 9))
    assert turns.on_call(berlin(2026, 1, 12, 8, 59)) == "ana"
    assert turns.on_call(berlin(2026, 1, 12, 9, 0)) == "ben"


def test_before_the_first_turn_the_turns_run_backwards() -> None:
    turns = Turns(("ana", "ben", "cyd"), WEEK, berlin(2026, 1, 5, 9))
    assert turns.on_call(berlin(2026, 1, 5, 8)) == "cyd"


def test_a_weekly_hand_over_keeps_its_local_time_when_the_clocks_go_forward() -> None:
    turns = Turns(("ana", "ben"), WEEK, berlin(2026, 3, 23, 9))
    handover = turns.next_handover(berlin(2026, 3, 28, 12))
    assert handover == datetime(2026, 3, 30, 7, 0, tzinfo=UTC)
    assert handover - datetime(2026, 3, 23, 8, 0, tzinfo=UTC) == timedelta(days=7, hours=-1)


def test_a_weekly_hand_over_keeps_its_local_time_when_the_clocks_go_back() -> None:
    turns = Turns(("ana", "ben"), WEEK, berlin(2026, 10, 19, 9))
    assert turns.on_call(datetime(2026, 10, 26, 7, 59, tzinfo=UTC)) == "ana"
    assert turns.next_handover(berlin(2026, 10, 24, 12)) == datetime(2026, 10, 26, 8, 0, tzinfo=UTC)


def test_a_hand_over_that_the_clocks_skip_happens_as_much_later() -> None:
    # 02:30 does not exist on 29 March 2026 in Berlin.
    turns = Turns(("ana", "ben"), DAY, berlin(2026, 3, 28, 2, 30))
    assert turns.next_handover(berlin(2026, 3, 28, 12)) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert turns.on_call(berlin(2026, 3, 29, 3, 29)) == "ana"
    assert turns.on_call(berlin(2026, 3, 29, 3, 30)) == "ben"
    assert turns.next_handover(berlin(2026, 3, 29, 12)) == datetime(2026, 3, 30, 0, 30, tzinfo=UTC)


def test_a_hand_over_at_a_time_that_comes_twice_happens_the_first_time_and_once() -> None:
    # 02:30 comes twice on 25 October 2026 in Berlin: at 00:30 and at 01:30 UTC.
    turns = Turns(("ana", "ben"), DAY, berlin(2026, 10, 24, 2, 30))
    minutes = [datetime(2026, 10, 25, 0, 0, tzinfo=UTC) + timedelta(minutes=15 * step) for step in range(9)]
    assert [turns.on_call(at) for at in minutes] == ["ana"] * 2 + ["ben"] * 7


def test_half_day_turns_keep_their_local_times_too() -> None:
    turns = Turns(("ana", "ben"), DAY / 2, berlin(2026, 3, 28, 9))
    handovers = []
    at = berlin(2026, 3, 28, 9).astimezone(UTC)
    for _ in range(3):
        at = turns.next_handover(at)
        handovers.append(at.astimezone(BERLIN).strftime("%d %H:%M"))
    assert handovers == ["28 21:00", "29 09:00", "29 21:00"]


def test_without_a_start_a_rota_begins_on_the_monday_of_the_run_at_nine_of_its_first_person() -> None:
    cast = response(rotas={"shop": {"people": ["ana", "ben"]}})
    assert rota(cast.rotas["shop"], cast, STARTS).layers[0].turns.first_turn == berlin(2026, 3, 2, 9)


def test_the_monday_is_that_of_the_first_persons_zone() -> None:
    cast = response(rotas={"shop": {"people": ["ana"]}})
    sunday_evening_utc = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
    assert rota(cast.rotas["shop"], cast, sunday_evening_utc).layers[0].turns.first_turn == berlin(2026, 3, 2, 9)


def test_a_start_without_offset_is_local_and_one_with_offset_is_an_instant() -> None:
    rotas = {
        "local": {"people": ["ana"], "starts": "2026-03-02T18:00"},
        "instant": {"people": ["ana"], "starts": "2026-03-02T18:00+00:00"},
    }
    cast = response(rotas=rotas)
    assert rota(cast.rotas["local"], cast, STARTS).layers[0].turns.first_turn == berlin(2026, 3, 2, 18)
    assert rota(cast.rotas["instant"], cast, STARTS).layers[0].turns.first_turn == berlin(2026, 3, 2, 19)


def test_the_directory_finds_rotas_people_and_teams_at_an_instant_of_the_run() -> None:
    directory = Directory(
        response(
            rotas={"shop": {"people": ["ana", "ben"], "shift": "1d", "starts": "2026-03-04T09:00"}},
            teams={"shop": {"members": ["ben", "cyd"]}},
        ),
        STARTS,
    )
    assert directory.resolve("rota/shop", 0) == ("ana",)
    assert directory.resolve("rota/shop", 20 * 3600 - 1) == ("ana",)
    assert directory.resolve("rota/shop", 20 * 3600) == ("ben",)
    assert directory.resolve("team/shop", 0) == ("ben", "cyd")
    assert directory.resolve("person/cyd", 0) == ("cyd",)


@pytest.mark.parametrize("target", ["person/nobody", "ana", "role/ana"])
def test_an_unknown_target_is_a_bug_because_scenarios_are_checked(target: str) -> None:
    with pytest.raises(AssertionError):
        Directory(response(), STARTS).resolve(target, 0)


def test_a_team_without_a_policy_of_its_own_follows_the_default_one() -> None:
    levels = {"levels": [{"notify": ["person/ana"]}]}
    teams = {"shop": {"members": ["ana"], "escalation": "shop"}, "crm": {"members": ["ben"]}}
    directory = Directory(response(teams=teams, escalations={"default": levels, "shop": levels}), STARTS)
    found = [directory.policy_of(team) for team in ("shop", "crm", None)]
    assert [policy[0] for policy in found if policy] == ["shop", "default", "default"]


def test_without_a_default_policy_a_page_has_nowhere_to_go() -> None:
    assert Directory(response(), STARTS).policy_of(None) is None


ZONES = st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC", "Asia/Kolkata"])


@given(
    zone=ZONES,
    people=st.integers(1, 4),
    shift_h=st.sampled_from([1, 8, 12, 24, 168]),
    first=st.datetimes(datetime.fromisoformat("2025-01-01"), datetime.fromisoformat("2026-01-01")),
    after_h=st.integers(0, 10_000),
)
def test_hand_overs_are_in_order_and_the_next_person_has_the_turn_from_then_on(
    *, zone: str, people: int, shift_h: int, first: datetime, after_h: int
) -> None:
    names = tuple(f"p{index}" for index in range(people))
    turns = Turns(names, shift_h * 3600, first.replace(tzinfo=ZoneInfo(zone)))
    at = first.replace(tzinfo=UTC) + timedelta(hours=after_h)
    handover = turns.next_handover(at)
    assert handover > at
    now, then = names.index(turns.on_call(at)), names.index(turns.on_call(handover))
    assert turns.on_call(handover - timedelta(microseconds=1)) == names[now]
    assert then == (now + 1) % people
