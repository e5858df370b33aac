"""What a traffic engine is given: the system as plain, numbered tables.

Everything is referred to by its position in a tuple, never by name, so that a compiled engine can hold the
same plan in arrays. The rule that surprises: a *station* is one service in one region (`checkout@eu-1`), and
its instances sit in zones; a *flow* is one request class from one origin. All times are seconds, all rates
are per second, all ratios lie in [0, 1].
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from math import inf
from typing import Literal

CLIENT = -1
"""The caller of an edge that enters the system from outside."""

PRIORITIES = ("critical", "normal", "best_effort")
"""Request priorities, most important first; a class holds the position in this tuple."""


class Reason(IntEnum):
    """Why a request was lost: exactly one for each, and their counts sum to the lost requests."""

    REFUSED = 0  # nobody listened: the chosen instance was down
    CRASHED = 1  # the instance died while it held the request
    QUEUE_FULL = 2  # the instance's queue was at its limit
    SHED = 3  # refused by priority, before the queue was full
    RATE_LIMITED = 4  # refused by the token bucket at the gateway
    TIMEOUT = 5  # the attempt was not answered within its timeout
    BREAKER_OPEN = 6  # the caller's breaker refused to call
    ERROR = 7  # the callee answered with an error
    PARTITIONED = 8  # the link to or from the callee was cut
    PACKET_LOSS = 9  # the network dropped the request or its answer
    NO_ROUTE = 10  # no instance in rotation, or no address to go to
    READ_ONLY = 11  # a write reached a node that may not write
    STALE = 12  # a read was refused because the copy was older than its limit
    LATE = 13  # answered correctly, but after the class's deadline
    DNS = 14  # the name could not be resolved
    DROPPED = 15  # taken out of the queue unserved: it had waited too long, or its deadline had passed
    LIMITED = 16  # refused by the instance's concurrency limiter
    DEADLINE = 17  # the deadline that travelled with the request had passed
    BULKHEAD = 18  # as many calls as its caller may have under way were
    POOL = 19  # no connection became free within the longest wait


@dataclass(frozen=True, slots=True)
class ServiceTime:
    """Distribution of one visit's work: its family, mean in seconds and coefficient of variation.

    `constant` ignores `cv`, `exponential` has cv 1 by definition; `lognormal` and `gamma` use it. `empirical` draws each of `values` (in
    ascending order: the inverse of their distribution function) equally often, and ignores the rest.
    """

    family: Literal["constant", "exponential", "lognormal", "gamma", "empirical"]
    mean_s: float
    cv: float = 1.0
    values: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class InstancePlan:
    """One process of a station: where it runs, how many requests it works on at once, how many may wait."""

    name: str
    zone: int
    slots: int
    queue_limit: int


@dataclass(frozen=True, slots=True)
class CoDelPlan:
    """Controlled delay for servers of requests: who has waited longer than a limit when its turn comes is dropped.

    The limit is `interval_s`, and `target_s` once the queue has not been empty for `interval_s`. This is the variant of B. Maurer,
    "Fail at Scale", ACM Queue 13(8), 2015; that of Nichols and Jacobson (RFC 8289) spaces its drops for senders that slow down.
    """

    target_s: float = 0.005
    interval_s: float = 0.1


@dataclass(frozen=True, slots=True)
class LimiterPlan:
    """Each instance takes in a request only while it holds less than `limit` times the share of its priority, else it is lost as LIMITED.

    `adaptive`: `limit` is where it begins, and it moves between `least` and `most` at the end of each window (see `sim.traffic.limiter`).
    """

    limit: float = 20.0
    adaptive: bool = False
    least: float = 20.0
    most: float = 200.0
    window_s: float = 1.0
    shares: tuple[float, float, float] = (1.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class OutlierPlan:
    """Ejects an instance that has failed `failures` times in a row, for `base_s` times the number of its ejections, at most `longest_s`.

    Every `interval_s` in rotation takes one off that number. More than one instance only while at most `most_ratio` of all are ejected.
    """

    failures: int = 5
    base_s: float = 30.0
    longest_s: float = 300.0
    interval_s: float = 10.0
    most_ratio: float = 0.1


@dataclass(frozen=True, slots=True)
class StationPlan:
    """One service, database node, provider or message queue in one region.

    `admit` holds, per priority, the share of an instance's queue limit up to which that priority is let in
    (1.0 = until the queue is full): a request above its share is lost as SHED, above the limit as QUEUE_FULL.
    `calls` are the edges a request follows after its own work, in this order.
    `queue_order` says whose turn it is: `lifo` takes the newest, `adaptive_lifo` the newest while more than `lifo_above` wait and the oldest
    otherwise. `codel` and `drop_expired` (the deadline of its class, counted from the arrival of the request at the entry, has passed) drop a
    waiting request as DROPPED when its turn comes.
    `broker`: it answers as soon as it has taken a request in, which is then a message on its way; one whose calls fail is a dead letter.
    `outlier` leaves out failing instances. `panic_ratio`: when fewer than this share of the instances are in rotation, the balancer
    chooses from all of them again, except those that are drained.
    """

    name: str
    instances: tuple[InstancePlan, ...]
    service_time: ServiceTime
    calls: tuple[int, ...] = ()
    fan_out: Literal["sequential", "parallel"] = "sequential"
    balancing: Literal["round_robin", "least_busy", "random", "power_of_two", "zone_aware"] = "round_robin"
    queue_order: Literal["fifo", "priority", "lifo", "adaptive_lifo"] = "fifo"
    admit: tuple[float, float, float] = (1.0, 1.0, 1.0)
    error_ratio: float = 0.0
    read_only: bool = False
    keeps_writes: bool = False
    lifo_above: int = 10
    codel: CoDelPlan | None = None
    drop_expired: bool = False
    limiter: LimiterPlan | None = None
    broker: bool = False
    outlier: OutlierPlan | None = None
    panic_ratio: float = 0.0


@dataclass(frozen=True, slots=True)
class RetryPlan:
    """Further attempts after a failed one: full jitter, uniform in [0, min(cap, backoff * 2**k)].

    `budget_ratio` None means no budget; else every first attempt earns that share of a token, a retry costs one, and a
    bucket holds at most `budget_burst` tokens (it starts full).
    """

    retries: int = 0
    backoff_s: float = 0.05
    backoff_cap_s: float = 5.0
    budget_ratio: float | None = None
    budget_burst: float = 10.0


@dataclass(frozen=True, slots=True)
class WindowPlan:
    """Opens a breaker when at least `failure_ratio` of the last `attempts` outcomes, `minimum` or more of them, were failures."""

    failure_ratio: float
    attempts: int = 100
    minimum: int = 100


@dataclass(frozen=True, slots=True)
class BreakerPlan:
    """Opens after `failures` failed attempts in a row, stays open `open_s`, then lets `trials` attempts through.

    With a `window` it opens by the share of failures instead, and `failures` is not looked at.
    """

    failures: int
    open_s: float
    trials: int = 1
    window: WindowPlan | None = None


@dataclass(frozen=True, slots=True)
class PoolPlan:
    """At most `connections` attempts at once from each calling instance; who finds none free waits up to `wait_s`, then fails as POOL."""

    connections: int
    wait_s: float


@dataclass(frozen=True, slots=True)
class CachePlan:
    """What a calling instance keeps of the answers it gets over an edge; it starts with nothing, and loses all when it dies.

    Each call draws one of `keys` keys, the n-th most popular with a share proportional to n to the power of minus `zipf` (0: all alike). An
    answer is kept for `ttl_s`; of more than `capacity` the one not used for longest goes. `coalesce`: a call for a key that is on its
    way waits for it instead of calling too.
    """

    keys: int
    capacity: int
    ttl_s: float = inf
    zipf: float = 0.0
    coalesce: bool = False


@dataclass(frozen=True, slots=True)
class EdgePlan:
    """Calls from one station to another (or from the clients into the system, caller = CLIENT).

    `calls_mean` is the mean number of calls a request makes: the whole part always, the rest with that probability.
    `options` are (station, weight) pairs the target is chosen from; the control plane may change them.
    An optional edge (`required` False) that fails does not fail its caller. `asynchronous` calls are sent and not waited
    for. `cancel`: when the caller gives up, nothing happens to its work at the callee, or it is dropped from the queue, or it is stopped
    wherever it is, with the calls it has made over edges that cancel too.
    `classes` None: taken by every class; else only by those positions. `fallback`: an edge called in its place once this call has
    failed for good (that edge is in no `calls` itself). `bulkhead`: most calls one calling instance may have under way; more fail as
    BULKHEAD at once. An attempt's timeout begins when it is sent, after any wait for a connection of the `pool`. `hedge_s`: an attempt that has not been
    answered for so long gets a second beside it, and the first good answer wins.
    """

    name: str
    caller: int
    options: tuple[tuple[int, float], ...]
    calls_mean: float = 1.0
    timeout_s: float = 1.0
    retry: RetryPlan = RetryPlan()
    breaker: BreakerPlan | None = None
    required: bool = True
    asynchronous: bool = False
    cancel: Literal["none", "queued", "running"] = "none"
    operation: Literal["call", "read", "write"] = "call"
    classes: frozenset[int] | None = None
    fallback: int | None = None
    bulkhead: int | None = None
    pool: PoolPlan | None = None
    hedge_s: float | None = None
    cache: CachePlan | None = None


@dataclass(frozen=True, slots=True)
class ClassPlan:
    """A request class: its priority (position in PRIORITIES) and the deadline after which an answer counts as LATE.

    `propagates`: the deadline travels with every call that is waited for. Nobody waits beyond it or begins anything after it.
    """

    name: str
    priority: int
    deadline_s: float
    propagates: bool = False


@dataclass(frozen=True, slots=True)
class BurstPlan:
    """Two states, each lasting an exponential time with its mean, and in each a rate that is added to that of the flow's table.

    The mean rate is (calm_rate * calm_s + burst_rate * burst_s) / (calm_s + burst_s). Flows that name the same `stream` change together.
    """

    stream: str
    calm_rate: float
    burst_rate: float
    calm_s: float
    burst_s: float


@dataclass(frozen=True, slots=True)
class FlowPlan:
    """Requests of one class from one origin, entering over `entry` (an edge whose caller is CLIENT).

    Open: `rate` is a table of (start_s, requests per second), constant from each start to the next, first start 0: a
    Poisson process with that intensity. Closed: `users` > 0 people who each think `think_s` (exponential) and then wait
    for their answer; `rate` is then empty.
    `origin` is the zone the clients sit in, for links.
    """

    name: str
    request_class: int
    origin: int
    entry: int
    rate: tuple[tuple[float, float], ...] = ()
    users: int = 0
    think_s: float = 0.0
    burst: BurstPlan | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole system. `rtt_s[a][b]` is the round trip between zones a and b, charged once, on the way back."""

    zones: tuple[str, ...]
    rtt_s: tuple[tuple[float, ...], ...]
    stations: tuple[StationPlan, ...]
    edges: tuple[EdgePlan, ...]
    classes: tuple[ClassPlan, ...]
    flows: tuple[FlowPlan, ...]
