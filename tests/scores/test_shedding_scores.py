"""Shedding scores on hand-written days."""

from __future__ import annotations

from typing import Any

import pytest

from gameday.scores.case import Case
from gameday.scores.model import Grade
from gameday.scores.shedding import overload_windows
from tests.scores.days import END_S, Day

GOODPUT, INVERSIONS = "shedding.critical_goodput", "shedding.priority_inversions"
SHEDS = {"enabled": True, "services": {"shop": {}}}
SHOP = {"service": "shop", "region": "eu-1"}


def overloaded(start_s: float = 600, end_s: float = 900, **changes: Any) -> Day:
    """The shop refuses ten requests a second for a while."""
    day = Day(policies__shedding=SHEDS, **changes)
    return day.rate("service.refused", [(start_s, end_s, 10.0)], 5.0, **SHOP)


def windows(day: Day) -> list[tuple[float, float]]:
    return overload_windows(Case(day.recording(), day.scenario))


def test_refusals_make_a_window_and_close_ones_join() -> None:
    assert windows(overloaded()) == [(600, 900)]
    joined = Day().rate("service.refused", [(600, 700, 1.0), (700, 760, 0.0), (760, 800, 1.0)], 5.0, **SHOP)
    assert windows(joined) == [(600, 800)]
    apart = Day().rate("service.refused", [(600, 700, 1.0), (700, 765, 0.0), (765, 800, 1.0)], 5.0, **SHOP)
    assert windows(apart) == [(600, 700), (765, 800)]


def test_refusals_in_the_warm_up_are_not_judged() -> None:
    assert windows(overloaded(5, 50)) == []
    assert windows(overloaded(30, 100)) == [(60, 100)]


def test_requests_lost_for_want_of_capacity_make_a_window_and_an_outage_does_not() -> None:
    assert windows(Day().requests((600, 700), reason="queue_full")) == [(600, 700)]
    assert windows(Day().requests((600, 700), reason="refused")) == []


def test_timeouts_make_one_only_while_a_service_is_busy() -> None:
    day = Day().requests((600, 700), reason="timeout")
    assert windows(day) == []
    assert windows(day.rate("service.utilisation", [(650, 800, 1.0)], 5.0, **SHOP)) == [(650, 700)]


def test_goodput_is_that_of_critical_requests_in_the_worst_window() -> None:
    day = overloaded().requests((600, 900), good=0.5).requests((600, 900), good=0.1, request_class="browse")
    result = day.result(GOODPUT)
    assert result.value == pytest.approx(0.5)
    assert result.grade is Grade.U


def test_without_overload_there_is_nothing_to_judge_and_without_series_nothing_to_judge_by() -> None:
    for kpi in (GOODPUT, INVERSIONS, "shedding.over_shedding", "shedding.recovery_s"):
        assert Day(policies__shedding=SHEDS).requests().result(kpi).grade is Grade.NOT_APPLICABLE
        assert Day(policies__shedding=SHEDS).result(kpi).grade is Grade.UNKNOWN


def by_priority(refused: float, let_in: float, critical_let_in: float = 100.0, **changes: Any) -> Day:
    day = overloaded(600, 605, **changes).requests()
    day.rate("service.refused_by", [(600, 605, refused)], 5.0, priority="critical", **SHOP)
    day.rate("service.admitted_by", [(600, 605, critical_let_in)], 5.0, priority="critical", **SHOP)
    return day.rate("service.admitted_by", [(600, 605, let_in)], 5.0, priority="best_effort", **SHOP)


def test_an_inversion_is_a_critical_request_refused_while_a_lower_one_was_let_in() -> None:
    result = by_priority(20, 8).result(INVERSIONS)
    assert (result.value, result.grade, result.hard_failure) == (40, Grade.U, True)


def test_refusing_critical_requests_while_no_lower_one_gets_in_is_none() -> None:
    assert by_priority(20, 0).result(INVERSIONS).grade is Grade.P


