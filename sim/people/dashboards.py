"""What responders see: the indicators of the service level at the times of the monitoring's scrapes, or what trying it by hand shows.

The rule that surprises: good dashboards and no dashboards are different things. While the monitoring is gone, people know what their
last try by hand showed them, some requests every few minutes, and nothing at all before the first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gameday.impact import LEAST_ANSWERS
from sim.day import Day
from sim.monitoring import OUTSIDE, Monitor

MINUTE_S = 60.0
"""What is good now was good at every scrape of the last minute; shares of lost requests are those of a minute."""
LOOK_BACK_S = 900.0
"""Stretch of the graphs that somebody who comes to them looks at first. Assumption."""
BY_HAND_EVERY_S = 300.0
"""Without dashboards it takes so long to find out by hand what works. Assumption."""
TRIES_BY_HAND = 20
"""Requests of each class that somebody sends in a try by hand. Assumption."""


@dataclass(frozen=True, slots=True)
class View:
    """What is seen at one time."""

    at: float
    known: bool
    """Whether anything is seen at all."""
    lost: Mapping[str, float] = field(default_factory=dict)
    """Share of lost requests of each class that is hurt."""
    regions: tuple[str, ...] = ()
    """Regions whose clients are hurt, where that can be seen."""

    @property
    def bad(self) -> bool:
        """Whether users are hurt as far as one sees; one who sees nothing does not take it for good."""
        return bool(self.lost) or not self.known


class Dashboards:
    """The graphs of a day."""

    def __init__(self, day: Day, monitor: Monitor) -> None:
        self._day = day
        self._world = day.world
        self._monitor = monitor
        self._draws = day.world.streams.draws("tries by hand")
        self._history: dict[float, dict[str, float]] = {}
        self._trying_since: float | None = None
        self._by_hand = View(0.0, known=False)

    def blind(self) -> bool:
        """Whether the graphs cannot be seen, or show nothing of the last minutes."""
        settings, now = self._world.scenario.monitoring, self._world.env.now
        if not self._monitor.works() or self._monitor.isolated():
            return True
        return not self._monitor.scrapes.times_between(now - max(MINUTE_S, 2.0 * settings.scrape), now)

    def candidates(self) -> list[str]:
        """Root-cause candidates, the likeliest first; none where the scenario shows none, or nothing can be seen."""
        return self._monitor.candidates() if self._world.scenario.response.candidates and not self.blind() else []

    def now(self) -> View:
        """What is seen now."""
        if self.blind():
            return self._try_by_hand()
        self._trying_since = None
        self._by_hand = View(0.0, known=False)
        now = self._world.env.now
        times = self._monitor.scrapes.times_between(now - max(MINUTE_S, 2.0 * self._world.scenario.monitoring.scrape), now)
        hurt = {name for t in times for name in self._hurt_at(t)}
        at = times[-1]
        return View(at, known=True, lost={name: self._lost(name, at) for name in sorted(hurt)}, regions=self._regions(hurt, at))

    def lost_of(self, classes: Sequence[str], region: str | None) -> dict[str, float] | None:
        """Share of lost requests in the last minute of each class, of all clients or those at home in a region; None = unknown.

        Who has to try by hand knows nothing of single regions.
        """
        if self.blind():
            view = self.now()
            return {name: view.lost.get(name, 0.0) for name in classes} if view.known else None
        now = self._world.env.now
        at = self._monitor.scrapes.times_between(now - max(MINUTE_S, 2.0 * self._world.scenario.monitoring.scrape), now)[-1]
        if region is None:
            return {name: self._lost(name, at) for name in classes}
        origins = [origin for origin, place in self._world.wiring.origins.items() if place.region == region]
        goods = {
            name: [self._day.indicators.flow_good_ratio(name, origin, MINUTE_S, at) for origin in origins] for name in classes
        }
        return {name: 1.0 - min((good for good in each if good is not None), default=1.0) for name, each in goods.items()}

    def lately(self, since: float) -> dict[str, float]:
        """Worst share of lost requests in a minute per class that the graphs show as hurt, over the last quarter of an hour."""
        if self.blind():
            return dict(self.now().lost)
        worst: dict[str, float] = {}
        now = self._world.env.now
        for t in self._monitor.scrapes.times_between(max(since, now - LOOK_BACK_S), now):
            for name, share in self._hurt_at(t).items():
                worst[name] = max(worst.get(name, 0.0), share)
        return worst

    def began(self, since: float) -> float | None:
        """When the graphs say it began: the first bad scrape before which a minute was good; None where there are no graphs."""
        now = self._world.env.now
        bad = [] if self.blind() else [t for t in self._monitor.scrapes.times_between(since, now) if self._hurt_at(t)]
        if not bad:
            return None
        longest_gap_s = max(MINUTE_S, 2.0 * self._world.scenario.monitoring.scrape)
        began = bad[-1]
        for t in reversed(bad):
            if began - t > longest_gap_s:
                break
            began = t
        return began

    def ended(self, since: float) -> float:
        """When the graphs say it was over: the first scrape after the last bad one; now, where there are no graphs."""
        now = self._world.env.now
        times = [] if self.blind() else self._monitor.scrapes.times_between(since, now)
        bad = [position for position, t in enumerate(times) if self._hurt_at(t)]
        return times[min(bad[-1] + 1, len(times) - 1)] if bad else now

    def _hurt_at(self, t: float) -> dict[str, float]:
        """Classes whose indicator is below its objective at a scrape, with the share of requests lost in that minute."""
        if t not in self._history:
            found = {}
            for name, request_class in self._world.scenario.load.classes.items():
                indicator = request_class.indicator
                offered, good, lost = self._day.indicators.answered(name, indicator.window, t)
                if t <= self._world.scenario.warmup or max(offered, good + lost) < LEAST_ANSWERS:
                    continue
                if (good / (good + lost) if good + lost else 0.0) < indicator.good:
                    found[name] = self._lost(name, t)
            self._history[t] = found
        return self._history[t]

    def _lost(self, name: str, t: float) -> float:
        good = self._day.indicators.good_ratio(name, MINUTE_S, t)
        return 0.0 if good is None else 1.0 - good

    def _regions(self, hurt: set[str], t: float) -> tuple[str, ...]:
        """Home regions of the clients that lose more than their class's objective allows."""
        found = set()
        for origin, place in self._world.wiring.origins.items():
            for name in hurt:
                good = self._day.indicators.flow_good_ratio(name, origin, MINUTE_S, t)
                if good is not None and good < self._world.scenario.load.classes[name].indicator.good:
                    found.add(place.region)
        return tuple(sorted(found))

    def _try_by_hand(self) -> View:
        now = self._world.env.now
        if self._trying_since is None:
            self._trying_since = now
        if now - self._trying_since < BY_HAND_EVERY_S - 1e-6:
            return self._by_hand
        self._trying_since = now
        lost = {}
        for name, request_class in self._world.scenario.load.classes.items():
            good = self._day.indicators.good_ratio(name, MINUTE_S, now)
            failed = sum(self._draws.uniform() >= (1.0 if good is None else good) for _ in range(TRIES_BY_HAND))
            if failed / TRIES_BY_HAND > 1.0 - request_class.indicator.good + 1e-9:
                lost[name] = failed / TRIES_BY_HAND
        self._by_hand = View(now, known=True, lost=lost, regions=self._known_to_be_gone())
        return self._by_hand

    def _known_to_be_gone(self) -> tuple[str, ...]:
        """Without dashboards one knows only of the place in which the monitoring itself is gone."""
        location = self._world.scenario.monitoring.location
        if location == OUTSIDE or self._monitor.works():
            return ()
        kind, _, name = location.partition("/")
        return (name if kind == "region" else self._world.topology.region_of(name),)
