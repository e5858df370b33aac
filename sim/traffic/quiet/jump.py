"""One jump: which second is shown next, while the engine stands still."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from sim.traffic.quiet.library import BLOCK, Blocks
from sim.traffic.quiet.tally import Columns, Second, Tallying

if TYPE_CHECKING:
    from sim.traffic.quiet.tally import Counts

_TRIES = 8
"""Blocks that are drawn in search of one before which no total has to go back."""


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
            self.left = BLOCK
            self.position = blocks.last if self.ends_at - self.shown_to <= BLOCK else self._begin()
        else:
            self.position += 1
        counts = self.columns.joined(blocks.counts[self.position], self._more(self.position))
        engine.credit(counts, blocks.busy_s[self.position])
        self.under_way = self.under_way + self.columns.under_way(counts)
        self.left -= 1
        self.shown_to += 1.0

    def _begin(self) -> int:
        """Where a block begins, before whose first second no total has to go back, if one is found soon."""
        blocks = self.blocks
        tried = self.draws.choice(blocks.begins, size=_TRIES, p=blocks.chances)
        for begin in tried.tolist():
            if (self.columns.totals(blocks.counts[begin]) + self._more(begin) >= 0).all():
                return int(begin)
        return int(tried[0])

    def _more(self, position: int) -> Counts:
        """How much more was under way before a second than there is now."""
        return np.where(self.blocks.tied, self.blocks.under_way_before[position] - self.under_way, 0)

    def leave(self, engine: Tallying) -> None:
        """Let what is under way be what it is in the engine."""
        counts, busy_s = engine.tally()
        more = np.where(self.blocks.tied, self.under_way_at_rest - self.under_way, 0)
        usual = self.blocks.counts.sum(axis=0)
        engine.credit(self.columns.joined(np.zeros_like(counts), more, usual), np.zeros_like(busy_s))
