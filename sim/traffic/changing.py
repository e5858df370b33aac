"""What the control plane may do to a running engine, one handler per kind of change.

The rules that surprise: a killed instance answers CRASHED for everything it held over the ordinary way back (round trip, and
lost if the link is cut). While an instance is frozen its own work stands still and everything that reaches it (answers,
timeouts, ends of backoffs) waits in its mailbox, to be played in order of arrival when it goes on; thawing at the same instant
therefore changes nothing.
"""

from __future__ import annotations

from sim.traffic.arrivals import arrive_at, spend, think_on
from sim.traffic.attempts import Attempts
from sim.traffic.bucket import TokenBucket
from sim.traffic.change_checks import check_change
from sim.traffic.changes import AddInstance, Change, DropWrites, SetEdge, SetFlow, SetInstance, SetLink, SetRateLimit, SetStation
from sim.traffic.clients import Flow
from sim.traffic.core import ARRIVAL, CANCEL, THOUGHT, WORK
from sim.traffic.edges import Edge
from sim.traffic.limiter import Limiter
from sim.traffic.network import Path, set_link
from sim.traffic.plan import Plan, Reason
from sim.traffic.state import COMMITTING, DONE, PARKED, QUEUED, WORKING, Attempt, Instance, Station
from sim.traffic.visits import Visits

_CRASHED, _TIMEOUT = int(Reason.CRASHED), int(Reason.TIMEOUT)


