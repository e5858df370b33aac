"""What monitoring knows when it pages: how far every component is from its own last minutes, from scrapes alone.

The rule that surprises: nothing is read from the world. A component behind a cut is measured as the scrapes before the cut left it, and
one that stopped answering is known only by its instances that answer no more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from gameday.alerting.candidates import links_of
from gameday.alerting.seasonal import robust_spread
from sim.day import Day
from sim.scrapes import Scrapes

WINDOW_S = 60.0
"""Window of every measurement."""
BEFORE_S = tuple(float(back) for back in range(180, 780, 60))
"""How long before the oldest alert began to fire the measurements were taken that tell what was usual: three to twelve minutes."""
CUT_MATTERS_S = 900.0
"""How long before the oldest alert a link may have been cut, also one that is whole again: what a cut has begun outlives it. Assumption: the
stretch of the graphs that somebody who comes to them looks at first."""
HELD = "held"
"""How long a request holds a slot, of the component itself and of what it waits for: the one sign of a third party that is slow."""
LEAST_SPREAD = {"error_ratio": 0.01, "utilisation": 0.05, HELD: 0.1}
"""Smallest usual spread of an indicator. Assumption: a point of errors, five points of load and a tenth of the time are noticed, less is
not."""
DEVIATIONS = 4.0
"""Robust deviations at which a component is half anomalous, the default of baseline rules."""
LEAST_ANOMALY = 0.05
"""Anomalies below this are not worth keeping."""


def evidence(day: Day, scrapes: Scrapes, began: float) -> dict[str, float]:
    """Component (node of the dependency graph) to how anomalous it is, 0 to 1; `began`: when the oldest alert that fires began to."""
    past = _Past(scrapes, day.world.env.now, tuple(began - back for back in BEFORE_S if back < began))
    found = dict(_components(day, past))
    zones = {f"zone/{zone}": past.gone(f"zone/{zone}") for zone in day.world.topology.zones}
    for region, model in day.world.scenario.system.regions.items():
        # A region explains what all its zones suffer, and no more.
        zones[f"region/{region}"] = min((zones.get(f"zone/{zone}", 0.0) for zone in model.zones), default=0.0)
    now = day.world.env.now
    links = {link: float(scrapes.cut_since(link, began - CUT_MATTERS_S, now)) for link in links_of(day.world.scenario.system)}
    everything = {**found, **zones, **links}
    return {name: round(value, 4) for name, value in sorted(everything.items()) if value >= LEAST_ANOMALY}


def _components(day: Day, past: _Past) -> Iterator[tuple[str, float]]:
    topology, system = day.world.topology, day.world.scenario.system
    names = [f"service/{name}@{region}" for name in system.services for region in topology.regions_with(name)]
    names += [f"database/{name}@{node.zone}" for name in system.databases for node in topology.nodes_of(name)]
    names += [f"queue/{name}@{ref.region}" for name in system.queues for ref in topology.queues_of(name)]
    for name in names:
        yield name, max(past.gone(name), *(past.unusual(indicator, name) for indicator in LEAST_SPREAD))
    for name in system.providers:
        yield f"provider/{name}", max(past.unusual(indicator, f"provider/{name}") for indicator in LEAST_SPREAD)


@dataclass(frozen=True, slots=True)
class _Past:
    """Measurements of now and of the instants that tell what was usual."""

    scrapes: Scrapes
    now: float
    before: tuple[float, ...]

    def unusual(self, indicator: str, subject: str) -> float:
        """How far above its past an indicator is: 0 = as usual, 0.5 = four robust deviations, towards 1."""
        value = self._value(indicator, subject, self.now)
        past = [self._value(indicator, subject, at) for at in self.before]
        known = [each for each in past if each is not None]
        if value is None or not known:
            return 0.0
        usual = median(known)
        least = LEAST_SPREAD[indicator] * (usual if indicator == HELD else 1.0)
        spread = max(robust_spread(known), least, 1e-9)
        far = max(0.0, value - usual) / spread
        return far**2 / (far**2 + DEVIATIONS**2)

    def _value(self, indicator: str, subject: str, at: float) -> float | None:
        """A measurement; how long a request holds a slot is what is in use over what comes (Little's law), up to a constant."""
        if indicator != HELD:
            return self.scrapes.value(indicator, subject, WINDOW_S, at)
        used, rate = (self.scrapes.value(each, subject, WINDOW_S, at) for each in ("utilisation", "request_rate"))
        return None if used is None or not rate else used / rate

    def gone(self, subject: str) -> float:
        """Share of the instances that answered once and answer no more."""
        most = max((self.scrapes.value("instances_up", subject, WINDOW_S, at) or 0.0 for at in self.before), default=0.0)
        return max(0.0, 1.0 - (self.scrapes.value("instances_up", subject, 0.0, self.now) or 0.0) / most) if most else 0.0
