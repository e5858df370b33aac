"""One jump: which second is shown next, while the engine stands still."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from sim.traffic.quiet.library import BLOCK, Blocks
from sim.traffic.quiet.tally import Columns, Second, Tallying

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sim.traffic.quiet.tally import Counts, Seconds

_TRIES = 32
"""Blocks that are drawn, of which the one is taken that suits best (see `_begin`)."""


@dataclass(slots=True)
class Jump:
    """Seconds shown instead of being played, from `shown_to` (a whole second) up to `ends_at`.

    The last block is the one that was really played last: where it ends, the state in which the engine stands begins.
    """

    blocks: Blocks
    columns: Columns
    draws: np.random.Generator
    shown_to: float
    ends_at: float
    under_way: Counts
    """Per flow and station, as the counters have it now."""
    under_way_at_rest: Counts
    """As the engine that stands still has it."""
    rates: Seconds
    """Requests a second of every flow whose rate is known; 0 of the others."""
    known: NDArray[np.intp]
    """Flows that have a rate and it is known."""
    owed: Seconds
    """How many more requests there should be by the end of the present block, per flow: a Poisson number for each, less what they bring."""
    position: int = -1
    """Of the second that was shown last, -1: none yet."""
    left: int = 0
    """Seconds of the present block that are still to come."""

    @property
    def shown(self) -> Second | None:
        """The second that was shown last: its gauges hold until the next."""
        return None if self.position < 0 else self.blocks.seconds[self.position]

    def copied(self, draws: np.random.Generator) -> Jump:
        """One that goes its own way from here; what it holds is replaced, never changed."""
        return replace(self, draws=draws)

    def show_second(self, engine: Tallying) -> None:
        """Count the next second."""
        blocks = self.blocks
        if self.left == 0:
            counts = self._seam()
        else:
            self.position += 1
            counts = blocks.counts[self.position]
        engine.credit(counts, blocks.busy_s[self.position])
        self.under_way = blocks.under_way_after[self.position]
        self.left -= 1
        self.shown_to += 1.0

    def _seam(self) -> Counts:
        """Begin the next block, the first with as many seconds as leave whole ones; its first second."""
        blocks = self.blocks
        self.left = int(self.ends_at - self.shown_to) % BLOCK or BLOCK
        self.owed = self.owed + self.draws.poisson(self.rates * self.left)
        self.position = blocks.last if self.ends_at - self.shown_to == BLOCK else self._begin(self.left)
        counts = self.columns.joined(blocks.counts[self.position], self._more(self.position))
        rest = blocks.offered_before[self.position + self.left] - blocks.offered_before[self.position + 1]
        self.owed = self.owed - counts[self.columns.offered] - rest
        return counts

    def _begin(self, seconds: int) -> int:
        """Where the next block begins: of some that are drawn, the one that brings the requests offered closest to what a Poisson process of
        the known rate has brought by now, of every flow and of all together; and few totals should have to go back at the seam.

        So requests offered have neither the sample's mean nor its spread, but those of the process they come from.
        """
        blocks, known = self.blocks, self.known
        tried = self.draws.choice(blocks.begins, size=_TRIES)
        off = np.maximum(self.under_way - blocks.room[tried], 0).sum(axis=1).astype(np.float64)
        if len(known):
            brought = blocks.offered_before[tried + seconds] - blocks.offered_before[tried]
            apart, expected = (self.owed - brought)[:, known], self.rates[known] * seconds
            off += (apart**2) @ (1.0 / expected) + apart.sum(axis=1) ** 2 / expected.sum()
        return int(tried[off.argmin()])

    def _more(self, position: int) -> Counts:
        """How much more was under way before a second than there is now."""
        return np.where(self.blocks.tied, self.blocks.under_way_before[position] - self.under_way, 0)

    def leave(self, engine: Tallying) -> None:
        """Let what is under way be what it is in the engine."""
        counts, busy_s = engine.tally()
        more = np.where(self.blocks.tied, self.under_way_at_rest - self.under_way, 0)
        usual = self.blocks.counts.sum(axis=0)
        engine.credit(self.columns.joined(np.zeros_like(counts), more, usual), np.zeros_like(busy_s))
