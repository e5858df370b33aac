"""Concurrency limiters: how many an instance takes in, for whom, and how an adaptive limit moves."""

from __future__ import annotations

from math import factorial
from typing import Any

import pytest

from sim.traffic.changes import SetFlow, SetInstance
from sim.traffic.checks import PlanError
from sim.traffic.limiter import Limiter
from sim.traffic.plan import ClassPlan, FlowPlan, LimiterPlan, Reason, RetryPlan
from tests.traffic.build import agrees, call, engine, entry, exponential, flow, lost, plan, station, windows


def _rush(begins_s: float = 0.0, **more: Any) -> FlowPlan:
    """Some fifty requests within five milliseconds."""
    return flow(
        table=((0.0, 0.0), (begins_s, 10_000.0), (begins_s + 0.005, 0.0)) if begins_s else ((0.0, 10_000.0), (0.005, 0.0)), **more
    )


def test_an_instance_takes_in_no_more_than_its_limit_whether_in_work_or_waiting() -> None:
    run = engine(plan([station("s", 1.0, 3, limiter=LimiterPlan(5.0))], [entry()], [_rush()]))
    run.advance(0.01)
    assert run.instance_busy(0, 0) == (3, 2)
    run.advance(10.0)
    view = run.observe()
    assert view.good == [5]
    assert lost(view) == {Reason.LIMITED: view.offered[0] - 5}
    assert view.refused_by[0] == [view.offered[0] - 5, 0, 0]


def test_a_limit_loses_what_a_finite_queue_would() -> None:
    """M/M/4/6 at 4 erlang."""
    slots, most, load = 4, 6, 4.0
    weights = [load**n / factorial(min(n, slots)) / slots ** max(0, n - slots) for n in range(most + 1)]
    system = plan([station("s", exponential(0.01), slots, limiter=LimiterPlan(float(most)))], [entry()], [flow(load / 0.01)])
    found = windows(system, 1.0, 120.0, 8, longer=8)
    agrees(
        lambda window: window.count("lost", 0, Reason.LIMITED) / window.count("offered", 0),
        found,
        weights[-1] / sum(weights),
        0.06,
    )


def test_lower_priorities_may_fill_only_their_share_of_the_limit() -> None:
    classes = (ClassPlan("low", 2, 1e6), ClassPlan("high", 0, 1e6))
    flows = [_rush(name="low"), _rush(0.01, name="high", request_class=1)]
    limiter = LimiterPlan(10.0, shares=(1.0, 0.5, 0.2))
    run = engine(plan([station("s", 1.0, 1, limiter=limiter)], [entry()], flows, classes=classes))
    run.advance(50.0)
    view = run.observe()
    assert view.good == [2, 8]
    assert lost(view, 0) == {Reason.LIMITED: view.offered[0] - 2}


def _windows(limiter: Limiter, took_s: float, number: int, held: int = 100) -> None:
    for _ in range(number):
        limiter.admitted(held)
        for answer in range(10):
            limiter.answered(limiter.ends_at + (answer == 9), took_s)


def test_an_adaptive_limit_grows_by_a_constant_and_shrinks_by_the_gradient() -> None:
    limiter = Limiter(LimiterPlan(20.0, True, 2.0, 200.0))
    _windows(limiter, 0.01, 5)
    assert limiter.limit == pytest.approx(20.0 + 5 * 0.2 * 4.0)
    before, long_s = limiter.limit, (5 * 0.01 + 0.016) / 6
    _windows(limiter, 0.016, 1)
    assert limiter.limit == pytest.approx(0.8 * before + 0.2 * (before * long_s / 0.016 + 4.0))
    _windows(limiter, 1.0, 40)
    assert limiter.limit < 10.0


def test_an_adaptive_limit_stays_where_it_is_while_few_come() -> None:
    limiter = Limiter(LimiterPlan(20.0, True))
    _windows(limiter, 0.01, 9, held=9)
    assert limiter.limit == 20.0
    _windows(limiter, 0.01, 1, held=10)
    assert limiter.limit > 20.0


@pytest.mark.parametrize(("adaptive", "bearable"), [(True, True), (False, False)])
def test_an_adaptive_limit_keeps_answers_quick_when_a_station_slows_down(adaptive: bool, bearable: bool) -> None:
    """Ten slots of 10 ms, half busy, become five times as slow: a fixed limit of 200 makes everybody wait, an adaptive one refuses."""
    limiter = LimiterPlan(200.0, adaptive, 10.0, 200.0, 0.2)
    run = engine(plan([station("s", exponential(0.01), 10, limiter=limiter)], [entry()], [flow(500.0)]))
    run.advance(20.0)
    run.apply(SetInstance(0, 0, slowdown=5.0))
    run.advance(30.0)
    held = []
    for _ in range(20):
        run.advance(run.now + 0.5)
        held.append(sum(run.instance_busy(0, 0)))
    assert (sum(held) / len(held) < 50.0) is bearable
    assert lost(run.observe()).keys() == {Reason.LIMITED}
    run.apply(SetInstance(0, 0, slowdown=1.0))
    run.advance(60.0)
    before = run.observe().lost[0][Reason.LIMITED]
    run.advance(90.0)
    assert run.observe().lost[0][Reason.LIMITED] == before, "and when it is well again, everybody is let in"


def test_a_new_process_begins_with_the_first_limit() -> None:
    limiter = LimiterPlan(4.0, True, 1.0, 60.0, 0.1)
    run = engine(plan([station("s", 0.05, 100, limiter=limiter)], [entry()], [flow(2000.0)]))
    run.advance(8.0)
    assert sum(run.instance_busy(0, 0)) == 60
    run.apply(SetInstance(0, 0, up=False))
    run.apply(SetInstance(0, 0, up=True))
    run.advance(8.04)
    assert sum(run.instance_busy(0, 0)) == 4


def test_refusals_reach_retries_and_fallbacks() -> None:
    stations = [
        station("front", 0.0, 100, calls=(1,)),
        station("back", 0.1, limiter=LimiterPlan(2.0)),
        station("spare", 0.0, 100),
    ]
    run = engine(plan(stations, [entry(), call(0, 1, fallback=2, retry=RetryPlan(1, 0.01)), call(0, 2)], [_rush()]))
    run.advance(5.0)
    view = run.observe()
    assert view.good == view.offered
    assert view.retries[1] > 0
    assert (view.completed[1], view.completed[2]) == (2, view.offered[0] - 2)


def test_a_limiter_holds_no_slot_it_has_refused() -> None:
    run = engine(plan([station("s", exponential(0.01), 2, limiter=LimiterPlan(3.0))], [entry(timeout_s=0.02)], [flow(800.0)]))
    run.advance(20.0)
    run.apply(SetFlow(0, 0.0))
    run.advance(21.0)
    assert (run.observe().busy, run.observe().queued) == ([0], [0])


@pytest.mark.parametrize("limiter", [LimiterPlan(-1.0), LimiterPlan(least=0.0), LimiterPlan(least=3.0, most=2.0)])
def test_a_limiter_without_meaning_is_refused(limiter: LimiterPlan) -> None:
    with pytest.raises(PlanError, match="meaning"):
        engine(plan([station("s", limiter=limiter)], [entry()], [flow(1.0)]))


def test_the_wait_behind_a_limit_is_bounded() -> None:
    system = plan([station("s", 0.01, 1, limiter=LimiterPlan(4.0))], [entry()], [flow(300.0)])
    assert max(window.latency_s() for window in windows(system, 1.0, 20.0, 1)) < 0.04 * 1.05
