"""What the status page showed of its components, held against what their users had, minute by minute.

The rule that surprises: minutes in which all was well and the page said so count for nothing. A page that is green through an outage has
0 %, and so has one that is red for as long afterwards.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from gameday.communication.status import component_state
from gameday.scores.failover_decision import origins_of
from gameday.scores.kpis import format_value
from gameday.scores.model import Measure, measured, not_applicable
from gameday.scores.readings import lost_by_minute

if TYPE_CHECKING:
    from gameday.scenario.status import StatusComponent
    from gameday.scores.case import Case

_KPI: Final = "communication.component_status"


def component_status(case: Case) -> Iterator[Measure]:
    """Share of the minutes that matter in which the page was true."""
    components = case.scenario.communication.status_page.components
    if not components:
        yield not_applicable(_KPI, "the status page shows no components")
        return
    right, counted, wrong = 0, 0, Counter[str]()
    for name, component in components.items():
        for at, true in true_states(case, component).items():
            shown = _shown(case, name, at)
            if shown == true == "operational":
                continue
            counted += 1
            right += shown == true
            if shown != true:
                wrong[f"{name} was shown as {shown} and was {true}"] += 1
    if not counted:
        yield not_applicable(_KPI, "every component was well, and shown so")
        return
    events = case.events("status.component")[:6]
    words, minutes = wrong.most_common(1)[0] if wrong else ("", 0)
    note = f"{words} for {minutes} min" if wrong else f"{counted} minutes, all of them true"
    yield measured(_KPI, right / counted, *events, note=f"{format_value(_KPI, right / counted)}: {note}")


def true_states(case: Case, component: StatusComponent) -> dict[float, str]:
    """State of a component at the end of each minute of the run after the warm-up."""
    classes = case.scenario.load.classes
    allowed = {name: 1.0 - classes[name].indicator.good for name in component.classes}
    lost: dict[float, dict[str, float]] = {}
    for name in component.classes:
        origins = None if component.region is None else origins_of(case, component.region)
        for origin in [None] if origins is None else sorted(origins):
            for at, share in lost_by_minute(case.series, name, origin):
                before = lost.setdefault(at, {}).get(name, 0.0)
                lost[at][name] = max(share, before)
    planned = [each for each in case.scenario.schedule.maintenance if each.target in component.maintenance]
    return {
        at: "under_maintenance"
        if any(each.at <= at < each.at + each.lasts for each in planned)
        else component_state(shares, allowed)
        for at, shares in sorted(lost.items())
        if case.start_s < at <= case.end_s
    }


def _shown(case: Case, name: str, at: float) -> str:
    """What the page showed at an instant; before it was ever set all is well on it."""
    set_before = case.events("status.component").where(lambda event: event.t <= at and event.data.get("component") == name)
    return str(set_before[-1].data.get("state")) if set_before else "operational"
