"""Balancers' health checks: an instance that fails them leaves the rotation, one that passes comes back.

Until then it is still chosen: the seconds in which callers run into a dead instance are real.
"""

from __future__ import annotations

from sim.processes import Process
from sim.world import Unit, World


def start_health_checks(world: World) -> None:
    """Start the checks of every service's stations, each with its own phase."""
    for name, service in world.scenario.system.services.items():
        for station in world.wiring.services[name].values():
            check = service.health_check
            phase = world.streams.draws(f"health/{world.wiring.plan.stations[station].name}").uniform() * check.interval
            world.env.look(_check(world, station, phase, check.interval, check.unhealthy, check.healthy))


def _check(world: World, station: int, phase_s: float, interval_s: float, unhealthy: int, healthy: int) -> Process:
    """Where every check only confirms what is known, none is made before something has happened to an instance."""
    env = world.env
    streaks: dict[int, int] = {}
    at = env.now + phase_s
    while True:
        yield env.at(at)
        waits = False
        for unit in world.units[station]:
            waits |= _judge(world, unit, streaks, unhealthy, healthy)
        at += interval_s
        if not waits:
            yield world.touched(station)
            while at < env.now:
                at += interval_s


def _judge(world: World, unit: Unit, streaks: dict[int, int], unhealthy: int, healthy: int) -> bool:
    """Count results that contradict the present state; enough of them in a row change it. Whether there are such results."""
    passes = unit.serving
    if passes == unit.in_rotation or unit.drains:
        streaks[unit.position] = 0
        return False
    streaks[unit.position] = streaks.get(unit.position, 0) + 1
    if streaks[unit.position] >= (healthy if passes else unhealthy):
        streaks[unit.position] = 0
        world.set_rotation(unit, passes)
    return True
