"""What got worse between a baseline and today, pair by pair on the same seeds.

The rule that surprises: a shift fails only when it is larger than the tolerance beyond doubt (one-sided, with the error rate held at 5 %
over all game days and KPIs of one check, by Holm). Every objective is looked at; only gates are also held to their target. A hard failure, or a gate that was met and is not, needs
no statistics: on the same seeds nothing but the change can have caused it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Literal

from gameday.regression.baseline import Baseline, rounded, samples_of
from gameday.scores.kpis import KPIS, format_target, format_value
from gameday.scores.objectives import judge

if TYPE_CHECKING:
    from gameday.regression.landmarks import Landmarks, Parting
    from gameday.scenario.model import Scenario
    from gameday.scores.samples import Samples

ALPHA: Final = 0.05
"""Probability that a check of anything unchanged fails by its shifts, whatever their number."""
TOLERANCE: Final = 0.05
"""Change that nobody would revert a change for; assumption: 5 %."""

Reason = Literal["hard failure", "objective lost", "shift"]


@dataclass(frozen=True, slots=True)
class Shift:
    """How a KPI moved, over the pairs."""

    kpi: str
    scale: Literal["ratio", "difference"]
    effect: float | None
    """Geometric mean of after / before, or mean of after - before; None when pairs are compared by direction only."""
    bound: float | None
    """One-sided 95 % bound of the effect on the good side: it is at least so bad."""
    tolerance: float
    """On the scale of the effect: 1.05, or a difference."""
    pairs: int
    worse: int
    """Pairs that got worse by more than the tolerance."""
    within: int
    """Pairs that did not: better, the same, or worse by less."""
    p: float
    """One-sided, of "no worse than the tolerance"; not adjusted."""
    adjusted_p: float = 1.0
    """Adjusted for all comparisons of the check."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Why a check fails."""

    reason: Reason
    kpi: str
    what: str
    """One sentence."""
    replications: tuple[int, ...]
    """Those in which it got worse."""
    partings: tuple[Parting, ...] = ()
    """Which event changed first there."""


@dataclass(slots=True)
class Held:
    """One game day, held against its baseline."""

    scenario: str
    file: str
    baseline: Baseline
    replications: int
    same_scenario: bool
    """Whether the scenario is the one the baseline was made from."""
    same_version: bool
    shifts: list[Shift] = field(default_factory=list)
    gates: list[tuple[str, str, bool | None, bool | None]] = field(default_factory=list)
    """KPI, gate, whether it was met before, and now."""
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def hold(
    scenario: Scenario,
    file: str,
    baseline: Baseline,
    samples: Samples,
    hard: Mapping[str, Sequence[int]],
    *,
    sha256: str,
    version: str,
    tolerance: float = TOLERANCE,
) -> Held:
    """Hold what was played today (replications 0 to n-1, in order) against the baseline. Shifts are judged by `settle`."""
    n = len(samples)
    held = Held(scenario.name, file, baseline, n, baseline.scenario_sha256 == sha256, baseline.version == version)
    _hard_failures(held, hard)
    for kpi in dict.fromkeys(one.kpi for one in scenario.objectives):
        known = baseline.kpis.get(kpi)
        if known is None:
            held.notes.append(f"{kpi} is an objective that the baseline does not know; --update takes it in")
            continue
        before = known.numbers(n)
        today = samples.of.get(kpi)
        after = [rounded(value) for value in today.values] if today else [math.nan] * n
        shift = _shift(kpi, before, after, tolerance)
        if shift is not None:
            held.shifts.append(shift)
        old = samples_of(kpi, before, known.watched_s)
        new = samples_of(kpi, after, today.bound if today else None)
        for objective in (one for one in scenario.objectives if one.gate and one.kpi == kpi):
            was, now = judge(objective, old), judge(objective, new)
            written = f"{objective.statistic} {format_target(kpi, now.target)}"
            held.gates.append((kpi, written, was.met, now.met))
            if was.met and not now.met:
                how = "is not met any more" if now.met is False else "cannot be judged any more"
                values = f": {_shown(kpi, was.value, was.censored)} before, {_shown(kpi, now.value, now.censored)} now"
                worse = _worse(kpi, before, after, 0.0)
                held.findings.append(Finding("objective lost", kpi, f"{written} was met and {how}{values}", worse))
    objectives = {one.kpi for one in scenario.objectives}
    held.notes += [f"{kpi} is in the baseline and no objective any more" for kpi in baseline.kpis if kpi not in objectives]
    return held


def settle(helds: Sequence[Held], alpha: float = ALPHA) -> None:
    """Judge the shifts of all game days together, and write down which fail."""
    from gameday.statistics import holm

    shifts = [(held, index) for held in helds for index in range(len(held.shifts))]
    adjusted = holm([held.shifts[index].p for held, index in shifts])
    for (held, index), p in zip(shifts, adjusted, strict=True):
        shift = held.shifts[index] = replace(held.shifts[index], adjusted_p=p)
        if p <= alpha:
            held.findings.append(Finding("shift", shift.kpi, shift_words(shift), ()))


