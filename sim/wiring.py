"""A scenario's system and load as an engine plan, and where to find each named thing in it.

The rule that surprises: besides the real zones there are pretended ones, so that every link has two ends: `internet/<origin>` for
clients, `provider/<name>` for third parties, `region/<name>` for regional managed queues.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import inf
from typing import Any

from gameday.arrivals import bursts_of, rate_table
from gameday.scenario.calling import OutlierEjection
from gameday.scenario.guards import Cache, limits_of
from gameday.scenario.load import RequestClass
from gameday.scenario.model import Scenario
from gameday.scenario.system import Breaker, Dependency, Origin, Retries, Service, System
from gameday.scenario.times import Distribution, Empirical
from gameday.selectors import target_of
from gameday.topology import Topology
from sim.traffic.plan import (
    CLIENT,
    PRIORITIES,
    BreakerPlan,
    BurstPlan,
    CachePlan,
    ClassPlan,
    CoDelPlan,
    EdgePlan,
    FlowPlan,
    InstancePlan,
    LimiterPlan,
    OutlierPlan,
    Plan,
    PoolPlan,
    RetryPlan,
    ServiceTime,
    StationPlan,
    WindowPlan,
)

EVERYONE = "everyone"
"""The one origin of a system that names none."""


@dataclass(frozen=True, slots=True)
class EdgeInfo:
    """What an edge stands for: the calling service and its region ('' for clients), the target as a selector, the dependency."""

    caller: str
    region: str
    target: str
    operation: str
    read_from: str


@dataclass(slots=True)
class Wiring:
    """The plan and its index. Keys are names of the scenario, values positions in the plan."""

    scenario: Scenario
    topology: Topology
    plan: Plan
    zones: dict[str, int]
    services: dict[str, dict[str, int]]  # service -> region -> station
    nodes: dict[str, dict[str, int]]  # database -> zone -> station
    providers: dict[str, int]
    queues: dict[str, dict[str, int]]  # queue -> region -> station
    edges: list[EdgeInfo]
    flows: dict[tuple[str, str], int]  # (class, origin) -> flow; its entry edge has the same key
    entries: dict[tuple[str, str], int]
    classes: list[str]
    origins: dict[str, Origin]

    def zones_in(self, region: str) -> list[int]:
        """Positions of a region's zones, with the pretended zone of its managed queues."""
        return [self.zones[zone] for zone in self.topology.zones_of(region)] + [self.zones[f"region/{region}"]]

    def edges_to(self, target: str) -> list[int]:
        """Positions of all edges to `service/<name>`, `database/<name>`, `provider/<name>` or `queue/<name>`."""
        return [position for position, info in enumerate(self.edges) if info.target == target]


