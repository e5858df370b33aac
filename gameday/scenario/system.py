"""What can break: regions, services, databases, queues, providers, and how they depend on each other.

Zones are leaves of the failure-domain tree (region > zone > instance); `groups` cut across it (a rack, a deploy cohort, a shared
library). Round trips are network only: what a service does itself belongs to its service time.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gameday.scenario.base import InWords, Strict
from gameday.scenario.calling import OutlierEjection, Pool
from gameday.scenario.guards import Cache, CoDel, Limiter
from gameday.scenario.quantities import Duration, Money, Rate, Ratio
from gameday.scenario.times import Distribution, ServiceTime, Time
from gameday.write_truth import PER_SECOND

Name = Annotated[
    str,
    Field(pattern=r"^[a-z0-9][a-z0-9_.-]*$", max_length=60),
    InWords("a name of lower case letters, digits, '-', '_' and '.', at most 60 long"),
]
"""Names are lower case letters, digits, `-`, `_` and `.`; they may hold neither `/` nor `@`, which selectors use."""


class Region(Strict):
    """A region: the largest failure domain."""

    zones: Annotated[list[Name], Field(min_length=1, max_length=10)]
    """Zones in it. Zone names are unique over all regions."""


class LinkTime(Strict):
    """Round trip between two regions, where it differs from the general one."""

    between: Annotated[list[Name], Field(min_length=2, max_length=2)]
    """The two regions."""
    rtt: Duration
    """Round-trip time."""


class Network(Strict):
    """Round-trip times between instances."""

    same_zone: Duration = 0.0
    """Round trip inside a zone."""
    same_region: Duration = 0.0005
    """Round trip between two zones of a region."""
    cross_region: Duration = 0.06
    """Round trip between two regions."""
    links: list[LinkTime] = []
    """Pairs of regions with a round trip of their own."""


class Retries(Strict):
    """Further attempts after a failed one, with full jitter: uniform in [0, min(backoff_cap, backoff x 2^k)]."""

    attempts: Annotated[int, Field(ge=0, le=10)] = 0
    """Attempts after the first."""
    backoff: Duration = 0.05
    """Upper limit of the first wait."""
    backoff_cap: Duration = 5.0
    """Upper limit of any wait."""
    budget: Ratio | None = None
    """Retry budget: retries allowed as a share of first attempts; none = no budget."""


class Breaker(Strict):
    """Circuit breaker on a dependency: closed, open, half-open. It sees every attempt."""

    failures: Annotated[int, Field(ge=1, le=10_000)] = 20
    """Failed attempts in a row that open it."""
    failure_ratio: Ratio | None = None
    """Share of failed attempts among the last ones that opens it, instead of failures in a row."""
    window: Annotated[int, Field(ge=1, le=100_000)] = 100
    """With `failure_ratio`: how many attempts back it looks (default of resilience4j: slidingWindowSize)."""
    minimum: Annotated[int, Field(ge=1, le=100_000)] = 100
    """With `failure_ratio`: attempts it must have seen (default of resilience4j: minimumNumberOfCalls)."""
    open: Duration = 5.0
    """Time it stays open before trial attempts are let through."""
    trials: Annotated[int, Field(ge=1, le=100)] = 1
    """Trial attempts at once while half-open."""


class Dependency(Strict):
    """One kind of call a service makes while it handles a request, after its own work, in the order written."""

    to: str
    """What is called: a service by name, `database/<name>`, `provider/<name>` or `queue/<name>`."""
    required: bool = True
    """Whether the request fails when the call fails; false: it is answered without."""
    mode: Literal["sync", "async"] = "sync"
    """sync: the caller's slot is held until the answer; async: sent and not waited for."""
    calls: Annotated[float, Field(gt=0, le=100)] = 1.0
    """Mean number of calls a request makes; 0.2 = one request in five."""
    operation: Literal["call", "read", "write"] = "call"
    """For databases: read or write. Writes go to the primary."""
    read_from: Literal["primary", "nearest"] = "primary"
    """For reads: the primary, or the nearest copy (which may be stale)."""
    timeout: Duration | None = None
    """Time an attempt may take; none = the timeout of what is called."""
    retries: Retries = Retries()
    """Retries after failed attempts."""
    breaker: Breaker | None = None
    """Circuit breaker; none = no breaker."""
    bulkhead: Annotated[int, Field(ge=1, le=100_000)] | None = None
    """Most calls under way from one calling instance; more are refused at once. None = no limit."""
    pool: Pool | None = None
    """Connection pool of each calling instance; none = as many connections as calls."""
    fallback: str | None = None
    """What is called instead when this call has failed for good (a service, database or provider). Of a database, its primary: with the
    database itself as fallback, a read that a stale copy refuses goes to the primary."""
    cancel: Literal["none", "queued", "running"] = "none"
    """What happens to work when this caller has given up: nothing (it still burns capacity), it is dropped from the queue, or it is stopped
    wherever it is, with the calls it has made as far as they cancel too."""
    hedge: Duration | None = None
    """An attempt that has no answer after this time gets a second beside it, at another instance; the first good answer wins. None = no."""
    cache: Cache | None = None
    """Answers that callers keep; none = every call is made."""
    classes: list[Name] | None = Field(default=None, alias="for")
    """Request classes that make this call; none = all."""


