"""Turns the engine's counters into the series of the record: requests every second, stations and latencies every five.

Rates are differences of cumulative counts over the bin that ends at `t`; a series is written only where there is something to say.
"""

from __future__ import annotations

from collections.abc import Sequence

from sim.indicators import HISTOGRAM_EVERY_S, Indicators
from sim.request_series import RequestSeries
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
        self._services = [
            _Service(world, indicators, station, {"service": service, "region": region})
            for service, places in wiring.services.items()
            for region, station in places.items()
        ]
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
            for service in self._services:
                service.write(now, seen)
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


class _Service:
    """One service in one region."""

    def __init__(self, world: World, indicators: Indicators, station: int, labels: dict[str, str]) -> None:
        self._world = world
        self._indicators = indicators
        self._station = station
        recorder = world.recorder
        names = ("utilisation", "queue", "instances", "refused", "shed_below_limit", "dropped")
        self._channels = {name: recorder.channel(f"service.{name}", **labels) for name in names}
        self._by_priority = [
            [
                recorder.channel(f"service.{name}", **labels, priority=priority)
                for name in ("refused_by", "admitted_by", "dropped_by")
            ]
            for priority in PRIORITIES
        ]
        self._subject = f"service/{labels['service']}@{labels['region']}"
        self._refused = self._admitted = self._dropped = [0] * len(PRIORITIES)
        self._below_limit = 0
        self._refused_at: float | None = None

    def write(self, now: float, seen: Observation) -> None:
        """Gauges of now and rates of the five seconds that end now."""
        station, channels = self._station, self._channels
        used = self._indicators.utilisation([station], _SPAN_S, now)
        if used is not None:
            channels["utilisation"].add(now, used)
        channels["queue"].add(now, seen.queued[station])
        channels["instances"].add(now, self._world.serving_units(station))
        if seen.refused_by[station] != self._refused or seen.dropped_by[station] != self._dropped:
            self._write_refusals(now, seen)
        elif self._refused_at is not None:
            self._write_quiet(now)
        self._refused, self._admitted = list(seen.refused_by[station]), list(seen.admitted_by[station])
        self._dropped = list(seen.dropped_by[station])
        self._below_limit = seen.shed_below_limit[station]

    def _write_refusals(self, now: float, seen: Observation) -> None:
        """Shedding starts with the bin of the first request that was refused, or dropped from the queue by its discipline."""
        station, channels = self._station, self._channels
        channels["refused"].add(now, (sum(seen.refused_by[station]) - sum(self._refused)) / _SPAN_S)
        channels["shed_below_limit"].add(now, (seen.shed_below_limit[station] - self._below_limit) / _SPAN_S)
        self._write_drops(now, seen.dropped_by[station])
        for priority, (refused, admitted, _) in enumerate(self._by_priority):
            refused.add(now, (seen.refused_by[station][priority] - self._refused[priority]) / _SPAN_S)
            admitted.add(now, (seen.admitted_by[station][priority] - self._admitted[priority]) / _SPAN_S)
        if self._refused_at is None:
            self._world.record("shedding.started", self._subject, station=self._subject)
        self._refused_at = now

    def _write_drops(self, now: float, dropped: Sequence[int]) -> None:
        """What the discipline of its queue has dropped, from the first one on."""
        if not any(dropped):
            return
        self._channels["dropped"].add(now, (sum(dropped) - sum(self._dropped)) / _SPAN_S)
        for priority, (_, _, channel) in enumerate(self._by_priority):
            channel.add(now, (dropped[priority] - self._dropped[priority]) / _SPAN_S)

    def _write_quiet(self, now: float) -> None:
        """It has ended when nothing was refused for a while: then it ended with its last refusal."""
        assert self._refused_at is not None, "something was refused before"
        if now - self._refused_at == _SPAN_S:
            self._channels["refused"].add(now, 0.0)
        if now - self._refused_at >= QUIET_S:
            self._world.recorder.record(self._refused_at, "shedding.ended", self._subject, {"station": self._subject})
            self._refused_at = None
