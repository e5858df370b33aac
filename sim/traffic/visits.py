"""The callee's side of an attempt: admission, queue, work, calls of its own, commit, answer.

A slot is held from the start of work until everything the visit waits for is over. The rules that surprise: the slot is free
and given to the next in the queue *before* the answer leaves; and work whose caller has given up goes on as if nothing had
happened, unless the edge cancels and it is still queued, or it is a write parked by a blocked commit (which is then dropped,
uncommitted).
"""

from __future__ import annotations

from heapq import heappush

from sim.traffic import bucket_of
from sim.traffic.core import ANSWER, OK, PENDING, WORK, Core
from sim.traffic.edges import READ, WRITE
from sim.traffic.marks import LEFT, STARTED
from sim.traffic.plan import Reason
from sim.traffic.queueing import overdue, take_next
from sim.traffic.state import CALLING, COMMITTING, DONE, PARKED, QUEUED, WORKING, Attempt, Instance
from sim.traffic.withdrawing import RUNNING

_DROPPED, _ERROR, _LIMITED, _QUEUE_FULL, _READ_ONLY = map(
    int, (Reason.DROPPED, Reason.ERROR, Reason.LIMITED, Reason.QUEUE_FULL, Reason.READ_ONLY)
)
_DEADLINE = int(Reason.DEADLINE)
_REFUSED, _SHED, _STALE, _TIMEOUT = int(Reason.REFUSED), int(Reason.SHED), int(Reason.STALE), int(Reason.TIMEOUT)


