"""What the monitoring has measured so far: the results of its scrapes and probes, as the indicators that alert rules ask for.

The rule that surprises: it knows only what reached it. A request that came to no living entry leaves no trace in server-side counters;
an entry that cannot be reached keeps its last known count, and what it counted meanwhile appears when it is reached again. Where the
clients count (`monitoring.counted_by`), a request shows when its client knows what became of it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection
from dataclasses import dataclass, field

from gameday.alerting.candidates import links_of
from gameday.alerting.source import PROBE_FAILURES
from sim.day import Day
from sim.traffic import Observation
from sim.world import World

STALE_S = 300.0
"""Age from which the last measurement counts for nothing (Prometheus, default of --query.lookback-delta)."""
GAUGES = frozenset({"queue_length", "replication_lag"})
"""Indicators that are read at a scrape and averaged over the scrapes of a window."""


@dataclass(frozen=True, slots=True)
class Scrape:
    """What one round of scrapes brought."""

    at: float
    serving: dict[int, dict[int, int]]
    """Per station that was reached: its instances that answered, by their zone."""
    answered: tuple[tuple[int, int], ...]
    """Per flow: good and lost requests, as the entries that were reached, or the clients, have counted them."""
    lag_s: dict[str, float]
    """Replication lag per replica that was reached: `orders@eu-2a`."""
    links: dict[str, bool]
    """Whether each region could reach each other one, as a prober in a region that was reached tells."""


@dataclass(slots=True)
class ProbeState:
    """Results of one probe from one origin, by the time they were known."""

    times: list[float] = field(default_factory=list)
    results: list[bool] = field(default_factory=list)
    failures_in_a_row: int = 0

    def keep(self, at: float, passed: bool) -> None:
        """A result has come in."""
        self.times.append(at)
        self.results.append(passed)
        self.failures_in_a_row = 0 if passed else self.failures_in_a_row + 1

    def is_known(self, now: float) -> bool:
        """Whether there is a result that is not stale; a probe that is sent rarely lives as long as two of its intervals."""
        if not self.times:
            return False
        usual = self.times[-1] - self.times[-2] if len(self.times) > 1 else 0.0
        return now - self.times[-1] <= max(STALE_S, 2.0 * usual)


def told_from(world: World, one: str, other: str) -> bool:
    """What a prober in a region says of another: it answers where it works and can be reached."""
    return world.place_works(f"region/{other}") and world.reachable(f"region/{one}", f"region/{other}")


class Scrapes:
    """Everything measured: an indicator source for the alert rules."""

    def __init__(self, day: Day) -> None:
        self._day = day
        self._every_s = day.world.scenario.monitoring.scrape
        self._by_clients = day.world.scenario.monitoring.counted_by == "clients"
        self._times: list[float] = []
        self._scrapes: list[Scrape] = []
        self._serving: dict[int, dict[int, int]] | None = None
        self._version = 0
        self._seen: dict[tuple[int, int], tuple[int, int]] = {}
        self.probes: dict[str, ProbeState] = {}

    # -- measuring ------------------------------------------------------------------------------------------------------

    def scrape(self) -> None:
        """Measure everything that can be reached now."""
        world = self._day.world
        if self._serving is None or self._version != world.version:
            self._serving, self._version = self._find_serving(), world.version
        serving = self._serving
        world.sync()
        answered = self._answered(world.engine.observe(), serving)
        self._times.append(world.env.now)
        self._scrapes.append(Scrape(world.env.now, serving, answered, self._lags(serving), self._links()))

    def _find_serving(self) -> dict[int, dict[int, int]]:
        """Per station that can be reached now: its instances that answer, by their zone."""
        reached, serving = self._zones_reached(), dict[int, dict[int, int]]()
        for station, units in enumerate(self._day.world.units):
            for unit in units:
                if unit.serving and unit.zone in reached:
                    zones = serving.setdefault(station, {})
                    zones[unit.zone] = zones.get(unit.zone, 0) + 1
        return serving

    def _zones_reached(self) -> set[int]:
        """Engine zones whose instances can be asked; of a third party we ask nobody, our callers count its answers."""
        world, location = self._day.world, self._day.world.scenario.monitoring.location
        reached = set()
        for zone, position in world.wiring.zones.items():
            kind, slash, _ = zone.partition("/")
            if kind == "provider":
                reached.add(position)
            elif kind == "region":
                if world.place_works(zone) and world.reachable(location, zone):
                    reached.add(position)
            elif not slash and world.zone_alive(zone) and world.reachable(location, f"zone/{zone}"):
                reached.add(position)
        return reached

    def _answered(self, seen: Observation, serving: Collection[int]) -> tuple[tuple[int, int], ...]:
        """Counters per flow, of its clients or added up over the entries; an entry that cannot be reached keeps its last known count."""
        if self._by_clients:
            return tuple((good, sum(lost)) for good, lost in zip(seen.good, seen.lost, strict=True))
        sums = []
        for flow, places in enumerate(seen.entered):
            good = lost = 0
            for station, counts in places.items():
                if station in serving:
                    self._seen[flow, station] = (counts[0], counts[1])
                known = self._seen.get((flow, station), (0, 0))
                good, lost = good + known[0], lost + known[1]
            sums.append((good, lost))
        return tuple(sums)

    def _links(self) -> dict[str, bool]:
        """Probers in the regions try each other; one that cannot be reached from here tells nothing."""
        world, location = self._day.world, self._day.world.scenario.monitoring.location
        told = {
            region: world.place_works(f"region/{region}") and world.reachable(location, f"region/{region}")
            for region in world.scenario.system.regions
        }
        found: dict[str, bool] = {}
        for link, (one, other) in links_of(world.scenario.system).items():
            ways = [(a, b) for a, b in ((one, other), (other, one)) if told[a]]
            if ways:
                found[link] = all(told_from(world, a, b) for a, b in ways)
        return found

    def cut_since(self, link: str, since: float, until: float) -> bool:
        """Whether a link was found cut by a scrape in (since, until]."""
        first, last = bisect_right(self._times, since + 1e-9), bisect_right(self._times, until + 1e-9)
        return any(scrape.links.get(link) is False for scrape in self._scrapes[first:last])

    def _lags(self, serving: Collection[int]) -> dict[str, float]:
        world, found = self._day.world, {}
        for name, cluster in world.clusters.items():
            for zone, station in world.wiring.nodes[name].items():
                lag_s = cluster.lag_of(zone) if station in serving else None
                if lag_s is not None:
                    found[f"{name}@{zone}"] = lag_s
        return found

    def times_between(self, after: float, until: float) -> list[float]:
        """Times of the scrapes in (after, until]."""
        return self._times[bisect_right(self._times, after + 1e-9) : bisect_right(self._times, until + 1e-9)]

    # -- asking ---------------------------------------------------------------------------------------------------------

    def value(self, indicator: str, subject: str, window_s: float, now: float) -> float | None:
        """An indicator over the window that ends at the last scrape; None when that scrape brought nothing of the subject."""
        kind, _, name = subject.partition("/")
        if kind == "probe":
            return self._probe_value(indicator, name, window_s, now)
        last = self._last(now)
        if last is None or now - last.at > max(STALE_S, window_s):
            return None
        if indicator == "instances_up":
            return self._instances_up(subject, window_s, now)
        if kind == "class":
            return self._class_value(indicator, name, window_s or self._every_s, last)
        stations = [s for s in self._day.indicators.stations_of(subject) if s in last.serving]
        if not stations:
            return None
        if indicator in GAUGES:
            return self._gauge(indicator, subject, window_s, last)
        return self._day.indicators.value(indicator, subject, window_s or self._every_s, last.at, stations)

    def _last(self, now: float) -> Scrape | None:
        position = bisect_right(self._times, now + 1e-9) - 1
        return self._scrapes[position] if position >= 0 else None

    def _class_value(self, indicator: str, name: str, window_s: float, last: Scrape) -> float | None:
        """Of the requests that were counted; who counts keeps the latencies too, and of the entries one must have been reached."""
        flows = [flow for (owner, _), flow in self._day.world.wiring.flows.items() if owner == name]
        entry = self._day.world.scenario.load.classes[name].entry
        if indicator not in ("error_ratio", "request_rate"):
            reached = self._by_clients or any(
                station in last.serving for station in self._day.world.wiring.services[entry].values()
            )
            return self._day.indicators.value(indicator, f"class/{name}", window_s, last.at) if reached else None
        old = self._start_of(window_s, last)
        if old is None:
            return None
        good = sum(last.answered[f][0] - old.answered[f][0] for f in flows)
        lost = sum(last.answered[f][1] - old.answered[f][1] for f in flows)
        if indicator == "request_rate":
            return (good + lost) / (last.at - old.at)
        return lost / (good + lost) if good + lost else None

    def _start_of(self, window_s: float, last: Scrape) -> Scrape | None:
        """The scrape a window begins with: the last one before it, or where scrapes are missing the first one in it."""
        start = last.at - window_s
        position = bisect_right(self._times, start + 1e-9) - 1
        if position < 0 or start - self._times[position] > self._every_s:
            position += 1
        return self._scrapes[position] if self._times[position] < last.at else None

    def _gauge(self, indicator: str, subject: str, window_s: float, last: Scrape) -> float | None:
        """Mean over the scrapes of the window that brought something of the subject."""
        first = bisect_right(self._times, last.at - window_s + 1e-9)
        until = bisect_right(self._times, last.at + 1e-9)
        values = [self._reading(indicator, subject, each) for each in self._scrapes[min(first, until - 1) : until]]
        known = [value for value in values if value is not None]
        return sum(known) / len(known) if known else None

    def _reading(self, indicator: str, subject: str, scrape: Scrape) -> float | None:
        """A gauge at one scrape; of a database without a place the replica that is furthest behind."""
        if indicator == "replication_lag":
            name, _, place = subject.partition("/")[2].partition("@")
            nodes = [f"{name}@{place}"] if place else [node for node in scrape.lag_s if node.startswith(f"{name}@")]
            return max((scrape.lag_s[node] for node in nodes if node in scrape.lag_s), default=None)
        stations = [s for s in self._day.indicators.stations_of(subject) if s in scrape.serving]
        return self._day.indicators.value(indicator, subject, 0.0, scrape.at, stations) if stations else None

    def _instances_up(self, subject: str, window_s: float, now: float) -> float | None:
        """Mean over the scrapes of the window of how many instances answered; None when none did in any."""
        stations, zone = self._stations_in(subject)
        first = bisect_right(self._times, now - window_s)
        last = bisect_right(self._times, now + 1e-9)
        counts = []
        for scrape in self._scrapes[min(first, max(0, last - 1)) : last]:
            zones = [scrape.serving[station] for station in stations if station in scrape.serving]
            counts.append(sum(each.get(zone, 0) if zone is not None else sum(each.values()) for each in zones))
        return sum(counts) / len(counts) if any(counts) else None

    def _stations_in(self, subject: str) -> tuple[list[int], int | None]:
        """Stations of a subject, and the engine zone it is narrowed to; a place is judged by its services."""
        kind, _, name = subject.partition("/")
        wiring = self._day.world.wiring
        if kind == "region":
            return [places[name] for places in wiring.services.values() if name in places], None
        if kind == "zone":
            region = self._day.world.topology.region_of(name)
            return [places[region] for places in wiring.services.values() if region in places], wiring.zones[name]
        return self._day.indicators.stations_of(subject), None

    def _probe_value(self, indicator: str, name: str, window_s: float, now: float) -> float | None:
        states = [
            state for key, state in self.probes.items() if (key == name or key.startswith(f"{name}@")) and state.is_known(now)
        ]
        if indicator == PROBE_FAILURES:
            return max((float(state.failures_in_a_row) for state in states), default=None)
        results: list[bool] = []
        for state in states:
            first = bisect_left(state.times, now - window_s) if window_s else len(state.times) - 1
            results += state.results[first : bisect_right(state.times, now)]
        return sum(results) / len(results) if results else None
