"""What can be measured: counters of the data plane kept second by second, and the indicators computed from them.

This is ground truth. Monitoring sees it only through its scrapes: it asks for values at the times of its own last scrape, and only
of what it could reach. Every window is a difference of two cumulative counts, so nothing is averaged twice. The rule that surprises:
a window ends at the newest sample, so one asked for between two samples is as long as one asked for at a sample.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from sim.rows import Rows
from sim.traffic import BUCKETS, Observation, bucket_upper_s
from sim.wiring import Wiring

HISTOGRAM_EVERY_S = 5
"""Latency histograms and station counters are kept every five seconds, request counts every second."""


LOOK_BACK_S = 6 * 3600.0
"""How far people and rules look back at least; rules with longer windows further. Assumption: a shift's work."""
LATENCY_LOOK_BACK_S = 600.0
"""The same of latencies, which take the most room, and which only the rules about them look back at."""
Ends = tuple[int, int]


class Span(NamedTuple):
    """What the stations did in a window, a value each; `queued` at its end."""

    arrived: list[float]
    completed: list[float]
    failed: list[float]
    busy_s: list[float]
    slot_s: list[float]
    queued: list[float]
    span_s: float


class Indicators:
    """Samples of the engine's counters, and the indicators over any window that is not too long past."""

    def __init__(self, wiring: Wiring, slot_s: Callable[[int], float], longest_s: float = 0.0, latency_s: float = 0.0) -> None:
        """`slot_s(station)` is how many seconds of slots its running instances have offered so far; `longest_s` and `latency_s` are the
        longest windows that are asked for, of anything and of latencies.
        """
        self._wiring = wiring
        self._slot_s = slot_s
        self._flows_of_class = {
            name: [flow for (owner, _), flow in wiring.flows.items() if owner == name] for name in wiring.classes
        }
        self._of_class = np.array([[owner == name for owner, _ in wiring.flows] for name in wiring.classes], dtype=np.int64)
        self._requests = Rows(3 * len(wiring.flows), LOOK_BACK_S + longest_s)
        self._stations: Rows | None = None
        self._latencies = Rows(len(wiring.classes) * BUCKETS, LATENCY_LOOK_BACK_S + latency_s)
        self._longest_s = longest_s
        # What was worked out since the last sample, by the ends of its window: many ask the same.
        self._counts: dict[Ends, list[int]] = {}
        self._spans: dict[Ends, Span] = {}
        self._answers: dict[Ends, npt.NDArray[Any]] = {}

    def take(self, now: float, seen: Observation) -> None:
        """Keep the counters of this instant; called every second."""
        self._counts.clear()
        self._requests.add(now, seen.requests())
        if now % HISTOGRAM_EVERY_S == 0.0:
            self._spans.clear()
            self._answers.clear()
            if self._stations is None:
                self._stations = Rows(6 * len(seen.busy_s), LOOK_BACK_S + self._longest_s, float)
            slot_s = map(self._slot_s, range(len(seen.busy_s)))
            self._stations.add(now, [*seen.arrived, *seen.completed, *seen.failed, *seen.busy_s, *slot_s, *seen.queued])
            self._latencies.add(now, (self._of_class @ seen.histograms()).ravel())

    def answered(self, request_class: str, window_s: float, at: float) -> tuple[int, int, int]:
        """Offered, good and lost requests of a class in the window that ends at `at`."""
        counts = self._counted(window_s, at)
        if counts is None:
            return 0, 0, 0
        step, flows = len(counts) // 3, self._flows_of_class[request_class]
        offered = good = lost = 0
        for flow in flows:
            offered += counts[flow]
            good += counts[step + flow]
            lost += counts[2 * step + flow]
        return offered, good, lost

    def good_ratio(self, request_class: str, window_s: float, at: float) -> float | None:
        """Share of good answers among those that ended in the window; 0 when requests came and none ended; None without any."""
        offered, good, lost = self.answered(request_class, window_s, at)
        if good + lost:
            return good / (good + lost)
        return 0.0 if offered >= 5 else None

    def flow_good_ratio(self, request_class: str, origin: str, window_s: float, at: float) -> float | None:
        """The same for one class from one origin; None when nothing ended and nothing came."""
        counts = self._counted(window_s, at)
        flow = self._wiring.flows.get((request_class, origin))
        if counts is None or flow is None:
            return None
        step = len(counts) // 3
        good, lost = counts[step + flow], counts[2 * step + flow]
        if good + lost:
            return good / (good + lost)
        return 0.0 if counts[flow] else None

    def latency(self, request_class: str, quantile: float, window_s: float, at: float) -> float | None:
        """Latency quantile of answered requests in the window, to the upper edge of its 9 % wide bucket; None without answers."""
        return self.latencies(request_class, (quantile,), window_s, at)[0]

    def latencies(
        self, request_class: str, quantiles: Sequence[float], window_s: float, at: float
    ) -> Sequence[float] | Sequence[None]:
        """Several latency quantiles of the same window, which is never shorter than two samples."""
        ends = self._latencies.ends(max(window_s, 2.0 * HISTOGRAM_EVERY_S), at)
        if ends is None:
            return [None] * len(quantiles)
        if ends not in self._answers:
            self._answers[ends] = self._latencies.difference(*ends).reshape(-1, BUCKETS).cumsum(axis=1)
        seen = self._answers[ends][self._wiring.classes.index(request_class)]
        answers = int(seen[-1])
        if not answers:
            return [None] * len(quantiles)
        wanted = [
            max(1e-9, quantile * answers) - 1e-9 for quantile in quantiles
        ]  # never an empty bucket, also for the quantile 0
        return [bucket_upper_s(bucket) for bucket in seen.searchsorted(wanted).tolist()]

    def utilisation(self, stations: Sequence[int], window_s: float, at: float) -> float | None:
        """Busy slots over slots of running instances, averaged over the window; None when nothing ran.

        It passes 1 when slots are taken away from under running requests, which are finished.
        """
        span = self.span(window_s, at)
        if span is None:
            return None
        slot_s = sum([span.slot_s[s] for s in stations])
        return sum([span.busy_s[s] for s in stations]) / slot_s if slot_s > 0.0 else None

    def span(self, window_s: float, at: float) -> Span | None:
        """What all stations did in the window; None without a sample."""
        ends = None if self._stations is None else self._stations.ends(max(window_s, HISTOGRAM_EVERY_S), at)
        if ends is None or self._stations is None:
            return None
        if ends not in self._spans:
            changes = self._stations.difference(*ends).reshape(6, -1).tolist()
            now = self._stations.row(ends[0]).reshape(6, -1)[5].tolist()
            arrived, completed, failed, busy_s, slot_s = changes[:5]
            self._spans[ends] = Span(arrived, completed, failed, busy_s, slot_s, now, self._stations.span_s(*ends))
        return self._spans[ends]

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
        span = self.span(window_s, at)
        if span is None or not stations:
            return None
        if indicator == "utilisation":
            return self.utilisation(stations, window_s, at)
        if indicator == "queue_length":
            return sum([span.queued[s] for s in stations])
        if indicator == "error_ratio":
            failed = sum([span.failed[s] for s in stations])
            ended = failed + sum([span.completed[s] for s in stations])
            return failed / ended if ended else None
        assert indicator == "request_rate", f"{subject} has no indicator {indicator} here"
        return sum([span.arrived[s] for s in stations]) / span.span_s if span.span_s else None

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
            ends = self._requests.ends(window_s, at)
            span_s = self._requests.span_s(*ends) if ends is not None else 0.0
            return self.answered(name, window_s, at)[0] / span_s if span_s else None
        quantiles = {"latency_p50": 0.5, "latency_p95": 0.95, "latency_p99": 0.99}
        assert indicator in quantiles, f"class/{name} has no indicator {indicator}"
        return self.latency(name, quantiles[indicator], window_s, at)

    def _counted(self, window_s: float, at: float) -> list[int] | None:
        """Offered, good and lost requests per flow in a window."""
        ends = self._requests.ends(window_s, at)
        if ends is None:
            return None
        if ends not in self._counts:
            self._counts[ends] = self._requests.difference(*ends).tolist()
        return self._counts[ends]
