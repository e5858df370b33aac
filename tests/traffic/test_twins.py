"""The compiled engine is the plain one's twin: every number, to the bit, on whatever plan under whatever is done to it.

TWIN_EXAMPLES sets how many random systems are compared (a few hundred unless it is set).
"""

from __future__ import annotations

import os
from dataclasses import asdict, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sim.streams import Kind, Streams
from sim.traffic import Engine
from sim.traffic.changes import AddInstance, Change, DropWrites, SetEdge, SetFlow, SetInstance, SetLink, SetRateLimit, SetStation
from sim.traffic.plain import PlainEngine
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
from tests.traffic.drawn import BURSTS, MEASURED, breakers, cancels, edge_policies, station_policies, without_wrong_caches

pytest.importorskip("numba")
from sim.traffic.compiled import CompiledEngine

EXAMPLES = int(os.environ.get("TWIN_EXAMPLES", "250"))
TWINS = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=EXAMPLES == 250,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
ZONES = 2

Script = list[tuple[float, Change | None]]
"""Steps in seconds, and what is done after each: a change, or nothing but a look."""

ratio = st.sampled_from([0.0, 0.1, 0.5, 1.0])
maybe_bool = st.sampled_from([None, True, False])
# Few distinct times, so that many events fall on the same instant and only the order of scheduling decides.
seconds = st.sampled_from([0.0, 0.001, 0.01, 0.05, 0.3])


@st.composite
def service_times(draw: st.DrawFn) -> ServiceTime:
    if draw(st.sampled_from([False, False, False, False, True])):
        return MEASURED
    family = draw(st.sampled_from(["constant", "constant", "exponential", "lognormal", "gamma"]))
    return ServiceTime(family, draw(st.sampled_from([0.0, 0.01, 0.1])), draw(st.sampled_from([0.0, 0.5, 2.0])))  # type: ignore[arg-type]


@st.composite
def edge_plans(draw: st.DrawFn, number: int, caller: int, stations: int) -> EdgePlan:
    """Calls go to stations with higher numbers, so that every request ends; a target may be listed twice."""
    entry = caller == CLIENT
    targets = draw(st.lists(st.integers(caller + 1, stations - 1), min_size=int(entry), max_size=3))
    retry = RetryPlan(
        draw(st.integers(0, 3)),
        draw(seconds),
        draw(st.sampled_from([0.0, 0.02, 1.0])),
        draw(st.sampled_from([None, 0.1, 0.7])),
        draw(st.sampled_from([0.0, 3.0])),
    )
    return EdgePlan(
        f"edge-{number}",
        caller,
        tuple((target, draw(st.sampled_from([0.0, 1.0, 3.0]))) for target in targets),
        1.0 if entry else draw(st.sampled_from([0.0, 0.5, 1.0, 1.0, 2.3])),
        draw(st.sampled_from([0.05, 0.3, 1.0])),
        retry,
        draw(breakers),
        required=draw(st.booleans()),
        asynchronous=not entry and draw(st.sampled_from([False, False, True])),
        cancel=draw(cancels),
        operation=draw(st.sampled_from(["call", "read", "write", "write"])),
        classes=None if entry else draw(st.sampled_from([None, None, frozenset({0}), frozenset({1})])),
        **draw(edge_policies(entry)),
    )


