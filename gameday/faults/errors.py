"""A share of the answers are errors, quickly: callers see failures, not delays."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from gameday.faults import PLACES, Fault
from gameday.ports import Failable, require
from gameday.scenario.quantities import Ratio
from gameday.scenario.response import Action
from gameday.selectors import Kind, Selector


class Errors(Fault):
    """Answers are errors, as of a process in a bad state."""

    name: ClassVar[str] = "errors"
    targets: ClassVar[frozenset[Kind]] = frozenset({"service", "instance", "database", "provider", "group", *PLACES})
    ports: ClassVar[tuple[type, ...]] = (Failable,)

    ratio: Annotated[Ratio, Field(gt=0)]
    """Share of the answers that are errors."""

    def inject(self, system: object, target: Selector) -> None:
        """Make the target fail."""
        require(system, Failable, self.name).fail(target, self.ratio)

    def heal(self, system: object, target: Selector) -> None:
        """Make it well."""
        require(system, Failable, self.name).recover(target, self.ratio)

    def mended_by(self, target: Selector) -> Action | None:
        """A restart clears the bad state of a service's processes."""
        return "restart" if target.kind in {"service", "instance"} else None
