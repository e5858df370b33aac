"""The simulated system: everything that can be done to it, and what is true in it at this instant.

It implements the ports of `gameday.ports` over the traffic engine. The rule that surprises: overlapping faults count. Two kills of
one instance need two restarts, two slowdowns multiply, and healing one leaves the other: so every fault can be healed without
knowing which others are active.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from math import floor, prod
from typing import Any

import simpy

from gameday.resources import DependencyRef, InstanceRef, LinkRef, NodeRef, ProviderRef, QueueRef, Ref, ZoneRef, in_order
from gameday.scenario.model import Scenario
from gameday.selectors import Selector
from sim.databases.cluster import Cluster
from sim.processes import Process
from sim.recorder import Recorder
from sim.streams import Streams
from sim.traffic import Engine
from sim.traffic.changes import AddInstance, Change, SetEdge, SetInstance, SetLink
from sim.traffic.plan import InstancePlan
from sim.wiring import Wiring


@dataclass(frozen=True, slots=True)
class Pinned(Selector):
    """A selector together with what it meant when it was pinned."""

    refs: tuple[Ref, ...] = ()


@dataclass(slots=True)
class Unit:
    """One instance as the control plane knows it: why it is down, slow or wrong."""

    station: int
    position: int
    name: str
    zone: int
    slots: int
    kills: int = 0
    freezes: int = 0
    booting: bool = False
    in_rotation: bool = True
    drained: bool = False
    retired: bool = False
    slowdowns: list[float] = field(default_factory=list)
    errors: list[float] = field(default_factory=list)
    taken: list[float] = field(default_factory=list)

    @property
    def serving(self) -> bool:
        """Whether it answers a health check."""
        return self.kills == 0 and not self.booting and self.freezes == 0 and not self.retired


@dataclass(slots=True)
class Link:
    """Why one direction between two zones is slow, lossy or cut."""

    cuts: int = 0
    extra_s: list[float] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)


class World:
    """One replication's world: engine, clock, randomness, record, and the state the ports change."""

    name = "the simulated system"

    def __init__(
        self, env: simpy.Environment, scenario: Scenario, wiring: Wiring, engine: Engine, streams: Streams, recorder: Recorder
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
        self.links: dict[tuple[int, int], Link] = {}
        self.edge_cuts: dict[int, int] = {}
        self.dead_zones: dict[str, int] = {}
        self.releases: dict[str, list[tuple[float, float]]] = {}
        self.clusters: dict[str, Cluster] = {}
        self.dns_broken: list[float] = []
        self.listeners: list[Callable[[str, str], None]] = []
        self._zone_names = list(wiring.zones)
        self._regular_zone = {f"region/{r}": wiring.topology.zones_of(r)[0] for r in scenario.system.regions}

    # -- time and change ------------------------------------------------------------------------------------------------

    def sync(self) -> None:
        """Bring the data plane to the control plane's time; every reading and every change begins with it."""
        if self.engine.now < self.env.now:
            self.engine.advance(self.env.now)

    def apply(self, change: Change) -> None:
        """Change the data plane now."""
        self.sync()
        self.engine.apply(change)

    def record(self, kind: str, subject: str, **data: Any) -> None:
        """Write an event of this instant to the timeline."""
        self.recorder.record(self.env.now, kind, subject, data)

    def tell(self, what: str, subject: str) -> None:
        """Tell whoever listens that something happened to the system: `node.down`, `node.up`, `zone.down`, `dns.broken` …"""
        for listener in list(self.listeners):
            listener(what, subject)

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
        return any(not self._cut(a, b) and not self._cut(b, a) for a in self._zones_at(source) for b in self._zones_at(target))

    def _zones_at(self, place: str) -> list[int]:
        kind, _, name = place.partition("/")
        if kind in ("outside", "internet"):
            return [
                n
                for zone, n in self.wiring.zones.items()
                if zone.startswith("internet/") and name in ("", zone.partition("/")[2])
            ]
        zones = self.topology.zones_of(name) if kind == "region" else [name]
        return [self.wiring.zones[zone] for zone in zones if self.zone_alive(zone)]

    def _cut(self, source: int, target: int) -> bool:
        link = self.links.get((source, target))
        return link is not None and link.cuts > 0

    def serving_units(self, station: int) -> int:
        """Instances of a station that answer."""
        return sum(unit.serving for unit in self.units[station])

    # -- ports: processes -------------------------------------------------------------------------------------------------

    def kill(self, target: Selector) -> None:
        """Stop processes, nodes and whole zones at once; what they held is lost."""
        for zone in self._zones(target):
            self.dead_zones[zone] = self.dead_zones.get(zone, 0) + 1
            self.tell("zone.down", zone)
        for unit in self._units(target):
            unit.kills += 1
            if unit.kills == 1:
                self._set(unit, up=False)
                self._tell_node("node.down", unit)

    def restart(self, target: Selector) -> None:
        """Undo one kill: processes boot, then serve."""
        for zone in self._zones(target):
            self.dead_zones[zone] -= 1
            self.tell("zone.up", zone)
        for unit in self._units(target):
            unit.kills -= 1
            assert unit.kills >= 0, f"{unit.name} restarted more often than killed"
            if unit.kills == 0 and not unit.booting:
                unit.booting = True
                self.env.process(self._boot(unit))

    def _boot(self, unit: Unit) -> Process:
        yield self.env.timeout(self.boot_s(unit.station))
        unit.booting = False
        if unit.kills == 0:
            self._set(unit, up=True)
            self._tell_node("node.up", unit)

    def freeze(self, target: Selector) -> None:
        """Stop processes without ending them: they take requests in and answer nothing."""
        for unit in self._units(target):
            unit.freezes += 1
            if unit.freezes == 1:
                self._set(unit, frozen=True)
                self._tell_node("node.frozen", unit)

    def resume(self, target: Selector) -> None:
        """Undo one freeze: work goes on where it was."""
        for unit in self._units(target):
            unit.freezes -= 1
            if unit.freezes == 0:
                self._set(unit, frozen=False)
                self._tell_node("node.resumed", unit)

    def slow(self, target: Selector, factor: float) -> None:
        """Make work take `factor` times as long: a gray failure."""
        self._each(target, lambda unit: unit.slowdowns.append(factor))

    def unslow(self, target: Selector, factor: float) -> None:
        """Undo one `slow`."""
        self._each(target, lambda unit: unit.slowdowns.remove(factor))

    def saturate(self, target: Selector, share: float) -> None:
        """Take a share of the slots away."""
        self._each(target, lambda unit: unit.taken.append(share))

    def release(self, target: Selector, share: float) -> None:
        """Give it back."""
        self._each(target, lambda unit: unit.taken.remove(share))

    def fail(self, target: Selector, error_ratio: float) -> None:
        """Make a share of the answers errors."""
        self._each(target, lambda unit: unit.errors.append(error_ratio))

    def recover(self, target: Selector, error_ratio: float) -> None:
        """Undo one `fail`."""
        self._each(target, lambda unit: unit.errors.remove(error_ratio))

    def ship(self, target: Selector, error_ratio: float, slowdown: float) -> None:
        """Release a version that errs and is slow; instances that boot later run it too."""
        self.releases.setdefault(str(target), []).append((error_ratio, slowdown))

        def run_it(unit: Unit) -> None:
            unit.errors.append(error_ratio)
            unit.slowdowns.append(slowdown)

        self._each(target, run_it)

    def roll_back(self, target: Selector, error_ratio: float, slowdown: float) -> None:
        """Go back to the version before."""
        self.releases[str(target)].remove((error_ratio, slowdown))

        def run_the_last(unit: Unit) -> None:
            unit.errors.remove(error_ratio)
            unit.slowdowns.remove(slowdown)

        self._each(target, run_the_last)

    # -- ports: network ---------------------------------------------------------------------------------------------------

    def cut(self, target: Selector) -> None:
        """Cut links, or all calls from a service to one target: nothing gets through."""
        self._each_link(target, lambda link: setattr(link, "cuts", link.cuts + 1))
        self._cut_dependencies(target, +1)
        self.tell("link.cut", str(target))

    def mend(self, target: Selector) -> None:
        """Undo one cut."""
        self._each_link(target, lambda link: setattr(link, "cuts", link.cuts - 1))
        self._cut_dependencies(target, -1)
        self.tell("link.mended", str(target))

    def shape(self, target: Selector, latency_s: float, loss_ratio: float) -> None:
        """Add latency and loss to links."""

        def worsen(link: Link) -> None:
            link.extra_s.append(latency_s)
            link.losses.append(loss_ratio)

        self._each_link(target, worsen)

    def unshape(self, target: Selector, latency_s: float, loss_ratio: float) -> None:
        """Undo one `shape`."""

        def improve(link: Link) -> None:
            link.extra_s.remove(latency_s)
            link.losses.remove(loss_ratio)

        self._each_link(target, improve)

    def break_dns(self, target: Selector, share: float) -> None:  # noqa: ARG002 - there is one public name
        """Let a share of name resolutions fail; caches live on until they expire."""
        self.dns_broken.append(share)
        self.tell("dns.broken", "dns")

    def mend_dns(self, target: Selector, share: float) -> None:  # noqa: ARG002
        """Undo one `break_dns`."""
        self.dns_broken.remove(share)
        self.tell("dns.mended", "dns")

    # -- ports: databases ---------------------------------------------------------------------------------------------------

    def stop_replication(self, target: Selector) -> None:
        """Stop the replicas from receiving the log."""
        for cluster, zone in self._nodes(target):
            cluster.stop_replication(zone)

    def start_replication(self, target: Selector) -> None:
        """Undo one stop: they catch up."""
        for cluster, zone in self._nodes(target):
            cluster.start_replication(zone)

    def skew_clock(self, target: Selector, offset_s: float) -> None:
        """Put a node's clock back by `offset_s` (its leases then last that much longer in its own eyes)."""
        for cluster, zone in self._nodes(target):
            cluster.skew_clock(zone, offset_s)

    def correct_clock(self, target: Selector, offset_s: float) -> None:
        """Undo one skew."""
        for cluster, zone in self._nodes(target):
            cluster.skew_clock(zone, -offset_s)

    def fill_disk(self, target: Selector) -> None:
        """Fill a node's disk: writes fail, reads go on."""
        for cluster, zone in self._nodes(target):
            cluster.fill_disk(zone)

    def free_disk(self, target: Selector) -> None:
        """Undo one fill."""
        for cluster, zone in self._nodes(target):
            cluster.free_disk(zone)

    # -- capacity -----------------------------------------------------------------------------------------------------------

    def add_instance(self, service: str, zone: str) -> str:
        """Put one more instance of a service into a zone, running the service's current release; returns its name."""
        region = self.topology.region_of(zone)
        station = self.wiring.services[service][region]
        plan = self.wiring.plan.stations[station].instances[0]
        position = len(self.units[station])
        name = f"{service}@{zone}/{position}"
        unit = Unit(station, position, name, self.wiring.zones[zone], plan.slots)
        for error_ratio, slowdown in self.releases.get(f"service/{service}", []):
            unit.errors.append(error_ratio)
            unit.slowdowns.append(slowdown)
        self.units[station].append(unit)
        self.apply(AddInstance(station, InstancePlan(name, unit.zone, plan.slots, plan.queue_limit)))
        self._refresh(unit)
        return name

    def boot_s(self, station: int) -> float:
        """Boot time of a station's instances."""
        kind, name = self.station_owner(station)
        system = self.scenario.system
        if kind == "service":
            return system.services[name].boot
        if kind == "database":
            return system.databases[name].boot
        return system.providers[name].boot if kind == "provider" else 0.0

    def station_owner(self, station: int) -> tuple[str, str]:
        """Kind and name of what a station belongs to: ('service', 'checkout')."""
        text = self.wiring.plan.stations[station].name.partition("@")[0]
        kind, slash, name = text.partition("/")
        return (kind, name) if slash else ("service", text)

    def set_rotation(self, unit: Unit, in_rotation: bool) -> None:
        """Take an instance out of the balancer's rotation, or put it back."""
        if unit.in_rotation != in_rotation:
            unit.in_rotation = in_rotation
            self._set(unit, in_rotation=in_rotation)

    def set_edge(self, edge: int, **change: Any) -> None:
        """Change a dependency."""
        self.apply(SetEdge(edge, **change))

    # -- inside -------------------------------------------------------------------------------------------------------------

    def refs(self, target: Selector) -> tuple[Ref, ...]:
        """What a selector means now; `database/<name>/primary` is whoever is primary at this moment."""
        if isinstance(target, Pinned):
            return target.refs
        primaries = {name: cluster.primary for name, cluster in self.clusters.items() if cluster.primary is not None}
        return in_order(self.topology.resolve(target, primaries))

    def pin(self, target: Selector) -> Pinned:
        """The target with its present meaning fixed, so that a fault heals what it hit even after the primary has moved."""
        return Pinned(
            target.kind, target.name, target.at, target.index, target.role, target.to, target.both_ways, refs=self.refs(target)
        )

    def units_of(self, target: Selector) -> list[Unit]:
        """Instances, nodes and providers a selector means."""
        return list(self._units(target))

    def _units(self, target: Selector) -> Iterator[Unit]:
        for ref in self.refs(target):
            if isinstance(ref, InstanceRef):
                prefix = f"{ref.service}@{ref.zone}/"
                station = self.wiring.services[ref.service][self.topology.region_of(ref.zone)]
                yield from (unit for unit in self.units[station] if unit.name == f"{prefix}{ref.index}")
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

    def _each(self, target: Selector, change: Callable[[Unit], None]) -> None:
        for unit in self._units(target):
            change(unit)
            self._refresh(unit)

    def _refresh(self, unit: Unit) -> None:
        errors = 1.0 - prod(1.0 - e for e in unit.errors)
        left = prod(1.0 - share for share in unit.taken)
        self._set(unit, slowdown=prod(unit.slowdowns), error_ratio=errors, slots=floor(unit.slots * left + 1e-9))

    def _set(self, unit: Unit, **change: Any) -> None:
        self.apply(SetInstance(unit.station, unit.position, **change))

    def _tell_node(self, what: str, unit: Unit) -> None:
        kind, name = self.station_owner(unit.station)
        zone = self._zone_names[unit.zone]
        if kind == "database":
            self.clusters[name].on_node(what, zone)
        self.tell(what, f"{kind}/{name}@{zone}")

    def _each_link(self, target: Selector, change: Callable[[Link], None]) -> None:
        for ref in self.refs(target):
            if isinstance(ref, LinkRef):
                for source in self._ends(ref.source_zone):
                    for end in self._ends(ref.target_zone):
                        link = self.links.setdefault((source, end), Link())
                        change(link)
                        loss = 1.0 - prod(1.0 - share for share in link.losses)
                        self.apply(SetLink(source, end, sum(link.extra_s), loss, link.cuts > 0))

    def _cut_dependencies(self, target: Selector, step: int) -> None:
        for ref in self.refs(target):
            if isinstance(ref, DependencyRef):
                for edge, info in enumerate(self.wiring.edges):
                    if info.caller == ref.service and info.target == ref.target:
                        self.edge_cuts[edge] = self.edge_cuts.get(edge, 0) + step
                        self.set_edge(edge, cut=self.edge_cuts[edge] > 0)

    def _ends(self, zone: str) -> list[int]:
        """Engine zones behind a name: `internet` is all origins; a region's managed queues sit beside its first zone."""
        if zone == "internet":
            return [n for name, n in self.wiring.zones.items() if name.startswith("internet/")]
        beside = [self.wiring.zones[name] for name, first in self._regular_zone.items() if first == zone]
        return [self.wiring.zones[zone], *beside]
