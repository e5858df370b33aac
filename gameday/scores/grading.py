"""From a value and a target to a grade, and from many grades to one.

The rule that surprises: a share is graded by what is missing. 99 % against a target of 99.5 % misses twice what it may, so it is M,
although the two numbers look alike; and a target of 0 or of 100 % leaves no room, so any miss is U.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

from gameday.scores.entry import Kpi
from gameday.scores.kpis import KPIS, Target
from gameday.scores.model import Grade, Measure, Result

SOME_CHALLENGES: Final = 1.5
"""Up to this multiple of the target the grade is S (assumption; `incident-response` research, section 6.3)."""
MAJOR_CHALLENGES: Final = 3.0
"""Up to this multiple the grade is M (same source)."""

SEVERITY: Final[dict[Grade, int]] = {
    Grade.NOT_APPLICABLE: 0,
    Grade.UNGRADED: 1,
    Grade.P: 2,
    Grade.S: 3,
    Grade.M: 4,
    Grade.UNKNOWN: 5,
    Grade.U: 6,
}
"""Order of the grades when the worst decides. What is unknown may be anything up to unable, so only U is worse."""


def grade_of(measure: Measure, target: Target | None) -> Grade:
    """The grade of a measure against a target; None = nobody set one."""
    match measure.state:
        case "unknown":
            return Grade.UNKNOWN
        case "not_applicable":
            return Grade.NOT_APPLICABLE
        case "never":
            return Grade.U
        case "measured":
            assert measure.value is not None, "what was measured has a value"
            grade = grade_value(KPIS[measure.kpi], measure.value, target)
            return Grade.S if measure.tolerated and grade is not Grade.P else grade


def grade_value(kpi: Kpi, value: float, target: Target | None) -> Grade:
    """P when the target is met, else by the multiple of the target (of its distance from 1, for shares that should be high).

    A hard target that is missed is U. So is a bool that is not as it should be.
    """
    if target is None:
        return Grade.UNGRADED
    if target.met(value):
        return Grade.P
    if kpi.hard or kpi.unit == "bool" or math.isinf(value):
        return Grade.U
    excess = _excess(kpi, value, target.value)
    if excess <= SOME_CHALLENGES:
        return Grade.S
    return Grade.M if excess <= MAJOR_CHALLENGES else Grade.U


def worst(grades: Iterable[Grade]) -> Grade:
    """The worst of the grades; NOT_APPLICABLE when there is none."""
    return max(grades, key=SEVERITY.__getitem__, default=Grade.NOT_APPLICABLE)


def badness(result: Result) -> tuple[int, float]:
    """A key that is larger for the worse of two results of one KPI: first by grade, then never, then by value."""
    if result.censored_at is not None:
        size = math.inf
    elif result.value is None:
        size = -math.inf
    else:
        size = result.value if KPIS[result.kpi].better == "lower" else -result.value
    return SEVERITY[result.grade], size


def _excess(kpi: Kpi, value: float, target: float) -> float:
    """How many times as bad as the target a value is; 1 is on target, infinite where the target leaves no room."""
    if kpi.better == "lower":
        return math.inf if target <= 0 else _plain(value / target)
    if kpi.unit == "ratio":
        return math.inf if target >= 1 else _plain((1 - value) / (1 - target))
    return math.inf if value <= 0 else _plain(target / value)


def _plain(multiple: float) -> float:
    """The multiple without the rounding error of the division, so that exactly one and a half times is S."""
    return round(multiple, 9)
