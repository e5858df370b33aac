"""The monitoring system of a replication: scrapes, probes, rules and notifications; beside it false alarms and the customers.

The rule that surprises: it is a machine in a place. Where that place fails it measures and tells nothing, where it is cut off it goes on
measuring and tells nobody; only a watchdog outside, or the customers, are heard then.
"""

from __future__ import annotations

from collections.abc import Iterator

from gameday.alerting.alert import Labels, Notification
from gameday.alerting.candidates import dependency_graph, ranked
from gameday.alerting.labels import owners
from gameday.alerting.matchers import Matcher, Matchers, one_of
from gameday.alerting.mute import SilencePeriod
from gameday.alerting.pipeline import Alerting
from gameday.scenario.changes import silences_of
from gameday.scenario.monitoring import Probe
from gameday.selectors import Selector
from sim.day import Day
from sim.evidence import evidence
from sim.noise import NOISE, FalseAlarms
from sim.people.pager import Pager
from sim.probes import RegionHealth
from sim.processes import Process
from sim.scrapes import ProbeState, Scrapes

OUTSIDE = "outside"
CUSTOMERS_LOOK_EVERY_S = 5.0
PROBE_WINDOWS_S = (30.0, 120.0, 600.0)
"""Where too few requests came while a probe ran, its chance is that of the requests of a longer time. Assumption."""
AGAIN = "/again"
"""Ends the group of a notification that comes twice: the pager cannot know that it is the same."""
SUPPORT = "support"
"""Group of the page by which support calls."""


