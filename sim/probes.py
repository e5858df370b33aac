"""What a health probe of a region finds out: whether it is reached, whether its entry answers, and how long that would take.

A probe is one more request, so in a region that answers seven requests in ten it succeeds seven times in ten. The rule that
surprises: it sees what its vantage sees, so a cut between vantage and region fails every probe while all users are well.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sim.streams import Draws

if TYPE_CHECKING:
    from sim.world import World

HURT_WINDOW_S = 30.0
"""Window over which it is judged whether the region's users are truly hurt."""
_LEAST_ANSWERS = 10


@dataclass(frozen=True, slots=True)
class _Counts:
    """Counters of one instant: of the region's entry stations, and of the flows whose record names the region."""

    t: float
    arrived: dict[int, int]
    completed: dict[int, int]
    failed: dict[int, int]
    good: list[int]
    lost: list[int]


class RegionHealth:
    """One region as probes find it."""

    def __init__(self, world: World, region: str, draws: Draws) -> None:
        self._world = world
        self._draws = draws
        self.region = region
        names = dict.fromkeys(request_class.entry for request_class in world.scenario.load.classes.values())
        places = (world.wiring.services[name].get(region) for name in names)
        self._entries = [station for station in places if station is not None]
        self._kept: deque[_Counts] = deque()

    # -- evidence -------------------------------------------------------------------------------------------------------

    def look(self) -> None:
        """Keep the counters of this instant; called before each round of probes."""
        world = self._world
        world.sync()
        seen, now = world.engine.observe(), world.env.now
        failed = {}
        for station in self._entries:
            unimportant = sum(seen.refused_by[station][1:])  # probes ask as critical requests, which are refused last
            failed[station] = max(0, seen.failed[station] - unimportant)
        self._kept.append(
            _Counts(
                now,
                {station: seen.arrived[station] for station in self._entries},
                {station: seen.completed[station] for station in self._entries},
                failed,
                list(seen.good),
                [sum(reasons) for reasons in seen.lost],
            )
        )
        while len(self._kept) > 2 and self._kept[1].t <= now - HURT_WINDOW_S:
            self._kept.popleft()

    def users_hurt(self, origins: list[str]) -> bool:
        """Ground truth: whether some class of these origins was below its objective over the last half minute."""
        if not self._kept:
            return False
        world, old = self._world, self._kept[0]
        world.sync()
        seen = world.engine.observe()
        for (name, origin), flow in world.wiring.flows.items():
            good = seen.good[flow] - old.good[flow]
            ended = good + sum(seen.lost[flow]) - old.lost[flow]
            objective = world.scenario.load.classes[name].indicator.good
            if origin in origins and ended >= _LEAST_ANSWERS and good / ended < objective:
                return True
        return False

    # -- probes ---------------------------------------------------------------------------------------------------------

    def probe(self, vantage: str, timeout_s: float) -> bool | None:
        """Whether a probe from `vantage` (`internet` or a region) is answered in time; None when the vantage itself is gone."""
        world = self._world
        place = "internet" if vantage == "internet" else f"region/{vantage}"
        if not world.place_works(place):
            return None
        if not world.reachable(place, f"region/{self.region}"):
            return False
        return all(self._answers(station, timeout_s) for station in self._entries)

    def _answers(self, station: int, timeout_s: float) -> bool:
        """A request now: its chance to be answered well is that of the last ones, its wait by Little's law what is held over what ends."""
        world = self._world
        if not world.serving_units(station):
            return False
        new, old = self._kept[-1], self._kept[-2] if len(self._kept) > 1 else None
        if old is None:
            return self._stands(station)
        done = new.completed[station] - old.completed[station]
        ended = done + new.failed[station] - old.failed[station]
        seen = world.engine.observe()
        held = seen.busy[station] + seen.queued[station]
        if ended <= 0:
            return held == 0 and self._stands(station)
        if held * (new.t - old.t) / ended > timeout_s:
            return False
        return self._draws.uniform() < done / ended

    def stands(self) -> bool:
        """Whether every entry and everything it requires runs, judged without traffic."""
        return all(self._stands(station) for station in self._entries)

    def runs(self) -> bool:
        """Whether every entry and every service it requires has an instance that runs (databases are not looked at)."""
        return all(self._stands(station, databases=False) for station in self._entries)

    def _stands(self, station: int, *, databases: bool = True, visited: frozenset[int] = frozenset()) -> bool:
        world = self._world
        if station in visited:
            return True
        if not world.serving_units(station):
            return False
        for edge in world.wiring.plan.stations[station].calls:
            plan, info = world.wiring.plan.edges[edge], world.wiring.edges[edge]
            if not plan.required or plan.asynchronous:
                continue
            kind, _, name = info.target.partition("/")
            if kind == "database":
                if databases and not self._database_answers(name, info.operation, info.read_from):
                    return False
            elif not any(self._stands(to, databases=databases, visited=visited | {station}) for to, _ in plan.options):
                return False
        return True

    def _database_answers(self, name: str, operation: str, read_from: str) -> bool:
        cluster = self._world.clusters[name]
        zone = cluster.router.zone_for(self.region, nearest=operation == "read" and read_from == "nearest")
        if zone is None:
            return True
        node = cluster.nodes[zone]
        fit = node.writable if operation == "write" else node.serving
        return fit and self._world.reachable(f"region/{self.region}", f"zone/{zone}")
