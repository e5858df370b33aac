"""The public name does not resolve. Whoever holds a cached address goes on until it expires: the outage arrives late."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from gameday.faults import Fault
from gameday.ports import Resolving, require
from gameday.scenario.quantities import Ratio
from gameday.selectors import Kind, Selector


class DnsOutage(Fault):
    """Lookups of the public name fail."""

    name: ClassVar[str] = "dns_outage"
    targets: ClassVar[frozenset[Kind]] = frozenset({"dns"})
    ports: ClassVar[tuple[type, ...]] = (Resolving,)

    share: Annotated[Ratio, Field(gt=0)] = 1.0
    """Share of the lookups that fail."""

    def inject(self, system: object, target: Selector) -> None:
        """Break resolution."""
        require(system, Resolving, self.name).break_dns(target, self.share)

    def heal(self, system: object, target: Selector) -> None:
        """Mend it."""
        require(system, Resolving, self.name).mend_dns(target, self.share)
