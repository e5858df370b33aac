"""Cancelling: what becomes of work whose caller has no use for it any more, where its edge cancels what runs.

A caller gives up by its timeout, by failing or dying while calls are under way, by being cancelled itself, or because a hedge was faster.
The callee is told at once, unless the way there is cut: then it works on. What it works on leaves its slot as the next event at that
instant, and its own calls are given up in turn, so cancelling goes down as far as edges cancel. The rules that surprise: a frozen callee
reads of it when it goes on; a commit under way is not broken off; and a call that was given up without a timeout is no failure.
"""

from __future__ import annotations

from heapq import heappush

from sim.traffic.core import CANCEL, Core
from sim.traffic.plan import Reason
from sim.traffic.state import CALLING, DONE, PARKED, QUEUED, WORKING, Attempt

RUNNING = 2  # what an edge cancels: nothing, what is queued, what runs too
_MOST_DROPPED = 16  # cancelled attempts that may lie in a queue before it is swept
_TIMEOUT = int(Reason.TIMEOUT)


class Withdrawing(Core):
    """Both ends of a cancellation."""

    def _forsake(self, visit: Attempt) -> None:
        """A visit is over before its calls: give them up."""
        for child in list(visit.children):
            self._give_up(child)

    def _give_up(self, attempt: Attempt) -> None:
        """The caller has no use for this attempt any more."""
        self._call_off(attempt)
        if attempt.position >= 0:
            attempt.instance.station.writes_indeterminate += 1
        elif attempt.stage == QUEUED:
            self._unqueue(attempt)
        elif attempt.stage in (WORKING, CALLING, PARKED):
            self._tell(attempt)

    def _unqueue(self, attempt: Attempt) -> None:
        """Take an attempt out of its queue."""
        instance = attempt.instance
        attempt.stage = DONE
        instance.station.failed += 1
        instance.queued -= 1
        instance.dropped += 1
        if instance.dropped > instance.queued + _MOST_DROPPED:
            instance.sweep()

    def _tell(self, attempt: Attempt) -> None:
        """Tell the callee that it works in vain, if it can be reached."""
        if not attempt.edge.cut and not attempt.path.there_cut:
            heappush(self._heap, (self.now, self._tick(), CANCEL, attempt))

    def _withdraw(self, attempt: Attempt) -> None:
        """The callee learns it: work and waiting end, and the slot is free."""
        if attempt.instance.frozen:
            attempt.instance.mail.append((CANCEL, attempt))
        elif attempt.stage in (WORKING, CALLING, PARKED):
            attempt.token = 0
            self._leave(attempt, _TIMEOUT)
