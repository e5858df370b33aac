"""Alertmanager's dispatcher: alerts become groups, groups become notifications.

    alert ──> routes ──> groups ──flush──> inhibition ─> hours ─> silences ──> deduplication ──> notification
                           └ first after group_wait, then every group_interval

The rule that surprises: a group speaks only when it is flushed. An alert that is over before the first flush is never notified, a
late one waits for the next group_interval, and repeat_interval is in effect rounded up to a multiple of group_interval. A group whose
alerts are gone lives on until the next clean-up, every 30 s: what comes before that waits for its group_interval too. Ported by
behaviour from prometheus/alertmanager 0.25 `dispatch/dispatch.go`, `notify/notify.go`, `provider/mem/mem.go` and `nflog/nflog.go`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from gameday.alerting.alert import Alert, Labels, Notification, Reason, Suppression
from gameday.alerting.mute import Held, InhibitRule, SilencePeriod, held_by_hours, suppressor
from gameday.alerting.routes import STANDARD_RECEIVERS, Receiver, Route, standard_tree
from gameday.alerting.time_intervals import Interval
from gameday.instants import SAME_INSTANT_S, earliest, longer_than, reached

CLEANUP_S = 30.0
"""Time between two clean-ups of empty groups (Alertmanager, constant)."""
LOG_RETENTION_S = 432_000.0
"""Longest time a notification is remembered (Alertmanager, default of --data.retention, 120 h)."""
LOG_CLEANUP_S = 900.0
"""Time between two clean-ups of what was notified (Alertmanager, default of --data.maintenance-interval)."""
AlertKey = tuple[Labels, str]
GroupKey = tuple[int, str, Labels]
"""Number of the route, team, and the labels grouped by."""
LogKey = tuple[str, str, str, Labels]
"""Key and receiver of the route, team, labels."""


@dataclass(frozen=True, slots=True)
class LogEntry:
    """What a group's receiver was last told."""

    at: float
    firing: frozenset[AlertKey]
    resolved: frozenset[AlertKey]


@dataclass(slots=True)
class _Group:
    """Alerts that are notified together."""

    route: Route
    next_flush_s: float
    flushed: bool = False
    empty_since_s: float | None = None
    alerts: dict[AlertKey, Alert] = field(default_factory=dict)
    held_back: dict[AlertKey, Held] = field(default_factory=dict)

    def catch_up(self, now: float) -> None:
        """Flushes of an empty group do nothing but keep its rhythm."""
        if self.empty_since_s is not None and self.next_flush_s < now:
            behind = math.ceil((now - self.next_flush_s - SAME_INSTANT_S) / self.route.interval_s)
            self.next_flush_s += max(0, behind) * self.route.interval_s


def needs_update(
    last: LogEntry | None,
    firing: frozenset[AlertKey],
    resolved: frozenset[AlertKey],
    repeat_s: float,
    now: float,
    *,
    send_resolved: bool = True,
) -> Reason | None:
    """Why a group must be notified, or None: Alertmanager's `needsUpdate`."""
    if last is None:
        return "first_notification" if firing else None
    if not firing <= last.firing:
        return "new_alerts" if last.firing else "first_notification"
    if not firing:
        return "all_resolved" if last.firing else None
    if send_resolved and not resolved <= last.resolved:
        return "new_resolved"
    return "repeat" if longer_than(last.at, now, repeat_s) else None


def merged(old: Alert, new: Alert, now: float) -> Alert:
    """What is kept when an alert is sent again: where their times overlap, the earlier start (Alertmanager's `Alert.Merge`)."""
    overlap = old.starts_at < new.ends_at < old.ends_at or old.starts_at < new.starts_at < old.ends_at
    if not overlap:
        return new
    both_over = new.is_resolved(now) and old.is_resolved(now)
    still_firing_longer = not new.is_resolved(now) and old.ends_at > new.ends_at
    ends_at = max(old.ends_at, new.ends_at) if both_over or still_firing_longer else new.ends_at
    return replace(new, starts_at=min(old.starts_at, new.starts_at), ends_at=ends_at)


