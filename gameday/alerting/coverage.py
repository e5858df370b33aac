"""What would notice the loss of a place or a component, rule by rule; and what nothing looks at.

A place is *watched* when a rule looks at it itself (an absence or a threshold there); *felt* when only rules about users would notice, and
only where users are hurt; else nothing but the customers' complaints would tell. The rule that surprises: monitoring that stands in the
place is blind when the place is lost, whatever its rules; then only a heartbeat counts, and a rule about a whole region does not watch one
of its zones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gameday.topology import Topology

if TYPE_CHECKING:
    from gameday.scenario.model import Scenario
    from gameday.scenario.monitoring import Rule

Level = Literal["watched", "felt", "blind"]


@dataclass(frozen=True, slots=True)
class Coverage:
    """How the loss of one place or component would be noticed."""

    subject: str
    """`zone/eu-1a`, `region/eu-1`, `service/checkout`, `database/orders`, `provider/cards`, `origin/west`."""
    level: Level
    rules: tuple[str, ...]
    """Rules that would notice."""

    @property
    def words(self) -> str:
        """The gap in one line."""
        if self.level == "watched":
            return f"{self.subject}: watched by {', '.join(self.rules)}"
        if self.level == "felt":
            return f"{self.subject}: no rule looks at it; noticed only once users are hurt, by {', '.join(self.rules)}"
        return f"{self.subject}: nothing would notice but the customers"


def coverage(scenario: Scenario) -> tuple[Coverage, ...]:
    """Zones, regions, services, databases, providers and origins, in the order of the file."""
    rules, topology = scenario.monitoring.every_rule, Topology(scenario.system)
    beats = tuple(name for name, rule in rules.items() if rule.kind == "heartbeat")
    location = scenario.monitoring.location
    found = []
    used = _used(scenario, topology)
    for zone in [each for each in topology.zones if each in used]:
        region = topology.region_of(zone)
        lost = location == f"zone/{zone}"
        own = tuple(name for name, rule in rules.items() if _on(rule) in (f"zone/{zone}", *_nodes_at(scenario, zone)))
        own += _only_zone(topology, region, rules)
        found.append(_place(scenario, f"zone/{zone}", beats if lost else own, blind=lost))
    for region in [each for each in topology.regions if used & set(topology.zones_of(each))]:
        inside = {f"region/{region}", *(f"zone/{zone}" for zone in topology.zones_of(region))}
        zones = [f"zone/{zone}" for zone in topology.zones_of(region)]
        own = tuple(name for name, rule in rules.items() if _looks_at_region(rule, region))
        absent = {_on(rule) for rule in rules.values() if rule.kind == "absence"}
        if set(zones) <= absent:
            own += tuple(name for name, rule in rules.items() if _on(rule) in zones)
        lost = location in inside
        found.append(_place(scenario, f"region/{region}", beats if lost else tuple(dict.fromkeys(own)), blind=lost))
    for kind, names in (
        ("service", scenario.system.services),
        ("database", scenario.system.databases),
        ("provider", scenario.system.providers),
    ):
        for name in names:
            own = tuple(rule_name for rule_name, rule in rules.items() if _on(rule).partition("@")[0] == f"{kind}/{name}")
            found.append(_place(scenario, f"{kind}/{name}", own, blind=False))
    return (*found, *_origins(scenario))


def gaps(scenario: Scenario) -> tuple[Coverage, ...]:
    """Places that no rule looks at, and origins without a probe; of components only those nothing would notice at all."""
    if not scenario.monitoring.every_rule:
        return ()
    places = ("zone/", "region/", "origin/")
    return tuple(
        each for each in coverage(scenario) if each.level == "blind" or (each.level == "felt" and each.subject.startswith(places))
    )


def gaps_in_words(scenario: Scenario) -> tuple[str, ...]:
    """The gaps in a line for each way in which they would be noticed."""
    found: dict[tuple[Level, tuple[str, ...]], list[str]] = {}
    for gap in gaps(scenario):
        found.setdefault((gap.level, gap.rules), []).append(gap.subject)
    return tuple(Coverage(", ".join(subjects), level, rules).words for (level, rules), subjects in found.items())


def _place(scenario: Scenario, subject: str, own: tuple[str, ...], *, blind: bool) -> Coverage:
    if own:
        return Coverage(subject, "watched", own)
    felt = () if blind else tuple(name for name, rule in scenario.monitoring.every_rule.items() if _is_about_users(rule))
    return Coverage(subject, "felt" if felt else "blind", felt)


def _origins(scenario: Scenario) -> Iterator[Coverage]:
    """Clients of an origin: probes come from there, or only the sum over all clients tells."""
    rules = scenario.monitoring.every_rule
    for origin in scenario.system.traffic.origins:
        own = [
            name
            for name, rule in rules.items()
            if rule.kind == "probe" and scenario.monitoring.probes[rule.probe].origin in (None, origin)
        ]
        yield _place(scenario, f"origin/{origin}", tuple(own), blind=False)


def _used(scenario: Scenario, topology: Topology) -> set[str]:
    """Zones with anything in them that could be lost."""
    zones = {instance.zone for service in scenario.system.services for instance in topology.instances_of(service)}
    return zones | {node.zone for database in scenario.system.databases for node in topology.nodes_of(database)}


def _on(rule: Rule) -> str:
    return getattr(rule, "on", "")


def _nodes_at(scenario: Scenario, zone: str) -> tuple[str, ...]:
    return tuple(f"database/{name}@{zone}" for name in scenario.system.databases)


def _only_zone(topology: Topology, region: str, rules: dict[str, Rule]) -> tuple[str, ...]:
    """Rules about a region that has one zone watch that zone."""
    if len(topology.zones_of(region)) > 1:
        return ()
    return tuple(name for name, rule in rules.items() if _looks_at_region(rule, region))


def _looks_at_region(rule: Rule, region: str) -> bool:
    if rule.kind == "absence" and _on(rule) == f"region/{region}":
        return True
    kind, _, rest = _on(rule).partition("/")
    return kind in ("service", "queue") and rest.partition("@")[2] == region


def _is_about_users(rule: Rule) -> bool:
    return rule.kind == "probe" or _on(rule).startswith("class/")
