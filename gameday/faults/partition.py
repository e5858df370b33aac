"""A network partition: links are cut. `link/eu-1<->elsewhere` cuts a region off from everything, providers and clients too."""

from __future__ import annotations

from typing import ClassVar

from gameday.faults import Fault
from gameday.ports import Partitionable, require
from gameday.selectors import Kind, Selector


class Partition(Fault):
    """Nothing gets over the link, one way or both."""

    name: ClassVar[str] = "partition"
    targets: ClassVar[frozenset[Kind]] = frozenset({"link", "group"})
    ports: ClassVar[tuple[type, ...]] = (Partitionable,)

    def inject(self, system: object, target: Selector) -> None:
        """Cut the link."""
        require(system, Partitionable, self.name).cut(target)

    def heal(self, system: object, target: Selector) -> None:
        """Mend it."""
        require(system, Partitionable, self.name).mend(target)
