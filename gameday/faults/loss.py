"""A link loses a share of its messages; callers learn of it only by their timeouts."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from gameday.faults import Fault
from gameday.ports import Shapeable, require
from gameday.scenario.quantities import Ratio
from gameday.selectors import Kind, Selector


class Loss(Fault):
    """Messages over the link are lost. On a link both ways, a request and its answer can each be lost."""

    name: ClassVar[str] = "loss"
    targets: ClassVar[frozenset[Kind]] = frozenset({"link", "group"})
    ports: ClassVar[tuple[type, ...]] = (Shapeable,)

    ratio: Annotated[Ratio, Field(gt=0)]
    """Share of the messages that are lost, one way."""

    def inject(self, system: object, target: Selector) -> None:
        """Make the link lossy."""
        require(system, Shapeable, self.name).shape(target, 0.0, self.ratio)

    def heal(self, system: object, target: Selector) -> None:
        """Make it lose nothing on this account."""
        require(system, Shapeable, self.name).unshape(target, 0.0, self.ratio)
