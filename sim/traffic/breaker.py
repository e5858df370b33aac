"""A circuit breaker: closed, open after too many failures (in a row, or of the last so many), half open for a few trials, closed again.

The rule that surprises: every change of state begins a new *epoch*, and an outcome counts only in the epoch its attempt was
let through in. So the late failures of attempts sent before the breaker opened can neither reopen it nor close it.
"""

from __future__ import annotations

from collections import deque

from sim.traffic.plan import BreakerPlan, WindowPlan

CLOSED, OPEN, HALF_OPEN = 0, 1, 2


class Breaker:
    """State of one edge's breaker. `succeeded` and `failed` return True when it closes or opens (from closed)."""

    __slots__ = (
        "bad",
        "epoch",
        "failures",
        "index",
        "limit",
        "open_s",
        "reopens_at",
        "results",
        "state",
        "trials",
        "trying",
        "window",
    )

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
        self.window: WindowPlan | None = plan.window
        self.results: deque[bool] = deque()  # True: failed
        self.bad = 0

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
            if self.window is not None:
                self._keep(self.window, False)
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
        if was_closed and not self._too_many():
            return False
        self.state = OPEN
        self.epoch += 1
        self.failures = self.bad = 0
        self.results.clear()
        self.reopens_at = now + self.open_s
        return was_closed

    def called_off(self, epoch: int) -> None:
        """Forget an attempt let through in `epoch` that will have no outcome: if it was a trial, there may be another."""
        if self.state == HALF_OPEN and epoch == self.epoch:
            self.trying -= 1

    def _too_many(self) -> bool:
        """Whether the failure just counted is one too many for a closed breaker."""
        window = self.window
        if window is None:
            return self.failures >= self.limit
        self._keep(window, True)
        return len(self.results) >= window.minimum and self.bad >= window.failure_ratio * len(self.results)

    def _keep(self, window: WindowPlan, failed: bool) -> None:
        """Take an outcome into the window; the oldest falls out."""
        if len(self.results) == window.attempts:
            self.bad -= self.results.popleft()
        self.results.append(failed)
        self.bad += failed
