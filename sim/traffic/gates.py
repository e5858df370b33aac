"""What limits the calls a process makes at once: bulkheads, which refuse, and pools of connections, which let a caller wait for a while.

Both belong to one calling instance and one dependency, as the semaphore and the pool in a real process do; a process that dies leaves
them. The rules that surprise: a caller who waits for a connection already counts in the bulkhead; a freed connection is promised to
the first who waits, who takes it up as an event of its own at the same instant; and a timeout gives its connection back, as a real pool
closes it and opens another.
"""

from __future__ import annotations

from collections import deque
from heapq import heappush

from sim.traffic.core import GRANTED, OK, PENDING, WAITED, Core
from sim.traffic.plan import Reason
from sim.traffic.state import CONNECTED, NOWHERE, WAITING, Attempt

_BULKHEAD, _DEADLINE, _POOL = int(Reason.BULKHEAD), int(Reason.DEADLINE), int(Reason.POOL)
_TIMEOUT = int(Reason.TIMEOUT)


class Gate:
    """Of one calling instance and one of its edges: calls under way or waiting, connections in use, who waits for one."""

    __slots__ = ("calls", "connections", "waiting")

    def __init__(self) -> None:
        self.calls = self.connections = 0
        self.waiting: deque[Attempt] = deque()


class Gates(Core):
    """Bulkheads and pools of the callers."""

    def _enter_gate(self, attempt: Attempt) -> int:
        """OK: it may be sent; PENDING: it waits for a connection; else the reason for which it is refused."""
        edge, parent = attempt.edge, attempt.parent
        assert parent is not None, "clients have no gates"
        gates = parent.instance.gates
        gate = gates.get(edge)
        if gate is None:
            gate = gates[edge] = Gate()
        attempt.gate = None
        if edge.plan.bulkhead is not None and gate.calls >= edge.plan.bulkhead:
            return _BULKHEAD
        pool = edge.plan.pool
        if pool is None or gate.connections < pool.connections:
            attempt.gate = gate
            gate.calls += 1
            gate.connections += 1
            return OK
        if pool.wait_s <= 0.0:
            return _POOL
        attempt.gate = gate
        gate.calls += 1
        gate.waiting.append(attempt)
        attempt.stage = WAITING
        attempt.open = True
        if edge.withdraws:
            parent.children[attempt] = None
        attempt.sequence = self._tick()
        due, attempt.fate = self.now + pool.wait_s, _POOL
        if attempt.root.flow.propagates and attempt.until < due:
            due, attempt.fate = attempt.until, _DEADLINE
        heappush(self._heap, (due, attempt.sequence, WAITED, attempt))
        return PENDING

    def _let_go(self, attempt: Attempt) -> None:
        """An attempt is over for its caller: its place in the bulkhead is free, its connection goes to the first who waits."""
        gate, parent = attempt.gate, attempt.parent
        if gate is None or parent is None or parent.instance.life != attempt.life:
            return
        attempt.gate = None
        gate.calls -= 1
        if attempt.stage == WAITING:
            attempt.stage = NOWHERE  # and it is passed over in the queue
            return
        gate.connections -= 1
        while gate.waiting:
            first = gate.waiting.popleft()
            if first.stage == WAITING:
                first.stage = CONNECTED
                gate.connections += 1
                heappush(self._heap, (self.now, self._tick(), GRANTED, first))
                return

    def _wait_over(self, kind: int, attempt: Attempt) -> None:
        """The longest wait for a connection is over, or it was granted one."""
        if kind == WAITED:
            if attempt.stage == WAITING:
                self._settle(attempt, attempt.fate)
        elif attempt.stage == CONNECTED:
            if self._gone(attempt):
                self._call_off(attempt)
            elif attempt.root.flow.propagates and self.now >= attempt.until:
                self._settle(attempt, _DEADLINE)
            else:
                attempt.fate = _TIMEOUT
                outcome = self._send(attempt)
                if outcome != PENDING:
                    self._call_over(attempt, outcome)

    def _call_off(self, attempt: Attempt) -> None:
        """The caller does not want an outcome any more: it gets none, neither do counters and breaker."""
        edge = attempt.edge
        attempt.open = False
        edge.cancelled += 1
        if edge.withdraws and attempt.parent is not None:
            attempt.parent.children.pop(attempt, None)
        if edge.breaker is not None:
            edge.breaker.called_off(attempt.epoch)
        if edge.guarded:
            self._let_go(attempt)
        if attempt.fetch is not None:
            self._fetched(attempt, attempt.fate)
