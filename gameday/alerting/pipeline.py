"""The whole alerting pipeline of a scenario: rules are evaluated, alerts grouped, people notified.

    alerting = Alerting(scenario.monitoring, owners=owners(scenario.system), origins=scenario.system.traffic.origins)
    while (now := alerting.next_at()) <= end:
        events = alerting.evaluate(now, source)         # alert.pending, alert.firing, alert.resolved
        pages = alerting.notifications(now)             # alert.notified
        held_back = alerting.suppressions()             # alert.suppressed

The rule that surprises: it may be asked at any time and keeps its own schedule. A call between two evaluations evaluates nothing, so
that `for` is rounded as Prometheus rounds it; call `evaluate` before `notifications` at the same instant.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from gameday.alerting import absence, backlog, baseline, burn_rate, heartbeat, probe, threshold
from gameday.alerting.alert import AlertEvent, Notification, Suppression
from gameday.alerting.labels import alert_labels
from gameday.alerting.mute import SilencePeriod
from gameday.alerting.routing import dispatcher_of, routing_problems
from gameday.alerting.rules import RuleMachine
from gameday.alerting.source import IndicatorSource, Sampler
from gameday.errors import BadInput, Problem
from gameday.instants import SAME_INSTANT_S, earliest, reached
from gameday.people import WeeklyHours

if TYPE_CHECKING:
    from gameday.scenario.monitoring import Monitoring, Rule


class Alerting:
    """The alerting of one scenario; its time is seconds from the start of the run."""

    def __init__(
        self,
        monitoring: Monitoring,
        *,
        owners: Mapping[str, str] | None = None,
        origins: Iterable[str] = (),
        starts: datetime | None = None,
        ticket_hours: WeeklyHours | None = None,
        first_evaluation_s: float = 0.0,
    ) -> None:
        """`owners`: component to team. `origins`: where probes come from that name no origin. `starts`: wall time of instant 0; with
        it, tickets wait for `ticket_hours` (office hours in the time zone of `starts`), without it they do not wait.
        `first_evaluation_s`: phase of the evaluations, which a simulation draws uniformly from [0, evaluation).
        Raises BadInput for rules that cannot work (`problems`).
        """
        found = problems(monitoring, starts)
        if found:
            raise BadInput(found)
        self._interval_s = monitoring.evaluation
        self._first_s = first_evaluation_s
        self._evaluations = 0
        self._running = True
        owned = owners or {}
        places = tuple(origins)
        self._rules: list[tuple[RuleMachine, Sampler]] = []
        self._watchdogs: list[heartbeat.Watchdog] = []
        for name, rule in monitoring.every_rule.items():
            labels = partial(alert_labels, name, rule.severity, rule.team, owners=owned, further=rule.labels)
            if rule.kind == "heartbeat":
                self._watchdogs.append(heartbeat.Watchdog(name, rule, labels(f"rule/{name}"), first_evaluation_s))
                continue
            if rule.kind == "probe":
                labels = partial(labels, place="origin")
            machine = RuleMachine(
                name,
                rule.severity,
                labels,
                hold_s=rule.hold,
                keep_firing_for_s=rule.keep_firing_for,
                evaluation_s=monitoring.evaluation,
            )
            self._rules.append((machine, sampler(rule, monitoring, places, starts)))
        self._dispatcher = dispatcher_of(monitoring, starts, ticket_hours)

    def add(self, machine: RuleMachine, condition: Sampler) -> None:
        """One more rule that is evaluated from now on, besides those of the scenario."""
        self._rules.append((machine, condition))

    @property
    def running(self) -> bool:
        """Whether the monitoring works."""
        return self._running

    def evaluate(self, now: float, source: IndicatorSource, *, isolated: bool = False) -> list[AlertEvent]:
        """Evaluate the rules if an evaluation is due, and let the watchdogs look at the clock; the changes of state.

        `isolated`: the monitoring works but cannot reach the outside, so its heartbeat does not arrive.
        """
        events: list[AlertEvent] = []
        if self._running and reached(self._due_s, now):
            # Evaluations that were missed are skipped, as a slow rule group skips them.
            self._evaluations = math.floor((now - self._first_s + SAME_INSTANT_S) / self._interval_s) + 1
            for machine, condition in self._rules:
                events += machine.evaluate(now, condition.samples(source, now))
                for alert in machine.to_send(now):
                    self._dispatcher.receive(alert, now)
            if not isolated:
                for watchdog in self._watchdogs:
                    watchdog.beat(now)
        for watchdog in self._watchdogs:
            events += watchdog.check(now)
        return events

    def notifications(self, now: float, *, isolated: bool = False) -> list[Notification]:
        """The notifications that are due: of the watchdogs always, of the groups while the monitoring works and is not isolated."""
        sent = [notification for watchdog in self._watchdogs for notification in watchdog.take_notifications()]
        if self._running:
            sent += self._dispatcher.flush(now, reachable=not isolated)
        return sent

    def suppressions(self) -> list[Suppression]:
        """What was held back since the last call."""
        return self._dispatcher.take_suppressions()

    def silence(self, period: SilencePeriod) -> None:
        """Silence alerts from now on (a human's, or of the change calendar)."""
        self._dispatcher.silence(period)

    def stop(self) -> None:
        """The monitoring goes down: nothing is evaluated or grouped; the watchdogs go on."""
        self._running = False

    def restart(self, now: float) -> None:
        """The monitoring comes back at `now` without its memory of alerts and groups; what it has notified it remembers."""
        self._running = True
        self._evaluations = math.ceil((now - self._first_s - SAME_INSTANT_S) / self._interval_s)
        for machine, _ in self._rules:
            machine.forget()
        self._dispatcher.forget(now)

    def next_at(self) -> float | None:
        """When it wants to be asked next."""
        own = (self._due_s, self._dispatcher.next_at()) if self._running else ()
        return earliest((*own, *(watchdog.next_at() for watchdog in self._watchdogs)))

    @property
    def _due_s(self) -> float:
        return self._first_s + self._evaluations * self._interval_s


def sampler(rule: Rule, monitoring: Monitoring, origins: Sequence[str], starts: datetime | None) -> Sampler:
    """The condition of a rule that is evaluated by the monitoring."""
    match rule.kind:
        case "threshold":
            return threshold.sampler(rule)
        case "burn_rate":
            return burn_rate.sampler(rule)
        case "probe":
            return probe.sampler(rule, monitoring.probes, origins)
        case "absence":
            return absence.sampler(rule)
        case "backlog":
            return backlog.sampler(rule)
        case "baseline":
            assert starts is not None, "hours are wall time: `problems` asks for a start"
            return baseline.sampler(rule, starts)
        case "heartbeat":
            raise AssertionError("a heartbeat rule is watched from outside, not evaluated")


def problems(monitoring: Monitoring, starts: datetime | None = None) -> list[Problem]:
    """Everything about the rules that cannot work: limits that can never be passed, rules that would always fire, unknown names."""
    found: list[Problem] = []
    if monitoring.evaluation <= 0:
        message = "must be longer than nothing"
        found.append(Problem(None, None, None, "monitoring.evaluation", "0s", message))
    for name, slo in monitoring.slos.items():
        found += burn_rate.slo_problems(name, slo)
    for name, rule in monitoring.rules.items():
        found += _rule_problems(name, rule, monitoring, starts)
    return found + routing_problems(monitoring)


def _rule_problems(name: str, rule: Rule, monitoring: Monitoring, starts: datetime | None) -> list[Problem]:
    match rule.kind:
        case "threshold":
            return threshold.problems(name, rule)
        case "burn_rate":
            return burn_rate.problems(name, rule)
        case "probe":
            return probe.problems(name, rule, monitoring.probes)
        case "absence":
            return absence.problems(name, rule, monitoring.scrape)
        case "backlog":
            return backlog.problems(name, rule)
        case "heartbeat":
            return heartbeat.problems(name, rule, monitoring.evaluation)
        case "baseline":
            return baseline.problems(name, rule, starts=starts)
