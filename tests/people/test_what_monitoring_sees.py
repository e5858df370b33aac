"""Monitoring knows what reached it, when its own clocks let it, and tells whom it can reach."""

from __future__ import annotations

import math
from typing import Any

import pytest

from gameday.scenario.model import Scenario
from sim.day import Day
from sim.monitoring import Monitor
from sim.people.cast import Cast
from sim.people.pager import Pager
from sim.recorder import Recorder
from sim.streams import Streams
from sim.wiring import build
from tests.people.small import merged, play, scenario

QUIET = {"schedule": {"faults": ["noop service/shop at 1s for 1s"]}}
KILLED = {"schedule": {"faults": ["kill region/a at 3m for 12m"]}}
HEARTBEAT = {"monitoring": {"location": "region/a", "rules": {"errors": None, "beat": {"kind": "heartbeat", "interval": "60s"}}}}
DATABASE = {
    "system": {
        "services": {"shop": {"calls": [{"to": "database/orders", "operation": "write", "timeout": "500ms"}]}},
        "databases": {"orders": {"primary": "a1", "replicas": ["b1"], "slots": 20, "service_time": "constant 2ms", "lag": "1s"}},
    }
}


class Watched:
    """A day with monitoring and nobody to call, stopped where a test wants to look."""

    def __init__(self, chosen: Scenario, seed: int = 1) -> None:
        self.day = Day.begin(chosen, build(chosen), Streams(seed), Recorder())
        self.monitor = Monitor(self.day, Pager(self.day.world, Cast(self.day.world)))

    def at(self, t: float) -> Watched:
        self.day.world.env.run(until=t)
        return self

    def value(self, indicator: str, subject: str, window_s: float = 60.0) -> float | None:
        return self.monitor.scrapes.value(indicator, subject, window_s, self.day.world.env.now)


def watch(*patches: Any, seed: int = 1) -> Watched:
    chosen: dict[str, Any] = {}
    for patch in patches:
        chosen = merged(chosen, patch)
    return Watched(scenario(chosen), seed)


def first_at_or_after(t: float, phase: float, every: float) -> float:
    return phase + math.ceil((t - phase) / every - 1e-9) * every


@pytest.mark.parametrize("seed", range(1, 6))
@pytest.mark.parametrize(("hold_s", "wait_s"), [(0.0, 10.0), (25.0, 40.0)])
def test_a_page_comes_exactly_when_the_configuration_lets_it(seed: int, hold_s: float, wait_s: float) -> None:
    draws = Streams(seed).draws("monitoring")
    evaluation_phase, scrape_phase = draws.uniform() * 20.0, draws.uniform() * 15.0
    patch = {
        "monitoring": {
            "scrape": "15s",
            "evaluation": "20s",
            "grouping": {"wait": wait_s},
            "rules": {"errors": {"above": "1%", "window": "15s", "for": hold_s}},
        }
    }
    played = play(patch, seed=seed)
    t0 = played.first("fault.injected").t
    scraped = first_at_or_after(t0 + 1.0, scrape_phase, 15.0)
    pending = first_at_or_after(scraped, evaluation_phase, 20.0)
    fired = pending + math.ceil(hold_s / 20.0) * 20.0
    assert played.first("alert.firing").t == pytest.approx(fired, abs=1e-5)
    assert played.first("page.sent").t == pytest.approx(fired + wait_s, abs=1e-5)


def test_requests_to_a_region_that_is_gone_leave_no_errors_on_the_server_side() -> None:
    gone = watch(KILLED).at(400.0)
    west = gone.day.indicators.flow_good_ratio("buy", "west", 60.0, 400.0)
    assert west == 0.0
    assert gone.value("error_ratio", "class/buy") == 0.0
    before = watch(QUIET).at(400.0).value("request_rate", "class/buy")
    after = gone.value("request_rate", "class/buy")
    assert before is not None
    assert after is not None
    assert after < 0.7 * before


def test_where_the_clients_count_requests_to_a_place_that_is_gone_are_errors_once_their_time_is_over() -> None:
    by_clients = {"monitoring": {"counted_by": "clients"}}
    gone = watch(KILLED, by_clients).at(400.0)
    assert gone.value("error_ratio", "class/buy") == pytest.approx(0.5, abs=0.1), "every second client is at home there"
    assert watch(QUIET, by_clients).at(400.0).value("error_ratio", "class/buy") == 0.0
    cut = {"schedule": {"faults": ["partition link/internet<->a at 3m for 12m", "partition link/internet<->b at 3m for 12m"]}}
    lonely = watch(cut, by_clients)
    assert lonely.at(181.9).value("error_ratio", "class/buy") == 0.0, "they wait two seconds for an answer"
    assert lonely.at(260.0).value("error_ratio", "class/buy") == 1.0
    entries = watch(cut).at(260.0)
    assert entries.value("error_ratio", "class/buy", 15.0) is None


