"""Compliance: regulatory clocks against an oracle of their own, and whether the record is whole.

The rule that surprises: a clock is judged twice, by what the run recorded and by what its anchor, its duty and the messages say. It is
missed when either says so, so a clock that was started from the wrong event, or never, cannot pass.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gameday.scores.incidents import impacts
from gameday.scores.kpis import format_value
from gameday.scores.model import Measure, measured, not_applicable
from gameday.scores.registry import Scorer, per_run
from gameday.scores.regulatory import anchors, stands
from gameday.timeline_kinds import KINDS, kind_problems

if TYPE_CHECKING:
    from gameday.scenario.communication import RegulatoryClock
    from gameday.scores.case import Case
    from gameday.timeline import Event, Events

SAME_TIME_S: Final = 60.0
"""How far a recorded due time may be from that of the oracle: machines look at clocks every few seconds, people round to minutes."""
_IDENTITY: Final = {"page": ("page", "person"), "clock": ("clock", "regime"), "action": ("action", "target")}
"""Families of events with a beginning and an end, and the keys by which the two are known to belong together."""
_BEGINNINGS: Final = frozenset({"sent", "started"})
_ENDINGS: Final = frozenset({"delivered", "acknowledged", "missed", "met", "late", "succeeded", "failed"})
_CLOCKS: Final = "compliance.clocks"
_MARGIN: Final = "compliance.margin"
_EVIDENCE: Final = "compliance.evidence"
_ARCHIVE: Final = "compliance.archive"


@dataclass(frozen=True, slots=True)
class ClockTruth:
    """What a clock should have done."""

    name: str
    due_s: float
    met_s: float | None
    """When the first message that meets it was published; None = not in the run."""

    def missed(self, end_s: float) -> bool:
        """Whether its time was over before it was met."""
        return self.due_s < (end_s if self.met_s is None else self.met_s)


def clocks(case: Case) -> Iterator[Measure]:
    """Clocks that were missed, and the smallest margin."""
    started = case.events("clock.started")
    truths = [truth for name, plan in case.scenario.communication.clocks.items() if (truth := clock_truth(case, name, plan))]
    truths += [ClockTruth(one.name, one.due_s, one.met_s) for one in stands(case) if one.due_s is not None]
    if not started and not truths:
        plan = case.scenario.communication
        why = "no clock began to run" if plan.clocks or plan.regulation.duties else "there is no regulatory clock"
        yield not_applicable(_CLOCKS, why)
        yield not_applicable(_MARGIN, why)
        return
    missed = {truth.name: _in_words(truth, case.end_s) for truth in truths if truth.missed(case.end_s)}
    for event in started:
        why = _recorded_miss(case, event, next((truth for truth in truths if truth.name == _name(event)), None))
        if why:
            missed.setdefault(_name(event), why)
    events = case.events("clock.started", "clock.late", "clock.met")
    note = (
        "; ".join(missed.values()) or f"{len({_name(event) for event in started} | {t.name for t in truths})} clocks, none missed"
    )
    yield measured(_CLOCKS, len(missed), *events[:6], note=note)
    margins = [truth.due_s - truth.met_s for truth in truths if truth.met_s is not None]
    margins += [event.number("margin_s") for event in case.events("clock.met") if event.data.get("margin_s") is not None]
    margins += [truth.due_s - case.end_s for truth in truths if truth.met_s is None and truth.missed(case.end_s)]
    if margins:
        yield measured(
            _MARGIN, min(margins), *events[:6], note=f"{format_value(_MARGIN, min(margins))} left on the tightest clock"
        )
    else:
        yield not_applicable(_MARGIN, "no clock has been met or missed yet")


def evidence(case: Case) -> Iterator[Measure]:
    """Whether the record of the run is whole."""
    gaps = [*_broken_frame(case), *_events_without_beginning(case.timeline), *_malformed(case.timeline)]
    note = gaps[0] + (f", and {len(gaps) - 1} more" if len(gaps) > 1 else "") if gaps else "the record is whole"
    yield measured(_EVIDENCE, float(not gaps), note=note)


def archive(case: Case) -> Iterator[Measure]:
    """Messages that are kept."""
    published = case.events("message.published")
    if not published:
        yield not_applicable(_ARCHIVE, "nothing was published")
        return
    kept = {event.data.get("message") for event in case.events("message.archived")}
    missing = [event for event in published if event.data.get("message") not in kept]
    note = (
        f"{len(missing)} of {len(published)} messages are not in the archive"
        if missing
        else f"{len(published)} messages are kept"
    )
    yield measured(_ARCHIVE, 1 - len(missing) / len(published), *missing[:5], note=note)


def clock_truth(case: Case, name: str, plan: RegulatoryClock) -> ClockTruth | None:
    """When a clock was due and met, from its anchor, its duty and the messages alone; None = it never had to run."""
    anchor = case.timeline.first(plan.anchor)
    duty_s = 0.0 if plan.when_impact_longer_than == 0 else _duty_from(case, plan.when_impact_longer_than)
    if anchor is None or duty_s is None:
        return None
    told = case.events("message.published").where(lambda event: event.data.get("audience") == plan.audience)
    return ClockTruth(name, max(anchor.t, duty_s) + plan.within, told[0].t if told else None)


def _duty_from(case: Case, longer_than_s: float) -> float | None:
    """When users had first been hurt for so long without a break."""
    since_s = until_s = float("-inf")
    for impact in impacts(case.timeline):
        if impact.start_s > until_s:
            since_s = impact.start_s
        until_s = max(until_s, case.end_s if impact.end_s is None else impact.end_s)
        if until_s - since_s >= longer_than_s:
            return since_s + longer_than_s
    return None


def _recorded_miss(case: Case, started: Event, truth: ClockTruth | None) -> str:
    """What the run itself recorded against a clock; empty = nothing."""
    name, due_s = _name(started), started.number("due_s")
    after = case.events("clock.met", "clock.late").where(lambda event: _name(event) == name and event.t >= started.t)
    if any(event.kind == "clock.late" for event in after):
        return f"{name} was late"
    if not after and due_s < case.end_s:
        return f"{name} ran out with nothing sent"
    if truth is not None and due_s > truth.due_s + SAME_TIME_S:
        return f"{name} was started {format_value(_MARGIN, due_s - truth.due_s)} too late"
    return ""


def _in_words(truth: ClockTruth, end_s: float) -> str:
    late_s = (end_s if truth.met_s is None else truth.met_s) - truth.due_s
    done = "nothing was sent" if truth.met_s is None else "it was sent late"
    return f"{truth.name} is {format_value(_MARGIN, late_s)} over: {done}"


def _broken_frame(case: Case) -> Iterator[str]:
    if case.timeline.first("run.started") is None:
        yield "the run has no beginning"
    if case.ended is None:
        yield "the run has no end"
    elif any(event.t > case.ended.t and not event.kind.startswith("postmortem.") for event in case.timeline):
        yield "something happened after the end of the run"
    yield from case.timeline.warnings
    if any(event.source == "live" for event in case.timeline):
        proven = {str(event.data.get("index", event.subject)) for event in case.events("fault.proven")}
        for fault in case.faults:
            if fault.index not in proven:
                yield f"nothing proves that {fault.kind} {fault.selector} bit"


def _events_without_beginning(timeline: Events) -> Iterator[str]:
    """Ends whose beginning is missing."""
    begun: set[tuple[str, ...]] = set()
    for event in timeline:
        family, _, state = event.kind.partition(".")
        keys = _IDENTITY.get(family)
        if keys is None:
            continue
        identity = (family, *(str(event.data.get(key)) for key in keys))
        if state in _BEGINNINGS:
            begun.add(identity)
        elif state in _ENDINGS and identity not in begun:
            yield f"{event.kind} at {_at(event)} without its beginning"


def _malformed(timeline: Events) -> Iterator[str]:
    for event in timeline:
        if event.kind in KINDS and (problems := kind_problems(event.kind, event.subject, event.data)):
            yield f"at {_at(event)}: {problems[0]}"


def _name(event: Event) -> str:
    return str(event.data.get("clock", event.subject.removeprefix("clock/")))


def _at(event: Event) -> str:
    return format_value(_MARGIN, event.t)


SCORERS: Final[tuple[Scorer, ...]] = (
    per_run(clocks, _CLOCKS, _MARGIN),
    per_run(anchors, "compliance.anchors"),
    per_run(evidence, _EVIDENCE),
    per_run(archive, _ARCHIVE),
)
