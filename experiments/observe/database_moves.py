"""Databases that move with a region on a live day, there and back: handed over by Patroni, as planned work is.

The rule that surprises: nobody is fenced by us. Patroni takes the role away before it gives it on; and where the primary is dead it promotes
by itself once the lease has run out, which is waited for.
"""

from __future__ import annotations

import time
from typing import Final

from experiments.adapters.patroni import NodeState, primaries, state_of, switchover
from gameday.errors import GamedayError
from gameday.scenario.model import Scenario
from gameday.target import Node, Target

MOVED_WITHIN_S: Final = 60.0
"""Time a database has to have its primary in the other region; as long as the simulated controller waits."""
LOOK_EVERY_S: Final = 0.25
SEEN_WITHIN_S: Final = 5.0
"""Time after a move in which whoever watches roles may still notice it."""


class DatabaseMoves:
    """The databases of a scenario's failover policy that the target has."""

    def __init__(self, scenario: Scenario, target: Target) -> None:
        wanted = scenario.policies.failover.databases
        names = list(scenario.system.databases) if wanted is None else wanted
        self._databases = {name: target.databases[name] for name in names if name in target.databases}
        self._home = {name: scenario.system.databases[name].primary for name in self._databases}
        self._planned: dict[str, tuple[str, float]] = {}
        self._asked: dict[str, tuple[str, float]] = {}

    def move_of(self, name: str) -> str | None:
        """Name of the region's failover that a database is being moved by; None when it moves by itself, or not at all."""
        move, until = self._planned.get(name, ("", 0.0))
        return move if time.monotonic() < until else None

    def note(self, name: str, person: str) -> None:
        """A person is about to hand a database over by themselves."""
        self._asked[name] = (person, time.monotonic() + MOVED_WITHIN_S)

    def asked_by(self, name: str) -> str | None:
        """Who has just asked for a database's primary role to be handed over; None when nobody has."""
        person, until = self._asked.get(name, ("", 0.0))
        return person if time.monotonic() < until else None

    def at(self, region: str) -> list[str]:
        """Databases whose primary is in a region, or that have none and whose place is there."""
        found = []
        for name in self._databases:
            now = primaries(self._databases[name])
            if any(node.region == region for node in now) or (not now and self._belongs(name, region)):
                found.append(name)
        return found

    def away_from(self, region: str) -> list[str]:
        """Databases whose place is in a region and whose primary is elsewhere."""
        at_home = self.at(region)
        return [name for name in self._databases if self._belongs(name, region) and name not in at_home]

    def lag_s(self, name: str, region: str) -> float | None:
        """How far the copy in a region is behind; None when there is none that runs."""
        lags = [state.lag_s or 0.0 for _, state in self._replicas(name, region)]
        return min(lags, default=None)

    def move(self, name: str, region: str, move: str) -> str | None:
        """Bring the primary into a region; why it could not be, or None."""
        ends, asked = time.monotonic() + MOVED_WITHIN_S, False
        self._planned[name] = (move, ends + SEEN_WITHIN_S)
        try:
            while time.monotonic() < ends:
                found = primaries(self._databases[name])
                if len(found) == 1 and found[0].region == region:
                    return None
                if len(found) == 1 and not asked:
                    asked = True
                    problem = self._ask(name, found[0], region)
                    if problem is not None:
                        return f"database/{name}: {problem}"
                time.sleep(LOOK_EVERY_S)
        finally:
            self._planned[name] = (move, time.monotonic() + SEEN_WITHIN_S)
        return f"database/{name} has no primary in {region} after {MOVED_WITHIN_S:g} s"

    def _ask(self, name: str, leader: Node, region: str) -> str | None:
        replicas = self._replicas(name, region)
        if not replicas:
            return f"no replica in {region} could be promoted"
        try:
            switchover(self._databases[name], leader.name, replicas[0][0].name)
        except GamedayError as error:
            return str(error)
        return None

    def _replicas(self, name: str, region: str) -> list[tuple[Node, NodeState]]:
        nodes = [node for node in self._databases[name].nodes if node.region == region]
        return [(node, state) for node in nodes if (state := state_of(node)).role == "replica"]

    def _belongs(self, name: str, region: str) -> bool:
        return any(node.region == region and node.zone == self._home[name] for node in self._databases[name].nodes)
