"""Composition laws: what must hold for every plan under every sequence of changes, however absurd."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import asdict, replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sim.traffic import Engine, Observation
from sim.traffic.changes import (
    AddInstance,
    Change,
    SetEdge,
    SetFlow,
    SetInstance,
    SetLink,
    SetRateLimit,
    SetStation,
)
from sim.traffic.plan import (
    CLIENT,
    ClassPlan,
    EdgePlan,
    FlowPlan,
    InstancePlan,
    Plan,
    RetryPlan,
    ServiceTime,
    StationPlan,
)
from tests.traffic.build import engine, in_flight
from tests.traffic.drawn import MEASURED, breakers, cancels, edge_policies, station_policies, without_wrong_caches

LAWS = settings(max_examples=70, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
ZONES = 2
QUIET_S = 2000.0  # longer than all timeouts and backoffs one call may need

ratio = st.sampled_from([0.0, 0.1, 0.5, 1.0])
seconds = st.sampled_from([0.0, 0.003, 0.05, 0.4])
maybe_bool = st.sampled_from([None, True, False])


@st.composite
def service_times(draw: st.DrawFn) -> ServiceTime:
    if draw(st.sampled_from([False, False, False, False, True])):
        return MEASURED
    family = draw(st.sampled_from(["constant", "exponential", "lognormal", "gamma"]))
    return ServiceTime(family, draw(st.sampled_from([0.0, 0.01, 0.1])), draw(st.sampled_from([0.0, 0.5, 2.0])))  # type: ignore[arg-type]


@st.composite
def edge_plans(draw: st.DrawFn, number: int, caller: int, stations: int) -> EdgePlan:
    """Calls go to stations with higher numbers, so that every request ends."""
    targets = draw(
        st.lists(st.integers(caller + 1, stations - 1), min_size=0 if caller != CLIENT else 1, max_size=2, unique=True)
    )
    retry = RetryPlan(
        draw(st.integers(0, 2)), draw(seconds), 1.0, draw(st.sampled_from([None, 0.2])), draw(st.sampled_from([0.0, 3.0]))
    )
    is_entry = caller == CLIENT
    return EdgePlan(
        f"edge-{number}",
        caller,
        tuple((target, draw(st.sampled_from([0.0, 1.0, 3.0]))) for target in targets),
        1.0 if is_entry else draw(st.sampled_from([0.0, 0.5, 1.0, 2.3])),
        draw(st.sampled_from([0.05, 0.3, 1.0])),
        retry,
        draw(breakers),
        required=draw(st.booleans()),
        asynchronous=not is_entry and draw(st.booleans()),
        cancel=draw(cancels),
        operation=draw(st.sampled_from(["call", "read", "write"])),
        classes=None if is_entry else draw(st.sampled_from([None, frozenset({0}), frozenset({1})])),
        **draw(edge_policies(is_entry)),
    )


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    count = draw(st.integers(1, 4))
    edges = [draw(edge_plans(number, CLIENT, count)) for number in range(2)]
    stations = []
    for number in range(count):
        calls: list[int] = []
        if number + 1 < count:
            for _ in range(draw(st.integers(0, 2))):
                calls.append(len(edges))
                edges.append(draw(edge_plans(len(edges), number, count)))
                if draw(st.booleans()):
                    edges[-1] = replace(edges[-1], fallback=len(edges))
                    fallback = draw(edge_plans(len(edges), number, count))
                    edges.append(replace(fallback, asynchronous=edges[-1].asynchronous))
        instances = tuple(
            InstancePlan(f"{number}-{i}", draw(st.integers(0, ZONES - 1)), draw(st.integers(1, 3)), draw(st.integers(0, 6)))
            for i in range(draw(st.integers(1, 3)))
        )
        stations.append(
            StationPlan(
                f"station-{number}",
                instances,
                draw(service_times()),
                tuple(calls),
                draw(st.sampled_from(["sequential", "parallel"])),
                draw(st.sampled_from(["round_robin", "least_busy", "power_of_two", "zone_aware"])),
                draw(st.sampled_from(["fifo", "priority", "lifo", "adaptive_lifo"])),
                draw(st.sampled_from([(1.0, 1.0, 1.0), (1.0, 0.5, 0.0)])),
                draw(st.sampled_from([0.0, 0.1])),
                keeps_writes=draw(st.booleans()),
                **draw(station_policies()) | {"broker": False},
            )
        )
    rtt_s = draw(st.sampled_from([((0.0, 0.0), (0.0, 0.0)), ((0.001, 0.08), (0.08, 0.0))]))
    classes = (ClassPlan("x", 0, 1.0), ClassPlan("y", 2, 0.2, draw(st.booleans())))
    flows = (
        FlowPlan("open", 0, 0, 0, ((0.0, 40.0), (2.0, 90.0))),
        FlowPlan("closed", 1, 1, 1, users=6, think_s=0.1),
    )
    return without_wrong_caches(Plan(("a", "b"), rtt_s, tuple(stations), tuple(edges), classes, flows))


@st.composite
def changes(draw: st.DrawFn, system: Plan, resize: bool = True) -> Change:  # noqa: C901 (one case per kind)
    station = draw(st.integers(0, len(system.stations) - 1))
    instance = draw(st.integers(0, len(system.stations[station].instances) - 1))
    edge = draw(st.integers(0, len(system.edges) - 1))
    kinds = ["up", "up", "frozen", "frozen", "rotation", "gray", "station", "commit", "link", "link", "edge", "flow", "limit"]
    match draw(st.sampled_from([*kinds, "slots", "add"] if resize else kinds)):
        case "up":
            return SetInstance(station, instance, up=draw(st.booleans()))
        case "frozen":
            return SetInstance(station, instance, frozen=draw(st.booleans()))
        case "rotation":
            return SetInstance(station, instance, in_rotation=draw(st.booleans()))
        case "slots":
            return SetInstance(station, instance, slots=draw(st.integers(0, 4)))
        case "gray":
            return SetInstance(station, instance, slowdown=draw(st.sampled_from([0.5, 5.0])), error_ratio=draw(ratio))
        case "add":
            return AddInstance(station, InstancePlan("new", draw(st.integers(0, ZONES - 1)), 2, 3))
        case "station":
            return SetStation(station, error_ratio=draw(ratio), read_only=draw(maybe_bool), stale=draw(maybe_bool))
        case "commit":
            return SetStation(station, commit_delay_s=draw(seconds), commit_blocked=draw(maybe_bool))
        case "link":
            zones = st.integers(0, ZONES - 1)
            return SetLink(draw(zones), draw(zones), draw(seconds), draw(ratio), draw(maybe_bool))
        case "edge":
            options = draw(st.sampled_from([None, (), ((len(system.stations) - 1, 1.0),)]))
            enabled = None if system.edges[edge].caller == CLIENT else draw(maybe_bool)
            return SetEdge(edge, options, enabled, draw(ratio))
        case "flow":
            return SetFlow(draw(st.integers(0, 1)), draw(st.sampled_from([0.0, 1.0, 4.0])))
        case _:
            return SetRateLimit(draw(st.integers(0, 1)), draw(st.sampled_from([None, 0.0, 20.0])), 2.0)


@st.composite
def days(draw: st.DrawFn, resize: bool = True) -> tuple[Plan, list[tuple[float, Change]]]:
    """A plan and what is done to it when, in order of time."""
    system = draw(plans())
    script = []
    at = 0.0
    for _ in range(draw(st.integers(0, 12))):
        at += draw(st.sampled_from([0.0, 0.013, 0.2, 0.9]))
        script.append((at, draw(changes(system, resize))))
    return system, script


def healed(system: Plan, run: Engine) -> None:
    """Undo every fault there can be, and let nobody in any more."""
    for number in range(len(system.flows)):
        run.apply(SetFlow(number, 0.0))
    for source in range(ZONES):
        for target in range(ZONES):
            run.apply(SetLink(source, target, 0.0, 0.0, cut=False))
    for number in range(len(system.classes)):
        run.apply(SetRateLimit(number, None))
    for number, edge in enumerate(system.edges):
        run.apply(SetEdge(number, edge.options, None if edge.caller == CLIENT else True, 0.0))
    for number, station in enumerate(system.stations):
        run.apply(SetStation(number, 1.0, station.error_ratio, False, False, station.admit, 0.0, False))
        for position, instance in enumerate(station.instances):
            run.apply(SetInstance(number, position, True, False, True, instance.slots, 1.0, 0.0))


def conserved(system: Plan, view: Observation) -> None:
    """Nothing appears or vanishes: not a request, not an attempt, not a slot-second."""
    for number in range(len(system.flows)):
        assert view.offered[number] >= view.good[number] + sum(view.lost[number])
        assert sum(pair[0] for pair in view.entered[number].values()) == view.good[number]
        assert sum(pair[1] for pair in view.entered[number].values()) <= sum(view.lost[number])
        answered = view.good[number] + view.lost[number][13]
        assert sum(view.latency[number]) == answered
        if users := system.flows[number].users:
            assert view.offered[number] - view.good[number] - sum(view.lost[number]) <= users
    for number in range(len(system.stations)):
        taken_in = view.completed[number] + view.failed[number] + view.busy[number] + view.queued[number]
        assert view.arrived[number] == taken_in
        assert view.arrived[number] >= sum(view.admitted_by[number]) + sum(view.refused_by[number])
        known = view.writes_acknowledged[number] + view.writes_indeterminate[number]
        assert known <= view.writes_attempted[number]
    for number in range(len(system.edges)):
        assert view.failures[number] + view.cancelled[number] <= view.attempts[number]
        assert view.retries[number] + view.hedges[number] <= view.attempts[number]
        assert view.retries[number] <= view.attempts[number]
    assert sum(view.arrived) <= sum(view.attempts)


def play(system: Plan, script: list[tuple[float, Change]], seed: int = 3) -> Engine:
    """Play a script and one second more, with the books checked at every change and in between."""
    run = engine(system, seed)
    for at, change in script:
        run.advance((run.now + at) / 2.0)
        conserved(system, run.observe())
        run.advance(at)
        run.apply(change)
        conserved(system, run.observe())
    run.advance(run.now + 1.0)
    conserved(system, run.observe())
    return run


@LAWS
@given(days())
def test_when_load_stops_everything_ends_and_every_slot_is_free(day: tuple[Plan, list[tuple[float, Change]]]) -> None:
    system, script = day
    run = play(system, script)
    healed(system, run)
    run.advance(run.now + QUIET_S)
    view = run.observe()
    conserved(system, view)
    assert in_flight(view) == 0
    assert view.busy == view.queued == [0] * len(system.stations)
    for number, station in enumerate(system.stations):
        assert view.arrived[number] == view.completed[number] + view.failed[number]
        if station.keeps_writes:
            log = run.write_log(number)
            assert list(log.committed_s) == sorted(log.committed_s)
            assert sum(log.acknowledged) == view.writes_acknowledged[number]
            assert len(log.committed_s) == view.writes_acknowledged[number] + view.writes_indeterminate[number]


@LAWS
@given(days(resize=False))
def test_no_instance_ever_works_on_more_than_its_slots_or_queues_more_than_its_limit(
    day: tuple[Plan, list[tuple[float, Change]]],
) -> None:
    system, script = day
    run = engine(system, 5)
    for at, change in [*script, (script[-1][0] + 2.0 if script else 2.0, SetFlow(0, 1.0))]:
        for part in range(1, 4):
            run.advance(run.now + (at - run.now) * part / 3.0)
            for number, station in enumerate(system.stations):
                for position, instance in enumerate(station.instances):
                    busy, queued = run.instance_busy(number, position)
                    assert 0 <= busy <= instance.slots
                    assert 0 <= queued <= instance.queue_limit
        run.apply(change)


@LAWS
@given(days())
def test_the_same_day_twice_is_the_same_day(day: tuple[Plan, list[tuple[float, Change]]]) -> None:
    system, script = day
    first, second = play(system, script), play(system, script)
    assert asdict(first.observe()) == asdict(second.observe())
    assert first.take_notes() == second.take_notes()


@LAWS
@given(days())
def test_every_attempt_has_an_outcome_that_reaches_its_caller(day: tuple[Plan, list[tuple[float, Change]]]) -> None:
    """With errors everywhere and no network trouble, each attempt that arrived either completed or failed at its edge."""
    system, script = day
    system = replace(system, stations=tuple(replace(station, error_ratio=1.0) for station in system.stations))
    run = play(system, [(at, change) for at, change in script if not isinstance(change, SetStation)])
    healed(system, run)
    run.advance(run.now + QUIET_S)
    view = run.observe()
    assert [failed + off for failed, off in zip(view.failures, view.cancelled, strict=True)] == view.attempts
    assert sum(view.good) == 0
    assert [view.lost[n][:13] == view.lost[n][:13] and sum(view.lost[n]) == view.offered[n] for n in range(2)] == [True, True]


@LAWS
@given(days())
def test_after_healing_the_system_works_as_if_nothing_had_happened(day: tuple[Plan, list[tuple[float, Change]]]) -> None:
    system, script = day
    ample = tuple(
        replace(
            station,
            error_ratio=0.0,
            admit=(1.0, 1.0, 1.0),
            limiter=None,
            codel=None,
            service_time=ServiceTime("constant", 0.001),
            instances=tuple(replace(instance, slots=60, queue_limit=60) for instance in station.instances),
        )
        for station in system.stations
    )
    edges = tuple(
        replace(
            edge,
            timeout_s=5.0,
            bulkhead=None,
            pool=None,
            options=tuple((target, 1.0) for target, _ in edge.options) or ((len(ample) - 1, 1.0),),
        )
        for edge in system.edges
    )
    system = replace(system, stations=ample, edges=edges, classes=(ClassPlan("x", 0, 9.0), ClassPlan("y", 2, 9.0)))
    run = play(system, [(at, change) for at, change in script if not isinstance(change, AddInstance)])
    healed(system, run)
    run.advance(run.now + QUIET_S)
    for number in range(2):
        run.apply(SetFlow(number, 1.0))
    run.advance(run.now + 3.0)  # breakers need a first success to close
    before = deepcopy(run.observe())
    run.advance(run.now + 3.0)
    after = run.observe()
    assert after.lost == before.lost
    assert sum(after.good) - sum(before.good) > 150
    assert after.breaker_open == [False] * len(system.edges) or after.attempts != before.attempts
