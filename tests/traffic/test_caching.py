"""Caches: hit ratios that come out of keys, times to live and capacities; cold starts; stampedes."""

from __future__ import annotations

from math import sqrt
from typing import Any

import pytest

from sim.traffic import Engine
from sim.traffic.changes import AddInstance, SetFlow, SetInstance, SetStation
from sim.traffic.checks import PlanError
from sim.traffic.plan import CachePlan, InstancePlan, Plan, Reason, RetryPlan
from tests.traffic.build import Window, agrees, call, engine, entry, flow, in_flight, lost, plan, station, windows

RATE = 200.0


def system(cache: CachePlan, fetch_s: float = 0.0, rate: float = RATE, **more: Any) -> Plan:
    """Clients call `front`, which calls `back` through a cache."""
    stations = [station("front", 0.0, 10_000, calls=(1,)), station("back", fetch_s, 10_000)]
    return plan(stations, [entry(), call(0, 1, cache=cache, **more)], [flow(rate)])


def miss_ratio(window: Window) -> float:
    return window.count("misses", 1) / (window.count("misses", 1) + window.count("hits", 1))


def lookups(run: Engine) -> int:
    view = run.observe()
    return view.hits[1] + view.misses[1] + view.joined[1]


def test_a_cold_cache_misses_each_key_once_and_a_hit_makes_no_call() -> None:
    """After n lookups of N equal keys, N (1 - (1 - 1/N)^n) of them have been missed on average: the coupon collector."""
    keys, gap, runs = 200, 0.0, 30
    for seed in range(runs):
        run = engine(system(CachePlan(keys, keys)), seed)
        run.advance(1.0)
        view = run.observe()
        assert view.arrived[1] == view.misses[1] == view.attempts[1]
        gap += view.misses[1] - keys * (1.0 - (1.0 - 1.0 / keys) ** lookups(run))
    # The variance of the number of distinct keys is below N/4; 3.9 sigma errs once in 10,000.
    assert abs(gap / runs) < 3.9 * sqrt(keys / 4 / runs)


def test_of_equal_keys_a_full_cache_hits_its_share() -> None:
    found = windows(system(CachePlan(50, 20)), 10.0, 100.0, 8, longer=4)
    agrees(miss_ratio, found, 1.0 - 20 / 50, 0.03)


@pytest.mark.parametrize("zipf", [0.0, 1.0])
def test_a_time_to_live_makes_each_key_miss_once_in_a_while(zipf: float) -> None:
    """A key asked for at rate r misses 1 in 1 + r ttl times, if its answer comes at once: renewal at every miss."""
    keys, ttl_s = 40, 0.5
    weights = [n**-zipf for n in range(1, keys + 1)]
    shares = [weight / sum(weights) for weight in weights]
    exact = sum(share / (1.0 + RATE * share * ttl_s) for share in shares)
    agrees(miss_ratio, windows(system(CachePlan(keys, keys, ttl_s, zipf)), 5.0, 100.0, 8, longer=8), exact, 0.03)


def test_the_most_popular_keys_stay_when_there_is_room_for_few() -> None:
    window = windows(system(CachePlan(1000, 30, zipf=1.2)), 20.0, 60.0, 1)[0]
    assert miss_ratio(window) < 0.5 < 1.0 - 30 / 1000


def test_every_process_has_its_own_cache_and_loses_it_when_it_dies() -> None:
    stations = [station("front", 0.0, 10_000, calls=(1,), zones=(0, 0)), station("back", 0.0, 10_000)]
    run = engine(plan(stations, [entry(), call(0, 1, cache=CachePlan(30, 30))], [flow(500.0)]))
    run.advance(5.0)
    assert run.observe().misses[1] == 60
    run.apply(SetInstance(0, 1, up=False))
    run.apply(SetInstance(0, 1, up=True))
    run.advance(10.0)
    assert run.observe().misses[1] == 90
    run.apply(AddInstance(0, InstancePlan("front-2", 0, 10_000, 0)))
    run.advance(15.0)
    assert run.observe().misses[1] == 120