@st.composite
def station_plans(draw: st.DrawFn, number: int, calls: tuple[int, ...]) -> StationPlan:
    instances = tuple(
        InstancePlan(f"{number}-{i}", draw(st.integers(0, ZONES - 1)), draw(st.integers(0, 4)), draw(st.integers(0, 8)))
        for i in range(draw(st.integers(1, 3)))
    )
    return StationPlan(
        f"station-{number}",
        instances,
        draw(service_times()),
        calls,
        draw(st.sampled_from(["sequential", "parallel"])),
        draw(st.sampled_from(["round_robin", "least_busy", "random", "power_of_two", "zone_aware", "zone_aware"])),
        draw(st.sampled_from(["fifo", "priority", "lifo", "adaptive_lifo"])),
        draw(st.sampled_from([(1.0, 1.0, 1.0), (1.0, 0.5, 0.0), (1.0, 0.7, 0.3)])),
        draw(st.sampled_from([0.0, 0.0, 0.1])),
        read_only=draw(st.sampled_from([False, False, False, True])),
        keeps_writes=draw(st.booleans()),
        **draw(station_policies()),
    )


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    count = draw(st.integers(1, 4))
    edges = [draw(edge_plans(number, CLIENT, count)) for number in range(2)]
    if draw(st.booleans()):
        edges[0] = replace(edges[0], fallback=2)
        edges.append(draw(edge_plans(2, CLIENT, count)))
    stations = []
    for number in range(count):
        calls: list[int] = []
        for _ in range(draw(st.integers(0, 3)) if number + 1 < count else 0):
            calls.append(len(edges))
            edges.append(draw(edge_plans(len(edges), number, count)))
            while draw(st.sampled_from([True, False, False])):
                edges[-1] = replace(edges[-1], fallback=len(edges))
                fallback = draw(edge_plans(len(edges), number, count))
                edges.append(replace(fallback, asynchronous=edges[-1].asynchronous))
        stations.append(draw(station_plans(number, tuple(calls))))
    rtt_s = draw(st.sampled_from([((0.0, 0.0), (0.0, 0.0)), ((0.001, 0.08), (0.08, 0.0)), ((0.0, 0.05), (0.05, 0.0))]))
    classes = (
        ClassPlan("x", draw(st.integers(0, 2)), 1.0, draw(st.booleans())),
        ClassPlan("y", draw(st.integers(0, 2)), 0.2, draw(st.booleans())),
    )
    rate = draw(st.sampled_from([((0.0, 60.0),), ((0.0, 40.0), (0.7, 150.0), (1.1, 0.0), (1.3, 90.0))]))
    flows = (
        FlowPlan("open", 0, 0, 0, rate, burst=draw(st.sampled_from([None, None, BURSTS]))),
        FlowPlan("closed", 1, 1, 1, users=draw(st.integers(1, 12)), think_s=draw(st.sampled_from([0.02, 0.1]))),
        FlowPlan("second", 1, 0, 0, ((0.0, 20.0),), burst=draw(st.sampled_from([None, None, BURSTS]))),
    )
    return without_wrong_caches(Plan(("a", "b"), rtt_s, tuple(stations), tuple(edges), classes, flows))


@st.composite
def instance_changes(draw: st.DrawFn, system: Plan) -> Change:
    station = draw(st.integers(0, len(system.stations) - 1))
    instance = draw(st.integers(0, len(system.stations[station].instances) - 1))
    match draw(st.sampled_from(["up", "up", "frozen", "frozen", "frozen", "rotation", "slots", "gray", "both", "add"])):
        case "up":
            return SetInstance(station, instance, up=draw(st.booleans()))
        case "frozen":
            return SetInstance(station, instance, frozen=draw(st.booleans()))
        case "rotation":
            return SetInstance(station, instance, in_rotation=draw(maybe_bool), drained=draw(maybe_bool))
        case "slots":
            return SetInstance(station, instance, slots=draw(st.integers(0, 5)))
        case "gray":
            return SetInstance(station, instance, slowdown=draw(st.sampled_from([0.0, 0.5, 5.0])), error_ratio=draw(ratio))
        case "both":
            return SetInstance(station, instance, draw(maybe_bool), draw(maybe_bool), draw(maybe_bool), draw(st.integers(0, 3)))
        case _:
            return AddInstance(station, InstancePlan("new", draw(st.integers(0, ZONES - 1)), 2, 3))


