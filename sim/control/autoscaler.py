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
                world.env.process(scaler.run())


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
        self._booting = 0
        self._low_since: float | None = None
        self._draws = world.streams.draws(f"autoscaler/{service}@{region}")

    def run(self) -> Process:
        """Decide every interval."""
        yield self._world.env.timeout(self._draws.uniform() * self._settings.interval)
        while True:
            self._decide()
            yield self._world.env.timeout(self._settings.interval)

    def _decide(self) -> None:
        """The rule of Kubernetes' horizontal autoscaler: wanted = ceil(serving x utilisation / target)."""
        world, settings = self._world, self._settings
        now = world.env.now
        zones = [zone for zone in world.topology.zones_of(self._region) if world.zone_alive(zone)]
        used = self._indicators.utilisation([self._station], settings.interval, now)
        serving = world.serving_units(self._station)
        if used is None or not serving or not zones:
            return
        wanted = min(ceil(serving * used / settings.target - 1e-9), settings.max_per_zone * len(zones))
        if wanted > serving + self._booting:
            self._low_since = None
            self._grow(wanted - serving - self._booting, zones, used)
        elif wanted < serving and serving > self._least:
            self._low_since = now if self._low_since is None else self._low_since
            if now - self._low_since >= settings.cooldown:
                self._shrink(max(wanted, self._least), used)
        else:
            self._low_since = None

    def _grow(self, missing: int, zones: list[str], used: float) -> None:
        world = self._world
        have = world.serving_units(self._station) + self._booting
        granted = sum(self._settings.reserved or self._draws.uniform() >= self._settings.scarcity for _ in range(missing))
        world.record(
            "scaling.requested",
            f"service/{self._service}@{self._region}",
            service=self._service,
            region=self._region,
            **{"from": have, "to": have + missing},
            reason=f"utilisation {used:.2f}; {granted} of {missing} granted",
        )
        for number in range(granted):
            self._booting += 1
            world.env.process(self._boot(zones[(have + number) % len(zones)]))

    def _boot(self, zone: str) -> Process:
        world = self._world
        yield world.env.timeout(world.boot_s(self._station))
        self._booting -= 1
        if not world.zone_alive(zone):
            return
        before = world.serving_units(self._station)
        world.add_instance(self._service, zone)
        data = {"service": self._service, "region": self._region, "from": before, "to": before + 1}
        world.record("scaling.ready", f"service/{self._service}@{self._region}", **data)

    def _shrink(self, wanted: int, used: float) -> None:
        """Drain the newest instances: out of rotation, what they hold is finished."""
        world = self._world
        added = [unit for unit in world.units[self._station][self._least :] if unit.serving and not unit.drained]
        serving = world.serving_units(self._station)
        leaving = added[-(serving - wanted) :] if serving > wanted else []
        for unit in leaving:
            unit.drained = True
            unit.retired = True
            world.set_rotation(unit, False)
        if leaving:
            world.record(
                "scaling.requested",
                f"service/{self._service}@{self._region}",
                service=self._service,
                region=self._region,
                **{"from": serving, "to": serving - len(leaving)},
                reason=f"utilisation {used:.2f}",
            )
