"""What stands where in the simulated system, what a selector means in it now, and who can reach whom.

The rule that surprises: a selector means what is there when it is asked, with instances that were added since the start; `pin` keeps
that meaning, so that a fault heals what it hit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import simpy

from gameday.resources import InstanceRef, NodeRef, ProviderRef, QueueRef, Ref, ZoneRef, in_order
from gameday.scenario.model import Scenario
from gameday.selectors import Selector
from sim.clock import Clock
from sim.databases.cluster import Cluster
from sim.recorder import Recorder
from sim.streams import Streams
from sim.traffic import Engine, Watch
from sim.traffic.changes import Change
from sim.units import Effects, Unit
from sim.wiring import Wiring


@dataclass(frozen=True, slots=True)
class Pinned(Selector):
    """A selector together with what it meant when it was pinned."""

    refs: tuple[Ref, ...] = ()


@dataclass(slots=True)
class Link:
    """Why one direction between two zones is slow, lossy or cut."""

    cuts: int = 0
    extra_s: list[float] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)


class Places:
    """State of one replication's world, and what is true in it. `sim.ports` and `sim.world` change it."""

    def __init__(
        self, env: Clock, scenario: Scenario, wiring: Wiring, engine: Engine, streams: Streams, recorder: Recorder
    ) -> None:
        self.env = env
        self.scenario = scenario
        self.wiring = wiring
        self.topology = wiring.topology
        self.engine = engine
        self.streams = streams
        self.recorder = recorder
        self.units: list[list[Unit]] = [
            [Unit(s, i, plan.name, plan.zone, plan.slots) for i, plan in enumerate(station.instances)]
            for s, station in enumerate(wiring.plan.stations)
        ]
        self._slots = [sum(unit.slots for unit in units) for units in self.units]
        self._slot_s = [(0.0, 0.0)] * len(self.units)  # per station: slot-seconds so far, and until when they are counted
        self.added: list[Unit] = []
        """Instances that were added since the start and have not left."""
        self.effects = Effects()
        self.links: dict[tuple[int, int], Link] = {}
        self.edge_cuts: dict[int, int] = {}
        self.dead_zones: dict[str, int] = {}
        self.clusters: dict[str, Cluster] = {}
        self.dns_broken: list[float] = []
        self.listeners: list[Callable[[str, str], None]] = []
        self._serving = [-1] * len(self.units)
        """Per station: instances that answer, negative where they must be counted anew."""
        self.version = 0
        """Grows with everything that is done to instances, zones and links."""
        self._touched: dict[int, simpy.Event] = {}
        self.zone_names = list(wiring.zones)
        self._zones_of_place: dict[str, list[tuple[str, int]]] = {}

    # -- time and change ------------------------------------------------------------------------------------------------

    def sync(self) -> None:
        """Bring the data plane to the control plane's time; every reading and every change begins with it."""
        self.env.bring(self.engine)

    def when(self, condition: Watch) -> simpy.Event:
        """An event of the instant at which a watched condition of the data plane comes to hold; nobody polls meanwhile."""
        self.sync()
        return self.env.when(self.engine, condition)

    def apply(self, change: Change) -> None:
        """Change the data plane now."""
        self.sync()
        self.engine.apply(change)

    def record(self, kind: str, subject: str, **data: Any) -> None:
        """Write an event of this instant to the timeline."""
        self.recorder.record(self.env.now, kind, subject, data)

    def tell(self, what: str, subject: str) -> None:
        """Tell whoever listens that something happened to the system: `node.down`, `node.up`, `zone.down`, `dns.broken` …"""
        self.version += 1
        for listener in list(self.listeners):
            listener(what, subject)

    def _touch(self, station: int) -> None:
        """Something has been done to an instance of a station."""
        self.version += 1
        self._serving[station] = -1
        if station in self._touched:
            self._touched.pop(station).succeed()

    def touched(self, station: int) -> simpy.Event:
        """An event of the next instant at which something is done to an instance of a station."""
        if station not in self._touched:
            self._touched[station] = self.env.event()
        return self._touched[station]

    # -- what is true -----------------------------------------------------------------------------------------------------

    def zone_alive(self, zone: str) -> bool:
        """Whether a zone has power and network of its own."""
        return not self.dead_zones.get(zone)

    def place_works(self, place: str) -> bool:
        """Whether what runs at `outside`, `region/<name>` or `zone/<name>` can run: a region needs one living zone."""
        kind, _, name = place.partition("/")
        if kind == "region":
            return any(self.zone_alive(zone) for zone in self.topology.zones_of(name))
        return kind != "zone" or self.zone_alive(name)

    def reachable(self, source: str, target: str) -> bool:
        """Whether a question from one place reaches another and its answer comes back.

        Places are `outside` (or `internet`), `region/<name>` or `zone/<name>`; a region is reached over any of its living zones.
        """
        here, there = self._zones_at(source), self._zones_at(target)
        if not self.links:
            return bool(here and there)
        return any(not self._cut(a, b) and not self._cut(b, a) for a in here for b in there)

    def _zones_at(self, place: str) -> list[int]:
        """Engine zones of a place that have power; clients always have."""
        known = self._zones_of_place.get(place)
        if known is None:
            kind, _, name = place.partition("/")
            if kind in ("outside", "internet"):
                names = [
                    zone for zone in self.zone_names if zone.startswith("internet/") and name in ("", zone.partition("/")[2])
                ]
            else:
                names = list(self.topology.zones_of(name)) if kind == "region" else [name]
            known = self._zones_of_place[place] = [(zone, self.wiring.zones[zone]) for zone in names]
        return [number for zone, number in known if not self.dead_zones.get(zone)]

    def _cut(self, source: int, target: int) -> bool:
        link = self.links.get((source, target))
        return link is not None and link.cuts > 0

    def slot_s(self, station: int) -> float:
        """Seconds of slots that the running instances of a station have offered so far, exactly."""
        total, until = self._slot_s[station]
        return total + self._slots[station] * (self.env.now - until)

    def recount_slots(self, station: int) -> None:
        """The slots of a station's running instances may have changed now."""
        self._slot_s[station] = (self.slot_s(station), self.env.now)
        self._slots[station] = sum(unit.slots_left for unit in self.units[station] if unit.up)

    def serving_units(self, station: int) -> int:
        """Instances of a station that answer."""
        if self._serving[station] < 0:
            self._serving[station] = sum([unit.serving for unit in self.units[station]])
        return self._serving[station]

    def station_owner(self, station: int) -> tuple[str, str]:
        """Kind and name of what a station belongs to: ('service', 'checkout')."""
        text = self.wiring.plan.stations[station].name.partition("@")[0]
        kind, slash, name = text.partition("/")
        return (kind, name) if slash else ("service", text)

    def boot_s(self, station: int) -> float:
        """Boot time of a station's instances."""
        kind, name = self.station_owner(station)
        system = self.scenario.system
        if kind == "service":
            return system.services[name].boot
        if kind == "database":
            return system.databases[name].boot
        return system.providers[name].boot if kind == "provider" else 0.0

    # -- what a selector means ----------------------------------------------------------------------------------------------

    def refs(self, target: Selector) -> tuple[Ref, ...]:
        """What a selector means now; `database/<name>/primary` is whoever is primary at this moment."""
        if isinstance(target, Pinned):
            return target.refs
        primaries = {name: cluster.primary for name, cluster in self.clusters.items() if cluster.primary is not None}
        newcomers = (self._ref_of(unit) for unit in self.added if self.covers(target, unit))
        return in_order({*self.topology.resolve(target, primaries), *newcomers})

    def pin(self, target: Selector) -> Pinned:
        """The target with its present meaning fixed, so that a fault heals what it hit even after the primary has moved."""
        return Pinned(
            target.kind, target.name, target.at, target.index, target.role, target.to, target.both_ways, refs=self.refs(target)
        )

    def covers(self, target: Selector, unit: Unit) -> bool:
        """Whether an instance that was added stands inside a target: in the service, the zone or the region, or in such of a group."""
        service, zone = self.station_owner(unit.station)[1], self.zone_names[unit.zone]
        for leaf in self.topology.leaves(target):
            if leaf.kind == "service":
                if leaf.name == service and (leaf.at is None or zone in self.topology.zones_at(leaf.at)):
                    return True
            elif leaf.kind in ("zone", "region") and zone in self.topology.zones_at(leaf.name):
                return True
        return False

    def units_of(self, target: Selector) -> list[Unit]:
        """Instances, nodes and providers a selector means."""
        return list(self._units(target))

    def _ref_of(self, unit: Unit) -> InstanceRef:
        return InstanceRef(self.station_owner(unit.station)[1], self.zone_names[unit.zone], unit.position)

    def _units(self, target: Selector) -> Iterator[Unit]:
        for ref in self.refs(target):
            if isinstance(ref, InstanceRef):
                station = self.wiring.services[ref.service][self.topology.region_of(ref.zone)]
                name = f"{ref.service}@{ref.zone}/{ref.index}"
                yield from (unit for unit in self.units[station] if unit.name == name)
            elif isinstance(ref, NodeRef):
                yield self.units[self.wiring.nodes[ref.database][ref.zone]][0]
            elif isinstance(ref, ProviderRef):
                yield self.units[self.wiring.providers[ref.provider]][0]
            elif isinstance(ref, QueueRef):
                yield self.units[self.wiring.queues[ref.queue][ref.region]][0]

    def _zones(self, target: Selector) -> list[str]:
        return [ref.zone for ref in self.refs(target) if isinstance(ref, ZoneRef)]

    def _nodes(self, target: Selector) -> Iterator[tuple[Cluster, str]]:
        for ref in self.refs(target):
            if isinstance(ref, NodeRef):
                yield self.clusters[ref.database], ref.zone
