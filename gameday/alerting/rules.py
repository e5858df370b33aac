"""The alert state machine of Prometheus: inactive, pending, firing, per label set.

    condition    -  x  x  x  x  -  -          `for: 30s`, evaluated every 15 s
    state        i  p  p  F  F  i  i

The rule that surprises: an alert fires at the first *evaluation* at which it has been active for `for`, so `for` is rounded up to a
multiple of the evaluation interval; and one evaluation without a sample makes a pending alert start over. Ported by behaviour from
prometheus/prometheus `rules/alerting.go`, `Eval` and `needsSending`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from gameday.alerting.alert import Alert, AlertEvent, Labels, Sample, Transition
from gameday.instants import lasted, longer_than

RESOLVED_RETENTION_S = 900.0
"""Time a resolved alert is remembered and sent again (Prometheus, constant)."""
RESEND_DELAY_S = 60.0
"""Least time before an unchanged firing alert is sent again (Prometheus, default of --rules.alert.resend-delay)."""
MISSED_SENDS_TOLERATED = 4
"""An alert sent at t ends by itself at t + 4 x max(evaluation, resend delay): two failed sends do no harm (Prometheus)."""

OUTAGE_TOLERANCE_S = 3600.0
"""Longest outage after which a pending alert goes on where it was (Prometheus, default of --rules.alert.for-outage-tolerance)."""
GRACE_PERIOD_S = 600.0
"""Only alerts with so long a `for` are restored, and they wait at least so long (Prometheus, default of
--rules.alert.for-grace-period)."""

State = Literal["inactive", "pending", "firing"]


@dataclass(slots=True)
class _Active:
    """What the machine remembers of one label set; an `inactive` one was firing and is remembered as resolved."""

    subject: str
    value: float
    active_at: float
    state: State = "pending"
    fired_at: float = 0.0
    keep_firing_since: float | None = None
    resolved_at: float | None = None
    last_sent_at: float | None = None


class RuleMachine:
    """The state of one alert rule; told the samples of every evaluation."""

    def __init__(
        self,
        rule: str,
        severity: str,
        labels: Callable[[str], Labels],
        *,
        hold_s: float = 0.0,
        keep_firing_for_s: float = 0.0,
        evaluation_s: float = 15.0,
        team: Callable[[Labels], str | None] = lambda labels: dict(labels).get("team"),
    ) -> None:
        """`labels` gives the labels of a subject's alert."""
        self.rule = rule
        self.severity = severity
        self._labels = labels
        self._team = team
        self._hold_s = hold_s
        self._keep_firing_for_s = keep_firing_for_s
        self._resend_s = max(evaluation_s, RESEND_DELAY_S)
        self._active: dict[Labels, _Active] = {}
        self._evaluated_at = 0.0
        self._before: tuple[float, dict[Labels, float]] | None = None

    def evaluate(self, now: float, samples: Iterable[Sample]) -> list[AlertEvent]:
        """One evaluation; the changes of state it made, in the order in which the alerts first appeared."""
        present: set[Labels] = set()
        for sample in samples:
            labels = self._labels(sample.subject)
            present.add(labels)
            known = self._active.get(labels)
            if known is None or known.state == "inactive":
                self._active.pop(labels, None)
                self._active[labels] = _Active(sample.subject, sample.value, active_at=now)
            else:
                known.value = sample.value
        events: list[AlertEvent] = []
        for labels, alert in list(self._active.items()):
            change = self._present(alert, now) if labels in present else self._missing(labels, alert, now)
            if change is not None:
                events.append(AlertEvent(now, change, self.rule, alert.subject, self.severity, alert.value, labels))
        self._restore(now)
        self._evaluated_at = now
        return events

    def _restore(self, now: float) -> None:
        """After the first evaluation since a restart: pending alerts have been active since before it (Prometheus, RestoreForState)."""
        if self._before is None:
            return
        down_at, active = self._before
        self._before = None
        for labels, alert in self._active.items():
            if labels not in active or longer_than(down_at, now, OUTAGE_TOLERANCE_S):
                continue
            left_s = self._hold_s - (down_at - active[labels])
            if left_s <= 0:
                alert.active_at = active[labels]
            elif left_s < GRACE_PERIOD_S:
                alert.active_at = now + GRACE_PERIOD_S - self._hold_s
            else:
                alert.active_at = active[labels] + (now - down_at)

    def _present(self, alert: _Active, now: float) -> Transition | None:
        alert.keep_firing_since = None
        if alert.state == "pending" and lasted(alert.active_at, now, self._hold_s):
            alert.state = "firing"
            alert.fired_at = now
            return "firing"
        return "pending" if alert.state == "pending" and alert.active_at == now else None

    def _missing(self, labels: Labels, alert: _Active, now: float) -> Transition | None:
        if alert.state == "pending" or (
            alert.resolved_at is not None and longer_than(alert.resolved_at, now, RESOLVED_RETENTION_S)
        ):
            del self._active[labels]
        if alert.state != "firing" or self._keeps_firing(alert, now):
            return None
        alert.state = "inactive"
        alert.resolved_at = now
        return "resolved"

    def _keeps_firing(self, alert: _Active, now: float) -> bool:
        if self._keep_firing_for_s <= 0:
            return False
        if alert.keep_firing_since is None:
            alert.keep_firing_since = now
        return not lasted(alert.keep_firing_since, now, self._keep_firing_for_s)

    def to_send(self, now: float) -> list[Alert]:
        """The alerts that Prometheus sends after an evaluation at `now`; they count as sent. Pending ones never are."""
        sent = []
        for labels, alert in self._active.items():
            if self._needs_sending(alert, now):
                alert.last_sent_at = now
                ends_at = now + MISSED_SENDS_TOLERATED * self._resend_s if alert.resolved_at is None else alert.resolved_at
                sent.append(
                    Alert(
                        labels,
                        self.rule,
                        alert.subject,
                        self.severity,
                        self._team(labels),
                        alert.value,
                        starts_at=alert.fired_at,
                        ends_at=ends_at,
                    )
                )
        return sent

    def _needs_sending(self, alert: _Active, now: float) -> bool:
        if alert.state == "pending":
            return False
        if alert.last_sent_at is None or (alert.resolved_at is not None and alert.resolved_at > alert.last_sent_at):
            return True
        return longer_than(alert.last_sent_at, now, RESEND_DELAY_S)

    def state(self, labels: Labels) -> State:
        """The state of one alert."""
        known = self._active.get(labels)
        return "inactive" if known is None else known.state

    def forget(self) -> None:
        """Lose all memory, as a restart does; how long alerts with a `for` of ten minutes or more have been active is on disk."""
        if self._hold_s >= GRACE_PERIOD_S:
            active = {labels: alert.active_at for labels, alert in self._active.items() if alert.state != "inactive"}
            self._before = (self._evaluated_at, active)
        self._active.clear()