def test_a_class_whose_every_entry_is_gone_has_no_latency_and_no_rate_of_errors() -> None:
    gone = watch({"schedule": {"faults": ["kill service/shop at 3m"]}}).at(400.0)
    assert gone.value("latency_p95", "class/buy") is None
    assert gone.value("error_ratio", "class/buy") is None
    assert gone.value("utilisation", "service/shop") is None


def test_a_cut_between_monitoring_and_a_region_hides_a_region_that_works() -> None:
    patch = {"monitoring": {"location": "region/b"}, "schedule": {"faults": ["partition link/a<->b at 3m for 12m"]}}
    cut = watch(patch).at(400.0)
    assert cut.value("instances_up", "region/a") is None
    assert cut.value("instances_up", "region/b", 0.0) == 2.0
    assert cut.day.indicators.good_ratio("buy", 60.0, 400.0) == 1.0


def test_what_an_entry_counted_while_it_could_not_be_asked_appears_afterwards() -> None:
    patch = {
        "monitoring": {"location": "region/b"},
        "schedule": {"faults": ["partition link/a<->b at 2m for 5m", "errors service/shop@a ratio=100% at 3m for 3m"]},
    }
    cut = watch(patch).at(410.0)
    assert cut.value("error_ratio", "class/buy", 300.0) == 0.0
    shown = cut.at(450.0).value("error_ratio", "class/buy", 300.0)
    assert shown is not None
    assert shown > 0.2


def test_a_zone_is_absent_while_its_neighbour_answers() -> None:
    patch = {
        "system": {"regions": {"a": {"zones": ["a1", "a2"]}}},
        "schedule": {"faults": ["kill zone/a2 at 3m for 12m"]},
    }
    half = watch(patch).at(400.0)
    assert half.value("instances_up", "zone/a2") is None
    assert half.value("instances_up", "zone/a1", 0.0) == 2.0
    assert half.value("instances_up", "service/shop@a", 0.0) == 2.0


def test_a_scrape_tells_nothing_of_what_came_after_it() -> None:
    early, late = watch({"monitoring": {"scrape": "60s"}}).at(181.0), watch({"monitoring": {"scrape": "60s"}}).at(235.0)
    last = late.monitor.scrapes.times_between(0.0, 235.0)[-1]
    for t, watched in ((181.0, early), (235.0, late)):
        asked = watched.monitor.scrapes.value("error_ratio", "class/buy", 60.0, t)
        if last <= t < last + 60.0 or t < 190.0:
            truth = watched.day.indicators.value("error_ratio", "class/buy", 60.0, min(last, t) if last <= t else t)
            assert asked is not None
            assert truth is not None
            assert asked <= truth + 0.02


def test_what_was_measured_long_ago_counts_for_nothing() -> None:
    patch = {"monitoring": {"location": "region/a"}, "schedule": {"faults": ["kill region/a at 3m for 12m"]}}
    down = watch(patch).at(600.0)
    assert down.value("error_ratio", "class/buy") is None
    assert down.value("instances_up", "region/b", 0.0) is None


def test_replication_lag_is_read_per_replica_that_answers() -> None:
    follow = watch(DATABASE, QUIET).at(200.0)
    assert follow.value("replication_lag", "database/orders@b1") == follow.value("replication_lag", "database/orders")
    assert follow.value("replication_lag", "database/orders@a1") is None, "a primary lags behind nobody"
    stopped = watch(DATABASE, {"schedule": {"faults": ["replication_stop database/orders@b1 at 3m"]}}).at(400.0)
    now, mean = (
        stopped.value("replication_lag", "database/orders", 0.0),
        stopped.value("replication_lag", "database/orders", 120.0),
    )
    assert now is not None
    assert mean is not None
    assert now > 190.0
    assert mean == pytest.approx(now - 55.0, abs=10.0)
    gone = watch(DATABASE, {"schedule": {"faults": ["kill region/b at 3m"]}}).at(400.0)
    assert gone.value("replication_lag", "database/orders", 0.0) is None


def test_a_probe_fails_from_the_origin_that_is_hurt_only() -> None:
    patch = {
        "monitoring": {
            "probes": {"p": {"class": "buy", "interval": "20s", "timeout": "2s"}},
            "rules": {"errors": None, "p": {"kind": "probe", "probe": "p"}},
        }
    }
    fired = play(KILLED, patch).of("alert.firing")
    assert {event.subject for event in fired} == {"class/buy@west"}


