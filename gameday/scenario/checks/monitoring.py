"""Checks of the monitoring: probes, rules and what they look at, silences, inhibitions, and who is paged.

What concerns one rule alone (its limits and windows) is checked by the rule itself, in `gameday.alerting`.
"""

from __future__ import annotations

from typing import get_args

from gameday.alerting.pipeline import problems as rule_problems
from gameday.scenario.checks.book import Book
from gameday.scenario.monitoring import (
    WORKBOOK,
    AbsenceRule,
    BacklogRule,
    BaselineRule,
    BurnRateRule,
    HeartbeatRule,
    IndicatorName,
    ProbeRule,
    Rule,
    Slo,
    ThresholdRule,
)
from gameday.scenario.tree import dotted
from gameday.units import format_duration

Path = tuple[str | int, ...]

_STATION = ("error_ratio", "request_rate", "utilisation", "queue_length", "instances_up")
INDICATORS: dict[str, tuple[str, ...]] = {
    "class": ("error_ratio", "request_rate", "latency_p50", "latency_p95", "latency_p99"),
    "service": _STATION,
    "database": (*_STATION, "replication_lag"),
    "queue": _STATION,
    "probe": ("probe_success",),
}
"""What can be measured on each kind of component; latency is measured where clients feel it, per class."""

_BURNING = ("class", "service")
_GROWING = ("queue", "service")
_REPORTING = ("service", "zone", "region")


def check_monitoring(book: Book) -> None:
    """Everything within `monitoring`."""
    monitoring = book.scenario.monitoring
    book.place(("monitoring", "location"), monitoring.location)
    for name, probe in monitoring.probes.items():
        path: Path = ("monitoring", "probes", name)
        book.known((*path, "class"), probe.request_class, book.scenario.load.classes, "request class")
        if probe.origin is not None:
            book.known((*path, "origin"), probe.origin, book.system.traffic.origins, "origin")
    book.adopt(rule_problems(monitoring, book.scenario.starts))
    for name, rule in monitoring.rules.items():
        _rule(book, ("monitoring", "rules", name), rule)
    for name, slo in monitoring.slos.items():
        _slo(book, ("monitoring", "slos", name), slo)
    _silences(book)
    _changes(book)
    _inhibitions(book)
    if monitoring.routing is not None:
        for name, receiver in monitoring.routing.receivers.items():
            if receiver.team is not None:
                path = ("monitoring", "routing", "receivers", name, "team")
                book.known(path, receiver.team, book.scenario.response.teams, "team")


def _slo(book: Book, path: Path, slo: Slo) -> None:
    _component(book, (*path, "on"), slo.on, _BURNING)
    if slo.team is not None:
        book.known((*path, "team"), slo.team, book.scenario.response.teams, "team")
    for row in WORKBOOK:
        name = f"{path[-1]}-{row.name}"
        if name in book.scenario.monitoring.rules:
            book.wrong(
                ("monitoring", "rules", name), f"has the name of a rule that is made from the objective {path[-1]}", of_key=True
            )


def _silences(book: Book) -> None:
    monitoring = book.scenario.monitoring
    for number, silence in enumerate(monitoring.silences):
        path: Path = ("monitoring", "silences", number)
        if silence.rule is not None:
            book.known((*path, "rule"), silence.rule, monitoring.every_rule, "rule")
        if silence.at >= book.scenario.duration > 0:
            end = format_duration(book.scenario.duration)
            book.wrong((*path, "at"), f"is not before the end of the day, at {end}")


def _changes(book: Book) -> None:
    calendar = book.scenario.monitoring.change_calendar
    for number, change in enumerate(calendar.changes or [] if calendar is not None else []):
        path: Path = ("monitoring", "change_calendar", "changes", number)
        book.selector((*path, "target"), change.target, ("service", "instance", "database", "zone", "region", "group"))
        if change.ends <= change.starts:
            book.wrong((*path, "ends"), "is not after its start", value=change.ends.isoformat())


def _inhibitions(book: Book) -> None:
    rules = book.scenario.monitoring.every_rule
    for number, inhibition in enumerate(book.scenario.monitoring.inhibitions):
        path: Path = ("monitoring", "inhibitions", number)
        for side, name in (("source", inhibition.source), ("target", inhibition.target)):
            if name is not None:
                book.known((*path, side), name, rules, "rule")
        only_rules = not (inhibition.source_matchers or inhibition.target_matchers)
        if only_rules and inhibition.source == inhibition.target is not None:
            book.wrong((*path, "target"), "a rule cannot make itself superfluous")


