"""Which instance in rotation an attempt goes to. Round robin is inlined where attempts are made; these are the others.

The rules that surprise: a dead instance that is still in rotation holds nothing, so `least_busy` and `power_of_two` send everything to
it, which is what such balancers do without health checks; and `zone_aware` stays at home only as far as the callee's capacity there
suffices for the callers there.
"""

from __future__ import annotations

from collections.abc import Callable

from sim.traffic.edges import Edge, Target
from sim.traffic.state import Attempt, Instance

Balancer = Callable[[Edge, Target, Attempt | None], Instance]
"""Edge, target (two or more instances in rotation), the visit that calls (None: a client) -> instance."""


def least_busy(_edge: Edge, target: Target, _caller: Attempt | None) -> Instance:
    """The instance with the fewest running and queued requests; among equals the next after the last one chosen."""
    rotation = target.station.rotation
    size = len(rotation)
    best = target.turn % size
    fewest = len(rotation[best].running) + rotation[best].queued
    for step in range(1, size):
        position = (target.turn + step) % size
        instance = rotation[position]
        load = len(instance.running) + instance.queued
        if load < fewest:
            best, fewest = position, load
    target.turn = best + 1
    return rotation[best]


def anyone(edge: Edge, target: Target, _caller: Attempt | None) -> Instance:
    """Any instance, each with the same probability."""
    rotation = target.station.rotation
    return rotation[int(edge.balance_draws.uniform() * len(rotation))]


def power_of_two(edge: Edge, target: Target, _caller: Attempt | None) -> Instance:
    """The one with fewer running and queued requests of two different instances taken at random; the first if they are equal."""
    rotation = target.station.rotation
    size = len(rotation)
    first = int(edge.balance_draws.uniform() * size)
    second = int(edge.balance_draws.uniform() * (size - 1))
    if second >= first:
        second += 1
    one, other = rotation[first], rotation[second]
    return other if len(other.running) + other.queued < len(one.running) + one.queued else one


def zone_aware(edge: Edge, target: Target, caller: Attempt | None) -> Instance:
    """The caller's own zone if its share of the callee's instances is at least its share of the calling ones; else only the part of
    the calls it suffices for, and the rest goes to zones with more than their share, in proportion to what they have over.

    This is Envoy's rule of zone-aware routing ("Zone aware routing", Envoy documentation, architecture overview), without its least
    cluster size. Counted are instances in rotation. Within a zone it is round robin; clients, who are in no zone, go round all.
    """
    station = target.station
    if caller is None:
        return _next_in(target, station.rotation, -1)
    calling, home = caller.instance.station, caller.instance.zone
    callers, instances = len(calling.rotation), len(station.rotation)
    have = len(station.by_zone[home]) * callers
    need = len(calling.by_zone[home]) * instances
    if station.by_zone[home] and (have >= need or edge.balance_draws.uniform() * need < have):
        return _next_in(target, station.by_zone[home], home)
    spare = [
        max(0, len(theirs) * callers - len(ours) * instances)
        for theirs, ours in zip(station.by_zone, calling.by_zone, strict=True)
    ]
    if not any(spare):
        return _next_in(target, station.rotation, -1)
    left = edge.balance_draws.uniform() * sum(spare)
    chosen = 0
    for zone, share in enumerate(spare):
        if share:
            chosen = zone
            left -= share
            if left < 0.0:
                break
    return _next_in(target, station.by_zone[chosen], chosen)


def _next_in(target: Target, instances: list[Instance], zone: int) -> Instance:
    """Round robin among the instances of one zone (-1: all)."""
    turn = target.turns.get(zone, 0)
    if turn >= len(instances):
        turn = 0
    target.turns[zone] = turn + 1
    return instances[turn]


BALANCERS: dict[str, Balancer | None] = {
    "round_robin": None,
    "least_busy": least_busy,
    "random": anyone,
    "power_of_two": power_of_two,
    "zone_aware": zone_aware,
}