def test_a_few_are_tolerated_because_bins_are_coarse() -> None:
    result = by_priority(1, 5, critical_let_in=99).result(INVERSIONS)
    assert (result.value, result.grade, result.hard_failure) == (5, Grade.S, False)
    assert by_priority(1.1, 5, critical_let_in=98.9).result(INVERSIONS).hard_failure


def test_another_bin_or_another_station_is_no_inversion() -> None:
    day = overloaded(600, 610).requests()
    day.rate("service.refused_by", [(600, 605, 20)], 5.0, priority="critical", **SHOP)
    day.rate("service.admitted_by", [(605, 610, 20)], 5.0, priority="best_effort", **SHOP)
    day.rate("service.admitted_by", [(600, 605, 20)], 5.0, priority="best_effort", service="shop", region="eu-2")
    assert day.result(INVERSIONS).value == 0


def test_a_service_that_does_not_shed_by_priority_cannot_invert_it() -> None:
    day = Day().requests().rate("service.refused", [(600, 605, 9)], 5.0, **SHOP)
    assert day.result(INVERSIONS).grade is Grade.NOT_APPLICABLE


def test_overload_without_counts_by_priority_is_unknown() -> None:
    assert overloaded().requests().result(INVERSIONS).grade is Grade.UNKNOWN


def test_over_shedding_is_the_share_of_refusals_with_room_left() -> None:
    day = overloaded().rate("service.shed_below_limit", [(600, 900, 1.0)], 5.0, **SHOP)
    assert day.result("shedding.over_shedding").value == pytest.approx(0.1)
    assert overloaded().result("shedding.over_shedding").grade is Grade.UNKNOWN


def test_recovery_counts_from_the_end_of_the_cause() -> None:
    day = overloaded().requests().fault(580, "slow service/shop", until=880).impact(600, 1000)
    result = day.result("shedding.recovery_s")
    assert (result.value, result.grade) == (120, Grade.P)
    assert result.target is not None
    assert result.target.value == 600


def test_a_spike_of_load_is_a_cause() -> None:
    spike = {
        "checkout": {
            "priority": "critical",
            "entry": "shop",
            "rate": {"shape": "spike", "base": 5, "peak": 50, "at": 590, "for": 100},
        }
    }
    result = overloaded(load__classes=spike).requests().impact(600, 800).result("shedding.recovery_s")
    assert (result.value, result.target.value if result.target else None) == (110, 200)


def test_an_overload_that_outlives_its_cause_never_recovers() -> None:
    day = overloaded(600, 3600).requests().fault(580, "slow service/shop", until=700).impact(600)
    result = day.result("shedding.recovery_s")
    assert (result.censored_at, result.grade) == (END_S - 700, Grade.U)


def test_recovery_does_not_apply_while_the_cause_lasts_nor_without_one() -> None:
    assert (
        overloaded().requests().fault(580, "slow service/shop").impact(600).result("shedding.recovery_s").grade
        is Grade.NOT_APPLICABLE
    )
    assert overloaded().requests().impact(600, 950).result("shedding.recovery_s").grade is Grade.NOT_APPLICABLE
    assert overloaded().requests().result("shedding.recovery_s").grade is Grade.NOT_APPLICABLE


def test_what_a_queue_drops_is_overload_and_counts_among_what_was_turned_away() -> None:
    day = Day(policies__shedding=SHEDS).requests().rate("service.dropped", [(600, 640, 10.0)], 5.0, **SHOP)
    assert windows(day) == [(600, 640)]
    day = overloaded(600, 640).requests().rate("service.shed_below_limit", [(600, 640, 2.0)], 5.0, **SHOP)
    assert day.result("shedding.over_shedding").value == pytest.approx(0.2)
    day.rate("service.dropped", [(600, 640, 10.0)], 5.0, **SHOP)
    assert day.result("shedding.over_shedding").value == pytest.approx(0.1)


def test_a_critical_request_that_is_dropped_while_a_lower_one_is_let_in_is_an_inversion() -> None:
    day = by_priority(0, 8)
    assert day.result(INVERSIONS).grade is Grade.P
    day.rate("service.dropped_by", [(600, 605, 3.0)], 5.0, priority="critical", **SHOP)
    assert day.result(INVERSIONS).value == 15
