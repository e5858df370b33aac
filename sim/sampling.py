"""Turns the engine's counters into the series of the record: requests every second, stations and latencies every five.

Rates are differences of cumulative counts over the bin that ends at `t`; a series is written only where there is something to say.
"""

from __future__ import annotations

from sim.indicators import HISTOGRAM_EVERY_S, Indicators
from sim.recorder import Recorder
from sim.traffic import Observation
from sim.traffic.plan import PRIORITIES, Reason
from sim.world import World

QUIET_S = 30.0
"""Time without a refusal after which shedding has ended (at its last refusal)."""


class Sampler:
    """Keeps the last counters and writes the differences."""

    def __init__(self, world: World, indicators: Indicators) -> None:
        self._world = world
        self._indicators = indicators
        self._recorder: Recorder = world.recorder
        self._flows = [(flow, {"class": c, "origin": o}) for (c, o), flow in world.wiring.flows.items()]
        self._offered: dict[int, int] = {}
        self._good: dict[int, int] = {}
        self._lost: dict[tuple[int, int], int] = {}
        self._served: dict[tuple[int, int], int] = {}
        self._refused: dict[int, list[int]] = {}
        self._admitted: dict[int, list[int]] = {}
        self._shed_free: dict[int, int] = {}
        self._breakers: dict[int, bool] = {}
        self._shedding: dict[str, float] = {}
        self._value_lost = dict.fromkeys(world.wiring.classes, 0.0)

    def every_second(self, now: float, seen: Observation) -> None:
        """Requests offered, good and lost by reason in the second that ends now."""
        for flow, labels in self._flows:
            self._rate("requests.offered", now, seen.offered[flow] - self._offered.get(flow, 0), labels)
            self._rate("requests.good", now, seen.good[flow] - self._good.get(flow, 0), labels)
            self._offered[flow], self._good[flow] = seen.offered[flow], seen.good[flow]
            for reason, count in enumerate(seen.lost[flow]):
                before = self._lost.get((flow, reason), 0)
                if count or before:
                    self._rate("requests.lost", now, count - before, {**labels, "reason": Reason(reason).name.lower()})
                    self._lost[flow, reason] = count
            self._served_at(flow, labels, seen, now)
        self._value(seen)
        if round(now) % HISTOGRAM_EVERY_S == 0:
            self._every_five(seen, now)

    def _rate(self, name: str, now: float, value: float, labels: dict[str, str]) -> None:
        self._recorder.sample(name, now, value, **labels)

    def _served_at(self, flow: int, labels: dict[str, str], seen: Observation, now: float) -> None:
        for station, (count, _) in seen.entered[flow].items():
            before = self._served.get((flow, station), 0)
            region = self._world.wiring.plan.stations[station].name.partition("@")[2]
            self._rate("requests.served_at", now, count - before, {**labels, "region": region})
            self._served[flow, station] = count

    def _value(self, seen: Observation) -> None:
        prices = self._world.scenario.system.money.lost_request
        for name in self._value_lost:
            flows = [flow for (owner, _), flow in self._world.wiring.flows.items() if owner == name]
            self._value_lost[name] = prices.get(name, 0.0) * sum(sum(seen.lost[flow]) for flow in flows)

    def _every_five(self, seen: Observation, now: float) -> None:
        world, span = self._world, float(HISTOGRAM_EVERY_S)
        for name in world.wiring.classes:
            for label, quantile in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99)):
                value = self._indicators.latency(name, quantile, 2.0 * span, now)
                if value is not None:
                    self._rate(f"latency.{label}", now, value, {"class": name})
            if name in world.scenario.system.money.lost_request:
                self._rate("class.value_lost", now, self._value_lost[name], {"class": name})
        for service, places in world.wiring.services.items():
            for region, station in places.items():
                labels = {"service": service, "region": region}
                used = self._indicators.utilisation([station], span, now)
                if used is not None:
                    self._rate("service.utilisation", now, used, labels)
                self._rate("service.queue", now, seen.queued[station], labels)
                self._rate("service.instances", now, world.serving_units(station), labels)
                self._admission(station, labels, seen, now)
        for database, nodes in world.wiring.nodes.items():
            for zone in nodes:
                lag = world.clusters[database].lag_of(zone)
                if lag is not None:
                    self._rate("database.lag", now, lag, {"database": database, "node": zone})
        for edge, is_open in enumerate(seen.breaker_open):
            if is_open != self._breakers.get(edge, False):
                self._rate("edge.breaker_open", now, float(is_open), {"edge": world.wiring.plan.edges[edge].name})
                self._breakers[edge] = is_open

    def _admission(self, station: int, labels: dict[str, str], seen: Observation, now: float) -> None:
        """Refusals by priority; shedding starts with the first refused request and has ended when none was refused for a while."""
        span = float(HISTOGRAM_EVERY_S)
        refused, admitted = seen.refused_by[station], seen.admitted_by[station]
        was_refused = self._refused.get(station, [0, 0, 0])
        was_admitted = self._admitted.get(station, [0, 0, 0])
        delta = [a - b for a, b in zip(refused, was_refused, strict=True)]
        subject = f"service/{labels['service']}@{labels['region']}"
        if any(delta):
            self._rate("service.refused", now, sum(delta) / span, labels)
            for priority, count in enumerate(delta):
                self._rate("service.refused_by", now, count / span, {**labels, "priority": PRIORITIES[priority]})
                passed = admitted[priority] - was_admitted[priority]
                self._rate("service.admitted_by", now, passed / span, {**labels, "priority": PRIORITIES[priority]})
            free = seen.shed_below_limit[station] - self._shed_free.get(station, 0)
            self._rate("service.shed_below_limit", now, free / span, labels)
            if subject not in self._shedding:
                counts = {PRIORITIES[p]: count for p, count in enumerate(delta) if count}
                self._world.record("shedding.started", subject, station=subject, by_class=counts)
            self._shedding[subject] = now
        elif subject in self._shedding:
            self._rate("service.refused", now, 0.0, labels)
            if now - self._shedding[subject] >= QUIET_S:
                last = self._shedding.pop(subject)
                self._recorder.record(last, "shedding.ended", subject, {"station": subject})
        self._refused[station], self._admitted[station] = list(refused), list(admitted)
        self._shed_free[station] = seen.shed_below_limit[station]
