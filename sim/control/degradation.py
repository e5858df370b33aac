"""Switches optional calls off while a service is under stress, and on again when it has calmed down.

The busiest region decides. The rule that surprises: a service of which nothing runs is no sign of calm, so nothing is switched then.
"""

from __future__ import annotations

from gameday.scenario.policies import Degradation
from gameday.selectors import target_of
from sim.indicators import Indicators
from sim.processes import Process
from sim.world import World

CHECK_EVERY_S = 5.0


class Feature:
    """One optional dependency with its switch; a controller or a person turns it."""

    def __init__(self, world: World, caller: str, target: str) -> None:
        self._world = world
        self.name = f"{caller} -> {target}"
        self._edges = [
            position
            for position, info in enumerate(world.wiring.edges)
            if info.caller == caller and info.target == target_of(target)
        ]
        self.off = False

    def switch(self, *, off: bool, by: str) -> bool:
        """Turn the feature off or on; False when it already was."""
        if self.off == off:
            return False
        self.off = off
        for edge in self._edges:
            self._world.set_edge(edge, enabled=not off)
        kind = "degradation.started" if off else "degradation.ended"
        self._world.record(kind, f"feature/{self.name}", feature=self.name, by=by)
        return True


def start_degradation(world: World, indicators: Indicators) -> list[Feature]:
    """Start a controller per rule; returns the features, which people may switch too."""
    features = []
    for rule in world.scenario.policies.degradation:
        caller, _, target = (part.strip() for part in rule.disable.partition("->"))
        feature = Feature(world, caller, target)
        features.append(feature)
        world.env.look(_control(world, indicators, rule, feature))
    return features


def _control(world: World, indicators: Indicators, rule: Degradation, feature: Feature) -> Process:
    stations = list(world.wiring.services[rule.when].values())
    above_since: float | None = None
    below_since: float | None = None
    while True:
        yield world.env.timeout(CHECK_EVERY_S)
        now = world.env.now
        seen = [
            used for used in (indicators.utilisation([station], CHECK_EVERY_S, now) for station in stations) if used is not None
        ]
        above, below = bool(seen) and max(seen) > rule.above, bool(seen) and max(seen) < rule.restore_below
        above_since = (above_since if above_since is not None else now) if above else None
        below_since = (below_since if below_since is not None else now) if below else None
        if not feature.off and above_since is not None and now - above_since >= rule.lasting:
            feature.switch(off=True, by="controller")
        elif feature.off and below_since is not None and now - below_since >= rule.restore_after:
            feature.switch(off=False, by="controller")
