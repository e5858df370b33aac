"""The system as a graph for drawing: what stands in which region, what calls what, and which of it the run hit.

The rule that surprises: a service is one node per region, because that is how it fails; a database is drawn where its nodes are, and
a third party outside of all regions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from gameday.scenario.load import Load
    from gameday.scenario.system import Dependency, System

Kind = Literal["clients", "service", "database", "queue", "provider"]

OUTSIDE = ""
"""The region of what is in no region."""


@dataclass(frozen=True, slots=True)
class Node:
    """One box of the picture."""

    kind: Kind
    name: str
    region: str
    detail: str

    @property
    def key(self) -> str:
        """Its key in the layout, the same in every region."""
        return f"{self.kind}/{self.name}"


@dataclass(frozen=True, slots=True)
class Edge:
    """One kind of call from one box to another."""

    source: Node
    target: Node
    required: bool = True
    waited_for: bool = True


@dataclass(frozen=True, slots=True)
class NodeImpact:
    """What happened to one box: the share of the colour scale it gets and what is written in it."""

    level: Literal["down", "reduced", "refusing", "touched"]
    text: str


@dataclass(frozen=True, slots=True)
class SystemGraph:
    """Everything there is to draw."""

    regions: Mapping[str, tuple[str, ...]]
    """Region to its zones."""
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    impact: Mapping[tuple[str, str], NodeImpact] = field(default_factory=dict)
    """By key and region of a node."""
    hit: frozenset[tuple[str, str]] = frozenset()
    """Nodes (key, region) that a fault was aimed at."""
    hit_zones: frozenset[str] = frozenset()
    """Zones that a fault was aimed at."""
    hit_links: frozenset[tuple[str, str]] = frozenset()
    """Regions with what a fault cut or disturbed them from: another region, `internet`, or themselves."""


def system_graph(system: System, load: Load) -> SystemGraph:
    """The graph of a system that passed its checks, without any impact."""
    from gameday.topology import Topology

    topology = Topology(system)
    maker = _Maker(system, load, topology.regions_with, {zone: topology.region_of(zone) for zone in topology.zones})
    for service in system.services:
        for region in topology.regions_with(service):
            counts = [topology.instances_in(service, zone) for zone in system.regions[region].zones]
            maker.add(Node("service", service, region, _instances(counts)))
    maker.places()
    maker.calls()
    regions = {name: tuple(region.zones) for name, region in system.regions.items()}
    return SystemGraph(regions, tuple(maker.nodes.values()), tuple(dict.fromkeys(maker.edges)))


def _instances(counts: list[int]) -> str:
    present = [count for count in counts if count]
    if len(set(present)) == 1 and len(present) > 1:
        return f"{len(present)} zones x {present[0]}"
    total = sum(present)
    return f"{total} instance" + ("s" if total != 1 else "")


class _Maker:
    """Collects nodes and edges; only `system_graph` uses it."""

    def __init__(self, system: System, load: Load, regions_with: object, region_of: Mapping[str, str]) -> None:
        assert callable(regions_with), "regions_with tells the regions of a service"
        self.system = system
        self.load = load
        self.region_of = region_of
        self.nodes: dict[tuple[str, str], Node] = {}
        self.edges: list[Edge] = []

    def add(self, node: Node) -> None:
        self.nodes[node.key, node.region] = node

    def places(self) -> None:
        """Databases, queues, third parties and client populations, where they are."""
        for name, database in self.system.databases.items():
            zones = [database.primary, *database.replicas]
            home = self.region_of[database.primary]
            for region in dict.fromkeys(self.region_of[zone] for zone in zones):
                here = [zone for zone in zones if self.region_of[zone] == region]
                replicas = len(here) - (region == home)
                parts = (["primary"] if region == home else []) + (
                    [f"{replicas} replica{'s' * (replicas > 1)}"] if replicas else []
                )
                self.add(Node("database", name, region, " + ".join(parts)))
        for name, queue in self.system.queues.items():
            for region in [r for k, r in self.nodes if k == f"service/{queue.consumer}"] or list(self.system.regions)[:1]:
                self.add(Node("queue", name, region, "queue"))
        for name in self.system.providers:
            self.add(Node("provider", name, OUTSIDE, "third party"))
        origins = self.system.traffic.origins
        first = next(iter(self.system.regions))
        for name, (share, region) in {n: (o.share, o.region) for n, o in origins.items()}.items() or {
            "everyone": (1.0, first)
        }.items():
            self.add(Node("clients", name, region, f"{share * 100:.3g} % of clients"))

    def calls(self) -> None:
        """Edges: clients to entries, services to what they call, queues to their consumers."""
        entries = dict.fromkeys(one.entry for one in self.load.classes.values())
        for node in list(self.nodes.values()):
            if node.kind == "clients":
                self.edges += [
                    Edge(node, self._at(f"service/{entry}", node.region)) for entry in entries if self._has(f"service/{entry}")
                ]
            elif node.kind == "service":
                for call in self.system.services[node.name].calls:
                    self._call(node, call)
            elif node.kind == "queue":
                consumer = f"service/{self.system.queues[node.name].consumer}"
                if self._has(consumer):
                    self.edges.append(Edge(node, self._at(consumer, node.region), waited_for=False))

    def _call(self, node: Node, call: Dependency) -> None:
        for target, required in ((call.to, call.required), (call.fallback, False)):
            if target is None:
                continue
            key = target if "/" in target else f"service/{target}"
            if not self._has(key):
                continue
            region = node.region
            if key.startswith("database/") and not (call.operation == "read" and call.read_from == "nearest"):
                region = self.region_of[self.system.databases[key.partition("/")[2]].primary]
            self.edges.append(Edge(node, self._at(key, region), required, call.mode == "sync"))

    def _has(self, key: str) -> bool:
        return any(key == known for known, _ in self.nodes)

    def _at(self, key: str, region: str) -> Node:
        """The node of that key in the region, or else in the first region that has it."""
        return self.nodes.get((key, region)) or next(node for (known, _), node in self.nodes.items() if known == key)
