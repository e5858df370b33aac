"""The ground truth of impact: per class, when its share of good answers leaves its objective and when it is back.

It is computed from every request, not from what monitoring sees; alerts are judged against it.
"""

from __future__ import annotations

from dataclasses import dataclass

from sim.control.faults import FaultPlayer
from sim.indicators import Indicators
from sim.world import World

LEAST_ANSWERS = 10
"""Ended requests a window needs before it is judged; fewer change nothing."""


@dataclass(slots=True)
class _Impact:
    started: float
    worst: float
    lost_before: int
    good_since: float | None = None


class ImpactMonitor:
    """Watches every class each second."""

    def __init__(self, world: World, indicators: Indicators, faults: FaultPlayer) -> None:
        self._world = world
        self._indicators = indicators
        self._faults = faults
        self.active: dict[str, _Impact] = {}

    def check(self, now: float) -> None:
        """Judge the windows that end now."""
        for name, request_class in self._world.scenario.load.classes.items():
            indicator = request_class.indicator
            offered, good, lost = self._indicators.answered(name, indicator.window, now)
            if max(offered, good + lost) < LEAST_ANSWERS:
                continue
            ratio = good / (good + lost) if good + lost else 0.0
            impact = self.active.get(name)
            if ratio < indicator.good:
                self._bad(name, impact, ratio, now)
            elif impact is not None:
                impact.good_since = now if impact.good_since is None else impact.good_since
                if now - impact.good_since >= indicator.recovered_after:
                    self._end(name, impact, ratio)

    def _bad(self, name: str, impact: _Impact | None, ratio: float, now: float) -> None:
        if impact is not None:
            impact.worst = min(impact.worst, ratio)
            impact.good_since = None
            return
        request_class = self._world.scenario.load.classes[name]
        lost_before = (
            self._indicators.answered(name, now, now)[2] - self._indicators.answered(name, request_class.indicator.window, now)[2]
        )
        self.active[name] = _Impact(now, ratio, lost_before)
        self._world.record(
            "impact.started",
            f"class/{name}",
            flow=name,
            good_ratio=ratio,
            objective=request_class.indicator.good,
            cause=sorted(self._faults.active),
        )
        self._world.tell("impact.started", name)

    def _end(self, name: str, impact: _Impact, ratio: float) -> None:
        since = impact.good_since
        assert since is not None
        del self.active[name]
        lost = self._indicators.answered(name, since, since)[2] - impact.lost_before
        objective = self._world.scenario.load.classes[name].indicator.good
        data = {"flow": name, "good_ratio": ratio, "objective": objective, "worst_good_ratio": impact.worst, "lost": lost}
        self._world.recorder.record(since, "impact.ended", f"class/{name}", data)
        self._world.tell("impact.ended", name)
