"""The simulated system keeps the contract of the ports, as seen through what its clients get and what can be measured on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

from gameday.faults import Fault, make
from gameday.port_contract import check_ports_contract
from gameday.ports import PORTS
from gameday.scenario.model import Scenario
from gameday.selectors import Selector
from sim.clock import Clock
from sim.databases.cluster import Cluster
from sim.dns import Resolvers
from sim.recorder import Recorder
from sim.streams import Streams
from sim.traffic import bucket_upper_s
from sim.traffic.plain import PlainEngine
from sim.wiring import build
from sim.world import World

SETTLE_S, LOOK_S = 12.0, 20.0
CASES: list[tuple[str, str, dict[str, Any]]] = [
    ("kill", "service/back", {}),
    ("kill", "zone/b1", {}),
    ("kill", "database/orders/primary", {}),
    ("kill", "queue/mail", {}),
    ("outage", "provider/pay", {}),
    ("outage", "dependency/front->back", {}),
    ("freeze", "service/back", {}),
    ("partition", "link/a->b", {}),
    ("latency", "link/a->b", {"delay": 0.05}),
    ("loss", "link/a<->b", {"ratio": 0.3}),
    ("slow", "service/back", {"factor": 3.0}),
    ("capacity", "service/back", {"share": 0.5}),
    ("errors", "provider/pay", {"ratio": 0.5}),
    ("bad_release", "service/back", {"error_ratio": 0.5, "slowdown": 2.0}),
    ("replication_stop", "database/orders@a1", {}),
    ("clock_skew", "database/orders/primary", {"offset": 10.0}),
    ("disk_full", "database/orders/primary", {}),
    ("agent_freeze", "database/orders/primary", {}),
    ("dns_outage", "dns", {}),
    ("noop", "service/back", {}),
]


def system() -> Scenario:
    """Clients enter in region a; everything they need one of each of is in region b."""
    one = {"instances": {"b1": 1}, "slots": 20, "service_time": "constant 10ms", "boot": "2s"}
    calls = [
        {"to": "back", "for": ["work"], "timeout": "800ms"},
        {"to": "provider/pay", "for": ["pay"]},
        {"to": "database/orders", "operation": "write", "for": ["write"]},
        {"to": "queue/mail", "for": ["mail"]},
    ]
    front = {**one, "instances": {"a1": 1}, "slots": 500, "calls": calls}
    light = {"entry": "front", "rate": "3/s"}
    data = {
        "gameday": 1,
        "name": "contract",
        "title": "t",
        "teaches": "t",
        "starts": "2026-03-02T09:00:00+00:00",
        "duration": "10h",
        "system": {
            "regions": {"a": {"zones": ["a1"]}, "b": {"zones": ["b1"]}},
            "network": {"cross_region": "20ms"},
            "services": {"front": front, "back": one, "sink": {**one, "instances": {"a1": 1}}},
            "databases": {
                "orders": {
                    "primary": "b1",
                    "replicas": ["a1"],
                    "slots": 20,
                    "service_time": "constant 2ms",
                    "lag": "100ms",
                    "catch_up": 1000,
                    "boot": "2s",
                }
            },
            "queues": {"mail": {"consumer": "sink"}},
            "providers": {"pay": {"service_time": "10ms", "boot": "2s"}},
            "traffic": {"dns": {"ttl": "4s", "ignore_ttl": "0%", "resolvers": 50}},
        },
        "load": {"classes": {name: {**light, "rate": f"{rate}/s"} for name, rate in RATES.items()}},
    }
    return Scenario.model_validate(data)


RATES = {"work": 20, "pay": 20, "write": 3, "mail": 3}


class SimulatedRig:
    """One world; looking at it is looking at the traffic of the last seconds."""

    def __init__(self) -> None:
        scenario = system()
        wiring, streams = build(scenario), Streams(7)
        self.world = World(Clock(), scenario, wiring, PlainEngine(wiring.plan, streams), streams, Recorder())
        for name, database in scenario.system.databases.items():
            self.world.clusters[name] = Cluster(self.world, name, database, None)
        for cluster in self.world.clusters.values():
            cluster.start()
        Resolvers(self.world)
        self.before = self.after = self._look()

    @property
    def system(self) -> object:
        return self.world

    def cases(self) -> list[tuple[Fault, Selector]]:
        return [(make(name, parameters), Selector.parse(target)) for name, target, parameters in CASES]

    def settle(self) -> None:
        """Let the change take effect, then count for a while."""
        self.world.env.run(until=self.world.env.now + SETTLE_S)
        self.before = self._look()
        self.world.env.run(until=self.world.env.now + LOOK_S)
        self.after = self._look()

    def _look(self) -> Any:
        self.world.sync()
        return deepcopy(self.world.engine.observe())

    def observe(self, target: Selector) -> Mapping[str, object]:
        seen: dict[str, object] = {name: self._class(flow) for (name, _), flow in self.world.wiring.flows.items()}
        stations = {unit.station for unit in self.world.units_of(target)}
        seen["serving"] = all(self.after.completed[s] > self.before.completed[s] for s in stations)
        seen["slots"] = [self.after.slots[s] for s in sorted(stations)]
        cluster = self.world.clusters["orders"]
        seen["clocks"] = [node.skew_s for node in cluster.nodes.values()]
        seen["agents"] = [node.steered for node in cluster.nodes.values()]
        seen["behind"] = [(cluster.lag_of(zone) or 0.0) > 5.0 for zone in cluster.nodes]
        return seen

    def _class(self, flow: int) -> tuple[float, float]:
        """Share of good answers to a quarter, and the median latency."""
        good = self.after.good[flow] - self.before.good[flow]
        ended = good + sum(self.after.lost[flow]) - sum(self.before.lost[flow])
        counts = [new - old for new, old in zip(self.after.latency[flow], self.before.latency[flow], strict=True)]
        middle, median = sum(counts) / 2.0, 0.0
        for bucket, count in enumerate(counts):
            if middle > 0.0:
                median = bucket_upper_s(bucket)
            middle -= count
        return round(4.0 * good / ended) / 4.0, median


@contextmanager
def rig() -> Iterator[SimulatedRig]:
    yield SimulatedRig()


def test_the_simulated_system_keeps_the_contract_of_every_port() -> None:
    tried = check_ports_contract(rig)
    assert tried == [name for name, _, _ in CASES]


def test_the_simulated_system_has_every_port() -> None:
    with rig() as made:
        assert all(isinstance(made.system, port) for port in PORTS)
