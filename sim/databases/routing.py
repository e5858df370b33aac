"""Which node the callers of a database talk to, per region of the callers.

A router (the proxy beside the callers) asks the nodes it can reach whether they are primary and believes the one with the newest
term; a change takes `route`, or lasts until its next check where the policy says when it checks. The rule that surprises: it knows only its own side of a partition, so callers cut off together with an
old primary go on writing there, and a primary that does not answer stays the target until another one does, or until the proxy drops
it where the policy says after how many failed checks. It is the agent of a node that is asked, not the database.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from gameday.scenario.policies import RouteCheck
from sim.databases.checks import ProxyChecks
from sim.databases.nodes import Node
from sim.draws import sample
from sim.processes import Process

if TYPE_CHECKING:
    from sim.databases.cluster import Cluster


@dataclass(slots=True)
class _Group:
    """Edges that are routed together: same callers' region, same rule."""

    region: str
    nearest: bool
    zone: str
    edges: list[int] = field(default_factory=list)
    switching: bool = False
    checks: ProxyChecks | None = None
    """When its proxy looks; None = a change takes the time of the policy."""
    doubted: bool = False
    """Whether checks of its target have begun to fail."""
    dropped: bool = False
    """Whether its callers are refused, because the proxy knows no primary."""


class Router:
    """The routes to one cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._world = cluster.world
        self._groups: dict[tuple[str, bool], _Group] = {}
        self._waiting: list[tuple[str, Callable[[], None]]] = []
        wiring = self._world.wiring
        for edge in wiring.edges_to(cluster.subject):
            info = wiring.edges[edge]
            nearest = info.operation == "read" and info.read_from == "nearest"
            start = self._home(info.region) if nearest else None
            zone = start.zone if start is not None else cluster.current.leader
            group = self._groups.setdefault((info.region, nearest), _Group(info.region, nearest, zone))
            group.edges.append(edge)
        check = cluster.policy.check
        if check is not None:
            for group in self._groups.values():
                phase_s = cluster.draws.uniform() * check.interval
                group.checks = ProxyChecks(check, partial(self._calls, group), phase_s)
            if check.proxy is not None:
                self._world.listeners.append(self._on_world)

    def _calls(self, group: _Group) -> int:
        self._world.sync()
        attempts = self._world.engine.observe().attempts
        return sum(attempts[edge] for edge in group.edges)

    def _on_world(self, what: str, subject: str) -> None:
        """The first instance of a region's proxy has started."""
        check = self._cluster.policy.check
        if what != "node.up" or check is None or not subject.startswith(f"service/{check.proxy}@"):
            return
        region = self._world.topology.region_of(subject.partition("@")[2])
        station = self._world.wiring.services[str(check.proxy)].get(region)
        if station is None or self._world.serving_units(station) != 1:
            return
        for group in self._groups.values():
            if group.checks is not None and group.region == region:
                group.checks.started(self._world.env.now)
                self._follow(group)
        self._tell()

    def zone_for(self, region: str, *, nearest: bool = False) -> str | None:
        """Zone of the node that callers in a region are sent to; None when nobody calls from there."""
        group = self._groups.get((region, nearest))
        return None if group is None else group.zone

    def way(self, region: str) -> Node | None:
        """The node that connections through a region's proxy end at; None when it has none to offer."""
        group = self._groups.get((region, False))
        return None if group is None or group.dropped else self._cluster.nodes[group.zone]

    def serves_users(self, node: Node) -> bool:
        """Ground truth: whether a node answers callers that users can reach (anybody, when nobody calls)."""
        regions = {group.region for group in self._groups.values()}
        used = [region for region in regions if self._world.reachable("internet", f"region/{region}")]
        drops = self._cluster.policy.check is not None and self._cluster.policy.check.unhealthy is not None
        asked = self._sees if drops else self._answers
        return any(asked(region, node) for region in used) if regions else node.serving

    def update(self) -> None:
        """Start a switch for every group whose router sees another target than its own."""
        for group in self._groups.values():
            if not group.switching and self._is_to_move(group):
                group.switching = True
                self._world.env.process(self._switch(group))
            self._doubt(group)
        self._tell()

    def tell_when_at(self, zone: str, done: Callable[[], None]) -> None:
        """Call `done` once the writes of some region that writes go to `zone`, or at once when nobody is routed to the primary at all."""
        self._waiting.append((zone, done))
        self._tell()

    def _tell(self) -> None:
        if not self._waiting:
            return
        primary = [group for group in self._groups.values() if not group.nearest]
        primary = [group for group in primary if self._calls(group)] or primary  # a region without users proves nothing
        there = {group.zone for group in primary}
        due = [done for zone, done in self._waiting if zone in there or not primary]
        self._waiting = [entry for entry in self._waiting if entry[0] not in there and primary]
        for done in due:
            done()

    def _switch(self, group: _Group) -> Process:
        env = self._world.env
        if group.checks is None:
            yield env.timeout(sample(self._cluster.policy.route, self._cluster.draws))
        else:
            while (left_s := group.checks.next_after(env.now) - env.now) > 0.0:
                due_s = group.checks.due_s
                yield env.timeout(left_s)
                if group.checks.due_s == due_s:  # else the proxy was started anew meanwhile
                    break
        group.switching = False
        self._follow(group)
        self._tell()

    def _follow(self, group: _Group) -> None:
        """Send the group's callers where its router would send them now."""
        if self._is_to_move(group):
            group.zone, group.dropped = self._target(group), False
            zone = group.zone
            station = self._cluster.nodes[zone].station
            for edge in group.edges:
                self._world.set_edge(edge, options=((station, 1.0),))

    def _is_to_move(self, group: _Group) -> bool:
        zone = self._target(group)
        return zone != group.zone or (group.dropped and self._is_well(group))

    # -- a proxy that drops what does not answer -------------------------------------------------------------------------

    def _is_well(self, group: _Group) -> bool:
        """Whether a check of the group's target would find a primary."""
        node = self._cluster.nodes[group.zone]
        return node.accepts and self._sees(group.region, node)

    def _doubt(self, group: _Group) -> None:
        """Begin to count failed checks of the group's target. Reads of the nearest copy go past the proxy."""
        check = self._cluster.policy.check
        if check is None or check.unhealthy is None or group.nearest or group.doubted or group.dropped or self._is_well(group):
            return
        group.doubted = True
        self._world.env.process(self._count(group, check, check.unhealthy))

    def _count(self, group: _Group, check: RouteCheck, unhealthy: int) -> Process:
        """A silent agent costs the timeout of each check, a dead node refuses at once; a node that says it is no primary is believed."""
        assert group.checks is not None, "who checks has times for it"
        env = self._world.env
        wait_s = group.checks.next_after(env.now) - env.now
        for _ in range(unhealthy):
            yield env.timeout(wait_s)
            node = self._cluster.nodes[group.zone]
            if self._sees(group.region, node):
                break
            if node.up:
                yield env.timeout(check.timeout or check.interval)
            if self._sees(group.region, node):
                break
            wait_s = check.interval
        group.doubted = False
        if not self._is_well(group):
            group.dropped = True
            for edge in group.edges:
                self._world.set_edge(edge, options=())
        self.update()

    def _target(self, group: _Group) -> str:
        """The node this group's router would send callers to now."""
        if group.nearest:
            home = self._home(group.region)
            if home is not None and self._answers(group.region, home):
                return home.zone
        leaders = [node for node in self._cluster.nodes.values() if node.accepts and self._sees(group.region, node)]
        newest = max(leaders, key=lambda node: node.term.number, default=None)
        if newest is None and group.nearest:
            newest = next((node for node in self._cluster.nodes.values() if self._answers(group.region, node)), None)
        return group.zone if newest is None else newest.zone

    def _home(self, region: str) -> Node | None:
        """The copy in the callers' own region: the first in the order of the scenario."""
        topology = self._world.topology
        return next((node for node in self._cluster.nodes.values() if topology.region_of(node.zone) == region), None)

    def _sees(self, region: str, node: Node) -> bool:
        """Whether a node's agent answers callers of a region who ask for its role."""
        return node.steered and self._answers(region, node)

    def _answers(self, region: str, node: Node) -> bool:
        return node.serving and not node.out and self._world.reachable(f"region/{region}", f"zone/{node.zone}")