@dataclass(slots=True)
class _Builder:
    scenario: Scenario
    topology: Topology
    zones: dict[str, int] = field(default_factory=dict)
    stations: list[StationPlan] = field(default_factory=list)
    edges: list[EdgePlan] = field(default_factory=list)
    infos: list[EdgeInfo] = field(default_factory=list)
    services: dict[str, dict[str, int]] = field(default_factory=dict)
    nodes: dict[str, dict[str, int]] = field(default_factory=dict)
    providers: dict[str, int] = field(default_factory=dict)
    queues: dict[str, dict[str, int]] = field(default_factory=dict)
    names: dict[str, int] = field(default_factory=dict)

    @property
    def system(self) -> System:
        return self.scenario.system

    def unique(self, name: str) -> str:
        """Edge names seed streams, so two calls from one service to one target need two names."""
        self.names[name] = self.names.get(name, 0) + 1
        return name if self.names[name] == 1 else f"{name} #{self.names[name]}"

    def add_stations(self) -> None:
        """Number every station; their calls follow once all numbers are known."""
        system, shedding = self.system, self.scenario.policies.shedding
        for name, service in system.services.items():
            self.services[name] = {}
            shares = shedding.services.get(name) if shedding.enabled else None
            for region in system.regions:
                instances = tuple(
                    InstancePlan(f"{name}@{zone}/{n}", self.zones[zone], service.slots, service.queue)
                    for zone in self.topology.zones_of(region)
                    for n in range(self.topology.instances_in(name, zone))
                )
                if instances:
                    self.services[name][region] = len(self.stations)
                    self.stations.append(
                        StationPlan(
                            name=f"{name}@{region}",
                            instances=instances,
                            service_time=service_time(service.service_time),
                            fan_out=service.fan_out,
                            balancing=service.balancing,
                            outlier=outlier(service.outlier_ejection),
                            panic_ratio=service.panic_threshold,
                            queue_order=service.queue_order,
                            **queue_policies(service),
                            admit=(1.0, shares.normal, shares.best_effort) if shares else (1.0, 1.0, 1.0),
                            error_ratio=service.error_rate,
                        )
                    )
        for name, database in system.databases.items():
            self.nodes[name] = {}
            for zone in (database.primary, *database.replicas):
                self.nodes[name][zone] = len(self.stations)
                node = InstancePlan(f"database/{name}@{zone}", self.zones[zone], database.slots, database.queue)
                self.stations.append(
                    StationPlan(
                        name=node.name,
                        instances=(node,),
                        service_time=service_time(database.service_time),
                        read_only=zone != database.primary,
                        keeps_writes=True,
                    )
                )
        for name, provider in system.providers.items():
            self.providers[name] = len(self.stations)
            desk = InstancePlan(f"provider/{name}", self.zones[f"provider/{name}"], provider.slots, provider.slots)
            self.stations.append(
                StationPlan(desk.name, (desk,), service_time(provider.service_time), error_ratio=provider.error_rate)
            )
        for name, queue in system.queues.items():
            self.queues[name] = {}
            for region in self.services[queue.consumer]:
                self.queues[name][region] = len(self.stations)
                broker = InstancePlan(f"queue/{name}@{region}", self.zones[f"region/{region}"], queue.consumers, queue.limit)
                self.stations.append(StationPlan(broker.name, (broker,), ServiceTime("constant", 0.0), broker=True))

    def add_calls(self) -> None:
        """Number every edge and hang it on its station."""
        for name, service in self.system.services.items():
            for region, station in self.services[name].items():
                made = [self.add_dependency(name, region, station, dependency) for dependency in service.calls]
                self._hang(station, made)
        for name, queue in self.system.queues.items():
            for region, station in self.queues[name].items():
                consumer = self.system.services[queue.consumer]
                edge = EdgePlan(
                    name=self.unique(f"queue/{name}@{region} -> {queue.consumer}"),
                    caller=station,
                    options=((self.services[queue.consumer][region], 1.0),),
                    timeout_s=consumer.timeout,
                    retry=retry(queue.redeliver),
                )
                self._hang(station, [self.add(edge, EdgeInfo(f"queue/{name}", region, f"service/{queue.consumer}", "call", ""))])

    def _hang(self, station: int, edges: list[int]) -> None:
        self.stations[station] = replace(self.stations[station], calls=tuple(edges))

    def add(self, edge: EdgePlan, info: EdgeInfo) -> int:
        self.edges.append(edge)
        self.infos.append(info)
        return len(self.edges) - 1

    def add_dependency(self, caller: str, region: str, station: int, dependency: Dependency) -> int:
        """One edge for one dependency, its fallback edge before it."""
        fallback = None
        if dependency.fallback is not None:
            kind = target_of(dependency.fallback).partition("/")[0]
            operation = dependency.operation if kind == "database" else "call"
            plain = Dependency(to=dependency.fallback, operation=operation, mode=dependency.mode)
            fallback = self.add_dependency(caller, region, station, plain)
        target = target_of(dependency.to)
        kind, name = target.split("/", 1)
        suffix = "" if dependency.operation == "call" else f" ({dependency.operation})"
        classes = None
        if dependency.classes is not None:
            positions = list(self.scenario.load.classes)
            classes = frozenset(positions.index(name) for name in dependency.classes)
        edge = EdgePlan(
            name=self.unique(f"{caller}@{region} -> {dependency.to}{suffix}"),
            caller=station,
            options=self.options(region, kind, name, dependency),
            calls_mean=dependency.calls,
            timeout_s=self.timeout(kind, name) if dependency.timeout is None else dependency.timeout,
            retry=retry(dependency.retries),
            breaker=None if dependency.breaker is None else breaker(dependency.breaker),
            required=dependency.required,
            asynchronous=dependency.mode == "async",
            cancel=dependency.cancel,
            operation=dependency.operation,
            classes=classes,
            cache=cache(dependency.cache),
            fallback=fallback,
            bulkhead=dependency.bulkhead,
            hedge_s=dependency.hedge,
            pool=None if dependency.pool is None else PoolPlan(dependency.pool.connections, dependency.pool.wait),
        )
        return self.add(edge, EdgeInfo(caller, region, target, dependency.operation, dependency.read_from))

    def timeout(self, kind: str, name: str) -> float:
        """What callers wait when they do not say."""
        if kind == "service":
            return self.system.services[name].timeout
        if kind == "database":
            return self.system.databases[name].timeout
        if kind == "provider":
            return self.system.providers[name].timeout
        return 1.0

    def options(self, region: str, kind: str, name: str, dependency: Dependency) -> tuple[tuple[int, float], ...]:
        """Where calls from `region` go when all is well: into the own region when it is there, else to the first that has it."""
        if kind == "provider":
            return ((self.providers[name], 1.0),)
        if kind == "database":
            nodes = self.nodes[name]
            if dependency.operation == "read" and dependency.read_from == "nearest":
                for zone, station in nodes.items():
                    if self.topology.region_of(zone) == region:
                        return ((station, 1.0),)
            return ((nodes[self.system.databases[name].primary], 1.0),)
        places = self.services[name] if kind == "service" else self.queues[name]
        return ((places[region] if region in places else next(iter(places.values())), 1.0),)