class Changing(Attempts, Visits):
    """Applies changes at the present instant."""

    _stations: list[Station]
    _edges: list[Edge]
    _flows: list[Flow]
    _paths: list[list[Path]]
    _plan: Plan

    def apply(self, change: Change) -> None:
        """Change the system at the present instant; a bad value raises ValueError and changes nothing."""
        check_change(change, self._plan, lambda station: len(self._stations[station].instances))
        match change:
            case SetInstance():
                self._set_instance(change)
            case AddInstance():
                station = self._stations[change.station]
                station.instances.append(Instance(change.instance, station, self._paths))
                self._rotate(station, refresh=True)
            case SetStation():
                self._set_station(change)
            case SetLink():
                set_link(self._paths, change)
            case SetEdge():
                self._set_edge(change)
            case SetFlow():
                self._set_flow(change)
            case SetRateLimit():
                self._set_rate_limit(change)
            case DropWrites():
                self._drop_writes(change)

    # Instances

    def _set_instance(self, change: SetInstance) -> None:
        station = self._stations[change.station]
        instance = station.instances[change.instance]
        if change.in_rotation is not None and change.in_rotation != instance.in_rotation:
            instance.in_rotation = change.in_rotation
            self._rotate(station, refresh=True)
        if change.drained is not None and change.drained != instance.drained:
            instance.drained = change.drained
            self._rotate(station)
        if change.slots is not None:
            instance.slots = change.slots
        if change.slowdown is not None:
            instance.slowdown = change.slowdown
        if change.error_ratio is not None:
            instance.error_ratio = change.error_ratio
        instance.refresh()
        if change.up is True:
            instance.up = True
            instance.refresh()
        elif change.up is False and instance.up:
            self._kill(instance)
        if instance.up and change.frozen is True and not instance.frozen:
            self._freeze(instance)
        elif change.frozen is False and instance.frozen:
            self._thaw(instance)
        self._pump(instance)

    def _kill(self, instance: Instance) -> None:
        """Fail everything the instance holds, in order of start, then the queue, then what its mailbox still told the dead."""
        station = instance.station
        held = list(instance.running)
        queued = [attempt for lane in instance.order for attempt in lane if attempt.stage == QUEUED]
        mail = instance.mail
        for attempt in held:
            station.busy_s += self.now - attempt.held_since
        instance.running.clear()
        for lane in instance.order:
            lane.clear()
        instance.queued = instance.dropped = 0
        instance.mail = []
        instance.up = instance.frozen = False
        instance.life += 1
        instance.gates = {}
        instance.caches = {}
        if instance.limiter is not None:
            instance.limiter = Limiter(instance.limiter.plan)
        instance.refresh()
        for attempt in held + queued:
            attempt.stage = DONE
            attempt.token = 0
        for attempt in held + queued:
            if station.cancels and attempt.children:
                self._forsake(attempt)
            station.failed += 1
            if attempt.open and self._answer_now(attempt, _CRASHED):
                self._settle(attempt, _CRASHED)
        for kind, attempt in mail:
            self._read(kind, attempt)

    def _read(self, kind: int, attempt: Attempt) -> None:
        """A piece of mail: of a callee that it works in vain, or of what one of its calls has come to."""
        if kind == CANCEL:
            self._withdraw(attempt)
        else:
            self._deliver(kind, attempt)

    def _freeze(self, instance: Instance) -> None:
        """Stop the clocks of the work in progress."""
        instance.frozen = True
        instance.refresh()
        for attempt in instance.running:
            if attempt.stage in (WORKING, COMMITTING):
                attempt.token = 0
                attempt.due -= self.now

    def _thaw(self, instance: Instance) -> None:
        """Let work go on, then play what arrived meanwhile, then start who waits."""
        instance.frozen = False
        instance.refresh()
        for attempt in list(instance.running):
            if attempt.stage in (WORKING, COMMITTING):
                attempt.due += self.now
                self._schedule(attempt.due, WORK, attempt)
            elif attempt.stage == PARKED and not attempt.open:
                self._leave(attempt, _TIMEOUT)
            elif attempt.stage == PARKED and not instance.station.commit_blocked:
                self._committed(attempt)
        mail, instance.mail = instance.mail, []
        for kind, attempt in mail:
            self._read(kind, attempt)

    # Stations

    def _set_station(self, change: SetStation) -> None:
        station = self._stations[change.station]
        for name in ("slowdown", "error_ratio", "read_only", "stale", "admit", "commit_delay_s", "commit_blocked"):
            value = getattr(change, name)
            if value is not None:
                setattr(station, name, value)
        station.refresh()
        if change.commit_blocked is False:
            parked = [attempt for instance in station.instances for attempt in instance.running if attempt.stage == PARKED]
            for attempt in parked:
                if attempt.stage == PARKED and not attempt.instance.frozen:
                    self._committed(attempt)

    def _drop_writes(self, change: DropWrites) -> None:
        station = self._stations[change.station]
        count = min(max(0, change.upto - station.log_base), len(station.committed_s))
        del station.committed_s[:count]
        del station.acknowledged[:count]
        station.log_base += count

    # Edges, flows, limits

    def _set_edge(self, change: SetEdge) -> None:
        edge = self._edges[change.edge]
        if change.enabled is not None:
            edge.enabled = change.enabled
        if change.cut is not None:
            edge.cut = change.cut
        if change.dns_failed_ratio is not None:
            edge.dns_failed_ratio = change.dns_failed_ratio
        if change.options is not None:
            edge.set_options(change.options, self._stations)
        edge.refresh()

    def _set_flow(self, change: SetFlow) -> None:
        flow = self._flows[change.flow]
        old = flow.factor
        if not flow.users:
            spend(flow, self.now)
        flow.factor = change.rate_factor
        if not flow.users:
            self._schedule(arrive_at(flow), ARRIVAL, flow)
        for user in flow.users:
            if user.thinking:
                self._schedule(think_on(user, self.now, old), THOUGHT, user)

    def _set_rate_limit(self, change: SetRateLimit) -> None:
        present = next((flow.bucket for flow in self._flows if flow.request_class == change.request_class and flow.bucket), None)
        bucket = None
        if change.rate is not None:
            bucket = present or TokenBucket(change.rate, change.burst, self.now)
            bucket.change(change.rate, change.burst, self.now)
        for flow in self._flows:
            if flow.request_class == change.request_class:
                flow.bucket = bucket
