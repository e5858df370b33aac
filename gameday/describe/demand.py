"""What the load asks of every place in normal operation: a first estimate from means.

    web@eu-1: 60 requests a second x 50 ms each = 3 slots of 80

The rules that surprise. A request holds its slot for its own work and for every call it waits for, so a slow callee costs its
callers capacity. Queues, retries, failures, caches and fallbacks are left out: the capacity is an upper bound, and the demand a
lower one. Little's law, L = rate x time, is all there is to it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass
from operator import itemgetter

from gameday.arrivals import rate_table
from gameday.describe.facts import DemandFacts
from gameday.scenario.load import RequestClass
from gameday.scenario.model import Scenario
from gameday.scenario.system import Dependency
from gameday.selectors import target_of
from gameday.topology import NodeRef, Topology

PIECES = 500
"""Pieces a day is cut into to look for peaks."""


@dataclass(frozen=True, slots=True)
class Visits:
    """What one request of a class from a region means for one place."""

    rate: float = 0.0
    """Requests that come to the place."""
    held_s: float = 0.0
    """Slot-seconds they take there."""


class Demand:
    """Rates and times of one scenario. Circles of calls are cut where they close."""

    def __init__(self, scenario: Scenario, topology: Topology) -> None:
        """The scenario must have passed its checks."""
        self.scenario = scenario
        self.system = scenario.system
        self.topology = topology
        self._rtt = {frozenset(link.between): link.rtt for link in scenario.system.network.links}
        self._times: dict[tuple[str, str, str], float] = {}
        self._asked: dict[tuple[str, str, str], dict[str, Visits]] = {}

    def facts(self) -> tuple[DemandFacts, ...]:
        """Every place with slots, in the order services, databases, providers."""
        flows = [self._flow(name, request_class) for name, request_class in self.scenario.load.classes.items()]
        starts = sorted({start for table, _ in flows for start, _ in table if start < self.scenario.duration})
        peaks: dict[str, tuple[float, float, float]] = {}
        means: dict[str, Visits] = {}
        for start in starts or [0.0]:
            for place, now in self._at(flows, start).items():
                rate, used, at = peaks.get(place, (0.0, 0.0, 0.0))
                if now.held_s > used:
                    means[place], used, at = now, now.held_s, start
                peaks[place] = (max(rate, now.rate), used, at)
        return tuple(self._place(name, slots, peaks.get(name), means.get(name)) for name, slots in self._slots().items())

    def _place(self, name: str, slots: int, peak: tuple[float, float, float] | None, mean: Visits | None) -> DemandFacts:
        rate, used, at = peak or (0.0, 0.0, 0.0)
        capacity = slots * mean.rate / mean.held_s if mean is not None and mean.held_s > 0 else None
        return DemandFacts(name, slots, capacity, rate, at, used / slots if slots else 0.0)

    def _slots(self) -> dict[str, int]:
        slots = {
            f"{name}@{region}": service.slots * len(self.topology.instances_of(name, region))
            for name, service in self.system.services.items()
            for region in self.topology.regions_with(name)
        }
        slots |= {
            str(n): database.slots for name, database in self.system.databases.items() for n in self.topology.nodes_of(name)
        }
        return slots | {f"provider/{name}": provider.slots for name, provider in self.system.providers.items()}

    # -- what comes in ----------------------------------------------------------------------------------------------------

    def _flow(self, name: str, request_class: RequestClass) -> tuple[tuple[tuple[float, float], ...], dict[str, Visits]]:
        """A class's rate over time, and what one of its requests asks of every place, averaged over its origins."""
        origins = {origin: (each.share, each.region) for origin, each in self.system.traffic.origins.items()}
        origins = origins or {"everyone": (1.0, self.topology.regions[0])}
        visits: dict[str, Visits] = {}
        response_s = 0.0
        for origin, (share, home) in origins.items():
            if request_class.origins is not None:
                share = request_class.origins.get(origin, 0.0)  # noqa: PLW2901 - the class has shares of its own
            region = self.topology.place_serving(self.topology.regions_with(request_class.entry), home)
            _add(visits, self._visits(name, request_class.entry, region), share)
            response_s += share * self.time_s(name, request_class.entry, region)
        if request_class.users is not None:
            cycle_s = request_class.think + response_s
            return ((0.0, request_class.users / cycle_s if cycle_s > 0 else 0.0),), visits
        return rate_table(request_class, self.scenario.duration, max(5.0, self.scenario.duration / PIECES)), visits

    def _at(self, flows: list[tuple[tuple[tuple[float, float], ...], dict[str, Visits]]], at: float) -> dict[str, Visits]:
        total: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
        for table, visits in flows:
            rate = table[bisect_right(table, at, key=itemgetter(0)) - 1][1] if table else 0.0
            for place, each in visits.items():
                total[place][0] += rate * each.rate
                total[place][1] += rate * each.held_s
        return {place: Visits(rate, held) for place, (rate, held) in total.items()}

    # -- what one request does --------------------------------------------------------------------------------------------

    def _visits(self, class_name: str, service: str, region: str, above: tuple[str, ...] = ()) -> dict[str, Visits]:
        """What one request at a service asks of it and of everything it calls."""
        key = (class_name, service, region)
        if key in self._asked:
            return self._asked[key]
        visits = {f"{service}@{region}": Visits(1.0, self.time_s(class_name, service, region))}
        for call in self.topology.calls_of(service, class_name):
            kind, _, name = target_of(call.to).partition("/")
            if kind == "queue":
                kind, name = "service", self.system.queues[name].consumer
            if kind == "database":
                held_s = self.system.databases[name].service_time.mean
                _add(visits, {str(self._node(name, region, call)): Visits(1.0, held_s)}, call.calls)
            elif kind == "provider":
                _add(visits, {f"provider/{name}": Visits(1.0, self.system.providers[name].service_time.mean)}, call.calls)
            elif name not in (service, *above):
                there = self.topology.place_serving(self.topology.regions_with(name), region)
                _add(visits, self._visits(class_name, name, there, (*above, service)), call.calls)
        self._asked[key] = visits
        return visits

    def time_s(self, class_name: str, service: str, region: str, above: tuple[str, ...] = ()) -> float:
        """Mean time a request holds its slot: own work, and the calls it waits for, one after the other or the longest of them."""
        key = (class_name, service, region)
        if key not in self._times:
            own = self.system.services[service]
            waits = [
                min(1.0, call.calls) * each if own.fan_out == "parallel" else call.calls * each
                for call in self.topology.calls_of(service, class_name)
                if call.mode == "sync"
                for each in (self._call_s(class_name, region, call, (*above, service)),)
            ]
            waited = max(waits, default=0.0) if own.fan_out == "parallel" else sum(waits)
            self._times[key] = own.service_time.mean + waited
        return self._times[key]

    def _call_s(self, class_name: str, region: str, call: Dependency, above: tuple[str, ...]) -> float:
        """Mean time of one call, from sending it to having the answer; no longer than its timeout."""
        kind, _, name = target_of(call.to).partition("/")
        timeout_s = timeout_of(self.scenario, call)
        if kind == "queue":
            return self._trip_s(region, region)
        if kind == "provider":
            provider = self.system.providers[name]
            took = provider.service_time.mean + provider.rtt
        elif kind == "database":
            node = self._node(name, region, call)
            took = self.system.databases[name].service_time.mean + self._trip_s(region, self.topology.region_of(node.zone))
        else:
            there = self.topology.place_serving(self.topology.regions_with(name), region)
            inner = 0.0 if name in above else self.time_s(class_name, name, there, above)
            took = inner + self._trip_s(region, there)
        return took if timeout_s is None else min(took, timeout_s)

    def _node(self, database: str, region: str, call: Dependency) -> NodeRef:
        if call.operation == "read" and call.read_from == "nearest":
            near = self.topology.nodes_of(database, region)
            if near:
                return near[0]
        return NodeRef(database, self.system.databases[database].primary)

    def _trip_s(self, here: str, there: str) -> float:
        """Round trip between two regions; inside one, between two of its zones where it has two."""
        network = self.system.network
        if here == there:
            return network.same_region if len(self.topology.zones_of(here)) > 1 else network.same_zone
        return self._rtt.get(frozenset((here, there)), network.cross_region)


def timeout_of(scenario: Scenario, call: Dependency) -> float | None:
    """Time one attempt of a call may take; None for a queue, which accepts at once."""
    if call.timeout is not None:
        return call.timeout
    kind, _, name = target_of(call.to).partition("/")
    match kind:
        case "service":
            return scenario.system.services[name].timeout
        case "database":
            return scenario.system.databases[name].timeout
        case "provider":
            return scenario.system.providers[name].timeout
    return None


def _add(visits: dict[str, Visits], more: dict[str, Visits], times: float) -> None:
    for place, each in more.items():
        before = visits.get(place, Visits())
        visits[place] = Visits(before.rate + times * each.rate, before.held_s + times * each.held_s)
