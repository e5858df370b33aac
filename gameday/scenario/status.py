"""The public status page of a scenario: where it runs, what it shows, and whether a tool or people keep it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gameday.human_factors import ACTION, PROCEDURES_NONE, PROCEDURES_POOR, STRESS_HIGH, probability
from gameday.scenario.base import Strict
from gameday.scenario.quantities import Duration, Ratio
from gameday.scenario.spread import LogNormal
from gameday.scenario.system import Name


class StatusComponent(Strict):
    """A component as the public knows it."""

    classes: Annotated[list[Name], Field(min_length=1)]
    """Request classes it stands for; its state is that of the worst."""
    region: Name | None = None
    """Clients of one region only; none = everybody."""
    maintenance: list[str] = []
    """Targets of planned work (`schedule.maintenance`) during which it is under maintenance, written as there."""


class StatusPage(Strict):
    """The public status page."""

    location: str = "outside"
    """Where it runs: `region/<name>`, `zone/<name>` or `outside`; on a failed place it cannot be updated."""
    automatic: bool = False
    """Whether the incident tool updates it; false: somebody retypes (slower, with mistakes)."""
    retype: LogNormal = LogNormal(median=120.0, sigma=0.6)
    """Time retyping takes. Assumption."""
    components: dict[Name, StatusComponent] = {}
    """What it shows; none = messages only. Share of lost requests at which a state begins: objective missed, 10%, 50% (assumption)."""
    set_component: LogNormal = LogNormal(median=20.0, sigma=0.5)
    """By hand: time it takes to find a component and set its state. Assumption."""
    wrong: Ratio = round(probability(ACTION, PROCEDURES_POOR, STRESS_HIGH), 4)
    """By hand: probability that a state is set wrong, half of the time on another component. SPAR-H: action, poor procedures, high stress."""
    forgotten: Ratio = round(probability(ACTION, PROCEDURES_NONE, STRESS_HIGH), 4)
    """By hand: probability that a component is not set back, an incident or planned work not ended on the page when it is over. SPAR-H:
    action without a procedure, high stress."""
    looked_at: Duration = 1800.0
    """By hand: mean time until somebody looks at the page, sees what is wrong on it and sets it right. Assumption."""
