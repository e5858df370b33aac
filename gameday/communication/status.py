"""What a public status page says: states of components and of incidents, named as Statuspage names them.

    component_state({"checkout": 0.3}, {"checkout": 0.05})      # partial_outage

The rule that surprises: Statuspage describes its states in words and names no shares. The shares here are those at which an incident is
severe (`communication.severity`): half of the requests lost is a major outage, a tenth a partial one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

ComponentState = Literal["operational", "degraded_performance", "partial_outage", "major_outage", "under_maintenance"]
"""States of a component on a status page."""
IncidentState = Literal["investigating", "identified", "monitoring", "resolved"]
"""States of an incident on a status page."""
ScheduledState = Literal["scheduled", "in_progress", "completed"]
"""States of planned work on a status page; `verifying` of Statuspage is left out, nothing here happens between the two."""
BY_SEVERITY: Final[tuple[ComponentState, ...]] = ("operational", "degraded_performance", "partial_outage", "major_outage")
"""States by what users lose, from nothing on."""
PARTIAL_RATIO: Final = 0.1
"""Share of lost requests from which it is a partial outage. Assumption."""
MAJOR_RATIO: Final = 0.5
"""Share from which it is a major outage. Assumption."""


def component_state(lost: Mapping[str, float], allowed: Mapping[str, float]) -> ComponentState:
    """State of a component that stands for some classes of requests, by the worst of them.

    `lost`: share of lost requests of each class; `allowed`: share its objective allows; a class within it is well.
    """
    hurt = [share for name, share in lost.items() if share > allowed[name] + 1e-9]
    worst = max(hurt, default=None)
    if worst is None:
        return "operational"
    if worst >= MAJOR_RATIO:
        return "major_outage"
    return "partial_outage" if worst >= PARTIAL_RATIO else "degraded_performance"


def mistaken(state: ComponentState) -> ComponentState:
    """The state next to the right one in the list: what somebody picks who picks wrong."""
    if state not in BY_SEVERITY:
        return "operational"
    at = BY_SEVERITY.index(state)
    return BY_SEVERITY[at - 1 if at else 1]
