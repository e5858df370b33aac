"""Arrivals: their mean, their spread, and what changes them. Each check of a mean errs once in 10,000 seeds (two-sided normal, 3.9 sigma)."""

from __future__ import annotations

from itertools import pairwise
from math import exp, sqrt
from statistics import mean, pvariance
from typing import Any

import pytest

from sim.traffic.changes import SetFlow
from sim.traffic.checks import PlanError
from sim.traffic.plan import BurstPlan, FlowPlan
from tests.traffic.build import engine, entry, flow, plan, station

QUANTILE = 3.9
BURSTS = BurstPlan("x", 20.0, 320.0, 0.3, 0.1)
MEAN = (20.0 * 0.3 + 320.0 * 0.1) / 0.4


def counted(source: FlowPlan, width_s: float, number: int, seed: int = 1) -> list[int]:
    """Arrivals per interval."""
    run = engine(plan([station("s", 0.0, 1000)], [entry()], [source]), seed)
    totals = [0]
    for step in range(1, number + 1):
        run.advance(step * width_s)
        totals.append(run.observe().offered[0])
    return [after - before for before, after in pairwise(totals)]


def variance_of_bursts(burst: BurstPlan, t_s: float) -> float:
    """Variance of the number of arrivals in t of a two-state Markov-modulated Poisson process in equilibrium (Fischer, Meier-Hellstern 1993)."""
    total = 1.0 / burst.calm_s + 1.0 / burst.burst_s
    share = burst.burst_s / (burst.calm_s + burst.burst_s)
    spread = share * (1.0 - share) * (burst.burst_rate - burst.calm_rate) ** 2
    average = burst.calm_rate * (1.0 - share) + burst.burst_rate * share
    return average * t_s + 2.0 * spread / total * (t_s - (1.0 - exp(-total * t_s)) / total)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (flow(100.0), 100.0 * 200.0),
        (flow(table=((0.0, 40.0), (50.0, 160.0), (150.0, 0.0), (160.0, 20.0))), 40 * 50 + 160 * 100 + 20 * 40.0),
    ],
    ids=["constant", "changing"],
)
def test_open_arrivals_are_as_many_as_the_rate_says(source: FlowPlan, expected: float) -> None:
    (count,) = counted(source, 200.0, 1)
    assert abs(count - expected) < QUANTILE * sqrt(expected)


def test_bursts_bring_their_mean_rate_and_are_as_uneven_as_two_states_make_them() -> None:
    t_s, number = 0.25, 8000
    counts = counted(flow(table=((0.0, 0.0),), burst=BURSTS), t_s, number)
    whole_s = t_s * number
    assert abs(sum(counts) - MEAN * whole_s) < QUANTILE * sqrt(variance_of_bursts(BURSTS, whole_s))
    assert pvariance(counts) == pytest.approx(variance_of_bursts(BURSTS, t_s), rel=0.1)
    assert pvariance(counts) > 5.0 * mean(counts), "a Poisson process of the same mean would have variance = mean"


def test_bursts_are_added_to_the_table_and_multiplied_by_a_surge() -> None:
    source = flow(table=((0.0, 50.0), (100.0, 0.0)), burst=BURSTS)
    run = engine(plan([station("s", 0.0, 1000)], [entry()], [source]))
    run.advance(200.0)
    first = run.observe().offered[0]
    expected = 50.0 * 100.0 + MEAN * 200.0
    assert abs(first - expected) < QUANTILE * sqrt(5000.0 + variance_of_bursts(BURSTS, 200.0))
    run.apply(SetFlow(0, 2.0))
    run.advance(400.0)
    second = run.observe().offered[0] - first
    assert abs(second - 2.0 * MEAN * 200.0) < QUANTILE * 2.0 * sqrt(variance_of_bursts(BURSTS, 200.0))


def test_the_mean_rate_is_the_same_from_the_first_second_on() -> None:
    """Over 600 seeds, the first 50 ms see the long-run mean."""
    counts = [counted(flow(table=((0.0, 0.0),), burst=BURSTS), 0.05, 1, seed)[0] for seed in range(600)]
    spread = sqrt(variance_of_bursts(BURSTS, 0.05) / len(counts))
    assert abs(mean(counts) - MEAN * 0.05) < QUANTILE * spread


def test_flows_of_one_stream_burst_together_and_others_do_not() -> None:
    def source(name: str, stream: str) -> FlowPlan:
        return flow(table=((0.0, 0.0),), name=name, burst=BurstPlan(stream, 0.0, 100.0, 2.0, 2.0))

    run = engine(plan([station("s", 0.0, 1000)], [entry()], [source("a", "x"), source("b", "x"), source("c", "y")]))
    rows = [[0, 0, 0]]
    for step in range(1, 400):
        run.advance(step * 0.5)
        rows.append(list(run.observe().offered))
    busy = [[after - before > 25 for before, after in zip(*pair, strict=True)] for pair in pairwise(rows)]
    together = sum(a == b for a, b, _ in busy)
    apart = sum(a == c for a, _, c in busy)
    assert together > 0.95 * len(busy)
    assert apart < 0.8 * len(busy)


def test_closed_users_come_as_often_as_thinking_and_waiting_let_them() -> None:
    """N people, each asking once in think + service on average when nobody waits."""
    users, think_s, service_s, whole_s = 40, 0.5, 0.1, 200.0
    run = engine(plan([station("s", service_s, 1000)], [entry()], [flow(users=users, think_s=think_s)]))
    run.advance(whole_s)
    expected = users * whole_s / (think_s + service_s)
    # A renewal process: variance of the count is t * var / mean**3 per person.
    spread = sqrt(users * whole_s * think_s**2 / (think_s + service_s) ** 3)
    assert abs(run.observe().offered[0] - expected) < QUANTILE * spread + users


@pytest.mark.parametrize(
    "more",
    [
        {"burst": BURSTS},
        {"table": ((0.0, 1.0),), "burst": BurstPlan("x", -1.0, 1.0, 1.0, 1.0)},
        {"table": ((0.0, 1.0),), "burst": BurstPlan("x", 1.0, 1.0, 0.0, 1.0)},
    ],
)
def test_bursts_without_meaning_are_refused(more: dict[str, Any]) -> None:
    with pytest.raises(PlanError, match=r"rate table|meaning"):
        engine(plan([station("s")], [entry()], [flow(**more)]))
