"""What one KPI is: a row of the table in `definitions.py`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Unit = Literal["s", "ratio", "count", "money", "per_day", "rank", "bool"]
Better = Literal["lower", "higher"]


@dataclass(frozen=True, slots=True)
class Kpi:
    """One thing that is scored."""

    name: str
    """Full name, `dimension.kpi`."""
    dimension: str
    """The part of the response it belongs to."""
    unit: Unit
    """Base unit of its values; a bool is 1 for yes and 0 for no."""
    better: Better
    """Which way is better."""
    default_target: float | None
    """Target where the scenario sets none, in the unit; None where only a scenario can know."""
    critical: bool
    """Whether it decides the grade of its dimension."""
    hard: bool
    """Whether missing it caps the grade of the run at U."""
    title: str
    """A short sentence fragment, for tables."""
    definition: str
    """How it is computed from the timeline and the series."""
    source: str
    """Where the target or the definition comes from."""


SCENARIO: Final = "set by the scenario"
HARD: Final = "hard failure of the method: no run with it can pass"
OWN: Final = "assumption of this project"
PAGERDUTY: Final = "PagerDuty incident response documentation"
SRE: Final = "Site Reliability Engineering, chapter 11 (5 minutes for user-facing services)"


def kpi(
    name: str,
    unit: Unit,
    better: Better,
    target: float | None,
    title: str,
    definition: str,
    source: str,
    *,
    critical: bool = False,
    hard: bool = False,
) -> Kpi:
    """A row of the table; its dimension is in its name."""
    return Kpi(name, name.partition(".")[0], unit, better, target, critical, hard, title, definition, source)
