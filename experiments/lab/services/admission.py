"""Admission by class: a service works on `slots` requests at once, lets some wait, and refuses the rest at once.

The rule that surprises: the queue is shared unequally. Best effort may fill a third of it, normal two thirds, critical all of it, and
who is more important is served first; so a flood of the unimportant never keeps the important out.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

CLASSES: Final = {"critical": (0, 3), "normal": (1, 2), "best-effort": (2, 1)}
"""Classes: rank, and how many thirds of the queue they may fill."""


class Shed(Exception):  # noqa: N818 - it names what happened to the request
    """The request is refused: come back later."""


class Admission:
    """Slots and a bounded queue. One event loop only."""

    def __init__(self, slots: int, queue: int, longest_wait_s: float) -> None:
        """At least one slot; `queue` may be 0."""
        self.slots, self.queue, self.longest_wait_s = slots, queue, longest_wait_s
        self.busy = 0
        self._busy_s, self._changed_at = 0.0, time.monotonic()
        self.counts: Counter[str] = Counter()
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()

    @property
    def busy_s(self) -> float:
        """Slot-seconds worked so far."""
        return self._busy_s + self.busy * (time.monotonic() - self._changed_at)

    def _take(self, slots: int) -> None:
        self._busy_s, self._changed_at = self.busy_s, time.monotonic()
        self.busy += slots

    @property
    def waiting(self) -> int:
        """Requests in the queue."""
        return sum(not future.done() for _, _, future in self._waiting)

    @asynccontextmanager
    async def slot(self, request_class: str) -> AsyncIterator[None]:
        """Hold a slot. Shed when the class's part of the queue is full or the wait was too long."""
        rank, thirds = CLASSES[request_class]
        if self.busy < self.slots:
            self._take(1)
        else:
            await self._wait(rank, self.queue * thirds // 3, request_class)
        self.counts[f"admitted {request_class}"] += 1
        try:
            yield
        finally:
            self._take(-1)
            self._wake()

    async def _wait(self, rank: int, room: int, request_class: str) -> None:
        if self.waiting >= room:
            self.counts[f"shed {request_class}"] += 1
            raise Shed
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (rank, next(self._numbers), future))
        try:
            async with asyncio.timeout(self.longest_wait_s):
                await future
        except TimeoutError:
            if not future.cancelled():
                return  # the slot came in the same moment
            self.counts[f"shed {request_class}"] += 1
            raise Shed from None
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():  # the slot was handed over to somebody who has gone
                self._take(-1)
                self._wake()
            raise

    def _wake(self) -> None:
        while self._waiting and self.busy < self.slots:
            _, _, future = heapq.heappop(self._waiting)
            if not future.done():
                self._take(1)
                future.set_result(None)
