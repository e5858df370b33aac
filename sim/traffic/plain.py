"""The plain traffic engine: every request of a plan, event by event, in pure Python on a heap.

It is exact, deterministic and readable; it defines what a faster engine has to reproduce to the bit. Read in this order:
`plan` and `changes` (what goes in), `state` (the records), `attempts` (the caller's side of a call), `visits` (the callee's
side), `changing` (faults and control), this file (arrivals, event loop, observation). The semantics, each stated where it is
implemented, in short:

- Events at the same time play in the order in which they were scheduled. The timer of an attempt counts as scheduled when the
  attempt is made, so a timeout wins against an answer at the same instant.
- The latency of a root runs from its arrival to the answer at the client; LATE is an answer after the deadline.
- Requests arrive at once, answers take the round trip. A message lost on the way leaves the caller to its timeout.
- A slot is held from the start of work to the end of the visit; it is given to the next before the answer leaves.
- Work whose caller has gone goes on; its outcome changes nothing but counters.
- Every stream of random numbers belongs to one decision of one named component: `arrivals/<flow>`, `service/<station>`,
  `error/<station>`, `edge/<edge>` (fraction of `calls_mean`), `edge-option/`, `edge-backoff/`, `edge-balance/`, `edge-loss/`,
  `edge-dns/<edge>`.
  A draw is made only when the configuration leaves something to chance.

The rule that surprises: `arrived = completed + failed + busy + queued` holds for every station at every instant, because
cancelled, crashed and released work counts as failed.
"""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import count
from math import inf

import numpy as np

from sim.streams import Streams
from sim.traffic import BUCKETS, Details, Note, Observation, Snapshot, WriteLog, bucket_of
from sim.traffic.arrivals import arrive_at, change_state, draw_next, state_ends, think
from sim.traffic.balancing import BALANCERS
from sim.traffic.change_checks import check_trace
from sim.traffic.changing import Changing
from sim.traffic.checks import check
from sim.traffic.clients import Flow, User
from sim.traffic.copying import copied
from sim.traffic.core import ANSWER, ARRIVAL, OK, PENDING, RETRY, SWITCH, THOUGHT, TIMER, WORK
from sim.traffic.edges import Edge
from sim.traffic.marks import ENTERED, OVER, Mark
from sim.traffic.network import paths_between
from sim.traffic.plan import Plan, Reason
from sim.traffic.state import Instance, Root, Station, Timers
from sim.traffic.watching import Stop, Watch, Watching

_LATE = int(Reason.LATE)


