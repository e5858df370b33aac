"""Where each legal duty stood at the end of a run, by the law's own anchors. Not legal advice.

The rule that surprises: a missing anchor is neither late nor fine. Where nobody classified the incident no clock of DORA ran, and the run
cannot show that the duty was met.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gameday.clocks import DISCLAIMER
from gameday.duty_clock import (
    ANCHORS_OF,
    NOTICE_BEFORE,
    OutageMeter,
    audience_before,
    calendar_of,
    due_s,
    from_size,
    reaches,
)
from gameday.regimes import DUTIES, Anchor, State
from gameday.scores.incidents import impacts
from gameday.scores.model import Measure, measured, not_applicable
from gameday.scores.readings import lost_by_minute
from gameday.units import format_duration

if TYPE_CHECKING:
    from gameday.scenario.regulation import LegalDuty
    from gameday.scores.case import Case

_ANCHORS: Final = "compliance.anchors"


@dataclass(frozen=True, slots=True)
class Stand:
    """Where one duty stood."""

    name: str
    state: State
    due_s: float | None = None
    met_s: float | None = None


def stands(case: Case) -> list[Stand]:
    """Every duty of the scenario, at the end of the run."""
    return [_stand(case, name, duty) for name, duty in case.scenario.communication.regulation.duties.items()]


def anchors(case: Case) -> Iterator[Measure]:
    """Duties whose anchor nobody recorded, and where all of them stand."""
    found = stands(case)
    if not found:
        yield not_applicable(_ANCHORS, "no duty of notification is named (communication.regulation)")
        return
    missing = sum(one.state == "anchor-missing" for one in found)
    events = case.events("incident.classified", "clock.started", "clock.met", "clock.late")[:6]
    yield measured(_ANCHORS, missing, *events, note=f"{'; '.join(_in_words(case, one) for one in found)}. {DISCLAIMER}")


def _stand(case: Case, name: str, plan: LegalDuty) -> Stand:
    spans = impacts(case.timeline)
    duty, applies_s = DUTIES[name], _applies_from(case, plan)
    if not spans or applies_s is None or duty.anchor == "paid":
        return Stand(name, "not-applicable")
    known = _anchors(case, name, spans[0].start_s)
    before = NOTICE_BEFORE.get(duty.anchor)
    if duty.anchor not in known:
        return Stand(name, "anchor-missing" if before is None else "not-started")
    regulation = case.scenario.communication.regulation
    due = due_s(name, from_size(known, applies_s), calendar_of(regulation), case.scenario.starts)
    assert due is not None, "it has its anchor"
    sent = [event.t for event in case.events("message.published") if event.data.get("audience") == plan.audience]
    met = next((t for t in sent if before is None or t > known[duty.anchor]), None)
    if met is not None:
        return Stand(name, "met" if met <= due else "late", due, met)
    return Stand(name, "running" if case.end_s <= due else "late", due)


def _anchors(case: Case, name: str, hurt_s: float) -> dict[Anchor, float]:
    """Anchors by the events of the timeline, seconds; what came before users were hurt is none."""
    found: dict[Anchor, float] = {}
    for kind, names in ANCHORS_OF.items():
        first = next((event.t for event in case.events(kind) if event.t >= hurt_s), None)
        for anchor in names if first is not None else ():
            assert first is not None, "it happened"
            found[anchor] = min(first, found.get(anchor, first))
    before = audience_before(case.scenario.communication.regulation, name)
    told = case.events("message.published").where(lambda event: event.data.get("audience") == before)
    if before is not None and told:
        found[DUTIES[name].anchor] = told[0].t
    return found


def _applies_from(case: Case, plan: LegalDuty) -> float | None:
    """When the outage had reached the threshold of a duty; None = never."""
    if plan.only_if is None:
        return 0.0
    scenario = case.scenario
    critical = [name for name, each in scenario.load.classes.items() if each.priority == "critical"]
    meter = OutageMeter(critical, scenario.system.money.currency == "EUR")
    minutes = {name: dict(lost_by_minute(case.series, name)) for name in scenario.load.classes}
    values = case.series.find("class.value_lost")
    for at in sorted({at for each in minutes.values() for at in each if case.start_s < at <= case.end_s}):
        money = sum(one.at(at) - max(0.0, one.at(case.start_s)) for one in values if one.at(at) > 0)
        if reaches(plan.only_if, meter.look(at, {name: each[at] for name, each in minutes.items() if at in each}, money)):
            return at
    return None


def _in_words(case: Case, one: Stand) -> str:
    if one.state == "anchor-missing":
        return f"{one.name} anchor-missing ({DUTIES[one.name].anchor})"
    if one.due_s is None:
        return f"{one.name} {one.state}"
    left_s = one.due_s - (case.end_s if one.met_s is None else one.met_s)
    return f"{one.name} {one.state} ({format_duration(round(abs(left_s)))} {'left' if left_s >= 0 else 'over'})"