def build(scenario: Scenario, topology: Topology | None = None) -> Wiring:
    """The plan of a scenario and its index."""
    builder = _Builder(scenario, topology or Topology(scenario.system))
    system = scenario.system
    first_region = next(iter(system.regions))
    origins = system.traffic.origins or {EVERYONE: Origin(share=1.0, region=first_region)}
    real = [zone for region in system.regions.values() for zone in region.zones]
    pretended = [*(f"internet/{o}" for o in origins), *(f"provider/{p}" for p in system.providers)]
    pretended += [f"region/{region}" for region in system.regions]
    builder.zones = {zone: position for position, zone in enumerate([*real, *pretended])}
    builder.add_stations()
    builder.add_calls()
    classes = list(scenario.load.classes)
    flows: list[FlowPlan] = []
    flow_index: dict[tuple[str, str], int] = {}
    entries: dict[tuple[str, str], int] = {}
    for position, (name, request_class) in enumerate(scenario.load.classes.items()):
        shares = shares_of(request_class, origins)
        users = apportion(request_class.users or 0, shares)
        for origin, share in shares.items():
            if request_class.users is not None and not users[origin]:
                continue
            places = builder.services[request_class.entry]
            home = origins[origin].region
            entry = builder.add(
                EdgePlan(
                    name=f"client/{name}@{origin}",
                    caller=CLIENT,
                    options=((places[home] if home in places else next(iter(places.values())), 1.0),),
                    timeout_s=request_class.timeout,
                    retry=retry(request_class.retries),
                ),
                EdgeInfo("", "", f"service/{request_class.entry}", "call", ""),
            )
            flow_index[name, origin] = len(flows)
            entries[name, origin] = entry
            flow = FlowPlan(f"{name}@{origin}", position, builder.zones[f"internet/{origin}"], entry)
            if request_class.users is not None:
                flow = replace(flow, users=users[origin], think_s=request_class.think)
            else:
                flow = replace(flow, **open_arrivals(request_class, scenario.duration, name, share))
            flows.append(flow)
    plan = Plan(
        zones=tuple(builder.zones),
        rtt_s=_round_trips(system, builder.topology, list(builder.zones)),
        stations=tuple(builder.stations),
        edges=tuple(builder.edges),
        classes=tuple(
            ClassPlan(name, PRIORITIES.index(c.priority), c.deadline, c.propagate_deadline)
            for name, c in scenario.load.classes.items()
        ),
        flows=tuple(flows),
    )
    return Wiring(
        scenario, builder.topology, plan, builder.zones, builder.services, builder.nodes, builder.providers, builder.queues,
        builder.infos, flow_index, entries, classes, origins,
    )  # fmt: skip


