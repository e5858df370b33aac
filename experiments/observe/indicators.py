"""What the alert rules of a live day may ask: the load generator's counts, probes, health checks and databases, at the scrape interval.

The rule that surprises: what nobody measures is None. A rule about utilisation or queues needs Prometheus; without it such a rule never
fires, and the record says once that it has no data.
"""

from __future__ import annotations

import math
import threading
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from gameday.alerting.source import PROBE_FAILURES
from gameday.load_stream import LoadStream

STALE_S: Final = 300.0
"""Age from which a measurement counts for nothing (Prometheus, default of --query.lookback-delta)."""
_QUANTILES: Final = {"latency_p50": 0.5, "latency_p95": 0.95, "latency_p99": 0.99}


@dataclass(slots=True)
class Readings:
    """Values of one thing over time."""

    times: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)

    def keep(self, t: float, value: float) -> None:
        """A value has come in."""
        self.times.append(t)
        self.values.append(value)

    def mean(self, window_s: float, now: float) -> float | None:
        """Mean over the window that ends now, at least the newest value; None when that is too old."""
        last = bisect_right(self.times, now + 1e-9)
        if not last or now - self.times[last - 1] > max(STALE_S, window_s):
            return None
        first = min(bisect_left(self.times, now - window_s), last - 1) if window_s else last - 1
        return sum(self.values[first:last]) / (last - first)

    def failures_in_a_row(self, now: float) -> float | None:
        """How many of the newest values are 0; None without any."""
        last = bisect_right(self.times, now + 1e-9)
        if not last or now - self.times[last - 1] > STALE_S:
            return None
        count = 0
        while count < last and self.values[last - 1 - count] == 0.0:
            count += 1
        return float(count)


class LiveIndicators:
    """An indicator source for `gameday.alerting`; other threads put readings in."""

    def __init__(self, stream: LoadStream, scrape_s: float) -> None:
        self._stream = stream
        self._scrape_s = scrape_s
        self._lock = threading.Lock()
        self._readings: dict[tuple[str, str], Readings] = {}
        self.without_data: set[str] = set()
        """`indicator of subject` that nobody measures."""

    def keep(self, indicator: str, subject: str, t: float, value: float) -> None:
        """A reading of something."""
        with self._lock:
            self._readings.setdefault((indicator, subject), Readings()).keep(t, value)

    def newest(self) -> dict[tuple[str, str], float]:
        """The newest reading of everything, by indicator and subject."""
        with self._lock:
            return {key: readings.values[-1] for key, readings in self._readings.items() if readings.values}

    def value(self, indicator: str, subject: str, window_s: float, now: float) -> float | None:
        """The indicator over the window that ends at the last scrape."""
        kind, _, name = subject.partition("/")
        if kind == "class" and indicator != "probe_success":
            return self._of_class(indicator, name.partition("@")[0], window_s or self._scrape_s, now)
        with self._lock:
            found = self._matching("probe_success" if indicator == PROBE_FAILURES else indicator, subject)
            if indicator == PROBE_FAILURES:
                counts = [count for each in found if (count := each.failures_in_a_row(now)) is not None]
                return max(counts, default=None)
            means = [mean for each in found if (mean := each.mean(window_s, now)) is not None]
        if not found:
            self.without_data.add(f"{indicator} of {subject}")
        if not means:
            return None
        return self._joined(indicator, means)

    @staticmethod
    def _joined(indicator: str, means: list[float]) -> float:
        if indicator == "instances_up":
            return sum(means)
        return max(means) if indicator == "replication_lag" else sum(means) / len(means)

    def _matching(self, indicator: str, subject: str) -> list[Readings]:
        """Readings of the subject, or of its parts (`probe/x@home` of `probe/x`)."""
        known: Mapping[tuple[str, str], Readings] = self._readings
        return [
            each for (what, of), each in known.items() if what == indicator and (of == subject or of.startswith(f"{subject}@"))
        ]

    def _of_class(self, indicator: str, name: str, window_s: float, now: float) -> float | None:
        at = math.floor(now / self._scrape_s) * self._scrape_s
        if indicator in _QUANTILES:
            return self._stream.latency(name, _QUANTILES[indicator], window_s, at)
        offered, good, lost = self._stream.answered(name, window_s, at)
        if indicator == "request_rate":
            return offered / window_s if offered else None
        if indicator != "error_ratio":
            self.without_data.add(f"{indicator} of class/{name}")
            return None
        return lost / (good + lost) if good + lost else None
