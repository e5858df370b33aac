"""Nothing breaks: the smallest fault, and the control of an experiment (whatever is detected then is a false alarm)."""

from __future__ import annotations

from typing import ClassVar

from gameday.faults import Fault
from gameday.selectors import KINDS, Kind, Selector


class Noop(Fault):
    """Nothing breaks."""

    name: ClassVar[str] = "noop"
    targets: ClassVar[frozenset[Kind]] = frozenset(KINDS)

    def inject(self, system: object, target: Selector) -> None:
        """Does nothing."""

    def heal(self, system: object, target: Selector) -> None:
        """Does nothing."""
