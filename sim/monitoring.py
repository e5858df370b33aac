"""The monitoring system of a replication: scrapes, probes, rules, notifications, customer reports, noise.

The rule that surprises: it knows only what reached it. Requests that never arrived at a living entry leave no trace in server-side
metrics; only probes, an absence rule, a falling request rate or the customers tell of them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field

from gameday.alerting.alert import Notification
from gameday.alerting.labels import owners
from gameday.alerting.mute import SilencePeriod
from gameday.alerting.pipeline import Alerting
from gameday.alerting.source import PROBE_FAILURES
from gameday.scenario.monitoring import Probe
from sim.day import Day
from sim.people.pager import Pager
from sim.processes import Process
from sim.traffic import Observation

OUTSIDE = "outside"


@dataclass(frozen=True, slots=True)
class Scrape:
    """What one round of scrapes brought: per reachable station its serving instances, per flow what living entries had answered."""

    at: float
    serving: dict[int, int]
    answered: tuple[tuple[int, int], ...]  # per flow: good, lost, as the entries that were reached have counted them


@dataclass(slots=True)
class ProbeState:
    """Results of one probe from one origin."""

    times: list[float] = field(default_factory=list)
    results: list[bool] = field(default_factory=list)
    failures_in_a_row: int = 0


class Scrapes:
    """What the monitoring has measured: an indicator source for the alert rules."""

    def __init__(self, day: Day) -> None:
        self._day = day
        self._times: list[float] = []
        self._scrapes: list[Scrape] = []
        self._seen: dict[tuple[int, int], tuple[int, int]] = {}
        self.probes: dict[str, ProbeState] = {}

    def scrape(self) -> None:
        """Measure everything that can be reached now."""
        world, location = self._day.world, self._day.world.scenario.monitoring.location
        reachable = {
            position
            for zone, position in world.wiring.zones.items()
            if "/" not in zone and world.zone_alive(zone) and world.reachable(location, f"zone/{zone}")
        }
        serving = {}
        for station, units in enumerate(world.units):
            here = [unit for unit in units if unit.zone in reachable or unit.zone >= len(world.topology.zones)]
            if here and (count := sum(unit.serving for unit in here)):
                serving[station] = count
        world.sync()
        answered = self._answered(world.engine.observe(), serving)
        self._times.append(world.env.now)
        self._scrapes.append(Scrape(world.env.now, serving, answered))

    def _answered(self, seen: Observation, serving: dict[int, int]) -> tuple[tuple[int, int], ...]:
        """Counters per flow, added up over the entries; an entry that cannot be reached keeps its last known count."""
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

    def value(self, indicator: str, subject: str, window_s: float, now: float) -> float | None:
        """An indicator over the window that ends at the last scrape; None when that scrape brought nothing of the subject."""
        kind, _, name = subject.partition("/")
        if kind == "probe":
            return self._probe_value(indicator, name, window_s, now)
        last = self._last(now)
        if last is None:
            return None
        if indicator == "instances_up":
            return self._instances_up(subject, window_s, now)
        window_s = window_s or self._day.world.scenario.monitoring.scrape
        if kind == "class":
            return self._class_value(indicator, name, window_s, last)
        stations = [s for s in self._day.indicators.stations_of(subject) if s in last.serving]
        if not stations:
            return None
        return self._day.indicators.value(indicator, subject, window_s, last.at, stations)

    def _last(self, now: float) -> Scrape | None:
        position = bisect_right(self._times, now + 1e-9) - 1
        return self._scrapes[position] if position >= 0 else None

    def _class_value(self, indicator: str, name: str, window_s: float, last: Scrape) -> float | None:
        name = name.partition("@")[0]
        if indicator not in ("error_ratio", "request_rate"):
            return self._day.indicators.value(indicator, f"class/{name}", window_s, last.at)
        old = self._last(last.at - window_s) or self._scrapes[0]
        flows = [flow for (owner, _), flow in self._day.world.wiring.flows.items() if owner == name]
        good = sum(last.answered[f][0] - old.answered[f][0] for f in flows)
        lost = sum(last.answered[f][1] - old.answered[f][1] for f in flows)
        if indicator == "request_rate":
            return (good + lost) / (last.at - old.at) if last.at > old.at else None
        return lost / (good + lost) if good + lost else None

    def _instances_up(self, subject: str, window_s: float, now: float) -> float | None:
        """Mean over the scrapes of the window of how many instances answered; None when none did in any."""
        stations = self._stations_in(subject)
        first = bisect_right(self._times, now - window_s)
        last = bisect_right(self._times, now + 1e-9)
        rounds = self._scrapes[min(first, max(0, last - 1)) : last]
        counts = [sum(scrape.serving.get(station, 0) for station in stations) for scrape in rounds]
        return sum(counts) / len(counts) if any(counts) else None

    def _stations_in(self, subject: str) -> list[int]:
        kind, _, name = subject.partition("/")
        wiring = self._day.world.wiring
        if kind == "region":
            return [places[name] for places in wiring.services.values() if name in places]
        if kind == "zone":
            zone = wiring.zones[name]
            return [s for s, units in enumerate(self._day.world.units) if any(unit.zone == zone for unit in units)]
        return self._day.indicators.stations_of(subject)

    def _probe_value(self, indicator: str, name: str, window_s: float, now: float) -> float | None:
        states = [state for key, state in self.probes.items() if key == name or key.startswith(f"{name}@")]
        if indicator == PROBE_FAILURES:
            return max((float(state.failures_in_a_row) for state in states if state.times), default=None)
        results = [
            result
            for state in states
            for t, result in zip(state.times, state.results, strict=True)
            if now - window_s <= t <= now or (window_s == 0.0 and t == state.times[-1])
        ]
        return sum(results) / len(results) if results else None


class Monitor:
    """Runs the monitoring of a day and hands its notifications to the pager."""

    def __init__(self, day: Day, pager: Pager) -> None:
        self._day = day
        self._world = day.world
        self._pager = pager
        scenario, draws = day.world.scenario, day.world.streams.draws("monitoring")
        self._settings = scenario.monitoring
        self._scrapes = Scrapes(day)
        self._draws = draws
        self._alerting = Alerting(
            scenario.monitoring,
            owners=owners(scenario.system),
            origins=list(day.world.wiring.origins),
            starts=scenario.starts,
            first_evaluation_s=draws.uniform() * scenario.monitoring.evaluation,
        )
        env = day.world.env
        env.process(self._scrape(draws.uniform() * scenario.monitoring.scrape))
        for name, probe in scenario.monitoring.probes.items():
            for origin in [probe.origin] if probe.origin else list(day.world.wiring.origins):
                state = self._scrapes.probes.setdefault(f"{name}@{origin}", ProbeState())
                env.process(self._probe(f"{name}@{origin}", probe, origin, state))
        for silence in self._planned_silences():
            self._alerting.silence(silence)
        env.process(self._evaluate())
        if scenario.monitoring.false_alarms.per_day > 0:
            env.process(self._false_alarms())
        if scenario.monitoring.customer_reports.enabled:
            env.process(self._customers())

    def works(self) -> bool:
        """Whether the place it runs at works."""
        return self._world.place_works(self._settings.location)

    def isolated(self) -> bool:
        """Whether it works but cannot reach the outside."""
        return self._settings.location != OUTSIDE and not self._world.reachable(self._settings.location, OUTSIDE)

    def _planned_silences(self) -> Iterator[SilencePeriod]:
        """Maintenance that change management knows of: alerts about its target are silenced while it lasts."""
        for planned in self._world.scenario.schedule.maintenance:
            if planned.silence:
                component = planned.target.partition("@")[0]
                matchers = {"component": frozenset({component})}
                yield SilencePeriod(matchers, planned.at, planned.at + planned.lasts, f"maintenance: {planned.what}")

    def _scrape(self, phase_s: float) -> Process:
        yield self._world.env.timeout(phase_s)
        while True:
            if self.works():
                self._scrapes.scrape()
            yield self._world.env.timeout(self._settings.scrape)

    def _evaluate(self) -> Process:
        """Wake when the alerting wants to be asked, and at least every evaluation interval to notice the place failing."""
        env = self._world.env
        while True:
            due = self._alerting.next_at()
            pause = self._settings.evaluation if due is None else min(due - env.now, self._settings.evaluation)
            yield env.timeout(max(pause, 1e-3))
            if self.works() != self._alerting.running:
                if self.works():
                    self._alerting.restart(env.now)
                else:
                    self._alerting.stop()
            self._ask()

    def _ask(self) -> None:
        now, world, isolated = self._world.env.now, self._world, self.isolated()
        for event in self._alerting.evaluate(now, self._scrapes, isolated=isolated):
            data = {"rule": event.rule, "severity": event.severity, "value": event.value, "labels": dict(event.labels)}
            world.record(f"alert.{event.transition}", event.subject, **data)
        for notification in self._alerting.notifications(now, isolated=isolated):
            self._notify(notification)
        for held in self._alerting.suppressions():
            data = {"rule": held.alert.rule, "why": held.why, "labels": dict(held.alert.labels)}
            world.record("alert.suppressed", held.alert.subject, **data)

    def _notify(self, notification: Notification) -> None:
        subject = notification.firing[0].subject if notification.firing else notification.resolved[0].subject
        data = {"rules": list(notification.rules), "receiver": notification.receiver, "group": dict(notification.group)}
        self._world.record("alert.notified", subject, **data)
        if notification.receiver != "page":
            return
        if notification.firing:
            self._pager.page(notification.group_key, notification.team, notification.rules, subject)
        else:
            self._pager.resolved(notification.group_key)

    def _probe(self, name: str, probe: Probe, origin: str, state: ProbeState) -> Process:
        """A synthetic request meets what a real one from the same origin meets: its success is drawn from the share of good answers
        that the class's requests from there got in the time the probe could take.
        """
        world, draws = self._world, self._world.streams.draws(f"probe/{name}")
        yield world.env.timeout(draws.uniform() * probe.interval)
        while True:
            yield world.env.timeout(probe.timeout)
            share = self._day.indicators.flow_good_ratio(probe.request_class, origin, probe.timeout + 1.0, world.env.now)
            passed = draws.uniform() < (1.0 if share is None else share)
            if self.works() and not self.isolated():
                state.times.append(world.env.now)
                state.results.append(passed)
                state.failures_in_a_row = 0 if passed else state.failures_in_a_row + 1
            yield world.env.timeout(max(probe.interval - probe.timeout, 0.001))

    def _false_alarms(self) -> Process:
        mean_s = 86_400.0 / self._settings.false_alarms.per_day
        count = 0
        while True:
            yield self._world.env.timeout(self._draws.exponential() * mean_s)
            count += 1
            self._world.record("alert.notified", "rule/noise", rules=["noise"], receiver="page", group={})
            self._pager.page(f"noise/{count}", None, ("noise",), "rule/noise")

    def _customers(self) -> Process:
        """Each lost request is reported with probability 1 / affected_requests, after an exponential delay."""
        world, settings = self._world, self._settings.customer_reports
        generator = world.streams.generator("customers")
        reports: list[float] = []
        before = called = 0
        while True:
            yield world.env.timeout(5.0)
            world.sync()
            lost = sum(map(sum, world.engine.observe().lost))
            fresh = int(generator.binomial(lost - before, 1.0 / settings.affected_requests)) if lost > before else 0
            before = lost
            for delay in generator.exponential(settings.delay, fresh):
                world.env.process(self._report(float(delay), reports))
            recent = [t for t in reports if t > world.env.now - settings.window]
            if len(recent) >= settings.needed and not called:
                called = 1
                self._pager.page("support", None, ("customer-reports",), "audience/customers")
            elif not recent:
                called = 0

    def _report(self, delay_s: float, reports: list[float]) -> Process:
        yield self._world.env.timeout(delay_s)
        reports.append(self._world.env.now)
        self._world.record("inquiry.received", "audience/customers", **{"from": "customers"})
