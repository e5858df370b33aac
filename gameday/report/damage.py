"""What the run did to each box of the system graph, from the series and the roles of database nodes.

The rule that surprises: a box is coloured by the worst that happened to it: nothing of it ran, fewer instances ran, it refused requests,
its role changed. What only waited for a broken neighbour stays white; its lost requests are in the table of reasons.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from gameday.report.plots.system_graph import OUTSIDE, NodeImpact, SystemGraph, system_graph
from gameday.report.words import clock, count, duration, percent
from gameday.timeline import SeriesSet, Timeline

if TYPE_CHECKING:
    from gameday.scenario.model import Scenario

_SAMPLE_S: Final = 5.0
"""Stations are sampled every five seconds."""


def graph_with_impact(scenario: Scenario, timeline: Timeline, series: SeriesSet, end_s: float) -> SystemGraph:
    """The system with what happened to it after the warm-up."""
    graph = system_graph(scenario.system, scenario.load)
    impact: dict[tuple[str, str], NodeImpact] = {}
    regions_of_zone = {zone: region for region, zones in graph.regions.items() for zone in zones}
    for node in graph.nodes:
        found = None
        if node.kind == "service":
            found = _service(series, node.name, node.region, scenario.warmup)
        elif node.kind == "database":
            found = _database(timeline, node.name, graph.regions[node.region], end_s, hours=end_s > 5400)
        if found is not None:
            impact[node.key, node.region] = found
    return replace(_aimed_at(graph, scenario, timeline, regions_of_zone), impact=impact)


def _service(series: SeriesSet, service: str, region: str, warmup_s: float) -> NodeImpact | None:
    import numpy as np

    labels = {"service": service, "region": region}
    instances = [one.between(warmup_s, np.inf) for one in series.find("service.instances", labels)]
    turned_away = [*series.find("service.refused", labels), *series.find("service.dropped", labels)]
    refused = [one.between(warmup_s, np.inf) for one in turned_away]
    refusals = sum(float(np.nansum(one.values)) for one in refused) * _SAMPLE_S
    suffix = f", refused {count(refusals)}" if refusals else ""
    if instances and len(instances[0]):
        values = instances[0].values
        down_s = float((values == 0).sum()) * _SAMPLE_S
        if down_s:
            return NodeImpact("down", f"down {duration(down_s)}{suffix}")
        if values.min() < values[0]:
            return NodeImpact("reduced", f"at worst {values.min():.0f} of {values[0]:.0f}{suffix}")
    if refusals:
        return NodeImpact("refusing", f"refused {count(refusals)}{_share(series, labels, warmup_s)}")
    return None


def _share(series: SeriesSet, labels: dict[str, str], warmup_s: float) -> str:
    """Refused as a share of what came while it was refusing."""
    import numpy as np

    totals = [
        sum(float(np.nansum(one.between(warmup_s, np.inf).values)) for one in series.find(name, labels))
        for name in ("service.refused_by", "service.admitted_by")
    ]
    return f" ({percent(round(totals[0] / sum(totals), 3))})" if sum(totals) > 0 else ""


def _database(timeline: Timeline, name: str, zones: tuple[str, ...], end_s: float, *, hours: bool) -> NodeImpact | None:
    """Down time of its nodes in these zones, or the newest change of role."""
    down_since: dict[str, float] = {}
    down_s = 0.0
    role = ""
    for event in timeline.of("database.role"):
        node = str(event.data.get("node", ""))
        zone = node.rpartition("@")[2] or node
        if event.subject != f"database/{name}" or zone not in zones or event.t <= 0:
            continue
        now = str(event.data.get("role", ""))
        if zone in down_since:
            down_s = max(down_s, event.t - down_since.pop(zone))
        if now == "down":
            down_since[zone] = event.t
        elif now == "primary" or not role.startswith("primary"):
            role = f"{now} from {clock(event.t, hours=hours)}"
    down_s = max([down_s, *(end_s - since for since in down_since.values())])
    if down_s:
        return NodeImpact("down", f"node down {duration(down_s)}")
    return NodeImpact("touched", role) if role else None


def _aimed_at(graph: SystemGraph, scenario: Scenario, timeline: Timeline, region_of_zone: dict[str, str]) -> SystemGraph:
    """The graph with the nodes, whole zones and links marked that the injected faults were aimed at."""
    from gameday.errors import GamedayError
    from gameday.resources import InstanceRef, LinkRef, NodeRef, ProviderRef, QueueRef, ZoneRef
    from gameday.selectors import Selector
    from gameday.topology import Topology

    topology = Topology(scenario.system)
    primaries = {name: database.primary for name, database in scenario.system.databases.items()}
    hit: set[tuple[str, str]] = set()
    zones: set[str] = set()
    links: set[tuple[str, str]] = set()
    for event in timeline.of("fault.injected"):
        try:
            refs = topology.resolve(Selector.parse(str(event.data.get("selector", ""))), primaries)
        except GamedayError:
            continue  # a live run may name a target that only its adapter knows; the fault is in the timeline all the same
        here = {ref.zone for ref in refs if isinstance(ref, ZoneRef) and ref.zone in region_of_zone}
        zones |= here
        for ref in refs:
            if isinstance(ref, InstanceRef) and ref.zone not in here:
                hit.add((f"service/{ref.service}", region_of_zone[ref.zone]))
            elif isinstance(ref, NodeRef) and ref.zone not in here:
                hit.add((f"database/{ref.database}", region_of_zone[ref.zone]))
            elif isinstance(ref, ProviderRef):
                hit.add((f"provider/{ref.provider}", OUTSIDE))
            elif isinstance(ref, QueueRef) and not any(region_of_zone[zone] == ref.region for zone in here):
                hit.add((f"queue/{ref.queue}", ref.region))
            elif isinstance(ref, LinkRef):
                ends = [region_of_zone.get(end, end) for end in (ref.source_zone, ref.target_zone)]
                links |= {(a, b) for a, b in (ends, ends[::-1]) if a in graph.regions}
    return replace(graph, hit=frozenset(hit), hit_zones=frozenset(zones), hit_links=frozenset(links))
