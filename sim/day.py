"""One simulated day: everything that lives in a replication, in the order in which it is started."""

from __future__ import annotations

from dataclasses import dataclass

import simpy

from gameday.scenario.model import Scenario
from sim.control.autoscaler import start_autoscalers
from sim.control.degradation import Feature, start_degradation
from sim.control.faults import FaultPlayer
from sim.control.health import start_health_checks
from sim.control.impact import ImpactMonitor
from sim.control.release import Deployer
from sim.databases.cluster import Cluster
from sim.dns import Resolvers
from sim.failover import RegionFailover
from sim.indicators import Indicators
from sim.processes import Process
from sim.recorder import Recorder
from sim.sampling import Sampler
from sim.streams import Streams
from sim.traffic.changes import SetRateLimit
from sim.traffic.engines import EngineKind, make_engine
from sim.wiring import Wiring, build
from sim.world import World


@dataclass(slots=True)
class Day:
    """What the people and the monitoring of a replication can look at and act on."""

    world: World
    indicators: Indicators
    faults: FaultPlayer
    impacts: ImpactMonitor
    deployer: Deployer
    features: list[Feature]
    resolvers: Resolvers
    failover: RegionFailover | None

    @classmethod
    def begin(cls, scenario: Scenario, wiring: Wiring, streams: Streams, recorder: Recorder, engine: EngineKind = "auto") -> Day:
        """Build the world and start its machines; people and monitoring are started by the caller."""
        env = simpy.Environment()
        world = World(env, scenario, wiring, make_engine(wiring.plan, streams, engine), streams, recorder)
        indicators = Indicators(wiring, lambda name: world.clusters[name].lag_s())
        for name, database in scenario.system.databases.items():
            world.clusters[name] = Cluster(world, name, database, scenario.policies.databases.get(name))
        for position, name in enumerate(wiring.classes):
            limit = scenario.system.gateway.rate_limits.get(name)
            if limit is not None:
                world.apply(SetRateLimit(position, limit.rate, limit.burst))
        faults = FaultPlayer(world)
        impacts = ImpactMonitor(world, indicators, faults)
        sampler = Sampler(world, indicators)
        env.process(_every_second(world, indicators, impacts, sampler))
        for cluster in world.clusters.values():
            cluster.start()
        start_health_checks(world)
        start_autoscalers(world, indicators)
        features = start_degradation(world, indicators)
        resolvers = Resolvers(world)
        failover = None
        if scenario.policies.failover.mode != "none":
            failover = RegionFailover(world, indicators, faults, resolvers)
        return cls(world, indicators, faults, impacts, Deployer(world, indicators, faults), features, resolvers, failover)


def _every_second(world: World, indicators: Indicators, impacts: ImpactMonitor, sampler: Sampler) -> Process:
    """Measure each second; nothing is judged before the warm-up is over."""
    edges = world.wiring.plan.edges
    while True:
        world.sync()
        now = world.env.now
        seen = world.engine.observe()
        indicators.take(now, seen)
        for note in world.engine.take_notes():
            name = edges[note.index].name
            world.recorder.record(note.t, note.kind, f"edge/{name}", {"edge": name})
        if now > 0.0:
            sampler.every_second(now, seen)
        if now >= world.scenario.warmup:
            impacts.check(now)
        yield world.env.timeout(1.0)
