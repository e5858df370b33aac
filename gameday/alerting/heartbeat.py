"""`kind: heartbeat`: a watchdog outside that pages when the monitoring stops reporting to it (a dead-man's switch).

The rule that surprises: it shares nothing with the monitoring. It keeps its own time instead of being evaluated every so often, its
page is neither grouped nor silenced, and it goes on when the monitoring is gone. Unhealthy from `last beat + interval` on, as
GoAlert's heartbeat monitors are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gameday.alerting.alert import Alert, AlertEvent, Labels, Notification, Transition
from gameday.errors import Problem
from gameday.instants import earliest, reached
from gameday.units import format_duration

if TYPE_CHECKING:
    from gameday.scenario.monitoring import HeartbeatRule


class Watchdog:
    """One heartbeat rule, seen from outside; it starts as if a beat had just come."""

    def __init__(self, name: str, rule: HeartbeatRule, labels: Labels, started_s: float = 0.0) -> None:
        """`labels` are those of its alert."""
        self.name = name
        self._rule = rule
        self._labels = labels
        self._team = dict(labels).get("team")
        self._last_beat_s = started_s
        self._pending = False
        self._fired_s: float | None = None
        self._recovering_since_s: float | None = None
        self._notifications: list[Notification] = []

    def beat(self, now: float) -> None:
        """A heartbeat arrived."""
        self._last_beat_s = now

    def check(self, now: float) -> list[AlertEvent]:
        """Look at the clock; firing and resolving also leave a notification."""
        transition = self._silent(now) if reached(self._silent_from_s, now) else self._alive(now)
        if transition is None:
            return []
        value = now - self._last_beat_s
        return [AlertEvent(now, transition, self.name, f"rule/{self.name}", self._rule.severity, value, self._labels)]

    def _silent(self, now: float) -> Transition | None:
        self._recovering_since_s = None
        if self._fired_s is not None:
            return None
        if reached(self._silent_from_s + self._rule.hold, now):
            self._pending = False
            self._fired_s = now
            self._notify(now, self._fired_s, resolved=False)
            return "firing"
        became_pending, self._pending = not self._pending, True
        return "pending" if became_pending else None

    def _alive(self, now: float) -> Transition | None:
        self._pending = False
        if self._fired_s is None:
            return None
        if self._recovering_since_s is None:
            self._recovering_since_s = now
        if not reached(self._recovering_since_s + self._rule.keep_firing_for, now):
            return None
        self._notify(now, self._fired_s, resolved=True)
        self._fired_s = self._recovering_since_s = None
        return "resolved"

    def _notify(self, now: float, fired_s: float, *, resolved: bool) -> None:
        ends_at = now if resolved else float("inf")
        value = now - self._last_beat_s
        subject, severity = f"rule/{self.name}", self._rule.severity
        alert = Alert(self._labels, self.name, subject, severity, self._team, value, fired_s, ends_at)
        firing, ended = ((), (alert,)) if resolved else ((alert,), ())
        group = (("rule", self.name),)
        self._notifications.append(Notification(now, severity, self._team, group, firing, ended, "watchdog", severity))

    def take_notifications(self) -> list[Notification]:
        """The notifications since the last call."""
        taken, self._notifications = self._notifications, []
        return taken

    def next_at(self) -> float | None:
        """When its state may next change by itself; None while only a beat can change it."""
        if self._fired_s is None:
            return self._silent_from_s + (self._rule.hold if self._pending else 0.0)
        if self._recovering_since_s is None:
            return None
        return earliest((self._recovering_since_s + self._rule.keep_firing_for, self._silent_from_s))

    @property
    def _silent_from_s(self) -> float:
        """When the last beat has grown too old."""
        return self._last_beat_s + self._rule.interval


def problems(name: str, rule: HeartbeatRule, evaluation_s: float) -> list[Problem]:
    """What is wrong with a rule: the monitoring beats once per evaluation, so a shorter interval pages all the time."""
    if rule.interval > evaluation_s:
        return []
    message = (
        f"must be longer than the time between evaluations ({format_duration(evaluation_s)}), at which the monitoring reports"
    )
    return [Problem(None, None, None, f"monitoring.rules.{name}.interval", format_duration(rule.interval), message)]
