"""Hedging: when an attempt has not been answered for a while, a second one is made, and the first good answer wins.

The second goes to another instance where there is one. It passes the breaker, costs a token of the retry budget if there is one, and
counts like any attempt. The rules that surprise: the call fails only when both have failed, with the reason of the later failure; and
the loser is cancelled as far as its edge cancels, else it runs on, is heard by counters and breaker, and decides nothing.
"""

from __future__ import annotations

from heapq import heappush

from sim.traffic.core import HEDGE
from sim.traffic.state import CONNECTED, QUEUED, WAITING, Attempt, Instance
from sim.traffic.withdrawing import RUNNING, Withdrawing

_ROUNDING = 1e-9


class Hedging(Withdrawing):
    """The second attempt of a call, and what becomes of the two."""

    def _plan_hedge(self, attempt: Attempt) -> None:
        """An attempt was sent: if it is a first one, look after a while whether it needs a second."""
        hedge_s = attempt.edge.hedge_s
        if hedge_s is not None and attempt.twin is None:
            heappush(self._heap, (self.now + hedge_s, self._tick(), HEDGE, attempt))

    def _hedge(self, attempt: Attempt) -> None:
        """An attempt has not been answered for long: make a second one, unless the budget forbids it."""
        edge = attempt.edge
        if not self._gone(attempt) and (edge.earns is None or edge.budget >= 1.0 - _ROUNDING):
            self._fetch = attempt.fetch
            self._attempt(edge, attempt.parent, attempt.root, attempt.number, attempt)
            self._fetch = None

    def _waits_for_twin(self, attempt: Attempt) -> bool:
        """Whether the failure of an attempt decides nothing: the other one runs, or has won."""
        return attempt.decided or (attempt.twin is not None and attempt.twin.open)

    def _win(self, attempt: Attempt) -> bool:
        """Whether a good answer decides the call: then the other attempt is cancelled, or runs on without deciding anything."""
        if attempt.decided:
            return False
        twin = attempt.twin
        if twin is not None and twin.open:
            cancel = attempt.edge.cancel
            if cancel == RUNNING or (cancel and twin.stage == QUEUED) or twin.stage in (WAITING, CONNECTED):
                self._give_up(twin)
            else:
                twin.decided = True
        return True


def other_than(taken: Instance, rotation: list[Instance]) -> Instance:
    """The next in rotation after this one, which is another one if there are two."""
    return rotation[(rotation.index(taken) + 1) % len(rotation)]