def explain(held: Held, before: Mapping[int, Landmarks], after: Mapping[int, Landmarks], samples: Samples) -> None:
    """Say for every finding which event changed first in the replications that got worse."""
    from gameday.regression.landmarks import partings

    explained = []
    for finding in held.findings:
        numbers = finding.replications
        if not numbers and finding.kpi in samples.of:
            values = [rounded(value) for value in samples.of[finding.kpi].values]
            numbers = _worse(finding.kpi, held.baseline.kpis[finding.kpi].numbers(held.replications), values, 0.0)
        pairs = [(before[number], after[number]) for number in numbers if number in before and number in after]
        explained.append(replace(finding, replications=numbers, partings=tuple(partings(pairs))))
    held.findings = explained


def shift_words(shift: Shift) -> str:
    """A shift in one sentence."""
    kpi = KPIS[shift.kpi]
    if shift.effect is None or shift.bound is None:
        return f"worse by more than the tolerance in {shift.worse} of {shift.pairs} pairs"
    if shift.scale == "ratio":
        return f"x {shift.effect:.3g} over {shift.pairs} pairs, at least x {shift.bound:.3g}; tolerance x {shift.tolerance:.3g}"

    def written(value: float) -> str:
        sign = "-" if value < 0 else "+"
        return f"{sign}{format_value(kpi, abs(value))}"

    at_least = f"at {'least' if kpi.better == 'lower' else 'most'} {written(shift.bound)}"
    return f"{written(shift.effect)} over {shift.pairs} pairs, {at_least}; tolerance {written(shift.tolerance)}"


def _hard_failures(held: Held, hard: Mapping[str, Sequence[int]]) -> None:
    for kpi, numbers in hard.items():
        before = set(held.baseline.hard_failures.get(kpi, ()))
        fresh = tuple(number for number in numbers if number not in before)
        healed = [number for number in before if number < held.replications and number not in numbers]
        if fresh and len(fresh) > len(healed):
            was = f"; it failed hard in {len(before)} of {held.baseline.replications} before" if before else ""
            what = f"fails hard in {len(numbers)} of {held.replications} replications, {len(fresh)} of them new{was}"
            held.findings.append(Finding("hard failure", kpi, what, fresh))


def _badness(kpi: str, before: float, after: float) -> float | None:
    """How much worse a pair got, on the scale of its KPI; None where only the direction is known."""
    if KPIS[kpi].unit == "s":
        if not (math.isfinite(before) and math.isfinite(after) and before > 0 and after > 0):
            return None
        change = math.log(after) - math.log(before)
    else:
        if not (math.isfinite(before) and math.isfinite(after)):
            return None
        change = after - before
    return change if KPIS[kpi].better == "lower" else -change


def _direction(kpi: str, before: float, after: float) -> float:
    """+1 worse, -1 better, 0 the same."""
    if before == after:
        return 0.0
    return 1.0 if (after > before) == (KPIS[kpi].better == "lower") else -1.0


def _worse(kpi: str, before: Sequence[float], after: Sequence[float], tolerance: float) -> tuple[int, ...]:
    """Replications that got worse by more than the tolerance."""
    found = []
    for number, (old, new) in enumerate(zip(before, after, strict=True)):
        size = _badness(kpi, old, new)
        if (math.isnan(new) and not math.isnan(old)) or (size if size is not None else _direction(kpi, old, new)) > tolerance:
            found.append(number)
    return tuple(found)


def _shift(kpi: str, before: Sequence[float], after: Sequence[float], tolerance: float) -> Shift | None:
    """The shift of the pairs that were judged on both sides; None when there are none."""
    from gameday.statistics import mean_interval, sign_test_worse, t_test_above

    pairs = [(b, a) for b, a in zip(before, after, strict=True) if not any(math.isnan(x) or x == -math.inf for x in (b, a))]
    if not pairs:
        return None
    unit = KPIS[kpi].unit
    scale: Literal["ratio", "difference"]
    if unit == "s":
        scale, allowed, shown = "ratio", math.log1p(tolerance), 1 + tolerance
    else:
        finite = [abs(b) for b, _ in pairs if math.isfinite(b)]
        allowed = tolerance if unit in {"ratio", "bool"} else tolerance * (sum(finite) / len(finite) if finite else 0.0)
        scale, shown = "difference", allowed
    sizes = [_badness(kpi, b, a) for b, a in pairs]
    # A pair with a direction only counts as beyond the tolerance, on the side on which it lies.
    signs = [
        size - allowed if size is not None else (_direction(kpi, *pair) or -1.0) for size, pair in zip(sizes, pairs, strict=True)
    ]
    worse, within = sum(sign > 1e-12 for sign in signs), sum(sign < -1e-12 for sign in signs)
    known = [size for size in sizes if size is not None]
    if len(known) < len(pairs):
        p = sign_test_worse(worse, within)
        return Shift(kpi, scale, None, None, shown, len(pairs), worse, within, p)
    mean = mean_interval(known, confidence=0.90)
    turn = 1.0 if KPIS[kpi].better == "lower" else -1.0
    effect, bound = turn * mean.value, turn * (mean.low if mean.low is not None else mean.value)
    if scale == "ratio":
        effect, bound, shown = math.exp(effect), math.exp(bound), math.exp(turn * allowed)
    else:
        shown = turn * allowed
    p = t_test_above(known, allowed)
    return Shift(kpi, scale, effect, bound, shown, len(pairs), worse, within, p)


def _shown(kpi: str, value: float | None, censored: bool) -> str:
    if value is None:
        return "nothing to judge" if not censored else "never"
    return f"{'at least ' if censored else ''}{format_value(kpi, value)}"
