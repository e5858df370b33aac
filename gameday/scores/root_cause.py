"""At which place of the root-cause candidates the injected fault stands, by what monitoring knew when people began to look.

Alerts that fire are clustered, the cluster of the alert that paged is taken, and candidates are ranked from it and from the anomalies that
monitoring measured (`gameday.alerting.clusters`, `candidates`). The rule that surprises: the truth is used for the comparison alone; what
is ranked comes from `alert.firing`, `alert.resolved` and `alert.evidence`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from gameday.errors import MissingExtra
from gameday.scores.model import Measure, measured, never, not_applicable, unknown
from gameday.selectors import Selector, SelectorError, target_of

if TYPE_CHECKING:
    import networkx as nx

    from gameday.alerting.clusters import Fired
    from gameday.scores.case import Case
    from gameday.scores.incidents import FaultSpan, Incident
    from gameday.timeline import Event

KPI: Final = "detection.root_cause_rank"


def root_cause_rank(case: Case, incident: Incident) -> Iterator[Measure]:
    """Place of the injected fault among the candidates; of several faults, of the one that stands first."""
    seen = looked_at(case, incident)
    causes = {cause for fault in incident.faults for cause in causes_of(case, fault)}
    if not causes:
        yield not_applicable(KPI, "no fault was injected: there is no cause to find")
    elif seen is None:
        yield not_applicable(KPI, "no page about it kept what monitoring knew")
    else:
        try:
            found = candidates(case, seen)
        except MissingExtra as missing:
            yield unknown(KPI, str(missing), seen)
            return
        places = [place for place, name in enumerate(found, start=1) if name in causes]
        if places:
            first = ", ".join(found[:3])
            yield measured(KPI, places[0], seen, note=f"{found[places[0] - 1]} was candidate {places[0]}; first were {first}")
        else:
            yield never(KPI, float(len(found)), seen, note=f"none of {len(found)} candidates was the cause")


def looked_at(case: Case, incident: Incident) -> Event | None:
    """The newest evidence when the first responder began to look for the cause; without one, the first there was."""
    kept = case.of(incident, "alert.evidence")
    began = case.first(incident, "diagnosis.started")
    before = [event for event in kept if began is None or event.t <= began.t]
    return (before[-1] if before and began is not None else kept[0]) if kept else None


def candidates(case: Case, evidence: Event) -> list[str]:
    """Components, the likeliest cause first. MissingExtra without the analysis extra."""
    from gameday.alerting.candidates import ranked
    from gameday.alerting.clusters import clustered

    graph, alerts = graph_of(case), firing(case, evidence.t)
    clusters = clustered([_fired(event) for event in alerts], graph)
    own = {cluster for event, cluster in zip(alerts, clusters, strict=True) if event.subject == evidence.subject}
    subjects = [event.subject for event, cluster in zip(alerts, clusters, strict=True) if cluster in own]
    measured_anomalies = evidence.data.get("anomalies")
    anomalies = {str(k): float(v) for k, v in measured_anomalies.items()} if isinstance(measured_anomalies, dict) else {}
    return ranked(graph, anomalies, subjects or [evidence.subject])


def graph_of(case: Case) -> nx.DiGraph[str]:
    """The dependency graph of the scenario."""
    from gameday.alerting.candidates import dependency_graph

    return dependency_graph(case.scenario.system, case.scenario.load)


def firing(case: Case, at: float) -> list[Event]:
    """The newest `alert.firing` of every alert that fires at an instant."""
    found: dict[tuple[str, str], Event] = {}
    for event in case.events("alert.firing", "alert.resolved"):
        if event.t <= at:
            key = (event.subject, str(event.data.get("rule")))
            found.pop(key, None)
            if event.kind == "alert.firing":
                found[key] = event
    return list(found.values())


def _fired(event: Event) -> Fired:
    from gameday.alerting.alert import labels_of
    from gameday.alerting.clusters import Fired

    labels = event.data.get("labels")
    return Fired(
        event.t, event.subject, labels_of({str(k): str(v) for k, v in labels.items()} if isinstance(labels, dict) else {})
    )


def causes_of(case: Case, fault: FaultSpan) -> frozenset[str]:
    """The components a fault is in, as candidates are called."""
    return frozenset(_components(case, fault.selector))


def _components(case: Case, text: str) -> Iterator[str]:
    try:
        selector = Selector.parse(text)
    except SelectorError:
        yield text.partition("@")[0]
        return
    from gameday.alerting.candidates import link_meant

    link = link_meant(text.partition("@")[0], list(case.scenario.system.regions))
    if link is not None:
        yield link
    elif selector.kind == "group":
        for member in case.scenario.system.groups.get(selector.name, []):
            yield from _components(case, member)
    elif selector.kind in ("link", "dependency"):
        for end in text.partition("/")[2].split("->"):
            name = end.strip()
            yield from (name, target_of(name), f"zone/{name}", f"region/{name}")
    else:
        yield f"{'service' if selector.kind == 'instance' else selector.kind}/{selector.name}"
