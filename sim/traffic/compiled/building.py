"""From a plan to records in the arena: every table of the kernel, laid out once.

The rule that surprises: what the control plane changes now and then (options, rotations, usable slots) is worked out here in Python,
with the very expressions of the plain engine, so that the kernel only reads the results.
"""

from __future__ import annotations

from functools import partial

from sim.streams import Streams
from sim.traffic import BUCKETS
from sim.traffic.compiled import layout as at
from sim.traffic.compiled.arena import Arena
from sim.traffic.compiled.building_flows import add_flow
from sim.traffic.compiled.building_policies import lay_caches, lay_limiter, lay_outlier, lay_queue
from sim.traffic.compiled.draws import StreamTable
from sim.traffic.compiled.edging import add_edge, guarded_edges
from sim.traffic.compiled.stepping import ROTATE
from sim.traffic.compiled.tables import Tables, lay_out_buckets, store
from sim.traffic.network import paths_between
from sim.traffic.plan import InstancePlan, Plan, StationPlan

_BALANCING = {
    "round_robin": at.ROUND_ROBIN,
    "least_busy": at.LEAST_BUSY,
    "random": at.RANDOM,
    "power_of_two": at.POWER_OF_TWO,
    "zone_aware": at.ZONE_AWARE,
}
_ROOM_FOR_NOTES = 4096
_SLACK = 16  # how much more than three chains of fallbacks one round of the machine may use


def longest_chain(plan: Plan) -> int:
    """How many edges one call may try, one being the fallback of the other."""
    longest = 1
    for edge in plan.edges:
        length, link = 1, edge
        while link.fallback is not None:
            link = plan.edges[link.fallback]
            length += 1
        longest = max(longest, length)
    return longest


def build_tables(plan: Plan, streams: Streams) -> Tables:
    """Lay out a plan that has been checked."""
    arena = Arena(1 << 16)
    arena.begin(3 * longest_chain(plan) + _SLACK)
    draws = StreamTable(arena, streams, 2 * len(plan.stations) + 7 * len(plan.edges) + 2 * len(plan.flows))
    tables = Tables(plan, arena, draws, paths_between(plan.rtt_s))
    arena.word[at.H_BUCKETS] = lay_out_buckets(arena)
    notes = arena.take(_ROOM_FOR_NOTES * at.NOTE_WORDS)
    arena.word[at.H_NOTES] = notes
    arena.word[at.H_NOTES_LIMIT] = _ROOM_FOR_NOTES - arena.word[at.H_RESERVE]
    zones = range(len(plan.zones))
    tables.path_records = arena.take(max(1, len(zones) ** 2) * at.PATH_WORDS)
    for source in zones:
        for target in zones:
            refresh_path(tables, source, target)
    tables.buckets = arena.take(max(1, len(plan.classes)) * at.TOKEN_BUCKET_WORDS)
    tables.stations = arena.take(max(1, len(plan.stations)) * at.STATION_WORDS)
    tables.edges = arena.take(max(1, len(plan.edges)) * at.EDGE_WORDS)
    for number, station in enumerate(plan.stations):
        _add_station(tables, number, station)
    rings: dict[float, int] = {}
    for number, edge in enumerate(plan.edges):
        if edge.timeout_s not in rings:
            rings[edge.timeout_s] = arena.add_ring()
        add_edge(tables, number, edge, rings[edge.timeout_s])
    _link_fallbacks(tables)
    _list_calls(tables)
    for flow in plan.flows:
        add_flow(tables, flow)
    return tables


# Stations and instances


def _add_station(tables: Tables, number: int, plan: StationPlan) -> None:
    arena = tables.arena
    record = tables.station(number)
    tables.draws.times(record + at.S_TIMES, plan.service_time, f"service/{plan.name}")
    outlier = 0 if plan.outlier is None else lay_outlier(tables, plan.outlier)
    by_zone = store(tables, [len(tables.plan.zones), *([0] * 2 * len(tables.plan.zones))])
    word, real = arena.word, arena.real
    word[record + at.S_NUMBER] = number
    word[record + at.S_PARALLEL] = plan.fan_out == "parallel"
    word[record + at.S_BY_ZONE] = by_zone
    word[record + at.S_OUTLIER] = outlier
    if plan.outlier is not None:
        word[at.H_OUTLIERS] = 1
    real[record + at.S_PANIC] = plan.panic_ratio
    word[record + at.S_BALANCING] = _BALANCING[plan.balancing]
    word[record + at.S_KEEPS_WRITES] = plan.keeps_writes
    word[record + at.S_PRIORITY_LANES] = plan.queue_order == "priority"
    word[record + at.S_READ_ONLY] = plan.read_only
    word[record + at.S_BROKER] = plan.broker
    lay_queue(tables, record, plan)
    for priority, share in enumerate(plan.admit):
        real[record + at.S_ADMIT + priority] = share
    tables.error_ratio.append(plan.error_ratio)
    tables.slowdown.append(1.0)
    tables.rotation_room.append(0)
    tables.instances.append([])
    histograms = arena.take(max(1, len(tables.plan.classes)) * BUCKETS)
    arena.word[record + at.S_LATENCY] = histograms
    if plan.keeps_writes:
        arena.add_log(record)
    for instance in plan.instances:
        add_instance(tables, number, instance)
    refresh_station(tables, number)


