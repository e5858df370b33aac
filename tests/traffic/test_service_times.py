"""Service times: the distributions they are drawn from, and what slowness does to what was drawn."""

from __future__ import annotations

import pytest
from scipy import stats  # type: ignore[import-untyped]

from sim.traffic.changes import SetFlow, SetInstance, SetStation
from sim.traffic.checks import PlanError
from sim.traffic.plan import ServiceTime
from tests.traffic.build import engine, entry, flow, plan, station

MEASURED = ServiceTime("empirical", 0.0, values=(0.01, 0.02, 0.02, 0.09))
FAMILIES = [
    ServiceTime("constant", 0.02),
    ServiceTime("exponential", 0.02),
    ServiceTime("lognormal", 0.02, 1.5),
    ServiceTime("gamma", 0.02, 0.7),
    MEASURED,
]


def test_measured_times_are_drawn_as_often_as_they_were_measured() -> None:
    """Three different latencies, in the proportions 1 : 2 : 1; the test errs once in a million seeds."""
    run = engine(plan([station("s", MEASURED, 1000)], [entry()], [flow(200.0)]))
    run.advance(100.0)
    counts = [count for count in run.observe().latency[0] if count]
    assert len(counts) == 3
    total = sum(counts)
    assert stats.chisquare(counts, [total / 4, total / 2, total / 4]).pvalue > 1e-6


@pytest.mark.parametrize("service", FAMILIES, ids=lambda each: each.family)
@pytest.mark.parametrize("where", ["instance", "station", "both"])
def test_slowness_scales_the_times_that_a_healthy_run_draws_too(service: ServiceTime, where: str) -> None:
    """Without waiting, every request of the slow run takes three times as long as the same one of the healthy run."""
    held_s = []
    for factor in (1.0, 3.0):
        run = engine(plan([station("s", service, 10_000)], [entry()], [flow(100.0)]))
        if where == "instance":
            run.apply(SetInstance(0, 0, slowdown=factor))
        elif where == "station":
            run.apply(SetStation(0, slowdown=factor))
        else:
            run.apply(SetInstance(0, 0, slowdown=factor / 2.0))
            run.apply(SetStation(0, slowdown=2.0))
        run.advance(10.0)
        run.apply(SetFlow(0, 0.0))
        run.advance(1000.0)
        assert run.observe().good == run.observe().offered
        held_s.append(run.observe().busy_s[0])
    assert held_s[1] == pytest.approx(3.0 * held_s[0], rel=1e-9)


@pytest.mark.parametrize("values", [(), (0.2, 0.1), (-1.0,), (float("inf"),)])
def test_measured_times_without_meaning_are_refused(values: tuple[float, ...]) -> None:
    with pytest.raises(PlanError, match="ascending"):
        engine(plan([station("s", ServiceTime("empirical", 0.0, values=values))], [entry()], [flow(1.0)]))