class Monitor:
    """Runs the monitoring of a day and hands its notifications to the pager."""

    def __init__(self, day: Day, pager: Pager) -> None:
        self._day = day
        self._world = day.world
        self._pager = pager
        scenario, draws = day.world.scenario, day.world.streams.draws("monitoring")
        self._settings = scenario.monitoring
        self.scrapes = Scrapes(day)
        self._alerting = Alerting(
            scenario.monitoring,
            owners=owners(scenario.system),
            origins=list(day.world.wiring.origins),
            starts=scenario.starts,
            first_evaluation_s=draws.uniform() * scenario.monitoring.evaluation,
        )
        self._duplicate_draws = day.world.streams.draws("duplicate notifications")
        self._firing_since: dict[Labels, tuple[float, str]] = {}
        env = day.world.env
        env.look(self._scrape(draws.uniform() * scenario.monitoring.scrape))
        for name, probe in scenario.monitoring.probes.items():
            for origin in [probe.origin] if probe.origin else list(day.world.wiring.origins):
                state = self.scrapes.probes.setdefault(f"{name}@{origin}", ProbeState())
                env.look(self._probe(f"{name}@{origin}", probe, origin, state))
        for silence in self._planned_silences():
            self._alerting.silence(silence)
        env.look(self._evaluate())
        if scenario.monitoring.false_alarms.per_day > 0:
            noise = FalseAlarms(day.world)
            self._alerting.add(noise.machine(), noise)
            env.process(noise.come())
        if scenario.monitoring.customer_reports.enabled:
            env.look(self._customers())

    def works(self) -> bool:
        """Whether the place it runs at works."""
        return self._world.place_works(self._settings.location)

    def isolated(self) -> bool:
        """Whether it works but cannot reach the outside."""
        return self._settings.location != OUTSIDE and not self._world.reachable(self._settings.location, OUTSIDE)

    # -- measuring ------------------------------------------------------------------------------------------------------

    def _scrape(self, phase_s: float) -> Process:
        yield self._world.env.timeout(phase_s)
        while True:
            if self.works():
                self.scrapes.scrape()
            yield self._world.env.timeout(self._settings.scrape)

    def _probe(self, name: str, probe: Probe, origin: str, state: ProbeState) -> Process:
        """A synthetic request meets what a real one from the same origin meets: its success is drawn from the share of good answers
        that the class's requests from there got in the time the probe could take.
        """
        world, draws = self._world, self._world.streams.draws(f"probe/{name}")
        health = {region: RegionHealth(world, region, draws) for region in world.scenario.system.regions}
        yield world.env.timeout(draws.uniform() * probe.interval)
        while True:
            yield world.env.timeout(probe.timeout)
            passed = draws.uniform() < self._chance(probe, origin, health)
            if self.works() and not self.isolated():
                state.keep(world.env.now, passed)
            yield world.env.timeout(max(probe.interval - probe.timeout, 0.001))

    def _chance(self, probe: Probe, origin: str, health: dict[str, RegionHealth]) -> float:
        """Share of good answers of the class from there; where no client ever asks, whether the region they would go to stands."""
        for window_s in (probe.timeout + 1.0, *PROBE_WINDOWS_S):
            share = self._day.indicators.flow_good_ratio(probe.request_class, origin, window_s, self._world.env.now)
            if share is not None:
                return share
        region = self._day.resolvers.answer(origin)
        reached = self._world.reachable(f"internet/{origin}", f"region/{region}")
        return float(reached and health[region].stands())

    # -- judging --------------------------------------------------------------------------------------------------------

    def _planned_silences(self) -> Iterator[SilencePeriod]:
        """Maintenance that change management knows of: alerts about its target are silenced while it lasts."""
        for planned in self._world.scenario.schedule.maintenance:
            if planned.silence:
                until, why = planned.at + planned.lasts, f"maintenance: {planned.what}"
                for matchers in self._about(planned.target):
                    yield SilencePeriod(matchers, planned.at, until, why)
        scenario = self._world.scenario
        for change, begins, ends in silences_of(scenario.monitoring.change_calendar, scenario.starts):
            for matchers in self._about(change.target):
                yield SilencePeriod(matchers, begins, ends, f"change: {change.what}")

    def _about(self, target: str) -> Iterator[Matchers]:
        """Which alerts are about a target: its component's, of that region or of all; of a region also all that are narrowed to it."""
        selector = Selector.parse(target)
        if selector.kind == "group":
            for member in self._world.scenario.system.groups[selector.name]:
                yield from self._about(member)
            return
        kind = "service" if selector.kind == "instance" else selector.kind
        matchers = [Matcher("component", "=", f"{kind}/{selector.name}")]
        if selector.at is not None:
            topology = self._world.topology
            region = topology.region_of(selector.at) if selector.at in topology.zones else selector.at
            matchers.append(one_of("region", (region, selector.at, "")))
        yield tuple(matchers)
        if selector.kind == "region":
            yield (Matcher("region", "=", selector.name),)

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
        for event in self._alerting.evaluate(now, self.scrapes, isolated=isolated):
            self._firing_since.pop(event.labels, None)
            if event.transition == "firing" and event.rule != NOISE:
                self._firing_since[event.labels] = (event.at, event.subject)
            data = {"rule": event.rule, "severity": event.severity, "value": event.value, "labels": dict(event.labels)}
            world.record(f"alert.{event.transition}", event.subject, **data)
        for notification in self._alerting.notifications(now, isolated=isolated):
            self._notify(notification)
        for held in self._alerting.suppressions():
            data = {"rule": held.alert.rule, "why": held.why, "labels": dict(held.alert.labels)}
            world.record("alert.suppressed", held.alert.subject, **data)

    def _notify(self, notification: Notification) -> None:
        """A page goes to the pager; a ticket is only put on record: it waits for somebody to read it."""
        told = [*notification.firing, *notification.resolved]
        real = [alert for alert in notification.firing if alert.rule != NOISE]
        subject = (real or told)[0].subject
        data = {"rules": list(notification.rules), "receiver": notification.receiver, "group": dict(notification.group)}
        self._world.record("alert.notified", subject, **data)
        if notification.kind != "page":
            return
        if notification.firing:
            if real and notification.reason != "repeat" and self.works():
                self._world.record("alert.evidence", subject, anomalies=evidence(self._day, self.scrapes, self._oldest()))
            self._pager.page(notification.group_key, notification.team, notification.rules, subject)
            duplicates = self._settings.false_alarms.duplicates
            if duplicates and self._duplicate_draws.uniform() < duplicates:
                self._pager.page(f"{notification.group_key}{AGAIN}", notification.team, notification.rules, subject)
        else:
            self._pager.resolved(notification.group_key)
            self._pager.resolved(f"{notification.group_key}{AGAIN}")

    def _oldest(self) -> float:
        """When the oldest of the alerts that fire began to."""
        return min((since for since, _ in self._firing_since.values()), default=self._world.env.now)

    def candidates(self) -> list[str]:
        """Components, the likeliest root cause first, by what is measured now. MissingExtra without the analysis extra."""
        scenario = self._world.scenario
        alerting = {subject for _, subject in self._firing_since.values()}
        anomalies = evidence(self._day, self.scrapes, self._oldest())
        return ranked(dependency_graph(scenario.system, scenario.load), anomalies, alerting)

    # -- noise, and the customers ---------------------------------------------------------------------------------------

    def _customers(self) -> Process:
        """Each lost request is reported with probability 1 / affected_requests, after an exponential delay; support calls once about
        reports that keep coming, and again after a window without any.

        Drawn as the number of lost requests until the next report, so that the same customers call whatever is done about it.
        """
        world, settings = self._world, self._settings.customer_reports
        waits = world.streams.generator("customers")
        delays = world.streams.draws("customers' delays")
        reports: list[float] = []
        called = False
        next_report = int(waits.geometric(1.0 / settings.affected_requests))
        while True:
            yield world.env.timeout(CUSTOMERS_LOOK_EVERY_S)
            world.sync()
            lost = sum(world.engine.observe().requests()[2 * len(world.wiring.flows) :])
            while lost >= next_report:
                next_report += int(waits.geometric(1.0 / settings.affected_requests))
                world.env.process(self._report(delays.exponential() * settings.delay, reports))
            recent = [t for t in reports if t > world.env.now - settings.window]
            if len(recent) >= settings.needed and not called:
                called = True
                self._pager.page(SUPPORT, None, ("customer-reports",), "audience/customers")
            elif not recent and called:
                called = False
                self._pager.resolved(SUPPORT)

    def _report(self, delay_s: float, reports: list[float]) -> Process:
        yield self._world.env.timeout(delay_s)
        reports.append(self._world.env.now)
        self._world.record("inquiry.received", "audience/customers", **{"from": "customers"})
