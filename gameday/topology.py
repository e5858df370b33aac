"""The failure domains of one system, and what a selector means in it.

The rule that surprises: a zone contains what is hosted there, so killing it kills that too; a region contains its zones and its
managed queues. Everything that is returned in an order is in the order of the scenario file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import TYPE_CHECKING

from gameday.errors import nearest
from gameday.resources import (
    DependencyRef,
    DnsRef,
    InstanceRef,
    LinkRef,
    NodeRef,
    ProviderRef,
    QueueRef,
    Ref,
    ZoneRef,
    in_order,
)
from gameday.scenario.system import Dependency, System
from gameday.selectors import ELSEWHERE, INTERNET, Selector, SelectorError, target_of

__all__ = [
    "DependencyRef",
    "DnsRef",
    "InstanceRef",
    "LinkRef",
    "NodeRef",
    "ProviderRef",
    "QueueRef",
    "Ref",
    "Topology",
    "ZoneRef",
    "in_order",
]

if TYPE_CHECKING:
    from gameday.blast_radius import BlastRadius
    from gameday.scenario.load import Load


class Topology:
    """Where everything is, and what depends on what. The system must have passed its checks for unknown names not to raise."""

    def __init__(self, system: System) -> None:
        """Reads the system once; it is never changed."""
        self.system = system
        self.regions: tuple[str, ...] = tuple(system.regions)
        self.zones: tuple[str, ...] = tuple(zone for region in system.regions.values() for zone in region.zones)
        self._region_of = {zone: name for name, region in system.regions.items() for zone in region.zones}

    # -- places ---------------------------------------------------------------------------------------------------------

    def zones_of(self, region: str) -> tuple[str, ...]:
        """Zones of a region, in the order of the file. Raises SelectorError when there is no such region."""
        _known("region", region, self.system.regions)
        return tuple(self.system.regions[region].zones)

    def region_of(self, zone: str) -> str:
        """The region a zone is in. Raises SelectorError when there is no such zone."""
        _known("zone", zone, self._region_of)
        return self._region_of[zone]

    def zones_at(self, place: str) -> tuple[str, ...]:
        """The zones a zone or region stands for. Raises SelectorError when it is neither."""
        if place in self._region_of:
            return (place,)
        _known("zone or region", place, [*self.regions, *self.zones])
        return self.zones_of(place)

    def instances_in(self, service: str, zone: str) -> int:
        """Instances of a service in a zone at the start. A number for the zone itself wins over one for its region."""
        _known("service", service, self.system.services)
        instances = self.system.services[service].instances
        if isinstance(instances, int):
            return instances
        return instances.get(zone, instances.get(self.region_of(zone), 0))

    def instances_of(self, service: str, place: str | None = None) -> tuple[InstanceRef, ...]:
        """All instances of a service, or those in a zone or region."""
        zones = self.zones if place is None else self.zones_at(place)
        return tuple(InstanceRef(service, zone, n) for zone in zones for n in range(self.instances_in(service, zone)))

    def regions_with(self, service: str) -> tuple[str, ...]:
        """Regions in which a service has at least one instance."""
        return tuple(region for region in self.regions if self.instances_of(service, region))

    def nodes_of(self, database: str, place: str | None = None) -> tuple[NodeRef, ...]:
        """All nodes of a database, the first primary first, or those in a zone or region."""
        _known("database", database, self.system.databases)
        model = self.system.databases[database]
        zones = self.zones if place is None else self.zones_at(place)
        return tuple(NodeRef(database, zone) for zone in dict.fromkeys((model.primary, *model.replicas)) if zone in zones)

    def queues_of(self, queue: str, region: str | None = None) -> tuple[QueueRef, ...]:
        """A queue in the regions its consumer runs in, or in one of them."""
        _known("queue", queue, self.system.queues)
        if region is not None:
            _known("region", region, self.system.regions)
        consumer = self.system.queues[queue].consumer
        regions = self.regions_with(consumer) if consumer in self.system.services else ()
        return tuple(QueueRef(queue, each) for each in regions if region in (None, each))

    def place_serving(self, regions: Iterable[str], region: str) -> str:
        """Which region answers a call from `region` when all is well: the own one where it can, else the first that can."""
        places = tuple(regions)
        assert places, "a service or queue that is called runs somewhere"
        return region if region in places else places[0]

    # -- dependencies -----------------------------------------------------------------------------------------------------

    def calls_of(self, service: str, request_class: str | None = None) -> tuple[Dependency, ...]:
        """What a service calls for one class of requests, or for any."""
        calls = self.system.services[service].calls
        return tuple(call for call in calls if request_class is None or call.classes is None or request_class in call.classes)

    def callers_of(self, target: str) -> tuple[str, ...]:
        """Services that call a target (`service/catalog`, `database/orders` ...), as a call or as a fallback."""
        full = target_of(target)
        return tuple(name for name, service in self.system.services.items() if any(full in _targets(c) for c in service.calls))

    # -- selectors --------------------------------------------------------------------------------------------------------

    def resolve(self, selector: Selector, primaries: Mapping[str, str] | None = None) -> frozenset[Ref]:
        """What a selector means; never empty. `primaries` is the zone of each database's primary now, by default the first one.

        Raises SelectorError when it names something that is not there, or nothing at all.
        """
        refs = frozenset(self._refs(selector, primaries or {}))
        if not refs:
            raise SelectorError(f"{selector} names nothing: {self._nothing(selector)}")
        return refs

    def members(self, selector: Selector) -> tuple[Selector, ...]:
        """What fails on its own in a selector: instances of a service, nodes of a database; everything else is one member.

        A zone or a region fails as a whole; a group has the members of its selectors. `database/<name>/primary` stays one
        moving member.
        """
        refs = self.resolve(selector)
        if selector.kind == "group":
            return tuple(dict.fromkeys(member for leaf in self.leaves(selector) for member in self.members(leaf)))
        split = selector.kind == "service" or (selector.kind == "database" and selector.role != "primary")
        return tuple(Selector.parse(str(ref)) for ref in in_order(refs)) if split else (selector,)

    def leaves(self, selector: Selector) -> tuple[Selector, ...]:
        """The selectors in a group and in the groups in it; any other selector is its own only leaf."""
        return tuple(dict.fromkeys(self._leaves(selector, ())))

    def blast_radius(self, refs: Iterable[Ref], load: Load | None = None) -> BlastRadius:
        """What is lost, down, degraded and (given the load) affected while these are gone. See `gameday.blast_radius`."""
        from gameday.blast_radius import blast_radius

        return blast_radius(self, refs, load)

    def _refs(self, selector: Selector, primaries: Mapping[str, str]) -> Iterable[Ref]:
        name = selector.name
        match selector.kind:
            case "service" | "instance":
                return self.instances_of(name, selector.at) if selector.kind == "service" else (self._instance(selector),)
            case "zone" | "region":
                return self._in_zone(name) if selector.kind == "zone" else self._in_region(name)
            case "database" | "queue":
                return self._nodes(selector, primaries) if selector.kind == "database" else self.queues_of(name, selector.at)
            case "group":
                return chain.from_iterable(self._refs(leaf, primaries) for leaf in self.leaves(selector))
            case "link":
                return self._links(selector)
            case "provider":
                _known("provider", name, self.system.providers)
                return (ProviderRef(name),)
            case "dependency":
                return (self._dependency(selector),)
            case "dns":
                return (DnsRef(),)

    def _nothing(self, selector: Selector) -> str:
        """Why a selector of things that exist is empty."""
        where = f" in {selector.at}" if selector.at is not None else ""
        match selector.kind:
            case "service":
                return f"{selector.name} has no instance{where}"
            case "database":
                return f"{selector.name} has no {selector.role or 'node'}{where}"
            case "queue":
                return f"its consumer {self.system.queues[selector.name].consumer} has no instance{where}"
            case "link":
                return "its ends are the same place"
        return "there is nothing in it"

    def _in_region(self, region: str) -> Iterator[Ref]:
        for zone in self.zones_of(region):
            yield from self._in_zone(zone)
        for queue in self.system.queues:
            yield from self.queues_of(queue, region)

    def _in_zone(self, zone: str) -> Iterator[Ref]:
        _known("zone", zone, self._region_of)
        yield ZoneRef(zone)
        for service in self.system.services:
            yield from self.instances_of(service, zone)
        for database in self.system.databases:
            yield from self.nodes_of(database, zone)

    def _instance(self, selector: Selector) -> InstanceRef:
        assert selector.at is not None, "an instance selector has a zone"
        assert selector.index is not None, "an instance selector has a number"
        _known("service", selector.name, self.system.services)
        _known("zone", selector.at, self._region_of)
        count = self.instances_in(selector.name, selector.at)
        if selector.index >= count:
            counted = "no instance" if count == 0 else f"{count} instance{'s' * (count > 1)}"
            numbered = ", numbered from 0" if count else ""
            raise SelectorError(f"{selector} names nothing: {selector.name} has {counted} in {selector.at}{numbered}")
        return InstanceRef(selector.name, selector.at, selector.index)

    def _nodes(self, selector: Selector, primaries: Mapping[str, str]) -> Iterator[NodeRef]:
        nodes = self.nodes_of(selector.name, selector.at)
        primary = primaries.get(selector.name, self.system.databases[selector.name].primary)
        for node in nodes:
            if selector.role is None or (node.zone == primary) == (selector.role == "primary"):
                yield node

    def _links(self, selector: Selector) -> Iterator[LinkRef]:
        near, far = selector.name, selector.to or ""
        for source in self._ends(near, far):
            for target in self._ends(far, near):
                if source != target:
                    yield LinkRef(source, target)
                    if selector.both_ways:
                        yield LinkRef(target, source)

    def _ends(self, end: str, other: str) -> tuple[str, ...]:
        """The places an end of a link stands for."""
        providers = [f"provider/{name}" for name in self.system.providers]
        if end == ELSEWHERE:
            if other == ELSEWHERE:
                raise SelectorError("only one end of a link can be elsewhere")
            left_out = self._ends(other, end)
            return tuple(place for place in (*self.zones, INTERNET, *providers) if place not in left_out)
        if end == INTERNET or end in providers:
            return (end,)
        if end not in self._region_of and end not in self.system.regions:
            _known("zone, region or other end of a link", end, [*self.regions, *self.zones, INTERNET, ELSEWHERE, *providers])
        return self.zones_at(end)

    def _leaves(self, selector: Selector, inside: tuple[str, ...]) -> Iterator[Selector]:
        if selector.kind != "group":
            yield selector
            return
        _known("group", selector.name, self.system.groups)
        inside = (*inside, selector.name)
        if selector.name in inside[:-1]:
            raise SelectorError(f"group {selector.name} contains itself: {' > '.join(inside)}")
        for text in self.system.groups[selector.name]:
            yield from self._leaves(Selector.parse(text), inside)

    def _dependency(self, selector: Selector) -> DependencyRef:
        _known("service", selector.name, self.system.services)
        target = selector.to or ""
        called = dict.fromkeys(each for call in self.system.services[selector.name].calls for each in _targets(call))
        if target not in called:
            short = nearest(target, called)
            meant = f"dependency/{selector.name}->{short.removeprefix('service/')}" if short else None
            raise SelectorError(f"{selector} names nothing: {selector.name} does not call {target}", meant)
        return DependencyRef(selector.name, target)


def _targets(call: Dependency) -> tuple[str, ...]:
    return tuple(target_of(each) for each in (call.to, call.fallback) if each is not None)


def _known(what: str, name: str, names: Iterable[str]) -> None:
    """Raise SelectorError unless there is such a name."""
    known = list(names)
    if name not in known:
        raise SelectorError(f"there is no {what} '{name}'", nearest(name, known), wrong=name)