@st.composite
def other_changes(draw: st.DrawFn, system: Plan) -> Change:
    station = draw(st.integers(0, len(system.stations) - 1))
    edge = draw(st.integers(0, len(system.edges) - 1))
    kept = [number for number, each in enumerate(system.stations) if each.keeps_writes]
    kinds = ["station", "commit", "commit", "commit", "link", "link", "edge", "edge", "flow", "flow", "limit"]
    match draw(st.sampled_from([*kinds, "drop", "drop"] if kept else kinds)):
        case "station":
            admit = draw(st.sampled_from([None, (1.0, 1.0, 1.0), (0.0, 0.5, 1.0)]))
            return SetStation(station, draw(st.sampled_from([None, 2.0])), draw(ratio), draw(maybe_bool), draw(maybe_bool), admit)
        case "commit":
            return SetStation(station, commit_delay_s=draw(seconds), commit_blocked=draw(maybe_bool))
        case "link":
            zones = st.integers(0, ZONES - 1)
            return SetLink(draw(zones), draw(zones), draw(seconds), draw(ratio), draw(maybe_bool))
        case "edge":
            options = draw(st.sampled_from([None, (), ((len(system.stations) - 1, 1.0),), system.edges[edge].options]))
            enabled = None if system.edges[edge].caller == CLIENT else draw(maybe_bool)
            return SetEdge(edge, options, enabled, draw(st.sampled_from([None, 0.0, 0.3])), draw(maybe_bool))
        case "flow":
            return SetFlow(draw(st.integers(0, 2)), draw(st.sampled_from([0.0, 1.0, 4.0])))
        case "drop":
            return DropWrites(draw(st.sampled_from(kept)), draw(st.integers(0, 60)))
        case _:
            return SetRateLimit(
                draw(st.integers(0, 1)), draw(st.sampled_from([None, 0.0, 20.0])), draw(st.sampled_from([1.0, 4.5]))
            )


@st.composite
def days(draw: st.DrawFn) -> tuple[Plan, int, Script]:
    """A plan, a seed, and what is done when: a change, or nothing but a look."""
    system = draw(plans())
    change = st.one_of(
        st.none(), instance_changes(system), instance_changes(system), other_changes(system), other_changes(system)
    )
    step = st.sampled_from([0.0, 0.0, 0.001, 0.013, 0.05, 0.2, 0.9])
    return system, draw(st.integers(0, 5)), draw(st.lists(st.tuples(step, change), max_size=24))


def told(run: Engine, system: Plan) -> dict[str, Any]:
    """Everything an engine tells, as plain values."""
    seen = asdict(run.observe())
    seen["entered"] = [list(places.items()) for places in seen["entered"]]  # in order, too
    seen["details"] = {name: counts.tolist() for name, counts in asdict(run.details()).items()}
    seen["notes"] = run.take_notes()
    seen["marks"] = run.take_marks()
    seen["now"] = run.now
    for number, station in enumerate(system.stations):
        seen[f"busy {number}"] = [run.instance_busy(number, position) for position in range(len(station.instances))]
        if station.keeps_writes:
            log = run.write_log(number)
            seen[f"log {number}"] = (log.base, list(log.committed_s), list(log.acknowledged))
    return seen


def compare(system: Plan, script: Script, seed: int = 1) -> tuple[Engine, Engine]:
    """Play both engines side by side; they must agree at every step."""
    twins: tuple[Engine, Engine] = PlainEngine(system, Streams(seed)), CompiledEngine(system, Streams(seed))
    for run in twins:
        for number in range(len(system.flows)):
            run.trace(number, (seed + number) % 3)
    for step, change in [*script, (1.0, None)]:
        for run in twins:
            run.advance(run.now + step)
            if change is not None:
                run.apply(change)
        plain, compiled = (told(run, system) for run in twins)
        assert plain == compiled
    return twins


@TWINS
@given(days())
def test_both_engines_tell_the_same_to_the_bit(day: tuple[Plan, int, Script]) -> None:
    system, seed, script = day
    compare(system, script, seed)


