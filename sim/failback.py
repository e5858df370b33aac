"""The way back after a failover: wait until the home is stable and its copies are fresh, ask, go back without loss.

The rule that surprises: an approval counts for the request it was asked for. When the home fails again before anybody approves, the
request is withdrawn, and the next one needs its own approval.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import simpy

from sim.databases.cluster import Cluster
from sim.draws import sample
from sim.processes import Process, Steps

if TYPE_CHECKING:
    from sim.failover import Move, RegionFailover

CONTROLLER = "failback controller"
_MOVING = "failing back"


class Failback:
    """Brings regions home."""

    def __init__(self, failover: RegionFailover) -> None:
        self._failover = failover
        self._world = failover.world
        self._policy = failover.policy.failback
        self._waiting: dict[str, simpy.Event] = {}
        self.doing: dict[str, str] = {}
        """Home region to what its failback is doing; regions without one are absent."""

    def begin(self, move: Move) -> None:
        """A failover is complete: watch for the way back, if there is to be one."""
        if self._policy.enabled:
            self._world.env.process(self._return(move))

    def approve(self, by: str, role: str) -> bool:
        """Approve the requests that wait; False when none does or the role may not."""
        if role != self._policy.approval or not self._waiting:
            return False
        for home, waiting in self._waiting.items():
            move = self._failover.moved[home]
            self._world.record("failback.approved", move.subject, failover=move.name, by=by, role=role, **self._figures(move))
            waiting.succeed((by, role))
        self._waiting.clear()
        return True

    def is_moving(self, home: str) -> bool:
        """Whether traffic and databases are on their way home now."""
        return self.doing.get(home) == _MOVING

    # -- when -----------------------------------------------------------------------------------------------------------

    def databases(self, move: Move) -> list[tuple[Cluster, str]]:
        """Databases that belong home and are away, with the zone they go back to."""
        topology, names = self._world.topology, self._failover.policy.databases
        before = dict(move.promoted)
        found = []
        for name, cluster in self._world.clusters.items():
            zone = before.get(cluster, cluster.database.primary)
            listed = names is None or name in names
            away = cluster.primary is not None and topology.region_of(cluster.primary) != move.home
            if listed and away and topology.region_of(zone) == move.home:
                found.append((cluster, zone))
        return found

    def stable_s(self, home: str) -> float:
        """How long every probe of the home has been answered."""
        since = self._failover.healthy_since[home]
        return 0.0 if since is None else self._world.env.now - since

    def lag_s(self, move: Move) -> float:
        """Largest lag of the copies at home."""
        return max((cluster.lag_of(zone) or 0.0 for cluster, zone in self.databases(move)), default=0.0)

    def is_ready(self, move: Move) -> bool:
        """Whether the home has been healthy for long enough and its copies are fresh."""
        follow = all(cluster.nodes[zone].linked for cluster, zone in self.databases(move))
        fresh = follow and (self.lag_s(move) < self._policy.lag_below or not self.databases(move))
        return fresh and self.stable_s(move.home) >= self._policy.stable_for

    def _figures(self, move: Move) -> dict[str, float]:
        return {"lag_s": self.lag_s(move), "stable_s": self.stable_s(move.home)}

    # -- how ------------------------------------------------------------------------------------------------------------

    def _return(self, move: Move) -> Process:
        env, interval_s = self._world.env, self._failover.policy.probe_interval
        while self._failover.moved.get(move.home) is move:
            yield env.timeout(interval_s)
            if not self.is_ready(move):
                continue
            self._world.record("failback.requested", move.subject, failover=move.name, by=CONTROLLER, **self._figures(move))
            approver = yield from self._wait_for_approval(move)
            if approver is not None and self.is_ready(move):
                yield from self._go_back(move, approver)
            self.doing.pop(move.home, None)

    def _wait_for_approval(self, move: Move) -> Steps[tuple[str, str | None] | None]:
        """Who approved, and in which role; None when the home failed again first."""
        if self._policy.approval is None:
            return CONTROLLER, None
        env, home = self._world.env, move.home
        self.doing[home] = "waiting for approval of failback"
        waiting: simpy.Event = env.event()
        self._waiting[home] = waiting
        self._world.tell("failback.approval", home)
        while not waiting.triggered:
            yield waiting | env.timeout(self._failover.policy.probe_interval)
            if not waiting.triggered and self._failover.healthy_since[home] is None:
                del self._waiting[home]
                return None
        by, role = waiting.value  # type: ignore[misc]
        return by, role

    def _go_back(self, move: Move, approver: tuple[str, str | None]) -> Steps[None]:
        """Databases first, then traffic, as it went away."""
        by, role = approver
        self.doing[move.home] = _MOVING
        figures = self._figures(move)
        for cluster, zone in self.databases(move):
            took_s = sample(self._failover.policy.promote, self._failover.draws[move.home])
            problem = yield from cluster.succession.switch_over(cluster.nodes[zone], took_s, move.name)
            if problem is not None:
                self._world.record("failover.failed", move.subject, failover=move.name, step="failback", why=problem)
                return
        failover = self._failover
        failover.resolvers.move(move.origins, move.home, at_once=failover.policy.move == "anycast")
        failover.refill(move.home, move)
        del failover.moved[move.home]
        self._world.record(
            "failback.completed", move.subject, failover=move.name, by=by, **({"role": role} if role else {}), **figures
        )
