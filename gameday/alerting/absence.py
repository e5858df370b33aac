"""`kind: absence`: nothing of the subject answered a scrape for as long as the window.

The rule that surprises: it cannot fire before it has watched for a window. Before that, silence proves nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gameday.alerting.alert import Sample
from gameday.alerting.source import IndicatorSource
from gameday.errors import Problem
from gameday.instants import lasted
from gameday.units import format_duration

if TYPE_CHECKING:
    from gameday.scenario.monitoring import AbsenceRule


@dataclass(slots=True)
class Absence:
    """The condition of an absence rule."""

    subject: str
    window_s: float
    watching_since: float | None = None

    def samples(self, source: IndicatorSource, now: float) -> Sequence[Sample]:
        """The subject, when no instance of it answered within the window; the value is the window."""
        if self.watching_since is None:
            self.watching_since = now
        if not lasted(self.watching_since, now, self.window_s):
            return ()
        up = source.value("instances_up", self.subject, self.window_s, now)
        return () if up else (Sample(self.subject, self.window_s),)


def sampler(rule: AbsenceRule) -> Absence:
    """The condition of a rule."""
    return Absence(rule.on, rule.window)


def problems(name: str, rule: AbsenceRule, scrape_s: float) -> list[Problem]:
    """What is wrong with a rule: a window that holds no scrape is always empty."""
    if rule.window >= scrape_s:
        return []
    message = f"is shorter than the time between scrapes ({format_duration(scrape_s)}), so it would fire all the time"
    return [Problem(None, None, None, f"monitoring.rules.{name}.window", format_duration(rule.window), message)]
