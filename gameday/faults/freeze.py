"""Processes hang: they take requests in and answer none. Health checks see it only when they time out."""

from __future__ import annotations

from typing import ClassVar

from gameday.faults import PLACES, Fault
from gameday.ports import Freezable, require
from gameday.scenario.response import Action
from gameday.selectors import Kind, Selector


class Freeze(Fault):
    """Everything in the target hangs."""

    name: ClassVar[str] = "freeze"
    targets: ClassVar[frozenset[Kind]] = frozenset({"service", "instance", "database", "group", *PLACES})
    ports: ClassVar[tuple[type, ...]] = (Freezable,)

    def inject(self, system: object, target: Selector) -> None:
        """Freeze the target."""
        require(system, Freezable, self.name).freeze(target)

    def heal(self, system: object, target: Selector) -> None:
        """Let it go on where it was."""
        require(system, Freezable, self.name).resume(target)

    def mended_by(self, target: Selector) -> Action | None:
        """A restart mends hanging processes and nodes."""
        return "restart" if target.kind in {"service", "instance", "database"} else None