class Visits(Core):
    """Everything a station does about one attempt."""

    def _receive(self, attempt: Attempt) -> int:
        """An attempt arrives: PENDING if it was given a slot or a place in the queue, else why it was refused."""
        instance = attempt.instance
        station = instance.station
        priority = attempt.root.priority
        station.arrived += 1
        attempt.arrived_at = self.now
        if station.cancels:
            attempt.children = {}
        if attempt.edge.operation == WRITE and station.keeps_writes:
            station.writes_attempted += 1
        free = len(instance.running) < instance.room
        if free and not station.picky and not station.barred[priority]:
            station.admitted_by[priority] += 1
            self._start(attempt)
            return PENDING
        reason = self._why_not(attempt, free)
        if reason != PENDING:
            station.failed += 1
            return reason
        station.admitted_by[priority] += 1
        if instance.limiter is not None:
            instance.limiter.admitted(len(instance.running) + instance.queued + 1)
        if station.broker:
            self._answer_later(attempt, OK)
        if free:
            self._start(attempt)
        else:
            attempt.stage = QUEUED
            attempt.held_since = self.now
            if not instance.queued:
                instance.filled_at = self.now
            instance.queued += 1
            instance.lanes[priority].append(attempt)
        return PENDING

    def _why_not(self, attempt: Attempt, free: bool) -> int:
        """Why an arrival is refused, or PENDING if it is not."""
        instance = attempt.instance
        station = instance.station
        priority = attempt.root.priority
        operation = attempt.edge.operation
        if not instance.up:
            return _REFUSED
        if station.read_only and operation == WRITE:
            return _READ_ONLY
        if station.stale and operation == READ:
            return _STALE
        if instance.limiter is not None and instance.limiter.refuses(len(instance.running) + instance.queued, priority):
            station.refused_by[priority] += 1
            station.limited += 1
            return _LIMITED
        if free and not station.barred[priority]:
            return PENDING
        if not free and instance.queued >= instance.queue_limit:
            station.refused_by[priority] += 1
            return _QUEUE_FULL
        if free or instance.queued >= instance.queue_limit * station.admit[priority]:
            station.refused_by[priority] += 1
            station.shed_below_limit += free
            return _SHED
        return PENDING

    def _start(self, attempt: Attempt) -> None:
        """Give the attempt a slot and its own service time."""
        now = self.now
        instance = attempt.instance
        station = instance.station
        pool = station.pool
        if not pool:
            station.times.refill()
        instance.running[attempt] = None
        attempt.held_since = now
        attempt.stage = WORKING
        if attempt.root.trace:
            self._mark(STARTED, attempt)
        attempt.due = due = now + pool.pop() * instance.pace
        attempt.token = sequence = self._tick()
        heappush(self._heap, (due, sequence, WORK, attempt))

    def _pump(self, instance: Instance) -> None:
        """Fill free slots from the queue."""
        drops = instance.station.drops
        while instance.queued and len(instance.running) < instance.room:
            attempt = take_next(instance)
            if attempt.stage != QUEUED:
                instance.dropped -= 1
            elif attempt.edge.cancel and self._gone(attempt):
                instance.queued -= 1
                attempt.stage = DONE
                instance.station.failed += 1
            elif drops and overdue(attempt, instance, self.now):
                instance.queued -= 1
                self._drop(attempt, _DROPPED)
            elif attempt.root.flow.propagates and self.now >= attempt.until:
                instance.queued -= 1
                self._drop(attempt, _DEADLINE)
            else:
                instance.queued -= 1
                self._start(attempt)

    def _drop(self, attempt: Attempt, reason: int) -> None:
        """Refuse an attempt after it has waited. Its answer takes the way over the heap even without a delay: a queue is being worked off."""
        attempt.stage = DONE
        station = attempt.instance.station
        station.failed += 1
        if reason == _DROPPED:
            station.dropped_by[attempt.root.priority] += 1
        if attempt.open:
            self._answer_later(attempt, reason)

    def _worked(self, attempt: Attempt) -> None:  # noqa: C901 (the hot path)
        """Own service time (or the commit wait) is over: make the calls, all at once or one after the other."""
        if attempt.stage == COMMITTING:
            self._committed(attempt)
            return
        station = attempt.instance.station
        root = attempt.root
        calls = station.calls[root.request_class]
        attempt.stage = CALLING
        if not calls:
            self._finish(attempt, OK)
        elif not station.parallel:
            attempt.step = -1
            attempt.repeat = 0
            self._next_call(attempt)
        else:
            pending = 0
            failed = OK
            for edge in calls:
                if not edge.enabled:
                    continue
                calls_left = edge.whole
                if edge.fraction:
                    coins = edge.coins
                    if not coins:
                        edge.branch_draws.refill(coins)
                    if coins.pop() < edge.fraction:
                        calls_left += 1
                while calls_left:
                    calls_left -= 1
                    if edge.cache is None:
                        reason = self._attempt(edge, attempt, root, 0)
                    else:
                        reason = self._cached_call(edge, attempt, root)
                    if edge.asynchronous:
                        continue
                    if reason == PENDING:
                        pending += 1
                    elif edge.required and failed == OK:
                        failed = reason
            attempt.pending = pending
            if failed != OK or not pending:
                self._finish(attempt, failed)

    def _next_call(self, attempt: Attempt) -> None:
        """Go on with sequential calls until one has to be waited for, one fails, or none is left."""
        root = attempt.root
        calls = attempt.instance.station.calls[root.request_class]
        while True:
            while not attempt.repeat:
                attempt.step += 1
                if attempt.step == len(calls):
                    self._finish(attempt, OK)
                    return
                edge = calls[attempt.step]
                if edge.enabled:
                    attempt.repeat = edge.whole
                    if edge.fraction:
                        if not edge.coins:
                            edge.branch_draws.refill(edge.coins)
                        attempt.repeat += edge.coins.pop() < edge.fraction
            edge = calls[attempt.step]
            attempt.repeat -= 1
            reason = self._attempt(edge, attempt, root, 0) if edge.cache is None else self._cached_call(edge, attempt, root)
            if edge.asynchronous:
                continue
            if reason == PENDING:
                return
            if edge.required and reason != OK:
                self._finish(attempt, reason)
                return

    def _finish(self, attempt: Attempt, outcome: int) -> None:
        """Work and calls are over with this outcome; an error may be added, a write has to commit first."""
        if outcome == OK:
            instance = attempt.instance
            if instance.errors > 0.0 and instance.station.error_draws.uniform() < instance.errors:
                outcome = _ERROR
            elif attempt.edge.operation == WRITE and instance.station.keeps_writes:
                self._commit(attempt)
                return
        self._leave(attempt, outcome)

    def _leave(self, attempt: Attempt, outcome: int) -> None:
        """Free the slot, start who waits for it, and answer."""
        instance = attempt.instance
        station = instance.station
        del instance.running[attempt]
        attempt.stage = DONE
        station.busy_s += self.now - attempt.held_since
        if attempt.root.trace:
            self._mark(LEFT, attempt, outcome)
        if outcome == OK:
            station.completed += 1
            station.wasted += not (attempt.open or station.broker)
            station.latency[attempt.root.request_class][bucket_of(self.now - attempt.arrived_at)] += 1
            if attempt.edge.operation == READ:
                station.reads += 1
            if instance.limiter is not None:
                instance.limiter.answered(self.now, self.now - attempt.arrived_at)
        else:
            station.failed += 1
            station.dead_letters += station.broker
        if station.cancels and attempt.children:
            self._forsake(attempt)
        if instance.queued:
            self._pump(instance)
        if attempt.open and not station.broker and self._answer_now(attempt, outcome):
            self._settle(attempt, outcome)

    def _answer_now(self, attempt: Attempt, outcome: int) -> bool:
        """Send the callee's answer: True if the caller has it at once, False if it travels, waits, or is lost."""
        path = attempt.path
        if not path.clear_back and self._lost(attempt, path.back_cut, path.back_loss):
            return False
        attempt.outcome = outcome
        if path.delay_s > 0.0:
            heappush(self._heap, (self.now + path.delay_s, self._tick(), ANSWER, attempt))
            return False
        parent = attempt.parent
        if parent is not None and parent.instance.frozen:
            parent.instance.mail.append((ANSWER, attempt))
            return False
        return True

    def _answer_later(self, attempt: Attempt, outcome: int) -> None:
        """Send the callee's answer, if the network does not lose it, as an event of its own."""
        path = attempt.path
        if path.clear_back or not self._lost(attempt, path.back_cut, path.back_loss):
            attempt.outcome = outcome
            heappush(self._heap, (self.now + path.delay_s, self._tick(), ANSWER, attempt))

    def _commit(self, attempt: Attempt) -> None:
        """A write's own work is done: wait for the replica, if there is one to wait for."""
        delay_s = attempt.instance.station.commit_delay_s
        if delay_s > 0.0:
            attempt.stage = COMMITTING
            attempt.due = self.now + delay_s
            self._schedule(attempt.due, WORK, attempt)
        else:
            self._committed(attempt)

    def _committed(self, attempt: Attempt) -> None:
        """The commit wait is over: write the log and answer, or park while commits are blocked."""
        station = attempt.instance.station
        if not station.commit_blocked:
            attempt.position = station.log_base + len(station.committed_s)
            station.committed_s.append(self.now)
            station.acknowledged.append(0)
            if not attempt.open:
                station.writes_indeterminate += 1
            self._leave(attempt, OK)
        elif attempt.open:
            attempt.stage = PARKED
        else:
            self._leave(attempt, _TIMEOUT)

    def _abandon(self, attempt: Attempt) -> None:
        """The caller has given up: drop what need not be done any more; a committed write stays, unacknowledged."""
        instance = attempt.instance
        if attempt.position >= 0:
            instance.station.writes_indeterminate += 1
        elif attempt.stage == QUEUED and attempt.edge.cancel:
            self._unqueue(attempt)
        elif attempt.stage == PARKED and not instance.frozen:
            attempt.open = False
            self._leave(attempt, _TIMEOUT)
        elif attempt.edge.cancel == RUNNING and attempt.stage in (WORKING, CALLING):
            self._tell(attempt)
