"""What the parts of the plain engine share: the clock, the heap of events, and the few calls that cross between them.

    clients (plain.py) ──▶ attempts.py: the caller's side ◀──▶ visits.py: the callee's side

The rule that surprises: nothing calls back into a caller that is still sending. `_attempt` returns PENDING or the reason the
call failed for good, so a failure at the very first instant takes the same way as one a second later.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from heapq import heappush
from itertools import count
from math import inf
from typing import TYPE_CHECKING, Any

from sim.traffic import Note
from sim.traffic.clients import Flow, User
from sim.traffic.edges import Edge
from sim.traffic.marks import Mark
from sim.traffic.state import Attempt, Root

if TYPE_CHECKING:
    from sim.traffic.caching import Cache

PENDING = -1  # no outcome yet
OK = -2  # the other outcomes are the numbers of Reason

# Kinds of event. Entries of the heap are (time, sequence number, kind, subject): equal times play in order of scheduling.
WORK, ANSWER, TIMER, RETRY, ARRIVAL, THOUGHT, SWITCH, DUE, WAITED, GRANTED, CANCEL, HEDGE, RETURN = range(13)


class Core(ABC):
    """Clock, events and notes of one engine."""

    def __init__(self) -> None:
        self.now = 0.0
        self._heap: list[tuple[float, int, int, Any]] = []
        self._tick: Callable[[], int] = count(1).__next__
        self._notes: list[Note] = []
        self._marks: list[Mark] = []
        self._traced = 0
        self._fetch: tuple[Cache, int] | None = None  # what the call that is being made is to fill

    def _mark(self, kind: int, attempt: Attempt, outcome: int = 0) -> None:
        """Put what happens to an attempt of a traced request on its record."""
        self._marks.append(Mark(self.now, kind, attempt.root.trace, attempt.sequence, outcome=outcome))

    def _schedule(self, due: float, kind: int, subject: Flow | User | Attempt) -> None:
        """Put an event on the heap that only the latest call for this subject makes valid; an infinite time never comes."""
        subject.token = sequence = self._tick()
        if due < inf:
            heappush(self._heap, (due, sequence, kind, subject))

    @abstractmethod
    def _attempt(self, edge: Edge, parent: Attempt | None, root: Root, number: int, hedged: Attempt | None = None) -> int:
        """Make one attempt of a call, or a second one beside one that is `hedged`: PENDING, or the reason for which the whole call has failed already."""

    @abstractmethod
    def _send(self, attempt: Attempt) -> int:
        """Choose where an attempt goes and send it: PENDING, or the reason for which the whole call has failed already."""

    @abstractmethod
    def _call_over(self, attempt: Attempt, outcome: int) -> None:
        """A logical call has its final outcome."""

    @abstractmethod
    def _settle(self, attempt: Attempt, outcome: int) -> None:
        """The caller learns the outcome of an attempt it waits for."""

    @abstractmethod
    def _gone(self, attempt: Attempt) -> bool:
        """Whether nobody will use the outcome: the calling visit is over, or (asynchronous) its process has died."""

    @abstractmethod
    def _lost(self, attempt: Attempt, cut: bool, loss_ratio: float) -> bool:
        """Whether the network swallows a message of this attempt now; the caller will then learn it by its timeout."""

    @abstractmethod
    def _fetched(self, attempt: Attempt, outcome: int) -> None:
        """A call that others may have joined, because its answer is for a cache, is over."""

    @abstractmethod
    def _cached_call(self, edge: Edge, parent: Attempt, root: Root) -> int:
        """Make a call over an edge with a cache: OK, PENDING, or why it has failed already."""

    @abstractmethod
    def _receive(self, attempt: Attempt) -> int:
        """An attempt arrives: PENDING if it was given a slot or a place in the queue, else why it was refused."""

    @abstractmethod
    def _answer_now(self, attempt: Attempt, outcome: int) -> bool:
        """Send the callee's answer: True if the caller has it at once, False if it travels, waits, or is lost."""

    @abstractmethod
    def _abandon(self, attempt: Attempt) -> None:
        """The caller has given up: drop what need not be done any more at the callee."""

    @abstractmethod
    def _leave(self, attempt: Attempt, outcome: int) -> None:
        """Free the slot, start who waits for it, and answer."""

    @abstractmethod
    def _call_off(self, attempt: Attempt) -> None:
        """The caller does not want an outcome any more."""

    @abstractmethod
    def _give_up(self, attempt: Attempt) -> None:
        """The caller has no use for this attempt any more."""

    @abstractmethod
    def _forsake(self, visit: Attempt) -> None:
        """A visit is over before its calls: give them up."""

    @abstractmethod
    def _unqueue(self, attempt: Attempt) -> None:
        """Take an attempt out of its queue."""

    @abstractmethod
    def _tell(self, attempt: Attempt) -> None:
        """Tell the callee that it works in vain, if it can be reached."""

    @abstractmethod
    def _finish(self, attempt: Attempt, outcome: int) -> None:
        """Work and calls of a visit are over with this outcome."""

    @abstractmethod
    def _next_call(self, attempt: Attempt) -> None:
        """Go on with sequential calls until one has to be waited for, one fails, or none is left."""

    @abstractmethod
    def _root_over(self, root: Root, outcome: int) -> None:
        """A request from outside has its one fate."""
