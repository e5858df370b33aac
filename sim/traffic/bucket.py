"""A token bucket: `rate` tokens a second, at most `burst` of them, one per attempt; it starts full."""

from __future__ import annotations

_ROUNDING = 1e-9  # ten refills of 0.1 must make one token


class TokenBucket:
    """The rate limit of one request class at the entry."""

    __slots__ = ("_at", "_tokens", "burst", "rate")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self.rate = rate
        self.burst = burst
        self._tokens = burst
        self._at = now

    def change(self, rate: float, burst: float, now: float) -> None:
        """Set another rate and size from now on; tokens already there stay, up to the new size."""
        self._refill(now)
        self.rate = rate
        self.burst = burst
        self._tokens = min(self._tokens, burst)

    def take(self, now: float) -> bool:
        """Take one token; False if there is none."""
        self._refill(now)
        if self._tokens < 1.0 - _ROUNDING:
            return False
        self._tokens = max(0.0, self._tokens - 1.0)
        return True

    def _refill(self, now: float) -> None:
        self._tokens = min(self.burst, self._tokens + (now - self._at) * self.rate)
        self._at = now
