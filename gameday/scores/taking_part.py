"""What people show, and days in which none took part: what nobody was asked to do is not assessed, and counts neither way.

The rule that surprises: only a day that says so (`run.started` with `people: none`, a live day without `--hands-on`) is spared, and only as
long as nobody did anything after all. Simulated people who never answer a page have been asked, and are unable.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gameday.scores.kpis import KPIS
from gameday.scores.model import Measure, not_applicable

if TYPE_CHECKING:
    from gameday.scores.case import Case

NOT_ASSESSED: Final = "not assessed: no people took part"
"""The note of a KPI that nobody could have shown."""
_BY_PEOPLE: Final = frozenset(
    {
        "response.time_to_acknowledge",
        "response.time_to_declare",
        "response.time_to_command",
        "response.decision_log",
        "response.time_to_resolve",
        "compliance.clocks",
        "compliance.margin",
        "compliance.anchors",
        "compliance.archive",
    }
)
"""What only people do, besides all communication. Escalation is the paging service's, and the end of impact may be a machine's."""


def assessed(case: Case, measure: Measure) -> Measure:
    """The measure, or that it could not be taken for want of people."""
    by_people = measure.kpi in _BY_PEOPLE or KPIS[measure.kpi].dimension == "communication"
    if not by_people or measure.state == "not_applicable" or case.people_took_part:
        return measure
    return not_applicable(measure.kpi, NOT_ASSESSED)
