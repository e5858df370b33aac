"""The memory of a compiled engine: one block of 8-byte words, seen as int64 and as float64, that grows at its end.

The rule that surprises: growing copies everything into a larger block, so views taken before it are of the past. Positions stay valid.
"""

from __future__ import annotations

from typing import cast

import numpy as np
import numpy.typing as npt

from sim.traffic.compiled.layout import (
    A_DUE,
    A_NEXT,
    ALIGNMENT,
    ATTEMPT_WORDS,
    CALENDAR_WORDS,
    H_ASKED,
    H_CALENDAR,
    H_DAYS_A_SECOND,
    H_FREE,
    H_FREE_COUNT,
    H_HEAP,
    H_HEAP_LIMIT,
    H_HEAP_SIZE,
    H_MAIL_COUNT,
    H_MAIL_FREE,
    H_NUMBER,
    H_RESERVE,
    H_SOONEST,
    H_SUBJECT,
    H_TICK,
    HEADER_WORDS,
    M_NEXT,
    MAIL_WORDS,
    NEVER,
    NOBODY,
    R_HEAD,
    R_MASK,
    R_TABLE,
    R_TAIL,
    RING_WORDS,
    S_LOG,
    S_LOG_COUNT,
    S_LOG_FLAGS,
    S_LOG_LIMIT,
    TIMER_WORDS,
)
from sim.traffic.compiled.native import load
from sim.traffic.compiled.stepping import ADVANCE

_MOST_WORDS = 2**25 * ALIGNMENT  # what a key of the heap can refer to: 2 GB
_DAYS_A_SECOND = 1000.0  # until it is measured
_LAST_TICK = 2**34 - 2**24


