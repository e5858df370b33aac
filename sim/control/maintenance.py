"""Planned work: its target is drained, then down, then back.

The rule that surprises: nothing it held is lost. A process is stopped only when it holds no request, and a database node only when its
replicas have what it wrote; one that is never idle is taken out of rotation and stays up.
"""

from __future__ import annotations

from gameday.scenario.schedule import Maintenance
from gameday.selectors import Selector
from sim.processes import Process
from sim.units import Unit
from sim.world import LOOK_EVERY_S, World


def start_maintenance(world: World) -> None:
    """Plan every piece of work of the schedule."""
    for planned in world.scenario.schedule.maintenance:
        world.env.process(_work(world, planned))


def _work(world: World, planned: Maintenance) -> Process:
    env, target = world.env, Selector.parse(planned.target)
    yield env.timeout(planned.at)
    world.record("maintenance.started", str(target), what=planned.what)
    units = world.units_of(target)
    for unit in units:
        world.drain(unit)
    ends = env.now + planned.lasts
    idle_since, stopped = dict.fromkeys(units, env.now), []
    while (left := ends - env.now) > 0.0:
        yield env.timeout(min(LOOK_EVERY_S, left) if idle_since else left)
        for unit in list(idle_since) if env.now < ends else ():
            if not unit.up or not world.idle(unit):
                idle_since[unit] = env.now
            elif env.now - idle_since[unit] > _quiet_s(world, unit):
                del idle_since[unit]
                stopped.append(unit)
                world.stop(unit)
    for unit in stopped:
        world.start(unit)
    for unit in units:
        world.undrain(unit)
    world.record("maintenance.ended", str(target), what=planned.what)


def _quiet_s(world: World, unit: Unit) -> float:
    """How long an instance must have held nothing: a database node as long as its replicas are behind."""
    kind, name = world.station_owner(unit.station)
    return (world.clusters[name].lag_s() or 0.0) if kind == "database" else 0.0
