"""One run laid out for the scorers: its judged time, its incidents, its pages, and who is behind an action.

The rule that surprises: a page belongs to the incident in which its alert began to fire, not to the one in which it happens to be
delivered; and it may come up to `PAGE_TAIL_S` after the end of impact, because windows are long and groups wait.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Final

from gameday.scores.incidents import INCIDENT_GAP_S, FaultSpan, Incident, fault_spans, split
from gameday.scores.model import Evidence, Recording
from gameday.timeline import Event, Events, SeriesSet, Timeline

if TYPE_CHECKING:
    from gameday.scenario.model import Scenario
    from gameday.topology import Topology

PAGE_TAIL_S: Final = INCIDENT_GAP_S
"""How long after the end of impact a page still counts as being about it."""
CUSTOMERS: Final = frozenset({"customer", "customers", "user", "users"})
"""Names under which inquiries of customers are recorded."""


class Case:
    """What scorers are given. Everything before the warm-up is left out of what is counted."""

    def __init__(self, recording: Recording, scenario: Scenario) -> None:
        """Reads; changes nothing."""
        self.timeline: Timeline = recording.timeline
        self.series: SeriesSet = recording.series
        self.scenario = scenario
        self.start_s: float = scenario.warmup
        """From when on the run is judged."""
        ended = self.timeline.first("run.ended") or self.timeline.first("run.aborted")
        self.ended: Event | None = ended
        """The event that ended the run; None when it broke off without one."""
        self._of_kinds: dict[tuple[str, ...], Events] = {}
        self.end_s: float = ended.t if ended else max((event.t for event in self.timeline), default=0.0)
        """When the run ended; where nothing says so, its last event."""

    @cached_property
    def incidents(self) -> tuple[Incident, ...]:
        """The incidents, from 1."""
        return split(self.timeline, self.end_s)

    @cached_property
    def faults(self) -> tuple[FaultSpan, ...]:
        """All faults, in order of their start."""
        return fault_spans(self.timeline)

    @cached_property
    def topology(self) -> Topology:
        """What is where, and what depends on what."""
        from gameday.topology import Topology

        return Topology(self.scenario.system)

    @cached_property
    def pages(self) -> Events:
        """Pages sent in the judged time."""
        return self.events("page.sent").where(lambda event: event.t >= self.start_s)

    @cached_property
    def people_took_part(self) -> bool:
        """Whether people were asked, simulated or real, or did something unasked."""
        started = self.timeline.first("run.started")
        if started is None or started.data.get("people") != "none":
            return True
        return any(event.source == "human" for event in self.timeline)

    @property
    def judged_s(self) -> float:
        """Length of the judged time."""
        return max(0.0, self.end_s - self.start_s)

    def evidence(self, event: Event) -> Evidence:
        """A reference to an event of the timeline."""
        return Evidence(self._positions[id(event)], event.t, event.kind, event.subject)

    @cached_property
    def _positions(self) -> Mapping[int, int]:
        return {id(event): position for position, event in enumerate(self.timeline)}

    def events(self, *kinds: str) -> Events:
        """Events of these kinds (no patterns), in order of the timeline."""
        if kinds not in self._of_kinds:
            places = sorted(place for kind in set(kinds) for place in self._places.get(kind, ()))
            self._of_kinds[kinds] = Events(self.timeline[place] for place in places)
        return self._of_kinds[kinds]

    @cached_property
    def _places(self) -> Mapping[str, list[int]]:
        """Kind to its positions in the timeline."""
        found: dict[str, list[int]] = {}
        for place, event in enumerate(self.timeline):
            found.setdefault(event.kind, []).append(place)
        return found

    def of(self, incident: Incident, *kinds: str) -> Events:
        """Events of these kinds that belong to an incident by their time."""
        return self.events(*kinds).where(lambda event: incident.owns(event.t))

    def first(self, incident: Incident, *kinds: str) -> Event | None:
        """The first event of these kinds that belongs to an incident."""
        found = self.of(incident, *kinds)
        return found[0] if found else None

    def pages_about(self, incident: Incident) -> Events:
        """Pages sent about an incident."""
        return self.pages.where(lambda page: self.incident_of(page) is incident)

    def incident_of(self, page: Event) -> Incident | None:
        """The incident a page is about: that in whose time its alert fired, at most `PAGE_TAIL_S` after its end.

        A page about a rule that the scenario does not have (`rule/noise`) is about nothing, whenever it comes.
        """
        kind, _, name = page.subject.partition("/")
        if kind == "rule" and name not in self.scenario.monitoring.every_rule:
            return None
        since_s = self.alert_time(page)
        for incident in self.incidents:
            last_s = self.end_s if incident.end_s is None else incident.end_s + PAGE_TAIL_S
            if incident.owns(since_s) and since_s <= last_s:
                return incident
        return None

    def alert_time(self, page: Event) -> float:
        """When the newest of the alerts a page names began to fire; the time of the page where none is known."""
        rules = page.data.get("rules")
        if not isinstance(rules, list) or not rules:
            return page.t
        fired = [one.t for one in self._firing if one.t <= page.t and one.data.get("rule") in rules]
        return max(fired, default=page.t)

    @cached_property
    def _firing(self) -> Events:
        return self.events("alert.firing")

    def declared(self, incident: Incident) -> Event | None:
        """The declaration of an incident."""
        return self.first(incident, "incident.declared")

    def severity(self, incident: Incident) -> str | None:
        """The most severe severity it was given (`sev1` before `sev2`); None when it was not declared."""
        events = self.of(incident, "incident.declared", "incident.severity")
        return min((str(event.data.get("severity", "")) for event in events), default=None)

    def is_person(self, name: object) -> bool:
        """Whether an action by `name` is a person's; what is not in the cast is automation."""
        return isinstance(name, str) and name.removeprefix("person/") in self.scenario.response.people

    def is_critical(self, request_class: str) -> bool:
        """Whether a class of requests is critical."""
        known = self.scenario.load.classes.get(request_class)
        return known is not None and known.priority == "critical"

    def deserves_declaration(self, incident: Incident) -> bool:
        """Whether a critical class lost at least the share from which the scenario wants an incident declared."""
        limit = self.scenario.response.declare_above
        return any(self.is_critical(one.request_class) and 1.0 - one.worst_good_ratio >= limit for one in incident.impacts)

    def wanted_severities(self, incident: Incident) -> frozenset[str]:
        """The severity it was given; one that should have been declared and was not counts as sev2, the least that is declared."""
        given = self.severity(incident)
        if given is not None:
            return frozenset({given})
        return frozenset({"sev2"}) if self.deserves_declaration(incident) else frozenset()