class Arena:
    """Blocks of words, handed out from the end; those that grow are remembered here."""

    def __init__(self, words: int) -> None:
        self._used = HEADER_WORDS
        self._scratch = self._scratch_words = 0
        self._attempts = 0
        self._allocate(words)
        self.rings: list[int] = []
        self.logs: list[int] = []

    def _allocate(self, words: int) -> None:
        block = np.zeros(words + ALIGNMENT, dtype=np.int64)
        skip = (-(block.ctypes.data // 8)) % ALIGNMENT
        self.words: npt.NDArray[np.int64] = block[skip : skip + words]
        self.reals: npt.NDArray[np.float64] = self.words.view(np.float64)
        self.word = self.words.data
        """The same memory, quicker for single numbers and in Python's own types."""
        self.real = cast("memoryview[float]", self.reals.data)
        self.play = load().bound_to(self.words, self.reals)
        """Play every event up to and including a time: COMPLETE, SHORT or WATCHED."""
        self.grown = True

    def ask(self, what: int, subject: int = 0, number: int = 0, value: float = 0.0) -> int:
        """Have the kernel do something else than play what comes."""
        word = self.word
        word[H_ASKED], word[H_SUBJECT], word[H_NUMBER] = what, subject, number
        answer = self.play(value)
        word[H_ASKED] = ADVANCE
        return answer

    def take(self, words: int) -> int:
        """The position of a new block of zeros, at the start of a cache line."""
        at = -(-self._used // ALIGNMENT) * ALIGNMENT
        self._used = at + words
        if self._used > len(self.words):
            if self._used > _MOST_WORDS:
                raise MemoryError("too many requests are under way for the compiled engine: its 2 GB are full")
            old = self.words
            self._allocate(min(max(2 * len(old), self._used + self._used // 4), _MOST_WORDS))
            self.words[: len(old)] = old
        return at

    @property
    def attempts_kept(self) -> int:
        """Records of attempts that somebody still refers to."""
        return self._attempts - self.word[H_FREE_COUNT]

    # Going back

    def saved(self) -> tuple[npt.NDArray[np.int64], tuple[int, int, int], list[int], list[int]]:
        """Everything in it, as a copy."""
        sizes = (self._scratch, self._scratch_words, self._attempts)
        return self.words[: self._used].copy(), sizes, list(self.rings), list(self.logs)

    def bring_back(self, saved: tuple[npt.NDArray[np.int64], tuple[int, int, int], list[int], list[int]]) -> None:
        """Hold again what it held when it was saved."""
        words, (self._scratch, self._scratch_words, self._attempts), rings, logs = saved
        self.rings, self.logs = list(rings), list(logs)
        if len(self.words) < len(words):
            self._allocate(len(words) + len(words) // 4)
        self.words[: len(words)] = words
        self.words[len(words) : self._used] = 0  # a block that is taken is one of zeros
        self._used = len(words)

    # What the kernel uses up

    def begin(self, reserve: int) -> None:
        """Lay out an empty heap and the first free records; one step may use `reserve` of each."""
        self.word[H_RESERVE] = reserve
        self._add_attempts(max(256, 4 * reserve))
        self._add_mail(4 * reserve)
        self._grow_heap(max(254, 4 * reserve))
        calendar = self.take(CALENDAR_WORDS)
        self.word[H_CALENDAR], self.word[H_SOONEST] = calendar, calendar + NOBODY
        self.word[calendar + NOBODY + A_DUE] = NEVER
        self.real[H_DAYS_A_SECOND] = _DAYS_A_SECOND

    def provide(self) -> None:
        """Make room wherever it has run short, and let the kernel go on. Draws and notes are the engine's to see to."""
        word = self.word
        reserve = word[H_RESERVE]
        if word[H_TICK] > _LAST_TICK:
            raise OverflowError("the compiled engine can order 1.7e10 events in one run; this run has more")
        if word[H_FREE_COUNT] < reserve:
            self._add_attempts(min(self._used // ATTEMPT_WORDS, 2**16))
        if self.word[H_MAIL_COUNT] < reserve:
            self._add_mail(1024)
        if self.word[H_HEAP_SIZE] >= self.word[H_HEAP_LIMIT]:
            self._grow_heap(2 * self.word[H_HEAP_SIZE])
        for ring in self.rings:
            word = self.word
            if word[ring + R_TAIL] - word[ring + R_HEAD] + reserve >= word[ring + R_MASK]:
                self._grow_ring(ring)
        for station in self.logs:
            if self.word[station + S_LOG_COUNT] + reserve >= self.word[station + S_LOG_LIMIT]:
                self._grow_log(station)

    def _add_attempts(self, count: int) -> None:
        first = self.take(count * ATTEMPT_WORDS)
        end = first + count * ATTEMPT_WORDS
        self.words[first + A_NEXT : end : ATTEMPT_WORDS] = np.arange(first + ATTEMPT_WORDS, end + 1, ATTEMPT_WORDS)
        word = self.word
        word[end - ATTEMPT_WORDS + A_NEXT] = word[H_FREE]
        word[H_FREE] = first
        word[H_FREE_COUNT] += count
        self._attempts += count

    def _add_mail(self, count: int) -> None:
        first = self.take(count * MAIL_WORDS)
        word = self.word
        for at in range(first, first + count * MAIL_WORDS, MAIL_WORDS):
            word[at + M_NEXT] = word[H_MAIL_FREE]
            word[H_MAIL_FREE] = at
        word[H_MAIL_COUNT] += count

    def _grow_heap(self, entries: int) -> None:
        at = self.take(2 * entries + 2 * ALIGNMENT) + ALIGNMENT - 2  # so that four children share a cache line
        old, size = self.word[H_HEAP], self.word[H_HEAP_SIZE]
        self.words[at : at + 2 * (entries + 3) : 2] = NEVER - np.arange(entries + 3) % 4
        self.words[at : at + 2 * size] = self.words[old : old + 2 * size]
        self.word[H_HEAP] = at
        self.word[H_HEAP_LIMIT] = entries - self.word[H_RESERVE]

    def add_ring(self) -> int:
        """A ring of timers for one timeout."""
        ring = self.take(RING_WORDS)
        self.rings.append(ring)
        size = 64
        while size < 4 * self.word[H_RESERVE]:
            size *= 2
        table = self.take(size * TIMER_WORDS)
        self.word[ring + R_TABLE] = table
        self.word[ring + R_MASK] = size - 1
        return ring

    def _grow_ring(self, ring: int) -> None:
        old, mask = self.word[ring + R_TABLE], self.word[ring + R_MASK]
        size = 2 * (mask + 1)
        table = self.take(size * TIMER_WORDS)
        numbers = np.arange(self.word[ring + R_HEAD], self.word[ring + R_TAIL])
        before = self.words[old : old + (mask + 1) * TIMER_WORDS].reshape(-1, TIMER_WORDS)
        after = self.words[table : table + size * TIMER_WORDS].reshape(-1, TIMER_WORDS)
        after[numbers & (size - 1)] = before[numbers & mask]
        self.word[ring + R_TABLE] = table
        self.word[ring + R_MASK] = size - 1

    def add_log(self, station: int) -> None:
        """Room for the writes of a station."""
        self.logs.append(station)
        self._grow_log(station)

    def _grow_log(self, station: int) -> None:
        count = self.word[station + S_LOG_COUNT]
        size = 2 * count + max(1024, 4 * self.word[H_RESERVE])
        times, flags = self.take(size), self.take(size)
        words = self.words
        for field, at in ((S_LOG, times), (S_LOG_FLAGS, flags)):
            old = self.word[station + field]
            words[at : at + count] = words[old : old + count]
            self.word[station + field] = at
        self.word[station + S_LOG_LIMIT] = size

    def scratch(self, words: int) -> int:
        """A place for as many words until the next call."""
        if self._scratch_words < words:
            self._scratch_words = 2 * words
            self._scratch = self.take(2 * words)
        return self._scratch
