"""A link gets slow: every message over it takes longer, in the direction named."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from gameday.faults import Fault
from gameday.ports import Shapeable, require
from gameday.scenario.quantities import Duration
from gameday.selectors import Kind, Selector


class Latency(Fault):
    """Messages over the link take longer. On a link both ways, a request and its answer are each delayed."""

    name: ClassVar[str] = "latency"
    targets: ClassVar[frozenset[Kind]] = frozenset({"link", "group"})
    ports: ClassVar[tuple[type, ...]] = (Shapeable,)

    delay: Annotated[Duration, Field(gt=0)]
    """Time added to every message, one way."""

    def inject(self, system: object, target: Selector) -> None:
        """Delay the link."""
        require(system, Shapeable, self.name).shape(target, self.delay, 0.0)

    def heal(self, system: object, target: Selector) -> None:
        """Take the delay away."""
        require(system, Shapeable, self.name).unshape(target, self.delay, 0.0)
