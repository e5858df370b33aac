"""Autoscaling by utilisation: asks for instances, waits for them to boot, gives them back after a quiet time.

Capacity helps only when it has booted, and on-demand capacity may not be there at all when everybody asks for it.
"""

from __future__ import annotations

from math import ceil

from gameday.scenario.system import Autoscaling
from sim.indicators import Indicators
from sim.processes import Process
from sim.world import World


def start_autoscalers(world: World, indicators: Indicators) -> None:
    """One autoscaler per service and region that has one."""
    for name, service in world.scenario.system.services.items():
        if service.autoscaling is not None:
            for region, station in world.wiring.services[name].items():
                scaler = Autoscaler(world, indicators, name, region, station, service.autoscaling)
                world.env.look(scaler.run())


class Autoscaler:
    """Steers one service in one region to its target utilisation."""

    def __init__(
        self, world: World, indicators: Indicators, service: str, region: str, station: int, settings: Autoscaling
    ) -> None:
        self._world = world
        self._indicators = indicators
        self._service = service
        self._region = region
        self._station = station
        self._settings = settings
        self._least = len(world.units[station])
        self._zones = [zone for zone in world.topology.zones_of(region) if world.topology.instances_in(service, zone)]
        self._booting: dict[str, int] = dict.fromkeys(self._zones, 0)
        self._recent: list[tuple[float, int]] = []
        self._draws = world.streams.draws(f"autoscaler/{service}@{region}")

    def run(self) -> Process:
        """Decide every interval."""
        yield self._world.env.timeout(self._draws.uniform() * self._settings.interval)
        while True:
            self._decide()
            yield self._world.env.timeout(self._settings.interval)

    def _decide(self) -> None:
        """The rule of Kubernetes' horizontal autoscaler, without its tolerance: wanted = ceil(serving x utilisation / target).

        It scales in to the most that was wanted over the whole cooldown (there: the stabilization window).
        """
        world, settings = self._world, self._settings
        now = world.env.now
        used = self._indicators.utilisation([self._station], settings.interval, now)
        serving = world.serving_units(self._station)
        if used is None or not serving:
            return
        wanted = ceil(serving * used / settings.target - 1e-9)
        self._recent.append((now, wanted))
        quiet = now - self._recent[0][0] >= settings.cooldown
        self._recent = [each for each in self._recent if now - each[0] <= settings.cooldown]
        coming = serving + sum(self._booting.values())
        if wanted > coming:
            self._grow(min(wanted - coming, sum(self._room().values())), used)
        elif quiet:
            self._shrink(max(self._least, *(each for _, each in self._recent)), used)

    def _room(self) -> dict[str, int]:
        """Instances each living zone may still get; dead instances keep their place, they come back."""
        world = self._world
        counts = dict(self._booting)
        for unit in world.units[self._station]:
            if not unit.retired:
                counts[world.zone_names[unit.zone]] += 1
        return {zone: max(0, self._settings.max_per_zone - counts[zone]) for zone in self._zones if world.zone_alive(zone)}

    def _grow(self, missing: int, used: float) -> None:
        """Ask for instances, each for the zone with most room."""
        if not missing:
            return
        world = self._world
        have = world.serving_units(self._station) + sum(self._booting.values())
        granted = sum(self._settings.reserved or self._draws.uniform() >= self._settings.scarcity for _ in range(missing))
        self._record("scaling.requested", have, have + missing, reason=f"utilisation {used:.2f}; {granted} of {missing} granted")
        room = self._room()
        for _ in range(granted):
            zone = max(room, key=lambda zone: room[zone])
            room[zone] -= 1
            self._booting[zone] += 1
            world.env.process(self._boot(zone))

    def _boot(self, zone: str) -> Process:
        world = self._world
        yield world.env.timeout(world.boot_s(self._station))
        self._booting[zone] -= 1
        if not world.zone_alive(zone):
            return
        before = world.serving_units(self._station)
        world.add_instance(self._service, zone)
        self._record("scaling.ready", before, before + 1)

    def _shrink(self, wanted: int, used: float) -> None:
        """Give the newest instances back: what they hold is finished."""
        world = self._world
        serving = world.serving_units(self._station)
        added = [unit for unit in world.units[self._station][self._least :] if unit.serving and not unit.drains]
        leaving = added[-(serving - wanted) :] if serving > wanted else []
        for unit in leaving:
            world.retire(unit)
        if leaving:
            self._record("scaling.requested", serving, serving - len(leaving), reason=f"utilisation {used:.2f}")

    def _record(self, kind: str, before: int, after: int, **more: str) -> None:
        data = {"service": self._service, "region": self._region, "from": before, "to": after, **more}
        self._world.record(kind, f"service/{self._service}@{self._region}", **data)
