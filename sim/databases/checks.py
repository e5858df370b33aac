"""When the proxy beside the callers asks the nodes of a database who is primary; between two checks it knows nothing new.

    check ── interval ── check ── interval ── check          once a connection has gone through it
    start ─────────────── no_traffic ─────────────── check   when none has by the end of the first check

The rule that surprises: the wait is chosen when a check ends and is not cut short by what happens during it. A proxy that has just been
started has passed no connection when its first check ends, so it looks again only after `no_traffic`, however busy it is by then.
(Envoy, `HealthCheckerImplBase::interval`: no_traffic_interval until the cluster's count of connections is used.)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from gameday.scenario.policies import RouteCheck


@dataclass(slots=True)
class ProxyChecks:
    """The proxy of one region."""

    check: RouteCheck
    connections: Callable[[], int]
    """Calls that the region's callers have made so far."""
    due_s: float
    """The next check."""
    _before: int = field(default=0)
    """Calls made before the proxy was started: they went through an earlier one."""
    _used: bool = True
    """Whether a connection has gone through it."""

    def started(self, now: float) -> None:
        """The proxy was started: it checks at once, and then waits."""
        self._before = self.connections()
        self._used = False
        self.due_s = now + self._wait_s()

    def next_after(self, now: float) -> float:
        """When the next check is, later than now."""
        while self.due_s <= now:
            self.due_s += self._wait_s()
        return self.due_s

    def _wait_s(self) -> float:
        self._used = self._used or self.connections() > self._before
        return self.check.interval if self._used or self.check.no_traffic is None else self.check.no_traffic
