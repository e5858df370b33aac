"""What each station and each call did over time, for the days that are told in full: arrivals, good answers, failures by reason, latency.

Nothing is judged by these series: they explain. The rule that surprises: a failure is counted where its attempt was sent, for the reason its
caller learnt, so a timeout stands at the callee although that may have finished the work (then it is `wasted`); what never left its caller
stands at the dependency.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sim.recorder import Channel, Recorder
from sim.traffic import BUCKETS, Details, Observation, bucket_upper_s
from sim.traffic.plan import Reason
from sim.wiring import Wiring

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Counts = NDArray[np.int64]

STATIONS_EVERY_S = 5
_QUANTILES = {"latency_p50": 0.5, "latency_p99": 0.99}
_REASONS = [reason.name.lower() for reason in Reason]
_BREAKER_OPEN = int(Reason.BREAKER_OPEN)
_UPPER_S = np.array([bucket_upper_s(bucket) for bucket in range(BUCKETS)])


@dataclass(frozen=True, slots=True)
class _Kept:
    """Counts of one sample, as copies."""

    arrived: Counts
    good: Counts
    wasted: Counts
    failed_by: Counts
    unsent_by: Counts
    limited: Counts
    cached: Counts
    busy_s: NDArray[np.float64]
    visits: Counts

    @classmethod
    def of(cls, seen: Observation, found: Details) -> _Kept:
        """Copies of the cumulative counts of this instant; what an open breaker skipped counts as unsent, for that reason."""
        unsent_by = found.unsent_by.copy()
        unsent_by[:, _BREAKER_OPEN] += seen.skipped
        return cls(
            arrived=np.array(seen.arrived),
            good=np.array(seen.completed) - found.wasted,
            wasted=found.wasted,
            failed_by=found.failed_by,
            unsent_by=unsent_by,
            limited=found.limited,
            cached=np.array((seen.hits, seen.misses, seen.joined)),
            busy_s=np.array(seen.busy_s),
            visits=found.visits.sum(axis=1),
        )


class StationSeries:
    """Writes the series of every station and edge, every five seconds."""

    def __init__(self, wiring: Wiring, recorder: Recorder) -> None:
        self._recorder = recorder
        self._stations = list(_places(wiring))
        self._edges = [edge.name for edge in wiring.plan.edges]
        self._cached = [(number, edge.name) for number, edge in enumerate(wiring.plan.edges) if edge.cache is not None]
        self._limited = [number for number, station in enumerate(wiring.plan.stations) if station.limiter is not None]
        self._channels: dict[tuple[str, int, str], Channel] = {}
        self._labels = {number: (kind, labels) for number, kind, labels in self._stations}
        self._kept: list[_Kept] = []

    def take(self, now: float, seen: Observation, found: Details) -> None:
        """The five seconds that end now; the first call only keeps the counts."""
        kept = _Kept.of(seen, found)
        if self._kept:
            self._write(now, seen, found, kept)
        self._kept = [*self._kept[-1:], kept]

    def _write(self, now: float, seen: Observation, found: Details, kept: _Kept) -> None:
        before = self._kept[-1]
        for name in ("arrived", "good"):
            rates = (getattr(kept, name) - getattr(before, name)) / STATIONS_EVERY_S
            for number, _, _ in self._stations:
                self._station(number, name).add(now, float(rates[number]))
        busy = (kept.busy_s - before.busy_s) / STATIONS_EVERY_S
        for number, kind, _ in self._stations:
            if kind in ("database", "provider"):
                self._station(number, "queue").add(now, seen.queued[number])
                if seen.slots[number]:
                    self._station(number, "utilisation").add(now, float(busy[number]) / seen.slots[number])
        self._write_failures(now, kept, before)
        self._write_latencies(now, kept.visits - self._kept[0].visits)
        for number in self._limited:
            self._station(number, "limit").add(now, float(found.limit[number]))
            self._station(number, "in_flight").add(now, seen.busy[number] + seen.queued[number])
            self._station(number, "limited").add(now, float(kept.limited[number] - before.limited[number]) / STATIONS_EVERY_S)
        cached = (kept.cached - before.cached) / STATIONS_EVERY_S
        for number, edge in self._cached:
            for name, rate in zip(("cache_hits", "cache_misses", "cache_joined"), cached[:, number].tolist(), strict=True):
                self._recorder.sample(f"edge.{name}", now, rate, edge=edge)

    def _write_failures(self, now: float, kept: _Kept, before: _Kept) -> None:
        """A reason has a series from its first failure on."""
        wasted = (kept.wasted - before.wasted) / STATIONS_EVERY_S
        failed = (kept.failed_by - before.failed_by) / STATIONS_EVERY_S
        unsent = (kept.unsent_by - before.unsent_by) / STATIONS_EVERY_S
        for number, _, _ in self._stations:
            if kept.wasted[number]:
                self._station(number, "wasted").add(now, float(wasted[number]))
        for number, reason in zip(*map(np.ndarray.tolist, np.nonzero(kept.failed_by)), strict=True):
            self._station(number, "failed", _REASONS[reason]).add(now, float(failed[number, reason]))
        for number, reason in zip(*map(np.ndarray.tolist, np.nonzero(kept.unsent_by)), strict=True):
            self._recorder.sample(
                "edge.unsent", now, float(unsent[number, reason]), edge=self._edges[number], reason=_REASONS[reason]
            )

    def _write_latencies(self, now: float, visits: Counts) -> None:
        """Of the visits completed since the sample before the last one, up to the upper edge of a bucket that is 9 % wide."""
        so_far = visits.cumsum(axis=1)
        total = so_far[:, -1]
        for name, quantile in _QUANTILES.items():
            places = (so_far >= np.maximum(quantile * total, 1e-9)[:, None]).argmax(axis=1)
            seconds = _UPPER_S[places]
            for number, kind, _ in self._stations:
                if total[number] and kind != "queue":
                    self._station(number, name).add(now, float(seconds[number]))

    def _station(self, number: int, name: str, reason: str = "") -> Channel:
        key = (name, number, reason)
        channel = self._channels.get(key)
        if channel is None:
            kind, labels = self._labels[number]
            channel = self._recorder.channel(f"{kind}.{name}", **labels, **({"reason": reason} if reason else {}))
            self._channels[key] = channel
        return channel


def _places(wiring: Wiring) -> Iterator[tuple[int, str, dict[str, str]]]:
    """Every station with what it is and the labels that name it."""
    for service, regions in wiring.services.items():
        for region, station in regions.items():
            yield station, "service", {"service": service, "region": region}
    for database, nodes in wiring.nodes.items():
        for zone, station in nodes.items():
            yield station, "database", {"database": database, "node": zone}
    for provider, station in wiring.providers.items():
        yield station, "provider", {"provider": provider}
    for queue, regions in wiring.queues.items():
        for region, station in regions.items():
            yield station, "queue", {"queue": queue, "region": region}