def _rule(book: Book, path: Path, rule: Rule) -> None:
    if rule.team is not None:
        book.known((*path, "team"), rule.team, book.scenario.response.teams, "team")
    match rule:
        case ThresholdRule() | BaselineRule():
            _threshold(book, path, rule)
        case BurnRateRule():
            _component(book, (*path, "on"), rule.on, _BURNING)
            if rule.short == rule.long:
                message = "must be shorter than the long window; usual is a twelfth of it"
                book.wrong((*path, "short"), message, value=format_duration(rule.short))
        case BacklogRule():
            _component(book, (*path, "on"), rule.on, _GROWING)
        case AbsenceRule():
            _component(book, (*path, "on"), rule.on, _REPORTING)
        case ProbeRule() | HeartbeatRule():
            pass
    _paged(book, path, rule)


def _threshold(book: Book, path: Path, rule: ThresholdRule | BaselineRule) -> None:
    assert set(get_args(IndicatorName)) == {name for names in INDICATORS.values() for name in names}, (
        "every indicator has a place"
    )
    kind = _component(book, (*path, "on"), rule.on, tuple(INDICATORS))
    if kind is not None and rule.indicator not in INDICATORS[kind]:
        places = ", ".join(place for place, names in INDICATORS.items() if rule.indicator in names)
        message = f"is not measured on a {kind}, only on: {places}; a {kind} has {', '.join(INDICATORS[kind])}"
        book.wrong((*path, "indicator"), message)
    elif rule.indicator == "replication_lag" and kind == "database":
        name = rule.on.partition("/")[2].partition("@")[0]
        if not book.system.databases[name].replicas:
            book.wrong((*path, "on"), f"database {name} has no replica, so it has no replication lag")


def _component(book: Book, path: Path, text: str, kinds: tuple[str, ...]) -> str | None:
    """The kind of component, when it exists and the rule can look at it."""
    kind, _, rest = text.partition("/")
    name, sign, place = rest.partition("@")
    tables = {
        "class": list(book.scenario.load.classes),
        "service": list(book.system.services),
        "database": list(book.system.databases),
        "queue": list(book.system.queues),
        "probe": list(book.scenario.monitoring.probes),
        "zone": list(book.topology.zones),
        "region": list(book.system.regions),
    }
    if kind not in kinds:
        forms = ", ".join(f"{each}/<name>" for each in kinds)
        words = [f"{each}/{word}" for each in kinds for word in tables[each]]
        book.wrong(path, f"this kind of rule looks at {forms}", value=text, candidates=words)
        return None
    if name not in tables[kind]:
        words = [f"{kind}/{word}{sign}{place}" for word in tables[kind]]
        book.wrong(path, f"there is no such {'request class' if kind == 'class' else kind}", value=text, candidates=words)
        return None
    return kind if not sign or _narrowed(book, path, text, kind, name) else None


def _narrowed(book: Book, path: Path, text: str, kind: str, name: str) -> bool:
    """What stands after the `@`: a region where the component is, for databases a zone with a node, for probes an origin."""
    if kind == "probe":
        probe = book.scenario.monitoring.probes[name]
        places = [probe.origin] if probe.origin else list(book.system.traffic.origins)
    elif kind == "service":
        places = list(book.topology.regions_with(name))
    elif kind == "database":
        places = [node.zone for node in book.topology.nodes_of(name)]
    elif kind == "queue":
        places = [ref.region for ref in book.topology.queues_of(name)]
    else:
        book.wrong(path, f"a {kind} cannot be narrowed with '@'", value=text)
        return False
    if text.partition("@")[2] in places:
        return True
    words = [f"{kind}/{name}@{each}" for each in places]
    where = ", ".join(places) or "nowhere"
    book.wrong(path, f"{kind} {name} is not there; it is in {where}", value=text, candidates=words)
    return False


def _paged(book: Book, path: Path, rule: Rule) -> None:
    """A rule that pages, in a scenario with people, reaches an escalation."""
    response = book.scenario.response
    if rule.severity != "page" or not response.people or "default" in response.escalations:
        return
    team = rule.team or _owner(book, getattr(rule, "on", ""))
    if team is None or (team in response.teams and response.teams[team].escalation is None):
        whose = f"team {team} has no escalation" if team else "no team is known"
        message = f"pages nobody: {whose}, and there is no escalation called default ({dotted(('response', 'escalations'))})"
        book.wrong(path, message, value=None, of_key=True)


def _owner(book: Book, component: str) -> str | None:
    kind, _, rest = component.partition("/")
    name = rest.partition("@")[0]
    if kind == "queue" and name in book.system.queues:
        kind, name = "service", book.system.queues[name].consumer
    if kind == "service" and name in book.system.services:
        return book.system.services[name].owner
    return book.system.databases[name].owner if kind == "database" and name in book.system.databases else None
