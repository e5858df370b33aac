"""The caller's side of a call: send, wait with a timeout, tell the breaker, retry, pass the outcome on.

An attempt is refused on the caller's side, at once, by (in this order) the deadline that travels with the request, the breaker, the token bucket of its class (entry edges), its bulkhead or pool,
DNS, an empty list of options or an empty rotation. Whatever the callee or its host says (REFUSED, READ_ONLY, STALE, QUEUE_FULL,
SHED, ERROR, CRASHED) travels back like any answer. The rules that surprise: a timeout at the very instant of the answer wins;
and the outcome of a call whose caller is gone still reaches the counters and the breaker, but is not retried. A fallback is a
call of its own, with its own policies; its last reason becomes the reason of the call it replaces.
"""

from __future__ import annotations

from heapq import heappush
from math import inf

from sim.traffic import Note
from sim.traffic.caching import Caching
from sim.traffic.core import ANSWER, CANCEL, DUE, HEDGE, OK, PENDING, RETRY, TIMER
from sim.traffic.edges import Edge
from sim.traffic.ejecting import Ejecting
from sim.traffic.gates import Gates
from sim.traffic.hedging import Hedging, other_than
from sim.traffic.marks import FAILED, SENT, SETTLED, Mark
from sim.traffic.noted import BREAKER_CLOSED, BREAKER_OPENED, NOTE_KINDS
from sim.traffic.plan import Reason
from sim.traffic.state import CALLING, CONNECTED, JOINED, NOWHERE, WAITING, Attempt, Instance, Root, Timers

_BREAKER_OPEN, _NO_ROUTE, _RATE_LIMITED = int(Reason.BREAKER_OPEN), int(Reason.NO_ROUTE), int(Reason.RATE_LIMITED)
_PARTITIONED, _PACKET_LOSS, _TIMEOUT = int(Reason.PARTITIONED), int(Reason.PACKET_LOSS), int(Reason.TIMEOUT)
_DEADLINE = int(Reason.DEADLINE)

_LONGEST_DOUBLING = 60  # 2**60 times any backoff is beyond every cap
_ROUNDING = 1e-9  # ten shares of 0.1 must make one token


