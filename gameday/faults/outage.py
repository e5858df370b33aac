"""Something others run is gone: a provider is down, or one dependency cannot be reached although its target is well.

The rule that surprises: a provider that is down refuses at once, a dependency that is cut fails as a cut network does.
"""

from __future__ import annotations

from typing import ClassVar

from gameday.faults import Fault
from gameday.ports import Killable, Partitionable, require
from gameday.selectors import Kind, Selector


class Outage(Fault):
    """A provider or a dependency is unreachable. None of our actions mends it: it is not ours, or not where we act."""

    name: ClassVar[str] = "outage"
    targets: ClassVar[frozenset[Kind]] = frozenset({"provider", "dependency"})
    ports: ClassVar[tuple[type, ...]] = (Killable, Partitionable)

    def needs(self, target: Selector) -> tuple[type, ...]:
        """A dependency is cut, a provider is killed."""
        return (Partitionable,) if target.kind == "dependency" else (Killable,)

    def inject(self, system: object, target: Selector) -> None:
        """Take a provider down, or cut a dependency."""
        if target.kind == "dependency":
            require(system, Partitionable, self.name).cut(target)
        else:
            require(system, Killable, self.name).kill(target)

    def heal(self, system: object, target: Selector) -> None:
        """Bring it back; a provider needs its boot time."""
        if target.kind == "dependency":
            require(system, Partitionable, self.name).mend(target)
        else:
            require(system, Killable, self.name).restart(target)
