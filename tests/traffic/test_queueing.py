"""Queues: whose turn it is, and who is dropped when it comes."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from sim.traffic.changes import SetFlow
from sim.traffic.checks import PlanError
from sim.traffic.plan import ClassPlan, CoDelPlan, Plan, Reason, RetryPlan
from tests.traffic.build import Window, agrees, burst, call, crowd, engine, entry, exponential, flow, lost, plan, station, windows

MEAN_S = 0.01
LOAD = 0.7


def _mean_square_s2(window: Window) -> float:
    """Mean of the squared latency; buckets are 9 % wide, their middles right to some 0.1 %."""
    edges = [2.0**-14 * 2.0 ** (bucket / 8) for bucket in range(-1, len(window.after.latency[0]))]
    counts = [window.count("latency", 0, bucket) for bucket in range(len(window.after.latency[0]))]
    squares = [(low * low + low * high + high * high) / 3.0 for low, high in pairwise(edges)]
    return sum(map(float.__mul__, squares, counts)) / sum(counts)


@pytest.mark.parametrize(("order", "variance_factor"), [("fifo", 1.0), ("lifo", 1.0 / (1.0 - LOAD))])
def test_serving_the_newest_first_leaves_the_mean_wait_and_spreads_it(order: str, variance_factor: float) -> None:
    """M/M/1: the second moment of the wait is 1 / (1 - load) times that of first come, first served (Takacs 1963)."""
    system = plan([station("s", exponential(MEAN_S), queue_order=order)], [entry()], [flow(LOAD / MEAN_S)])
    found = windows(system, 20.0, 1500.0, 8, longer=8)
    agrees(Window.latency_s, found, MEAN_S / (1.0 - LOAD), 0.04)
    wait_2 = variance_factor * 2.0 * LOAD * (MEAN_S / (1.0 - LOAD)) ** 2
    wait_1 = LOAD * MEAN_S / (1.0 - LOAD)
    agrees(_mean_square_s2, found, wait_2 + 2.0 * wait_1 * MEAN_S + 2.0 * MEAN_S**2, 0.2, compiled=0.1)


def _served_in_time(order: str, **more: Any) -> list[int]:
    """Twelve come at once to one slot that takes 1 s, a few more later; all give up after 3.5 s. Whose work is then still of use?"""
    flows = [crowd(12), flow(table=((0.0, 0.0), (3.2, 4.0), (5.2, 0.0)), name="late")]
    run = engine(plan([station("s", 1.0, queue_order=order, **more)], [entry(timeout_s=3.5)], flows))
    run.advance(0.001)
    run.apply(SetFlow(0, 0.0))
    run.advance(30.0)
    return run.observe().good


def test_adaptive_lifo_serves_the_oldest_until_more_wait_than_it_is_told() -> None:
    eager, patient = _served_in_time("adaptive_lifo", lifo_above=2), _served_in_time("adaptive_lifo", lifo_above=50)
    assert patient == _served_in_time("fifo")
    assert patient[1] == 0, "whoever comes late stands behind those who have given up"
    assert eager == _served_in_time("lifo")
    assert eager[1] > 0


@pytest.mark.parametrize("load", [2.0, 3.0])
def test_codel_keeps_the_wait_below_its_target_while_there_is_too_much(load: float) -> None:
    codel = CoDelPlan(0.02, 0.1)
    service_s = 0.002
    system = plan([station("s", service_s, codel=codel)], [entry()], [flow(load / service_s)])
    window = windows(system, 5.0, 20.0, 1)[0]
    slowest = max(bucket for bucket in range(176) if window.count("latency", 0, bucket))
    assert 2.0**-14 * 2.0 ** ((slowest - 1) / 8) < codel.interval_s + service_s
    assert window.latency_s() < codel.target_s + service_s
    assert window.count("good", 0) == pytest.approx(20.0 / service_s, rel=0.02), "and the slot is never idle for long"
    assert lost(window.after).keys() == {Reason.DROPPED}


def test_codel_lets_a_burst_wait_up_to_its_interval() -> None:
    system = plan([station("s", MEAN_S, codel=CoDelPlan(0.02, 0.15))], [entry()], [crowd(12), flow(name="late")])
    run = burst(system)
    run.advance(5.0)
    assert run.observe().good[0] == 12, "all waited less than 0.15 s, most longer than 0.02 s"
    run = burst(plan([station("s", MEAN_S, codel=CoDelPlan(0.02, 0.05))], [entry()], [crowd(12)]))
    run.advance(5.0)
    assert run.observe().good[0] == 6, "the sixth waited for 0.05 s; from then on the queue had been filled too long"


def test_a_request_whose_deadline_has_passed_is_dropped_when_its_turn_comes() -> None:
    classes = (ClassPlan("c", 0, 4.5),)
    system = plan([station("s", 1.0, drop_expired=True)], [entry()], [crowd(10)], classes=classes)
    run = burst(system)
    run.advance(30.0)
    view = run.observe()
    assert view.good == [4]
    assert lost(view) == {Reason.LATE: 1, Reason.DROPPED: 5}, "the fifth was begun in time and ended too late"
    assert view.completed == [5]
    assert view.busy_s == [pytest.approx(5.0)]


def test_a_deadline_counts_from_the_entry_also_behind_other_services() -> None:
    classes = (ClassPlan("c", 0, 2.5),)
    stations = [station("front", 1.0, 10, calls=(1,)), station("back", 1.0, drop_expired=True)]
    system = plan(stations, [entry(), call(0, 1)], [crowd(5)], classes=classes)
    run = burst(system)
    run.advance(30.0)
    assert lost(run.observe()) == {Reason.LATE: 1, Reason.DROPPED: 3}


def test_what_is_dropped_can_be_retried_and_falls_back() -> None:
    stations = [
        station("front", 0.0, 20, calls=(1,)),
        station("back", 0.1, codel=CoDelPlan(0.05, 0.15)),
        station("spare", 0.0, 20),
    ]
    edges = [entry(), call(0, 1, fallback=2, retry=RetryPlan(1, 0.0)), call(0, 2)]
    run = burst(plan(stations, edges, [crowd(10)]))
    run.advance(30.0)
    view = run.observe()
    assert view.good == [10]
    assert view.retries[1] > 0
    assert view.completed[2] == 10 - view.completed[1] > 0


@pytest.mark.parametrize("more", [{"lifo_above": -1}, {"codel": CoDelPlan(0.01, 0.0)}])
def test_a_queue_without_meaning_is_refused(more: dict[str, Any]) -> None:
    system: Plan = plan([station("s", 0.1, **more)], [entry()], [flow(1.0)])
    with pytest.raises(PlanError, match=r"negative|meaning"):
        engine(system)
