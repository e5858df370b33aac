"""Collects the facts of a description from a scenario."""

from __future__ import annotations

from collections.abc import Iterator

from gameday.alerting.coverage import coverage
from gameday.describe.demand import Demand, timeout_of
from gameday.describe.facts import BlastFacts, CallFacts, DatabaseFacts, Description, ScheduleFacts, ServiceFacts
from gameday.describe.warnings import warnings_of
from gameday.faults import make
from gameday.scenario.load import Arrivals, Bursty, Constant, Diurnal, Ramp, RequestClass, Spike
from gameday.scenario.model import Scenario
from gameday.scenario.system import Dependency
from gameday.selectors import Selector, target_of
from gameday.topology import Topology
from gameday.units import format_duration, format_rate, format_ratio


def collect(scenario: Scenario) -> Description:
    """Everything, in the order of the file, services by layer."""
    topology = Topology(scenario.system)
    services = tuple(_services(scenario, topology))
    demand = Demand(scenario, topology).facts()
    return Description(
        scenario=scenario,
        name=scenario.name,
        title=scenario.title,
        teaches=" ".join(scenario.teaches.split()),
        starts=scenario.starts.isoformat(),
        duration_s=scenario.duration,
        warmup_s=scenario.warmup,
        regions={region: topology.zones_of(region) for region in topology.regions},
        classes=tuple(f"{name}: {_class(each)}" for name, each in scenario.load.classes.items()),
        services=services,
        databases=tuple(_databases(scenario)),
        queues=tuple(
            f"{name}: {each.consumers} consumers a region call {each.consumer}" for name, each in scenario.system.queues.items()
        ),
        providers=tuple(
            f"{name}: {each.service_time.family}, mean {format_duration(each.service_time.mean)}, {each.slots} at once"
            for name, each in scenario.system.providers.items()
        ),
        demand=demand,
        schedule=tuple(sorted(_schedule(scenario), key=lambda line: (line.at_s is None, line.at_s or 0.0))),
        people=tuple(_people(scenario)),
        escalations=tuple(_escalations(scenario)),
        objectives=tuple(_objectives(scenario)),
        blast_radius=tuple(_blast(scenario, topology)),
        coverage=tuple(each.words for each in coverage(scenario)) if scenario.monitoring.every_rule else (),
        warnings=warnings_of(scenario, topology, services, demand),
    )


def _class(request_class: RequestClass) -> str:
    how = f"{request_class.users} users" if request_class.rate is None else _rate(request_class.rate)
    deadline = format_duration(request_class.deadline)
    return f"{request_class.priority}, enters at {request_class.entry}, {how}, good within {deadline}"


def _rate(rate: Arrivals | list[Arrivals]) -> str:
    return " + ".join(_shape(shape) for shape in (rate if isinstance(rate, list) else [rate]))


def _shape(shape: Arrivals) -> str:
    if isinstance(shape, Constant):
        return format_rate(shape.rate)
    if isinstance(shape, Ramp):
        start, over = format_duration(shape.at), format_duration(shape.over)
        return f"{format_rate(shape.start_rate)} to {format_rate(shape.end_rate)} from {start} over {over}"
    if isinstance(shape, Spike):
        return f"{format_rate(shape.base)}, {format_rate(shape.peak)} at {format_duration(shape.at)} for {format_duration(shape.lasts)}"
    if isinstance(shape, Diurnal):
        return f"{format_rate(shape.mean)} +- {format_ratio(shape.amplitude)} in waves of {format_duration(shape.period)}"
    if isinstance(shape, Bursty):
        return f"{format_rate(shape.calm)}, bursts of {format_rate(shape.burst)} ({format_rate(shape.mean)} on average)"
    mean = "" if shape.mean is None else f" scaled to {format_rate(shape.mean)}"
    return f"replay of {shape.file or 'counts'}{mean}"


def _services(scenario: Scenario, topology: Topology) -> Iterator[ServiceFacts]:
    layers = _layers(scenario)
    for name in sorted(scenario.system.services, key=lambda each: layers.get(each, 0) or 10_000):
        service = scenario.system.services[name]
        instances = {
            region: tuple(topology.instances_in(name, zone) for zone in topology.zones_of(region))
            for region in topology.regions_with(name)
        }
        calls = tuple(_call(scenario, call) for call in service.calls)
        layer = layers.get(name, 0)
        yield ServiceFacts(name, layer, service.tier, service.owner, service.runbook, instances, service.slots, calls)


