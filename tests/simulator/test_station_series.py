"""Series that explain a day: they add up to the engine's counters, and what stations do by themselves is on the timeline."""

from __future__ import annotations

import numpy as np
import pytest

from sim.day import Day
from sim.recorder import Recorder
from sim.streams import Streams
from sim.traffic.plan import Reason
from sim.wiring import build
from tests.simulator.small import BUY, SHOP, Small, scenario, small

TROUBLE = {
    "shop": {
        "slots": 2,
        "service_time": "lognormal 60ms cv 1.2",
        "queue": 10,
        "error_rate": "2%",
        "codel": {"target": "5ms", "interval": "100ms"},
        "limiter": {"limit": 6},
        "calls": [
            {"to": "side", "timeout": "40ms", "breaker": {"failures": 1, "open": "3s"}, "cache": {"keys": 40, "ttl": "1s"}},
            {"to": "provider/pay", "timeout": "400ms", "bulkhead": 1},
            {"to": "database/orders", "operation": "write", "timeout": "1s"},
        ],
    },
    "services": {"side": {**SHOP, "service_time": "exponential 20ms"}},
    "classes": {"buy": {**BUY, "rate": "60/s", "deadline": "2s", "timeout": "500ms", "retries": {"attempts": 1}}},
    "system": {
        "providers": {"pay": {"service_time": "exponential 100ms", "timeout": "1s"}},
        "databases": {"orders": {"primary": "a1", "replicas": ["b1"], "slots": 4, "service_time": "constant 2ms"}},
    },
    "faults": ["kill service/shop@a1 at 30s for 20s"],
    "duration": "90s",
}


@pytest.fixture(scope="module")
def day() -> Small:
    """A day that is told in full, up to a multiple of five seconds."""
    chosen = scenario(**TROUBLE)
    played = Small(Day.begin(chosen, build(chosen), Streams(2), Recorder(), "plain", traced=True))
    played.until(90.0)
    played.day.measures.finish()
    return played


def _sum(day: Small, name: str, **labels: str) -> float:
    return sum(float(one.values.sum()) for one in day.world.recorder.series().find(name, labels)) * 5.0


def test_what_is_told_of_a_station_adds_up_to_what_the_engine_counted(day: Small) -> None:
    seen, found = day.seen(), day.world.engine.details()
    places = {
        ("service", ("service", "shop"), ("region", "a")): day.station("shop", "a"),
        ("service", ("service", "side"), ("region", "a")): day.station("side", "a"),
        ("database", ("database", "orders"), ("node", "a1")): day.world.wiring.nodes["orders"]["a1"],
        ("provider", ("provider", "pay")): day.world.wiring.providers["pay"],
    }
    for (kind, *labels), station in places.items():
        where = dict(labels)
        assert _sum(day, f"{kind}.arrived", **where) == pytest.approx(seen.arrived[station])
        assert seen.arrived[station] > 100
        assert _sum(day, f"{kind}.good", **where) == pytest.approx(seen.completed[station] - found.wasted[station])
        assert _sum(day, f"{kind}.wasted", **where) == pytest.approx(found.wasted[station])
        for reason in Reason:
            told = _sum(day, f"{kind}.failed", **where, reason=reason.name.lower())
            assert told == pytest.approx(found.failed_by[station, reason])
    shop = day.station("shop", "a")
    assert {Reason(number).name for number in np.flatnonzero(found.failed_by[shop])} >= {
        "TIMEOUT",
        "LIMITED",
        "DROPPED",
        "REFUSED",
    }


def test_what_never_left_its_caller_is_told_of_the_edge(day: Small) -> None:
    seen, edges = day.seen(), [edge.name for edge in day.world.wiring.plan.edges]
    side, pay = edges.index("shop@a -> side"), edges.index("shop@a -> provider/pay")
    assert _sum(day, "edge.unsent", edge="shop@a -> side", reason="breaker_open") == pytest.approx(seen.skipped[side])
    assert seen.skipped[side] > 50
    bulkhead = day.world.engine.details().unsent_by[pay, Reason.BULKHEAD]
    assert _sum(day, "edge.unsent", edge="shop@a -> provider/pay", reason="bulkhead") == pytest.approx(bulkhead)
    assert bulkhead > 50


