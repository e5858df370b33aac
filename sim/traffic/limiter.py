"""A concurrency limiter: how many requests one instance takes in, working and waiting together; fixed, or moved by what answers take.

The adaptive limit is that of Netflix' concurrency-limits (`Gradient2Limit` behind `WindowedLimit`, commit 14ddfa2, with its defaults): at the
end of a window the limit shrinks by the ratio of the long-term to the window's mean time to answer, and grows by a constant. Times count from
arrival to answer, of good answers. The rule that surprises: the long-term mean follows a lasting slowness, so the limit forgives it in the end.
"""

from __future__ import annotations

from sim.traffic.plan import LimiterPlan

FEWEST_ANSWERS = 10  # of a window
WARM_UP = 10  # windows whose plain mean is the long-term mean
FOLLOWS = 2.0 / (600 + 1)  # the weight of a window in the long-term mean after that
RECOVERED = 2.0  # the long-term mean is brought down when it is so many times the present one,
DRIFT = 0.9  # to this share of itself
SMOOTHING = 0.2
HEADROOM = 4.0


class Limiter:
    """The limiter of one instance in one of its lives."""

    __slots__ = ("answers", "ends_at", "limit", "long_s", "most_held", "plan", "total_s", "windows")

    def __init__(self, plan: LimiterPlan) -> None:
        self.plan = plan
        self.limit = float(plan.limit)
        self.windows = 0
        self.long_s = 0.0
        self.ends_at = 0.0  # of the window
        self.total_s = 0.0
        self.answers = 0
        self.most_held = 0

    def refuses(self, held: int, priority: int) -> bool:
        """Whether an instance that holds so many requests takes in no more of this priority."""
        return held >= self.limit * self.plan.shares[priority]

    def admitted(self, held: int) -> None:
        """One was taken in, and now the instance holds so many."""
        self.most_held = max(self.most_held, held)

    def answered(self, now: float, took_s: float) -> None:
        """A request was answered well; at the end of a window the limit moves."""
        self.total_s += took_s
        self.answers += 1
        if now >= self.ends_at and self.answers >= FEWEST_ANSWERS:
            self._move(self.total_s / self.answers)
            self.ends_at = now + self.plan.window_s
            self.total_s = 0.0
            self.answers = self.most_held = 0

    def _move(self, short_s: float) -> None:
        plan = self.plan
        self.windows += 1
        if self.windows <= WARM_UP:
            self.long_s += (short_s - self.long_s) / self.windows
        else:
            self.long_s = self.long_s * (1.0 - FOLLOWS) + short_s * FOLLOWS
        long_s = self.long_s
        if long_s > RECOVERED * short_s:
            self.long_s *= DRIFT
        if not plan.adaptive or self.most_held < self.limit / 2.0:
            return
        gradient = max(0.5, min(1.0, long_s / short_s)) if short_s > 0.0 else 1.0
        wanted = self.limit * gradient + HEADROOM
        self.limit = max(plan.least, min(plan.most, self.limit * (1.0 - SMOOTHING) + wanted * SMOOTHING))
