"""Measured numbers: rates sum to counters, losses have reasons, latencies agree with every single answer, windows are windows."""

from typing import Any

import numpy as np
import pytest

from sim.traffic.changes import SetFlow
from sim.traffic.plain import PlainEngine
from tests.simulator.small import BUY, SHOP, small

BUSY = {
    "shop": {
        "slots": 2,
        "service_time": "lognormal 60ms cv 1.2",
        "queue": 10,
        "error_rate": "2%",
        "calls": [{"to": "side", "timeout": "40ms"}],
    },
    "services": {"side": {**SHOP, "service_time": "exponential 10ms"}},
    "classes": {
        "buy": {**BUY, "rate": "30/s", "deadline": "500ms", "retries": {"attempts": 1}},
        "look": {**BUY, "priority": "best_effort", "rate": "25/s", "timeout": "300ms", "origins": {"east": "40%", "west": "60%"}},
    },
    "system": {"traffic": {"origins": {"west": {"share": "70%", "region": "a"}, "east": {"share": "30%", "region": "b"}}}},
    "policies": {"shedding": {"enabled": True, "services": {"shop": {"normal": "60%", "best_effort": "40%"}}}},
    "faults": ["kill service/shop@a1 at 60s for 30s", "loss link/a<->internet ratio=0.3 at 100s for 20s"],
    "duration": "3m",
}


@pytest.fixture(scope="module")
def played():
    """A day with every kind of trouble, with its last second measured."""
    day = small(3, **BUSY)
    day.until(180.0)
    day.day.measures.finish()
    return day


def summed(day, name, **labels):
    return sum(float(one.values.sum()) for one in day.world.recorder.series().find(name, labels))


def test_rates_of_requests_sum_to_the_engines_counters(played):
    seen = played.seen()
    for (name, origin), flow in played.world.wiring.flows.items():
        labels = {"class": name, "origin": origin}
        assert summed(played, "requests.offered", **labels) == seen.offered[flow] > 0
        assert summed(played, "requests.good", **labels) == seen.good[flow] > 0
        assert summed(played, "requests.lost", **labels) == sum(seen.lost[flow]) > 0
        assert summed(played, "requests.served_at", **labels) == seen.good[flow]


def test_every_lost_request_has_a_reason(played):
    reasons = {one.labels["reason"] for one in played.world.recorder.series().find("requests.lost")}
    assert {"refused", "shed", "late", "timeout", "error", "packet_loss", "crashed"} <= reasons


def test_every_request_has_one_fate_once_nobody_comes_any_more():
    day = small(4, **BUSY)
    day.until(180.0)
    for flow in range(len(day.seen().offered)):
        day.world.apply(SetFlow(flow, 0.0))
    day.until(300.0)
    for flow, offered in enumerate(day.seen().offered):
        assert offered == day.seen().good[flow] + sum(day.seen().lost[flow])


def test_rates_of_stations_sum_to_their_counters(played):
    for service, places in played.world.wiring.services.items():
        for region, station in places.items():
            seen, labels = played.seen(), {"service": service, "region": region}
            refused = summed(played, "service.refused", **labels) * 5.0
            assert refused == pytest.approx(sum(seen.refused_by[station]))
            assert summed(played, "service.refused_by", **labels) * 5.0 == pytest.approx(refused)
            assert summed(played, "service.shed_below_limit", **labels) * 5.0 == pytest.approx(seen.shed_below_limit[station])


def test_utilisation_times_slots_is_the_time_the_slots_were_busy(played):
    station = played.station("shop", "a")
    points = played.series("service.utilisation", service="shop", region="a")
    slots = {t: 4 for t, _ in points} | {t: 2 for t, _ in points if 60.0 < t <= 100.0}
    busy = sum(value * slots[t] * 5.0 for t, value in points)
    assert len(points) == 36
    assert busy == pytest.approx(played.seen().busy_s[station], rel=1e-2)
    assert all(value <= 1.0 + 1e-9 for _, value in points), "an instance that dies inside a bin offered slots until it died"


def test_shedding_is_on_record_from_its_first_refusal_to_its_last(played):
    started, ended = played.events("shedding.started"), played.events("shedding.ended")
    assert started
    for event in started:
        service, _, region = event.data["station"].removeprefix("service/").partition("@")
        refusing = [t for t, rate in played.series("service.refused", service=service, region=region) if rate > 0.0]
        assert event.t in refusing
        assert not any(event.t - 30.0 < t < event.t for t in refusing)
    for event in ended:
        service, _, region = event.data["station"].removeprefix("service/").partition("@")
        refusing = [t for t, rate in played.series("service.refused", service=service, region=region) if rate > 0.0]
        assert event.t in refusing
        assert not any(event.t < t < event.t + 30.0 for t in refusing)


