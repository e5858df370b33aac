"""The ground truth of impact: per class, when its share of good answers leaves its objective and when it is back.

It is computed from every request, not from what monitoring sees; alerts are judged against it.
"""

from __future__ import annotations

from dataclasses import dataclass

from gameday.scenario.load import Indicator
from sim.control.faults import FaultPlayer
from sim.indicators import Indicators
from sim.world import World

LEAST_ANSWERS = 10
"""Ended requests a window needs before it is judged; fewer change nothing."""


@dataclass(slots=True)
class _Impact:
    started: float
    ratio: float
    worst: float
    lost_before: int
    cause: list[str]
    known: bool = False
    good_since: float | None = None


class ImpactMonitor:
    """Watches every class each second."""

    def __init__(self, world: World, indicators: Indicators, faults: FaultPlayer) -> None:
        self._world = world
        self._indicators = indicators
        self._faults = faults
        self._open: dict[str, _Impact] = {}
        self.active: dict[str, _Impact] = {}
        """Classes that are hurt, as far as it is known by now."""

    def check(self, now: float) -> None:
        """Judge the windows that end now."""
        for name, request_class in self._world.scenario.load.classes.items():
            indicator = request_class.indicator
            offered, good, lost = self._indicators.answered(name, indicator.window, now)
            if max(offered, good + lost) < LEAST_ANSWERS:
                continue
            ratio = good / (good + lost) if good + lost else 0.0
            if ratio < indicator.good:
                self._bad(name, indicator, ratio, now)
            elif name in self._open:
                self._good(name, indicator, ratio, now)

    def _bad(self, name: str, indicator: Indicator, ratio: float, now: float) -> None:
        impact = self._open.get(name)
        if impact is None:
            lost = self._indicators.answered(name, now, now)[2] - self._indicators.answered(name, indicator.window, now)[2]
            impact = self._open[name] = _Impact(now, ratio, ratio, lost, sorted(self._faults.active))
        impact.worst = min(impact.worst, ratio)
        impact.good_since = None
        if not impact.known and now - impact.started >= indicator.sustained:
            impact.known = True
            self.active[name] = impact
            data = {"flow": name, "good_ratio": impact.ratio, "objective": indicator.good, "cause": impact.cause}
            self._world.recorder.record(impact.started, "impact.started", f"class/{name}", data)
            self._world.tell("impact.started", name)

    def _good(self, name: str, indicator: Indicator, ratio: float, now: float) -> None:
        impact = self._open[name]
        if not impact.known:
            del self._open[name]
            return
        impact.good_since = now if impact.good_since is None else impact.good_since
        if now - impact.good_since < indicator.recovered_after:
            return
        del self._open[name], self.active[name]
        since = impact.good_since
        lost = self._indicators.answered(name, since, since)[2] - impact.lost_before
        data = {
            "flow": name,
            "good_ratio": ratio,
            "objective": indicator.good,
            "worst_good_ratio": impact.worst,
            "lost": lost,
        }
        self._world.recorder.record(since, "impact.ended", f"class/{name}", data)
        self._world.tell("impact.ended", name)
