"""What is allowed but unwise, each in one line that says what was compared with what.

The rule that surprises: a warning is no error, because many game days are about just these things.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta

from gameday.alerting.coverage import gaps_in_words
from gameday.describe.demand import timeout_of
from gameday.describe.facts import DemandFacts, ServiceFacts
from gameday.people import is_asleep, zone
from gameday.resources import NodeRef, ProviderRef, Ref
from gameday.rotas import rota, rota_timezone
from gameday.scenario.model import Scenario
from gameday.scenario.system import Dependency, Retries
from gameday.selectors import target_of
from gameday.topology import Topology
from gameday.units import format_duration

MOST_AMPLIFICATION = 3.0
"""Attempts that one request may cause at the end of a path without a warning. Assumption: two layers with a retry each make four."""


def warnings_of(
    scenario: Scenario, topology: Topology, services: Iterable[ServiceFacts], demand: Iterable[DemandFacts]
) -> tuple[str, ...]:
    """All warnings, the most urgent kind first."""
    found: dict[str, None] = {}
    services = tuple(services)
    for lines in (
        _overloaded(demand),
        _single_points(scenario, topology),
        _amplified(scenario, topology),
        _not_nested(scenario, topology),
        _unowned(scenario),
        _gaps_in_rotas(scenario),
        _nobody_awake_to_approve(scenario),
        _not_reached(services),
        _not_judged(scenario),
        _not_watched(scenario),
        _never_fires(scenario),
    ):
        found.update(dict.fromkeys(lines))
    return tuple(found)


def _overloaded(demand: Iterable[DemandFacts]) -> Iterator[str]:
    for each in demand:
        if each.peak_utilisation_estimate > 1.0:
            at = format_duration(round(each.peak_at_s))
            yield (
                f"{each.place}: the load needs {each.peak_utilisation_estimate:.0%} of its {each.slots} slots at {at}, before anything "
                "breaks (estimate)"
            )


def _gaps_in_rotas(scenario: Scenario) -> Iterator[str]:
    """Stretches of the day at which a rota that pages go to has nobody: a page then goes on at once, or to nobody."""
    asked = {target for policy in scenario.response.escalations.values() for level in policy.levels for target in level.notify}
    ends = scenario.starts + timedelta(seconds=scenario.duration)
    for name, model in scenario.response.rotas.items():
        found = rota(model, scenario.response, scenario.starts)
        if f"rota/{name}" not in asked or not found.may_have_gaps:
            continue
        local = zone(rota_timezone(model, scenario.response))
        for starts, end in found.gaps(scenario.starts, ends):
            first, last = (at.astimezone(local).strftime("%a %H:%M") for at in (starts, end))
            yield f"gap in the rota {name}: nobody is on call from {first} to {last} ({local.key})"


def _nobody_awake_to_approve(scenario: Scenario) -> Iterator[str]:
    """Approvals that nobody can give without being woken, at any time of the day that is played."""
    hours = range(0, int(scenario.duration) + 1, 900)
    times = [scenario.starts + timedelta(seconds=each) for each in hours]
    people = scenario.response.people
    for name, audience in scenario.communication.audiences.items():
        for role in audience.approvals if audience.external else ():
            holders = scenario.response.roles.get(role, [])
            if holders and all(is_asleep(people[person], at) for person in holders for at in times):
                yield (
                    f"approvals: every message to {name} needs {role}, and everybody in that role ({', '.join(holders)}) sleeps all the time: "
                    "it waits until one of them is woken, or is not published; name an alternate in another time zone"
                )


def _single_points(scenario: Scenario, topology: Topology) -> Iterator[str]:
    """What has no second of its kind, and takes a class of requests with it."""
    for what, refs in _alone(scenario, topology):
        affected = dict.fromkeys(loss.request_class for loss in topology.blast_radius(refs, scenario.load).classes)
        if affected:
            yield f"single point of failure: {what}; without it these classes fail: {', '.join(affected)}"


def _alone(scenario: Scenario, topology: Topology) -> Iterator[tuple[str, tuple[Ref, ...]]]:
    for service in scenario.system.services:
        for region in topology.regions_with(service):
            instances = topology.instances_of(service, region)
            zones = {instance.zone for instance in instances}
            if len(instances) == 1:
                yield f"the only instance of {service} in {region}", instances
            elif len(zones) == 1 and len(topology.zones_of(region)) > 1:
                yield f"zone {instances[0].zone}, which has all instances of {service} in {region}", instances
    for name, database in scenario.system.databases.items():
        policy = scenario.policies.databases.get(name)
        primary = (NodeRef(name, database.primary),)
        if not database.replicas:
            yield f"the only node of database {name}", primary
        elif policy is None or policy.mode == "none":
            yield f"the primary of database {name}, which has no promotion policy of its own", primary
    for name in scenario.system.providers:
        yield f"provider {name}", (ProviderRef(name),)


def _factor(retries: Retries) -> float:
    """Attempts per request when all fail; a budget caps it in the long run."""
    most = 1.0 + retries.attempts
    return most if retries.budget is None else min(most, 1.0 + retries.budget)


def _amplified(scenario: Scenario, topology: Topology) -> Iterator[str]:
    """The worst path of every class."""
    for name, request_class in scenario.load.classes.items():
        worst, path = _worst(topology, name, request_class.entry, {})
        worst *= _factor(request_class.retries)
        if worst > MOST_AMPLIFICATION:
            words = " -> ".join(("clients", request_class.entry, *path))
            yield f"retries: when the end of this path fails, one request of class {name} becomes {worst:.3g} attempts: {words}"


_Path = tuple[float, tuple[str, ...]]


def _worst(topology: Topology, class_name: str, service: str, known: dict[str, _Path]) -> _Path:
    """The largest product of attempts below a service, and the way there; a call back into the way counts once."""
    if service in known:
        return known[service]
    best: _Path = (1.0, ())
    known[service] = best
    for call in topology.calls_of(service, class_name):
        kind, _, name = target_of(call.to).partition("/")
        below = _worst(topology, class_name, name, known) if kind == "service" else (1.0, ())
        product = _factor(call.retries) * below[0]
        if kind != "queue" and product > best[0]:
            best = (product, (call.to, *below[1]))
    known[service] = best
    return best


def _not_nested(scenario: Scenario, topology: Topology) -> Iterator[str]:
    """Whoever waits less long than what it waits for gives up on work that goes on."""
    for caller, target, timeout_s, class_name in _waits(scenario):
        for call in topology.calls_of(target, class_name):
            attempt_s = timeout_of(scenario, call)
            if call.mode != "sync" or attempt_s is None:
                continue
            whole_s = attempt_s * (1 + call.retries.attempts)
            if whole_s > timeout_s:
                yield (
                    f"timeouts: {caller} waits {format_duration(timeout_s)} for {target}, which may wait {_attempts(call, attempt_s)} "
                    f"for {call.to}"
                )


def _waits(scenario: Scenario) -> Iterator[tuple[str, str, float, str | None]]:
    """Who waits how long for which service, and for which class."""
    for name, request_class in scenario.load.classes.items():
        yield f"class {name}", request_class.entry, request_class.timeout, name
    for name, service in scenario.system.services.items():
        for call in service.calls:
            kind, _, target = target_of(call.to).partition("/")
            timeout_s = timeout_of(scenario, call)
            if kind == "service" and call.mode == "sync" and timeout_s is not None:
                yield from ((name, target, timeout_s, class_name) for class_name in call.classes or (None,))


def _attempts(call: Dependency, attempt_s: float) -> str:
    attempts = 1 + call.retries.attempts
    return format_duration(attempt_s) if attempts == 1 else f"{attempts} x {format_duration(attempt_s)}"


def _unowned(scenario: Scenario) -> Iterator[str]:
    for name, service in scenario.system.services.items():
        missing = [what for what, value in (("owner", service.owner), ("runbook", service.runbook)) if value is None]
        if service.tier == 0 and missing:
            yield f"service {name} is tier 0 and has no {' and no '.join(missing)}"


def _not_reached(services: tuple[ServiceFacts, ...]) -> Iterator[str]:
    for service in services:
        if service.layer == 0:
            yield f"service {service.name} is called by nothing"


def _not_judged(scenario: Scenario) -> Iterator[str]:
    for fault in scenario.schedule.faults:
        if fault.at < scenario.warmup:
            begins, warm = format_duration(fault.at), format_duration(scenario.warmup)
            yield f"fault {fault.fault} {fault.target} begins at {begins}, in the warm-up, which ends at {warm} and is not judged"


def _not_watched(scenario: Scenario) -> Iterator[str]:
    yield from (f"monitoring gap: {words}" for words in gaps_in_words(scenario))


def _never_fires(scenario: Scenario) -> Iterator[str]:
    kept = [rule.name for rule in scenario.monitoring.kept_rules if not rule.record]
    if kept:
        yield f"rules that are kept and never fire here: {', '.join(kept)}"
