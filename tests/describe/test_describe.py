"""The description of a scenario: facts of the file, estimates that say so, and warnings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gameday.describe import DemandFacts, Description, as_json, as_text, describe
from gameday.scenario.checks import check
from gameday.scenario.model import Scenario
from gameday.scenario.reading import parse_yaml
from gameday.scenario.validation import validate

TEXT = (Path(__file__).parent.parent / "data" / "good.yaml").read_text(encoding="utf-8")

SMALL = """
gameday: 1
name: small
title: One service
teaches: Nothing.
starts: 2026-03-04T02:00:00+01:00
duration: 10m
system:
  regions: {r: {zones: [a, b]}}
  network: {same_region: 2ms}
  services:
    web:
      instances: 2
      slots: 10
      service_time: 20ms
      calls: [{to: store, calls: 2}]
    store: {instances: 1, slots: 4, service_time: exponential 9ms, timeout: 500ms}
load:
  classes:
    browse: {entry: web, rate: {shape: ramp, start_rate: 10/s, end_rate: 100/s, at: 2m, over: 1m}, timeout: 2s}
"""


def description(text: str, *changes: tuple[str, str]) -> Description:
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    document = parse_yaml(text, "day.yaml")
    scenario = validate(Scenario, document)
    check(scenario, document)
    return describe(scenario)


def demand(found: Description, place: str) -> DemandFacts:
    return next(each for each in found.demand if each.place == place)


def test_a_slot_is_held_for_own_work_and_for_the_calls_that_are_waited_for() -> None:
    found = demand(description(SMALL), "web@r")
    held_s = 0.020 + 2 * (0.009 + 0.002)
    assert found.slots == 40
    assert found.capacity_per_s_estimate == pytest.approx(40 / held_s)
    assert found.peak_per_s_estimate == pytest.approx(100.0)
    assert found.peak_utilisation_estimate == pytest.approx(100 * held_s / 40)
    assert 170.0 <= found.peak_at_s <= 180.0


def test_a_callee_gets_as_many_requests_as_calls_are_made() -> None:
    found = demand(description(SMALL), "store@r")
    assert found.peak_per_s_estimate == pytest.approx(200.0)
    assert found.capacity_per_s_estimate == pytest.approx(8 / 0.009)


def test_calls_at_once_cost_the_longest_and_calls_not_waited_for_cost_nothing() -> None:
    both = ("[{to: store, calls: 2}]", "[{to: store}, {to: store}]\n      fan_out: parallel")
    assert demand(description(SMALL, both), "web@r").capacity_per_s_estimate == pytest.approx(40 / (0.020 + 0.011))
    sent = ("{to: store, calls: 2}", "{to: store, calls: 2, mode: async}")
    assert demand(description(SMALL, sent), "web@r").capacity_per_s_estimate == pytest.approx(40 / 0.020)
    assert demand(description(SMALL, sent), "store@r").peak_per_s_estimate == pytest.approx(200.0)


def test_closed_users_come_as_often_as_they_think_and_wait() -> None:
    users = ("rate: {shape: ramp, start_rate: 10/s, end_rate: 100/s, at: 2m, over: 1m}", "users: 50, think: 958ms")
    assert demand(description(SMALL, users), "web@r").peak_per_s_estimate == pytest.approx(50.0)


def test_load_above_the_capacity_is_warned_of_with_place_and_time() -> None:
    found = description(SMALL, ("slots: 4,", "slots: 1,"), ("end_rate: 100/s", "end_rate: 200/s"))
    assert found.warnings[0] == ("store@r: the load needs 180% of its 2 slots at 3m, before anything breaks (estimate)")


def warnings(*changes: tuple[str, str], text: str = SMALL) -> list[str]:
    return list(description(text, *changes).warnings)


def test_a_quiet_scenario_has_no_warnings() -> None:
    assert warnings() == []


def test_retries_multiply_along_a_path_and_a_budget_caps_them() -> None:
    tries = ("timeout: 2s", "timeout: 9s, retries: {attempts: 1}")
    calls = ("{to: store, calls: 2}", "{to: store, retries: {attempts: 2}}")
    assert warnings(tries, calls) == [
        "retries: when the end of this path fails, one request of class browse becomes 6 attempts: clients -> web -> store"
    ]
    assert warnings(tries, ("{to: store, calls: 2}", "{to: store, retries: {attempts: 2, budget: 10%}}")) == []


def test_a_caller_that_gives_up_before_its_callee_is_warned_of() -> None:
    assert warnings(("timeout: 2s", "timeout: 900ms"), ("{to: store, calls: 2}", "{to: store, retries: {attempts: 1}}")) == [
        "timeouts: class browse waits 900ms for web, which may wait 2 x 500ms for store"
    ]


def test_what_has_no_second_and_takes_a_class_along_is_a_single_point_of_failure() -> None:
    lone = ("store: {instances: 1", "store: {instances: {a: 1}")
    assert warnings(lone) == ["single point of failure: the only instance of store in r; without it these classes fail: browse"]
    pair = ("store: {instances: 1", "store: {instances: {a: 2}")
    assert warnings(pair) == [
        "single point of failure: zone a, which has all instances of store in r; without it these classes fail: browse"
    ]
    assert warnings(lone, ("{to: store, calls: 2}", "{to: store, calls: 2, required: false}")) == []


def test_a_primary_without_a_promotion_policy_is_a_single_point_of_failure() -> None:
    found = warnings(
        ("{to: store, calls: 2}", "{to: store}, {to: database/orders, operation: write}"),
        ("load:\n", "  databases: {orders: {primary: a, replicas: [b], slots: 50, service_time: 1ms}}\nload:\n"),
    )
    assert found == [
        (
            "single point of failure: the primary of database orders, which has no promotion policy of its own; without it these "
            "classes fail: browse"
        )
    ]


def test_business_critical_services_need_an_owner_and_a_runbook() -> None:
    assert warnings(("    web:\n", "    web:\n      tier: 0\n")) == ["service web is tier 0 and has no owner and no runbook"]


def test_what_nobody_calls_and_what_is_not_judged_is_warned_of() -> None:
    idle = ("load:\n", "    cron: {instances: 2, slots: 1, service_time: 1ms}\nload:\n")
    early = ("duration: 10m", "duration: 10m\nschedule: {faults: [slow service/web factor=2 at 10s]}")
    assert warnings(idle, early) == [
        "service cron is called by nothing",
        "fault slow service/web begins at 10s, in the warm-up, which ends at 1m and is not judged",
    ]


def test_services_are_ordered_by_their_distance_from_the_clients() -> None:
    layers = [(service.name, service.layer) for service in description(TEXT).services]
    assert layers == [("web", 1), ("catalog", 2), ("checkout", 2), ("ads", 2), ("mailer", 2)]


def test_the_schedule_is_in_order_of_time_and_says_what_mends_each_fault() -> None:
    lines = [(line.what, line.at_s, line.until_s, line.mended_by) for line in description(TEXT).schedule]
    assert lines == [
        ("maintenance", 180.0, 480.0, None),
        ("slow", 300.0, 2700.0, None),
        ("kill", 900.0, 2100.0, None),
        ("latency", 2400.0, 2700.0, None),
        ("kill", 3000.0, None, "restart"),
        ("bad_release", 3300.0, None, "rollback"),
        ("background kill", None, None, None),
    ]


def test_every_fault_that_takes_something_away_has_its_blast_radius() -> None:
    found = description(TEXT).blast_radius
    assert [each.fault for each in found] == ["kill region/eu-1", "kill database/products/primary"]
    assert "affected: class checkout from south: web@eu-2 -> checkout@eu-2 -> database/orders@eu-1a" in found[0].lines


def test_a_description_is_plain_json_without_the_scenario() -> None:
    found = as_json(description(TEXT))
    assert json.loads(json.dumps(found)) == found
    assert "scenario" not in found
    assert found["services"][0]["instances"] == {"eu-1": [2, 2], "eu-2": [2, 2]}


def test_the_text_says_which_numbers_are_estimates() -> None:
    text = as_text(description(TEXT))
    assert "Capacity and load before anything breaks (estimates from means, without queues, retries and failures)" in text
    assert "    -> catalog (timeout 2 x 800ms, breaker)" in text
    assert "15m       35m                kill             region/eu-1" in text
    assert not any(line != line.rstrip() for line in text.splitlines())


def test_the_same_scenario_is_described_in_the_same_words() -> None:
    assert as_text(description(TEXT)) == as_text(description(TEXT))


def test_nothing_but_tables_is_wider_than_the_terminal() -> None:
    wide, narrow = as_text(description(TEXT)), as_text(description(TEXT), 70)
    assert narrow.split() == wide.split()
    tables = ("Capacity and load", "Schedule")
    sections = [section for section in narrow.split("\n\n") if not section.startswith(tables)]
    assert max(len(line) for section in sections for line in section.splitlines()[1:]) <= 70
