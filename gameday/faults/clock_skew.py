"""The clocks of database nodes are behind: a lease that has expired for all others still seems valid to its holder."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from gameday.faults import Fault
from gameday.ports import Clocked, require
from gameday.scenario.quantities import Duration
from gameday.selectors import Kind, Selector


class ClockSkew(Fault):
    """Clocks are put back."""

    name: ClassVar[str] = "clock_skew"
    targets: ClassVar[frozenset[Kind]] = frozenset({"database", "group"})
    ports: ClassVar[tuple[type, ...]] = (Clocked,)

    offset: Annotated[Duration, Field(gt=0)]
    """How far the clocks are behind."""

    def inject(self, system: object, target: Selector) -> None:
        """Put the clocks back."""
        require(system, Clocked, self.name).skew_clock(target, self.offset)

    def heal(self, system: object, target: Selector) -> None:
        """Correct them."""
        require(system, Clocked, self.name).correct_clock(target, self.offset)
