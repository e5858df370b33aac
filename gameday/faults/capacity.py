"""Capacity is lost: a share of the slots is taken, as by leaked connections or a noisy neighbour.

No mitigation mends it. Scaling out helps by what it is, more slots beside the lost ones; the lost ones stay lost.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from gameday.faults import PLACES, Fault
from gameday.ports import Saturable, require
from gameday.scenario.quantities import Ratio
from gameday.selectors import Kind, Selector


class Capacity(Fault):
    """Slots are taken away. Work in progress is finished."""

    name: ClassVar[str] = "capacity"
    targets: ClassVar[frozenset[Kind]] = frozenset({"service", "instance", "database", "provider", "group", *PLACES})
    ports: ClassVar[tuple[type, ...]] = (Saturable,)

    share: Annotated[Ratio, Field(gt=0)]
    """Share of the slots that are lost."""

    def inject(self, system: object, target: Selector) -> None:
        """Take the slots."""
        require(system, Saturable, self.name).saturate(target, self.share)

    def heal(self, system: object, target: Selector) -> None:
        """Give them back."""
        require(system, Saturable, self.name).release(target, self.share)