class PlainEngine(Changing):
    """One simulated data plane, as the protocol `sim.traffic.Engine` wants it."""

    def __init__(self, plan: Plan, streams: Streams) -> None:
        super().__init__()
        check(plan)
        self._plan = plan
        self._paths = paths_between(plan.rtt_s)
        self._ejects = any(station.outlier is not None for station in plan.stations)
        self._stations = [Station(station, number, len(plan.zones), streams) for number, station in enumerate(plan.stations)]
        for station in self._stations:
            station.instances = [Instance(instance, station, self._paths) for instance in station.plan.instances]
            station.balance = BALANCERS[station.plan.balancing]
            station.refresh()
        timers = {edge.timeout_s: Timers() for edge in plan.edges}
        self._edges = [
            Edge(edge, self._stations, number, streams, timers[edge.timeout_s]) for number, edge in enumerate(plan.edges)
        ]
        replacing = {edge.fallback for edge in plan.edges}
        for number, edge in enumerate(self._edges):
            link = edge
            while number not in replacing and link.plan.fallback is not None:  # from a call down its chain of fallbacks
                link.replace_by(self._edges[link.plan.fallback])
                link = self._edges[link.plan.fallback]
        for station in self._stations:
            edges = [self._edges[number] for number in station.plan.calls]
            station.calls = [
                tuple(edge for edge in edges if edge.plan.classes is None or number in edge.plan.classes)
                for number in range(len(plan.classes))
            ]
            station.latency = [[0] * BUCKETS for _ in plan.classes]
            station.cancels = any(edge.withdraws and edge.plan.caller == station.index for edge in self._edges)
        self._flows = [Flow(flow, plan, self._edges, self._paths, streams) for flow in plan.flows]
        for flow in self._flows:
            if flow.plan.rate:
                self._schedule(draw_next(flow, 0.0), ARRIVAL, flow)
            if flow.plan.burst is not None:
                self._until_switch(flow)
            for user in flow.users:
                self._think(user)
        self._view = self._first_view()
        self._watching = Watching()
        self._watches = 0

    # Time

    def advance(self, until: float) -> Stop:
        """Play every event up to and including `until` (seconds), or until a watch speaks up; says which of them."""
        if not self.now <= until < inf:
            raise ValueError(f"advance(until={until}): time runs forward from now={self.now} and stays finite")
        while self._watching.set:
            soon = self._heap[0][0] if self._heap else inf
            if soon > self.now:
                due = self._watching.due(self.now, min(soon, until), self._stations, self._edges, self._flows)
                if due is not None:
                    self.now = due
                    return Stop.WATCH
            if soon > until:
                break
            self._play(soon)
        self._play(until)
        return Stop.UNTIL

    def _play(self, until: float) -> None:
        """Play every event up to and including `until`; afterwards `now == until`."""
        heap = self._heap
        worked, deliver = self._worked, self._deliver
        while heap and heap[0][0] <= until:
            self.now, sequence, kind, subject = heappop(heap)
            if kind == WORK:
                if subject.token == sequence:  # else it was killed or frozen meanwhile
                    worked(subject)
            elif kind == ANSWER or kind == RETRY:  # noqa: PLR1714, SIM109 (two comparisons are faster than a tuple)
                deliver(kind, subject)
            elif kind == TIMER:
                self._ring(subject, sequence)
            elif kind == SWITCH:
                change_state(subject, self.now)
                self._until_switch(subject)
                self._schedule(arrive_at(subject), ARRIVAL, subject)
            elif kind > SWITCH:
                self._remind(kind, sequence, subject)
            elif subject.token == sequence:  # else the flow's rate has changed meanwhile
                if kind == ARRIVAL:
                    self._arrive(subject)
                else:
                    subject.thinking = False
                    self._enter(Root(subject.flow, subject, self.now))
        self.now = until

    def watch(self, condition: Watch) -> int:
        """Return early from `advance` when the condition holds; returns the watch's number."""
        condition.check(self._plan, [len(station.instances) for station in self._stations])
        self._watches += 1
        self._watching.set[self._watches] = condition
        return self._watches

    def unwatch(self, number: int) -> None:
        """Watch it no more; one that has fired or never was is no error."""
        self._watching.drop(number)

    def take_fired(self) -> list[int]:
        """Numbers of the watches that have fired since the last call; they are gone."""
        fired, self._watching.fired = self._watching.fired, []
        return sorted(fired)

    # Clients

    def _arrive(self, flow: Flow) -> None:
        """A request of an open flow arrives; the next one is put on the heap first."""
        now = self.now
        self._schedule(draw_next(flow, now), ARRIVAL, flow)
        self._enter(Root(flow, None, now))

    def _until_switch(self, flow: Flow) -> None:
        heappush(self._heap, (state_ends(flow, self.now), self._tick(), SWITCH, flow))

    def _enter(self, root: Root) -> None:
        flow = root.flow
        flow.offered += 1
        if flow.trace_every and flow.offered % flow.trace_every == 0:
            root.trace = self._traced = self._traced + 1
            self._marks.append(Mark(self.now, ENTERED, root.trace, edge=self._flows.index(flow)))
        reason = self._attempt(flow.entry, None, root, 0)
        if reason != PENDING:
            self._root_over(root, reason)

    def _root_over(self, root: Root, outcome: int) -> None:
        """A request from outside has its one fate."""
        flow = root.flow
        if outcome == OK:
            latency_s = self.now - root.born
            flow.latency[bucket_of(latency_s)] += 1
            if latency_s > flow.deadline_s:
                outcome = _LATE
        if outcome == OK:
            flow.good += 1
        else:
            flow.lost[outcome] += 1
        if root.trace:
            self._marks.append(Mark(self.now, OVER, root.trace, outcome=outcome))
        if root.entered is not None:
            pair = flow.entered.get(root.entered.index)
            if pair is None:
                pair = flow.entered[root.entered.index] = [0, 0]
            pair[outcome != OK] += 1
        if root.user is not None:
            self._think(root.user)

    def _think(self, user: User) -> None:
        user.thinking = True
        self._schedule(think(user, self.now), THOUGHT, user)

    # Observation

    def _first_view(self) -> Observation:
        stations, edges, flows = self._stations, self._edges, self._flows
        return Observation(
            offered=[0] * len(flows),
            good=[0] * len(flows),
            lost=[flow.lost for flow in flows],
            latency=[flow.latency for flow in flows],
            entered=[flow.entered for flow in flows],
            arrived=[0] * len(stations),
            completed=[0] * len(stations),
            failed=[0] * len(stations),
            busy=[0] * len(stations),
            queued=[0] * len(stations),
            slots=[0] * len(stations),
            busy_s=[0.0] * len(stations),
            refused_by=[station.refused_by for station in stations],
            admitted_by=[station.admitted_by for station in stations],
            dropped_by=[station.dropped_by for station in stations],
            shed_below_limit=[0] * len(stations),
            attempts=[0] * len(edges),
            failures=[0] * len(edges),
            retries=[0] * len(edges),
            skipped=[0] * len(edges),
            cancelled=[0] * len(edges),
            hedges=[0] * len(edges),
            breaker_open=[False] * len(edges),
            hits=[0] * len(edges),
            misses=[0] * len(edges),
            joined=[0] * len(edges),
            reads=[0] * len(stations),
            writes_attempted=[0] * len(stations),
            writes_acknowledged=[0] * len(stations),
            writes_indeterminate=[0] * len(stations),
            dead_letters=[0] * len(stations),
        )

    def observe(self) -> Observation:
        """Counts and gauges at the present instant; the same object every time, so copy what you keep."""
        view = self._view
        for number, flow in enumerate(self._flows):
            view.offered[number] = flow.offered
            view.good[number] = flow.good
        for number, station in enumerate(self._stations):
            view.arrived[number] = station.arrived
            view.completed[number] = station.completed
            view.failed[number] = station.failed
            view.busy[number] = sum(len(instance.running) for instance in station.instances)
            view.queued[number] = sum(instance.queued for instance in station.instances)
            view.slots[number] = sum(instance.slots for instance in station.instances if instance.up)
            held_s = 0.0  # sum() rounds differently from Python 3.12 on
            for instance in station.instances:
                for attempt in instance.running:
                    held_s += self.now - attempt.held_since
            view.busy_s[number] = station.busy_s + held_s
            view.shed_below_limit[number] = station.shed_below_limit
            view.reads[number] = station.reads
            view.writes_attempted[number] = station.writes_attempted
            view.writes_acknowledged[number] = station.writes_acknowledged
            view.writes_indeterminate[number] = station.writes_indeterminate
            view.dead_letters[number] = station.dead_letters
        for number, edge in enumerate(self._edges):
            view.attempts[number] = edge.attempts
            view.failures[number] = edge.failures
            view.retries[number] = edge.retries
            view.skipped[number] = edge.skipped
            view.cancelled[number] = edge.cancelled
            view.hedges[number] = edge.hedges
            view.hits[number] = edge.hits
            view.misses[number] = edge.misses
            view.joined[number] = edge.joined
            view.breaker_open[number] = edge.breaker is not None and bool(edge.breaker.state)
        return view

    def instance_busy(self, station: int, instance: int) -> tuple[int, int]:
        """Busy slots and queued requests of one instance."""
        record = self._stations[station].instances[instance]
        return len(record.running), record.queued

    def details(self) -> Details:
        """More about every station and edge, as copies."""
        stations = self._stations
        return Details(
            visits=np.array([station.latency for station in stations], dtype=np.int64),
            wasted=np.array([station.wasted for station in stations], dtype=np.int64),
            failed_by=np.array([station.failed_by for station in stations], dtype=np.int64),
            limit=np.array([station.limit() for station in stations]),
            limited=np.array([station.limited for station in stations], dtype=np.int64),
            unsent_by=np.array([edge.unsent_by for edge in self._edges], dtype=np.int64),
        )

    def write_log(self, station: int) -> WriteLog:
        """Writes of a database node that have not been dropped yet."""
        record = self._stations[station]
        if not record.keeps_writes:
            raise ValueError(f"station {record.plan.name!r} keeps no writes")
        return WriteLog(record.log_base, record.committed_s, record.acknowledged)

    def take_notes(self) -> list[Note]:
        """Notes since the last call, in order of time."""
        notes, self._notes = self._notes, []
        return notes

    # Traces

    def trace(self, flow: int, every: int) -> None:
        """From now on trace every so manyth request of a flow, by the count of those offered; 0 traces none."""
        check_trace(flow, every, self._plan)
        self._flows[flow].trace_every = every

    def take_marks(self) -> list[Mark]:
        """What has happened to traced requests since the last call, in order."""
        marks, self._marks = self._marks, []
        return marks

    # Going back

    def snapshot(self) -> Snapshot:
        """Everything the future depends on, as of now."""
        sequence = self._tick()
        self._tick = count(sequence).__next__
        state = {name: value for name, value in vars(self).items() if name != "_tick"}
        return Snapshot("plain", self._plan, copied(state), sequence)

    def restore(self, snapshot: Snapshot) -> None:
        """Go back (or on) to a snapshot of this engine or of another one of the same kind and plan; it can be restored again."""
        snapshot.check("plain", self._plan)
        vars(self).update(copied(snapshot.state))
        self._tick = count(snapshot.sequence).__next__
