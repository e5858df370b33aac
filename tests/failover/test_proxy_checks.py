"""Proxies that find a primary by asking: how long callers wait for the next look, and what a proxy without traffic does."""

from __future__ import annotations

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