class HealthCheck(Strict):
    """How the balancer learns that an instance is gone or back."""

    interval: Duration = 5.0
    """Time between checks of one instance."""
    unhealthy: Annotated[int, Field(ge=1, le=100)] = 3
    """Failed checks in a row that take it out of rotation."""
    healthy: Annotated[int, Field(ge=1, le=100)] = 2
    """Passed checks in a row that put it back."""


class Autoscaling(Strict):
    """Adds and removes instances by utilisation. New instances take the service's boot time before they help."""

    target: Ratio = 0.6
    """Utilisation of slots it steers to."""
    interval: Duration = 30.0
    """Time between decisions."""
    max_per_zone: Annotated[int, Field(ge=1, le=1000)]
    """Most instances in a zone."""
    cooldown: Duration = 300.0
    """Quiet time before it scales in."""
    reserved: bool = True
    """Whether the capacity is reserved; false: a request for one instance fails with `scarcity` probability."""
    scarcity: Ratio = 0.0
    """Share of requests for an instance that the provider cannot fill (asked again at the next decision)."""


class Service(Strict):
    """A service: stateless processes in zones, each with a number of slots and a bounded queue."""

    tier: Annotated[int, Field(ge=0, le=3)] = 2
    """0 = business critical, 3 = nobody notices."""
    owner: Name | None = None
    """Team that owns it (`response.teams`)."""
    runbook: str | None = None
    """Where its runbook is; without one, diagnosis is slower (SPAR-H, procedures)."""
    instances: Annotated[int, Field(ge=1, le=1000)] | dict[Name, Annotated[int, Field(ge=0, le=1000)]]
    """Instances per zone: one number for every zone, or a mapping of zone or region to number per zone."""
    slots: Annotated[int, Field(ge=1, le=10_000)]
    """Requests one instance works on at once (threads, connections, workers)."""
    service_time: ServiceTime
    """Own work of one request, without the calls it makes."""
    queue: Annotated[int, Field(ge=0, le=1_000_000)] = 100
    """Requests that may wait at one instance."""
    queue_order: Literal["fifo", "priority", "lifo", "adaptive_lifo"] = "fifo"
    """Which waiting request is next: the oldest, the oldest of the highest priority, the newest, or the newest while many wait."""
    lifo_above: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    """adaptive_lifo: number of waiting requests above which the newest is next; none = 10 (assumption)."""
    codel: CoDel | None = None
    """Drops requests that have waited too long; none = nobody is dropped."""
    limiter: Limiter | None = None
    """Limits the requests an instance holds; none = no limit but the queue's."""
    drop_expired: bool = False
    """Whether a request whose class's deadline has passed is dropped when its turn comes."""
    timeout: Duration = 1.0
    """Time its callers wait, where they do not say otherwise."""
    error_rate: Ratio = 0.0
    """Share of answers that are errors when nothing is wrong."""
    balancing: Literal["round_robin", "least_busy", "random", "power_of_two", "zone_aware"] = "round_robin"
    """How callers choose an instance. power_of_two: the less busy of two taken at random; zone_aware: in the caller's zone, as far as its
    share of instances there is not below its callers' share (Envoy's rule), the rest in zones that have more than their share."""
    fan_out: Literal["sequential", "parallel"] = "sequential"
    """Whether its calls are made one after the other or all at once."""
    boot: Duration = 30.0
    """Time a new or restarted instance needs before it takes requests."""
    health_check: HealthCheck = HealthCheck()
    """Health checks of its instances."""
    outlier_ejection: OutlierEjection | None = None
    """Leaves out instances that fail; none = only health checks do."""
    panic_threshold: Ratio = 0.0
    """When a smaller share of its instances is in rotation, callers choose from all of them again, healthy or not; 0 = never. Envoy: 50%."""
    autoscaling: Autoscaling | None = None
    """Autoscaler; none = a fixed number of instances."""
    cost_per_hour: Money = 0.0
    """Cost of one instance for an hour."""
    calls: list[Dependency] = []
    """What it calls."""


