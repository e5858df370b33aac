"""The values that travel through the alerting pipeline: samples, alerts, events, notifications, suppressions.

The rule that surprises: an alert *is* its labels. Two samples of a rule with different labels are two alerts, and the same labels
after a recovery are the same alert again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Labels = tuple[tuple[str, str], ...]
"""Labels in the order of their names; hashable, the identity of an alert."""

Transition = Literal["pending", "firing", "resolved"]
Suppressor = Literal["silence", "inhibition", "mute_time_interval", "active_time_interval"]
"""What may keep a firing alert from its receiver, in the words of Alertmanager."""
Reason = Literal["first_notification", "new_alerts", "all_resolved", "new_resolved", "repeat", "watchdog"]
"""Why a notification was sent; all but `watchdog` are the branches of Alertmanager's deduplication."""


def labels_of(labels: Mapping[str, str]) -> Labels:
    """Labels as an identity; empty values count as missing, as in Prometheus."""
    return tuple(sorted((name, value) for name, value in labels.items() if value))


@dataclass(frozen=True, slots=True)
class Sample:
    """One element of the result of a rule's condition: this subject meets it now."""

    subject: str
    """What it concerns, e.g. `service/checkout@eu-1`, `class/checkout@home`."""
    value: float
    """The value that met the condition, in the unit of the indicator."""


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert as it is sent to the dispatcher."""

    labels: Labels
    rule: str
    subject: str
    severity: str
    team: str | None
    """Team that is told; None = the default escalation."""
    value: float
    starts_at: float
    """When it began to fire (not when it became pending), seconds."""
    ends_at: float
    """When it counts as resolved unless it is sent again, seconds."""

    def is_resolved(self, now: float) -> bool:
        """Whether it has ended."""
        return self.ends_at <= now

    @property
    def key(self) -> tuple[Labels, str]:
        """Labels and severity: what tells alerts apart in notifications."""
        return (self.labels, self.severity)


@dataclass(frozen=True, slots=True)
class AlertEvent:
    """A change of state of one alert: `alert.pending`, `alert.firing` or `alert.resolved` in the timeline.

    A pending alert whose condition goes away leaves no event: it was never sent to anybody.
    """

    at: float
    transition: Transition
    rule: str
    subject: str
    severity: str
    value: float
    """Value of the indicator; of the last sample for `resolved`."""
    labels: Labels


@dataclass(frozen=True, slots=True)
class Notification:
    """What leaves for a receiver: `alert.notified` in the timeline."""

    at: float
    receiver: str
    """Name of the receiver; without a routing tree `page` or `ticket`."""
    team: str | None
    """Team whose escalation is meant; None = the default escalation."""
    group: Labels
    """Labels the alerts were grouped by."""
    firing: tuple[Alert, ...]
    resolved: tuple[Alert, ...]
    reason: Reason
    kind: Literal["page", "ticket", "none"] = "page"
    """What the receiver is."""
    route: str = ""
    """Way to the route in the routing tree, which keeps its groups apart from those of other routes to the same receiver."""

    @property
    def group_key(self) -> str:
        """Names the group: notifications with the same key are about the same page."""
        labels = ",".join(f"{name}={value}" for name, value in self.group)
        return f"{self.receiver}/{self.team or 'default'}/{{{labels}}}{self.route}"

    @property
    def rules(self) -> tuple[str, ...]:
        """Names of the rules it reports, each once; of the firing alerts first."""
        return tuple(dict.fromkeys(alert.rule for alert in (*self.firing, *self.resolved)))


@dataclass(frozen=True, slots=True)
class Suppression:
    """A firing alert was kept from its receiver: `alert.suppressed` in the timeline. Told when it begins or its reason changes."""

    at: float
    alert: Alert
    why: Suppressor
    by: str
    """What held it back: the reason of the silence, the inhibiting rule, or the hours."""
