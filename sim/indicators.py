"""What can be measured: counters of the data plane kept second by second, and the indicators computed from them.

This is ground truth. Monitoring sees it only through its scrapes: it asks for values at the times of its own last scrape, and only
of what it could reach. Every window is a difference of two cumulative counts, so nothing is averaged twice.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass

from sim.traffic import Observation, bucket_upper_s
from sim.wiring import Wiring

HISTOGRAM_EVERY_S = 5
"""Latency histograms and station counters are kept every five seconds, request counts every second."""


@dataclass(frozen=True, slots=True)
class FlowSample:
    """Cumulative requests per flow at one second."""

    offered: tuple[int, ...]
    good: tuple[int, ...]
    lost: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class StationSample:
    """Cumulative station counters and gauges, and latency histograms per flow, at one multiple of five seconds."""

    arrived: tuple[int, ...]
    completed: tuple[int, ...]
    failed: tuple[int, ...]
    busy_s: tuple[float, ...]
    queued: tuple[int, ...]
    slots: tuple[int, ...]
    latency: tuple[tuple[int, ...], ...]


class Indicators:
    """Samples of the engine's counters and the indicators over any past window."""

    def __init__(self, wiring: Wiring, lag_s: Callable[[str], float | None]) -> None:
        """`lag_s(database)` is the largest replication lag of a database at this instant, None without replicas."""
        self._wiring = wiring
        self._lag_s = lag_s
        self._times: list[float] = []
        self._flows: list[FlowSample] = []
        self._station_times: list[float] = []
        self._stations: list[StationSample] = []
        self._lags: list[dict[str, float]] = []
        self._flows_of_class = {
            name: [flow for (owner, _), flow in wiring.flows.items() if owner == name] for name in wiring.classes
        }

    def take(self, now: float, seen: Observation) -> None:
        """Keep the counters of this instant; called every second."""
        self._times.append(now)
        lost = tuple(map(sum, seen.lost))
        self._flows.append(FlowSample(tuple(seen.offered), tuple(seen.good), lost))
        if round(now) % HISTOGRAM_EVERY_S == 0:
            self._station_times.append(now)
            self._stations.append(
                StationSample(
                    tuple(seen.arrived),
                    tuple(seen.completed),
                    tuple(seen.failed),
                    tuple(seen.busy_s),
                    tuple(seen.queued),
                    tuple(seen.slots),
                    tuple(map(tuple, seen.latency)),
                )
            )
            lags = {name: self._lag_s(name) for name in self._wiring.nodes}
            self._lags.append({name: lag for name, lag in lags.items() if lag is not None})

    def answered(self, request_class: str, window_s: float, at: float) -> tuple[int, int, int]:
        """Offered, good and lost requests of a class in the window that ends at `at`."""
        new, old = self._flow_pair(window_s, at)
        if new is None or old is None:
            return 0, 0, 0
        flows = self._flows_of_class[request_class]
        return (
            sum(new.offered[f] - old.offered[f] for f in flows),
            sum(new.good[f] - old.good[f] for f in flows),
            sum(new.lost[f] - old.lost[f] for f in flows),
        )

    def good_ratio(self, request_class: str, window_s: float, at: float) -> float | None:
        """Share of good answers among those that ended in the window; 0 when requests came and none ended; None without any."""
        offered, good, lost = self.answered(request_class, window_s, at)
        if good + lost:
            return good / (good + lost)
        return 0.0 if offered >= 5 else None

    def flow_good_ratio(self, request_class: str, origin: str, window_s: float, at: float) -> float | None:
        """The same for one class from one origin; None when nothing ended and nothing came."""
        new, old = self._flow_pair(window_s, at)
        flow = self._wiring.flows.get((request_class, origin))
        if new is None or old is None or flow is None:
            return None
        good, lost = new.good[flow] - old.good[flow], new.lost[flow] - old.lost[flow]
        if good + lost:
            return good / (good + lost)
        return 0.0 if new.offered[flow] > old.offered[flow] else None

    def latency(self, request_class: str, quantile: float, window_s: float, at: float) -> float | None:
        """Latency quantile of answered requests in the window, to the upper edge of its 9 % wide bucket."""
        new, old = self._station_pair(max(window_s, 2.0 * HISTOGRAM_EVERY_S), at)
        if new is None or old is None:
            return None
        counts = [0] * len(new.latency[0])
        for flow in self._flows_of_class[request_class]:
            before = old.latency[flow]
            for bucket, count in enumerate(new.latency[flow]):
                if count:
                    counts[bucket] += count - before[bucket]
        total = sum(counts)
        if not total:
            return None
        wanted, seen = quantile * total, 0
        for bucket, count in enumerate(counts):
            seen += count
            if seen >= wanted and count:
                return bucket_upper_s(bucket)
        return None

    def utilisation(self, stations: list[int], window_s: float, at: float) -> float | None:
        """Busy slots over slots of running instances, averaged over the window; None when nothing runs."""
        new, old = self._station_pair(max(window_s, HISTOGRAM_EVERY_S), at)
        if new is None or old is None:
            return None
        slots = sum(new.slots[s] + old.slots[s] for s in stations) / 2.0
        span = self._span(max(window_s, HISTOGRAM_EVERY_S), at)
        if slots <= 0.0 or span <= 0.0:
            return None
        return sum(new.busy_s[s] - old.busy_s[s] for s in stations) / (slots * span)

    def value(self, indicator: str, subject: str, window_s: float, at: float, stations: list[int] | None = None) -> float | None:
        """An indicator of `class/…`, `service/…[@region]`, `database/…` or `queue/…[@region]` at a past instant; None = no data.

        `stations` narrows it to some of the subject's stations.
        """
        kind, _, name = subject.partition("/")
        if kind == "class":
            return self._class_value(indicator, name, window_s, at)
        stations = self.stations_of(subject) if stations is None else stations
        new, old = self._station_pair(max(window_s, HISTOGRAM_EVERY_S), at)
        if new is None or old is None or not stations:
            return None
        if indicator == "utilisation":
            return self.utilisation(stations, window_s, at)
        if indicator == "queue_length":
            return float(sum(new.queued[s] for s in stations))
        if indicator == "error_ratio":
            failed = sum(new.failed[s] - old.failed[s] for s in stations)
            ended = failed + sum(new.completed[s] - old.completed[s] for s in stations)
            return failed / ended if ended else None
        if indicator == "request_rate":
            span = self._span(max(window_s, HISTOGRAM_EVERY_S), at)
            return sum(new.arrived[s] - old.arrived[s] for s in stations) / span if span else None
        if indicator == "instances_up":
            each = self._wiring.plan.stations
            return float(sum(new.slots[s] // max(1, each[s].instances[0].slots) for s in stations))
        if indicator == "replication_lag":
            return self._lags[self._position(self._station_times, at)].get(name)
        return None

    def stations_of(self, subject: str) -> list[int]:
        """Stations of a subject; `@` narrows to a region, or for a database to a node's zone."""
        kind, _, rest = subject.partition("/")
        name, _, place = rest.partition("@")
        table = {"service": self._wiring.services, "database": self._wiring.nodes, "queue": self._wiring.queues}.get(kind)
        if kind == "provider":
            return [self._wiring.providers[name]]
        if table is None or name not in table:
            return []
        return [station for where, station in table[name].items() if not place or where == place]

    def _class_value(self, indicator: str, name: str, window_s: float, at: float) -> float | None:
        if indicator == "error_ratio":
            good = self.good_ratio(name, window_s, at)
            return None if good is None else 1.0 - good
        if indicator == "request_rate":
            return self.answered(name, window_s, at)[0] / window_s if window_s else None
        quantiles = {"latency_p50": 0.5, "latency_p95": 0.95, "latency_p99": 0.99}
        if indicator in quantiles:
            return self.latency(name, quantiles[indicator], window_s, at)
        return None

    @staticmethod
    def _position(times: list[float], at: float) -> int:
        return max(0, bisect_right(times, at + 1e-9) - 1)

    def _flow_pair(self, window_s: float, at: float) -> tuple[FlowSample | None, FlowSample | None]:
        if not self._times:
            return None, None
        return self._flows[self._position(self._times, at)], self._flows[self._position(self._times, at - window_s)]

    def _station_pair(self, window_s: float, at: float) -> tuple[StationSample | None, StationSample | None]:
        if not self._station_times:
            return None, None
        times = self._station_times
        return self._stations[self._position(times, at)], self._stations[self._position(times, at - window_s)]

    def _span(self, window_s: float, at: float) -> float:
        times = self._station_times
        return times[self._position(times, at)] - times[self._position(times, at - window_s)]