@st.composite
def database_days(draw: st.DrawFn) -> tuple[Plan, int, Script]:
    """Writes to a small database whose process freezes, dies and cannot commit: what happens here is rare in a wide system."""
    stations = (
        StationPlan(
            "app",
            (InstancePlan("app-0", 0, draw(st.integers(2, 30)), 20),),
            ServiceTime("constant", 0.001),
            (1, 2),
            draw(st.sampled_from(["sequential", "parallel"])),
            keeps_writes=draw(st.booleans()),
        ),
        StationPlan(
            "database",
            tuple(InstancePlan(f"db-{i}", i, draw(st.integers(1, 6)), 30) for i in range(draw(st.integers(1, 2)))),
            ServiceTime("constant", 0.004),
            queue_order=draw(st.sampled_from(["fifo", "priority"])),
            keeps_writes=True,
        ),
    )
    retry = RetryPlan(draw(st.integers(0, 1)), 0.01)
    options = ((1, 1.0),)
    edges = (
        EdgePlan("enter", CLIENT, ((0, 1.0),), timeout_s=draw(st.sampled_from([0.06, 0.5])), operation="write"),
        EdgePlan("write", 0, options, 1.0, 0.1, retry, cancel=draw(cancels), operation="write"),
        EdgePlan("log", 0, options, 1.0, 0.1, retry, asynchronous=draw(st.booleans()), operation="write"),
    )
    rtt_s = draw(st.sampled_from([((0.0, 0.0), (0.0, 0.0)), ((0.0, 0.01), (0.01, 0.0))]))
    flows = (FlowPlan("open", 0, 0, 0, ((0.0, 200.0),)), FlowPlan("late", 1, 0, 0, ((0.0, 60.0),)))
    system = Plan(("a", "b"), rtt_s, stations, edges, (ClassPlan("x", 0, 1.0), ClassPlan("y", 2, 0.2)), flows)
    last = len(stations[1].instances) - 1
    place = st.sampled_from([(0, 0), (1, 0), (1, 0), (1, last)])
    change = st.one_of(
        st.none(),
        st.builds(SetStation, st.just(1), commit_delay_s=seconds, commit_blocked=st.booleans()),
        st.builds(SetStation, st.just(1), commit_blocked=st.booleans()),
        place.flatmap(lambda at: st.builds(SetInstance, st.just(at[0]), st.just(at[1]), frozen=st.booleans())),
        place.flatmap(lambda at: st.builds(SetInstance, st.just(at[0]), st.just(at[1]), frozen=st.booleans())),
        place.flatmap(lambda at: st.builds(SetInstance, st.just(at[0]), st.just(at[1]), up=st.booleans())),
        place.flatmap(lambda at: st.builds(SetInstance, st.just(at[0]), st.just(at[1]), slots=st.integers(0, 8))),
    )
    step = st.sampled_from([0.0, 0.001, 0.02, 0.05, 0.11, 0.25])
    return system, draw(st.integers(0, 5)), draw(st.lists(st.tuples(step, change), min_size=4, max_size=30))


@TWINS
@given(database_days())
def test_both_engines_lose_the_same_writes(day: tuple[Plan, int, Script]) -> None:
    system, seed, script = day
    compare(system, script, seed)


def _at_rest(system: Plan) -> Script:
    """Heal everything, let nobody in, and wait until the last timeout and backoff."""
    changes: list[Change] = [SetFlow(number, 0.0) for number in range(len(system.flows))]
    changes += [SetLink(a, b, 0.0, 0.0, cut=False) for a in range(ZONES) for b in range(ZONES)]
    changes += [SetEdge(n, each.options, None, 0.0, cut=False) for n, each in enumerate(system.edges)]
    changes += [SetStation(n, 1.0, 0.0, False, False, (1.0, 1.0, 1.0), 0.0, False) for n in range(len(system.stations))]
    for number, station in enumerate(system.stations):
        changes += [SetInstance(number, i, True, False, True, 3, 1.0, 0.0, drained=False) for i in range(len(station.instances))]
    return [(0.0, change) for change in changes] + [(60.0, None), (60.0, None)]


@TWINS
@given(st.one_of(days(), database_days()))
def test_no_record_of_an_attempt_is_kept_when_all_is_over(day: tuple[Plan, int, Script]) -> None:
    system, seed, script = day
    run = CompiledEngine(system, Streams(seed))
    for step, change in [*((step, each) for step, each in script if not isinstance(each, AddInstance)), *_at_rest(system)]:
        run.advance(run.now + step)
        if change is not None:
            run.apply(change)
    view = run.observe()
    assert sum(view.busy) + sum(view.queued) == 0
    assert run.attempts_kept == 0


