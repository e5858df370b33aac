"""Bulkheads and pools of connections: how many calls a process makes at once, exactly, and what becomes of the others."""

from __future__ import annotations

from sim.traffic.changes import SetInstance
from sim.traffic.plan import BreakerPlan, Plan, PoolPlan, Reason, RetryPlan
from tests.traffic.build import burst, call, crowd, engine, entry, flow, lost, plan, station


def _caller(users: int, instances: int = 1, **edge: object) -> Plan:
    """Each request makes one call that takes a second; the callee could take any number at once."""
    stations = [station("a", 0.001, slots=999, zones=(0,) * instances, calls=(1,)), station("b", 1.0, slots=999)]
    return plan(stations, [entry(), call(0, 1, **edge)], [crowd(users)])


def test_a_full_bulkhead_refuses_at_once() -> None:
    run = burst(_caller(10, bulkhead=3))
    run.advance(0.5)
    view = run.observe()
    assert view.busy[1] == 3
    assert lost(view) == {Reason.BULKHEAD: 7}
    run.advance(5.0)
    assert run.observe().good == [3]


def test_every_calling_instance_has_a_bulkhead_of_its_own() -> None:
    run = burst(_caller(20, instances=3, bulkhead=3))
    run.advance(0.5)
    assert run.observe().busy[1] == 9


def test_who_finds_no_connection_waits_for_one_in_turn() -> None:
    run = burst(_caller(7, pool=PoolPlan(3, 1.5)))
    run.advance(0.5)
    view = run.observe()
    assert (view.busy, view.attempts[1]) == ([7, 3], 7)  # the callers hold their slots meanwhile
    run.advance(1.4)
    assert run.observe().busy == [4, 3]
    run.advance(1.6)
    assert lost(run.observe()) == {Reason.POOL: 1}  # the seventh has waited for 1.5 s
    run.advance(5.0)
    view = run.observe()
    assert view.good == [6]
    assert view.failures[1] == 1


def test_a_pool_without_waiting_refuses_at_once() -> None:
    run = burst(_caller(7, pool=PoolPlan(3, 0.0)))
    run.advance(5.0)
    assert lost(run.observe()) == {Reason.POOL: 4}


def test_the_timeout_begins_when_the_connection_is_there() -> None:
    run = burst(_caller(4, pool=PoolPlan(1, 60.0), timeout_s=1.5))
    run.advance(9.0)
    assert run.observe().good == [4]


def test_those_who_wait_for_a_connection_count_in_the_bulkhead() -> None:
    run = burst(_caller(9, pool=PoolPlan(2, 60.0), bulkhead=5))
    run.advance(0.5)
    assert lost(run.observe()) == {Reason.BULKHEAD: 4}
    run.advance(9.0)
    assert run.observe().good == [5]


def test_a_timeout_gives_its_connection_back() -> None:
    run = burst(_caller(6, pool=PoolPlan(2, 60.0), timeout_s=0.3))
    run.advance(5.0)
    view = run.observe()
    assert view.arrived[1] == 6
    assert lost(view) == {Reason.TIMEOUT: 6}


def test_a_dead_caller_leaves_its_connections_and_its_next_life_has_all_of_them() -> None:
    run = burst(_caller(6, pool=PoolPlan(2, 60.0)))
    run.advance(0.5)
    run.apply(SetInstance(0, 0, up=False))
    run.apply(SetInstance(0, 0, up=True))
    run.advance(100.0)
    view = run.observe()
    assert (view.arrived[1], lost(view)) == (2, {Reason.CRASHED: 6})  # nobody dead was granted a connection
    stations = [station("a", 0.001, slots=999, calls=(1,)), station("b", 0.01, slots=999)]
    run = engine(plan(stations, [entry(), call(0, 1, pool=PoolPlan(2, 60.0))], [flow(100.0)]))
    run.advance(1.0)
    run.apply(SetInstance(0, 0, up=False))
    run.apply(SetInstance(0, 0, up=True))
    before = run.observe().good[0]
    run.advance(5.0)
    assert run.observe().good[0] - before > 300


def test_refusals_are_attempts_the_breaker_sees_and_retries_repeat() -> None:
    run = burst(_caller(10, bulkhead=1, breaker=BreakerPlan(5, 60.0)))
    run.advance(0.5)
    view = run.observe()
    assert view.breaker_open == [False, True]
    run = burst(_caller(2, bulkhead=1, retry=RetryPlan(50, 0.2, 0.2)))
    run.advance(5.0)
    view = run.observe()
    assert view.good == [2]
    assert view.retries[1] > 2


def test_the_rate_through_a_pool_is_its_size_over_the_time_of_a_call() -> None:
    stations = [station("a", 0.0, slots=9999, calls=(1,)), station("b", 0.02, slots=999)]
    run = engine(plan(stations, [entry(), call(0, 1, pool=PoolPlan(4, 0.5))], [flow(400.0)]))
    run.advance(10.0)
    before = run.observe().completed[1]
    run.advance(20.0)
    view = run.observe()
    assert view.completed[1] - before == 2000  # 4 / 0.02 s
    assert set(lost(view)) == {Reason.POOL}
