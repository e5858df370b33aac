"""How a replica becomes the primary, and how an old one finds its way back.

    begin (stops following) ──▶ install (takes writes) ──▶ callers are routed
          └─────▶ abandon            └──▶ the old primary hears of it: steps down, rewinds or stays out

The rule that surprises: a promotion does not stop the old primary. Only a fence, its own lease, or word from the others does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.databases.nodes import Node, Term, shared_through
from sim.draws import sample
from sim.processes import Process, Steps

if TYPE_CHECKING:
    from sim.databases.cluster import Cluster

LONGEST_SWITCHOVER_S = 600.0
"""Time a planned switchover waits for the replica to catch up before it is called off."""


class Succession:
    """The changes of leadership of one cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._world = cluster.world
        self._last_number = cluster.current.number

    # -- steps ----------------------------------------------------------------------------------------------------------

    def begin(self, node: Node) -> Term:
        """A replica leaves its leader's stream to become primary; what it has now is where its term begins."""
        assert node.steered, f"nobody at {node.zone} could promote it"
        assert not node.leads, f"{node.zone} is primary"
        assert node.electing is None, f"{node.zone} is being promoted"
        self._cluster.replication.advance()
        self._last_number += 1
        term = Term(self._last_number, node.zone, node.term, node.through_s)
        node.electing = term
        node.synced = False
        self._cluster.leases.grant(term)
        self._cluster.changed()
        return term

    def install(self, term: Term) -> int:
        """The promoted node takes writes; returns how many acknowledged writes its history does not have."""
        cluster, now = self._cluster, self._world.env.now
        node = cluster.nodes[term.leader]
        assert node.electing is term, f"{node.zone} is not being promoted to term {term.number}"
        assert term.parent is not None, "only the first term has no parent, and it is never installed"
        cluster.replication.advance()
        node.electing, node.term, node.leads, node.fence = None, term, True, ""
        node.renewed_s = now
        term.started_s, term.first = now, cluster.writes.end_of(node.station)
        cluster.terms.append(term)
        if term.number > cluster.current.number:
            cluster.current = term
        left = cluster.writes.after(term.parent, term.fork_s)
        cluster.writes.keep_from(left)
        cluster.changed()
        return cluster.writes.acknowledged_in(left)

    def abandon(self, term: Term) -> None:
        """A promotion came to nothing; the replica follows again."""
        node = self._cluster.nodes[term.leader]
        if node.electing is term:
            self._cluster.replication.advance()
            node.electing = None
            self._cluster.changed()

    def step_down(self, node: Node) -> None:
        """A primary has heard that another was chosen: it takes no more writes."""
        if node.leads:
            self._cluster.replication.advance()
            node.leads, node.fence = False, ""

    # -- the way back ---------------------------------------------------------------------------------------------------

    def follow(self) -> None:
        """Every replica follows the newest leader it can reach."""
        nodes = self._cluster.nodes.values()
        leaders = [node for node in nodes if node.leads and node.serving]
        for node in nodes:
            if not node.steered or node.leads or node.out or node.electing is not None:
                continue
            newer = [lead for lead in leaders if lead.term.number > node.term.number]
            seen = [lead for lead in newer if self._world.reachable(f"zone/{node.zone}", f"zone/{lead.zone}")]
            newest = max(seen, key=lambda lead: lead.term.number, default=None)
            if newest is not None:
                self.rejoin(node, newest.term, self._cluster.policy.rejoin == "rewind")

    def rejoin(self, node: Node, term: Term, rewind: bool) -> None:
        """Take up another history; an old primary with writes of its own rewinds, or stays out."""
        cluster = self._cluster
        cluster.replication.advance()
        shared_s = shared_through(node.term, node.through_s, term)
        if node.term.leader == node.zone:
            own = cluster.writes.after(node.term, shared_s)
            if own.first < own.end:
                cluster.writes.met.add(node.term.number)
                if not rewind:
                    node.out, node.fence = True, ""
                    return
        node.term, node.through_s, node.fence, node.out = term, shared_s, "", False

    # -- promotion by people and planned switchover ---------------------------------------------------------------------

    def best(self, region: str | None = None) -> Node | None:
        """The replica with the most of the current history, of those that could be promoted now (in `region`)."""
        topology, nodes = self._world.topology, self._cluster.nodes.values()
        able = [node for node in nodes if self.may_be_promoted(node) and region in (None, topology.region_of(node.zone))]
        return max(able, key=self._cluster.replication.through_s, default=None)

    def may_be_promoted(self, node: Node) -> bool:
        """Whether a node is a replica that runs and follows the current history."""
        idle = not (node.leads or node.out or node.electing or node.fence or node.disks)
        return node.steered and idle and node.term is self._cluster.current and node is not self._cluster.leader

    def promote(self, node: Node, by: str) -> None:
        """Start a promotion somebody asked for: fence the old primary as far as it can be reached, then promote."""
        cluster, world = self._cluster, self._world
        old = cluster.leader
        world.record(
            "failover.triggered", cluster.subject, failover=cluster.subject, why="asked for", by=by, correct=not old.serving
        )
        lag_s = cluster.replication.behind_s(node)
        if cluster.policy.fence:
            reached = not old.up or world.reachable(f"zone/{node.zone}", f"zone/{old.zone}")
            if reached:
                cluster.fence(old.zone)
            cluster.step("fence", "succeeded" if reached else "the old primary cannot be reached", 0.0)
        world.env.process(self._promoted(self.begin(node), old.zone, lag_s))

    def _promoted(self, term: Term, old: str, lag_s: float) -> Process:
        cluster, env, began = self._cluster, self._world.env, self._world.env.now
        yield env.timeout(sample(cluster.policy.promote, cluster.draws))
        if self.may_install(term):
            self.report(term, old, lag_s, env.now - began)
        else:
            self.abandon(term)
            cluster.unfence(old)
            cluster.failed("promote", f"{term.leader} was lost while it was promoted")

    def may_install(self, term: Term) -> bool:
        """Whether the node being promoted still runs and nobody has been chosen since."""
        node = self._cluster.nodes[term.leader]
        return node.steered and node.electing is term

    def report(self, term: Term, old: str, lag_s: float, took_s: float, failover: str | None = None) -> None:
        """Install the term and put it on record; the promotion is complete when callers are routed."""
        cluster = self._cluster
        lost = self.install(term)
        name = failover or cluster.subject
        if failover is None:
            cluster.step("promote", "succeeded", took_s)
        data = {"failover": name, "from": old, "to": term.leader, "lag_s": lag_s, "lost_writes": lost}
        self._world.record("failover.promoted", cluster.subject, **data)
        if failover is None:
            cluster.router.tell_when_at(term.leader, lambda: cluster.completed(term.leader))

    def switch_over(self, node: Node, promote_s: float, failover: str) -> Steps[str | None]:
        """Move the primary without loss: stop writes, wait until the replica has all of them, promote. A sentence when it failed."""
        cluster, env = self._cluster, self._world.env
        old, began = cluster.leader, env.now
        if node is old:
            return None
        if not node.linked:
            return f"{node.zone} does not receive the log of {old.zone}"
        if cluster.moving:
            return f"{cluster.subject} is being promoted already"
        cluster.fence(old.zone)
        while not node.synced and cluster.replication.through_s(node) < began:
            if not node.linked or env.now - began > LONGEST_SWITCHOVER_S:
                cluster.unfence(old.zone)
                return f"{node.zone} did not catch up with {old.zone}"
            yield env.timeout(0.1)
            cluster.leases.hold()
        term = self.begin(node)
        yield env.timeout(promote_s)
        if not self.may_install(term):
            self.abandon(term)
            cluster.unfence(old.zone)
            return f"{node.zone} was lost while it was promoted"
        self.report(term, old.zone, 0.0, env.now - began, failover)
        return None