class Attempts(Caching, Gates, Hedging, Ejecting):
    """Everything a caller does about one call."""

    _edges: list[Edge]
    _ejects: bool
    """Whether any station ejects outliers."""

    def _attempt(self, edge: Edge, parent: Attempt | None, root: Root, number: int, hedged: Attempt | None = None) -> int:  # noqa: C901 (the hot path)
        """Make one attempt of a call, or a second one beside one that is `hedged`: PENDING, or the reason for which the whole call has failed already."""
        attempt = Attempt()
        attempt.edge = edge
        attempt.parent = parent
        attempt.root, attempt.number = root, number
        attempt.stage = NOWHERE
        attempt.fetch = self._fetch
        attempt.fate = _TIMEOUT
        attempt.position = -1
        if parent is not None:
            attempt.life = parent.instance.life
        if edge.rare:
            attempt.decided = False
            attempt.twin = hedged
        flow = root.flow
        if flow.propagates:
            attempt.until = self._until(edge, parent, root)
            if self.now >= attempt.until:
                return _DEADLINE
        breaker = edge.breaker
        if breaker is not None:
            if breaker.state and not breaker.lets_through(self.now):
                edge.skipped += 1
                return self._retry_or(attempt, _BREAKER_OPEN)
            attempt.epoch = breaker.epoch
        edge.attempts += 1
        if hedged is not None:
            hedged.twin = attempt
            edge.hedges += 1
            edge.budget = max(0.0, edge.budget - 1.0)
        elif number:
            edge.retries += 1
        elif edge.earns is not None:
            edge.budget = min(edge.retry.budget_burst, edge.budget + edge.earns)
        if parent is None:
            if flow.bucket is not None and not flow.bucket.take(self.now):
                return self._failed(attempt, _RATE_LIMITED)
        elif edge.guarded:
            entered = self._enter_gate(attempt)
            if entered != OK:
                return PENDING if entered == PENDING else self._failed(attempt, entered)
        return self._send(attempt)

    def _send(self, attempt: Attempt) -> int:  # noqa: C901 (the hot path)
        """Choose where an attempt goes and send it: PENDING, or the reason for which the whole call has failed already."""
        edge = attempt.edge
        parent = attempt.parent
        target = edge.single
        if target is None:
            choice = edge.choose()
            if isinstance(choice, Reason):
                return self._failed(attempt, int(choice))
            target = choice
        station = target.station
        rotation = station.rotation
        size = len(rotation)
        if size == 1:
            instance = rotation[0]
        elif not size:
            return self._failed(attempt, _NO_ROUTE)
        elif station.balance is not None:
            instance = station.balance(edge, target, parent)
        else:
            turn = target.turn
            if turn >= size:
                turn = 0
            target.turn = turn + 1
            instance = rotation[turn]
        root = attempt.root
        if edge.rare:
            if attempt.twin is not None and attempt.twin.instance is instance:
                instance = other_than(instance, rotation)
            if edge.withdraws and parent is not None:
                parent.children[attempt] = None
        attempt.instance = instance
        attempt.path = path = (root.flow.paths if parent is None else parent.instance.paths)[instance.zone]
        if attempt.stage == CONNECTED:
            attempt.stage = NOWHERE
        else:
            attempt.open = True
            attempt.sequence = self._tick()
        if root.trace:
            self._mark_sent(attempt)
        if edge.cut:
            attempt.fate = _PARTITIONED
        elif path.clear_there or not self._lost(attempt, path.there_cut, path.there_loss):
            if parent is None:
                root.entered = station
            reason = self._receive(attempt)
            if reason != PENDING and self._answer_now(attempt, reason):
                if self._ejects:
                    self._judge(attempt, reason)
                return self._failed(attempt, reason)
        deadline = self.now + edge.timeout_s
        if root.flow.propagates and attempt.until < deadline:
            self._end_with_deadline(attempt)
        else:
            waiting = edge.waiting
            while waiting and not waiting[0].open:
                waiting.popleft()
            attempt.deadline = deadline
            if not waiting and not edge.timers.armed:
                edge.timers.armed = True
                heappush(self._heap, (deadline, attempt.sequence, TIMER, edge.timers))
            waiting.append(attempt)
        if edge.rare:
            self._plan_hedge(attempt)
        return PENDING

    def _end_with_deadline(self, attempt: Attempt) -> None:
        """Let an attempt that was sent end with the deadline that travels with it, before its timeout."""
        if attempt.fate == _TIMEOUT:
            attempt.fate = _DEADLINE
        heappush(self._heap, (attempt.until, attempt.sequence, DUE, attempt))

    def _until(self, edge: Edge, parent: Attempt | None, root: Root) -> float:
        """When the deadline passes that travels with a call; what is not waited for has none."""
        if parent is None:
            return root.born + root.flow.deadline_s
        return inf if edge.asynchronous else parent.until

    def _lost(self, attempt: Attempt, cut: bool, loss_ratio: float) -> bool:
        """Whether the network swallows a message of this attempt now; the caller will then learn it by its timeout."""
        if cut:
            attempt.fate = _PARTITIONED
            return True
        if loss_ratio > 0.0 and attempt.edge.loss_draws.uniform() < loss_ratio:
            attempt.fate = _PACKET_LOSS
            return True
        return False

    def _deliver(self, kind: int, attempt: Attempt) -> None:  # noqa: C901 (a case per kind)
        """An answer, a timeout or the end of a backoff reaches the caller, or its mailbox while it is frozen."""
        parent = attempt.parent
        if parent is not None and parent.instance.frozen:
            parent.instance.mail.append((kind, attempt))
        elif kind == RETRY:
            if not self._gone(attempt):
                self._fetch = attempt.fetch
                reason = self._attempt(attempt.edge, parent, attempt.root, attempt.number + 1)
                self._fetch = None
                if reason != PENDING:
                    self._call_over(attempt, reason)
            elif attempt.fetch is not None:
                self._fetched(attempt, attempt.fate)
        elif attempt.open:
            if attempt.stage == JOINED:
                self._learn(attempt)
            elif kind == ANSWER:
                self._settle(attempt, attempt.outcome)
            elif kind == TIMER:
                self._abandon(attempt)
                self._settle(attempt, attempt.fate)
            elif kind == HEDGE:
                self._hedge(attempt)
            else:
                self._wait_over(kind, attempt)

    def _remind(self, kind: int, sequence: int, subject: Attempt | Instance) -> None:
        """The events of rare policies: a deadline that travels with a request cuts a timeout short, a wait for a connection
        is over, a hedge is due, a callee is told that it works in vain, an ejected instance returns."""
        if isinstance(subject, Instance):
            self._readmit(subject)
        elif kind == CANCEL:
            self._withdraw(subject)
        elif kind != DUE:
            self._deliver(kind, subject)
        elif subject.open and subject.sequence == sequence:
            self._deliver(TIMER, subject)

    def _ring(self, timers: Timers, sequence: int) -> None:
        """The heap's entry for the front of the timers is due; the front itself may have been settled meanwhile."""
        waiting = timers.waiting
        if waiting and waiting[0].sequence == sequence:
            attempt = waiting.popleft()
            if attempt.open:
                self._deliver(TIMER, attempt)
        while waiting and not waiting[0].open:
            waiting.popleft()
        timers.armed = bool(waiting)
        if waiting:
            heappush(self._heap, (waiting[0].deadline, waiting[0].sequence, TIMER, timers))

    def _settle(self, attempt: Attempt, outcome: int) -> None:  # noqa: C901 (everybody learns it)
        """The caller learns the outcome of an attempt it waits for: breaker first, then the retry decision."""
        if self._ejects and attempt.stage < WAITING:
            self._judge(attempt, outcome)
        if outcome == OK:
            attempt.open = False
            edge = attempt.edge
            if attempt.root.trace:
                self._mark(SETTLED, attempt, OK)
            breaker = edge.breaker
            if breaker is not None and (breaker.state or breaker.failures or breaker.window) and breaker.succeeded(attempt.epoch):
                self._notes.append(Note(self.now, NOTE_KINDS[BREAKER_CLOSED], breaker.index))
            if edge.rare:
                if edge.guarded:
                    self._let_go(attempt)
                if edge.withdraws and attempt.parent is not None:
                    attempt.parent.children.pop(attempt, None)
            if attempt.position >= 0:
                self._acknowledge(attempt)
            if attempt.fetch is not None:
                self._keep(attempt)
                self._fetched(attempt, OK)
            if edge.rare and not self._win(attempt):
                return
        else:
            outcome = self._failed(attempt, outcome)
            if outcome == PENDING:
                return
        self._call_over(attempt, outcome)

    def _acknowledge(self, attempt: Attempt) -> None:
        """The answer to a committed write has come in time, if anybody is left to hear it."""
        station = attempt.instance.station
        if self._gone(attempt):
            station.writes_indeterminate += 1
            return
        station.writes_acknowledged += 1
        position = attempt.position - station.log_base
        if position >= 0:
            station.acknowledged[position] = 1

    def _failed(self, attempt: Attempt, reason: int) -> int:
        """An attempt has failed: PENDING if it will be retried, else the reason, which is then the call's."""
        edge = attempt.edge
        edge.failures += 1
        instance = getattr(attempt, "instance", None)  # of one that was never sent there is none
        (edge.unsent_by if instance is None else instance.station.failed_by)[reason] += 1
        breaker = edge.breaker
        if breaker is not None and breaker.failed(attempt.epoch, self.now):
            self._notes.append(Note(self.now, NOTE_KINDS[BREAKER_OPENED], breaker.index))
        if edge.guarded:
            self._let_go(attempt)
        return self._retry_or(attempt, reason)

    def _mark_sent(self, attempt: Attempt) -> None:
        instance, parent = attempt.instance, attempt.parent
        place = (instance.station.index, instance.station.instances.index(instance))
        lineage = 0 if parent is None else parent.sequence
        edge = self._edges.index(attempt.edge)
        self._marks.append(Mark(self.now, SENT, attempt.root.trace, attempt.sequence, lineage, edge, *place, attempt.number))

    def _mark_failed(self, attempt: Attempt, reason: int) -> None:
        """Of an attempt that was refused on the caller's side there is no more than this."""
        parent, sequence = attempt.parent, getattr(attempt, "sequence", 0)
        lineage = 0 if parent is None else parent.sequence
        edge, trace, number = self._edges.index(attempt.edge), attempt.root.trace, attempt.number
        self._marks.append(Mark(self.now, FAILED, trace, sequence, lineage, edge, number=number, outcome=reason))

    def _retry_or(self, attempt: Attempt, reason: int) -> int:
        """Schedule a retry and return PENDING; else take the fallback, or return the reason for which the call has failed."""
        if attempt.root.trace:
            self._mark_failed(attempt, reason)
        attempt.open = False
        edge = attempt.edge
        if edge.rare:
            if edge.withdraws and attempt.parent is not None:
                attempt.parent.children.pop(attempt, None)
            if self._waits_for_twin(attempt):
                return PENDING
        if reason == _DEADLINE or self._gone(attempt):
            return reason
        retry = edge.retry
        if attempt.number >= retry.retries or (edge.earns is not None and edge.budget < 1.0 - _ROUNDING):
            fallback = edge.fallback
            if fallback is None or not fallback.enabled:
                return reason
            self._fetch = attempt.fetch
            reason = self._attempt(fallback, attempt.parent, attempt.root, 0)
            self._fetch = None
            return reason
        if edge.earns is not None:
            edge.budget = max(0.0, edge.budget - 1.0)
        longest_s = min(retry.backoff_cap_s, retry.backoff_s * 2.0 ** min(attempt.number, _LONGEST_DOUBLING))
        delay_s = longest_s * edge.backoff_draws.uniform() if longest_s > 0.0 else 0.0
        due = self.now + delay_s
        if attempt.root.flow.propagates:
            due = min(due, attempt.until)
        attempt.fate = reason  # for those who have joined its call, if it is given up meanwhile
        heappush(self._heap, (due, self._tick(), RETRY, attempt))
        return PENDING

    def _gone(self, attempt: Attempt) -> bool:
        """Whether nobody will use the outcome: the calling visit is over, or (asynchronous) its process has died."""
        parent = attempt.parent
        if attempt.edge.hedge_s is not None and attempt.decided:
            return True
        if parent is None:
            return False
        if attempt.edge.asynchronous:
            return parent.instance.life != attempt.life
        return parent.stage != CALLING

    def _call_over(self, attempt: Attempt, outcome: int) -> None:
        """A logical call has its final outcome; its caller goes on, fails, or does not care any more."""
        parent = attempt.parent
        if parent is None:
            self._root_over(attempt.root, outcome)
            return
        if attempt.fetch is not None:
            self._fetched(attempt, outcome)
        edge = attempt.edge
        if edge.asynchronous or parent.stage != CALLING:
            return
        if outcome != OK and edge.required:
            self._finish(parent, outcome)
        elif parent.instance.station.parallel:
            parent.pending -= 1
            if not parent.pending:
                self._finish(parent, OK)
        else:
            self._next_call(parent)
