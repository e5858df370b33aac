"""What is observed in a jump: the engine's own counts, which go on, and the gauges of the second that was shown last."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from sim.traffic import Observation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sim.traffic.quiet.tally import Second


class Shown(Observation):
    """As the engine has it, but for the gauges: its own stand still. Nothing is read before somebody asks."""

    __slots__ = ("_view",)

    def __init__(self, view: Observation, second: Second) -> None:
        """`view` is live: this is as live as that."""
        self._view = view
        self.busy, self.queued = list(second.busy), list(second.queued)

    def requests(self) -> list[int]:
        """As the engine tells it."""
        return self._view.requests()

    def histograms(self) -> NDArray[Any]:
        """As the engine tells it."""
        return self._view.histograms()

    def __getattr__(self, name: str) -> Any:
        """Python asks here for what has no value of its own."""
        return getattr(self._view, name)

    def __deepcopy__(self, memo: dict[int, Any]) -> Observation:
        """Everything as it is now, which stays so."""
        return Observation(**{part.name: deepcopy(getattr(self, part.name), memo) for part in fields(Observation)})
