"""Proxies that find a primary by asking: how long callers wait for the next look, and what a proxy without traffic does."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday.scenario.policies import RouteCheck
from sim.databases.checks import ProxyChecks

CHECK = {"interval": "1s", "no_traffic": "60s", "proxy": "shop"}


def without_route(check):
    return {"check": check, "route": "2s"}


class Calls:
    """A count of calls that the test moves on."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> int:
        return self.count


@given(
    st.floats(min_value=0.1, max_value=30.0), st.floats(min_value=0.0, max_value=1.0), st.floats(min_value=0.0, max_value=1000.0)
)
def test_a_proxy_with_traffic_is_never_longer_than_an_interval_away_from_its_next_look(
    interval_s: float, phase: float, now: float
) -> None:
    checks = ProxyChecks(RouteCheck(interval=interval_s, no_traffic=60.0), Calls(), phase * interval_s)
    due = checks.next_after(now)
    assert now < due <= now + interval_s * (1 + 1e-9)
    assert (due - phase * interval_s) / interval_s == pytest.approx(round((due - phase * interval_s) / interval_s), abs=1e-6)


def test_traffic_that_comes_during_the_wait_does_not_cut_it_short() -> None:
    calls = Calls()
    checks = ProxyChecks(RouteCheck(interval=1.0, no_traffic=60.0), calls, 0.5)
    calls.count = 100
    checks.started(200.0)
    calls.count = 500
    assert checks.next_after(201.0) == 260.0
    assert checks.next_after(260.0) == 261.0, "from then on it looks as often as a busy one"


def test_a_proxy_that_nobody_uses_goes_on_looking_rarely() -> None:
    checks = ProxyChecks(RouteCheck(interval=1.0, no_traffic=60.0), Calls(), 0.5)
    checks.started(200.0)
    assert [checks.next_after(at) for at in (201.0, 260.0, 320.0)] == [260.0, 320.0, 380.0]


def test_without_an_interval_of_its_own_a_fresh_proxy_is_as_quick_as_any() -> None:
    checks = ProxyChecks(RouteCheck(interval=1.0), Calls(), 0.5)
    checks.started(200.0)
    assert checks.next_after(200.0) == 201.0


def reached_at(day, region="a", zone="b1", step_s=0.25):
    """When callers of a region are sent to a zone."""
    while day.cluster.router.zone_for(region) != zone:
        day.until(day.world.env.now + step_s)
        assert day.world.env.now < 300.0
    return day.world.env.now


def test_callers_reach_a_new_primary_at_the_next_look(small):
    day = small(promotion=without_route({"interval": "8s"}))
    day.at(40.0, "kill", "database/orders/primary")
    reached = reached_at(day)
    promoted = day.events("failover.promoted")[0].t
    assert promoted <= reached <= promoted + 8.25
    due = day.cluster.router._groups["a", False].checks.due_s
    assert (reached - due) % 8.0 == pytest.approx(0.0, abs=0.26), "at one of its own instants"


def test_a_proxy_restarted_before_the_failover_hides_the_new_primary_until_its_long_wait_is_over(small):
    day = small(promotion=without_route(CHECK))
    day.at(20.0, "kill", "service/shop@a")
    day.at(21.0, "restart", "service/shop@a")
    day.at(40.0, "kill", "database/orders/primary")
    assert reached_at(day) == pytest.approx(21.0 + 5.0 + 60.0, abs=0.26), "it boots for 5 s, looks, and waits"
    assert day.events("failover.promoted")[0].t < 55.0
    assert day.events("failover.completed")[0].t <= day.world.env.now


def test_one_instance_that_starts_beside_another_does_not_make_the_proxy_new(small):
    day = small(promotion=without_route(CHECK))
    day.at(20.0, "kill", "instance/shop@a1/0")
    day.at(21.0, "restart", "instance/shop@a1/0")
    day.at(40.0, "kill", "database/orders/primary")
    promoted_and_reached = reached_at(day)
    assert promoted_and_reached <= day.events("failover.promoted")[0].t + 1.25


def test_a_proxy_started_after_the_promotion_sees_the_new_primary_at_once(small):
    day = small(promotion=without_route({**CHECK, "interval": "50s"}))
    day.at(40.0, "kill", "database/orders/primary")
    day.at(41.0, "kill", "service/shop@a")
    day.at(52.0, "restart", "service/shop@a")
    assert reached_at(day) <= 57.25


def test_a_proxy_drops_a_primary_whose_agent_is_silent_after_its_failed_checks(small):
    check = {"interval": "1s", "timeout": "1s", "unhealthy": 2}
    day = small(promotion={"check": check, "lease": "20s", "fence": False})
    day.at(60.0, "freeze_agent", "database/orders/primary")
    day.until(90.0)
    last, first = day.log("a1")[0][-1], day.log("b1")[0][0]
    assert 62.8 <= last <= 64.1, "0 to 1 s to the next check, 1 s of silence, 1 s of pause, 1 s of silence"
    promoted = day.events("failover.promoted")[0].t
    begins = next(t for t, count in day.series("database.primaries", database="orders") if count == 2.0)
    assert begins == pytest.approx(promoted, abs=1e-3)
    assert promoted <= first <= promoted + 1.1
    assert day.finish()["lost"] == 0, "what was acknowledged before the drop had been carried over long before the promotion"


def test_a_proxy_that_waits_for_the_next_primary_loses_what_it_sends_to_the_old_one(small):
    day = small(promotion={"check": {"interval": "8s"}, "fence": False})
    day.at(60.0, "freeze_agent", "database/orders/primary")
    day.until(90.0)
    assert day.log("a1")[0][-1] > day.events("failover.promoted")[0].t
    assert day.finish()["lost"] > 0


def test_a_dropped_primary_is_taken_back_at_the_next_check_after_its_agent_wakes(small):
    check = {"interval": "1s", "timeout": "1s", "unhealthy": 2}
    day = small(promotion={"check": check, "lease": "60s", "heartbeat": "2s"})
    day.at(60.0, "freeze_agent", "database/orders/primary")
    day.at(70.0, "resume_agent", "database/orders@a1")
    day.until(90.0)
    times = day.log("a1")[0]
    before, after = max(pairwise(times), key=lambda pair: pair[1] - pair[0])
    assert before == pytest.approx(63.5, abs=0.6)
    assert 70.0 <= after <= 71.1
    assert not day.events("failover.promoted")


def test_an_agent_that_wakes_between_two_failed_checks_is_not_dropped(small):
    check = {"interval": "1s", "timeout": "1s", "unhealthy": 3}
    day = small(promotion={"check": check})
    day.at(60.0, "freeze_agent", "database/orders/primary")
    day.at(63.0, "resume_agent", "database/orders@a1")
    day.until(80.0)
    times = day.log("a1")[0]
    assert max(later - earlier for earlier, later in pairwise(times)) < 0.5