class Witness(Strict):
    """A client of a database beside the users: it writes at a rate of its own and notes what it was told, as the writers of a live day do."""

    node: Name | None = None
    """Zone of the node it holds on to, past every proxy and whatever the node has become; or `region`."""
    region: Name | None = None
    """Region through whose proxy it goes; or `node`."""
    rate: Annotated[Rate, Field(gt=0)] = PER_SECOND
    """Writes a second. A live day's writer to the same node or gateway takes this rate too."""

    @property
    def via(self) -> str:
        """The way of its writes, as the record of a live day names it."""
        return self.node if self.node is not None else f"gateway/{self.region}"


class Database(Strict):
    """A replicated datastore: one primary, replicas elsewhere, each node with slots and a queue."""

    owner: Name | None = None
    """Team that owns it."""
    runbook: str | None = None
    """Where its runbook is."""
    primary: Name
    """Zone of the primary at the start."""
    replicas: list[Name] = []
    """Zones of the replicas (one node each)."""
    replication: Literal["asynchronous", "synchronous", "quorum"] = "asynchronous"
    """When a write is acknowledged: at once, after every reachable replica, or after a majority of all nodes."""
    when_replicas_are_lost: Literal["block", "degrade"] = "block"
    """Synchronous and quorum: without enough replicas, block writes or go on asynchronously."""
    lag: Time = Distribution(family="constant", mean=0.2)
    """Replication delay in normal operation."""
    catch_up: Annotated[float, Field(gt=0, le=1000)] = 4.0
    """Speed of catching up after an interruption: seconds of log applied per second."""
    consistency: Literal["strong", "bounded", "eventual"] = "strong"
    """What readers are promised. strong: what was written last, so every read from a copy that lags is stale; bounded: nothing older
    than `staleness_limit`; eventual: nothing about age."""
    staleness_limit: Duration | None = None
    """bounded: age from which a copy counts as stale."""
    refuse_stale_reads: bool = False
    """Whether reads beyond the limit fail explicitly."""
    age_by: Literal["role", "data"] = "role"
    """With `refuse_stale_reads`: how a copy's age is known to its readers. role: one that believes to be the primary takes itself for new; data: by the newest
    record in it (a heartbeat row), which a primary that was replaced does not get any more."""
    recovery_point: Duration = 0.0
    """Recovery-point policy: age of acknowledged writes that may be lost."""
    slots: Annotated[int, Field(ge=1, le=10_000)]
    """Statements a node works on at once."""
    service_time: ServiceTime
    """Work of one statement."""
    queue: Annotated[int, Field(ge=0, le=1_000_000)] = 200
    """Statements that may wait at a node."""
    timeout: Duration = 1.0
    """Time its callers wait, where they do not say otherwise."""
    boot: Duration = 60.0
    """Time a node needs to start."""
    witnesses: Annotated[list[Witness], Field(exclude_if=lambda value: not value)] = []
    """Clients beside the users whose writes are counted too. A live day has one at every node and every gateway: name them where they can
    lose what users cannot, and the prediction counts their losses (`failover.rpo_s`)."""

    @property
    def stale_after_s(self) -> float | None:
        """Age from which reads from a copy break the promise to readers, seconds; None = never."""
        return {"strong": 0.0, "bounded": self.staleness_limit, "eventual": None}[self.consistency]


