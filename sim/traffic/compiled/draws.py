"""The random numbers of a compiled engine: the same streams as the plain engine's, kept in the arena and filled by numpy.

The rule that surprises: a stream is made when the configuration first leaves something to chance for it, not at its first draw, and
some numbers stay in reserve, so that no step of the kernel can run dry.
"""

from __future__ import annotations

from collections.abc import Callable

from sim.streams import Kind, Streams
from sim.traffic.compiled.arena import Arena
from sim.traffic.compiled.layout import D_AT, D_LIMIT, H_LOW, H_LOW_COUNT, H_RESERVE
from sim.traffic.copying import copied
from sim.traffic.keys import Keys
from sim.traffic.plan import CachePlan, ServiceTime
from sim.traffic.times import BLOCK, ServiceTimes

_MOST = 4 * BLOCK
"""Numbers drawn at once after the first block: a stream that is used up is used much, and asking costs more than drawing."""


class StreamTable:
    """All streams of one engine, by the position of their record."""

    def __init__(self, arena: Arena, streams: Streams, most: int) -> None:
        self._arena = arena
        self.streams = streams
        self._fills: dict[int, tuple[Callable[..., object], int]] = {}
        low = arena.take(most)
        arena.word[H_LOW] = low

    def uniforms(self, stream: int, name: str) -> None:
        """Let the stream at this position give uniforms on [0, 1)."""
        self._add(stream, self.streams.generator_of(name, Kind.UNIFORM).random)

    def exponentials(self, stream: int, name: str) -> None:
        """Let it give exponentials with mean 1."""
        self._add(stream, self.streams.generator_of(name, Kind.EXPONENTIAL).standard_exponential)

    def times(self, stream: int, plan: ServiceTime, name: str) -> None:
        """Let it give the service times of one station."""
        self._add(stream, ServiceTimes(plan, self.streams, name).fill)

    def keys(self, stream: int, plan: CachePlan, name: str) -> None:
        """Let it give the keys that calls over one edge with a cache ask for."""
        self._add(stream, Keys(plan, self.streams, name).fill)

    def _add(self, stream: int, fill: Callable[..., object]) -> None:
        arena = self._arena
        room = arena.take(arena.word[H_RESERVE] + _MOST)
        self._fills[stream] = fill, room
        self._fill(stream, BLOCK)

    def _fill(self, stream: int, size: int) -> None:
        """Move what is left to the front of the room and let the next numbers follow it."""
        fill, room = self._fills[stream]
        word, real = self._arena.word, self._arena.real
        reserve = word[H_RESERVE]
        first = room + reserve
        left = 0
        if word[stream + D_LIMIT]:
            at, left = word[stream + D_AT], word[stream + D_LIMIT] + reserve - word[stream + D_AT]
            real[first - left : first] = real[at : at + left]
        fill(out=self._arena.reals[first : first + size])
        word[stream + D_AT] = first - left
        word[stream + D_LIMIT] = first + size - reserve

    def saved(self) -> dict[int, tuple[Callable[..., object], int]]:
        """Where every stream stands, as a copy; the numbers drawn already lie in the arena."""
        return copied(self._fills)

    def bring_back(self, saved: dict[int, tuple[Callable[..., object], int]]) -> None:
        """Let every stream go on where it stood when it was saved."""
        self._fills = copied(saved)

    def refill(self) -> None:
        """Fill what the kernel has found to run low."""
        word = self._arena.word
        low = word[H_LOW]
        for stream in word[low : low + word[H_LOW_COUNT]].tolist():
            self._fill(stream, _MOST)
        word[H_LOW_COUNT] = 0
