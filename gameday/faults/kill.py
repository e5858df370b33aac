"""Processes, database nodes, queues or whole places die at once. What they held is lost; healed, they boot and then serve."""

from __future__ import annotations

from typing import ClassVar

from gameday.faults import PLACES, Fault
from gameday.ports import Killable, require
from gameday.scenario.response import Action
from gameday.selectors import Kind, Selector


class Kill(Fault):
    """Everything in the target dies. Nobody restarts a zone or a region: power and network come back by themselves."""

    name: ClassVar[str] = "kill"
    targets: ClassVar[frozenset[Kind]] = frozenset({"service", "instance", "database", "queue", "group", *PLACES})
    ports: ClassVar[tuple[type, ...]] = (Killable,)

    def inject(self, system: object, target: Selector) -> None:
        """Kill the target."""
        require(system, Killable, self.name).kill(target)

    def heal(self, system: object, target: Selector) -> None:
        """Restart it."""
        require(system, Killable, self.name).restart(target)

    def mended_by(self, target: Selector) -> Action | None:
        """A restart mends dead processes and nodes, not dead places, nor groups, which may be racks and networks."""
        return "restart" if target.kind in {"service", "instance", "database"} else None
