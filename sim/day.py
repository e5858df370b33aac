"""One simulated day: everything that lives in a replication, in the order in which it is started."""

from __future__ import annotations

from dataclasses import dataclass

from gameday.scenario.model import Scenario
from sim.clock import Clock, ForeseeingClock
from sim.control.autoscaler import start_autoscalers
from sim.control.degradation import Feature, start_degradation
from sim.control.faults import FaultPlayer
from sim.control.health import start_health_checks
from sim.control.impact import ImpactMonitor
from sim.control.maintenance import start_maintenance
from sim.control.release import Deployer
from sim.databases.cluster import Cluster
from sim.dns import Resolvers
from sim.failover import RegionFailover
from sim.foresight import Foresight
from sim.indicators import Indicators
from sim.processes import Process
from sim.recorder import Recorder
from sim.sampling import Sampler
from sim.station_series import STATIONS_EVERY_S, StationSeries
from sim.streams import Streams
from sim.tracing import Tracer
from sim.traffic.changes import SetRateLimit
from sim.traffic.engines import EngineKind, make_engine
from sim.traffic.quiet import QuietEngine, make_quiet_engine
from sim.wiring import Wiring
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
    measures: Measures

    @classmethod
    def begin(
        cls,
        scenario: Scenario,
        wiring: Wiring,
        streams: Streams,
        recorder: Recorder,
        engine: EngineKind = "auto",
        *,
        traced: bool = False,
        quiet: bool = False,
    ) -> Day:
        """Build the world and start its machines; people and monitoring are started by the caller."""
        env = ForeseeingClock() if quiet else Clock()
        playing = (make_quiet_engine if quiet else make_engine)(wiring.plan, streams, engine)
        world = World(env, scenario, wiring, playing, streams, recorder)
        indicators = Indicators(wiring, world.slot_s, *_longest_windows_s(scenario))
        for name, database in scenario.system.databases.items():
            world.clusters[name] = Cluster(world, name, database, scenario.policies.databases.get(name))
        for position, name in enumerate(wiring.classes):
            limit = scenario.system.gateway.rate_limits.get(name)
            if limit is not None:
                world.apply(SetRateLimit(position, limit.rate, limit.burst))
        faults = FaultPlayer(world)
        impacts = ImpactMonitor(world, indicators, faults)
        if isinstance(playing, QuietEngine):
            playing.foresee = Foresight(world, faults, impacts)
        sampler = Sampler(world, indicators)
        measures = Measures(world, indicators, impacts, sampler, told=traced)
        env.look(measures.every_second())
        for cluster in world.clusters.values():
            cluster.start()
        start_maintenance(world)
        start_health_checks(world)
        start_autoscalers(world, indicators)
        features = start_degradation(world, indicators)
        resolvers = Resolvers(world)
        failover = None
        if scenario.policies.failover.mode != "none":
            failover = RegionFailover(world, resolvers)
        deployer = Deployer(world, indicators, faults)
        return cls(world, indicators, faults, impacts, deployer, features, resolvers, failover, measures)

    @property
    def jumped_s(self) -> float:
        """Seconds of quiet stretches that were drawn instead of played, so far."""
        engine = self.world.engine
        return engine.jumped_s if isinstance(engine, QuietEngine) else 0.0


def _longest_windows_s(scenario: Scenario) -> tuple[float, float]:
    """The longest window anybody of a day asks for, and the longest of a rule about latencies."""
    rules = scenario.monitoring.every_rule.values()
    windows = {name: max((getattr(rule, name, 0.0) for rule in rules), default=0.0) for name in ("window", "long")}
    others = [scenario.policies.release.window, *(each.indicator.window for each in scenario.load.classes.values())]
    others += [each.autoscaling.interval for each in scenario.system.services.values() if each.autoscaling is not None]
    latencies = [getattr(rule, "window", 0.0) for rule in rules if getattr(rule, "indicator", "").startswith("latency")]
    return max(*windows.values(), *others), max(latencies, default=0.0)


class Measures:
    """Measures each second; nothing is judged before the warm-up is over."""

    def __init__(
        self, world: World, indicators: Indicators, impacts: ImpactMonitor, sampler: Sampler, *, told: bool = False
    ) -> None:
        self._world = world
        self._indicators = indicators
        self._impacts = impacts
        self._sampler = sampler
        self.tracer = Tracer(world) if told else None
        self._stations = StationSeries(world.wiring, world.recorder) if told else None
        self._next = 0.0

    def every_second(self) -> Process:
        """As long as the day lasts."""
        while True:
            self.take()
            yield self._world.env.timeout(1.0)

    def finish(self) -> None:
        """The last second, which ends with the day; a last bin that is shorter than a second is in no series."""
        self._world.sync()
        if self._world.env.now == self._next:
            self.take()
        self._record_notes()

    def take(self) -> None:
        """Keep, write down and judge what the engine has counted up to now."""
        world = self._world
        world.sync()
        now, seen = world.env.now, world.engine.observe()
        self._next = now + 1.0
        self._indicators.take(now, seen)
        self._record_notes()
        if now > 0.0:
            self._sampler.every_second(now, seen)
        if self._stations is not None and now % STATIONS_EVERY_S == 0.0:
            self._stations.take(now, seen, world.engine.details())
        if self.tracer is not None:
            self.tracer.every_second(seen)
        if now >= world.scenario.warmup:
            self._impacts.check(now)

    def _record_notes(self) -> None:
        plan, record = self._world.wiring.plan, self._world.recorder.record
        for note in self._world.engine.take_notes():
            if note.kind.startswith("breaker."):
                name = plan.edges[note.index].name
                record(note.t, note.kind, f"edge/{name}", {"edge": name})
                continue
            subject = f"service/{plan.stations[note.index].name}"
            member = {"instance": self._world.units[note.index][note.instance].name} if note.instance >= 0 else {}
            record(note.t, note.kind, subject, {"station": subject, **member})
