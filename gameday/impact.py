"""The ground truth of impact: per class, when its share of good answers leaves its objective and when it is back.

It is computed from every request, not from what monitoring sees; alerts are judged against it. One machine for a simulated and a live
day; it is told the time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from gameday.scenario.load import Indicator, RequestClass

LEAST_ANSWERS: Final = 10
"""Ended requests a window needs before it is judged; fewer change nothing."""

Answered = Callable[[str, float, float], tuple[int, int, int]]
"""Offered, good and lost requests of a class in the window that ends at an instant; a window as long as the instant holds all."""


@dataclass(slots=True)
class Impact:
    """A class while it is hurt, or may be."""

    started: float
    ratio: float
    worst: float
    lost_before: int
    cause: list[str]
    known: bool = False
    good_since: float | None = None


@dataclass(frozen=True, slots=True)
class ImpactChange:
    """An impact is known to have started or ended, at an instant that lies back."""

    at: float
    kind: str
    request_class: str
    data: Mapping[str, Any]


class ImpactMachine:
    """Judges every class when it is asked."""

    def __init__(
        self, classes: Mapping[str, RequestClass], answered: Answered, active_faults: Callable[[], Iterable[str]]
    ) -> None:
        self._classes = classes
        self._answered = answered
        self._active_faults = active_faults
        self._open: dict[str, Impact] = {}
        self.active: dict[str, Impact] = {}
        """Classes that are hurt, as far as it is known by now."""

    def check(self, now: float) -> list[ImpactChange]:
        """Judge the windows that end now."""
        changes = []
        for name, request_class in self._classes.items():
            indicator = request_class.indicator
            offered, good, lost = self._answered(name, indicator.window, now)
            if max(offered, good + lost) < LEAST_ANSWERS:
                continue
            ratio = good / (good + lost) if good + lost else 0.0
            if ratio < indicator.good:
                change = self._bad(name, indicator, ratio, now)
            else:
                change = self._good(name, indicator, ratio, now) if name in self._open else None
            if change is not None:
                changes.append(change)
        return changes

    def _bad(self, name: str, indicator: Indicator, ratio: float, now: float) -> ImpactChange | None:
        impact = self._open.get(name)
        if impact is None:
            lost = self._answered(name, now, now)[2] - self._answered(name, indicator.window, now)[2]
            impact = self._open[name] = Impact(now, ratio, ratio, lost, sorted(self._active_faults()))
        impact.worst = min(impact.worst, ratio)
        impact.good_since = None
        if impact.known or now - impact.started < indicator.sustained:
            return None
        impact.known = True
        self.active[name] = impact
        data = {"flow": name, "good_ratio": impact.ratio, "objective": indicator.good, "cause": impact.cause}
        return ImpactChange(impact.started, "impact.started", name, data)

    def _good(self, name: str, indicator: Indicator, ratio: float, now: float) -> ImpactChange | None:
        impact = self._open[name]
        if not impact.known:
            del self._open[name]
            return None
        impact.good_since = now if impact.good_since is None else impact.good_since
        if now - impact.good_since < indicator.recovered_after:
            return None
        del self._open[name], self.active[name]
        since = impact.good_since
        lost = self._answered(name, since, since)[2] - impact.lost_before
        data = {
            "flow": name,
            "good_ratio": ratio,
            "objective": indicator.good,
            "worst_good_ratio": impact.worst,
            "lost": lost,
        }
        return ImpactChange(since, "impact.ended", name, data)
