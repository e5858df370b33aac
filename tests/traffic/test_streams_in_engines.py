"""Common random numbers: what one component draws depends on nothing but its own name and its own history."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import asdict, replace

import pytest

from sim.traffic.changes import SetFlow, SetInstance
from sim.traffic.plan import Plan, RetryPlan
from tests.traffic.build import call, engine, entry, exponential, flow, plan, station


def _shop() -> Plan:
    stations = [station("a", exponential(0.01), slots=3, calls=(1,)), station("b", exponential(0.02), slots=3, error_ratio=0.1)]
    retry = RetryPlan(retries=2, backoff_s=0.02)
    edges = [entry(timeout_s=0.3), call(0, 1, calls_mean=0.7, timeout_s=0.1, retry=retry)]
    return plan(stations, edges, [flow(100.0)])


def _with_a_neighbour() -> Plan:
    shop = _shop()
    stations = (station("neighbour", exponential(0.01), slots=9), *shop.stations)
    edges = (
        entry(0, name="enter-neighbour"),
        replace(shop.edges[0], options=((1, 1.0),)),
        replace(shop.edges[1], caller=1, options=((2, 1.0),)),
    )
    stations = (stations[0], replace(stations[1], calls=(2,)), stations[2])
    flows = (flow(300.0, name="neighbour"), replace(shop.flows[0], entry=1))
    return replace(shop, stations=stations, edges=edges, flows=flows)


def test_the_same_seed_gives_the_same_run_and_another_seed_another() -> None:
    runs = [engine(_shop(), seed) for seed in (7, 7, 8)]
    for run in runs:
        run.advance(50.0)
    same, again, other = (asdict(run.observe()) for run in runs)
    assert same == again
    assert same != other


def test_advancing_in_small_steps_is_advancing_in_one() -> None:
    steps, leap = engine(_shop()), engine(_shop())
    for tick in range(1, 401):
        steps.advance(tick * 0.05)
    leap.advance(400 * 0.05)
    assert asdict(steps.observe()) == asdict(leap.observe())


def test_an_unrelated_service_moves_no_number_of_the_others() -> None:
    alone, accompanied = engine(_shop()), engine(_with_a_neighbour())
    alone.advance(100.0)
    accompanied.advance(100.0)
    one, two = asdict(alone.observe()), asdict(accompanied.observe())
    assert one["lost"][0]
    one["entered"] = [{station + 1: pair for station, pair in places.items()} for places in one["entered"]]  # it moved one up
    for name, values in one.items():
        assert two[name][1:] == pytest.approx(values) if name == "busy_s" else two[name][1:] == values, name


def test_a_fault_in_one_place_leaves_arrivals_and_branches_as_they_were() -> None:
    healthy, faulty = engine(_shop()), engine(_shop())
    faulty.apply(SetInstance(1, 0, slowdown=1.2))
    for run in (healthy, faulty):
        run.advance(100.0)
    assert healthy.observe().offered == faulty.observe().offered
    first_calls = [run.observe().attempts[1] - run.observe().retries[1] for run in (healthy, faulty)]
    assert first_calls[0] == pytest.approx(first_calls[1], abs=20)  # but for what is queued at the end


def test_the_decisions_of_two_edges_are_independent() -> None:
    stations = [station("a", 0.0, slots=999, calls=(1, 2), fan_out="parallel"), station("b")]
    edges = [entry(), *(call(0, 1, calls_mean=0.5, options=(), name=name) for name in ("first", "second"))]
    run = engine(plan(stations, edges, [flow(1000.0)]))
    run.advance(20.0)
    view = run.observe()  # good are those that took neither branch
    assert view.good[0] / view.offered[0] == pytest.approx(0.25, abs=0.015)


def test_a_surge_keeps_the_mass_that_is_left() -> None:
    def arrivals(changes: dict[float, float], until: float) -> int:
        run = engine(plan([station("s", 0.0, slots=9)], [entry()], [flow(10.0)]))
        for at, factor in changes.items():
            run.advance(at)
            run.apply(SetFlow(0, factor))
        run.advance(until)
        return deepcopy(run.observe()).offered[0]

    # 100 s at factor 1 eat the same mass as 20 s at 1, 10 s at 5, 7 s at 0 and 30 s at 1.
    assert arrivals({20.0: 5.0, 30.0: 0.0, 37.0: 1.0}, 67.0) == arrivals({}, 100.0)


def test_a_surge_of_people_shortens_the_thinking_that_is_left() -> None:
    def asked(changes: dict[float, float], until: float) -> int:
        run = engine(plan([station("s", 0.0, slots=999)], [entry()], [flow(users=50, think_s=10.0)]))
        for at, factor in changes.items():
            run.advance(at)
            run.apply(SetFlow(0, factor))
        run.advance(until)
        return run.observe().offered[0]

    assert asked({5.0: 3.0, 10.0: 0.0, 12.0: 1.0}, 32.0) == asked({}, 40.0)
