"""Replication stops while every node goes on serving: nobody notices until a replica is needed."""

from __future__ import annotations

from typing import ClassVar

from gameday.faults import Fault
from gameday.ports import Replicating, require
from gameday.selectors import Kind, Selector


class ReplicationStop(Fault):
    """Replicas receive no more changes; on a whole database, none of them does."""

    name: ClassVar[str] = "replication_stop"
    targets: ClassVar[frozenset[Kind]] = frozenset({"database", "group"})
    ports: ClassVar[tuple[type, ...]] = (Replicating,)

    def inject(self, system: object, target: Selector) -> None:
        """Stop the stream."""
        require(system, Replicating, self.name).stop_replication(target)

    def heal(self, system: object, target: Selector) -> None:
        """Start it; the replicas catch up."""
        require(system, Replicating, self.name).start_replication(target)
