"""Splits a timeline into incidents: what hurt users, from when to when, and which faults were behind it.

The rule that surprises: impacts that overlap, or follow each other within `INCIDENT_GAP_S`, are one incident, even of different classes
and faults: a team that has not stood down is still in the same incident. t0 is the earliest `impact.started`, never the fault.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gameday.timeline import Event, Events

INCIDENT_GAP_S: Final = 300.0
"""Impacts closer than this belong to one incident. Assumption: the time in which a page group is not notified again (Alertmanager's
default group_interval)."""


@dataclass(frozen=True, slots=True)
class FaultSpan:
    """One fault while it was active."""

    index: str
    """Position in the schedule, or the id of a background fault."""
    kind: str
    selector: str
    """The target as the scenario writes it."""
    start_s: float
    end_s: float | None
    """None = it was never healed."""
    injected: Event

    def active_in(self, start_s: float, end_s: float) -> bool:
        """Whether it was active at any time from `start_s` to `end_s`, both included."""
        return self.start_s <= end_s and (self.end_s is None or self.end_s >= start_s)


@dataclass(frozen=True, slots=True)
class Impact:
    """One class of requests while its users were hurt."""

    subject: str
    """`class/<name>` or `class/<name>@<origin>`."""
    start_s: float
    end_s: float | None
    """None = they were still hurt when the run ended."""
    started: Event
    ended: Event | None

    @property
    def request_class(self) -> str:
        """Name of the class."""
        return self.subject.removeprefix("class/").partition("@")[0]

    def hurts_at(self, t: float) -> bool:
        """Whether users were hurt at `t`."""
        return self.start_s <= t and (self.end_s is None or t < self.end_s)

    @property
    def worst_good_ratio(self) -> float:
        """Lowest known share of good answers: that of its end, or while it has none, that of its beginning."""
        for event, key in ((self.ended, "worst_good_ratio"), (self.started, "worst_good_ratio"), (self.started, "good_ratio")):
            if event is not None and isinstance(event.data.get(key), int | float):
                return event.number(key)
        return 0.0


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident."""

    number: int
    """From 1, in order of time."""
    t0_s: float
    """The instant from which users were hurt."""
    end_s: float | None
    """The instant from which nobody was hurt any more; None = not before the run ended."""
    begin_s: float
    """From when on events may belong to it: its earliest fault, but not before the end of the incident before."""
    until_s: float
    """Events from here on belong to the next incident, or the run is over."""
    impacts: tuple[Impact, ...]
    faults: tuple[FaultSpan, ...]

    def owns(self, t: float) -> bool:
        """Whether something that happened at `t` belongs to it."""
        return self.begin_s <= t < self.until_s

    def duration_s(self, run_end_s: float) -> float:
        """How long users were hurt; up to the end of the run where it never ended."""
        return (run_end_s if self.end_s is None else self.end_s) - self.t0_s


def fault_spans(timeline: Events) -> tuple[FaultSpan, ...]:
    """Every fault that was injected, with its end."""
    spans: list[FaultSpan] = []
    healings = list(timeline.of("fault.healed"))
    for event in timeline.of("fault.injected"):
        index = str(event.data.get("index", event.subject))
        healed = next((one for one in healings if one.t >= event.t and str(one.data.get("index", one.subject)) == index), None)
        if healed is not None:
            healings.remove(healed)
        kind, selector = str(event.data.get("fault", "fault")), str(event.data.get("selector", event.subject))
        spans.append(FaultSpan(index, kind, selector, event.t, healed.t if healed else None, event))
    return tuple(spans)


def impacts(timeline: Events) -> tuple[Impact, ...]:
    """Every impact, in order of its start. A second start without an end in between tells nothing new."""
    open_: dict[str, Event] = {}
    found: list[Impact] = []
    for event in timeline.of("impact.started", "impact.ended"):
        if event.kind == "impact.started":
            open_.setdefault(event.subject, event)
        elif (started := open_.pop(event.subject, None)) is not None:
            found.append(Impact(event.subject, started.t, event.t, started, event))
    found += (Impact(subject, started.t, None, started, None) for subject, started in open_.items())
    return tuple(sorted(found, key=lambda impact: (impact.start_s, impact.subject)))


def split(timeline: Events, run_end_s: float, gap_s: float = INCIDENT_GAP_S) -> tuple[Incident, ...]:
    """The incidents of a run that ended at `run_end_s`."""
    groups: list[list[Impact]] = []
    reach_s = float("-inf")
    for impact in impacts(timeline):
        if not groups or impact.start_s - reach_s > gap_s:
            groups.append([])
            reach_s = float("-inf")
        groups[-1].append(impact)
        reach_s = max(reach_s, run_end_s if impact.end_s is None else impact.end_s)
    spans = fault_spans(timeline)
    begins, found = [], []
    before_s = float("-inf")
    for group in groups:
        faults = _faults_behind(group, spans, run_end_s, gap_s)
        begins.append(max(before_s, min([group[0].start_s, *(fault.start_s for fault in faults)])))
        before_s = max(run_end_s if impact.end_s is None else impact.end_s for impact in group)
        found.append((group, faults))
    untils = [*begins, float("inf")][1:]
    return tuple(
        Incident(number, group[0].start_s, _end(group), begin_s, until_s, tuple(group), faults)
        for number, ((group, faults), begin_s, until_s) in enumerate(zip(found, begins, untils, strict=True), start=1)
    )


def _end(group: list[Impact]) -> float | None:
    ends = [impact.end_s for impact in group]
    return None if None in ends else max(end for end in ends if end is not None)


def _faults_behind(group: list[Impact], spans: tuple[FaultSpan, ...], run_end_s: float, gap_s: float) -> tuple[FaultSpan, ...]:
    """Faults that the impacts name as their cause, and those active while users were hurt; where there is none, those healed
    shortly before (what a metastable failure leaves behind).
    """
    named = {str(index) for impact in group for index in _list(impact.started.data.get("cause"))}
    start_s, end_s = group[0].start_s, max(run_end_s if impact.end_s is None else impact.end_s for impact in group)
    behind = [span for span in spans if span.active_in(start_s, end_s) or (span.index in named and span.start_s <= start_s)]
    if not behind:
        behind = [span for span in spans if span.active_in(start_s - gap_s, start_s)]
    return tuple(behind)


def _list(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple) else []
