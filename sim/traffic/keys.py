"""The keys that calls over an edge with a cache ask for. They come in blocks from numpy, so both engines get the same."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sim.streams import Kind, Streams
from sim.traffic.plan import CachePlan
from sim.traffic.times import BLOCK


class Keys:
    """The keys one edge's calls ask for, in order. Take from the end of `pool`; when it is empty, call `refill` first."""

    __slots__ = ("_generator", "_until", "pool")

    def __init__(self, plan: CachePlan, streams: Streams, name: str) -> None:
        self._generator = streams.generator_of(name, Kind.UNIFORM)
        weights = np.arange(1, plan.keys + 1, dtype=np.float64) ** -plan.zipf
        self._until = np.cumsum(weights) / np.sum(weights)
        self.pool: list[float] = []

    def refill(self) -> None:
        """Put the next block into the empty pool."""
        numbers = np.empty(BLOCK)
        self.fill(numbers)
        self.pool.extend(numbers[::-1].tolist())

    def fill(self, out: npt.NDArray[np.float64]) -> None:
        """Write the next keys into `out`: the position, counted from the most popular, at which a uniform number falls into the sum of shares."""
        self._generator.random(out=out)
        out[:] = np.minimum(np.searchsorted(self._until, out, side="right"), len(self._until) - 1)
