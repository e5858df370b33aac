"""The deployer: rolls a release back, when people ask for it or by itself when the released service errs.

A rollback takes time (`policies.release.rollback`); only when it is through does the fault end.
"""

from __future__ import annotations

import simpy

from sim.control.faults import ActiveFault, FaultPlayer
from sim.draws import sample
from sim.indicators import Indicators
from sim.processes import Process
from sim.world import World

CHECK_EVERY_S = 5.0


class Deployer:
    """Rolls back bad releases."""

    def __init__(self, world: World, indicators: Indicators, faults: FaultPlayer) -> None:
        self._world = world
        self._indicators = indicators
        self._faults = faults
        self._draws = world.streams.draws("deployer")
        self._running: set[str] = set()
        if world.scenario.policies.release.automatic_rollback:
            world.env.process(self._watch())

    def roll_back(self, active: ActiveFault, by: str) -> simpy.Process | None:
        """Start the rollback of an active bad release; None when one is running already."""
        if active.index in self._running:
            return None
        self._running.add(active.index)
        return self._world.env.process(self._roll_back(active, by))

    def _roll_back(self, active: ActiveFault, by: str) -> Process:
        world = self._world
        target = active.selector
        world.record("action.started", target, action="rollback", target=target, by=by)
        yield world.env.timeout(sample(world.scenario.policies.release.rollback, self._draws))
        self._running.discard(active.index)
        if self._faults.heal(active.index, by):
            world.record("action.succeeded", target, action="rollback", target=target, by=by)

    def _watch(self) -> Process:
        """Compare the errors of the released service, where the release runs, over the window with the threshold."""
        settings = self._world.scenario.policies.release
        while True:
            yield self._world.env.timeout(CHECK_EVERY_S)
            now = self._world.env.now
            for active in self._faults.mended_by("rollback"):
                stations = sorted({unit.station for unit in self._world.units_of(active.target)})
                ratio = self._indicators.value("error_ratio", active.selector, settings.window, now, stations)
                if ratio is not None and ratio > settings.error_ratio and active.index not in self._running:
                    why = f"error ratio {ratio:.3f} over {settings.window:.0f} s"
                    self._world.record("decision.made", active.selector, decision="rollback", by="deployer", why=why)
                    self.roll_back(active, "deployer")
