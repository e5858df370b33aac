"""What the day must show: each objective of the scenario against the values of all replications.

The rule that surprises: what could not be judged is taken once as the worst and once as the best that it might have been. Only when both
give the same answer is there one; otherwise the objective is open, and an open gate makes the whole run inconclusive. So does a
gate that never applied: nothing was shown.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from gameday.scores.kpis import KPIS, Target, format_target, parse_target
from gameday.scores.samples import KpiSamples

if TYPE_CHECKING:
    from gameday.scenario.objectives import Objective

Verdict = Literal["met", "not_met", "inconclusive"]

EXIT_CODES: Final[dict[Verdict, int]] = {"met": 0, "not_met": 1, "inconclusive": 3}
"""Exit code of the command line for each verdict."""
DEFAULT_SHARE: Final = 0.9
"""Share of replications that must pass where a `pass_rate` objective does not say."""
_QUANTILES: Final = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "worst": 1.0}


@dataclass(frozen=True, slots=True)
class Outcome:
    """One objective, judged."""

    objective: Objective
    target: Target
    met: bool | None
    """None = it could not be judged."""
    value: float | None
    """The statistic over what was judged; for `pass_rate` the share that passed; infinite for never."""
    low: float | None
    high: float | None
    censored: bool
    judged: int
    unknown: int
    not_applicable: int
    why: str
    """Why it could not be judged, or what was reached."""


def judge(objective: Objective, samples: KpiSamples | None) -> Outcome:
    """One objective against the values of its KPI; None = no replication measured it."""
    target = parse_target(objective.kpi, objective.target)
    unknown, skipped = (samples.unknown, samples.not_applicable) if samples else (0, 0)
    values = samples.judged().tolist() if samples else []
    value, low, high, censored = _statistic(objective, samples, target) if values and samples else (None, None, None, False)
    met = _answer(objective, values, unknown, target)
    return Outcome(
        objective, target, met, value, low, high, censored, len(values), unknown, skipped, _why(met, values, unknown, skipped)
    )


def verdict(outcomes: Sequence[Outcome], *, hard_failures: bool) -> Verdict:
    """The verdict of a run: not met when a gate is not met or something failed hard, else inconclusive when a gate is open."""
    gates = [outcome.met for outcome in outcomes if outcome.objective.gate]
    if hard_failures or False in gates:
        return "not_met"
    return "inconclusive" if None in gates else "met"


def as_json(outcome: Outcome) -> dict[str, object]:
    """An outcome as `scores.json` has it; a value that is cut off is the bound up to which it was watched."""
    objective = outcome.objective
    written: dict[str, object] = {
        "kpi": objective.kpi,
        "statistic": objective.statistic,
        "target": format_target(objective.kpi, outcome.target),
        "met": outcome.met,
        "value": None if outcome.value is None or math.isinf(outcome.value) else outcome.value,
        "low": outcome.low,
        "high": outcome.high,
        "censored": outcome.censored,
        "weight": objective.weight,
        "gate": objective.gate,
        "samples": outcome.judged,
        "unknown": outcome.unknown,
        "not_applicable": outcome.not_applicable,
        "why": outcome.why,
    }
    if objective.statistic == "pass_rate":
        written["at_least"] = DEFAULT_SHARE if objective.at_least is None else objective.at_least
    return written


def _answer(objective: Objective, values: list[float], unknown: int, target: Target) -> bool | None:
    if not values:
        return None
    lower = KPIS[objective.kpi].better == "lower"
    worst, best = (math.inf, -math.inf) if lower else (-math.inf, math.inf)
    answers = {_meets(objective, [*values, *[guess] * unknown], target) for guess in (worst, best)}
    return answers.pop() if len(answers) == 1 else None


def _meets(objective: Objective, values: list[float], target: Target) -> bool:
    """Whether values without gaps meet an objective."""
    passed = sum(_reaches(target, value) for value in values)
    if objective.statistic == "pass_rate":
        needed = DEFAULT_SHARE if objective.at_least is None else objective.at_least
        return passed >= needed * len(values) - 1e-9
    # The q-quantile towards the bad side meets the target when the ceil(q n) best values do.
    return passed >= math.ceil(_QUANTILES[objective.statistic] * len(values) - 1e-9)


def _reaches(target: Target, value: float) -> bool:
    """As `Target.met`, also for the worst and the best imaginable."""
    if math.isinf(value):
        return target.op != "==" and (value < 0) == target.op.startswith("<")
    return target.met(value)


def _statistic(
    objective: Objective, samples: KpiSamples, target: Target
) -> tuple[float | None, float | None, float | None, bool]:
    """Value, interval and whether it was cut off."""
    from gameday.statistics import share

    values = samples.judged()
    if objective.statistic == "pass_rate":
        found = share(samples.passed(target), len(values))
        return found.value, found.low, found.high, False
    if objective.statistic == "worst":
        worst = float(values.max() if KPIS[objective.kpi].better == "lower" else values.min())
        return (samples.bound, None, None, True) if math.isinf(worst) else (worst, None, None, False)
    found_quantile = samples.quantile(_QUANTILES[objective.statistic])
    assert found_quantile is not None, "there are values"
    return found_quantile.value, found_quantile.low, found_quantile.high, found_quantile.censored


def _why(met: bool | None, values: list[float], unknown: int, skipped: int) -> str:
    if met is None:
        if values:
            return f"it depends on {unknown} replications that could not be judged"
        return f"it could not be judged in any of {unknown} replications" if unknown else "it did not apply in any replication"
    parts = [f"{len(values)} replications"]
    parts += [f"{unknown} could not be judged"] if unknown else []
    parts += [f"it did not apply in {skipped}"] if skipped else []
    return ", ".join(parts)
