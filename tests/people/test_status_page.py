"""The status page: what it shows, when, and how long a mistake stays on it."""

from __future__ import annotations

from typing import Any

import pytest

from gameday.communication.status import component_state, mistaken
from gameday.scores import Recording, score
from sim import run
from tests.people.small import Played, fixed, merged, play, scenario
from tests.scores.days import Day

SHOP: dict[str, Any] = {"classes": ["buy"]}
PAGE: dict[str, Any] = {
    "response": {"timing": {"diagnose": fixed(600)}},
    "duration": "30m",
    "communication": {
        "audiences": {"customers": {"first_within": "2m"}},
        "status_page": {"components": {"shop": SHOP}, "wrong": 0, "forgotten": 0},
    },
}
KPI = "communication.component_status"


def page(**more: Any) -> dict[str, Any]:
    return merged(PAGE, {"communication": {"status_page": more}})


def shown(played: Played, name: str = "shop") -> list[tuple[float, str]]:
    return [(event.t, str(event.data["state"])) for event in played.of("status.component", component=name)]


# -- states -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lost", "state"),
    [
        (0.0, "operational"),
        (0.05, "operational"),
        (0.06, "degraded_performance"),
        (0.1, "partial_outage"),
        (0.49, "partial_outage"),
        (0.5, "major_outage"),
        (1.0, "major_outage"),
    ],
)
def test_a_state_begins_at_its_share_of_lost_requests(lost: float, state: str) -> None:
    assert component_state({"buy": lost}, {"buy": 0.05}) == state


def test_the_worst_class_counts_and_one_within_its_objective_does_not() -> None:
    assert component_state({"buy": 0.02, "look": 0.2}, {"buy": 0.01, "look": 0.05}) == "partial_outage"
    assert component_state({"buy": 0.02, "look": 0.2}, {"buy": 0.01, "look": 0.25}) == "degraded_performance"


def test_a_mistaken_state_is_always_another_one() -> None:
    for state in ("operational", "degraded_performance", "partial_outage", "major_outage", "under_maintenance"):
        assert mistaken(state) != state  # type: ignore[arg-type]


# -- by the tool, by hand -----------------------------------------------------------------------------------------------


def test_the_tool_shows_what_the_dashboards_show_from_the_declaration_on() -> None:
    played = play(page(automatic=True))
    declared, ended = played.first("incident.declared").t, played.first("impact.ended").t
    states = shown(played)
    assert states[0] == (pytest.approx(declared, abs=16.0), "major_outage")
    assert states[-1][1] == "operational"
    assert states[-1][0] == pytest.approx(ended, abs=90.0)
    assert {event.data["by"] for event in played.of("status.component")} == {"status page tool"}


def test_by_hand_it_is_set_by_who_posts_after_the_message() -> None:
    played = play(PAGE)
    first = played.first("message.published", audience="customers").t
    assert shown(played)[0][1] == "major_outage"
    assert first < shown(played)[0][0] < first + 60.0
    assert shown(played)[-1][1] == "operational"
    assert [event.data["state"] for event in played.of("status.incident")][-1] == "resolved"
    assert {event.data["by"] for event in played.of("status.component")} == {"cy"}


def test_a_forgotten_end_stays_on_the_page_until_somebody_looks() -> None:
    rest = {"duration": "60m", "communication": {"confirm_recovery": "1m"}}
    never_looked = play(page(forgotten=1, looked_at="100h"), rest)
    assert never_looked.of("message.published", phase="resolved")
    assert [event.data["state"] for event in never_looked.of("status.incident")][-1] != "resolved"
    looked = play(page(forgotten=1, looked_at="5m"), rest)
    resolved = looked.first("status.incident", state="resolved").t
    assert resolved > looked.first("message.published", phase="resolved").t
    assert shown(looked)[-1][1] == "operational"


