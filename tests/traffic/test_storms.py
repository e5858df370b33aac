"""Retry storms: the threshold mu / (1 + r), what a budget does to it, and how long a backlog takes to drain.

The exact threshold is stated for work that is not cancelled: once every attempt times out, each
request costs 1 + r services, so the queue stays full if rate * (1 + r) exceeds mu.
"""

from __future__ import annotations

from copy import deepcopy

import pytest

from sim.traffic.changes import SetFlow, SetInstance
from sim.traffic.plan import RetryPlan
from tests.traffic.build import burst, crowd, engine, entry, exponential, flow, plan, station


def _share_good_after_a_trigger(rate: float, retry: RetryPlan, seed: int) -> float:
    """Ten times the load for 10 s on mu = 100/s with a queue of 1,000; the share answered in time 300 to 400 s later."""
    run = engine(
        plan([station("s", exponential(0.01), queue_limit=1000)], [entry(timeout_s=1.0, retry=retry)], [flow(rate)]), seed
    )
    run.advance(20.0)
    run.apply(SetFlow(0, 10.0 if rate * 10.0 > 200.0 else 200.0 / rate))
    run.advance(30.0)
    run.apply(SetFlow(0, 1.0))
    run.advance(330.0)
    before = deepcopy(run.observe())
    run.advance(430.0)
    after = run.observe()
    return (after.good[0] - before.good[0]) / (after.offered[0] - before.offered[0])


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(("retries", "recovers", "collapses"), [(3, 23.0, 27.0), (1, 46.0, 54.0)])
def test_a_retry_storm_ends_below_the_threshold_and_lasts_above_it(
    retries: int, recovers: float, collapses: float, seed: int
) -> None:
    retry = RetryPlan(retries=retries, backoff_s=0.05)
    assert recovers < 100.0 / (1 + retries) < collapses
    assert _share_good_after_a_trigger(recovers, retry, seed) > 0.99
    assert _share_good_after_a_trigger(collapses, retry, seed) < 0.05


def test_a_retry_budget_moves_the_threshold_close_to_capacity() -> None:
    budget = RetryPlan(retries=3, backoff_s=0.05, budget_ratio=0.1)
    assert _share_good_after_a_trigger(75.0, budget, 1) > 0.98
    assert _share_good_after_a_trigger(97.0, budget, 1) < 0.2


def test_a_backlog_drains_at_the_spare_capacity() -> None:
    run = engine(plan([station("s", 0.001)], [entry()], [flow(500.0)]))
    run.apply(SetInstance(0, 0, slots=0))
    run.advance(10.0)
    run.apply(SetInstance(0, 0, slots=1))
    backlog = run.observe().queued[0]
    drained_s = backlog / (1000.0 - 500.0)
    run.advance(10.0 + 0.9 * drained_s)
    assert run.observe().queued[0] > 0.05 * backlog
    run.advance(10.0 + 1.1 * drained_s)
    assert run.observe().queued[0] < 0.01 * backlog


def test_a_burst_drains_in_exactly_its_work() -> None:
    run = burst(plan([station("s", 0.01, slots=4)], [entry()], [crowd(400)]))
    run.advance(0.999)
    assert run.observe().good[0] < 400
    run.advance(1.002)
    assert run.observe().good == [400]
