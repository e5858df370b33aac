"""What can be measured: counters of the data plane kept second by second, and the indicators computed from them.

This is ground truth. Monitoring sees it only through its scrapes: it asks for values at the times of its own last scrape, and only
of what it could reach. Every window is a difference of two cumulative counts, so nothing is averaged twice. The rule that surprises:
a window ends at the newest sample, so one asked for between two samples is as long as one asked for at a sample.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sim.traffic import Observation, bucket_upper_s
from sim.wiring import Wiring

if TYPE_CHECKING:
    from numpy.typing import NDArray

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
    slot_s: tuple[float, ...]
    queued: tuple[int, ...]
    latency: NDArray[np.int64]


class Indicators:
    """Samples of the engine's counters and the indicators over any past window."""

    def __init__(self, wiring: Wiring, slot_s: Callable[[int], float]) -> None:
        """`slot_s(station)` is how many seconds of slots its running instances have offered so far."""
        self._wiring = wiring
        self._slot_s = slot_s
        self._times: list[float] = []
        self._flows: list[FlowSample] = []
        self._station_times: list[float] = []
        self._stations: list[StationSample] = []
        self._flows_of_class = {
            name: [flow for (owner, _), flow in wiring.flows.items() if owner == name] for name in wiring.classes
        }

    def take(self, now: float, seen: Observation) -> None:
        """Keep the counters of this instant; called every second."""
        self._times.append(now)
        lost = tuple(map(sum, seen.lost))
        self._flows.append(FlowSample(tuple(seen.offered), tuple(seen.good), lost))
        if now % HISTOGRAM_EVERY_S == 0.0:
            self._station_times.append(now)
            self._stations.append(
                StationSample(
                    tuple(seen.arrived),
                    tuple(seen.completed),
                    tuple(seen.failed),
                    tuple(seen.busy_s),
                    tuple(map(self._slot_s, range(len(seen.busy_s)))),
                    tuple(seen.queued),
                    np.array(seen.latency, dtype=np.int64),
                )
            )

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
        """Latency quantile of answered requests in the window, to the upper edge of its 9 % wide bucket; None without answers."""
        return self.latencies(request_class, (quantile,), window_s, at)[0]

    def latencies(
        self, request_class: str, quantiles: Sequence[float], window_s: float, at: float
    ) -> Sequence[float] | Sequence[None]:
        """Several latency quantiles of the same window, which is never shorter than two samples."""
        new, old = self._station_pair(max(window_s, 2.0 * HISTOGRAM_EVERY_S), at)
        flows = self._flows_of_class[request_class]
        if new is None or old is None or not flows:
            return [None] * len(quantiles)
        seen = (new.latency[flows] - old.latency[flows]).sum(axis=0).cumsum()
        if not seen[-1]:
            return [None] * len(quantiles)
        wanted = np.maximum(1e-9, np.array(quantiles) * seen[-1])  # never an empty bucket, also for the quantile 0
        return [bucket_upper_s(int(bucket)) for bucket in seen.searchsorted(wanted - 1e-9)]

    def utilisation(self, stations: Sequence[int], window_s: float, at: float) -> float | None:
        """Busy slots over slots of running instances, averaged over the window; None when nothing ran.

        It passes 1 when slots are taken away from under running requests, which are finished.
        """
        new, old = self._station_pair(max(window_s, HISTOGRAM_EVERY_S), at)
        if new is None or old is None:
            return None
        slot_s = sum(new.slot_s[s] - old.slot_s[s] for s in stations)
        return sum(new.busy_s[s] - old.busy_s[s] for s in stations) / slot_s if slot_s > 0.0 else None

    def value(
        self, indicator: str, subject: str, window_s: float, at: float, stations: Sequence[int] | None = None
    ) -> float | None:
        """An indicator of `class/…`, `service/…[@region]`, `database/…`, `provider/…` or `queue/…[@region]` at a past instant.

        `stations` narrows it to some of the subject's stations. None = no data.
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
        assert indicator == "request_rate", f"{subject} has no indicator {indicator} here"
        span_s = self._span(self._station_times, max(window_s, HISTOGRAM_EVERY_S), at)
        return sum(new.arrived[s] - old.arrived[s] for s in stations) / span_s if span_s else None

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
            span_s = self._span(self._times, window_s, at)
            return self.answered(name, window_s, at)[0] / span_s if span_s else None
        quantiles = {"latency_p50": 0.5, "latency_p95": 0.95, "latency_p99": 0.99}
        assert indicator in quantiles, f"class/{name} has no indicator {indicator}"
        return self.latency(name, quantiles[indicator], window_s, at)

    @staticmethod
    def _ends(times: list[float], window_s: float, at: float) -> tuple[int, int]:
        """Positions of the two samples that stand for a window: the newest one at `at`, and the one a window before that one."""
        new = max(0, bisect_right(times, at + 1e-9) - 1)
        return new, max(0, bisect_right(times, times[new] - window_s + 1e-9) - 1)

    def _flow_pair(self, window_s: float, at: float) -> tuple[FlowSample | None, FlowSample | None]:
        if not self._times:
            return None, None
        new, old = self._ends(self._times, window_s, at)
        return self._flows[new], self._flows[old]

    def _station_pair(self, window_s: float, at: float) -> tuple[StationSample | None, StationSample | None]:
        if not self._station_times:
            return None, None
        new, old = self._ends(self._station_times, window_s, at)
        return self._stations[new], self._stations[old]

    def _span(self, times: list[float], window_s: float, at: float) -> float:
        """Time between the two samples that stand for a window: near the start of the run it is shorter than the window."""
        if not times:
            return 0.0
        new, old = self._ends(times, window_s, at)
        return times[new] - times[old]
