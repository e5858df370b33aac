"""A circuit breaker: closed, open after too many failures in a row, half open for a few trials, closed again.

The rule that surprises: every change of state begins a new *epoch*, and an outcome counts only in the epoch its attempt was
let through in. So the late failures of attempts sent before the breaker opened can neither reopen it nor close it.
"""

from __future__ import annotations

from sim.traffic.plan import BreakerPlan

CLOSED, OPEN, HALF_OPEN = 0, 1, 2


class Breaker:
    """State of one edge's breaker. `succeeded` and `failed` return True when it closes or opens (from closed)."""

    __slots__ = ("epoch", "failures", "index", "limit", "open_s", "reopens_at", "state", "trials", "trying")

    def __init__(self, plan: BreakerPlan, index: int) -> None:
        self.index = index
        self.limit = plan.failures
        self.open_s = plan.open_s
        self.trials = plan.trials
        self.state = CLOSED
        self.epoch = 0
        self.failures = 0  # in a row
        self.reopens_at = 0.0  # when trials begin
        self.trying = 0

    def lets_through(self, now: float) -> bool:
        """Whether an attempt may be made now; in the half-open state this takes one of the trials."""
        if self.state == OPEN:
            if now < self.reopens_at:
                return False
            self.state = HALF_OPEN
            self.epoch += 1
            self.trying = 0
        if self.state == HALF_OPEN:
            if self.trying >= self.trials:
                return False
            self.trying += 1
        return True

    def succeeded(self, epoch: int) -> bool:
        """Take note of a success of an attempt let through in `epoch`."""
        if epoch != self.epoch:
            return False
        self.failures = 0
        if self.state == CLOSED:
            return False
        self.state = CLOSED
        self.epoch += 1
        return True

    def failed(self, epoch: int, now: float) -> bool:
        """Take note of a failure of an attempt let through in `epoch`; a failed trial opens it again without a note."""
        if epoch != self.epoch:
            return False
        self.failures += 1
        was_closed = self.state == CLOSED
        if was_closed and self.failures < self.limit:
            return False
        self.state = OPEN
        self.epoch += 1
        self.failures = 0
        self.reopens_at = now + self.open_s
        return was_closed
