"""Witnesses of a database: clients beside the users, who write at a rate of their own and note what they were told, as a live day's do.

One holds on to a node, past every proxy, whatever that node has become; another goes through the proxy of a region. What became of their
writes is found by the code that judges a live day (`gameday.write_truth`). The rule that surprises: they are few and small, so they take
no slot of a node and no time but that of the commit; only whether a node takes writes, and what its replicas confirm, is played.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gameday.scenario.system import Witness
from gameday.write_truth import WITHIN_S, Outcome, Write, check_set, dual_primaries, oldest_lost_s
from sim.databases.nodes import Node, Term, shared_through
from sim.processes import Process, Steps

if TYPE_CHECKING:
    from sim.databases.cluster import Cluster

Answer = Literal["taken", "refused", "silent"]


@dataclass(frozen=True, slots=True)
class _Noted:
    """A write, and where and when it was committed (None = not that anybody knows)."""

    write: Write
    term: Term | None
    committed_s: float


@dataclass(frozen=True, slots=True)
class Findings:
    """What became of the witnesses' writes up to now."""

    attempted: int = 0
    acknowledged: int = 0
    indeterminate: int = 0
    conflicting: int = 0
    lost: tuple[Write, ...] = ()

    @property
    def oldest_s(self) -> float | None:
        """Age of the oldest lost write when its node stopped taking writes."""
        return oldest_lost_s(self.lost)


class Witnesses:
    """The witnesses of one cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._world = cluster.world
        self._noted: list[_Noted] = []
        self._before = Findings()
        """Of writes that have been forgotten."""

    def start(self) -> None:
        """Every witness begins at a random point of its interval."""
        for witness in self._cluster.database.witnesses:
            self._world.env.look(self._write(witness))

    # -- writing --------------------------------------------------------------------------------------------------------

    def _write(self, witness: Witness) -> Process:
        """At its rate; a write that hangs delays the next."""
        env, via, pause_s = self._world.env, witness.via, 1.0 / witness.rate
        yield env.timeout(self._world.streams.draws(f"{self._cluster.subject}/witness/{via}").uniform() * pause_s)
        due, number = env.now, 0
        while True:
            number += 1
            began = env.now
            node = yield from self._find(witness, pause_s)
            outcome: Outcome = "failed"
            term, committed_s = None, began
            if isinstance(node, Node):
                term, committed_s = node.term, env.now
                outcome = yield from self._commit(node)
            elif node == "silent":
                outcome = "indeterminate"
            self._noted.append(_Noted(Write(f"{via}/{number}", via, outcome, began, env.now), term, committed_s))
            due = max(due + pause_s, env.now)
            yield env.timeout(due - env.now)

    def _find(self, witness: Witness, pause_s: float) -> Steps[Node | Answer]:
        """The node that takes the write; else what came instead of an answer, after the time a client waits for one."""
        env = self._world.env
        gives_up = env.now + WITHIN_S
        while True:
            node = self._node(witness)
            answer = "refused" if node is None else self._answer(witness, node)
            if node is not None and answer == "taken":
                return node
            if answer != "silent" or env.now >= gives_up:
                return answer
            yield env.timeout(min(pause_s, gives_up - env.now))

    def _node(self, witness: Witness) -> Node | None:
        """Where the witness's connection ends; None where its proxy knows no primary."""
        if witness.node is not None:
            return self._cluster.nodes[witness.node]
        assert witness.region is not None, "a witness has a node or a region"
        return self._cluster.router.way(witness.region)

    def _answer(self, witness: Witness, node: Node) -> Answer:
        """A dead process refuses, one that does not run says nothing; nor does one whose commits wait, or that cannot be reached."""
        if witness.region is not None and not self._world.reachable(f"region/{witness.region}", f"zone/{node.zone}"):
            return "silent"
        if not node.up:
            return "refused"
        if node.writable:
            return "taken"
        return "silent" if node.frozen or (node.accepts and node.blocked) else "refused"

    def _commit(self, node: Node) -> Steps[Outcome]:
        """The answer comes when those the commit waits for have confirmed it."""
        if node.commit_delay_s > 0.0:
            yield self._world.env.timeout(node.commit_delay_s)
        return "ok" if node.writable else "indeterminate"

    # -- judging --------------------------------------------------------------------------------------------------------

    def findings(self) -> Findings:
        """What became of all writes, if the history stayed as it is now."""
        return self._judge(self._noted)

    def drop(self, through_s: float) -> None:
        """Forget writes up to a time at which every node follows one leader and has them: what they were is found before."""
        old = [each for each in self._noted if each.write.ended <= through_s]
        if old:
            self._before = self._judge(old)
            self._noted = self._noted[len(old) :]

    def _judge(self, noted: list[_Noted]) -> Findings:
        writes, before = [each.write for each in noted], self._before
        result = check_set(writes, [each.write.id for each in noted if self._is_there(each)])
        duals = dual_primaries(writes, self._cluster.nodes)
        return Findings(
            before.attempted + result.attempted,
            before.acknowledged + result.acknowledged,
            before.indeterminate + result.indeterminate,
            before.conflicting + sum(dual.conflicting for dual in duals),
            before.lost + result.lost,
        )

    def _is_there(self, noted: _Noted) -> bool:
        """Whether the history that counts has it."""
        if noted.term is None:
            return False
        return shared_through(noted.term, noted.committed_s, self._cluster.current) >= noted.committed_s
