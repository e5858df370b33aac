"""Balancers learn of dead instances by their checks: late, after enough failures in a row, and the same on the way back."""

import pytest

from tests.simulator.small import small

CHECK = {"interval": "5s", "unhealthy": 3, "healthy": 2}
SHOP = {"instances": {"a1": 2}, "health_check": CHECK, "boot": "1s"}


def rotation_changes(day, name, until):
    """Times at which an instance left or joined the rotation, to a tenth of a second."""
    changes, was, t = [], day.unit(name).in_rotation, day.world.env.now
    while t < until:
        t = round(t + 0.1, 1)
        day.until(t)
        if day.unit(name).in_rotation != was:
            was = not was
            changes.append(t)
            assert day.engine_instance(name).in_rotation == was
    return changes


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("port", ["kill", "freeze"])
def test_a_dead_or_hanging_instance_leaves_after_so_many_failed_checks_and_comes_back_after_passed_ones(seed, port):
    day = small(seed, shop=SHOP)
    day.until(10.0)
    pinned = day.do(port, "instance/shop@a1/0")
    [left] = rotation_changes(day, "shop@a1/0", 40.0)
    assert 2 * 5.0 <= left - 10.0 <= 3 * 5.0 + 0.1
    getattr(day.world, {"kill": "restart", "freeze": "resume"}[port])(pinned)
    boot = 1.0 if port == "kill" else 0.0
    [back] = rotation_changes(day, "shop@a1/0", 60.0)
    assert 5.0 <= back - 40.0 - boot <= 2 * 5.0 + 0.1


def test_until_then_callers_run_into_it_and_afterwards_none_does():
    day = small(shop=SHOP)
    day.until(10.0)
    day.do("kill", "instance/shop@a1/0")
    day.until(60.0)
    assert 0.3 < day.good_between(11.0, 19.0) < 0.7, "every second call meets the dead one"
    assert day.good_between(26.0, 60.0) == 1.0


def test_failures_that_are_not_in_a_row_change_nothing():
    day = small(shop=SHOP)
    day.until(10.0)
    for _ in range(4):
        pinned = day.do("freeze", "instance/shop@a1/0")
        assert rotation_changes(day, "shop@a1/0", day.world.env.now + 9.0) == [], "two checks at most"
        day.world.resume(pinned)
        assert rotation_changes(day, "shop@a1/0", day.world.env.now + 6.0) == [], "at least one check"


def test_every_balancer_checks_at_its_own_time():
    day = small(shop={"health_check": CHECK})
    day.until(10.0)
    day.do("kill", "service/shop")
    left = {}
    for name in ("shop@a1/0", "shop@b1/0"):
        left[name] = None
    while None in left.values():
        day.until(round(day.world.env.now + 0.1, 1))
        for name, t in left.items():
            if t is None and not day.unit(name).in_rotation:
                left[name] = day.world.env.now
    assert left["shop@a1/0"] != left["shop@b1/0"]
