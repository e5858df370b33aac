"""Turns the engine's counters into the series of the record: requests every second, stations and latencies every five.

Rates are differences of cumulative counts over the bin that ends at `t`; a series is written only where there is something to say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import nan

import numpy as np

from sim.indicators import HISTOGRAM_EVERY_S, Indicators
from sim.request_series import BLOCK, RequestSeries
from sim.traffic import Observation
from sim.traffic.plan import PRIORITIES
from sim.world import World

QUIET_S = 30.0
"""Time without a refusal after which shedding has ended (at its last refusal)."""
_SPAN_S = float(HISTOGRAM_EVERY_S)
_QUANTILES = {"latency.p50": 0.5, "latency.p95": 0.95, "latency.p99": 0.99}


class Sampler:
    """Everything that is written at fixed times."""

    def __init__(self, world: World, indicators: Indicators) -> None:
        self._world = world
        self._indicators = indicators
        wiring, recorder = world.wiring, world.recorder
        self._requests = RequestSeries(wiring, recorder)
        places = {
            station: {"service": service, "region": region}
            for service, regions in wiring.services.items()
            for region, station in regions.items()
        }
        self._gauges = _Gauges(world, indicators, places)
        self._services = [_Service(world, station, labels) for station, labels in places.items()]
        self._before = _Priorities.none(len(wiring.plan.stations))
        self._latencies = {name: [recorder.channel(each, **{"class": name}) for each in _QUANTILES] for name in wiring.classes}
        self._lags = {
            (database, zone): recorder.channel("database.lag", database=database, node=zone)
            for database, nodes in wiring.nodes.items()
            for zone in nodes
        }
        self._queues = [
            (station, [recorder.channel(f"queue.{each}", queue=queue, region=region) for each in ("backlog", "dead_letters")])
            for queue, places in wiring.queues.items()
            for region, station in places.items()
        ]
        self._value_lost = {
            name: (recorder.channel("class.value_lost", **{"class": name}), price)
            for name, price in world.scenario.system.money.lost_request.items()
            if name in wiring.classes
        }
        self._breakers = [False] * len(wiring.plan.edges)

    def every_second(self, now: float, seen: Observation) -> None:
        """Requests offered, good and lost by reason in the second that ends now; at every fifth second the rest."""
        self._requests.take(now, seen)
        if now % HISTOGRAM_EVERY_S == 0.0:
            self._gauges.take(now, seen)
            for service in self._services:
                service.write(now, seen, self._before)
            self._before = _Priorities.of(seen)
            self._write_classes(now, seen)
            self._write_lags(now)
            for station, (backlog, dead_letters) in self._queues:
                backlog.add(now, seen.queued[station])
                dead_letters.add(now, seen.dead_letters[station])
            self._write_breakers(now, seen.breaker_open)

    def _write_classes(self, now: float, seen: Observation) -> None:
        for name, channels in self._latencies.items():
            found = self._indicators.latencies(name, tuple(_QUANTILES.values()), 2.0 * _SPAN_S, now)
            for channel, value in zip(channels, found, strict=True):
                if value is not None:
                    channel.add(now, value)
        for name, (channel, price) in self._value_lost.items():
            lost = (sum(seen.lost[flow]) for (owner, _), flow in self._world.wiring.flows.items() if owner == name)
            channel.add(now, price * sum(lost))

    def _write_lags(self, now: float) -> None:
        for (database, zone), channel in self._lags.items():
            lag_s = self._world.clusters[database].lag_of(zone)
            if lag_s is not None:
                channel.add(now, lag_s)

    def _write_breakers(self, now: float, is_open: Sequence[bool]) -> None:
        if is_open == self._breakers:
            return
        for edge, (before, after) in enumerate(zip(self._breakers, is_open, strict=True)):
            if before != after:
                name = self._world.wiring.plan.edges[edge].name
                self._world.recorder.sample("edge.breaker_open", now, float(after), edge=name)
        self._breakers = list(is_open)


@dataclass(frozen=True, slots=True)
class _Priorities:
    """What every station has refused, let in and dropped by priority so far."""

    refused: Sequence[Sequence[int]]
    admitted: Sequence[Sequence[int]]
    dropped: Sequence[Sequence[int]]
    below_limit: Sequence[int]

    @classmethod
    def none(cls, stations: int) -> _Priorities:
        nothing = [[0] * len(PRIORITIES)] * stations
        return cls(nothing, nothing, nothing, [0] * stations)

    @classmethod
    def of(cls, seen: Observation) -> _Priorities:
        """As copies."""
        refused, admitted, dropped = (list(map(list, rows)) for rows in (seen.refused_by, seen.admitted_by, seen.dropped_by))
        return cls(refused, admitted, dropped, list(seen.shed_below_limit))


class _Gauges:
    """Utilisation, queue and instances of every service in every region, written in blocks."""

    def __init__(self, world: World, indicators: Indicators, places: Mapping[int, Mapping[str, str]]) -> None:
        self._world = world
        self._indicators = indicators
        self._stations = list(places)
        self._channels = [
            [world.recorder.channel(f"service.{name}", **labels) for labels in places.values()]
            for name in ("utilisation", "queue", "instances")
        ]
        self._times: list[float] = []
        self._rows: list[list[float]] = []
        world.recorder.writers.append(self.write)

    def take(self, now: float, seen: Observation) -> None:
        """Gauges of now and the utilisation in the five seconds that end now, NaN where nothing ran."""
        span = self._indicators.span(_SPAN_S, now)
        assert span is not None, "the present instant has been measured"
        busy_s, slot_s, queued, serving = span.busy_s, span.slot_s, seen.queued, self._world.serving_units
        row: list[float] = [busy_s[each] / slot_s[each] if slot_s[each] > 0.0 else nan for each in self._stations]
        row += [queued[each] for each in self._stations]
        row += [serving(each) for each in self._stations]
        self._times.append(now)
        self._rows.append(row)
        if len(self._rows) >= BLOCK:
            self.write()

    def write(self) -> None:
        """Write what was put aside; where nothing ran there is no utilisation."""
        if not self._times:
            return
        times, values = np.array(self._times), np.array(self._rows, dtype=float).T
        used, *others = np.split(values, len(self._channels))
        for channel, row in zip(self._channels[0], used, strict=True):
            known = ~np.isnan(row)
            if known.any():
                channel.extend(times[known], row[known])
        for channels, rows in zip(self._channels[1:], others, strict=True):
            for channel, row in zip(channels, rows, strict=True):
                channel.extend(times, row.copy())
        self._times, self._rows = [], []


class _Service:
    """What one service refused in one region."""

    def __init__(self, world: World, station: int, labels: dict[str, str]) -> None:
        self._world = world
        self._station = station
        recorder = world.recorder
        names = ("refused", "shed_below_limit", "dropped")
        self._channels = {name: recorder.channel(f"service.{name}", **labels) for name in names}
        self._by_priority = [
            [
                recorder.channel(f"service.{name}", **labels, priority=priority)
                for name in ("refused_by", "admitted_by", "dropped_by")
            ]
            for priority in PRIORITIES
        ]
        self._subject = f"service/{labels['service']}@{labels['region']}"
        self._refused_at: float | None = None

    def write(self, now: float, seen: Observation, before: _Priorities) -> None:
        """Rates of the five seconds that end now, where anything was refused or dropped."""
        station = self._station
        if seen.refused_by[station] != before.refused[station] or seen.dropped_by[station] != before.dropped[station]:
            self._write_refusals(now, seen, before)
        elif self._refused_at is not None:
            self._write_quiet(now)

    def _write_refusals(self, now: float, seen: Observation, before: _Priorities) -> None:
        """Shedding starts with the bin of the first request that was refused, or dropped from the queue by its discipline."""
        station, channels = self._station, self._channels
        refused_before, admitted_before = before.refused[station], before.admitted[station]
        channels["refused"].add(now, (sum(seen.refused_by[station]) - sum(refused_before)) / _SPAN_S)
        channels["shed_below_limit"].add(now, (seen.shed_below_limit[station] - before.below_limit[station]) / _SPAN_S)
        self._write_drops(now, seen.dropped_by[station], before.dropped[station])
        for priority, (refused, admitted, _) in enumerate(self._by_priority):
            refused.add(now, (seen.refused_by[station][priority] - refused_before[priority]) / _SPAN_S)
            admitted.add(now, (seen.admitted_by[station][priority] - admitted_before[priority]) / _SPAN_S)
        if self._refused_at is None:
            self._world.record("shedding.started", self._subject, station=self._subject)
        self._refused_at = now

    def _write_drops(self, now: float, dropped: Sequence[int], before: Sequence[int]) -> None:
        """What the discipline of its queue has dropped, from the first one on."""
        if not any(dropped):
            return
        self._channels["dropped"].add(now, (sum(dropped) - sum(before)) / _SPAN_S)
        for priority, (_, _, channel) in enumerate(self._by_priority):
            channel.add(now, (dropped[priority] - before[priority]) / _SPAN_S)

    def _write_quiet(self, now: float) -> None:
        """It has ended when nothing was refused for a while: then it ended with its last refusal."""
        assert self._refused_at is not None, "something was refused before"
        if now - self._refused_at == _SPAN_S:
            self._channels["refused"].add(now, 0.0)
        if now - self._refused_at >= QUIET_S:
            self._world.recorder.record(self._refused_at, "shedding.ended", self._subject, {"station": self._subject})
            self._refused_at = None