@pytest.mark.parametrize("coalesce", [False, True])
def test_when_a_popular_entry_expires_many_call_at_once_unless_they_join(coalesce: bool) -> None:
    """One key, asked for 200 times a second; an answer takes 0.2 s and is good for 1 s."""
    fetch_s, ttl_s = 0.2, 1.0
    run = engine(system(CachePlan(1, 1, ttl_s, coalesce=coalesce), fetch_s))
    run.advance(200.0)
    view = run.observe()
    cycles = 200.0 / (ttl_s + fetch_s + (0.0 if coalesce else fetch_s) + 1.0 / RATE)
    if coalesce:
        assert view.misses[1] == pytest.approx(cycles, rel=0.02)
        assert view.joined[1] == pytest.approx(cycles * RATE * fetch_s, rel=0.1)
    else:
        assert view.misses[1] == pytest.approx(cycles * (1.0 + RATE * fetch_s), rel=0.1)
        assert view.joined[1] == 0
    assert view.arrived[1] == view.misses[1]
    assert in_flight(view) < 100
    assert lost(view) == {}


def test_who_joins_a_call_shares_its_failure_and_the_next_one_tries_again() -> None:
    run = engine(system(CachePlan(1, 1, coalesce=True), 0.1))
    run.apply(SetStation(1, error_ratio=1.0))
    run.advance(10.0)
    view = run.observe()
    assert view.attempts[1] == view.misses[1] > 50
    assert view.failures[1] >= view.attempts[1] - 1
    assert lost(view) == {Reason.ERROR: view.offered[0] - in_flight(view)}
    assert view.joined[1] > 10 * view.misses[1]
    run.apply(SetStation(1, error_ratio=0.0))
    run.advance(10.5)
    assert run.observe().hits[1] > 0


def test_a_call_that_is_given_up_tells_those_who_have_joined_it() -> None:
    """The visit that makes the call is over, because another call failed, while the retry waits: nobody waits for it for ever."""
    stations = [
        station("front", 0.0, 1000, calls=(1, 2), fan_out="parallel"),
        station("back", 1.0, 1000),
        station("flaky", 0.05, 1000, error_ratio=0.5),
    ]
    cached = call(0, 1, timeout_s=0.04, cache=CachePlan(1, 1, coalesce=True), retry=RetryPlan(3, 0.2))
    run = engine(plan(stations, [entry(), cached, call(0, 2)], [flow(200.0)]))
    run.advance(5.0)
    assert run.observe().joined[1] > 100
    run.apply(SetFlow(0, 0.0))
    run.advance(60.0)
    view = run.observe()
    assert in_flight(view) == 0
    assert view.busy == [0, 0, 0]
    assert lost(view).keys() == {Reason.ERROR, Reason.TIMEOUT}


def test_a_restart_frees_who_waits_in_a_cache() -> None:
    run = engine(system(CachePlan(1, 1, coalesce=True), 0.5))
    run.advance(0.3)
    assert run.observe().joined[1] > 10
    run.apply(SetInstance(0, 0, up=False))
    run.apply(SetInstance(0, 0, up=True))
    run.advance(0.4)
    assert run.observe().misses[1] == 2
    run.apply(SetFlow(0, 0.0))
    run.advance(60.0)
    view = run.observe()
    assert in_flight(view) == 0
    assert lost(view).keys() == {Reason.CRASHED}
    assert view.busy == [0, 0]


def test_the_answer_of_a_fallback_is_shared_but_not_kept() -> None:
    stations = [
        station("front", 0.0, 10_000, calls=(1,)),
        station("back", 0.05, 10_000, error_ratio=1.0),
        station("spare", 0.05, 10_000),
    ]
    edges = [entry(), call(0, 1, cache=CachePlan(1, 1, coalesce=True), fallback=2), call(0, 2)]
    run = engine(plan(stations, edges, [flow(200.0)]))
    run.advance(20.0)
    view = run.observe()
    assert view.hits[1] == 0
    assert view.joined[1] > 5 * view.misses[1]
    assert lost(view) == {}


@pytest.mark.parametrize(
    ("cache", "more", "told"),
    [
        (CachePlan(0, 1), {}, "no meaning"),
        (CachePlan(10**6, 1), {}, "no meaning"),
        (CachePlan(1, 1, 0.0), {}, "no meaning"),
        (CachePlan(1, 1), {"operation": "write"}, "do not write"),
        (CachePlan(1, 1), {"asynchronous": True}, "synchronous"),
    ],
)
def test_a_cache_without_meaning_is_refused(cache: CachePlan, more: dict[str, Any], told: str) -> None:
    with pytest.raises(PlanError, match=told):
        engine(system(cache, **more))
