"""`kind: baseline`: an indicator that is far from what is usual at this hour, by its own past (`seasonal.py`).

The rule that surprises: the past is given, not gathered on the day: a day that begins with an outage does not learn that outages are
usual. Distances are counted in robust standard deviations (1.4826 x MAD) of the past.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from gameday.alerting.alert import Sample
from gameday.alerting.seasonal import Method, Usual, fitted
from gameday.alerting.source import IndicatorSource
from gameday.errors import Problem

if TYPE_CHECKING:
    from gameday.scenario.monitoring import BaselineRule, History


@dataclass(frozen=True, slots=True)
class Baseline:
    """The condition of a baseline rule."""

    subject: str
    indicator: str
    window_s: float
    usual: Usual
    deviations: float
    direction: str
    starts_s: float
    """Instant 0 of the run on the clock whose hours count."""

    def samples(self, source: IndicatorSource, now: float) -> Sequence[Sample]:
        """The subject, when its indicator is known and further from its usual value than allowed."""
        value = source.value(self.indicator, self.subject, self.window_s, now)
        if value is None:
            return ()
        centre, spread = self.usual(self.starts_s + now)
        allowed = self.deviations * spread
        above = self.direction != "below" and value > centre + allowed
        below = self.direction != "above" and value < centre - allowed
        return (Sample(self.subject, value),) if above or below else ()


def sampler(rule: BaselineRule, starts: datetime) -> Baseline:
    """The condition of a rule that `problems` finds nothing wrong with. MissingExtra when its method needs the analysis extra."""
    usual = _learned(rule.method, _wall_s(rule.history.starts), rule.history.interval, tuple(_values(rule.history)))
    return Baseline(rule.on, rule.indicator, rule.window, usual, rule.deviations, rule.direction, _wall_s(starts))


@lru_cache(maxsize=32)
def _learned(method: Method, first_s: float, step_s: float, values: tuple[float, ...]) -> Usual:
    return fitted(method, [first_s + number * step_s for number in range(len(values))], values)


def _values(history: History) -> list[float]:
    values = history.values or []
    if history.mean is None:
        return list(values)
    return [value * history.mean * len(values) / sum(values) for value in values]


def _wall_s(at: datetime) -> float:
    """Seconds on the clock that was on the wall, so that Monday 09:00 is the same hour in every offset; weeks begin on Thursday,
    which is the same for the past and the day.
    """
    offset = at.utcoffset()
    assert offset is not None, "a start carries its offset from UTC"
    return at.timestamp() + offset.total_seconds()


def problems(name: str, rule: BaselineRule, *, starts: datetime | None) -> list[Problem]:
    """What is wrong with a rule: no past, a past that cannot be used, or no time of day to hold it against."""
    field = f"monitoring.rules.{name}.history"
    history = rule.history
    values = history.values or []
    found = []
    if starts is None:
        found.append(Problem(None, None, None, field, None, "hours need a day that starts at a date and time"))
    if history.interval <= 0:
        found.append(Problem(None, None, None, f"{field}.interval", "0s", "must be longer than nothing"))
    elif history.values is None and history.file is not None:
        pass  # whoever reads the file says what is wrong with it
    elif len(values) < 2:
        message = "needs a 'file' of values, or the 'values' themselves, two or more"
        found.append(Problem(None, None, None, field, None, message))
    elif rule.method == "stl" and len(values) * history.interval < 2 * 86_400:
        message = "is too short for the method stl, which needs two days or more"
        found.append(Problem(None, None, None, field, None, message))
    if history.mean is not None and values and sum(values) <= 0:
        found.append(Problem(None, None, None, f"{field}.mean", None, "cannot be reached: the values add up to nothing"))
    return found
