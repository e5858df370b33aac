"""What monitoring knows when it pages: how far every component is from its own last minutes, from scrapes alone.

The rule that surprises: nothing is read from the world. A component behind a cut is measured as the scrapes before the cut left it, and
one that stopped answering is known only by its instances that answer no more.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gameday.alerting.seasonal import robust_spread
from sim.day import Day
from sim.scrapes import Scrapes

WINDOW_S = 60.0
"""Window of every measurement."""
BEFORE_S = tuple(float(back) for back in range(180, 780, 60))
"""How long ago the measurements were taken that tell what was usual: three to twelve minutes."""
LEAST_SPREAD = {"error_ratio": 0.01, "utilisation": 0.05}
"""Smallest usual spread of an indicator. Assumption: a point of errors and five points of load are noticed, less is not."""
DEVIATIONS = 4.0
"""Robust deviations at which a component is half anomalous, the default of baseline rules."""
LEAST_ANOMALY = 0.05
"""Anomalies below this are not worth keeping."""


def evidence(day: Day, scrapes: Scrapes) -> dict[str, float]:
    """Component (node of the dependency graph) to how anomalous it is, 0 to 1."""
    found = dict(_components(day, scrapes))
    zones = dict(_zones(day, scrapes))
    for region, model in day.world.scenario.system.regions.items():
        # A region explains what all its zones suffer, and no more.
        zones[f"region/{region}"] = min((zones.get(f"zone/{zone}", 0.0) for zone in model.zones), default=0.0)
    everything = {**found, **zones}
    return {name: round(value, 4) for name, value in sorted(everything.items()) if value >= LEAST_ANOMALY}


def _components(day: Day, scrapes: Scrapes) -> Iterator[tuple[str, float]]:
    topology, system = day.world.topology, day.world.scenario.system
    names = [f"service/{name}@{region}" for name in system.services for region in topology.regions_with(name)]
    names += [f"database/{name}@{node.zone}" for name in system.databases for node in topology.nodes_of(name)]
    names += [f"queue/{name}@{ref.region}" for name in system.queues for ref in topology.queues_of(name)]
    names += [f"provider/{name}" for name in system.providers]
    for name in names:
        indicators = ("error_ratio", "utilisation")
        unusual = max(_unusual(day, scrapes, indicator, name) for indicator in indicators)
        yield name, max(unusual, 0.0 if name.startswith("provider/") else _gone(day, scrapes, name))


def _zones(day: Day, scrapes: Scrapes) -> Iterator[tuple[str, float]]:
    for zone in day.world.topology.zones:
        yield f"zone/{zone}", _gone(day, scrapes, f"zone/{zone}")


def _unusual(day: Day, scrapes: Scrapes, indicator: str, subject: str) -> float:
    """How far above its last minutes an indicator is: 0 = as usual, 0.5 = four robust deviations, towards 1."""
    now = day.world.env.now
    value = scrapes.value(indicator, subject, WINDOW_S, now)
    past = [scrapes.value(indicator, subject, WINDOW_S, now - back) for back in BEFORE_S if back < now]
    known = [each for each in past if each is not None]
    if value is None or not known:
        return 0.0
    spread = max(robust_spread(known), LEAST_SPREAD[indicator])
    far = max(0.0, value - float(np.median(known))) / spread
    return far / (far + DEVIATIONS)


def _gone(day: Day, scrapes: Scrapes, subject: str) -> float:
    """Share of the instances that answered once and answer no more."""
    now, newest = day.world.env.now, day.world.scenario.monitoring.scrape
    most = max(
        (scrapes.value("instances_up", subject, WINDOW_S, now - back) or 0.0 for back in BEFORE_S if back < now), default=0.0
    )
    if most <= 0.0:
        return 0.0
    return max(0.0, 1.0 - (scrapes.value("instances_up", subject, newest, now) or 0.0) / most)
