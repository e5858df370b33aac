"""A bad version is shipped: it errs, or is slow, or both. Rolling back ends it, restarting does not."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, model_validator

from gameday.faults import Fault
from gameday.ports import Releasable, require
from gameday.scenario.quantities import Ratio
from gameday.scenario.response import Action
from gameday.selectors import Kind, Selector


class BadRelease(Fault):
    """A version with a defect runs in the target; a zone or region narrows it to a canary."""

    name: ClassVar[str] = "bad_release"
    targets: ClassVar[frozenset[Kind]] = frozenset({"service", "group"})
    ports: ClassVar[tuple[type, ...]] = (Releasable,)

    error_ratio: Ratio = 0.0
    """Share of the answers that are errors."""
    slowdown: Annotated[float, Field(ge=1, le=1000)] = 1.0
    """How many times as long work takes."""

    @model_validator(mode="after")
    def _is_bad(self) -> BadRelease:
        if self.error_ratio <= 0.0 and self.slowdown <= 1.0:
            raise ValueError("a bad release needs an error_ratio above 0 or a slowdown above 1")
        return self

    def inject(self, system: object, target: Selector) -> None:
        """Ship it."""
        require(system, Releasable, self.name).ship(target, self.error_ratio, self.slowdown)

    def heal(self, system: object, target: Selector) -> None:
        """Roll it back."""
        require(system, Releasable, self.name).roll_back(target, self.error_ratio, self.slowdown)

    def mended_by(self, target: Selector) -> Action | None:  # noqa: ARG002 - true of every target
        """A rollback."""
        return "rollback"