def test_what_grows_grows_alike() -> None:
    """A queue of thousands, thousands of open timers, writes in the log, people and mail: every table of the kernel grows."""
    stations = (
        StationPlan("front", (InstancePlan("f", 0, 4000, 0),), ServiceTime("constant", 0.001), (2,), "parallel"),
        StationPlan("database", (InstancePlan("d", 0, 2, 10**6),), ServiceTime("exponential", 0.01), keeps_writes=True),
    )
    edges = (
        EdgePlan("people", CLIENT, ((0, 1.0),), timeout_s=30.0),
        EdgePlan("enter", CLIENT, ((0, 1.0),), timeout_s=9.0, retry=RetryPlan(2, 3.0)),
        EdgePlan(
            "write", 0, ((1, 1.0),), timeout_s=8.0, operation="write", retry=RetryPlan(1, 0.5), breaker=BreakerPlan(1, 0.001)
        ),
    )
    flows = (FlowPlan("people", 0, 0, 0, users=3000, think_s=2.0), FlowPlan("open", 0, 0, 1, ((0.0, 500.0),)))
    system = Plan(("a",), ((0.0,),), stations, edges, (ClassPlan("x", 0, 5.0),), flows)
    script: Script = [
        (3.0, SetInstance(0, 0, frozen=True)),
        (10.0, SetInstance(0, 0, frozen=False)),
        (1.0, SetFlow(0, 0.5)),
        (0.0, SetInstance(1, 0, slots=200)),
        (8.0, SetInstance(0, 0, up=False)),
        (0.0, SetInstance(0, 0, up=True)),
        (5.0, None),
    ]
    _, compiled = compare(system, script)
    assert compiled.write_log(1).committed_s[1500:], "the log has grown"


def test_the_child_of_a_stream_can_be_made_alone() -> None:
    streams = Streams(7, 3)
    for kind in Kind:
        child = streams.generator("name").spawn(len(Kind))[kind]
        assert streams.generator_of("name", kind).random(5).tolist() == child.random(5).tolist()


def _one_call(station: StationPlan, **edge: Any) -> Plan:
    """A station the clients call directly, 100 times a second."""
    entry = EdgePlan("enter", CLIENT, ((0, 1.0),), **edge)
    return Plan(("a",), ((0.0,),), (station,), (entry,), (ClassPlan("x", 0, 1.0),), (FlowPlan("f", 0, 0, 0, ((0.0, 100.0),)),))


def test_parked_writes_given_up_while_their_node_was_frozen_end_alike() -> None:
    node = StationPlan("database", (InstancePlan("d", 0, 8, 8),), ServiceTime("constant", 0.001), keeps_writes=True)
    system = _one_call(node, timeout_s=0.1, operation="write")
    _, compiled = compare(
        system,
        [
            (0.5, SetStation(0, commit_blocked=True)),
            (0.2, SetInstance(0, 0, frozen=True)),
            (0.3, SetFlow(0, 0.0)),
            (0.2, SetInstance(0, 0, frozen=False)),
            (0.2, None),
        ],
    )
    assert compiled.observe().busy == [0]


def test_a_late_child_is_not_taken_for_the_child_of_whoever_has_its_parents_record_now() -> None:
    stations = (
        StationPlan("front", (InstancePlan("f", 0, 500, 0),), ServiceTime("constant", 0.001), (1, 2), "parallel"),
        StationPlan("slow", (InstancePlan("s", 0, 500, 0),), ServiceTime("constant", 0.05)),
        StationPlan("flaky", (InstancePlan("e", 0, 500, 0),), ServiceTime("constant", 0.002), error_ratio=0.5),
    )
    edges = (
        EdgePlan("enter", CLIENT, ((0, 1.0),)),
        EdgePlan("slow", 0, ((1, 1.0),), timeout_s=0.03, retry=RetryPlan(1, 0.01)),
        EdgePlan("flaky", 0, ((2, 1.0),)),
    )
    flows = (FlowPlan("f", 0, 0, 0, ((0.0, 500.0),)),)
    compare(Plan(("a",), ((0.0,),), stations, edges, (ClassPlan("x", 0, 1.0),), flows), [(0.3, None)] * 4)


def test_a_target_that_stays_among_the_options_keeps_its_turn() -> None:
    instances = tuple(InstancePlan(f"i{number}", 0, 500, 0) for number in range(3))
    system = _one_call(StationPlan("s", instances, ServiceTime("constant", 50.0)), timeout_s=99.0)
    compare(system, [(0.1, SetEdge(0, ((0, 2.0),))), (0.1, SetEdge(0, ((0, 1.0),))), (0.07, SetEdge(0, ())), (0.1, None)])
