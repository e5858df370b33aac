"""Every pair of policies on every fault, every triple on one of them: nothing leaks, everything is counted once, and healing heals.

`test_laws.py` looks for trouble at random; this goes through the combinations one by one. A policy is a way to change a plan, so a new one
is one line in `POLICIES`. The rule that surprises: the load is light, so that whatever a policy does in a fault, the system has to be back
where it was before once the fault is healed; what stays sick is a leak.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import asdict, replace
from functools import cache
from itertools import combinations

import pytest

from sim.traffic import Observation
from sim.traffic.changes import Change, SetEdge, SetFlow, SetInstance, SetLink, SetStation
from sim.traffic.plan import (
    CLIENT,
    BreakerPlan,
    ClassPlan,
    CoDelPlan,
    EdgePlan,
    FlowPlan,
    InstancePlan,
    LimiterPlan,
    Plan,
    PoolPlan,
    RetryPlan,
    ServiceTime,
    StationPlan,
    WindowPlan,
)
from tests.traffic import build
from tests.traffic.build import engine, exponential, in_flight
from tests.traffic.test_laws import conserved

Policy = Callable[[Plan], Plan]


def on_stations(**fields: object) -> Policy:
    """A policy of every station."""
    return lambda plan: replace(plan, stations=tuple(replace(one, **fields) for one in plan.stations))  # type: ignore[arg-type]


def on_calls(**fields: object) -> Policy:
    """A policy of every call, those of the clients included."""
    return lambda plan: replace(plan, edges=tuple(replace(one, **fields) for one in plan.edges))  # type: ignore[arg-type]


def between_services(**fields: object) -> Policy:
    """A policy of every call but those of the clients."""
    return lambda plan: replace(
        plan,
        edges=tuple(one if one.caller == CLIENT else replace(one, **fields) for one in plan.edges),  # type: ignore[arg-type]
    )


def _optional(plan: Plan) -> Plan:
    return replace(plan, edges=tuple(replace(one, required=one.caller == CLIENT) for one in plan.edges))


def _sometimes(plan: Plan) -> Plan:
    return replace(plan, edges=tuple(one if one.caller == CLIENT else replace(one, calls_mean=1.4) for one in plan.edges))


def _hedged(plan: Plan) -> Plan:
    return replace(plan, edges=tuple(one if one.asynchronous else replace(one, hedge_s=0.05) for one in plan.edges))


def _deadlines(plan: Plan) -> Plan:
    return replace(plan, classes=tuple(replace(one, deadline_s=0.3, propagates=True) for one in plan.classes))


POLICIES: dict[str, Policy] = {
    "retries": on_calls(retry=RetryPlan(2, 0.02)),
    "retry budget": on_calls(retry=RetryPlan(3, 0.02, budget_ratio=0.1)),
    "breaker": on_calls(breaker=BreakerPlan(5, 0.5, 2)),
    "breaker by share": on_calls(breaker=BreakerPlan(1, 0.5, 2, WindowPlan(0.5, 20, 10))),
    "cancel what is queued": on_calls(cancel="queued"),
    "cancel what runs": on_calls(cancel="running"),
    "bulkhead": between_services(bulkhead=12),
    "pool": between_services(pool=PoolPlan(6, 0.2)),
    "hedging": _hedged,
    "deadlines travel": _deadlines,
    "short timeouts": on_calls(timeout_s=0.15),
    "optional calls": _optional,
    "calls by chance": _sometimes,
    "priority queue": on_stations(queue_order="priority"),
    "newest first": on_stations(queue_order="lifo"),
    "newest first when long": on_stations(queue_order="adaptive_lifo", lifo_above=3),
    "controlled delay": on_stations(codel=CoDelPlan(0.02, 0.1)),
    "drop the expired": on_stations(drop_expired=True),
    "shedding by class": on_stations(admit=(1.0, 0.6, 0.3)),
    "least busy": on_stations(balancing="least_busy"),
    "two choices": on_stations(balancing="power_of_two"),
    "within the zone": on_stations(balancing="zone_aware"),
    "fixed limit": on_stations(limiter=LimiterPlan(8.0, shares=(1.0, 0.8, 0.5))),
    "adaptive limit": on_stations(limiter=LimiterPlan(8.0, adaptive=True, least=4.0, most=40.0)),
    "parallel calls": on_stations(fan_out="parallel"),
    "heavy tails": on_stations(service_time=ServiceTime("lognormal", 0.008, 2.0)),
}
FAULTS: dict[str, tuple[Sequence[Change], Sequence[Change]]] = {
    "kill": ([SetInstance(-1, 0, up=False)], [SetInstance(-1, 0, up=True)]),
    "kill all": (
        [SetInstance(-1, 0, up=False), SetInstance(-1, 1, up=False)],
        [SetInstance(-1, 0, True), SetInstance(-1, 1, True)],
    ),
    "freeze": ([SetInstance(-1, 0, frozen=True)], [SetInstance(-1, 0, frozen=False)]),
    "slow": ([SetInstance(-1, n, slowdown=40.0) for n in (0, 1)], [SetInstance(-1, n, slowdown=1.0) for n in (0, 1)]),
    "errors": ([SetStation(-1, error_ratio=1.0)], [SetStation(-1, error_ratio=0.0)]),
    "no capacity": ([SetInstance(-1, n, slots=0) for n in (0, 1)], [SetInstance(-1, n, slots=4) for n in (0, 1)]),
    "cut": ([SetLink(0, 1, cut=True), SetLink(1, 1, cut=True)], [SetLink(0, 1, cut=False), SetLink(1, 1, cut=False)]),
    "loss": ([SetLink(0, 1, loss_ratio=0.5)], [SetLink(0, 1, loss_ratio=0.0)]),
    "surge": ([SetFlow(0, 12.0), SetFlow(1, 12.0)], [SetFlow(0, 1.0), SetFlow(1, 1.0)]),
    "cut call": ([SetEdge(-1, cut=True)], [SetEdge(-1, cut=False)]),
}
"""What is done and undone; -1 is the last station, or the last call."""


def _station(name: str, *calls: int, **more: object) -> StationPlan:
    instances = tuple(InstancePlan(f"{name}-{zone}", zone, 4, 30) for zone in (0, 1))
    return StationPlan(name, instances, exponential(0.008), calls, **more)  # type: ignore[arg-type]


def _call(name: str, caller: int, target: int, **more: object) -> EdgePlan:
    return EdgePlan(name, caller, ((target, 1.0),), timeout_s=0.5, **more)  # type: ignore[arg-type]


ENTER = _call("enter", CLIENT, 0)
SHAPES: dict[str, tuple[tuple[StationPlan, ...], tuple[EdgePlan, ...]]] = {
    "one": ((_station("only"),), (ENTER,)),
    "chain": (
        (_station("front", 1), _station("middle", 2), _station("back")),
        (ENTER, _call("front-middle", 0, 1), _call("middle-back", 1, 2)),
    ),
    "fan": (
        (_station("front", 1, 2), _station("left"), _station("right")),
        (ENTER, _call("front-left", 0, 1), _call("front-right", 0, 2)),
    ),
    "sent off": ((_station("front", 1), _station("back")), (ENTER, _call("sent", 0, 1, asynchronous=True))),
    "store": ((_station("front", 1), _station("store", keeps_writes=True)), (ENTER, _call("write", 0, 1, operation="write"))),
    "fallback": (
        (_station("front", 1), _station("spare"), _station("usual")),
        (ENTER, _call("usual", 0, 2, fallback=2), _call("spare", 0, 1)),
    ),
}
CALM_S, FAULT_S, QUIET_S = 6.0, 3.0, 30.0


def _plan(names: Sequence[str], shape: str) -> Plan:
    stations, edges = SHAPES[shape]
    classes = (ClassPlan("critical", 0, 1.0), ClassPlan("lesser", 2, 1.0))
    flows = (FlowPlan("open", 0, 0, 0, ((0.0, 40.0),)), FlowPlan("other", 1, 1, 0, ((0.0, 40.0),)))
    plan = Plan(("a", "b"), ((0.0, 0.002), (0.002, 0.0)), stations, edges, classes, flows)
    for name in names:
        plan = POLICIES[name](plan)
    return plan


def _aimed(change: Change, plan: Plan) -> Change:
    """The change, aimed at the last station or call of the plan, with what was there before where that is not the same everywhere."""
    match change:
        case SetInstance() | SetStation():
            return replace(change, station=len(plan.stations) - 1)
        case SetEdge():
            return replace(change, edge=1 if len(plan.edges) > 1 else 0)
        case _:
            return change


def _good_share(before: Observation, after: Observation) -> float:
    return (sum(after.good) - sum(before.good)) / max(1, sum(after.offered) - sum(before.offered))


def _sane(plan: Plan, view: Observation, at: float) -> None:
    for number, one in enumerate(plan.stations):
        slots = sum(instance.slots for instance in one.instances)
        assert 0 <= view.busy[number] <= slots
        assert 0.0 <= view.busy_s[number] <= slots * at * (1.0 + 1e-9)


@cache
def _healthy_share(shape: str, names: tuple[str, ...], seed: int) -> float:
    """Share of good answers of the same system and numbers when nothing breaks, at the time at which a healed one is looked at."""
    run = engine(_plan(names, shape), seed)
    run.advance(CALM_S + FAULT_S + QUIET_S)
    before = deepcopy(run.observe())
    run.advance(run.now + CALM_S)
    return _good_share(before, run.observe())


def _law(names: tuple[str, ...], shape: str, fault: str, seed: int = 1) -> Observation:
    plan = _plan(names, shape)
    run = engine(plan, seed)
    broken, healed = ([_aimed(change, plan) for change in changes] for changes in FAULTS[fault])
    run.advance(CALM_S)
    for change in broken:
        run.apply(change)
    for part in range(1, 4):
        run.advance(CALM_S + FAULT_S * part / 3.0)
        conserved(plan, run.observe())
        _sane(plan, run.observe(), run.now)
    for change in healed:
        run.apply(change)
    run.advance(CALM_S + FAULT_S + QUIET_S)
    before = deepcopy(run.observe())
    conserved(plan, before)
    run.advance(run.now + CALM_S)
    share = _good_share(before, run.observe())
    assert share >= _healthy_share(shape, names, seed) - 0.02, f"healed, and {share:.1%} of the answers are good"
    for number in range(len(plan.flows)):
        run.apply(SetFlow(number, 0.0))
    run.advance(run.now + QUIET_S)
    view = run.observe()
    conserved(plan, view)
    assert in_flight(view) == 0
    assert view.busy == view.queued == [0] * len(plan.stations)
    for number in range(len(plan.stations)):
        assert view.arrived[number] == view.completed[number] + view.failed[number]
    if "breaker" in names and fault in {"errors", "kill all"}:
        assert any(note.kind == "breaker.opened" for note in run.take_notes())
    return deepcopy(view)


PAIRS: list[tuple[str, ...]] = list(combinations(POLICIES, 2))
TRIPLES: list[tuple[str, ...]] = list(combinations(POLICIES, 3))
SHAPE_NAMES, FAULT_NAMES = list(SHAPES), list(FAULTS)


def _chosen(combined: list[tuple[str, ...]]) -> list[tuple[int, tuple[str, ...]]]:
    """All for the compiled engine; a sample for the plain one, which gives the same numbers forty times as slowly."""
    return list(enumerate(combined))[:: 1 if build.kind == "compiled" else 23]


@pytest.mark.parametrize("fault", FAULTS)
def test_every_pair_keeps_the_laws_in_every_fault(fault: str) -> None:
    """Shapes take turns; over all faults each pair meets each of them."""
    for number, pair in _chosen(PAIRS):
        _law(pair, SHAPE_NAMES[(number + FAULT_NAMES.index(fault)) % len(SHAPES)], fault)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_triple_keeps_the_laws_in_one_fault(shape: str) -> None:
    for number, triple in _chosen(TRIPLES):
        if number % len(SHAPES) == SHAPE_NAMES.index(shape):
            _law(triple, shape, FAULT_NAMES[number // len(SHAPES) % len(FAULTS)])


def test_the_same_combination_twice_is_the_same() -> None:
    for number, triple in enumerate(TRIPLES[::40]):
        shape, fault = SHAPE_NAMES[number % len(SHAPES)], FAULT_NAMES[number % len(FAULTS)]
        assert asdict(_law(triple, shape, fault)) == asdict(_law(triple, shape, fault))
