"""`kind: burn_rate`: fires while both a long and a short window burn the error budget faster than `burn` (SRE Workbook, table 5-8).

The rule that surprises: a burn rate has a ceiling. A total outage burns at 1 / (1 - objective), so 14.4 can never be exceeded where
the objective is 93.06% or less; such a rule is refused. The long window gives significance, the short one a quick end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gameday.alerting.alert import Sample
from gameday.alerting.source import IndicatorSource
from gameday.errors import Problem
from gameday.units import format_duration

if TYPE_CHECKING:
    from gameday.scenario.monitoring import BurnRateRule, Slo


@dataclass(frozen=True, slots=True)
class BurnRate:
    """The condition of a burn-rate rule."""

    subject: str
    long_s: float
    short_s: float
    error_limit_ratio: float
    """Error ratio that both windows must exceed: burn x (1 - objective)."""

    def samples(self, source: IndicatorSource, now: float) -> Sequence[Sample]:
        """The subject with the error ratio of its long window, when both windows are known and beyond the limit."""
        long = source.value("error_ratio", self.subject, self.long_s, now)
        short = source.value("error_ratio", self.subject, self.short_s, now)
        if long is None or short is None or min(long, short) <= self.error_limit_ratio:
            return ()
        return (Sample(self.subject, long),)


def sampler(rule: BurnRateRule) -> BurnRate:
    """The condition of a rule that `problems` finds nothing wrong with."""
    return BurnRate(rule.on, rule.long, rule.short, error_limit_ratio(rule.burn, rule.objective))


def error_limit_ratio(burn: float, objective: float) -> float:
    """The error ratio that spends the budget `burn` times as fast as the objective allows."""
    return burn * (1.0 - objective)


def time_to_detect_s(long_s: float, burn: float, objective: float, error_ratio: float) -> float | None:
    """Time from a clean start until a constant error ratio fires the rule, without sampling delays; None = never.

    long x burn x (1 - objective) / error ratio: the part of the long window that must be bad. 99.9%, 14.4, one hour, all requests
    failing: 52 seconds.
    """
    limit = error_limit_ratio(burn, objective)
    return None if error_ratio <= limit else long_s * limit / error_ratio


def problems(name: str, rule: BurnRateRule) -> list[Problem]:
    """What is wrong with a rule: it can never fire, or its windows are the wrong way round."""
    field = f"monitoring.rules.{name}"
    found = []
    limit = error_limit_ratio(rule.burn, rule.objective)
    if limit >= 1:
        most = 1 / (1 - rule.objective)
        message = (
            f"can never fire: with an objective of {rule.objective:.4%} even a total outage burns the budget only {most:.4g} times "
            "as fast; lower 'burn' or raise 'objective'"
        )
        found.append(Problem(None, None, None, f"{field}.burn", f"{rule.burn:g}", message))
    if rule.short > rule.long:
        message = f"must not be longer than the long window ({format_duration(rule.long)}); usual is a twelfth of it"
        found.append(Problem(None, None, None, f"{field}.short", format_duration(rule.short), message))
    return found


def slo_problems(name: str, slo: Slo) -> list[Problem]:
    """What is wrong with an objective: one of the rules made from it can never fire."""
    from gameday.scenario.monitoring import WORKBOOK

    if slo.period <= 0:
        return [Problem(None, None, None, f"monitoring.slos.{name}.period", "0s", "must be longer than nothing")]
    if slo.objective >= 1:
        message = "leaves no budget to burn: every single error would page; usual are 99% to 99.99%"
        return [Problem(None, None, None, f"monitoring.slos.{name}.objective", f"{slo.objective:.4%}", message)]
    never = [
        f"{row.name} (burn {row.budget_ratio * slo.period / row.long_s:.4g})"
        for row in WORKBOOK
        if error_limit_ratio(row.budget_ratio * slo.period / row.long_s, slo.objective) >= 1
    ]
    if not never:
        return []
    message = (
        f"makes rules that can never fire: {', '.join(never)}; even a total outage burns the budget only "
        f"{1 / (1 - slo.objective):.4g} times as fast; raise 'objective' or shorten 'period'"
    )
    return [Problem(None, None, None, f"monitoring.slos.{name}.objective", f"{slo.objective:.4%}", message)]
