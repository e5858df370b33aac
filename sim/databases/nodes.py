"""The records of a cluster: nodes, and the terms of its history.

A *term* is one leadership, as PostgreSQL's timelines and Raft's terms are. The rule that surprises: a position in the history is a
commit time. "Through 12.5 s" means every write of the node's own history that was committed up to then, so the point at which a
new term leaves its parent is a time too, and which writes it left behind is counted in the parent's log.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import Literal

Fence = Literal["", "watchdog", "controller"]
"""Why a leader may not write: not at all, its own lease ran out, or somebody fenced it."""


@dataclass(slots=True, eq=False)
class Term:
    """One leadership: who, from which point of which history, from when on, and where its writes begin in the leader's log."""

    number: int
    leader: str
    parent: Term | None = None
    fork_s: float = 0.0
    """Writes of the parent committed after this time are not part of this term's history."""
    started_s: float | None = None
    """When the leader began to take writes; None while it is being promoted."""
    first: int = 0
    """Position of the term's first write in the leader's log."""

    def chain(self) -> list[Term]:
        """The terms of this history, the oldest first."""
        found: list[Term] = []
        term: Term | None = self
        while term is not None:
            found.append(term)
            term = term.parent
        return found[::-1]


def shared_through(term: Term, through_s: float, history: Term) -> float:
    """Up to which commit time the writes of a node (`term`, `through_s`) are the same as those of `history`."""
    if term is history:
        return through_s
    mine, other = term.chain(), history.chain()
    common = 0
    while common < min(len(mine), len(other)) and mine[common] is other[common]:
        common += 1
    limits = [through_s]
    if common < len(mine):
        limits.append(mine[common].fork_s)
    if common < len(other):
        limits.append(other[common].fork_s)
    return min(limits)


@dataclass(slots=True, eq=False)
class Node:
    """One database node: what it is, what it believes, and what it has of the history."""

    zone: str
    station: int
    term: Term
    up: bool = True
    frozen: bool = False
    stops: int = 0
    """How many faults stop it from receiving the log."""
    disks: int = 0
    """How many faults fill its disk."""
    hangs: int = 0
    """How many faults freeze its agent."""
    skew_s: float = 0.0
    """How far its clock is behind."""
    leads: bool = False
    """Whether it believes to be the primary."""
    fence: Fence = ""
    out: bool = False
    """Whether it stays out since its history diverged."""
    electing: Term | None = None
    """The term it is being promoted to."""
    through_s: float = 0.0
    """It has received everything of its history up to this commit time."""
    as_of_s: float = 0.0
    """When `through_s` was true."""
    linked: bool = False
    """Whether it receives the log now."""
    synced: bool = False
    """Whether its leader's commits wait for it."""
    quiet_s: float | None = None
    """Since when it can commit nothing: down, frozen or not allowed to; None while it can."""
    renewed_s: float = -inf
    """When it last renewed its own lease."""
    heard_s: float = 0.0
    """When a leader last reached it."""
    role: str = ""
    """Role last recorded."""
    lags: tuple[float, float] = (0.0, 0.0)
    """Replication delay drawn for the start and the end of the present interval."""
    short_since: float | None = None
    """Since when too few replicas confirm its commits."""
    degraded: bool = False
    """Whether it goes on without them."""
    blocked: bool = False
    """Whether its commits wait now."""
    commit_delay_s: float = 0.0
    stale: bool = False
    """Whether its copy is older than promised."""
    reads_seen: int = 0
    applied: dict[str, bool | float] = field(default_factory=dict)
    """Settings the traffic engine has been given."""

    @property
    def serving(self) -> bool:
        """Whether the process answers."""
        return self.up and not self.frozen

    @property
    def steered(self) -> bool:
        """Whether its agent acts: renews the lease, answers health checks, promotes, follows, rewinds."""
        return self.serving and not self.hangs

    @property
    def accepts(self) -> bool:
        """Whether it lets writes in: it believes to be primary and nobody has fenced it."""
        return self.leads and not self.fence

    @property
    def writable(self) -> bool:
        """Whether a write sent to it now would be committed."""
        return self.serving and self.accepts and not self.disks and not self.blocked