class Dispatcher:
    """Groups alerts by the routing tree and decides when each group notifies; told alerts and the time."""

    def __init__(
        self,
        routes: Route | None = None,
        *,
        receivers: Mapping[str, Receiver] = STANDARD_RECEIVERS,
        inhibitions: Sequence[InhibitRule] = (),
        silences: Sequence[SilencePeriod] = (),
        intervals: Mapping[str, Sequence[Interval]] | None = None,
        wall: Callable[[float], datetime] | None = None,
        started_s: float = 0.0,
    ) -> None:
        """`intervals`: the time intervals that routes name; they need `wall`, which gives the wall time of an instant.
        `started_s`: when it was started, which gives its clean-ups their phase.
        """
        self._routes = routes or standard_tree()
        self._receivers = receivers
        self._intervals = dict(intervals or {})
        named = {name for node in self._routes.nodes() for name in (*node.active, *node.mute)}
        assert named <= set(self._intervals), "every interval that a route names exists"
        assert not named or wall is not None, "hours are wall time: the dispatcher must be able to tell it"
        assert {node.receiver for node in self._routes.nodes()} <= set(self._receivers), (
            "every receiver that a route names exists"
        )
        self._inhibitions = tuple(inhibitions)
        self._silences = list(silences)
        self._wall = wall
        self._started_s = started_s
        self._groups: dict[GroupKey, _Group] = {}
        self._known: dict[AlertKey, Alert] = {}
        self._log: dict[LogKey, LogEntry] = {}
        self._suppressions: list[Suppression] = []

    def silence(self, period: SilencePeriod) -> None:
        """Add a silence."""
        self._silences.append(period)

    def receive(self, alert: Alert, now: float) -> None:
        """An alert was sent: firing, still firing, or resolved."""
        old = self._known.get(alert.key)
        if old is not None:
            alert = merged(old, alert, now)
        self._known[alert.key] = alert
        labels = dict(alert.labels)
        for route in self._routes.matching(labels):
            team = "" if self._receivers[route.receiver].team else alert.team or ""
            self._insert((route.number, team, route.group_of(labels)), route, alert, now)

    def _insert(self, key: GroupKey, route: Route, alert: Alert, now: float) -> None:
        group = self._groups.get(key)
        if group is None or self._cleaned_up(group, now):
            group = self._groups[key] = _Group(route, now + route.wait_s)
        group.catch_up(now)
        group.empty_since_s = None
        group.alerts[alert.key] = alert
        if not group.flushed and alert.starts_at + route.wait_s < now:
            group.next_flush_s = now

    def _cleaned_up(self, group: _Group, now: float) -> bool:
        """Whether a clean-up has come by since a group lost its last alert."""
        if group.empty_since_s is None:
            return False
        ticks = math.floor((group.empty_since_s - self._started_s) / CLEANUP_S) + 1
        return reached(self._started_s + ticks * CLEANUP_S, now)

    def flush(self, now: float, *, reachable: bool = True) -> list[Notification]:
        """Flush the groups that are due. Unreachable receivers are told at the next flush, if there is still something to tell."""
        due = [
            (group.next_flush_s, key) for key, group in self._groups.items() if group.alerts and reached(group.next_flush_s, now)
        ]
        if not due:
            return []
        self._forget_old(now)
        sent = (self._flush_group(key, now, reachable=reachable) for _, key in sorted(due))
        return [notification for notification in sent if notification is not None]

    def _forget_old(self, now: float) -> None:
        """Drop what can change nothing any more: empty groups, and what was notified too long ago."""
        self._groups = {key: group for key, group in self._groups.items() if not self._cleaned_up(group, now)}
        self._known = {key: alert for key, alert in self._known.items() if not longer_than(alert.ends_at, now, 2 * LOG_CLEANUP_S)}

    def _last_told(self, key: LogKey, repeat_s: float, now: float) -> LogEntry | None:
        """What was last notified; after twice the repeat interval it is forgotten at the next clean-up."""
        entry = self._log.get(key)
        cleanup = self._started_s + math.floor((now - self._started_s) / LOG_CLEANUP_S) * LOG_CLEANUP_S
        if entry is not None and entry.at + min(2 * repeat_s, LOG_RETENTION_S) <= cleanup:
            del self._log[key]
            return None
        return entry

    def _flush_group(self, key: GroupKey, now: float, *, reachable: bool) -> Notification | None:
        group = self._groups[key]
        route, receiver = group.route, self._receivers[group.route.receiver]
        group.next_flush_s = now + route.interval_s
        group.flushed = True
        visible = self._visible(group, now)
        firing = tuple(alert for alert in visible if not alert.is_resolved(now))
        resolved = tuple(alert for alert in visible if alert.is_resolved(now))
        entry = LogEntry(now, frozenset(a.key for a in firing), frozenset(a.key for a in resolved))
        log_key = (route.key, route.receiver, key[1], key[2])
        last = self._last_told(log_key, route.repeat_s, now)
        # Nothing visible never reaches the deduplication: a silenced recovery is not reported.
        reason = (
            needs_update(last, entry.firing, entry.resolved, route.repeat_s, now, send_resolved=receiver.send_resolved)
            if visible
            else None
        )
        told = reason is not None and (receiver.send_resolved or bool(firing))
        if told and not reachable:
            return None
        for alert_key in [k for k, alert in group.alerts.items() if alert.is_resolved(now)]:
            del group.alerts[alert_key]
            group.held_back.pop(alert_key, None)
        if not group.alerts:
            group.empty_since_s = now
        if reason is None:
            return None
        self._log[log_key] = entry
        if not told:
            return None
        ended = resolved if receiver.send_resolved else ()
        team = receiver.team or key[1] or None
        return Notification(now, receiver.name, team, key[2], firing, ended, reason, receiver.kind, route.key)

    def _visible(self, group: _Group, now: float) -> list[Alert]:
        """The alerts of a group that nothing holds back, by start and labels; notes what is held back from now on."""
        firing = [alert for alert in self._known.values() if not alert.is_resolved(now)]
        visible = []
        for alert in sorted(group.alerts.values(), key=lambda alert: (alert.starts_at, alert.key)):
            held = suppressor(
                alert,
                now,
                firing=firing,
                inhibitions=self._inhibitions,
                silences=self._silences,
                by_hours=lambda: self._by_hours(group.route, now),
            )
            if held is None:
                visible.append(alert)
                group.held_back.pop(alert.key, None)
            elif group.held_back.get(alert.key) != held and not alert.is_resolved(now):
                group.held_back[alert.key] = held
                self._suppressions.append(Suppression(now, alert, *held))
        return visible

    def _by_hours(self, route: Route, now: float) -> Held | None:
        if self._wall is None or not (route.active or route.mute):
            return None
        return held_by_hours(route, self._intervals, self._wall(now))

    def take_suppressions(self) -> list[Suppression]:
        """What was held back since the last call, in order."""
        taken, self._suppressions = self._suppressions, []
        return taken

    def forget(self, now: float) -> None:
        """Lose alerts and groups, as a restart at `now` does; what was notified and the silences are on disk and stay."""
        self._groups.clear()
        self._known.clear()
        self._started_s = now

    def next_at(self) -> float | None:
        """When the next group is due."""
        return earliest(group.next_flush_s for group in self._groups.values() if group.alerts)
