"""Grades: thresholds, shares, hard limits, order, and that a worse value never gets a better grade."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday.scores.grading import SEVERITY, grade_of, grade_value, worst
from gameday.scores.kpis import KPIS, Target, default_target
from gameday.scores.model import Grade, measured, never, not_applicable, unknown

DETECT = KPIS["detection.time_to_detect"]
FIVE_MINUTES = Target("<=", 300.0)


@pytest.mark.parametrize(("value", "grade"), [(0, "P"), (300, "P"), (301, "S"), (450, "S"), (451, "M"), (900, "M"), (901, "U")])
def test_a_delay_is_graded_by_the_multiple_of_its_target(value: float, grade: str) -> None:
    assert grade_value(DETECT, value, FIVE_MINUTES) == grade


@pytest.mark.parametrize(("value", "grade"), [(1, "P"), (0.9, "P"), (0.85, "S"), (0.84, "M"), (0.7, "M"), (0.69, "U")])
def test_a_share_is_graded_by_what_is_missing(value: float, grade: str) -> None:
    assert grade_value(KPIS["detection.precision"], value, Target(">=", 0.9)) == grade


@pytest.mark.parametrize(
    ("kpi", "target", "value"),
    [
        ("detection.recall", Target(">=", 1.0), 0.999),
        ("failover.flaps", Target("<=", 0.0), 1),
        ("failover.decision", Target(">=", 1), 0),
    ],
)
def test_a_target_without_room_leaves_nothing_between_p_and_u(kpi: str, target: Target, value: float) -> None:
    assert grade_value(KPIS[kpi], value, target) is Grade.U
    assert grade_value(KPIS[kpi], target.value, target) is Grade.P


def test_a_margin_that_should_be_high_is_graded_by_how_many_times_it_is_too_small() -> None:
    margin, target = KPIS["compliance.margin"], Target(">=", 3600.0)
    assert [grade_value(margin, value, target) for value in (3600, 2400, 1200, 1199, -1)] == ["P", "S", "M", "U", "U"]


def test_never_is_u_even_without_a_target() -> None:
    assert grade_of(never("response.time_to_mitigate", 100.0), None) is Grade.U


def test_what_has_no_target_is_shown_and_not_graded() -> None:
    assert grade_of(measured("response.time_to_mitigate", 100.0), None) is Grade.UNGRADED


def test_what_is_missing_is_no_pass() -> None:
    assert grade_of(unknown(DETECT.name, "no evidence"), FIVE_MINUTES) is Grade.UNKNOWN
    assert grade_of(not_applicable(DETECT.name, "nothing to do"), FIVE_MINUTES) is Grade.NOT_APPLICABLE


def test_a_tolerated_miss_of_a_hard_target_is_s() -> None:
    kpi = KPIS["shedding.priority_inversions"]
    assert grade_of(measured(kpi.name, 2), default_target(kpi)) is Grade.U
    assert grade_of(measured(kpi.name, 2, tolerated=True), default_target(kpi)) is Grade.S
    assert grade_of(measured(kpi.name, 0, tolerated=True), default_target(kpi)) is Grade.P


def test_only_what_should_be_low_can_take_for_ever() -> None:
    with pytest.raises(AssertionError, match="for ever"):
        never("compliance.margin", 1.0)


def test_the_worst_grade_decides_and_unknown_is_worse_than_any_pass() -> None:
    assert worst([Grade.P, Grade.M, Grade.S]) is Grade.M
    assert worst([Grade.P, Grade.M, Grade.UNKNOWN]) is Grade.UNKNOWN
    assert worst([Grade.UNKNOWN, Grade.U]) is Grade.U
    assert worst([Grade.NOT_APPLICABLE, Grade.P]) is Grade.P
    assert worst([]) is Grade.NOT_APPLICABLE


@given(
    st.sampled_from(sorted(KPIS)),
    st.floats(0.01, 1000),
    st.floats(0, 2000),
    st.floats(0, 2000),
)
def test_a_worse_value_never_gets_a_better_grade(name: str, target_value: float, one: float, other: float) -> None:
    kpi = KPIS[name]
    if kpi.unit in {"ratio", "bool"}:
        target_value, one, other = min(target_value, 1.0), one / 2000, other / 2000
    target = Target("<=" if kpi.better == "lower" else ">=", target_value)
    good, bad = sorted((one, other), reverse=kpi.better == "higher")
    assert SEVERITY[grade_value(kpi, good, target)] <= SEVERITY[grade_value(kpi, bad, target)]
