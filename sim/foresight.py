"""What the data plane may rely on: whether anything goes on now, and when anything may happen next.

The rule that surprises: it is not a list of what matters. Everything that is about to be done counts, by whomever, unless it was started
as a mere look (`Clock.look`); what nobody thought of is then played exactly, and costs time instead of truth.
"""

from __future__ import annotations

from sim.clock import ForeseeingClock
from sim.control.faults import FaultPlayer
from sim.control.impact import ImpactMonitor
from sim.traffic.quiet.regime import LEAST_MEMORY_S
from sim.world import World


class Foresight:
    """Told the time, says when anything may happen; now, while something goes on."""

    def __init__(self, world: World, faults: FaultPlayer, impacts: ImpactMonitor) -> None:
        assert isinstance(world.env, ForeseeingClock), "a quiet day has such a clock"
        self._world = world
        self._clock = world.env
        self._faults = faults
        self._impacts = impacts

    def __call__(self, now: float) -> float:
        """Seconds since the start."""
        if self._faults.active or self._impacts.active or not self._copies_keep_up():
            return now
        return self._clock.next_act()

    def _copies_keep_up(self) -> bool:
        """Whether no replica is further behind than what is played exactly before anything can be lost: a jump has no log of writes."""
        for cluster in self._world.clusters.values():
            for zone in cluster.nodes:
                lag_s = cluster.lag_of(zone)
                if lag_s is not None and lag_s > LEAST_MEMORY_S:
                    return False
        return True
