"""Is this plan one an engine can play? Everything that is wrong with it, at once.

The rule that surprises: every wait must end, so a timeout must be finite and a person of a closed flow must think.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

from sim.traffic.plan import CLIENT, PRIORITIES, EdgePlan, FlowPlan, Plan, StationPlan

MOST_KEYS = 100_000
"""Keys of one cache: the compiled engine has a record for each, in every calling instance."""


class PlanError(ValueError):
    """A plan no engine can play; the message names every problem."""


def check(plan: Plan) -> None:
    """Raise PlanError if the plan refers to what does not exist or holds a value without meaning."""
    problems = list(_table_problems(plan))
    for number, station in enumerate(plan.stations):
        problems += (f"station {station.name!r}: {text}" for text in _station_problems(plan, station, number))
    for edge in plan.edges:
        problems += (f"edge {edge.name!r}: {text}" for text in _fallback_problems(plan, edge))
        problems += (f"edge {edge.name!r}: {text}" for text in _edge_problems(plan, edge))
        problems += (f"edge {edge.name!r}: {text}" for text in _cache_problems(plan, edge))
    for flow in plan.flows:
        problems += (f"flow {flow.name!r}: {text}" for text in _flow_problems(plan, flow))
    if problems:
        raise PlanError("; ".join(problems))


def _table_problems(plan: Plan) -> Iterator[str]:
    zones = len(plan.zones)
    if len(plan.rtt_s) != zones or any(len(row) != zones for row in plan.rtt_s):
        yield f"rtt_s must be a {zones} by {zones} table"
    for kind, names in (
        ("station", [station.name for station in plan.stations]),
        ("edge", [edge.name for edge in plan.edges]),
        ("flow", [flow.name for flow in plan.flows]),
    ):
        for name in sorted({name for name in names if names.count(name) > 1}):
            yield f"two {kind}s are called {name!r}, so they would share random numbers"
    for item in plan.classes:
        if not 0 <= item.priority < len(PRIORITIES):
            yield f"class {item.name!r}: priority {item.priority} is not a position in {PRIORITIES}"


def _station_problems(plan: Plan, station: StationPlan, number: int) -> Iterator[str]:
    for instance in station.instances:
        if not 0 <= instance.zone < len(plan.zones):
            yield f"instance {instance.name!r}: no zone {instance.zone}"
        if instance.slots < 0 or instance.queue_limit < 0:
            yield f"instance {instance.name!r}: slots and queue_limit must not be negative"
    for edge in station.calls:
        if not 0 <= edge < len(plan.edges):
            yield f"calls edge {edge}, which does not exist"
        elif plan.edges[edge].caller != number:
            yield f"calls edge {plan.edges[edge].name!r}, which belongs to another caller"
    yield from _balancer_problems(station)
    if not 0.0 <= station.error_ratio <= 1.0:
        yield f"error_ratio {station.error_ratio} is not in [0, 1]"
    if not 0.0 <= station.service_time.mean_s < inf or station.service_time.cv < 0.0:
        yield f"service time {station.service_time} has no meaning"
    values = station.service_time.values
    if station.service_time.family == "empirical" and not (
        values and values[0] >= 0.0 and values[-1] < inf and list(values) == sorted(values)
    ):
        yield "empirical service times must be given in ascending order, and not be negative"
    yield from _queue_problems(station)


def _queue_problems(station: StationPlan) -> Iterator[str]:
    if station.lifo_above < 0:
        yield f"lifo_above {station.lifo_above} must not be negative"
    if station.codel is not None and (station.codel.target_s < 0.0 or station.codel.interval_s <= 0.0):
        yield f"{station.codel} has no meaning"
    limiter = station.limiter
    if limiter is not None and not (
        0.0 <= limiter.limit < inf and 0.0 < limiter.least <= limiter.most < inf and min(limiter.shares) >= 0.0
    ):
        yield f"{limiter} has no meaning"


def _balancer_problems(station: StationPlan) -> Iterator[str]:
    if not 0.0 <= station.panic_ratio <= 1.0:
        yield f"panic_ratio {station.panic_ratio} is not in [0, 1]"
    outlier = station.outlier
    if outlier is not None and (
        outlier.failures < 1
        or not 0.0 < outlier.base_s < inf
        or not 0.0 < outlier.interval_s < inf
        or not 0.0 <= outlier.longest_s < inf
        or not 0.0 <= outlier.most_ratio <= 1.0
    ):
        yield f"outlier ejection {outlier} has no meaning"


def _edge_problems(plan: Plan, edge: EdgePlan) -> Iterator[str]:
    if not 0.0 < edge.timeout_s < inf:
        yield f"timeout_s {edge.timeout_s} must be positive and finite"
    if not 0.0 <= edge.calls_mean < inf:
        yield f"calls_mean {edge.calls_mean} must not be negative"
    if edge.caller == CLIENT and (edge.calls_mean != 1.0 or edge.asynchronous):
        yield "an entry makes one synchronous call"
    if not CLIENT <= edge.caller < len(plan.stations):
        yield f"no caller {edge.caller}"
    yield from _gate_problems(edge)
    for station, weight in edge.options:
        if not 0 <= station < len(plan.stations):
            yield f"no station {station}"
        if not 0.0 <= weight < inf:
            yield f"weight {weight} must not be negative"
    if edge.breaker is not None and (
        (edge.breaker.failures < 1 and edge.breaker.window is None) or edge.breaker.trials < 1 or edge.breaker.open_s < 0.0
    ):
        yield "a breaker needs at least one failure and one trial, and open_s not negative"
    window = None if edge.breaker is None else edge.breaker.window
    if window is not None and not (0.0 < window.failure_ratio <= 1.0 and 1 <= window.minimum <= window.attempts):
        yield "a breaker's window needs a failure_ratio in (0, 1] and a minimum of at least 1 and at most its attempts"


def _gate_problems(edge: EdgePlan) -> Iterator[str]:
    if edge.hedge_s is not None and not 0.0 < edge.hedge_s < edge.timeout_s:
        yield f"hedge_s {edge.hedge_s} must be positive and shorter than the timeout"
    if edge.hedge_s is not None and edge.asynchronous:
        yield "nobody waits for the answer of an asynchronous call, so there is nothing to hedge"
    if edge.caller == CLIENT and (edge.bulkhead is not None or edge.pool is not None):
        yield "clients are no process: they have neither a bulkhead nor a pool"
    if edge.bulkhead is not None and edge.bulkhead < 1:
        yield f"bulkhead {edge.bulkhead} must be at least 1"
    if edge.pool is not None and (edge.pool.connections < 1 or not 0.0 <= edge.pool.wait_s < inf):
        yield "a pool needs at least one connection and a finite wait"


def _cache_problems(plan: Plan, edge: EdgePlan) -> Iterator[str]:
    cache = edge.cache
    if cache is None:
        return
    if edge.caller == CLIENT or edge.asynchronous or edge.operation == "write":
        yield "only synchronous calls between stations that do not write can have a cache"
    if any(other.fallback is not None and plan.edges.index(edge) == other.fallback for other in plan.edges):
        yield "a fallback has no cache"
    if not (1 <= cache.keys <= MOST_KEYS and cache.capacity >= 1 and cache.ttl_s > 0.0 and 0.0 <= cache.zipf < inf):
        yield f"{cache} has no meaning, or more than {MOST_KEYS} keys"


def _fallback_problems(plan: Plan, edge: EdgePlan) -> Iterator[str]:
    if edge.fallback is None:
        return
    if not 0 <= edge.fallback < len(plan.edges):
        yield f"no edge {edge.fallback} to fall back on"
        return
    fallback = plan.edges[edge.fallback]
    if fallback.caller != edge.caller:
        yield f"its fallback {fallback.name!r} belongs to another caller"
    if fallback.asynchronous != edge.asynchronous:
        yield f"its fallback {fallback.name!r} must be waited for as it is itself"
    if any(edge.fallback in station.calls for station in plan.stations):
        yield f"its fallback {fallback.name!r} is a call of its own too"
    if sum(other.fallback == edge.fallback for other in plan.edges) > 1:
        yield f"its fallback {fallback.name!r} replaces another edge too"
    chain = [edge.fallback]
    while (following := plan.edges[chain[-1]].fallback) is not None and 0 <= following < len(plan.edges):
        if following in chain:
            yield f"its fallbacks go round in a circle at {plan.edges[following].name!r}"
            return
        chain.append(following)


def _flow_problems(plan: Plan, flow: FlowPlan) -> Iterator[str]:
    if not 0 <= flow.request_class < len(plan.classes):
        yield f"no class {flow.request_class}"
    if not 0 <= flow.origin < len(plan.zones):
        yield f"no zone {flow.origin}"
    if not 0 <= flow.entry < len(plan.edges) or plan.edges[flow.entry].caller != CLIENT:
        yield f"edge {flow.entry} is not an entry"
    if flow.users and (flow.rate or flow.think_s <= 0.0):
        yield "a closed flow has no rate and its users think longer than 0 s"
    burst = flow.burst
    if burst is not None and not flow.rate:
        yield "bursts are added to a rate table, which must not be empty (it may hold a rate of 0)"
    if burst is not None and not (min(burst.calm_rate, burst.burst_rate) >= 0.0 and min(burst.calm_s, burst.burst_s) > 0.0):
        yield f"{burst} has no meaning"
    starts = [start_s for start_s, _ in flow.rate]
    if flow.rate and (starts[0] != 0.0 or starts != sorted(set(starts)) or any(rate < 0.0 for _, rate in flow.rate)):
        yield "the rate table must start at 0, rise in time and hold no negative rate"
