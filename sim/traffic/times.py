"""Random numbers for stations and edges: the k-th start of work at a station takes the k-th number of that station's stream.

The rule that surprises: numbers come in blocks from numpy and are handed out one by one, so every engine that draws from the
same stream gets bit-identical times, whatever its own exp() or log() would have said.
"""

from __future__ import annotations

from math import log, log1p, sqrt

import numpy as np
import numpy.typing as npt

from sim.streams import Draws, Streams
from sim.traffic.plan import ServiceTime

BLOCK = 1024
_POOL = 256


class ServiceTimes:
    """Times of one station, in seconds. Take from the end of `pool`; when it is empty, call `refill` first."""

    __slots__ = ("_generator", "_name", "_plan", "_streams", "pool")

    def __init__(self, plan: ServiceTime, streams: Streams, name: str) -> None:
        self._plan = plan
        self._streams = streams
        self._name = name
        self._generator: np.random.Generator | None = None
        self.pool: list[float] = []

    def refill(self) -> None:
        """Put the next block into the empty pool."""
        self.pool.extend(self.block()[::-1])

    def block(self) -> list[float]:
        """The next 1,024 times, in order."""
        numbers = np.empty(BLOCK)
        self.fill(numbers)
        times: list[float] = numbers.tolist()
        return times

    def fill(self, out: npt.NDArray[np.float64]) -> None:
        """Write the next times into `out`, whose length is a multiple of BLOCK."""
        mean_s, cv = self._plan.mean_s, self._plan.cv
        if self._plan.family == "empirical":
            self._fill_from_values(out)
            return
        if self._plan.family == "constant" or mean_s == 0.0 or (cv == 0.0 and self._plan.family != "exponential"):
            out.fill(mean_s)
            return
        if self._generator is None:
            self._generator = self._streams.generator(self._name)
        if self._plan.family == "exponential":
            self._generator.standard_exponential(out=out)
            out *= mean_s
        elif self._plan.family == "lognormal":
            sigma = sqrt(log1p(cv * cv))
            self._generator.standard_normal(out=out)
            for first in range(0, len(out), BLOCK):  # always in pieces of one length: exp() of many may depend on it
                part = out[first : first + BLOCK]
                np.exp(log(mean_s) - sigma * sigma / 2.0 + sigma * part, out=part)
        else:
            self._generator.standard_gamma(1.0 / (cv * cv), out=out)
            out *= mean_s * cv * cv

    def _fill_from_values(self, out: npt.NDArray[np.float64]) -> None:
        """A uniform number on [0, 1) names a value by its place in the ascending list."""
        if self._generator is None:
            self._generator = self._streams.generator(self._name)
        values = np.asarray(self._plan.values)
        self._generator.random(out=out)
        out[:] = values[np.minimum((out * len(values)).astype(np.int64), len(values) - 1)]


class LazyDraws:
    """A named stream that costs nothing until its first draw: most edges never lose a packet."""

    __slots__ = ("_draws", "_name", "_streams")

    def __init__(self, streams: Streams, name: str) -> None:
        self._streams = streams
        self._name = name
        self._draws: Draws | None = None

    def refill(self, pool: list[float]) -> None:
        """Put the next 256 uniforms into an empty pool, to be taken from its end: for decisions made on the hot path."""
        pool.extend([self.uniform() for _ in range(_POOL)][::-1])

    def uniform(self) -> float:
        """Uniform on [0, 1)."""
        if self._draws is None:
            self._draws = self._streams.draws(self._name)
        return self._draws.uniform()
