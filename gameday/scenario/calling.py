"""What a caller does to keep its calls in check: pools of connections, and leaving out instances that fail."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gameday.scenario.base import Strict
from gameday.scenario.quantities import Duration, Ratio


class Pool(Strict):
    """A pool of connections from each calling instance to what it calls. A timeout gives its connection back."""

    connections: Annotated[int, Field(ge=1, le=100_000)]
    """Attempts under way at once."""
    wait: Duration = 30.0
    """Longest wait for a free one; the timeout of the attempt begins afterwards (default of HikariCP: connectionTimeout)."""


class OutlierEjection(Strict):
    """Leaves out an instance whose answers are failures, one after the other: passive health checks, as in Envoy's outlier detection.

    One detector per service and region hears all callers. One instance may always be ejected (Envoy: `always_eject_one_host`).
    """

    failures: Annotated[int, Field(ge=1, le=10_000)] = 5
    """Failures in a row that eject it (Envoy: consecutive_5xx)."""
    base: Duration = 30.0
    """It stays out for this long times the number of its ejections (Envoy: base_ejection_time)."""
    longest: Duration = 300.0
    """Longest time out (Envoy: max_ejection_time)."""
    interval: Duration = 10.0
    """Each such time in rotation takes one off the number of its ejections (Envoy: interval)."""
    most: Ratio = 0.1
    """Share of the instances up to which further ones are ejected (Envoy: max_ejection_percent)."""
