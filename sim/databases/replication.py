"""How the log reaches the replicas, what commits wait for, and how far each copy is behind.

A replica has everything committed up to `now - lag`; the lag is drawn from the database's distribution every thirty seconds and goes
in a straight line from one draw to the next. While the link is cut, replication is stopped, or either end does not run, the copy
stands still; afterwards it applies `catch_up` seconds of log a second. A replica that commits wait for has every committed write at
once, and lags only in what its readers see. The rule that surprises: a lost replica is waited for before it is given up, and it is the agent that gives it up: one
that hangs lets commits wait for ever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.databases.nodes import Node, shared_through
from sim.draws import sample
from sim.processes import Process
from sim.streams import Draws

if TYPE_CHECKING:
    from sim.databases.cluster import Cluster

REDRAW_EVERY_S = 30.0
"""Time between two draws of a replica's lag. Assumption: lag follows load, which changes over tens of seconds."""
GIVE_UP_AFTER_S = 10.0
"""Time commits wait for a lost replica before they go on without it: the default of MySQL's `rpl_semi_sync_source_timeout`."""
_EPSILON_S = 1e-6
_EPSILON_RATIO = 1e-3


class Replication:
    """The streams from leaders to replicas of one cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._world = cluster.world
        self._settings = cluster.database
        self._drawn_at = 0.0
        self._draws: dict[str, Draws] = {
            node.zone: self._world.streams.draws(f"database/{cluster.name}/lag/{node.zone}") for node in cluster.nodes.values()
        }
        for node in cluster.nodes.values():
            node.lags = (self._draw(node), self._draw(node))
            node.through_s = -node.lags[0]

    def _draw(self, node: Node) -> float:
        return sample(self._settings.lag, self._draws[node.zone])

    def redraw(self) -> Process:
        """Draw new lags; a constant one needs no process."""
        while self._settings.lag.family != "constant":
            yield self._world.env.timeout(REDRAW_EVERY_S)
            self.advance()
            self._drawn_at = self._world.env.now
            for node in self._cluster.nodes.values():
                node.lags = (node.lags[1], self._draw(node))

    # -- how far --------------------------------------------------------------------------------------------------------

    def lag_s(self, node: Node) -> float:
        """Delay of a replica in normal operation at this instant, seconds."""
        share = min(1.0, (self._world.env.now - self._drawn_at) / REDRAW_EVERY_S)
        return node.lags[0] + (node.lags[1] - node.lags[0]) * share

    def through_s(self, node: Node) -> float:
        """Up to which commit time a node has received its history, now; asking changes nothing."""
        now = self._world.env.now
        if node.leads:
            return now
        if not node.linked:
            return node.through_s
        if node.synced:
            return now
        faster = node.through_s + self._settings.catch_up * (now - node.as_of_s)
        return max(node.through_s, min(now - self.lag_s(node), faster))

    def behind_s(self, node: Node) -> float:
        """How much older than the newest write of the current history the node's readable copy is, seconds.

        The newest write can be no newer than the instant at which the leader stopped taking writes.
        """
        leader, now = self._cluster.leader, self._world.env.now
        newest = now if leader.quiet_s is None else leader.quiet_s
        readable = shared_through(node.term, self.through_s(node), self._cluster.current)
        if node.synced:
            readable = min(readable, now - self.lag_s(node))
        return max(0.0, newest - readable)

    def follows(self, node: Node, limit_s: float | None) -> bool:
        """Whether a linked copy is behind by exactly its lag, stays so until the lag is drawn anew, and stays within a limit."""
        slope = (node.lags[1] - node.lags[0]) / REDRAW_EVERY_S
        goes_on = 1.0 - self._settings.catch_up + _EPSILON_RATIO < slope < 1.0 - _EPSILON_RATIO
        if node.synced or not goes_on or self.through_s(node) != self._world.env.now - self.lag_s(node):
            return False
        return limit_s is None or (not node.stale and max(node.lags) < limit_s - _EPSILON_S)

    def advance(self) -> None:
        """Keep how far every copy is; called before anything changes."""
        self._cluster.calm = self._cluster.settled = False
        now = self._world.env.now
        for node in self._cluster.nodes.values():
            node.through_s = self.through_s(node)
            node.as_of_s = now

    # -- who receives, who is waited for --------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Find out anew which replicas are linked, and what each leader's commits wait for."""
        for node in self._cluster.nodes.values():
            node.linked = self._is_linked(node)
        for node in self._cluster.nodes.values():
            if node.leads and node.serving:
                self._wait_for_replicas(node)
            elif not node.leads:
                node.blocked, node.short_since, node.commit_delay_s = False, None, 0.0
                self._degrade(node, degraded=False)

    def _is_linked(self, node: Node) -> bool:
        leader = self._cluster.nodes[node.term.leader]
        idle = node.leads or node.out or node.electing is not None or node.stops > 0 or node.disks > 0
        if idle or leader is node or leader.term is not node.term or not (leader.serving and node.serving):
            return False
        return self._world.reachable(f"zone/{leader.zone}", f"zone/{node.zone}")

    def _is_current(self, node: Node) -> bool:
        """Whether a linked replica has caught up, so that commits may wait for it."""
        return node.linked and (node.synced or self.through_s(node) >= self._world.env.now - self.lag_s(node) - _EPSILON_S)

    def _needed(self) -> int:
        replicas = len(self._cluster.nodes) - 1
        if self._settings.replication == "quorum":
            return (replicas + 1) // 2  # with the leader a majority of all nodes
        return min(1, replicas) if self._settings.replication == "synchronous" else 0

    def _wait_for_replicas(self, leader: Node) -> None:
        """Who confirms this leader's commits, how long that takes, and whether they have to wait for a lost one."""
        if self._settings.replication == "asynchronous":
            return
        now, needed = self._world.env.now, self._needed()
        followers = [node for node in self._cluster.nodes.values() if node is not leader and node.term is leader.term]
        able = sorted(filter(self._is_current, followers), key=lambda node: (self.round_trip_s(leader, node), node.zone))
        everybody = self._settings.replication == "synchronous"
        missed = [node for node in followers if node.synced and not node.linked] if everybody else []
        if len(able) >= needed and not missed:
            leader.short_since = None
            self._confirm(leader, followers, able if everybody else able[:needed])
            return
        if leader.short_since is None:
            # A new primary that nobody follows yet has lost no replica it could wait for (Patroni leaves a standby no names to wait for).
            leader.short_since = now if followers else now - GIVE_UP_AFTER_S
            self._cluster.wake_in(GIVE_UP_AFTER_S)
        given_up = leader.steered and now - leader.short_since >= GIVE_UP_AFTER_S - _EPSILON_S
        if given_up and len(able) >= needed:
            leader.short_since = None
            self._confirm(leader, followers, able)
        elif given_up and self._settings.when_replicas_are_lost == "degrade":
            self._confirm(leader, followers, [])
            self._degrade(leader, degraded=True)
        else:
            leader.blocked = True

    def _confirm(self, leader: Node, followers: list[Node], chosen: list[Node]) -> None:
        """From now on the leader's commits wait for the slowest of the chosen replicas."""
        for node in followers:
            node.synced = node in chosen
            if node.synced:
                node.through_s, node.as_of_s = self._world.env.now, self._world.env.now
        leader.blocked = False
        leader.commit_delay_s = max((self.round_trip_s(leader, node) for node in chosen), default=0.0)
        if chosen:
            self._degrade(leader, degraded=False)

    def _degrade(self, leader: Node, *, degraded: bool) -> None:
        if leader.degraded != degraded:
            leader.degraded = degraded
            name = self._cluster.subject
            data = {"feature": f"{self._settings.replication} replication of {name} at {leader.zone}", "by": name}
            self._world.record("degradation.started" if degraded else "degradation.ended", name, **data)

    def round_trip_s(self, one: Node, other: Node) -> float:
        """Round trip between two nodes now, with what faults add to either direction."""
        zones = self._world.wiring.zones
        there, back = (zones[one.zone], zones[other.zone]), (zones[other.zone], zones[one.zone])
        links = self._world.links
        extra = sum(sum(links[way].extra_s) for way in (there, back) if way in links)
        return self._world.wiring.plan.rtt_s[there[0]][there[1]] + extra
