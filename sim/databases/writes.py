"""What became of the writes, counted one by one in the nodes' logs.

The history that counts is that of the newest term; what lies beside it is lost, acknowledged or not. The rule that surprises: a
write is dropped from memory only when every node has it, so nothing that could still be lost is ever forgotten.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import inf
from typing import TYPE_CHECKING

from sim.databases.nodes import Term
from sim.traffic.changes import DropWrites

if TYPE_CHECKING:
    from sim.databases.cluster import Cluster


@dataclass(frozen=True, slots=True)
class Losing:
    """A stretch of one leader's log that is not part of the history: its term, and its positions `[first, end)` in the log."""

    term: Term
    station: int
    first: int
    end: int


@dataclass(frozen=True, slots=True)
class Losses:
    """Acknowledged writes beside the history.

    `oldest_s` is the age of the oldest when its primary stopped taking writes, or when the history went on without it if that came
    first: a recovery point is measured back from the disruption, not from the repair.
    """

    lost: int = 0
    conflicting: int = 0
    unreconciled: int = 0
    oldest_s: float | None = None


class Writes:
    """The ledger of one cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._world = cluster.world
        self._kept_from: dict[int, float] = {}
        self._dropped: dict[int, float] = {}
        self._open_since: dict[str, float] = {}
        self._open: dict[str, list[tuple[float, float]]] = {zone: [] for zone in cluster.nodes}
        self.met: set[int] = set()
        """Terms whose leader came back with writes the history does not have."""
        self.stale_reads = 0

    # -- the log --------------------------------------------------------------------------------------------------------

    def end_of(self, station: int) -> int:
        """Position after the newest write of a node."""
        self._world.sync()
        log = self._world.engine.write_log(station)
        return log.base + len(log.committed_s)

    def span(self, term: Term) -> tuple[int, int]:
        """Positions `[first, end)` of a term's writes in its leader's log."""
        later = [t.first for t in self._cluster.terms if t.leader == term.leader and t.number > term.number]
        end = self.end_of(self._cluster.nodes[term.leader].station)
        return term.first, min([*later, end])

    def after(self, term: Term, fork_s: float) -> Losing:
        """The writes of a term committed later than `fork_s`."""
        first, end = self.span(term)
        station = self._cluster.nodes[term.leader].station
        log = self._world.engine.write_log(station)
        dropped_s = self._dropped.get(station, -inf)
        assert log.base <= first or fork_s >= dropped_s, f"{self._cluster.subject}: writes from {fork_s} s on were dropped"
        low, high = max(0, first - log.base), max(0, end - log.base)
        return Losing(term, station, log.base + bisect_right(log.committed_s, fork_s, low, high), end)

    def acknowledged_in(self, part: Losing) -> int:
        """Acknowledged writes of a stretch."""
        log = self._world.engine.write_log(part.station)
        return int(sum(log.acknowledged[part.first - log.base : part.end - log.base]))

    def keep_from(self, part: Losing) -> None:
        """Never drop this stretch: it has left the history."""
        self._kept_from[part.station] = min(part.first, self._kept_from.get(part.station, inf))

    def drop(self) -> None:
        """Forget the writes that every node has."""
        cluster = self._cluster
        nodes = list(cluster.nodes.values())
        if any(node.term is not cluster.current or node.electing for node in nodes):
            return
        through_s = min((cluster.replication.through_s(node) for node in nodes if node is not cluster.leader), default=inf)
        cluster.witnesses.drop(through_s)
        everywhere = self.after(cluster.current, through_s)
        upto = min(everywhere.first, self._kept_from.get(everywhere.station, inf))
        if upto > self._world.engine.write_log(everywhere.station).base:
            log = self._world.engine.write_log(everywhere.station)
            self._dropped[everywhere.station] = log.committed_s[int(upto) - 1 - log.base]
            self._world.apply(DropWrites(everywhere.station, int(upto)))

    # -- who could write when -------------------------------------------------------------------------------------------

    def note_writable(self) -> int:
        """Keep who is writable from now on; returns how many are."""
        now = self._world.env.now
        for node in self._cluster.nodes.values():
            since = self._open_since.get(node.zone)
            if node.writable and since is None:
                self._open_since[node.zone] = now
            elif not node.writable and since is not None:
                self._open[node.zone].append((since, now))
                del self._open_since[node.zone]
        return len(self._open_since)

    def _was_writable(self, zone: str, at: float) -> bool:
        since = self._open_since.get(zone)
        return (since is not None and at >= since) or any(start <= at < end for start, end in self._open[zone])

    def _stopped_taking_writes(self, zone: str, before: float) -> float:
        """When a node last stopped taking writes, up to `before`; `before` itself when it went on."""
        since = self._open_since.get(zone, inf)
        if since < before or any(start < before <= end for start, end in self._open[zone]):
            return before
        return max((end for _, end in self._open[zone] if end <= before), default=before)

    # -- the count ------------------------------------------------------------------------------------------------------

    def losing(self) -> Iterator[Losing]:
        """Every stretch of log beside the current history."""
        chain = self._cluster.current.chain()
        leaves = {parent.number: child.fork_s for parent, child in pairwise(chain)}
        on_chain = {term.number for term in chain}
        for term in self._cluster.terms:
            if term is self._cluster.current:
                continue
            part = self.after(term, leaves[term.number] if term.number in on_chain else -inf)
            if part.first < part.end:
                yield part

    def losses(self) -> Losses:
        """Count what is lost at this instant.

        A lost write is *conflicting* when it was committed while the surviving history took writes too: after its first term of its
        own began, or while the leader both histories came from was writable. It is *unreconciled* when it conflicts, or when its
        node came back with it and somebody would have to look at it.
        """
        lost = conflicting = unreconciled = 0
        oldest_s: float | None = None
        for part in self.losing():
            winner, origin = self._winner(part.term)
            stopped_s = self._stopped_taking_writes(part.term.leader, winner)
            log = self._world.engine.write_log(part.station)
            for position in range(part.first - log.base, part.end - log.base):
                if not log.acknowledged[position]:
                    continue
                committed_s = log.committed_s[position]
                conflicts = committed_s >= winner or (
                    origin is not None and origin.leader != part.term.leader and self._was_writable(origin.leader, committed_s)
                )
                lost += 1
                conflicting += conflicts
                unreconciled += conflicts or part.term.number in self.met
                oldest_s = max(oldest_s or 0.0, stopped_s - committed_s)
        return Losses(lost, conflicting, unreconciled, oldest_s)

    def _winner(self, term: Term) -> tuple[float, Term | None]:
        """When the history first went on without `term`, and the last term both share."""
        mine = set(map(id, term.chain()))
        origin: Term | None = None
        for other in self._cluster.current.chain():
            if id(other) not in mine:
                return other.started_s if other.started_s is not None else inf, origin
            origin = other
        raise AssertionError(f"term {term.number} is part of the history")

    def count_stale_reads(self) -> None:
        """Add the reads that copies older than promised have answered since they were last asked."""
        nodes = self._cluster.nodes.values()
        self._world.sync()
        reads = self._world.engine.observe().reads
        for node in nodes:
            if node.stale and not node.applied.get("stale"):
                self.stale_reads += reads[node.station] - node.reads_seen
            node.reads_seen = reads[node.station]

    def summary(self) -> dict[str, object]:
        """Data of `writes.summary`, of users and witnesses; acknowledged = surviving + lost."""
        seen = self._world.engine.observe()
        stations = [node.station for node in self._cluster.nodes.values()]
        losses, others = self.losses(), self._cluster.witnesses.findings()
        acknowledged = sum(seen.writes_acknowledged[station] for station in stations) + others.acknowledged
        lost = losses.lost + len(others.lost)
        found: dict[str, object] = {
            "database": self._cluster.name,
            "attempted": sum(seen.writes_attempted[station] for station in stations) + others.attempted,
            "acknowledged": acknowledged,
            "surviving": acknowledged - lost,
            "lost": lost,
            "indeterminate": sum(seen.writes_indeterminate[station] for station in stations) + others.indeterminate,
            "conflicting": losses.conflicting + others.conflicting,
            "unreconciled": losses.unreconciled + len(others.lost),
            "stale_reads": self.stale_reads,
        }
        ages = [age_s for age_s in (losses.oldest_s, others.oldest_s) if age_s is not None]
        if ages:
            found["oldest_lost_s"] = max(ages)
        return found