def add_instance(tables: Tables, station: int, plan: InstancePlan) -> None:
    """One more instance, up and in rotation; the station has to be refreshed afterwards."""
    arena = tables.arena
    guarded = guarded_edges(tables.plan, station)
    gates = arena.take(max(1, len(guarded)) * at.GATE_WORDS)
    record = arena.take(at.INSTANCE_WORDS)
    word, real = arena.word, arena.real
    word[record + at.I_STATION] = tables.station(station)
    word[record + at.I_ROW] = tables.path(plan.zone, 0)
    word[record + at.I_COLUMN] = plan.zone * at.PATH_WORDS
    word[record + at.I_GATES], word[record + at.I_GATE_COUNT] = gates, len(guarded)
    word[record + at.I_SLOTS] = plan.slots
    word[record + at.I_QUEUE_LIMIT] = plan.queue_limit
    word[record + at.I_UP] = word[record + at.I_IN_ROTATION] = 1
    for pair in (at.I_FIRST, at.I_LANES, at.I_LANES + 2, at.I_LANES + 4):
        word[record + pair] = word[record + pair + 1] = record + pair - at.A_NEXT
    real[record + at.I_SLOWDOWN] = 1.0
    limiter = tables.plan.stations[station].limiter
    if limiter is not None:
        arena.word[record + at.I_LIMITER] = lay_limiter(tables, limiter)
    lay_caches(tables, station, record)
    word, real = arena.word, arena.real
    word[(tables.last_instance + at.I_NEXT) if tables.last_instance else at.H_INSTANCES] = record
    tables.last_instance = record
    tables.instances[station].append(record)


def refresh_station(tables: Tables, number: int) -> None:
    """Recompute the rotation and everything instances derive from the station."""
    arena, record = tables.arena, tables.station(number)
    instances = tables.instances[number]
    if len(instances) > tables.rotation_room[number]:
        tables.rotation_room[number] = 2 * len(instances)
        for listed in (at.S_MEMBERS, at.S_ROTATION, at.S_SORTED):
            block = arena.take(2 * len(instances))
            arena.word[record + listed] = block
    word, real = arena.word, arena.real
    for offset, instance in enumerate(instances):
        word[word[record + at.S_MEMBERS] + offset] = instance
    word[record + at.S_MEMBER_COUNT] = len(instances)
    arena.ask(ROTATE, record)
    word[record + at.S_PICKY] = bool(
        word[record + at.S_READ_ONLY]
        or word[record + at.S_STALE]
        or word[record + at.S_BROKER]
        or tables.plan.stations[number].limiter is not None
    )
    for priority in range(3):
        word[record + at.S_BARRED + priority] = real[record + at.S_ADMIT + priority] <= 0.0
    for instance in instances:
        refresh_instance(tables, number, instance)


def refresh_instance(tables: Tables, number: int, instance: int) -> None:
    """Recompute usable slots, pace of work, share of errors."""
    word, real = tables.arena.word, tables.arena.real
    usable = word[instance + at.I_UP] and not word[instance + at.I_FROZEN]
    word[instance + at.I_ROOM] = word[instance + at.I_SLOTS] if usable else 0
    real[instance + at.I_PACE] = real[instance + at.I_SLOWDOWN] * tables.slowdown[number]
    errors = min(1.0, real[instance + at.I_ERROR_RATIO] + tables.error_ratio[number])
    real[instance + at.I_ERRORS] = errors
    record = tables.station(number)
    if errors > 0.0 and not word[record + at.S_ERRORS + at.D_LIMIT]:
        tables.draws.uniforms(record + at.S_ERRORS, f"error/{tables.plan.stations[number].name}")


def refresh_path(tables: Tables, source: int, target: int) -> None:
    """Copy a path as the plain engine reckons it."""
    path = tables.paths[source][target]
    record = tables.path(source, target)
    word, real = tables.arena.word, tables.arena.real
    real[record + at.P_DELAY] = path.delay_s
    word[record + at.P_CLEAR_THERE], word[record + at.P_CLEAR_BACK] = path.clear_there, path.clear_back
    word[record + at.P_AT_ONCE] = path.clear_back and path.delay_s <= 0.0
    word[record + at.P_THERE_CUT], word[record + at.P_BACK_CUT] = path.there_cut, path.back_cut
    real[record + at.P_THERE_LOSS], real[record + at.P_BACK_LOSS] = path.there_loss, path.back_loss
    if not tables.lossy and (path.there_loss > 0.0 or path.back_loss > 0.0):
        tables.lossy = True
        for number, edge in enumerate(tables.plan.edges):
            tables.draws.uniforms(tables.edge(number) + at.E_LOSS_DRAWS, f"edge-loss/{edge.name}")


# Calls


def _link_fallbacks(tables: Tables) -> None:
    """A fallback is as required and as asynchronous as the call it stands for, down the whole chain."""
    edges, word = tables.plan.edges, tables.arena.word
    replacing = {edge.fallback for edge in edges}
    for number, edge in enumerate(edges):
        link, record = edge, tables.edge(number)
        while number not in replacing and link.fallback is not None:
            fallback = tables.edge(link.fallback)
            word[record + at.E_FALLBACK] = fallback
            word[fallback + at.E_REQUIRED] = word[record + at.E_REQUIRED]
            word[fallback + at.E_ASYNCHRONOUS] = word[record + at.E_ASYNCHRONOUS]
            link, record = edges[link.fallback], fallback


def _list_calls(tables: Tables) -> None:
    """Which edges a station follows for each class."""
    plan = tables.plan
    for number, station in enumerate(plan.stations):
        listed = tables.arena.take(2 * max(1, len(plan.classes)))
        for position in range(len(plan.classes)):
            taken = partial(_takes, plan, position)
            calls = [tables.edge(edge) for edge in station.calls if taken(edge)]
            block = store(tables, calls)
            tables.arena.word[listed + 2 * position] = block
            tables.arena.word[listed + 2 * position + 1] = len(calls)
        tables.arena.word[tables.station(number) + at.S_CALLS] = listed


def _takes(plan: Plan, position: int, edge: int) -> bool:
    classes = plan.edges[edge].classes
    return classes is None or position in classes
