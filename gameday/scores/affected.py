"""What an incident is about: the classes that were hurt, all that serves them, and what the faults hit.

The rule that surprises: places are ignored. An alert about `service/checkout@eu-2` concerns an incident of checkout in `eu-1` too: who is
called looks at the service, not at the place. A subject that is not of the system counts as concerned.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gameday.scores.incidents import FaultSpan, Incident
from gameday.selectors import Selector, SelectorError, target_of
from gameday.topology import InstanceRef, LinkRef, NodeRef, ProviderRef, QueueRef, Ref, ZoneRef

if TYPE_CHECKING:
    from gameday.scenario.model import Scenario
    from gameday.scores.case import Case

_OF_THE_SYSTEM = ("class", "service", "database", "queue", "provider", "zone", "region")


def concerns(case: Case, incident: Incident, subject: str) -> bool:
    """Whether an alert about `subject` concerns an affected or faulty component of an incident."""
    component = component_of(case.scenario, subject)
    if component is None or component.partition("/")[0] not in _OF_THE_SYSTEM:
        return True
    return component in components(case, incident)


def components(case: Case, incident: Incident) -> frozenset[str]:
    """Affected and faulty components: `class/x`, `service/x`, `database/x`, `queue/x`, `provider/x`, `zone/x`, `region/x`."""
    found: set[str] = set()
    for impact in incident.impacts:
        found.add(f"class/{impact.request_class}")
        known = case.scenario.load.classes.get(impact.request_class)
        if known is not None:
            _add_what_serves(case.scenario, f"service/{known.entry}", found)
    for fault in incident.faults:
        found |= hit_by(case, fault)
    return frozenset(found)


def hit_by(case: Case, fault: FaultSpan) -> frozenset[str]:
    """Components that a fault hits directly; a target that cannot be read is itself."""
    return frozenset(name for ref in refs_of(case, fault) for name in _names(case, ref)) | {fault.selector.partition("@")[0]}


def refs_of(case: Case, fault: FaultSpan) -> tuple[Ref, ...]:
    """What a fault's target means in the system at the start; nothing where it cannot be read (a live target of its own)."""
    try:
        return tuple(case.topology.resolve(Selector.parse(fault.selector)))
    except SelectorError:
        return ()


def component_of(scenario: Scenario, subject: str) -> str | None:
    """The component of an alert's subject, without its place; a rule's subject is what the rule looks at; None = unknown."""
    kind, _, name = subject.partition("/")
    if kind != "rule":
        return subject.partition("@")[0]
    rule = scenario.monitoring.every_rule.get(name)
    if rule is None:
        return None
    if rule.kind == "probe":
        probe = scenario.monitoring.probes.get(rule.probe)
        return None if probe is None else f"class/{probe.request_class}"
    return None if rule.kind == "heartbeat" else rule.on.partition("@")[0]


def _add_what_serves(scenario: Scenario, start: str, found: set[str]) -> None:
    """All that is called from `start`, directly or not."""
    waiting = [start]
    while waiting:
        component = waiting.pop()
        if component in found:
            continue
        found.add(component)
        kind, _, name = component.partition("/")
        if kind == "queue" and name in scenario.system.queues:
            waiting.append(f"service/{scenario.system.queues[name].consumer}")
        elif kind == "service" and name in scenario.system.services:
            for call in scenario.system.services[name].calls:
                waiting += [target_of(each) for each in (call.to, call.fallback) if each is not None]


def _names(case: Case, ref: Ref) -> tuple[str, ...]:
    match ref:
        case ZoneRef(zone):
            return (f"zone/{zone}", f"region/{case.topology.region_of(zone)}")
        case InstanceRef(service=service):
            return (f"service/{service}",)
        case NodeRef(database=database):
            return (f"database/{database}",)
        case QueueRef(queue=queue):
            return (f"queue/{queue}",)
        case ProviderRef(provider=provider):
            return (f"provider/{provider}",)
        case LinkRef(source, target):
            return tuple(f"zone/{end}" for end in (source, target) if "/" not in end and end != "internet")
        case _:
            return ()
