"""The disks of database nodes are full: reads go on, writes fail."""

from __future__ import annotations

from typing import ClassVar

from gameday.faults import Fault
from gameday.ports import Storing, require
from gameday.scenario.response import Action
from gameday.selectors import Kind, Selector


class DiskFull(Fault):
    """Disks are full."""

    name: ClassVar[str] = "disk_full"
    targets: ClassVar[frozenset[Kind]] = frozenset({"database", "group"})
    ports: ClassVar[tuple[type, ...]] = (Storing,)

    def inject(self, system: object, target: Selector) -> None:
        """Fill the disks."""
        require(system, Storing, self.name).fill_disk(target)

    def heal(self, system: object, target: Selector) -> None:
        """Free them."""
        require(system, Storing, self.name).free_disk(target)

    def mended_by(self, target: Selector) -> Action | None:
        """A restart, which clears temporary files and old logs on its way."""
        return "restart" if target.kind == "database" else None
