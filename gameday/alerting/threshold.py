"""`kind: threshold`: an indicator above or below a number. With both, it fires outside the band; equal is not beyond."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gameday.alerting.alert import Sample
from gameday.alerting.source import IndicatorSource
from gameday.errors import Problem
from gameday.units import UnitError, parse_duration, parse_rate, parse_ratio

if TYPE_CHECKING:
    from gameday.scenario.monitoring import ThresholdRule

RATIOS = frozenset({"error_ratio", "utilisation", "probe_success"})
DURATIONS = frozenset({"latency_p50", "latency_p95", "latency_p99", "replication_lag"})
RATES = frozenset({"request_rate"})


@dataclass(frozen=True, slots=True)
class Threshold:
    """The condition of a threshold rule."""

    subject: str
    indicator: str
    window_s: float
    above: float
    below: float

    def samples(self, source: IndicatorSource, now: float) -> Sequence[Sample]:
        """The subject, when its indicator is known and beyond a limit."""
        value = source.value(self.indicator, self.subject, self.window_s, now)
        if value is None or not (value > self.above or value < self.below):
            return ()
        return (Sample(self.subject, value),)


def sampler(rule: ThresholdRule) -> Threshold:
    """The condition of a rule that `problems` finds nothing wrong with."""
    above = math.inf if rule.above is None else limit(rule.indicator, rule.above)
    below = -math.inf if rule.below is None else limit(rule.indicator, rule.below)
    return Threshold(rule.on, rule.indicator, rule.window, above, below)


def limit(indicator: str, written: str | float) -> float:
    """A limit in the unit of its indicator; a plain number is taken as it is. Raises UnitError."""
    if isinstance(written, int | float):
        return float(written)
    if indicator in DURATIONS:
        return parse_duration(written)
    if indicator in RATES:
        return parse_rate(written)
    if indicator in RATIOS:
        return parse_ratio(written)
    try:
        return float(written)
    except ValueError:
        raise UnitError("is not a number such as 500") from None


def problems(name: str, rule: ThresholdRule) -> list[Problem]:
    """What is wrong with the limits of a rule: unreadable, without their unit, or such that it can never fire."""
    field = f"monitoring.rules.{name}"
    if rule.above is None and rule.below is None:
        return [Problem(None, None, None, field, None, "needs 'above' or 'below': without a limit it never fires")]
    return [
        Problem(None, None, None, f"{field}.{side}", str(written), message, suggestion)
        for side, written in (("above", rule.above), ("below", rule.below))
        if written is not None
        for message, suggestion in _refusals(rule.indicator, side, written)
    ]


def _refusals(indicator: str, side: str, written: str | float) -> list[tuple[str, str | None]]:
    if not isinstance(written, str) and written and indicator in DURATIONS | RATES:
        unit = "s" if indicator in DURATIONS else "/s"
        return [(f"needs a unit, because {indicator} has one", f"{written:g}{unit}")]
    try:
        number = limit(indicator, written)
    except UnitError as refusal:
        return [(str(refusal), refusal.suggestion)]
    if side == "above" and indicator in RATIOS and number >= 1:
        return [(f"can never fire: {indicator} is never above 100%", None)]
    if side == "below" and number <= 0:
        return [(f"can never fire: {indicator} is never below 0", None)]
    return []
