"""The three workloads every speed figure refers to, as plans: one queue, a chain with retries, a graph of 20 services.

A million requests of the first two, the first minute of the third.

The rule that surprises: a slot is held while downstream calls run, so the chain and the graph have more slots in their upper
tiers than the work done there alone would need.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from sim.traffic.changes import Change, SetInstance
from sim.traffic.plan import (
    CLIENT,
    BreakerPlan,
    ClassPlan,
    EdgePlan,
    FlowPlan,
    InstancePlan,
    Plan,
    RetryPlan,
    ServiceTime,
    StationPlan,
)

NEVER_S = 1e6
"""A timeout nobody lives to see: the engine needs a finite one."""

_CLIENT_RETRY = RetryPlan(retries=2, backoff_s=0.1, backoff_cap_s=60.0)
_UTILISATION = 0.6


@dataclass(frozen=True, slots=True)
class Workload:
    """A plan, how long to play it (simulated seconds), and what to change when."""

    name: str
    plan: Plan
    until_s: float
    changes: tuple[tuple[float, Change], ...] = ()


def station(name: str, slots: int, mean_s: float, queue_limit: int, calls: tuple[int, ...] = (), **more: object) -> StationPlan:
    """A station of one instance with exponential service."""
    instance = InstancePlan(f"{name}-1", 0, slots, queue_limit)
    return StationPlan(name, (instance,), ServiceTime("exponential", mean_s), calls, **more)  # type: ignore[arg-type]


def _plan(stations: list[StationPlan], edges: list[EdgePlan], classes: list[ClassPlan], flows: list[FlowPlan]) -> Plan:
    return Plan(("zone",), ((0.0,),), tuple(stations), tuple(edges), tuple(classes), tuple(flows))


def one_queue(until_s: float = 3125.0) -> Workload:
    """W1: M/M/4, service mean 10 ms, 320 requests a second, nobody gives up. Exact mean latency 17.455 ms."""
    stations = [station("server", 4, 0.010, 10**9)]
    edges = [EdgePlan("enter", CLIENT, ((0, 1.0),), timeout_s=NEVER_S)]
    flows = [FlowPlan("requests", 0, 0, 0, ((0.0, 320.0),))]
    return Workload("W1 one queue", _plan(stations, edges, [ClassPlan("all", 0, 1e6)], flows), until_s)


def chain(until_s: float = 1428.0) -> Workload:
    """W2B: gateway -> app -> database at 700/s; half the database is away for a minute from 300 s on, or as early and long in a shorter day."""
    stations = [
        station("gateway", 48, 0.008, 300, (1,)),
        station("app", 36, 0.016, 300, (2,)),
        station("database", 4, 0.004, 400),
    ]
    edges = [
        EdgePlan("enter", CLIENT, ((0, 1.0),), timeout_s=1.0, retry=_CLIENT_RETRY),
        EdgePlan("gateway-app", 0, ((1, 1.0),), timeout_s=NEVER_S),
        EdgePlan("app-database", 1, ((2, 1.0),), timeout_s=NEVER_S),
    ]
    flows = [FlowPlan("requests", 0, 0, 0, ((0.0, 700.0),))]
    changes = (
        (300.0 / 1428.0 * until_s, SetInstance(2, 0, slots=2)),
        (360.0 / 1428.0 * until_s, SetInstance(2, 0, slots=4)),
    )
    return Workload("W2B chain", _plan(stations, edges, [ClassPlan("all", 0, 60.0)], flows), until_s, changes)


def graph(until_s: float = 60.0) -> Workload:
    """W3: 20 services in layers of 1/3/6/10, parallel calls with timeouts, a retry and a breaker; a control event every 36 s."""
    layers = (range(1), range(1, 4), range(4, 10), range(10, 20))
    means_s, timeouts_s, chances = (0.005, 0.008, 0.006, 0.004), (0.8, 0.5, 0.3), (0.6, 0.6, 0.7)
    retry = RetryPlan(retries=1, backoff_s=0.05, backoff_cap_s=60.0)
    edges = [
        EdgePlan("enter-high", CLIENT, ((0, 1.0),), timeout_s=1.0, retry=_CLIENT_RETRY),
        EdgePlan("enter-low", CLIENT, ((0, 1.0),), timeout_s=1.0, retry=_CLIENT_RETRY),
    ]
    for depth, layer in enumerate(layers[:-1]):
        turn = 0
        for position, caller in enumerate(layer):
            fan_out = 3 if depth == 0 or (depth == 2 and position % 2 == 0) else 2
            for _ in range(fan_out):
                callee = layers[depth + 1][turn % len(layers[depth + 1])]
                turn += 1
                name = f"s{caller}-s{callee}"
                edges.append(
                    EdgePlan(name, caller, ((callee, 1.0),), chances[depth], timeouts_s[depth], retry, BreakerPlan(20, 5.0))
                )
    rates = {0: 2000.0}
    for edge in edges[2:]:
        callee = edge.options[0][0]
        rates[callee] = rates.get(callee, 0.0) + rates[edge.caller] * edge.calls_mean
    stations: list[StationPlan] = []
    held_s: dict[int, float] = {}
    for depth in reversed(range(4)):
        for number in reversed(layers[depth]):
            calls = tuple(position for position, edge in enumerate(edges) if edge.caller == number)
            held_s[number] = means_s[depth] + sum(edges[call].calls_mean * held_s[edges[call].options[0][0]] for call in calls)
            slots = ceil(rates[number] * held_s[number] / _UTILISATION)
            service = station(f"s{number}", slots, means_s[depth], 500, calls, fan_out="parallel", admit=(1.0, 1.0, 0.7))
            stations.insert(0, service)
    classes = [ClassPlan("high", 0, 60.0), ClassPlan("low", 2, 60.0)]
    flows = [FlowPlan("high", 0, 0, 0, ((0.0, 1400.0),)), FlowPlan("low", 1, 0, 1, ((0.0, 600.0),))]
    plan = _plan(stations, edges, classes, flows)
    return Workload("W3 graph of 20", plan, until_s, tuple(_graph_changes(plan, until_s)))


def _graph_changes(plan: Plan, until_s: float) -> list[tuple[float, Change]]:
    """Halve the slots of a service, restore them, double its service time, restore it; then the next service."""
    changes: list[tuple[float, Change]] = []
    step = 0
    while 18.0 + 36.0 * step < until_s:
        target = 7 * (step // 2) % 20
        slots = plan.stations[target].instances[0].slots
        change = (
            SetInstance(target, 0, slots=slots // 2),
            SetInstance(target, 0, slots=slots),
            SetInstance(target, 0, slowdown=2.0),
            SetInstance(target, 0, slowdown=1.0),
        )[step % 4]
        changes.append((18.0 + 36.0 * step, change))
        step += 1
    return changes


def flagship(until_s: float = 7200.0, faults: int = 10, lasts_s: float = 60.0) -> Workload:
    """The flagship day: the graph of 20 services at 2,000 requests a second, and faults at equal distances, each on another service.

    In turn a service loses half its slots, or works twice as long on every request; each fault is put right after `lasts_s`.
    """
    plan = graph(until_s).plan
    changes: list[tuple[float, Change]] = []
    for number in range(faults):
        target, begins_s = 7 * number % len(plan.stations), until_s * (number + 0.5) / faults
        slots = plan.stations[target].instances[0].slots
        if number % 2 == 0:
            there, gone = SetInstance(target, 0, slots=slots // 2), SetInstance(target, 0, slots=slots)
        else:
            there, gone = SetInstance(target, 0, slowdown=2.0), SetInstance(target, 0, slowdown=1.0)
        changes += [(begins_s, there), (begins_s + lasts_s, gone)]
    return Workload("flagship day", plan, until_s, tuple(changes))
