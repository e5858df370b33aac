"""What a caller does to keep its calls in check: pools of connections."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gameday.scenario.base import Strict
from gameday.scenario.quantities import Duration


class Pool(Strict):
    """A pool of connections from each calling instance to what it calls. A timeout gives its connection back."""

    connections: Annotated[int, Field(ge=1, le=100_000)]
    """Attempts under way at once."""
    wait: Duration = 30.0
    """Longest wait for a free one; the timeout of the attempt begins afterwards (default of HikariCP: connectionTimeout)."""
