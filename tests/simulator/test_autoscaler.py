"""Autoscaling: Kubernetes' rule, late by the boot time, slow to give back, and never outside its bounds."""

from math import ceil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.simulator.small import BUY, small

STEP_S = 10.0
SCALING = {"target": "50%", "interval": "10s", "max_per_zone": 4, "cooldown": "60s"}
SHOP = {"instances": {"a": 1}, "slots": 2, "service_time": "exponential 100ms", "boot": "15s", "queue": 50}


def shop(**more):
    return {**SHOP, "autoscaling": {**SCALING, **more}}


def busy(rate="30/s"):
    return {"buy": {**BUY, "rate": rate}}


def surge(peak="30/s", at="1m", lasts="2m"):
    return {"buy": {**BUY, "rate": {"shape": "spike", "base": "4/s", "peak": peak, "at": at, "for": lasts}}}


def changes(day, kind):
    return [(event.t, event.data["from"], event.data["to"]) for event in day.events(kind)]


def test_it_asks_for_the_instances_that_would_bring_utilisation_to_the_target():
    day = small(shop=shop(), classes=busy("26/s"))
    day.until(60.0)
    t, before, wanted = changes(day, "scaling.requested")[0]
    used = [value for at, value in day.series("service.utilisation", service="shop", region="a") if t - STEP_S - 5.0 < at <= t]
    assert before == 2
    low, high = min(used[-2:]), max(used[-2:])
    assert ceil(2 * low / 0.5) <= wanted <= ceil(2 * high / 0.5), "two five-second bins make the ten seconds it looks back"


def test_what_was_asked_for_helps_only_when_it_has_booted():
    day = small(shop=shop(), classes=busy())
    day.until(120.0)
    asked, ready = changes(day, "scaling.requested"), changes(day, "scaling.ready")
    assert asked
    assert [t for t, *_ in ready[: asked[0][2] - asked[0][1]]] == pytest.approx(
        [asked[0][0] + 15.0] * (asked[0][2] - asked[0][1])
    )
    counts = day.series("service.instances", service="shop", region="a")
    assert max(value for t, value in counts if t < ready[0][0]) == 2
    assert next(value for t, value in counts if t > ready[-1][0]) == 2 + len(ready)


def test_it_is_not_asked_for_twice_while_it_boots():
    day = small(shop={**shop(), "boot": "1m"}, classes=busy())
    day.until(59.0)
    assert max(to for _, _, to in changes(day, "scaling.requested")) <= 8
    day.until(180.0)
    assert len(changes(day, "scaling.ready")) <= 6


def test_instances_are_given_back_after_the_cooldown_and_never_the_first_ones():
    day = small(shop=shop(), classes=surge())
    day.until(600.0)
    grown = changes(day, "scaling.ready")
    assert grown
    shrunk = [(t, before, after) for t, before, after in changes(day, "scaling.requested") if after < before]
    assert shrunk
    assert all(t >= grown[0][0] + 60.0 for t, *_ in shrunk)
    assert day.world.serving_units(day.station("shop", "a")) == 2
    assert day.unit("shop@a1/0").serving
    assert day.unit("shop@a2/0").serving
    assert day.seen().slots[day.station("shop", "a")] == 4, "what was given back uses no slot any more"


def test_giving_back_loses_no_request():
    day = small(shop=shop(), classes=surge("24/s"))
    day.until(600.0)
    assert any(event.data["to"] < event.data["from"] for event in day.events("scaling.requested"))
    assert sum(day.seen().lost[0]) == 0


@given(st.integers(1, 5), st.integers(1, 4), st.integers(0, 10**6))
@settings(max_examples=12, deadline=None)
def test_no_zone_ever_has_more_than_its_most_whatever_dies(limit, start, seed):
    day = small(
        seed, shop={**shop(max_per_zone=limit, interval="5s"), "instances": {"a": start}, "boot": "5s"}, classes=busy("60/s")
    )
    for t in range(5, 125, 5):
        day.until(float(t))
        if t == 20:
            dead = day.do("kill", "zone/a1")
        if t == 60:
            day.world.restart(dead)
        for zone in ("a1", "a2"):
            here = [unit for unit in day.world.units[day.station("shop", "a")] if unit.name.startswith(f"shop@{zone}/")]
            assert sum(not unit.retired for unit in here) <= max(limit, start)


def test_it_grows_only_where_the_service_runs_and_a_zone_lives():
    day = small(shop={**shop(), "instances": {"a2": 1}}, classes=busy())
    day.until(100.0)
    assert changes(day, "scaling.ready")
    assert {unit.name.partition("/")[0] for unit in day.world.units[day.station("shop", "a")]} == {"shop@a2"}
    day = small(shop=shop(), classes=busy())
    day.do("kill", "zone/a1")
    day.until(100.0)
    assert changes(day, "scaling.ready")
    assert {day.world.zone_names[unit.zone] for unit in day.world.added} == {"a2"}


def test_an_instance_whose_zone_dies_during_the_boot_never_comes():
    day = small(shop={**shop(), "boot": "30s"}, classes=busy())
    day.until(25.0)
    assert changes(day, "scaling.requested")
    day.do("kill", "region/a")
    day.until(120.0)
    assert changes(day, "scaling.ready") == []
    assert day.world.serving_units(day.station("shop", "a")) == 0


def test_capacity_that_is_not_reserved_may_not_be_there():
    none = small(shop=shop(reserved=False, scarcity="100%"), classes=busy())
    none.until(120.0)
    assert len(none.events("scaling.requested")) > 3, "it asks again at every decision"
    assert none.events("scaling.ready") == []
    granted = asked = 0
    for seed in range(12):
        some = small(seed, shop=shop(reserved=False, scarcity="50%", max_per_zone=100), classes=busy("60/s"))
        some.until(59.0)
        asked += sum(event.data["to"] - event.data["from"] for event in some.events("scaling.requested"))
        granted += sum(int(event.data["reason"].split("; ")[1].split()[0]) for event in some.events("scaling.requested"))
    assert asked > 60
    assert 0.5 - 4 * 0.5 / asked**0.5 < granted / asked < 0.5 + 4 * 0.5 / asked**0.5


def test_a_dead_service_is_not_scaled():
    day = small(shop=shop(), classes=busy())
    day.do("kill", "service/shop")
    day.until(120.0)
    assert day.events("scaling.requested") == []
