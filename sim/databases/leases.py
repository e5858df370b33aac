"""Automatic failover: the leader's lease, its watchdog, and the election when the lease runs out.

The leader renews its lease every heartbeat with a majority of the voters. When it has not been renewed for `lease`, the side with a
majority elects the most advanced replica it has (`quorum: single`: any replica that no longer hears a leader elects itself). The
rule that surprises: a leader stops by the lease in its *own* clock, and only if it has a watchdog and runs; frozen or put back in
time it goes on, and so does a database whose agent hangs. The voters are the nodes themselves, so two nodes alone have no majority without the third voter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.databases.nodes import Node, Term
from sim.draws import sample
from sim.processes import Process, Steps

if TYPE_CHECKING:
    from sim.databases.cluster import Cluster

_EPSILON_S = 1e-6


class Leases:
    """The lease of one cluster's leader, and who acts on it."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._world = cluster.world
        self._policy = cluster.policy
        self._nodes = cluster.nodes
        self._term: Term = cluster.current
        self._renewed_s = 0.0
        self._reported: set[tuple[int, float, str]] = set()

    @property
    def automatic(self) -> bool:
        """Whether machines promote."""
        return self._policy.mode == "automatic"

    @property
    def _by_majority(self) -> bool:
        return self._policy.quorum == "majority"

    def start(self) -> None:
        """Begin at a random point of the heartbeat."""
        phase_s = self._cluster.draws.uniform() * self._policy.heartbeat
        self._renewed_s = phase_s - self._policy.heartbeat
        for node in self._nodes.values():
            node.heard_s = node.renewed_s = self._renewed_s
        self._world.env.look(self._beat(phase_s))
        if self.automatic:
            if self._policy.fence:
                self._world.env.look(self._guard())
            for node in self._nodes.values():
                self._world.env.look(self._watch(node))

    def grant(self, term: Term) -> None:
        """The lease is given to a new leader, who may be at the beginning of its promotion."""
        if self.automatic:
            self._term, self._renewed_s = term, self._world.env.now

    def hold(self) -> None:
        """Keep the lease for a leader that was fenced on purpose, while a planned switchover goes on."""
        self._renewed_s = self._world.env.now
        for node in self._nodes.values():
            node.heard_s = self._renewed_s

    # -- voters ---------------------------------------------------------------------------------------------------------

    def _voters(self) -> list[str]:
        return self._policy.voters or list(self._nodes)

    def _votes(self, zone: str) -> int:
        return sum(self._is_there(voter) and self._reach(zone, voter) for voter in self._voters())

    def _is_there(self, voter: str) -> bool:
        """A voter named in the policy is a process of its own; else the nodes vote."""
        return self._world.zone_alive(voter) if self._policy.voters else self._nodes[voter].steered

    def _reach(self, one: str, other: str) -> bool:
        return self._world.reachable(f"zone/{one}", f"zone/{other}")

    def has_majority(self, zone: str) -> bool:
        """Whether a node in this zone can talk to most voters."""
        return 2 * self._votes(zone) > len(self._voters())

    def _alone(self, node: Node) -> bool:
        others = [voter for voter in self._voters() if voter != node.zone]
        return bool(others) and not any(self._is_there(voter) and self._reach(node.zone, voter) for voter in others)

    # -- the leader -----------------------------------------------------------------------------------------------------

    def _beat(self, phase_s: float) -> Process:
        yield self._world.env.timeout(phase_s)
        while True:
            for node in self._nodes.values():
                self.renew(node)
            if not self._cluster.settled:
                self._cluster.changed()
            yield self._world.env.timeout(self._policy.heartbeat)

    def renew(self, node: Node) -> None:
        """A heartbeat of a node that leads the history it has: it hears that it was replaced, or goes on."""
        if not node.steered or node.out or node.fence == "controller":
            return
        if node.electing is not None and node.electing is self._term and self._by_majority and self.has_majority(node.zone):
            self._renewed_s = self._world.env.now
        if node.term.leader != node.zone or node.electing is not None:
            return
        if self._hears_of_another(node):
            self._cluster.succession.step_down(node)
        elif not self.automatic or (self.has_majority(node.zone) if self._by_majority else not self._alone(node)):
            self._go_on(node)

    def _hears_of_another(self, node: Node) -> bool:
        if self.automatic and self._by_majority:
            return self.has_majority(node.zone) and self._term.number > node.term.number
        others = [other for other in self._nodes.values() if other is not node and other.serving]
        return any(
            self._reach(node.zone, other.zone)
            and ((other.electing is not None and self.automatic) or (other.leads and other.term.number > node.term.number))
            for other in others
        )

    def _go_on(self, node: Node) -> None:
        if not (self._cluster.settled and node.accepts):
            self._cluster.replication.advance()
        now = self._world.env.now
        node.leads, node.renewed_s = True, now
        if node.fence == "watchdog":
            node.fence = ""
        if self._by_majority:
            self._renewed_s = now
            return
        for other in self._nodes.values():
            if other.serving and self._reach(node.zone, other.zone):
                other.heard_s = now

    def _guard(self) -> Process:
        """The watchdog of whoever leads: it fences when the lease has run out by the node's own clock."""
        env, policy = self._world.env, self._policy
        while True:
            lead = [node for node in self._nodes.values() if node.accepts]
            due = {node.zone: node.renewed_s + policy.lease + node.skew_s for node in lead}
            late = [node for node in lead if node.serving and due[node.zone] <= env.now + _EPSILON_S]
            for node in late:
                self._cluster.replication.advance()
                node.fence = "watchdog"
            if late:
                self._cluster.changed()
            ahead = [at - env.now for at in due.values() if at > env.now + _EPSILON_S]
            yield env.timeout(min([policy.heartbeat, *ahead]))

    # -- the others -----------------------------------------------------------------------------------------------------

    def _watch(self, node: Node) -> Process:
        env, policy = self._world.env, self._policy
        while True:
            heard_s = self._heard_s(node)
            if not node.steered or node.leads or node.out:
                yield env.timeout(policy.heartbeat)
            elif heard_s + policy.lease > env.now + _EPSILON_S:
                yield env.timeout(heard_s + policy.lease - env.now)
            else:
                if self._is_free(node) and (yield from self._has_asked(node)):
                    self._elect(node)
                yield env.timeout(policy.heartbeat)

    def _heard_s(self, node: Node) -> float:
        return self._renewed_s if self._by_majority else node.heard_s

    def _is_free(self, node: Node) -> bool:
        """`node` finds the lease expired: whether nobody has it, or is about to take it, as far as this side knows."""
        if self._by_majority:
            return not self._holder_is_back()
        taken = any(o.serving and (o.electing or o.leads) and self._reach(node.zone, o.zone) for o in self._nodes.values())
        if taken:
            node.heard_s = self._world.env.now
        return not taken

    def _has_asked(self, node: Node) -> Steps[bool]:
        """`node` asks the others how far they are, if it does; whether it may still stand when all have answered or been given up."""
        old, heard_s = self._cluster.leader, self._heard_s(node)
        if self._once("triggered"):
            correct = not self._cluster.router.serves_users(old)
            data = {"failover": self._cluster.subject, "why": f"the lease of {old.zone} ran out", "by": "cluster manager"}
            self._world.record("failover.triggered", self._cluster.subject, **data, correct=correct)
        if self._policy.ask is None or not any(self._is_silent(node, other) for other in self._nodes.values()):
            return True
        yield self._world.env.timeout(self._policy.ask)
        return node.steered and self._heard_s(node) == heard_s and self._is_free(node)

    def _is_silent(self, node: Node, other: Node) -> bool:
        """Whether asking another node's agent ends by waiting: it hangs, or nothing comes back from there. A dead one refuses."""
        there = self._world.zone_alive(other.zone) and self._reach(node.zone, other.zone)
        return other is not node and (not there or (other.up and not other.steered))

    def _elect(self, node: Node) -> None:
        """Choose the most advanced candidate that this side may promote."""
        able = [other for other in self._nodes.values() if self._may_stand(other)]
        if not self._by_majority:
            able = [node] if node in able else []
        if not able:
            votes = f"{self._votes(node.zone)} of {len(self._voters())} voters reached"
            if self._once("elect"):
                self._cluster.failed("elect", f"{node.zone}: no candidate with a majority, {votes}")
            return
        best = max(able, key=self._cluster.replication.through_s)
        lag_s = max(0.0, self._heard_s(node) - self._cluster.replication.through_s(best))
        if self._policy.maximum_lag is not None and lag_s > self._policy.maximum_lag:
            if self._once("check"):
                self._cluster.failed(
                    "check", f"{best.zone} is {lag_s:.1f} s behind, allowed are {self._policy.maximum_lag:.1f} s"
                )
            return
        self._world.env.process(self._promote(best, self._cluster.leader.zone))

    def _holder_is_back(self) -> bool:
        """A leader that can reach a majority again takes its lease up again before anybody is chosen in its place."""
        before_s = self._renewed_s
        self.renew(self._nodes[self._term.leader])
        return self._renewed_s > before_s

    def _may_stand(self, node: Node) -> bool:
        current = self._cluster.current
        holds = self._term is current and node.zone == current.leader
        fit = node.steered and not (node.leads or node.out or node.electing or node.fence or node.disks or holds)
        return fit and node.term is current and (not self._by_majority or self.has_majority(node.zone))

    def _once(self, what: str) -> bool:
        """True the first time in this outage: retries every heartbeat would fill the record."""
        leader = self._cluster.leader
        key = (leader.term.number, self._renewed_s if self._by_majority else leader.renewed_s, what)
        if key in self._reported:
            return False
        self._reported.add(key)
        return True

    def _promote(self, node: Node, old: str) -> Process:
        env, succession = self._world.env, self._cluster.succession
        lag_s = self._cluster.replication.behind_s(node)
        term, began = succession.begin(node), env.now
        self._cluster.step("elect", "succeeded", 0.0)
        yield env.timeout(sample(self._policy.promote, self._cluster.draws))
        if succession.may_install(term) and (not self._by_majority or self.has_majority(node.zone)):
            succession.report(term, old, lag_s, env.now - began)
        else:
            succession.abandon(term)
            self._cluster.failed("promote", f"{node.zone} was lost while it was promoted")