def test_a_mistake_is_on_the_page_until_somebody_sets_it_right() -> None:
    two = {"components": {"shop": SHOP, "help": SHOP}}
    right = play(page(looked_at="100h", **two))
    assert {state for _, state in shown(right) + shown(right, "help")} == {"major_outage", "operational"}
    played = play(page(wrong=1, looked_at="100h", **two))
    first = {name: shown(played, name)[:1] for name in two["components"]}
    assert first != {name: shown(right, name)[:1] for name in two["components"]}


def test_a_page_on_the_place_that_is_gone_cannot_be_set() -> None:
    gone = {
        "schedule": {"faults": ["kill region/a at 3m for 10m"]},
        "monitoring": {"rules": {"errors": None, "gone": {"kind": "absence", "on": "region/a", "window": "30s"}}},
    }
    played = play(page(automatic=True, location="region/a"), gone)
    back = played.first("fault.healed").t
    assert played.first("incident.declared").t < back
    assert all(t >= back for t, _ in shown(played))


def test_planned_work_is_announced_and_its_components_are_under_maintenance() -> None:
    work = {"schedule": {"faults": [], "maintenance": [{"what": "new racks", "target": "region/b", "at": "4m", "for": "5m"}]}}
    played = play(page(automatic=True, components={"shop": {**SHOP, "maintenance": ["region/b"]}}), work)
    assert [event.data["state"] for event in played.of("status.scheduled")] == ["scheduled", "in_progress", "completed"]
    assert shown(played)[:1] == [(pytest.approx(240.0), "under_maintenance")]
    assert shown(played)[-1][0] >= 540.0


# -- scored ---------------------------------------------------------------------------------------------------------------


def kpi_of(*patches: dict[str, Any]) -> float:
    chosen = scenario(*patches)
    recording = run(chosen, 1, 0)
    result = score(Recording(recording.timeline, recording.series), chosen).result(KPI)
    assert result.value is not None
    return result.value


def test_the_tool_is_truer_than_hands_and_hands_than_hands_that_forget() -> None:
    rest = {"duration": "60m", "communication": {"confirm_recovery": "1m"}}
    tool, hand, forgetful = (kpi_of(patch, rest) for patch in (page(automatic=True), PAGE, page(forgotten=1, looked_at="100h")))
    assert tool > hand > forgetful


def hurt_day(**more: Any) -> Day:
    plan = {"status_page": {"components": {"shop": {"classes": ["checkout"], **more}}}, "audiences": {}}
    return Day(communication=plan).requests(hurt=(600.0, 1200.0), good=0.2).impact(600.0, 1200.0)


def set_to(day: Day, t: float, state: str) -> Day:
    return day.at(t, "status.component", "status_page/shop", component="shop", state=state, by="cy")


def test_minutes_are_counted_in_which_the_page_or_the_truth_is_not_well() -> None:
    assert hurt_day().result(KPI).value == 0.0
    true = set_to(set_to(hurt_day(), 601.0, "major_outage"), 1201.0, "operational")
    assert true.result(KPI).value == 1.0
    half = set_to(set_to(hurt_day(), 901.0, "major_outage"), 1201.0, "operational")
    assert half.result(KPI).value == pytest.approx(0.5)
    long = set_to(set_to(hurt_day(), 601.0, "major_outage"), 1801.0, "operational")
    assert long.result(KPI).value == pytest.approx(0.5)
    assert "was shown as major_outage and was operational for 10 min" in long.result(KPI).note
    wrong = set_to(set_to(hurt_day(), 601.0, "partial_outage"), 1201.0, "operational")
    assert wrong.result(KPI).value == 0.0


def test_a_component_of_one_region_is_judged_by_the_clients_of_that_region() -> None:
    assert hurt_day(region="eu-1").result(KPI).value == 0.0
    quiet = hurt_day(region="eu-2").requests(origin="east")
    assert quiet.result(KPI).grade.value == "not applicable" or quiet.result(KPI).value is None
