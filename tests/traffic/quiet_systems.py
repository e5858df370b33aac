"""A system with quiet stretches, for the tests of those."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any

from sim.streams import Streams
from sim.traffic.plan import CachePlan, InstancePlan, Plan, StationPlan
from sim.traffic.quiet import QuietEngine, make_quiet_engine
from tests.traffic import build
from tests.traffic.build import call, entry, exponential, flow, plan, station

Foresee = Callable[[float], float]


def system(rate: float = 40.0, **more: Any) -> Plan:
    """Two classes through a front to a database that keeps its writes, at a third of what it could bear."""
    node = StationPlan("db", (InstancePlan("db-0", 0, 2, 50),), exponential(0.01), keeps_writes=True)
    stations = [station("front", exponential(0.02), slots=4, calls=(2, 3), **{"queue_limit": 100, **more}), node]
    edges = [
        entry(timeout_s=2.0),
        entry(name="enter too", timeout_s=2.0),
        call(0, 1, timeout_s=1.0, operation="write", calls_mean=0.5),
        call(0, 1, name="read", timeout_s=1.0, operation="read", cache=CachePlan(50, 20, 5.0, 0.8)),
    ]
    return plan(stations, edges, [flow(rate), flow(rate / 2.0, name="g", entry=1)])


def quiet(what: Plan, foresee: Foresee = lambda _: inf, seed: int = 1) -> QuietEngine:
    run = make_quiet_engine(what, Streams(seed), build.kind)
    run.foresee = foresee
    return run


def until(moment: float) -> Foresee:
    """Something happens then, and goes on from there."""
    return lambda now: moment if now < moment else now
