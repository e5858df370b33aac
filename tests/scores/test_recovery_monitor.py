"""Recovered, degraded or metastable: on hand-written windows, on hand-written days, and on a retry storm that is really played."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday.recovery import STUCK_WINDOWS, WELL_WINDOWS, WINDOW_S, Aftermath, aftermath
from gameday.scores.model import Grade
from sim.streams import Streams
from sim.traffic.changes import SetFlow
from sim.traffic.engines import make_engine
from sim.traffic.plan import RetryPlan
from tests.scores.days import Day
from tests.traffic.build import entry, exponential, flow, plan, station

METASTABLE = "shedding.metastable"
TRIGGER = (100.0, 200.0)


def judge(after: list[float], offered: float = 50.0) -> Aftermath:
    """All well before the trigger, bad in it, these shares after it; `offered` in a window after it, 50 before."""
    before, during = 20, 20
    shares = np.asarray([1.0] * before + [0.2] * during + after)
    demand = np.asarray([50.0] * (before + during) + [offered] * len(after))
    ends = WINDOW_S * np.arange(1, len(shares) + 1)
    return aftermath(ends, demand, shares * demand, TRIGGER, float(ends[-1]))


def test_well_at_once_is_recovered_at_once() -> None:
    found = judge([1.0] * 20)
    assert (found.state, found.after_s, found.stuck_s) == ("recovered", 0.0, 0.0)


def test_recovery_is_the_first_window_of_those_that_stay_well() -> None:
    found = judge([0.5] * 4 + [1.0] * 2 + [0.5] + [1.0] * WELL_WINDOWS)
    assert (found.state, found.after_s, found.stuck_s) == ("recovered", 7 * WINDOW_S, 4 * WINDOW_S)


def test_a_minute_unwell_without_cause_and_without_more_demand_is_metastable_even_if_somebody_ends_it() -> None:
    assert judge([0.1] * (STUCK_WINDOWS - 1) + [1.0] * 20).state == "recovered"
    assert judge([0.1] * STUCK_WINDOWS + [1.0] * 20).state == "metastable"
    assert judge([0.1] * 100) == Aftermath("metastable", None, 100 * WINDOW_S, 1.0)


def test_more_demand_than_before_is_overload_and_not_metastable() -> None:
    assert judge([0.1] * 100, offered=100.0).state == "degraded"


def test_coming_and_going_is_degraded() -> None:
    assert judge([0.5, 1.0, 1.0] * 20).state == "degraded"


def test_without_requests_before_or_after_nothing_is_known() -> None:
    assert judge([]).state == "unknown"
    assert judge([0.0] * 30, offered=0.0).state == "unknown"


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60), st.floats(1e-3, 1e3))
def test_units_of_counts_do_not_matter(after: list[float], factor: float) -> None:
    shares = np.asarray([1.0] * 20 + [0.2] * 20 + after)
    ends = WINDOW_S * np.arange(1, len(shares) + 1)
    one = aftermath(ends, np.full(len(shares), 50.0), 50.0 * shares, TRIGGER, float(ends[-1]))
    scaled = np.full(len(shares), 50.0 * factor)
    assert aftermath(ends, scaled, scaled * shares, TRIGGER, float(ends[-1])).state == one.state


def day(until: float) -> Day:
    made = Day().fault(600, "slow service/shop", until=700).impact(600, None if until >= 3600 else until)
    return made.requests((600, until), reason="queue_full")


def test_a_day_that_stays_sick_once_its_fault_is_healed_is_metastable() -> None:
    result = day(1500).result(METASTABLE)
    assert (result.value, result.grade) == (1.0, Grade.U)
    assert "13m20s" in result.note


def test_a_day_that_is_well_when_its_fault_is_healed_is_not() -> None:
    result = day(705).result(METASTABLE)
    assert (result.value, result.grade) == (0.0, Grade.P)


def test_without_overload_it_does_not_apply() -> None:
    assert Day().requests().result(METASTABLE).grade is Grade.NOT_APPLICABLE


@pytest.mark.parametrize(("rate", "state"), [(20.0, "recovered"), (28.0, "metastable")])
def test_a_retry_storm_lets_go_below_its_threshold_and_is_stuck_above_it(rate: float, state: str) -> None:
    """mu = 100/s and three retries: the threshold is 25/s."""
    retry = RetryPlan(retries=3, backoff_s=0.05)
    system = plan([station("s", exponential(0.01), queue_limit=1000)], [entry(timeout_s=1.0, retry=retry)], [flow(rate)])
    engine = make_engine(system, Streams(3))
    ends, offered, good = [], [], []
    for number in range(1, 81):
        end = number * WINDOW_S
        engine.advance(end)
        view = engine.observe()
        ends.append(end)
        offered.append(float(view.offered[0]))
        good.append(float(view.good[0]))
        if end in {100.0, 110.0}:
            engine.apply(SetFlow(0, 10.0 if end == 100.0 else 1.0))
    counts = [np.diff(np.asarray([0.0, *values])) for values in (offered, good)]
    found = aftermath(np.asarray(ends), counts[0], counts[1], (100.0, 110.0), ends[-1])
    assert found.state == state
