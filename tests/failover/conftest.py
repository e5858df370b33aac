"""A small world for tests of failover: two or three regions, one shop, one database, and the log of every write."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from gameday.scenario.model import Scenario
from gameday.selectors import Selector
from gameday.timeline import Event
from sim.clock import Clock
from sim.databases.cluster import Cluster
from sim.dns import Resolvers
from sim.recorder import Recorder
from sim.streams import Streams
from sim.traffic.plain import PlainEngine
from sim.wiring import build
from sim.world import World


def scenario(*, database: dict[str, Any] | None = None, promotion: dict[str, Any] | None = None, **more: Any) -> Scenario:
    """Regions a, b, c with one zone each; `shop` runs in a and b, writes to `orders` (primary in a1, replica in b1)."""
    system = {
        "regions": {region: {"zones": [f"{region}1"]} for region in "abc"},
        "network": {"cross_region": "20ms"},
        "services": {
            "shop": {
                "instances": {"a1": 2, "b1": 2},
                "slots": 50,
                "service_time": "constant 1ms",
                "timeout": "2s",
                "boot": "5s",
                "calls": [{"to": "database/orders", "operation": "write", "timeout": "1s"}],
            }
        },
        "databases": {
            "orders": {
                "primary": "a1",
                "replicas": ["b1"],
                "slots": 50,
                "service_time": "constant 2ms",
                "lag": "200ms",
                "boot": "5s",
                **(database or {}),
            }
        },
    }
    system = {**system, **more.pop("system", {})}
    policies: dict[str, Any] = {**more.pop("policies", {})}
    if promotion is not None:
        constants = {"lease": "10s", "heartbeat": "2s", "promote": "2s", "route": "1s", "voters": ["a1", "b1", "c1"]}
        policies["databases"] = {"orders": {**constants, **promotion}}
    load = {"classes": {"buy": {"priority": "critical", "entry": "shop", "rate": "40/s"}}}
    data = {
        "gameday": 1,
        "name": "test",
        "title": "t",
        "teaches": "t",
        "starts": "2026-03-02T09:00:00+00:00",
        "duration": "10m",
        "system": system,
        "load": more.pop("load", load),
        "policies": policies,
        **more,
    }
    return Scenario.model_validate(data)


@dataclass
class Small:
    """A running world of one scenario."""

    world: World
    resolvers: Resolvers

    @property
    def cluster(self) -> Cluster:
        return self.world.clusters["orders"]

    def until(self, t: float) -> None:
        self.world.env.run(until=t)
        self.world.sync()

    def at(self, t: float, what: str, *arguments: Any) -> None:
        """Do something to the system at a time: a port by name, its target as a selector."""
        self.world.env.process(self._later(t, what, arguments))

    def _later(self, t: float, what: str, arguments: tuple[Any, ...]) -> Any:
        yield self.world.env.timeout(t - self.world.env.now)
        target, *rest = arguments
        getattr(self.world, what)(self.world.pin(Selector.parse(target)), *rest)

    def events(self, *kinds: str) -> list[Event]:
        return list(self.world.recorder.timeline.of(*kinds))

    def series(self, name: str, **labels: str) -> list[tuple[float, float]]:
        found = [s for s in self.world.recorder.series() if s.name == name and dict(s.labels) == labels]
        return [(float(t), float(v)) for s in found for t, v in zip(s.t, s.values, strict=True)]

    def log(self, zone: str) -> tuple[list[float], list[int]]:
        """Commit times and acknowledgements of everything a node has committed (nothing is dropped in these tests)."""
        log = self.world.engine.write_log(self.cluster.nodes[zone].station)
        assert log.base == 0
        return list(log.committed_s), list(log.acknowledged)

    def acknowledged_between(self, zone: str, start: float, end: float) -> int:
        """Acknowledged writes a node committed in (start, end]."""
        return sum(flag for t, flag in zip(*self.log(zone), strict=True) if start < t <= end)

    def finish(self) -> dict[str, Any]:
        """End the run; the data of `writes.summary`."""
        self.world.sync()
        self.cluster.finish()
        return dict(self.events("writes.summary")[-1].data)

    def split_brain(self) -> tuple[float, float] | None:
        """First time with two writable primaries, and the time it ended."""
        points = self.series("database.primaries", database="orders")
        start = next((t for t, value in points if value >= 2), None)
        if start is None:
            return None
        return start, next(t for t, value in points if t > start and value < 2)


def start(chosen: Scenario, seed: int = 1, *, keep_logs: bool = True) -> Small:
    """A world with its databases and resolvers running."""
    streams, recorder, wiring = Streams(seed), Recorder(), build(chosen)
    world = World(Clock(), chosen, wiring, PlainEngine(wiring.plan, streams), streams, recorder)
    for name, database in chosen.system.databases.items():
        world.clusters[name] = Cluster(world, name, database, chosen.policies.databases.get(name))
        if keep_logs:
            world.clusters[name].writes.drop = lambda: None  # type: ignore[method-assign]
    for cluster in world.clusters.values():
        cluster.start()
    return Small(world, Resolvers(world))


@pytest.fixture
def describe() -> Callable[..., Scenario]:
    return scenario


@pytest.fixture
def small() -> Callable[..., Small]:
    """Start a small world from the parts of its scenario that matter."""

    def make(seed: int = 1, keep_logs: bool = True, **parts: Any) -> Small:
        return start(scenario(**parts), seed, keep_logs=keep_logs)

    return make
