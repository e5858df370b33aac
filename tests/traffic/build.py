"""Small plans for tests, and the statistics to judge long runs by. The engine under test is made in one place, `engine`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from math import sqrt
from statistics import mean, stdev
from typing import Any

import numpy as np
from scipy import stats  # type: ignore[import-untyped]

from sim.streams import Streams
from sim.traffic import Engine, Observation, bucket_upper_s
from sim.traffic.changes import SetFlow
from sim.traffic.engines import EngineKind, make_engine
from sim.traffic.plan import CLIENT, ClassPlan, EdgePlan, FlowPlan, InstancePlan, Plan, ServiceTime, StationPlan

NEVER_S = 1e5

kind: EngineKind = "plain"
"""Which engine the test that is running is about; set for each test by `conftest.py`."""


def engine(plan: Plan, seed: int = 1) -> Engine:
    """The engine all tests in this folder are about."""
    return make_engine(plan, Streams(seed), kind)


def station(name: str, service: float | ServiceTime = 0.01, slots: int = 1, **more: Any) -> StationPlan:
    """A station; a bare number is a constant service time in seconds. `zones` puts one instance into each."""
    zones, limit = more.pop("zones", (0,)), more.pop("queue_limit", 10**6)
    time = service if isinstance(service, ServiceTime) else ServiceTime("constant", service)
    instances = tuple(InstancePlan(f"{name}-{number}", zone, slots, limit) for number, zone in enumerate(zones))
    return StationPlan(name, instances, time, **more)


def exponential(mean_s: float) -> ServiceTime:
    return ServiceTime("exponential", mean_s)


def entry(target: int = 0, **more: Any) -> EdgePlan:
    """An edge from the clients; nobody gives up unless told so."""
    fields: dict[str, Any] = {"name": "enter", "caller": CLIENT, "options": ((target, 1.0),), "timeout_s": NEVER_S}
    return EdgePlan(**fields | more)


def call(caller: int, target: int, **more: Any) -> EdgePlan:
    """An edge between stations."""
    fields: dict[str, Any] = {"name": f"{caller}-{target}", "caller": caller, "options": ((target, 1.0),), "timeout_s": NEVER_S}
    return EdgePlan(**fields | more)


def flow(rate: float = 0.0, **more: Any) -> FlowPlan:
    """An open flow with a constant rate or a `table`; without either the table is empty (for closed flows)."""
    table = more.pop("table", ((0.0, rate),) if rate else ())
    fields: dict[str, Any] = {"name": "f", "request_class": 0, "origin": 0, "entry": 0, "rate": table}
    return FlowPlan(**fields | more)


def plan(stations: Sequence[StationPlan], edges: Sequence[EdgePlan], flows: Sequence[FlowPlan], **more: Any) -> Plan:
    """A plan of one zone and one class unless told otherwise."""
    zones = more.pop("zones", ("z",))
    rtt_s = more.pop("rtt_s", tuple(tuple(0.0 for _ in zones) for _ in zones))
    classes = more.pop("classes", (ClassPlan("c", 0, 1e6),))
    return Plan(zones, rtt_s, tuple(stations), tuple(edges), classes, tuple(flows))


def lost(view: Observation, flow_number: int = 0) -> dict[int, int]:
    """Reasons that occurred, with their counts."""
    return {reason: count for reason, count in enumerate(view.lost[flow_number]) if count}


def in_flight(view: Observation) -> int:
    return sum(view.offered) - sum(view.good) - sum(map(sum, view.lost))


@dataclass
class Window:
    """What happened between the end of the warm-up and the end of a run."""

    before: Observation
    after: Observation
    seconds: float

    def count(self, name: str, *position: int) -> float:
        first, last = getattr(self.before, name), getattr(self.after, name)
        for index in position:
            first, last = first[index], last[index]
        return float(last - first)

    def latency_s(self) -> float:
        """Mean latency of flow 0 from the histogram, whose buckets are 9 % wide: a straight line through neighbours tells where in a
        bucket its answers lie (their middle alone would be 0.1 to 0.4 % too high where the density falls)."""
        size = len(self.after.latency[0])
        counts = np.asarray([self.count("latency", 0, bucket) for bucket in range(size)])
        edges = np.asarray([0.0, *(bucket_upper_s(bucket) for bucket in range(size))])
        middles, widths = (edges[:-1] + edges[1:]) / 2.0, np.diff(edges)
        density = counts / widths
        slope = np.gradient(density, middles)
        shift = np.divide(slope * widths**2, 12.0 * density, out=np.zeros(size), where=(density > 0.0) & smooth(counts))
        return float((counts * (middles + shift)).sum() / counts.sum())


def smooth(counts: Any) -> Any:
    """Where a bucket and its neighbours hold answers, and not wildly different numbers: elsewhere a line through them means nothing."""
    around = np.stack([np.roll(counts, 1), counts, np.roll(counts, -1)])
    return (around.min(axis=0) > 0) & (around.max(axis=0) < 2 * around.min(axis=0))


def windows(system: Plan, warm_s: float, seconds: float, seeds: int, *, longer: int = 1) -> list[Window]:
    """One window per seed; the compiled engine, which has time for it, plays `longer` times as long."""
    seconds *= longer if kind == "compiled" else 1
    result = []
    for seed in range(seeds):
        run = engine(system, seed)
        run.advance(warm_s)
        before = deepcopy(run.observe())
        run.advance(warm_s + seconds)
        result.append(Window(before, deepcopy(run.observe()), seconds))
    return result


def agrees(
    measure: Callable[[Window], float], found: list[Window], exact: float, half_width: float, *, compiled: float = 0.02
) -> None:
    """The exact value lies in the 99.9 % interval over seeds, and the interval is no wider than +- `half_width` (relative).

    The compiled engine, which plays longer, has to be within `compiled`.
    """
    half_width = min(half_width, compiled) if kind == "compiled" else half_width
    values = [measure(window) for window in found]
    spread = stats.t.ppf(0.9995, len(values) - 1) * stdev(values) / sqrt(len(values))
    middle = mean(values)
    assert abs(middle - exact) <= spread, f"{middle:.6g} +- {spread:.2g}, but exact is {exact:.6g}"
    assert spread <= half_width * exact, f"interval of +- {spread / exact:.2%} proves little"


def burst(system: Plan, seed: int = 1) -> Engine:
    """An engine whose closed flows have each sent one request per user by 1 ms, and will send no more."""
    run = engine(system, seed)
    run.advance(0.001)
    for number in range(len(system.flows)):
        run.apply(SetFlow(number, 0.0))
    assert run.observe().offered == [item.users for item in system.flows]
    return run


def crowd(users: int, **more: Any) -> FlowPlan:
    """A flow for `burst`: people who send their request in the first microseconds."""
    return flow(users=users, think_s=1e-5, **more)
