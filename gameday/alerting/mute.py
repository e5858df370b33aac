"""What keeps a firing alert from its receiver: inhibition, hours, silences. Asked in Alertmanager's order; the first that holds names it.

The rule that surprises: an alert that matches both sides of an inhibition cannot be inhibited by another such alert; and a silence
ends *at* its end: it holds in [start, end).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from gameday.alerting.alert import Alert, Labels, Suppressor
from gameday.alerting.matchers import Matchers, matches
from gameday.alerting.routes import Route
from gameday.alerting.time_intervals import Interval

Held = tuple[Suppressor, str]
"""What holds an alert back, and which one."""


@dataclass(frozen=True, slots=True)
class SilencePeriod:
    """No notifications for matching alerts in [starts_at, ends_at), seconds."""

    matchers: Matchers
    starts_at: float
    ends_at: float
    why: str

    def mutes(self, labels: Labels, now: float) -> bool:
        """Whether it holds for an alert at an instant."""
        return self.starts_at <= now < self.ends_at and matches(self.matchers, labels)


@dataclass(frozen=True, slots=True)
class InhibitRule:
    """While a source alert fires, matching targets with the same values of the `equal` labels are not notified."""

    source: Matchers
    target: Matchers
    equal: tuple[str, ...] = ()

    def inhibitor(self, labels: Labels, firing: Iterable[Alert]) -> Alert | None:
        """The alert that inhibits one with these labels, if any."""
        if not matches(self.target, labels):
            return None
        both_sides = matches(self.source, labels)
        own = dict(labels)
        for other in firing:
            if not matches(self.source, other.labels) or (both_sides and matches(self.target, other.labels)):
                continue
            theirs = dict(other.labels)
            if all(theirs.get(name, "") == own.get(name, "") for name in self.equal):
                return other
        return None


def held_by_hours(route: Route, intervals: Mapping[str, Sequence[Interval]], at: datetime) -> Held | None:
    """Whether a route notifies at an instant: inside one of its active intervals (none = always), outside all that mute it."""
    if route.active and not any(each.contains(at) for name in route.active for each in intervals[name]):
        return ("active_time_interval", f"outside {', '.join(route.active)}")
    for name in route.mute:
        if any(each.contains(at) for each in intervals[name]):
            return ("mute_time_interval", f"inside {name}")
    return None


def suppressor(
    alert: Alert,
    now: float,
    *,
    firing: Sequence[Alert],
    inhibitions: Sequence[InhibitRule],
    silences: Sequence[SilencePeriod],
    by_hours: Callable[[], Held | None],
) -> Held | None:
    """What holds an alert back at an instant and who or what it is, or None."""
    for inhibition in inhibitions:
        source = inhibition.inhibitor(alert.labels, firing)
        if source is not None:
            return ("inhibition", source.rule)
    held = by_hours()
    if held is not None:
        return held
    for silence in silences:
        if silence.mutes(alert.labels, now):
            return ("silence", silence.why)
    return None
