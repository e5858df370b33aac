"""What became of each class that was hurt, once the cause was gone: recovered, degraded or metastable, with the windows that were looked at.

The rule that surprises: the judge is the monitor that also scores `shedding.metastable`, but here each class is judged by itself, up to where
the next incident begins; one that is judged well may belong to an incident whose other classes are not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gameday.recovery import EPSILON, WINDOW_S, Aftermath, aftermath
from gameday.report.words import duration

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from gameday.scenario.model import Scenario
    from gameday.scores.case import Case
    from gameday.scores.incidents import Impact, Incident
    from gameday.timeline import SeriesSet, Timeline

    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class AfterRow:
    """One impact on one class."""

    request_class: str
    start_s: float
    end_s: float | None
    """When its users were well again; None: not before the run ended."""
    trigger: tuple[float, float] | None
    """From when to when lasted what caused it; None: nothing known did."""
    until_s: float
    """Up to when it was looked at."""
    found: Aftermath | None
    """None: not judged, because its cause is not known or did not end."""
    ends_s: Floats
    share: Floats
    """Share of good answers in the windows that end then; NaN where nothing was asked."""

    @property
    def state(self) -> str:
        """One word."""
        return "not judged" if self.found is None or self.found.state == "unknown" else self.found.state

    @property
    def sentence(self) -> str:
        """Why."""
        found = self.found
        if self.trigger is None:
            return "nothing that is on record caused it"
        if found is None:
            return "its cause lasted to the end of what was looked at"
        if found.state == "unknown":
            return "nothing was asked before its cause, or nothing after it"
        if found.state == "metastable":
            return f"unwell for {duration(found.stuck_s)} in a row with neither its cause nor more demand than before"
        if found.state == "recovered" and self.end_s is not None and self.end_s <= self.trigger[1]:
            return f"well again {duration(self.end_s - self.start_s)} later, before its cause was gone"
        if found.after_s is None:
            return "never well for half a minute in a row after its cause was gone"
        return (
            "well as soon as its cause was gone"
            if found.after_s < WINDOW_S
            else f"well {duration(found.after_s)} after its cause was gone"
        )

    @property
    def well_from(self) -> float | None:
        """Least share of good answers of a window that counts as well."""
        known = None if self.found is None else self.found.baseline
        return None if known is None else known - EPSILON


def after_rows(scenario: Scenario, timeline: Timeline, series: SeriesSet) -> list[AfterRow]:
    """One for each impact, in order of time."""
    from gameday.scores.case import Case
    from gameday.scores.model import Recording

    case = Case(Recording(timeline, series), scenario)
    return [_row(case, incident, impact) for incident in case.incidents for impact in incident.impacts]


def _row(case: Case, incident: Incident, impact: Impact) -> AfterRow:
    import numpy as np

    from gameday.scores.readings import added, chosen
    from gameday.scores.shedding import cause_of

    name = impact.request_class
    ends_s, offered = added(chosen(case.series, "requests.offered", lambda labels: labels.get("class") == name), WINDOW_S)
    good_at, answered = added(chosen(case.series, "requests.good", lambda labels: labels.get("class") == name), WINDOW_S)
    known = dict(zip(good_at.tolist(), answered.tolist(), strict=True))
    good = np.asarray([known.get(t, 0.0) for t in ends_s.tolist()])
    judged = ends_s > case.start_s
    ends_s, offered, good = ends_s[judged], offered[judged], good[judged]
    until_s = min(case.end_s, incident.until_s)
    trigger = cause_of(case, incident, (incident.t0_s, case.end_s if incident.end_s is None else incident.end_s))
    found = None
    if trigger is not None and trigger[1] < until_s:
        found = aftermath(ends_s, offered, good, trigger, until_s)
    share = np.divide(good, offered, out=np.full(len(offered), np.nan), where=offered > 0)
    return AfterRow(name, impact.start_s, impact.end_s, trigger, until_s, found, ends_s, np.minimum(share, 1.0))
