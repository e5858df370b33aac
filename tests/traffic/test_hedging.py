"""Hedging: a second attempt beside a slow first one, exact counts, and the law of the faster of two."""

from __future__ import annotations

from math import exp

import pytest

from sim.traffic.changes import SetFlow, SetInstance
from sim.traffic.plan import BreakerPlan, Reason, RetryPlan
from tests.traffic.build import agrees, burst, crowd, engine, entry, exponential, flow, lost, plan, station, windows


def test_a_second_attempt_goes_to_another_instance_and_the_first_answer_wins() -> None:
    system = plan([station("s", 0.1, zones=(0, 0))], [entry(hedge_s=0.3)], [flow(users=1, think_s=1e-5)])
    run = engine(system)
    run.apply(SetInstance(0, 0, slowdown=100.0))
    run.advance(0.2)
    assert [run.instance_busy(0, number)[0] for number in (0, 1)] == [1, 0]
    run.advance(0.35)
    assert [run.instance_busy(0, number)[0] for number in (0, 1)] == [1, 1]
    run.advance(0.4001)
    view = run.observe()
    assert (view.good, view.attempts, view.hedges, view.retries) == ([1], [2 + 1], [1], [0])  # and the next request


def test_a_fast_answer_needs_no_second_attempt() -> None:
    run = burst(plan([station("s", 0.1, zones=(0, 0))], [entry(hedge_s=0.2)], [crowd(2)]))
    run.advance(5.0)
    assert run.observe().hedges == [0]


@pytest.mark.parametrize(("cancel", "busy", "cancelled"), [("running", 0, 1), ("queued", 1, 0), ("none", 1, 0)])
def test_the_loser_is_stopped_or_runs_on_as_the_edge_says(cancel: str, busy: int, cancelled: int) -> None:
    system = plan([station("s", 0.1, zones=(0, 0))], [entry(hedge_s=0.3, cancel=cancel)], [crowd(1)])
    run = engine(system)
    run.apply(SetInstance(0, 0, slowdown=100.0))
    run.advance(0.001)
    run.apply(SetFlow(0, 0.0))
    assert run.observe().offered == [1]
    run.advance(1.0)
    view = run.observe()
    assert (view.good, view.busy, view.cancelled) == ([1], [busy], [cancelled])
    run.advance(60.0)
    view = run.observe()
    assert (view.good, view.busy, sum(view.lost[0])) == ([1], [0], 0)
    assert view.completed[0] == 2 - cancelled


def test_the_call_fails_only_when_both_have_failed() -> None:
    system = plan([station("s", 1.0, zones=(0, 0), error_ratio=1.0)], [entry(hedge_s=0.3)], [crowd(1)])
    run = burst(system)
    run.advance(1.1)
    assert lost(run.observe()) == {}
    run.advance(1.4)
    view = run.observe()
    assert (lost(view), view.failures) == ({Reason.ERROR: 1}, [2])


def test_retries_begin_when_both_have_failed() -> None:
    edge = entry(hedge_s=0.3, retry=RetryPlan(1, 0.0))
    run = burst(plan([station("s", 1.0, slots=9, zones=(0, 0), error_ratio=1.0)], [edge], [crowd(1)]))
    run.advance(60.0)
    view = run.observe()
    assert (view.attempts, view.hedges, view.retries, lost(view)) == ([4], [2], [1], {Reason.ERROR: 1})


def test_hedges_are_paid_from_the_retry_budget_and_the_breaker_sees_them() -> None:
    edge = entry(hedge_s=0.01, retry=RetryPlan(0, budget_ratio=0.1, budget_burst=3.0))
    run = engine(plan([station("s", 0.05, slots=999, zones=(0, 0))], [edge], [flow(100.0)]))
    run.advance(20.0)
    view = run.observe()
    assert abs(view.hedges[0] - (3 + 0.1 * view.offered[0])) <= 2
    edge = entry(hedge_s=0.3, breaker=BreakerPlan(2, 60.0))
    run = burst(plan([station("s", 1.0, slots=9, zones=(0, 0), error_ratio=1.0)], [edge], [crowd(1)]))
    run.advance(5.0)
    assert run.observe().breaker_open == [True]  # two attempts of one request


def test_latency_is_that_of_the_faster_of_two() -> None:
    """With exponential work of mean m and a hedge after d: E = m (1 - e**(-d/m)) + m/2 e**(-d/m), if nobody waits for a slot."""
    mean_s, after_s = 0.1, 0.1
    system = plan(
        [station("s", exponential(mean_s), slots=9999, zones=(0, 0))], [entry(hedge_s=after_s, cancel="running")], [flow(2000.0)]
    )
    slow = exp(-after_s / mean_s)
    exact = mean_s * (1.0 - slow) + mean_s / 2.0 * slow
    agrees(lambda window: window.latency_s(), windows(system, 2.0, 8.0, 6, longer=5), exact, 0.03)
