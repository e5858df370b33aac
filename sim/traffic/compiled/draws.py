"""The random numbers of a compiled engine: the same streams as the plain engine's, kept in the arena and filled by numpy.

The rule that surprises: a stream is made when the configuration first leaves something to chance for it, not at its first draw, and
some numbers stay in reserve, so that no step of the kernel can run dry.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from sim.streams import Kind, Streams
from sim.traffic.compiled.arena import Arena
from sim.traffic.compiled.layout import D_AT, D_LIMIT, H_LOW, H_LOW_COUNT, H_RESERVE, STREAM_WORDS
from sim.traffic.plan import ServiceTime
from sim.traffic.times import BLOCK, ServiceTimes

Fill = Callable[[npt.NDArray[np.float64]], object]


class StreamTable:
    """All streams of one engine, by the position of their record."""

    def __init__(self, arena: Arena, streams: Streams, most: int) -> None:
        self._arena = arena
        self._streams = streams
        self._fills: dict[int, tuple[Fill, int]] = {}
        low = arena.take(most)
        arena.word[H_LOW] = low

    def uniforms(self, name: str) -> int:
        """A stream of uniforms on [0, 1)."""
        return self._add(self._streams.generator_of(name, Kind.UNIFORM).random)

    def exponentials(self, name: str) -> int:
        """A stream of exponentials with mean 1."""
        return self._add(self._streams.generator_of(name, Kind.EXPONENTIAL).standard_exponential)

    def times(self, plan: ServiceTime, name: str) -> int:
        """The service times of one station."""
        return self._add(ServiceTimes(plan, self._streams, name).fill)

    def _add(self, fill: Callable[..., object]) -> int:
        arena = self._arena
        stream = arena.take(STREAM_WORDS)
        room = arena.take(arena.word[H_RESERVE] + BLOCK)
        self._fills[stream] = (fill, room)
        arena.word[stream + D_AT] = room + arena.word[H_RESERVE] + BLOCK
        self._refill(stream)
        return stream

    def _refill(self, stream: int) -> None:
        """Move what is left to the front of the next block."""
        arena = self._arena
        fill, room = self._fills[stream]
        word, reals = arena.word, arena.reals
        reserve = word[H_RESERVE]
        end = room + reserve + BLOCK
        at = word[stream + D_AT]
        left = end - at
        first = room + reserve
        if left:
            reals[first - left : first] = reals[at:end].copy()
        fill(out=reals[first:end])  # type: ignore[call-arg]
        word[stream + D_AT] = first - left
        word[stream + D_LIMIT] = end - reserve

    def refill(self) -> None:
        """Fill what the kernel has found to run low."""
        word = self._arena.word
        low = word[H_LOW]
        for number in range(word[H_LOW_COUNT]):
            self._refill(word[low + number])
        word[H_LOW_COUNT] = 0
