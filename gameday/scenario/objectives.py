"""What the day must show: a statistic of a KPI against a target.

Targets are written with the KPI's own unit (`<= 5m`, `>= 99%`, `0`); a bare value means "at least as good as".
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gameday.scenario.base import Strict


class Objective(Strict):
    """One objective."""

    kpi: str
    """`dimension.kpi`, see the KPI reference."""
    statistic: Literal["p50", "p90", "p95", "p99", "worst", "pass_rate"] = "p90"
    """Over replications: a quantile on the bad side, the worst, or the share of replications that meet `target`."""
    target: str | float
    """What the KPI must reach, e.g. `<= 5m`."""
    at_least: Annotated[float, Field(ge=0, le=1)] | None = None
    """For pass_rate: the share needed (default 0.9)."""
    weight: Annotated[float, Field(gt=0, le=100)] = 1.0
    """Weight in the summary."""
    gate: bool = False
    """Whether the run fails (exit code 1) when it is not met; the others are shown."""
