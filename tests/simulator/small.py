"""A small day for tests of the simulator's core: two regions, one shop, no people; parts are replaced by keyword."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any

from gameday.scenario.model import Scenario
from gameday.selectors import Selector
from gameday.timeline import Event
from sim.clock import Clock
from sim.control.faults import FaultPlayer
from sim.day import Day
from sim.places import Pinned
from sim.recorder import Recorder
from sim.streams import Streams
from sim.traffic import Observation
from sim.traffic.plain import PlainEngine
from sim.units import Unit
from sim.wiring import build
from sim.world import World

SHOP: dict[str, Any] = {"instances": 1, "slots": 4, "service_time": "constant 20ms", "boot": "10s", "timeout": "2s"}
BUY: dict[str, Any] = {"priority": "critical", "entry": "shop", "rate": "20/s"}
ORDERS: dict[str, Any] = {"primary": "a1", "replicas": ["b1"], "slots": 20, "service_time": "constant 2ms", "boot": "5s"}


def scenario(
    *,
    shop: Mapping[str, Any] | None = None,
    services: Mapping[str, Any] | None = None,
    classes: Mapping[str, Any] | None = None,
    faults: list[Any] | None = None,
    schedule: Mapping[str, Any] | None = None,
    system: Mapping[str, Any] | None = None,
    **more: Any,
) -> Scenario:
    """Region a has zones a1 and a2, region b has b1; all clients go to `shop` in region a."""
    data = {
        "gameday": 1,
        "name": "small",
        "title": "t",
        "teaches": "t",
        "starts": "2026-03-02T09:00:00+00:00",
        "duration": "10m",
        "warmup": "0s",
        "system": {
            "regions": {"a": {"zones": ["a1", "a2"]}, "b": {"zones": ["b1"]}},
            "network": {"cross_region": "20ms"},
            "services": {"shop": {**SHOP, **(shop or {})}, **(services or {})},
            **(system or {}),
        },
        "load": {"classes": classes or {"buy": BUY}},
        "schedule": {"faults": faults or [], **(schedule or {})},
        **more,
    }
    return Scenario.model_validate(data)


@dataclass
class Small:
    """A day that is being played."""

    day: Day

    @property
    def world(self) -> World:
        return self.day.world

    def until(self, t: float) -> None:
        """Play up to `t`; what happens at exactly `t` happens afterwards."""
        self.world.env.run(until=t)
        self.world.sync()

    def do(self, port: str, target: str, *values: float) -> Pinned:
        """Use a port now; returns the target to undo it with."""
        pinned = self.world.pin(Selector.parse(target))
        getattr(self.world, port)(pinned, *values)
        return pinned

    def at(self, t: float, action: Callable[[], object]) -> None:
        """Do something at a time."""

        def later() -> Generator[Any, Any, None]:
            yield self.world.env.timeout(t - self.world.env.now)
            action()

        self.world.env.process(later())

    def unit(self, name: str) -> Unit:
        """An instance by its name: `shop@a1/0`, `database/orders@a1`, `provider/pay`."""
        return next(unit for units in self.world.units for unit in units if unit.name == name)

    def seen(self) -> Observation:
        self.world.sync()
        return self.world.engine.observe()

    def engine_instance(self, name: str) -> Any:
        """The traffic engine's own record of an instance."""
        unit = self.unit(name)
        return self.world.engine._stations[unit.station].instances[unit.position]  # type: ignore[attr-defined]

    def station(self, service: str, region: str) -> int:
        return self.world.wiring.services[service][region]

    def events(self, *kinds: str) -> list[Event]:
        return list(self.world.recorder.timeline.of(*kinds))

    def times(self, kind: str) -> list[float]:
        return [event.t for event in self.events(kind)]

    def series(self, name: str, **labels: str) -> list[tuple[float, float]]:
        """All points of the only series of that name and labels."""
        one = self.world.recorder.series().one(name, labels)
        return list(zip(one.t.tolist(), one.values.tolist(), strict=True))

    def good_between(self, start: float, end: float, request_class: str = "buy", origin: str = "everyone") -> float:
        """Share of good answers among the requests that ended in (start, end], from the series."""
        good = sum(v for t, v in self.series("requests.good", **{"class": request_class, "origin": origin}) if start < t <= end)
        wanted = {"class": request_class, "origin": origin}
        found = self.world.recorder.series().find("requests.lost", wanted)
        lost = sum(v for one in found for t, v in zip(one.t.tolist(), one.values.tolist(), strict=True) if start < t <= end)
        return good / (good + lost) if good + lost else float("nan")


def begin(chosen: Scenario, seed: int = 1) -> Small:
    """A day at its start."""
    return Small(Day.begin(chosen, build(chosen), Streams(seed), Recorder(), "plain"))


def small(seed: int = 1, **parts: Any) -> Small:
    """A day of the small scenario at its start."""
    return begin(scenario(**parts), seed)


def bare(seed: int = 1, **parts: Any) -> World:
    """A world in which only the schedule's faults happen and nobody sends, measures or checks: for very long times."""
    parts = {"classes": {"buy": {**BUY, "rate": "1/d"}}, **parts}
    chosen = scenario(**parts)
    wiring, streams = build(chosen), Streams(seed)
    world = World(Clock(), chosen, wiring, PlainEngine(wiring.plan, streams), streams, Recorder())
    FaultPlayer(world)
    return world
