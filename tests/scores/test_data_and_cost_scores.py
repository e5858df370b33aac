"""Data and cost scores on hand-written days."""

from __future__ import annotations

from typing import Any

import pytest

from gameday.scores.model import Grade
from tests.scores.days import END_S, Day

COPY = {
    "shop": {
        "instances": 1,
        "slots": 8,
        "service_time": {"family": "constant", "mean": 0.01},
        "calls": [{"to": "database/orders", "operation": "read", "read_from": "nearest"}],
    }
}
LIMITED = {
    "orders": {
        "primary": "eu-1a",
        "replicas": ["eu-2a"],
        "slots": 4,
        "service_time": {"family": "constant", "mean": 0.01},
        "consistency": "bounded",
        "staleness_limit": 5.0,
    }
}


def summary(day: Day, name: str = "orders", **counts: Any) -> Day:
    defaults = {"attempted": 100, "acknowledged": 90, "lost": 0, "indeterminate": 10, "conflicting": 0, "unreconciled": 0}
    return day.at(END_S, "writes.summary", f"database/{name}", database=name, **{**defaults, **counts})


def test_counts_that_add_up_hold() -> None:
    assert summary(Day()).result("data.invariants").grade is Grade.P
    assert summary(Day(), lost=1, surviving=89).result("data.invariants").grade is Grade.P


@pytest.mark.parametrize(
    "counts",
    [
        {"acknowledged": 95},
        {"lost": 91},
        {"conflicting": 101},
        {"lost": -1},
        {"surviving": 89},
    ],
)
def test_counts_that_contradict_each_other_do_not(counts: dict[str, Any]) -> None:
    result = summary(Day(), **counts).result("data.invariants")
    assert (result.value, result.grade) == (0, Grade.U)
    assert result.note.startswith("orders:")


def test_what_went_missing_at_promotions_must_be_counted() -> None:
    def day() -> Day:
        return Day().at(700, "failover.promoted", "database/orders", lost_writes=7)

    assert summary(day(), lost=6).result("data.invariants").value == 0
    assert summary(day(), lost=5, unreconciled=2).result("data.invariants").value == 1


def test_one_broken_database_is_enough() -> None:
    assert summary(summary(Day()), "other", lost=91).result("data.invariants").value == 0


def test_uncounted_writes_are_unknown_and_no_database_has_none() -> None:
    for kpi in ("data.invariants", "data.unreconciled"):
        assert Day().result(kpi).grade is Grade.UNKNOWN
        assert Day(system__databases={}, system__services__shop__calls=[]).result(kpi).grade is Grade.NOT_APPLICABLE


def test_open_writes_are_added_up_over_databases() -> None:
    assert summary(summary(Day(), unreconciled=3), "other", unreconciled=4).result("data.unreconciled").value == 7


def test_stale_reads_are_counted_where_a_limit_is_declared_and_copies_are_read() -> None:
    day = summary(Day(system__services=COPY, system__databases=LIMITED), stale_reads=20)
    assert (day.result("data.stale_reads").value, day.result("data.stale_reads").grade) == (20, Grade.U)
    assert summary(Day(system__services=COPY, system__databases=LIMITED)).result("data.stale_reads").grade is Grade.UNKNOWN
    assert Day(system__services=COPY, system__databases=LIMITED).result("data.stale_reads").grade is Grade.UNKNOWN
    eventual = {name: {**one, "consistency": "eventual", "staleness_limit": None} for name, one in LIMITED.items()}
    assert Day(system__services=COPY, system__databases=eventual).result("data.stale_reads").grade is Grade.NOT_APPLICABLE
    assert Day().result("data.stale_reads").grade is Grade.NOT_APPLICABLE


def test_lost_revenue_is_lost_requests_times_their_price() -> None:
    day = Day().requests((600, 700), good=0.5).requests((600, 700), good=0.5, request_class="browse")
    result = day.result("cost.lost_revenue")
    assert result.value == pytest.approx(5000)
    assert result.grade is Grade.UNGRADED
    assert result.note == "5000.00 EUR lost, most by 500 requests of checkout"


def test_requests_lost_in_the_warm_up_cost_nothing() -> None:
    assert Day().requests((0, 60)).result("cost.lost_revenue").value == 0


def test_lost_revenue_without_prices_does_not_apply_and_without_series_is_unknown() -> None:
    assert Day(system__money__lost_request={}).requests((600, 700)).result("cost.lost_revenue").grade is Grade.NOT_APPLICABLE
    assert Day().result("cost.lost_revenue").grade is Grade.UNKNOWN


def test_emergency_scaling_is_what_runs_above_plan() -> None:
    day = Day().samples("service.instances", [5, 1000, 2800], [2, 5, 1], service="shop", region="eu-1")
    day.samples("service.instances", [5], [9], service="reports", region="eu-1")
    assert day.result("cost.emergency_scaling").value == pytest.approx(3 * 1800 / 3600 * 2.0)


def test_emergency_scaling_without_a_price_does_not_apply_and_without_series_is_unknown() -> None:
    assert Day(system__services__shop__cost_per_hour=0.0).result("cost.emergency_scaling").grade is Grade.NOT_APPLICABLE
    assert Day().result("cost.emergency_scaling").grade is Grade.UNKNOWN
