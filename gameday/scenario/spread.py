"""A time that varies: the lognormal of every human phase."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gameday.scenario.base import Strict
from gameday.scenario.quantities import Duration


class LogNormal(Strict):
    """A lognormal time by its median and sigma (standard deviation of the logarithm)."""

    median: Duration
    """Median."""
    sigma: Annotated[float, Field(gt=0, le=3)] = 0.9
    """Standard deviation of the natural logarithm."""
