"""A gray failure: everything still works, only slower. Nothing is down, and most checks stay green."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from gameday.faults import PLACES, Fault
from gameday.ports import Slowable, require
from gameday.selectors import Kind, Selector


class Slow(Fault):
    """Work takes longer. No restart mends it: what makes work slow is most often outside the process."""

    name: ClassVar[str] = "slow"
    targets: ClassVar[frozenset[Kind]] = frozenset({"service", "instance", "database", "provider", "group", *PLACES})
    ports: ClassVar[tuple[type, ...]] = (Slowable,)

    factor: Annotated[float, Field(gt=1, le=1000)]
    """How many times as long work takes."""

    def inject(self, system: object, target: Selector) -> None:
        """Slow the target."""
        require(system, Slowable, self.name).slow(target, self.factor)

    def heal(self, system: object, target: Selector) -> None:
        """Let it work at its own speed."""
        require(system, Slowable, self.name).unslow(target, self.factor)
