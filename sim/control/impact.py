"""The ground truth of impact in a simulated day: `gameday.impact`, asked each second about what the engine has counted."""

from __future__ import annotations

from gameday.impact import Impact, ImpactMachine
from sim.control.faults import FaultPlayer
from sim.indicators import Indicators
from sim.world import World


class ImpactMonitor:
    """Watches every class each second."""

    def __init__(self, world: World, indicators: Indicators, faults: FaultPlayer) -> None:
        self._world = world
        self._machine = ImpactMachine(world.scenario.load.classes, indicators.answered, lambda: faults.active)

    @property
    def active(self) -> dict[str, Impact]:
        """Classes that are hurt, as far as it is known by now."""
        return self._machine.active

    def check(self, now: float) -> None:
        """Judge the windows that end now."""
        for change in self._machine.check(now):
            self._world.recorder.record(change.at, change.kind, f"class/{change.request_class}", dict(change.data))
            self._world.tell(change.kind, change.request_class)