class Queue(Strict):
    """A message queue: accepts at once, keeps a backlog, and its consumers call a service."""

    consumer: Name
    """Service that works on the messages."""
    consumers: Annotated[int, Field(ge=1, le=10_000)] = 4
    """Messages in work at once, per region."""
    limit: Annotated[int, Field(ge=1, le=10_000_000)] = 100_000
    """Messages it keeps before it refuses."""
    redeliver: Retries = Retries(attempts=2)
    """Deliveries of a message after a first one that failed. When the last has failed, the message is a dead letter: counted, and gone."""


class Provider(Strict):
    """A third party: we do not see inside, it has no failure domain of ours."""

    service_time: ServiceTime
    """Time it takes to answer."""
    slots: Annotated[int, Field(ge=1, le=1_000_000)] = 10_000
    """Requests it works on at once."""
    error_rate: Ratio = 0.0
    """Share of answers that are errors when nothing is wrong."""
    timeout: Duration = 2.0
    """Time its callers wait, where they do not say otherwise."""
    rtt: Duration = 0.02
    """Round trip to it."""
    boot: Duration = 0.0
    """Time it needs to come back after an outage."""


class Origin(Strict):
    """A population of clients and the region it is sent to."""

    share: Ratio
    """Share of all clients; the shares sum to 100%."""
    region: Name
    """Region the traffic manager sends it to when all is well."""


class Dns(Strict):
    """How clients learn an address, and how long they keep an old one."""

    ttl: Duration = 60.0
    """Time to live of the public record (`policies.failover.dns_ttl` overrides it)."""
    ignore_ttl: Ratio = 0.05
    """Share of resolvers and clients that keep an address beyond its time to live."""
    ignore_for: Duration = 1800.0
    """Mean time such a client keeps it (exponential)."""
    resolvers: Annotated[int, Field(ge=1, le=100_000)] = 2000
    """Independent caches simulated."""


class Traffic(Strict):
    """The traffic manager: which clients go where."""

    origins: dict[Name, Origin] = {}
    """Client populations; none = one population sent to the first region."""
    dns: Dns = Dns()
    """Name resolution."""


class RateLimit(Strict):
    """A token bucket at the gateway."""

    rate: Rate
    """Requests a second let through."""
    burst: Annotated[float, Field(ge=1)] = 20.0
    """Bucket size in requests."""


class Gateway(Strict):
    """What guards the entry."""

    rate_limits: dict[Name, RateLimit] = {}
    """Per request class."""


class MoneySection(Strict):
    """What an outage costs."""

    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$"), InWords("three capital letters such as EUR")] = "EUR"
    """ISO 4217 code."""
    lost_request: dict[Name, Money] = {}
    """Money lost with one lost request, per class."""


class System(Strict):
    """The system under rehearsal."""

    regions: Annotated[dict[Name, Region], Field(min_length=1, max_length=20)]
    """Regions and their zones."""
    services: Annotated[dict[Name, Service], Field(min_length=1, max_length=500)]
    """Services by name."""
    databases: dict[Name, Database] = {}
    """Datastores by name."""
    queues: dict[Name, Queue] = {}
    """Message queues by name."""
    providers: dict[Name, Provider] = {}
    """Third parties by name."""
    groups: dict[Name, Annotated[list[str], Field(min_length=1)]] = {}
    """Failure domains across the tree: name to selectors (`service/checkout@eu-1a`, `zone/eu-1b`, `database/orders/primary`)."""
    network: Network = Network()
    """Round-trip times."""
    traffic: Traffic = Traffic()
    """Traffic manager and name resolution."""
    gateway: Gateway = Gateway()
    """Rate limits at the entry."""
    money: MoneySection = MoneySection()
    """Money per lost request."""
