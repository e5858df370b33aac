"""The KPI table: every KPI defined once, targets read and written in their units."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday.scores.kpis import (
    DIMENSIONS,
    KPIS,
    Target,
    TargetError,
    default_target,
    format_target,
    format_value,
    kpi_named,
    kpi_reference,
    parse_target,
)


def test_the_table_costs_neither_numpy_nor_pydantic() -> None:
    code = "import sys; import gameday.scores.kpis; print([m for m in ('numpy', 'pydantic', 'yaml') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_every_kpi_is_named_after_its_dimension_and_says_what_it_is() -> None:
    for name, kpi in KPIS.items():
        assert name == kpi.name == f"{kpi.dimension}.{name.partition('.')[2]}"
        assert kpi.dimension in DIMENSIONS
        assert kpi.title[0].islower()
        assert not kpi.title.endswith(".")
        assert kpi.definition.endswith(".")
        assert kpi.source


def test_every_dimension_has_a_critical_kpi() -> None:
    assert {kpi.dimension for kpi in KPIS.values() if kpi.critical} == set(DIMENSIONS)


def test_the_hard_kpis_are_those_of_the_method_and_have_a_default_target() -> None:
    hard = {name for name, kpi in KPIS.items() if kpi.hard}
    assert hard == {
        "failover.split_brain_s",
        "failover.unapproved_failback",
        "shedding.priority_inversions",
        "communication.authority",
        "communication.false_resolved",
        "compliance.clocks",
    }
    assert all(default_target(KPIS[name]) is not None and KPIS[name].critical for name in hard)


@pytest.mark.parametrize(
    ("kpi", "text", "op", "value"),
    [
        ("detection.time_to_detect", "<= 5m", "<=", 300.0),
        ("detection.time_to_detect", "5m", "<=", 300.0),
        ("detection.time_to_detect", "< 1h30m", "<", 5400.0),
        ("detection.recall", "99%", ">=", 0.99),
        ("detection.recall", ">= 0.5", ">=", 0.5),
        ("failover.rpo_writes", 0, "<=", 0.0),
        ("failover.flaps", "= 1", "==", 1.0),
        ("cost.lost_revenue", "<= 1000.50 EUR", "<=", 1000.5),
        ("failover.decision", "yes", ">=", 1.0),
        ("detection.reported_by_customer", "no", "<=", 0.0),
        ("detection.false_pages", "0.5", "<=", 0.5),
        ("detection.root_cause_rank", "3", "<=", 3.0),
    ],
)
def test_a_target_is_read_in_the_unit_of_its_kpi(kpi: str, text: str | float, op: str, value: float) -> None:
    assert parse_target(kpi, text) == Target(op, value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kpi", "text", "said"),
    [
        ("detection.time_to_detect", "5", "needs a unit"),
        ("detection.time_to_detect", ">= 5m", "better when it is lower"),
        ("detection.recall", "<= 99%", "better when it is higher"),
        ("detection.recall", "120%", "between 0 and 1"),
        ("failover.flaps", "two", "plain number"),
        ("failover.flaps", "nan", "finite"),
        ("failover.flaps", "-1", "not negative"),
        ("failover.decision", "maybe", "yes or no"),
        ("detection.time_to_detct", "5m", "is not a KPI"),
    ],
)
def test_a_target_that_cannot_be_meant_is_refused_with_the_reason(kpi: str, text: str, said: str) -> None:
    with pytest.raises(TargetError, match=said):
        parse_target(kpi, text)


def test_a_misspelt_kpi_comes_with_the_nearest_name() -> None:
    with pytest.raises(TargetError) as refusal:
        kpi_named("detection.time_to_detct")
    assert refusal.value.suggestion == "detection.time_to_detect"


@pytest.mark.parametrize(
    ("kpi", "value", "text"),
    [
        ("detection.time_to_detect", 250.0, "4m10s"),
        ("detection.time_to_detect", 250.4, "4m10s"),
        ("detection.time_to_detect", 1.26, "1.3s"),
        ("detection.time_to_detect", 0.0123, "12ms"),
        ("detection.time_to_detect", float("inf"), "never"),
        ("compliance.margin", -90.0, "-1m30s"),
        ("detection.recall", 0.992, "99.2 %"),
        ("detection.recall", 1.0, "100 %"),
        ("detection.recall", 0.99999, "99.999 %"),
        ("failover.rpo_writes", 954.0, "954"),
        ("detection.false_pages", 0.25, "0.25 per day"),
        ("failover.decision", 1.0, "yes"),
        ("failover.decision", 0.0, "no"),
        ("cost.lost_revenue", 1234.5, "1234.50"),
    ],
)
def test_a_value_is_written_for_reading(kpi: str, value: float, text: str) -> None:
    assert format_value(kpi, value) == text


def test_money_is_written_with_its_currency() -> None:
    assert format_target("cost.lost_revenue", Target("<=", 10.0), "EUR") == "<= 10.00 EUR"


@pytest.mark.parametrize("name", sorted(KPIS))
def test_a_target_that_was_written_is_read_back(name: str) -> None:
    target = default_target(KPIS[name])
    if target is not None:
        assert parse_target(name, format_target(name, target)) == target


@given(st.sampled_from(sorted(KPIS)), st.floats(0, 1e6))
def test_what_meets_a_target_still_does_when_it_gets_better(name: str, value: float) -> None:
    kpi = KPIS[name]
    target = Target("<=" if kpi.better == "lower" else ">=", 10.0)
    better = value * 0.5 if kpi.better == "lower" else value * 2.0
    assert not target.met(value) or target.met(better)


def test_rounding_does_not_decide() -> None:
    assert Target("<=", 0.3).met(0.1 + 0.2)
    assert not Target("<", 0.3).met(0.1 + 0.2)


def test_the_reference_has_a_row_for_every_kpi() -> None:
    reference = kpi_reference()
    assert all(f"| `{name}` |" in reference for name in KPIS)
    assert "| **<= 0** |" in reference