def test_caches_limiters_and_drops_have_their_series(day: Small) -> None:
    seen, found, shop = day.seen(), day.world.engine.details(), day.station("shop", "a")
    edge = [edge.name for edge in day.world.wiring.plan.edges].index("shop@a -> side")
    for name, counted in (("hits", seen.hits), ("misses", seen.misses), ("joined", seen.joined)):
        assert _sum(day, f"edge.cache_{name}", edge="shop@a -> side") == pytest.approx(counted[edge])
    assert seen.hits[edge] > 100
    here = {"service": "shop", "region": "a"}
    limits = dict(day.series("service.limit", **here))
    assert (limits[25.0], limits[40.0]) == (12.0, 6.0)  # two instances, then one
    assert _sum(day, "service.limited", **here) == pytest.approx(found.limited[shop])
    assert max(held for _, held in day.series("service.in_flight", **here)) <= 12.0
    assert _sum(day, "service.dropped", **here) == pytest.approx(sum(seen.dropped_by[shop]))
    assert _sum(day, "service.dropped_by", **here, priority="critical") == pytest.approx(sum(seen.dropped_by[shop]))
    assert sum(seen.dropped_by[shop]) > 20


def test_a_latency_is_that_of_the_visits_of_the_last_ten_seconds() -> None:
    chosen = scenario(shop={"service_time": "constant 20ms"}, duration="60s", faults=["slow service/shop factor=4 at 30s"])
    day = Small(Day.begin(chosen, build(chosen), Streams(1), Recorder(), "plain", traced=True))
    day.until(60.0)
    day.day.measures.finish()
    median = dict(day.series("service.latency_p50", service="shop", region="a"))
    assert 0.02 <= median[30.0] <= 0.02 * 1.1
    assert 0.08 <= median[45.0] <= 0.08 * 1.1


def test_a_day_that_is_not_told_has_none_of_this() -> None:
    day = small(duration="30s")
    day.until(30.0)
    assert not day.world.recorder.series().find("service.arrived")


def test_ejections_returns_and_panics_are_events_of_the_service() -> None:
    ejecting = {"failures": 3, "base": "20s", "longest": "20s", "most": "50%"}
    day = small(
        shop={"outlier_ejection": ejecting, "panic_threshold": "60%"}, faults=["errors service/shop@a2 ratio=1 at 10s for 5s"]
    )
    day.until(60.0)
    day.day.measures.finish()
    told = [(event.kind, event.subject, event.data.get("instance")) for event in day.events("outlier.*", "panic.*")]
    assert told == [
        ("outlier.ejected", "service/shop@a", "shop@a2/0"),
        ("panic.started", "service/shop@a", None),
        ("outlier.readmitted", "service/shop@a", "shop@a2/0"),
        ("panic.ended", "service/shop@a", None),
    ]
    out_s, back_s = day.times("outlier.ejected")[0], day.times("outlier.readmitted")[0]
    assert 10.0 < out_s < 15.0
    assert back_s == out_s + 20.0


def test_what_a_queue_drops_is_shedding_that_starts_and_ends() -> None:
    busy = {"slots": 1, "service_time": "constant 100ms", "queue": 1000, "codel": {"target": "5ms", "interval": "50ms"}}
    crowd = {"shape": "spike", "base": "0.2/s", "peak": "60/s", "at": "20s", "lasts": "20s"}
    day = small(shop=busy, classes={"buy": {**BUY, "rate": crowd}}, duration="3m")
    day.until(180.0)
    day.day.measures.finish()
    assert sum(day.seen().refused_by[day.station("shop", "a")]) == 0
    assert len(day.times("shedding.started")) == len(day.times("shedding.ended")) == 1
    assert 20.0 < day.times("shedding.started")[0] <= 30.0
    assert 35.0 < day.times("shedding.ended")[0] <= 50.0