# -- latencies --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("time", ["exponential 80ms", "lognormal 50ms cv 2", "constant 30ms"])
def test_a_latency_quantile_is_within_a_bucket_of_that_of_every_single_answer(time, monkeypatch):
    answers: list[tuple[float, float]] = []

    def root_over(self: PlainEngine, root: Any, outcome: int) -> None:
        if outcome == -2:
            answers.append((self.now, self.now - root.born))
        original(self, root, outcome)

    original = PlainEngine._root_over
    monkeypatch.setattr(PlainEngine, "_root_over", root_over)
    day = small(shop={"service_time": time, "slots": 6}, classes={"buy": {**BUY, "rate": "60/s", "deadline": "100ms"}})
    day.until(60.5)
    for name, quantile in (("latency_p50", 0.5), ("latency_p95", 0.95), ("latency_p99", 0.99)):
        for window, at in ((10.0, 20.0), (30.0, 60.0), (40.0, 57.3)):
            end = at - at % 5.0
            exact = np.quantile([each for t, each in answers if end - window < t <= end], quantile, method="inverted_cdf")
            found = day.day.indicators.value(name, "class/buy", window, at)
            assert found is not None
            assert exact <= found * (1 + 1e-9), "the upper edge of the bucket it lies in"
            assert found <= exact * 2.0**0.125 * (1 + 1e-9)
    [p50] = [value for t, value in day.series("latency.p50", **{"class": "buy"}) if t == 60.0]
    assert p50 == day.day.indicators.latency("buy", 0.5, 10.0, 60.0)


def test_without_answers_there_is_no_latency_and_no_point():
    day = small(faults=["kill service/shop at 20s"])
    day.until(60.0)
    assert day.day.indicators.latency("buy", 0.5, 10.0, 59.0) is None
    assert max(t for t, _ in day.series("latency.p50", **{"class": "buy"})) == 25.0


# -- windows ----------------------------------------------------------------------------------------------------------------


def test_a_window_counts_what_ended_in_it_and_nothing_else():
    day = small(faults=["errors service/shop ratio=1 at 30s for 10s"])
    day.until(100.0)
    indicators = day.day.indicators
    assert indicators.good_ratio("buy", 10.0, 40.0) == pytest.approx(0.0, abs=0.02)
    assert indicators.good_ratio("buy", 10.0, 30.0) == 1.0
    assert indicators.good_ratio("buy", 20.0, 40.0) == pytest.approx(0.5, abs=0.1)
    assert indicators.value("error_ratio", "class/buy", 10.0, 40.0) == pytest.approx(1.0, abs=0.02)
    assert indicators.value("error_ratio", "service/shop@a", 10.0, 40.0) == pytest.approx(1.0, abs=0.02)
    assert indicators.value("error_ratio", "service/shop@b", 10.0, 40.0) is None, "nobody went there"


def test_a_rate_is_per_second_of_its_window_also_near_the_start_and_between_two_samples():
    day = small()
    day.until(60.0)
    seen = day.day.indicators
    for at, window in ((59.0, 30.0), (20.0, 60.0), (57.6, 7.5), (58.2, 30.0)):
        assert seen.value("request_rate", "class/buy", window, at) == pytest.approx(20.0, rel=0.35)
        assert seen.value("request_rate", "service/shop@a", window, at) == pytest.approx(20.0, rel=0.35)
    total = seen.answered("buy", 59.0, 59.0)[0]
    assert seen.value("request_rate", "class/buy", 60.0, 59.0) == pytest.approx(total / 59.0)


def test_a_controller_that_asks_just_before_a_sample_sees_a_whole_window():
    day = small(shop={"instances": {"a1": 1}, "slots": 1}, classes={"buy": {**BUY, "rate": "200/s"}})
    day.until(20.0)
    station = [day.station("shop", "a")]
    assert day.day.indicators.utilisation(station, 5.0, 20.0) == pytest.approx(1.0, abs=1e-6), (
        "the sample of 20 s is not there yet"
    )


def test_a_service_of_which_nothing_runs_has_no_utilisation():
    day = small(faults=["kill service/shop at 20s"])
    day.until(60.0)
    assert day.day.indicators.value("utilisation", "service/shop@a", 10.0, 59.0) is None
    assert max(t for t, _ in day.series("service.utilisation", service="shop", region="a")) == 20.0


def test_money_lost_is_the_price_of_every_request_lost_so_far():
    day = small(faults=["errors service/shop ratio=1 at 20s for 10s"], system={"money": {"lost_request": {"buy": 2.5}}})
    day.until(61.0)
    points = day.series("class.value_lost", **{"class": "buy"})
    assert [value for t, value in points if t <= 20.0] == [0.0] * 4
    assert points[-1] == (60.0, 2.5 * sum(day.seen().lost[0]))
    assert [value for _, value in points] == sorted(value for _, value in points)


def test_breakers_are_on_record_when_they_open_and_close():
    side = {"to": "side", "required": False, "breaker": {"failures": 3, "open": "7s"}, "timeout": "50ms"}
    day = small(shop={"calls": [side]}, services={"side": SHOP}, faults=["kill service/side@a at 21s for 20s"])
    day.until(100.0)
    [opened], [closed] = day.events("breaker.opened"), day.events("breaker.closed")
    assert opened.subject == "edge/shop@a -> side"
    assert 21.0 < opened.t < 23.0
    assert 51.0 < closed.t < 60.0
    points = day.series("edge.breaker_open", edge="shop@a -> side")
    assert [value for _, value in points] == [1.0, 0.0]
    assert points[0][0] == 25.0
    assert 0.0 <= points[1][0] - closed.t <= 5.0