def open_arrivals(request_class: RequestClass, duration_s: float, name: str, share: float) -> dict[str, Any]:
    """What the engine is told about the arrivals of one origin's share of a class."""
    steady, bursts = bursts_of(request_class)
    found: dict[str, Any] = {"rate": tuple((start, rate * share) for start, rate in rate_table(steady, duration_s))}
    if bursts is not None:
        found["burst"] = BurstPlan(name, bursts.calm * share, bursts.burst * share, bursts.calm_for, bursts.burst_for)
    return found


def shares_of(request_class: RequestClass, origins: dict[str, Origin]) -> dict[str, float]:
    """Share of a class's clients per origin; origins without any are left out."""
    shares = request_class.origins or {name: origin.share for name, origin in origins.items()}
    return {name: share for name, share in shares.items() if share > 0.0}


def apportion(users: int, shares: dict[str, float]) -> dict[str, int]:
    """Whole people per origin that sum to `users`: what each share gives in full, the rest to the largest remainders."""
    total = sum(shares.values())
    exact = {origin: users * share / total for origin, share in shares.items()}
    whole = {origin: int(value + 1e-9) for origin, value in exact.items()}
    by_remainder = sorted(exact, key=lambda origin: whole[origin] - exact[origin])
    for origin in by_remainder[: users - sum(whole.values())]:
        whole[origin] += 1
    return whole


def outlier(plan: OutlierEjection | None) -> OutlierPlan | None:
    """The engine's form of outlier ejection."""
    return None if plan is None else OutlierPlan(plan.failures, plan.base, plan.longest, plan.interval, plan.most)


def cache(found: Cache | None) -> CachePlan | None:
    """The engine's form of a cache."""
    if found is None:
        return None
    ttl_s = inf if found.ttl is None else found.ttl
    return CachePlan(found.keys, found.capacity or found.keys, ttl_s, found.zipf, found.coalesce)


def queue_policies(service: Service) -> dict[str, Any]:
    """What the engine is told about a service's queue beyond its order."""
    found: dict[str, Any] = {"drop_expired": service.drop_expired}
    if service.lifo_above is not None:
        found["lifo_above"] = service.lifo_above
    if service.codel is not None:
        found["codel"] = CoDelPlan(service.codel.target, service.codel.interval)
    limiter = service.limiter
    if limiter is not None:
        window_s = 1.0 if limiter.window is None else limiter.window
        shares = (1.0, limiter.normal, limiter.best_effort)
        found["limiter"] = LimiterPlan(limiter.limit, limiter.adaptive, *limits_of(limiter), window_s, shares)
    return found


def service_time(distribution: Distribution | Empirical) -> ServiceTime:
    """The engine's form of a distribution."""
    if isinstance(distribution, Empirical):
        return ServiceTime("empirical", distribution.mean, values=tuple(sorted(distribution.values or ())))
    return ServiceTime(distribution.family, distribution.mean, distribution.cv)


def breaker(plan: Breaker) -> BreakerPlan:
    """The engine's form of a circuit breaker."""
    window = None if plan.failure_ratio is None else WindowPlan(plan.failure_ratio, plan.window, plan.minimum)
    return BreakerPlan(plan.failures, plan.open, plan.trials, window)


def retry(retries: Retries) -> RetryPlan:
    """The engine's form of a retry policy."""
    return RetryPlan(retries.attempts, retries.backoff, retries.backoff_cap, retries.budget)


def _round_trips(system: System, topology: Topology, zones: list[str]) -> tuple[tuple[float, ...], ...]:
    network = system.network
    special = {frozenset(link.between): link.rtt for link in network.links}

    def between(a: str, b: str) -> float:
        for zone in (a, b):
            if zone.startswith("provider/"):
                return system.providers[zone.split("/", 1)[1]].rtt
        if a.startswith("internet/") or b.startswith("internet/"):
            return 0.0
        if a == b:
            return network.same_zone
        here, there = (zone.removeprefix("region/") if "/" in zone else topology.region_of(zone) for zone in (a, b))
        return network.same_region if here == there else special.get(frozenset((here, there)), network.cross_region)

    return tuple(tuple(between(a, b) for b in zones) for a in zones)
