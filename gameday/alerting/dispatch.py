"""Alertmanager's dispatcher: alerts become groups, groups become notifications.

    alert ──> group (route + labels) ──flush──> inhibition ─> hours ─> silences ──> deduplication ──> notification
                 └ first after group_wait, then every group_interval

The rule that surprises: a group speaks only when it is flushed. An alert that is over before the first flush is never notified, a
late one waits for the next group_interval, and repeat_interval is in effect rounded up to a multiple of group_interval. Ported by
behaviour from prometheus/alertmanager `dispatch/dispatch.go` and `notify/dedup_stage.go`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from gameday.alerting.alert import Alert, Labels, Notification, Reason, Suppression, Suppressor, labels_of
from gameday.alerting.mute import Hours, InhibitRule, SilencePeriod, suppressor
from gameday.instants import earliest, longer_than, reached

AlertKey = tuple[Labels, str]
GroupKey = tuple[str, str, Labels]
"""Receiver, team, and the labels grouped by."""


@dataclass(frozen=True, slots=True)
class Grouping:
    """Timers and labels of groups, with Alertmanager's defaults."""

    by: tuple[str, ...] = ("team", "severity")
    wait_s: float = 30.0
    interval_s: float = 300.0
    repeat_s: float = 14_400.0


@dataclass(frozen=True, slots=True)
class LogEntry:
    """What a group's receiver was last told."""

    at: float
    firing: frozenset[AlertKey]
    resolved: frozenset[AlertKey]


@dataclass(slots=True)
class _Group:
    """Alerts that are notified together."""

    next_flush_s: float
    alerts: dict[AlertKey, Alert] = field(default_factory=dict)
    held_back: dict[AlertKey, tuple[Suppressor, str]] = field(default_factory=dict)


def needs_update(
    last: LogEntry | None, firing: frozenset[AlertKey], resolved: frozenset[AlertKey], repeat_s: float, now: float
) -> Reason | None:
    """Why a group must be notified, or None: Alertmanager's `needsUpdate`, for receivers that are sent resolved alerts."""
    if last is None:
        return "first_notification" if firing else None
    if not firing <= last.firing:
        return "new_alerts" if last.firing else "first_notification"
    if not firing:
        return "all_resolved" if last.firing else None
    if not resolved <= last.resolved:
        return "new_resolved"
    return "repeat" if longer_than(last.at, now, repeat_s) else None


class Dispatcher:
    """Groups alerts per receiver and team, and decides when each group notifies; told alerts and the time."""

    def __init__(
        self,
        grouping: Grouping | None = None,
        *,
        inhibitions: Sequence[InhibitRule] = (),
        silences: Sequence[SilencePeriod] = (),
        hours: dict[str, Hours] | None = None,
        wall: Callable[[float], datetime] | None = None,
    ) -> None:
        """`hours` per receiver need `wall`, which gives the wall time of an instant."""
        assert not hours or wall is not None, "hours are wall time: the dispatcher must be able to tell it"
        self._grouping = grouping or Grouping()
        self._inhibitions = tuple(inhibitions)
        self._silences = list(silences)
        self._hours = dict(hours or {})
        self._wall = wall
        self._groups: dict[GroupKey, _Group] = {}
        self._known: dict[AlertKey, Alert] = {}
        self._log: dict[GroupKey, LogEntry] = {}
        self._suppressions: list[Suppression] = []

    def silence(self, period: SilencePeriod) -> None:
        """Add a silence."""
        self._silences.append(period)

    def receive(self, alert: Alert, now: float) -> None:
        """An alert was sent: firing, still firing, or resolved."""
        self._known[alert.key] = alert
        key = self._key(alert)
        group = self._groups.get(key)
        if group is None:
            if alert.is_resolved(now):
                # The group made for it would be flushed at once, have nothing to say, and vanish.
                return
            overdue = alert.starts_at + self._grouping.wait_s < now
            group = self._groups[key] = _Group(now if overdue else now + self._grouping.wait_s)
        group.alerts[alert.key] = alert

    def flush(self, now: float, *, reachable: bool = True) -> list[Notification]:
        """Flush the groups that are due. Unreachable receivers are told at the next flush, if there is still something to tell."""
        due = [(group.next_flush_s, key) for key, group in self._groups.items() if reached(group.next_flush_s, now)]
        if not due:
            return []
        self._known = {key: alert for key, alert in self._known.items() if not alert.is_resolved(now)}
        sent = (self._flush_group(key, now, reachable=reachable) for _, key in sorted(due))
        return [notification for notification in sent if notification is not None]

    def _flush_group(self, key: GroupKey, now: float, *, reachable: bool) -> Notification | None:
        group = self._groups[key]
        group.next_flush_s = now + self._grouping.interval_s
        visible = self._visible(key, group, now)
        firing = tuple(alert for alert in visible if not alert.is_resolved(now))
        resolved = tuple(alert for alert in visible if alert.is_resolved(now))
        entry = LogEntry(now, frozenset(a.key for a in firing), frozenset(a.key for a in resolved))
        # Nothing visible never reaches the deduplication: a silenced recovery is not reported.
        reason = needs_update(self._log.get(key), entry.firing, entry.resolved, self._grouping.repeat_s, now) if visible else None
        if reason is not None and not reachable:
            return None
        for alert_key in [k for k, alert in group.alerts.items() if alert.is_resolved(now)]:
            del group.alerts[alert_key]
            group.held_back.pop(alert_key, None)
        if not group.alerts:
            del self._groups[key]
        if reason is None:
            return None
        self._log[key] = entry
        receiver, team, labels = key
        return Notification(now, receiver, team or None, labels, firing, resolved, reason)

    def _visible(self, key: GroupKey, group: _Group, now: float) -> list[Alert]:
        """The alerts of a group that nothing holds back, by start and labels; notes what is held back from now on."""
        firing = list(self._known.values())
        visible = []
        for alert in sorted(group.alerts.values(), key=lambda alert: (alert.starts_at, alert.key)):
            held = suppressor(
                alert,
                now,
                firing=firing,
                inhibitions=self._inhibitions,
                silences=self._silences,
                by_hours=lambda: self._by_hours(key[0], now),
            )
            if held is None:
                visible.append(alert)
                group.held_back.pop(alert.key, None)
            elif group.held_back.get(alert.key) != held and not alert.is_resolved(now):
                group.held_back[alert.key] = held
                self._suppressions.append(Suppression(now, alert, *held))
        return visible

    def _by_hours(self, receiver: str, now: float) -> tuple[Suppressor, str] | None:
        hours = self._hours.get(receiver)
        if hours is None:
            return None
        assert self._wall is not None
        return hours.suppressor(self._wall(now))

    def _key(self, alert: Alert) -> GroupKey:
        labels = dict(alert.labels)
        return (alert.severity, alert.team or "", labels_of({name: labels.get(name, "") for name in self._grouping.by}))

    def take_suppressions(self) -> list[Suppression]:
        """What was held back since the last call, in order."""
        taken, self._suppressions = self._suppressions, []
        return taken

    def forget(self) -> None:
        """Lose alerts and groups, as a restart does; what was notified and the silences are on disk and stay."""
        self._groups.clear()
        self._known.clear()

    def next_at(self) -> float | None:
        """When the next group is due."""
        return earliest(group.next_flush_s for group in self._groups.values())