def _layers(scenario: Scenario) -> dict[str, int]:
    """Longest way from the clients, for every service they reach; a call back into the way is not counted."""
    callers: dict[str, list[str]] = {}
    entries = [request_class.entry for request_class in scenario.load.classes.values()]
    waiting = list(dict.fromkeys(entries))
    for name in waiting:
        for target in _callees(scenario, name):
            callers.setdefault(target, []).append(name)
            if target not in waiting:
                waiting.append(target)
    layers: dict[str, int] = {}

    def layer(name: str) -> int:
        if name not in layers:
            layers[name] = 0
            layers[name] = max([1 if name in entries else 0, *(1 + layer(caller) for caller in callers.get(name, []))])
        return layers[name]

    for name in waiting:
        layer(name)
    return layers


def _callees(scenario: Scenario, name: str) -> Iterator[str]:
    """Services that a service calls, also as a fallback or through a queue."""
    for call in scenario.system.services[name].calls:
        for each in (call.to, call.fallback):
            if each is not None:
                kind, _, target = target_of(each).partition("/")
                if kind == "queue":
                    yield scenario.system.queues[target].consumer
                elif kind == "service":
                    yield target


def _call(scenario: Scenario, call: Dependency) -> CallFacts:
    return CallFacts(
        to=call.to,
        operation=call.operation,
        required=call.required,
        mode=call.mode,
        calls=call.calls,
        timeout_s=timeout_of(scenario, call),
        attempts=1 + call.retries.attempts,
        retry_budget_ratio=call.retries.budget,
        breaker=call.breaker is not None,
        fallback=call.fallback,
        classes=None if call.classes is None else tuple(call.classes),
    )


def _databases(scenario: Scenario) -> Iterator[DatabaseFacts]:
    for name, database in scenario.system.databases.items():
        policy = scenario.policies.databases.get(name)
        promotion = "none" if policy is None else policy.mode
        yield DatabaseFacts(name, database.owner, database.primary, tuple(database.replicas), database.replication, promotion)


def _schedule(scenario: Scenario) -> Iterator[ScheduleFacts]:
    for planned in scenario.schedule.faults:
        fault = make(planned.fault, planned.parameters)
        until = None if planned.lasts is None else planned.at + planned.lasts
        details = [f"{key}={value}" for key, value in fault.parameters_in_words().items()]
        details += [planned.note] if planned.note else []
        mended_by = fault.mended_by(Selector.parse(planned.target))
        yield ScheduleFacts(planned.at, until, planned.fault, planned.target, ", ".join(details), mended_by)
    for work in scenario.schedule.maintenance:
        yield ScheduleFacts(work.at, work.at + work.lasts, "maintenance", work.target, work.what, None)
    for failures in scenario.schedule.background:
        times = f"each member every {format_duration(failures.mtbf)}, repaired in {format_duration(failures.mttr)} (means)"
        yield ScheduleFacts(None, None, f"background {failures.fault}", failures.target, times, None)


def _people(scenario: Scenario) -> Iterator[str]:
    response = scenario.response
    for name, person in response.people.items():
        teams = [team for team, each in response.teams.items() if name in each.members]
        roles = [role for role, people in response.roles.items() if name in people]
        parts = [person.timezone, f"asleep {person.asleep[0]} to {person.asleep[1]}"]
        parts += [f"team {', '.join(teams)}"] if teams else []
        parts += [f"may be {', '.join(roles)}"] if roles else []
        parts += [f"knows {', '.join(person.knows)}"] if person.knows else []
        yield f"{name}: {'; '.join(parts)}"


def _escalations(scenario: Scenario) -> Iterator[str]:
    for name, escalation in scenario.response.escalations.items():
        levels = [f"{', '.join(level.notify)} ({format_duration(level.after)})" for level in escalation.levels]
        yield f"{name}: {' -> '.join(levels)}, repeated {escalation.repeat} times"


def _objectives(scenario: Scenario) -> Iterator[str]:
    for objective in scenario.objectives:
        share = "" if objective.at_least is None else f" in {objective.at_least:.0%} of replications"
        yield f"{objective.kpi} {objective.statistic} {objective.target}{share}{' (gate)' if objective.gate else ''}"


def _blast(scenario: Scenario, topology: Topology) -> Iterator[BlastFacts]:
    """Of every fault that takes something away; what only makes things slow or wrong takes nothing away for certain."""
    for planned in scenario.schedule.faults:
        if planned.fault in REMOVING:
            refs = topology.resolve(Selector.parse(planned.target))
            lines = topology.blast_radius(refs, scenario.load).in_words()
            yield BlastFacts(f"{planned.fault} {planned.target}", tuple(lines))


REMOVING = frozenset({"kill", "freeze", "partition", "outage", "dns_outage"})
"""Faults after which what they hit gives no answers."""
