"""Instances as the control plane knows them, and the effects that make them slow, wrong or small.

The rule that surprises: what comes from outside a process (a release, slowness) also meets instances that start while it lasts; a bad
state and lost slots belong to the processes that were hit. Whoever got an effect loses it when it ends, whatever started in between.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from math import floor, prod

from gameday.selectors import Selector


@dataclass(frozen=True, slots=True)
class Effect:
    """One thing that is wrong with an instance: work takes longer, answers are errors, or a share of the slots is taken."""

    slowdown: float = 1.0
    error_ratio: float = 0.0
    taken: float = 0.0


@dataclass(slots=True, eq=False)
class Unit:
    """One instance as the control plane knows it: why it is down, slow or wrong."""

    station: int
    position: int
    name: str
    zone: int
    slots: int
    kills: int = 0
    freezes: int = 0
    booting: bool = False
    boots: int = 0
    """Boots begun or broken off: a boot that is no longer the newest brings nothing up."""
    in_rotation: bool = True
    drains: int = 0
    """Reasons for which the balancer must not choose it, whatever health checks say."""
    retired: bool = False
    effects: list[Effect] = field(default_factory=list)

    @property
    def up(self) -> bool:
        """Whether its process runs."""
        return self.kills == 0 and not self.booting

    @property
    def serving(self) -> bool:
        """Whether it answers a health check."""
        return self.up and self.freezes == 0 and not self.retired

    @property
    def slowdown(self) -> float:
        """How many times as long its work takes: factors multiply."""
        return prod(effect.slowdown for effect in self.effects)

    @property
    def error_ratio(self) -> float:
        """Share of its answers that are errors: independent causes combine."""
        return 1.0 - prod(1.0 - effect.error_ratio for effect in self.effects)

    @property
    def slots_left(self) -> int:
        """Whole slots left; a slot that is taken in part is gone."""
        return floor(self.slots * prod(1.0 - effect.taken for effect in self.effects) + 1e-9)


@dataclass(slots=True, eq=False)
class _Standing:
    target: Selector
    effect: Effect
    meets_newcomers: bool
    units: list[Unit]


class Effects:
    """Every effect in force, where it was put, and whom it has reached."""

    def __init__(self) -> None:
        self._standing: list[_Standing] = []

    def begin(self, target: Selector, effect: Effect, units: Iterable[Unit], *, meets_newcomers: bool) -> list[Unit]:
        """Put an effect on units; returns them."""
        reached = list(units)
        self._standing.append(_Standing(target, effect, meets_newcomers, reached))
        for unit in reached:
            unit.effects.append(effect)
        return list(reached)

    def end(self, target: Selector, effect: Effect) -> list[Unit]:
        """Undo one `begin` of the same target and effect; returns everybody it had reached."""
        same = [each for each in self._standing if each.effect == effect and each.target == target]
        same = same or [each for each in self._standing if each.effect == effect and str(each.target) == str(target)]
        assert same, f"{effect} on {target} is undone, but not in force"
        self._standing.remove(same[0])
        for unit in same[0].units:
            unit.effects.remove(effect)
        return same[0].units

    def reach(self, unit: Unit, covers: Callable[[Selector], bool]) -> None:
        """A new instance starts; `covers` tells whether it stands inside a target."""
        for each in self._standing:
            if each.meets_newcomers and covers(each.target):
                each.units.append(unit)
                unit.effects.append(each.effect)