def test_a_probe_of_a_class_that_nobody_asks_for_there_meets_the_region() -> None:
    patch = {
        "load": {"classes": {"buy": {"origins": {"east": "100%"}}}},
        "monitoring": {
            "probes": {"p": {"class": "buy", "origin": "west", "interval": "20s", "timeout": "2s"}},
            "rules": {"errors": None, "p": {"kind": "probe", "probe": "p"}},
        },
    }
    assert not play(QUIET, patch).of("alert.firing")
    assert play(KILLED, patch).first("alert.firing").t > 180.0


def test_monitoring_in_a_dead_region_is_silent_and_its_watchdog_is_not() -> None:
    played = play(KILLED, HEARTBEAT, {"monitoring": {"rules": {"gone": {"kind": "absence", "on": "region/a", "window": "30s"}}}})
    fired = [event for event in played.of("alert.firing") if event.t < 900.0]
    assert {event.data["rule"] for event in fired} == {"beat"}
    assert 180.0 + 50.0 <= fired[0].t <= 180.0 + 60.0 + 1e-6
    assert played.first("page.sent").t == fired[0].t, "a watchdog waits for no group"


def test_monitoring_that_is_cut_off_measures_and_tells_nobody() -> None:
    cut = {
        "schedule": {"faults": ["errors service/shop ratio=100% at 3m", "partition link/a<->internet at 2m for 10m"]},
        "monitoring": {"location": "region/a", "rules": {"beat": {"kind": "heartbeat", "interval": "60s"}}},
    }
    played = play(cut)
    assert played.first("alert.firing", rule="errors").t < 300.0
    told = [event for event in played.of("page.sent") if event.t < 700.0]
    assert [event.data["rules"] for event in told][:1] == [["beat"]]
    assert all("errors" not in event.data["rules"] for event in told)


def test_monitoring_that_is_down_sends_no_false_alarms() -> None:
    noisy = {"monitoring": {"location": "region/a", "rules": {"errors": None}, "false_alarms": {"per_day": 1000}}}
    during = [event for event in play(KILLED, noisy).of("alert.notified") if 190.0 < event.t < 890.0]
    assert not during
    assert [event for event in play(QUIET, noisy).of("alert.notified") if 190.0 < event.t < 890.0]


ERRORS_IN_A = {"kind": "threshold", "on": "service/shop@a", "indicator": "error_ratio", "above": "20%", "window": "30s"}
A_IS_GONE = {"kind": "absence", "on": "region/a", "window": "30s"}


@pytest.mark.parametrize(
    ("target", "rule", "held"),
    [
        ("instance/shop@a1/0", ERRORS_IN_A, True),
        ("instance/shop@b1/0", ERRORS_IN_A, False),
        ("service/shop@b", ERRORS_IN_A, False),
        ("region/a", A_IS_GONE, True),
        ("zone/b1", A_IS_GONE, False),
    ],
)
def test_planned_work_silences_alerts_about_its_target_only(target: str, rule: dict[str, Any], held: bool) -> None:
    patch = {
        "schedule": {
            "maintenance": [{"what": "t", "target": target, "at": "2m", "for": "28m"}],
            "faults": ["errors service/shop@a ratio=100% at 3m"] if rule is ERRORS_IN_A else ["kill region/a at 3m"],
        },
        "monitoring": {"rules": {"errors": None, "watched": rule}},
        "response": {"people": {"=": {}}, "teams": {"=": {}}, "escalations": {"=": {}}, "roles": {"=": {}}},
    }
    played = play(patch)
    assert played.first("alert.firing", rule="watched").t > 120.0
    assert bool(played.of("alert.suppressed", why="silence")) == held
    assert bool(played.of("alert.notified")) == (not held)


def test_customers_call_again_about_a_second_outage() -> None:
    patch = {
        "duration": "60m",
        "schedule": {"faults": ["errors service/shop ratio=100% at 3m for 3m", "errors service/shop ratio=100% at 30m for 3m"]},
        "monitoring": {
            "rules": {"errors": None},
            "customer_reports": {"enabled": True, "affected_requests": 30, "needed": 3, "window": "5m", "delay": "20s"},
        },
    }
    calls = [event.t for event in play(patch).of("page.sent")]
    assert len(calls) == 2
    assert calls[0] < 400.0
    assert 1800.0 < calls[1] < 2100.0


def test_customers_report_in_proportion_to_what_was_lost() -> None:
    patch = {
        "monitoring": {"rules": {"errors": None}, "customer_reports": {"enabled": True, "affected_requests": 40, "delay": "10s"}}
    }
    counts, lost = 0, 0
    for replication in range(8):
        played = play(patch, {"schedule": {"faults": ["errors service/shop ratio=100% at 3m for 10m"]}}, replication=replication)
        counts += len(played.of("inquiry.received"))
        lost += int(played.first("impact.ended").number("lost"))
    expected = lost / 40
    assert abs(counts - expected) < 4.0 * math.sqrt(expected)
