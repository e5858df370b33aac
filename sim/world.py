"""The simulated system: everything that can be done to it, and what is true in it at this instant.

In three layers: `places` (state, what is where, who reaches whom), `ports` (what faults do) and here what controllers do to capacity.
The rule that surprises: an instance that is given back first finishes what it holds; until then it still uses its slots.
"""

from __future__ import annotations

from typing import Any

from sim.places import Link, Pinned
from sim.ports import Ports
from sim.processes import Process
from sim.traffic import Watch
from sim.traffic.changes import AddInstance, SetEdge
from sim.traffic.plan import InstancePlan
from sim.units import Unit

__all__ = ["Link", "Pinned", "Unit", "World"]

LOOK_EVERY_S = 1.0
"""Interval at which a drained instance is looked at for whether it still holds anything."""


class World(Ports):
    """One replication's world: engine, clock, randomness, record, and the state the ports change."""

    def add_instance(self, service: str, zone: str) -> str:
        """Put one more instance of a service into a zone, under the release and the slowness in force there; returns its name."""
        region = self.topology.region_of(zone)
        station = self.wiring.services[service][region]
        plan = self.wiring.plan.stations[station].instances[0]
        position = len(self.units[station])
        name = f"{service}@{zone}/{position}"
        unit = Unit(station, position, name, self.wiring.zones[zone], plan.slots)
        self.units[station].append(unit)
        self.added.append(unit)
        self.apply(AddInstance(station, InstancePlan(name, unit.zone, plan.slots, plan.queue_limit)))
        self.effects.reach(unit, lambda target: self.covers(target, unit))
        self._refresh([unit])
        return name

    def retire(self, unit: Unit) -> None:
        """Give an added instance back: it is chosen no more, finishes what it holds, and is gone."""
        assert unit in self.added, f"{unit.name} was there from the start"
        unit.retired = True
        self._set(unit, drained=True)
        self.set_rotation(unit, False)
        self.env.process(self._leave(unit))

    def _leave(self, unit: Unit) -> Process:
        yield self.when(Watch("held", unit.station, at_most=0.0, instance=unit.position))
        self.added.remove(unit)
        if unit.up:
            self.stop(unit)

    def idle(self, unit: Unit) -> bool:
        """Whether an instance holds no request."""
        self.sync()
        return self.engine.instance_busy(unit.station, unit.position) == (0, 0)

    def drain(self, unit: Unit) -> None:
        """One more reason why the balancer must not choose an instance."""
        unit.drains += 1
        self._set(unit, drained=True)
        self.set_rotation(unit, False)

    def undrain(self, unit: Unit) -> None:
        """One reason less; with the last one it is chosen again, a service's instance once it passes its health checks."""
        unit.drains -= 1
        assert unit.drains >= 0, f"{unit.name} put back more often than taken out"
        if unit.drains == 0 and not unit.retired:
            self._set(unit, drained=False)
        if unit.drains == 0 and (unit.serving or self.station_owner(unit.station)[0] != "service"):
            self.set_rotation(unit, True)

    def set_rotation(self, unit: Unit, in_rotation: bool) -> None:
        """Take an instance out of the balancer's rotation, or put it back."""
        if unit.in_rotation != in_rotation:
            unit.in_rotation = in_rotation
            self._set(unit, in_rotation=in_rotation)

    def set_edge(self, edge: int, **change: Any) -> None:
        """Change a dependency."""
        self.apply(SetEdge(edge, **change))
