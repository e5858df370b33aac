"""Where to look first: components ranked as candidates for the root cause of what monitoring sees.

    graph = dependency_graph(system, load)
    candidates = ranked(graph, {"service/checkout@eu-1": 0.9, "zone/eu-1a": 0.3}, alerting={"class/checkout"})

A personalised PageRank on the dependency graph turned round, so that rank flows from a symptom to what it depends on (networkx; after
MonitorRank, Kim et al., SIGMETRICS 2013): it starts at what alerts and what is anomalous, goes on to dependencies in proportion to how
anomalous they are, and stays where nothing below explains the symptom. The rule that surprises: only what monitoring measured goes in. A
component that cannot be measured is no candidate by itself; it becomes one through those that need it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import combinations, permutations
from typing import TYPE_CHECKING, Any

from gameday.errors import MissingExtra
from gameday.selectors import target_of
from gameday.topology import Topology

if TYPE_CHECKING:
    import networkx as nx

    from gameday.scenario.load import Load
    from gameday.scenario.system import System

DAMPING = 0.85
"""Chance to go on instead of starting again at a symptom (PageRank's usual value)."""
LEAST_WEIGHT = 0.01
"""Weight of a way to a dependency that looks well: it may be blind rather than well. Assumption."""

RESTART = "restart"
"""Node from which the walk begins; what is well and depends on nothing sends it back there."""


def dependency_graph(system: System, load: Load) -> nx.DiGraph[str]:
    """Classes, services and queues by region, database nodes by zone, providers, zones, regions and the links between those that something
    crosses; edges go to what is needed."""
    import networkx as nx

    topology, graph = Topology(system), nx.DiGraph()
    for region, model in system.regions.items():
        graph.add_edges_from((f"zone/{zone}", f"region/{region}") for zone in model.zones)
    graph.add_nodes_from(f"provider/{name}" for name in system.providers)
    for name, request_class in load.classes.items():
        graph.add_edges_from(
            (f"class/{name}", f"service/{request_class.entry}@{region}") for region in topology.regions_with(request_class.entry)
        )
    for name in system.databases:
        graph.add_edges_from((f"database/{name}@{node.zone}", f"zone/{node.zone}") for node in topology.nodes_of(name))
    for name, service in system.services.items():
        for region in topology.regions_with(name):
            node = f"service/{name}@{region}"
            zones = {instance.zone for instance in topology.instances_of(name, region)}
            graph.add_edges_from((node, f"zone/{zone}") for zone in sorted(zones))
            targets = [each for call in service.calls for each in (call.to, call.fallback) if each is not None]
            graph.add_edges_from(
                (node, needed) for target in targets for needed in _nodes_of(topology, target_of(target), region)
            )
    for name, queue in system.queues.items():
        graph.add_edges_from(
            (f"queue/{name}@{ref.region}", f"service/{queue.consumer}@{ref.region}") for ref in topology.queues_of(name)
        )
    _add_links(graph, topology, system)
    return graph


def link_between(one: str, other: str, regions: Sequence[str]) -> str | None:
    """Name of the link between two regions as a candidate, whichever end comes first; None for other places, and within one."""
    if one == other or one not in regions or other not in regions:
        return None
    first, second = sorted((one, other), key=list(regions).index)
    return f"link/{first}<->{second}"


def links_of(system: System) -> dict[str, tuple[str, str]]:
    """Every link between two regions, with its ends."""
    regions = list(system.regions)
    return {f"link/{one}<->{other}": (one, other) for one, other in combinations(regions, 2)}


def link_meant(selector: str, regions: Sequence[str]) -> str | None:
    """The candidate that a fault on a link is in: `link/a->b` and `link/b<->a` are in the same."""
    kind, _, ends = selector.partition("/")
    if kind != "link":
        return None
    one, _, other = ends.replace("<->", "->").partition("->")
    return link_between(one.strip(), other.strip(), regions)


def _add_links(graph: nx.DiGraph[str], topology: Topology, system: System) -> None:
    """What calls or replicates over a link needs it; a link needs both its ends."""
    regions = list(system.regions)
    region_of = {f"zone/{zone}": name for name, model in system.regions.items() for zone in model.zones}

    def home(node: str) -> str | None:
        place = node.partition("@")[2]
        return place if place in regions else region_of.get(f"zone/{place}")

    for node, needed in list(graph.edges):
        one, other = home(node), home(needed)
        link = link_between(one, other, regions) if one is not None and other is not None else None
        if link is not None:
            graph.add_edge(node, link)
    for name in system.databases:
        nodes = [node.zone for node in topology.nodes_of(name)]
        for zone, peer in permutations(nodes, 2):
            link = link_between(region_of[f"zone/{zone}"], region_of[f"zone/{peer}"], regions)
            if link is not None:
                graph.add_edge(f"database/{name}@{zone}", link)
    for link, ends in links_of(system).items():
        if link in graph:
            graph.add_edges_from((link, f"region/{end}") for end in ends)


def _nodes_of(topology: Topology, target: str, region: str) -> list[str]:
    """The nodes a call from a region goes to."""
    kind, _, name = target.partition("/")
    if kind == "service":
        places = topology.regions_with(name)
        return [f"service/{name}@{topology.place_serving(places, region)}"] if places else []
    if kind == "database":
        return [f"database/{name}@{node.zone}" for node in topology.nodes_of(name)]
    if kind == "queue":
        places = tuple(ref.region for ref in topology.queues_of(name))
        return [f"queue/{name}@{topology.place_serving(places, region)}"] if places else []
    return [target]


def ranked(graph: nx.DiGraph[str], anomalies: Mapping[str, float], alerting: Collection[str] = ()) -> list[str]:
    """Components (without their place, regions and zones as themselves), the likeliest cause first; classes are symptoms, no candidates.

    `anomalies`: node to how far it is from usual, 0 to 1. `alerting`: subjects of the alerts; a subject without a place stands for all its
    places. Empty when nothing is anomalous and nothing alerts. MissingExtra without scipy, which networkx needs for it.
    """
    import networkx as nx

    starts = {node: anomalies.get(node, 0.0) + float(_is_about(node, alerting)) for node in graph}
    if not any(starts.values()):
        return []
    walk: nx.DiGraph[str] = nx.DiGraph()
    for node in graph:
        below = {needed: max(anomalies.get(needed, 0.0), LEAST_WEIGHT) for needed in graph.successors(node)}
        unexplained = max(0.0, anomalies.get(node, 0.0) - max(below.values(), default=0.0))
        walk.add_weighted_edges_from((node, needed, weight) for needed, weight in below.items())
        walk.add_edge(node, node, weight=unexplained)
        if not below:
            walk.add_edge(node, RESTART, weight=1.0 - unexplained)
    walk.add_weighted_edges_from((RESTART, node, weight) for node, weight in starts.items() if weight)
    try:
        scores: dict[str, float] = nx.pagerank(walk, DAMPING, personalization={RESTART: 1.0}, tol=1e-9, max_iter=1000)
    except ImportError:
        raise MissingExtra("ranking root-cause candidates", "analysis") from None
    summed: dict[str, float] = {}
    for node, score in scores.items():
        component = node.partition("@")[0]
        if component != RESTART and not component.startswith("class/"):
            summed[component] = summed.get(component, 0.0) + score
    return sorted(summed, key=lambda component: (-round(summed[component], 12), component))


def _is_about(node: str, alerting: Collection[str]) -> bool:
    """Whether one of the alerts is about a node; what stands after the `@` of a class is where its users are."""
    component = node.partition("@")[0]
    if component.startswith("class/"):
        return any(subject.partition("@")[0] == component for subject in alerting)
    return node in alerting or component in alerting


def distances(graph: nx.DiGraph[str], subjects: Collection[str], farthest: int) -> dict[tuple[str, str], int]:
    """Calls between the components of two subjects, in either direction, at most `farthest`."""
    import networkx as nx

    either: Any = graph.to_undirected(as_view=True)
    found: dict[tuple[str, str], int] = {}
    for one in dict.fromkeys(subjects):
        own = [node for node in graph if _is_about(node, (one,))]
        reach: dict[str, int] = {}
        for node in own:
            for other, steps in nx.single_source_shortest_path_length(either, node, cutoff=farthest).items():
                reach[other] = min(steps, reach.get(other, farthest))
        for other in dict.fromkeys(subjects):
            found[one, other] = min((reach.get(node, farthest) for node in graph if _is_about(node, (other,))), default=farthest)
    return found
