"""The mutable records of the plain engine: one small class per noun, no behaviour beyond their own few numbers.

The rule that surprises: an `Attempt` is both sides of one try at once, the caller's (is anybody still waiting?) and the
callee's (where is the work?). The two end independently: work whose caller has given up goes on as a *zombie*, and a
caller can wait for a request that never arrived. A retry is a new `Attempt`.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from sim.streams import Streams
from sim.traffic.limiter import Limiter
from sim.traffic.network import Path
from sim.traffic.plan import InstancePlan, Reason, StationPlan
from sim.traffic.times import LazyDraws, ServiceTimes

if TYPE_CHECKING:
    from sim.traffic.balancing import Balancer
    from sim.traffic.caching import Cache
    from sim.traffic.clients import Flow, User
    from sim.traffic.edges import Edge
    from sim.traffic.gates import Gate

# Where the work of an attempt is. Only WORKING, COMMITTING, CALLING and PARKED hold a slot.
NOWHERE = 0  # not at a callee: lost on the way, or refused
QUEUED = 1
WORKING = 2  # own service time
CALLING = 3  # waiting for the calls it made
COMMITTING = 4  # a write waiting out `commit_delay_s`
PARKED = 5  # a write waiting for `commit_blocked` to end
DONE = 6
WAITING = 7  # not sent yet: its caller waits for a connection
CONNECTED = 8  # and has been promised one
JOINED = 9  # at no callee: waiting for the answer to another call


class Root:
    """One request from outside: who sent it and when; shared by every attempt made on its behalf."""

    __slots__ = ("born", "entered", "flow", "priority", "request_class", "trace", "user")

    def __init__(self, flow: Flow, user: User | None, born: float) -> None:
        self.flow = flow
        self.user = user  # who waits for the answer, in a closed flow
        self.born = born
        self.entered: Station | None = None  # the one its last attempt reached
        self.priority = flow.priority
        self.request_class = flow.request_class
        self.trace = 0  # its number among those traced


class Attempt:
    """One try of one logical call. Created by `Requests._attempt`; fields are set there or when their stage begins."""

    __slots__ = (
        "arrived_at",
        "children",
        "deadline",
        "decided",
        "due",
        "edge",
        "epoch",
        "fate",
        "fetch",
        "following",
        "gate",
        "held_since",
        "instance",
        "life",
        "number",
        "open",
        "outcome",
        "parent",
        "path",
        "pending",
        "position",
        "repeat",
        "root",
        "sequence",
        "stage",
        "step",
        "token",
        "twin",
        "until",
    )
    fetch: tuple[Cache, int] | None  # the cache and the key its answer is for
    following: deque[Attempt]  # who has joined the same call and learns its outcome next
    edge: Edge
    parent: Attempt | None  # the visit that makes the call; None: a client
    root: Root
    number: int  # 0 = first try
    life: int  # which life of the calling instance the call belongs to
    epoch: int  # the breaker's epoch when it was let through

    open: bool  # the caller is waiting
    deadline: float
    until: float  # the deadline of the request, if it travels with it
    sequence: int  # of its timer
    children: dict[Attempt, None]  # calls waited for that can be given up, where there are such calls
    twin: Attempt | None  # the other one, where calls are hedged
    decided: bool  # and whether that one has won
    gate: Gate | None  # where it is counted, on an edge that has gates
    fate: int  # why the caller will believe it failed when the timeout fires
    outcome: int  # the answer under way to the caller

    instance: Instance
    path: Path
    stage: int
    token: int  # the one heap entry that may wake it
    due: float  # when that is; while frozen, the work that is left
    held_since: float  # the start of its work; in a queue: when it came
    arrived_at: float  # when it reached the instance
    pending: int  # parallel calls not yet settled
    step: int  # sequential calls: position in the list of edges
    repeat: int  # and how many calls of that edge are left
    position: int  # of its write in the log, -1 = none


class Timers:
    """Deadlines of all attempts with one timeout: already sorted, so a deque replaces the heap (2 to 3 times faster).

    Settled attempts are dropped when they reach the front; the heap holds one entry for the front of the deque.
    """

    __slots__ = ("armed", "waiting")

    def __init__(self) -> None:
        self.waiting: deque[Attempt] = deque()
        self.armed = False


class Instance:
    """One process: a slot is taken by being in `running` and free otherwise, so none can leak or be freed twice."""

    __slots__ = (
        "caches",
        "drained",
        "dropped",
        "ejected",
        "ejections",
        "error_ratio",
        "errors",
        "failures_in_row",
        "filled_at",
        "frozen",
        "gates",
        "in_rotation",
        "lanes",
        "life",
        "limiter",
        "mail",
        "order",
        "pace",
        "paths",
        "queue_limit",
        "queued",
        "returned_at",
        "room",
        "running",
        "slots",
        "slowdown",
        "station",
        "up",
        "zone",
    )

    def __init__(self, plan: InstancePlan, station: Station, paths: list[list[Path]]) -> None:
        self.station = station
        self.zone = plan.zone
        self.paths = paths[plan.zone]
        self.slots = plan.slots
        self.queue_limit = plan.queue_limit
        self.up = True
        self.frozen = False
        self.in_rotation = True
        self.drained = self.ejected = False
        self.ejections = self.failures_in_row = 0  # as outlier ejection counts them
        self.returned_at = 0.0
        self.slowdown = 1.0
        self.error_ratio = 0.0
        self.life = 0
        self.gates: dict[Edge, Gate] = {}
        self.caches: dict[int, Cache] = {}  # by edge
        self.limiter = Limiter(station.plan.limiter) if station.plan.limiter is not None else None
        self.running: dict[Attempt, None] = {}  # in order of start
        first: deque[Attempt] = deque()
        if station.plan.queue_order == "priority":
            self.order = [first, deque(), deque()]
            self.lanes = self.order
        else:
            self.order = [first]
            self.lanes = [first, first, first]
        self.queued = 0
        self.filled_at = 0.0  # when the queue was last filled after having been empty
        self.dropped = 0  # cancelled attempts still lying in the queues
        self.mail: list[tuple[int, Attempt]] = []  # what reached it while frozen
        self.room = plan.slots
        self.pace = 1.0
        self.errors = 0.0
        self.refresh()

    def sweep(self) -> None:
        """Throw cancelled attempts out of the queues."""
        for lane in self.order:
            kept = [attempt for attempt in lane if attempt.stage == QUEUED]
            lane.clear()
            lane.extend(kept)
        self.dropped = 0

    def refresh(self) -> None:
        """Bring what the hot path reads up to date: usable slots, pace of work, share of errors."""
        self.room = self.slots if self.up and not self.frozen else 0
        self.pace = self.slowdown * self.station.slowdown
        self.errors = min(1.0, self.error_ratio + self.station.error_ratio)


_EVERYBODY = 2**62


def newest_first_above(plan: StationPlan) -> int:
    """How many must wait for the newest to be served first."""
    return {"lifo": 0, "adaptive_lifo": plan.lifo_above}.get(plan.queue_order, _EVERYBODY)


class Station:
    """All instances of one service in one region, what they share, and what was counted."""

    __slots__ = (
        "acknowledged",
        "admit",
        "admitted_by",
        "arrived",
        "balance",
        "barred",
        "broker",
        "busy_s",
        "by_zone",
        "calls",
        "cancels",
        "commit_blocked",
        "commit_delay_s",
        "committed_s",
        "completed",
        "dead_letters",
        "dropped_by",
        "drops",
        "error_draws",
        "error_ratio",
        "failed",
        "failed_by",
        "index",
        "instances",
        "keeps_writes",
        "latency",
        "limited",
        "log_base",
        "newest_first_above",
        "panics",
        "parallel",
        "picky",
        "plan",
        "pool",
        "read_only",
        "reads",
        "refused_by",
        "rotation",
        "shed_below_limit",
        "slowdown",
        "stale",
        "times",
        "wasted",
        "writes_acknowledged",
        "writes_attempted",
        "writes_indeterminate",
    )

    def __init__(self, plan: StationPlan, index: int, zones: int, streams: Streams) -> None:
        self.plan = plan
        self.index = index
        self.times = ServiceTimes(plan.service_time, streams, f"service/{plan.name}")
        self.pool = self.times.pool
        self.error_draws = LazyDraws(streams, f"error/{plan.name}")
        self.parallel = plan.fan_out == "parallel"
        self.cancels = False  # whether it makes calls that can be given up
        self.balance: Balancer | None = None  # None: round robin
        self.keeps_writes = plan.keeps_writes
        self.newest_first_above = newest_first_above(plan)
        self.drops = plan.codel is not None or plan.drop_expired
        self.calls: list[tuple[Edge, ...]] = []  # per class
        self.latency: list[list[int]] = []  # per class
        self.instances: list[Instance] = []
        self.rotation: list[Instance] = []
        self.by_zone: list[list[Instance]] = [[] for _ in range(zones)]
        self.slowdown = 1.0
        self.error_ratio = plan.error_ratio
        self.read_only = plan.read_only
        self.stale = False
        self.picky = self.read_only or plan.broker or plan.limiter is not None
        self.broker = plan.broker
        self.dead_letters = 0
        self.admit = plan.admit
        self.barred = [share <= 0.0 for share in plan.admit]
        self.commit_delay_s = 0.0
        self.commit_blocked = False
        self.log_base = 0
        self.committed_s: list[float] = []
        self.acknowledged: list[int] = []
        self.arrived = self.completed = self.failed = 0
        self.busy_s = 0.0
        self.refused_by = [0, 0, 0]
        self.admitted_by = [0, 0, 0]
        self.dropped_by = [0, 0, 0]
        self.failed_by = [0] * len(Reason)  # as callers learn it
        self.shed_below_limit = self.limited = self.wasted = 0
        self.panics = False
        self.reads = self.writes_attempted = self.writes_acknowledged = self.writes_indeterminate = 0

    def listed(self) -> list[Instance]:
        """Instances the balancer knows, whatever their health: all but the drained ones."""
        return [instance for instance in self.instances if not instance.drained]

    def limit(self) -> float:
        """What the limiters of the instances that are up allow together."""
        allowed = 0.0  # sum() rounds differently from Python 3.12 on
        for instance in self.instances:
            if instance.up and instance.limiter is not None:
                allowed += instance.limiter.limit
        return allowed

    def rotate(self) -> None:
        """Work out who is in rotation: the listed ones that health checks and outlier ejection leave in; in a panic all listed ones."""
        listed = self.listed()
        rotation = [instance for instance in listed if instance.in_rotation and not instance.ejected]
        self.panics = len(rotation) < self.plan.panic_ratio * len(listed)
        self.rotation = listed if self.panics else rotation
        self.by_zone = [[] for _ in self.by_zone]
        for instance in self.rotation:
            self.by_zone[instance.zone].append(instance)

    def refresh(self) -> None:
        """Recompute the rotation and everything instances derive from the station."""
        self.rotate()
        self.picky = self.read_only or self.stale or self.broker or self.plan.limiter is not None
        self.barred = [share <= 0.0 for share in self.admit]
        for instance in self.instances:
            instance.refresh()
