"""Baseline rules: what is usual against plain medians and against statsmodels, and when they fire; objectives and their rules."""

from __future__ import annotations

import statistics
from datetime import datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.tsa.seasonal import STL

from gameday.alerting import Alerting
from gameday.alerting.pipeline import problems
from gameday.alerting.seasonal import HourOfWeek, fitted
from gameday.errors import BadInput
from gameday.scenario.monitoring import Monitoring

HOUR, DAY, WEEK = 3600, 86_400, 604_800
MONDAY = "2026-03-02T00:00:00+00:00"
HISTORY = {"starts": "2026-02-09T00:00:00+00:00", "interval": 3600.0}


def rate_at(hour: int) -> float:
    """A rate that is low at night and at weekends."""
    weekend = (hour // 24) % 7 >= 5
    return (100.0 + 80.0 * np.sin(2 * np.pi * (hour % 24 - 9) / 24)) * (0.5 if weekend else 1.0)


THREE_WEEKS = [float(rate_at(hour)) + hour % 3 for hour in range(3 * 168)]
"""From a Monday at midnight."""


class Fixed:
    """A source that gives one value."""

    def __init__(self, value: float | None) -> None:
        self.number = value

    def value(self, indicator: str, subject: str, window_s: float, now: float) -> float | None:
        return self.number


def rule(**changes: object) -> Monitoring:
    """A baseline on the rate of a class."""
    baseline = {"kind": "baseline", "on": "class/buy", "indicator": "request_rate", "history": {**HISTORY, "values": THREE_WEEKS}}
    return Monitoring.model_validate({"rules": {"unusual": {**baseline, **changes}}})


def fires(value: float, hour: float, **changes: object) -> bool:
    """Whether a value is unusual at an hour of the week that follows the history."""
    alerting = Alerting(rule(**changes), starts=datetime.fromisoformat(MONDAY), first_evaluation_s=hour * HOUR)
    return [event.transition for event in alerting.evaluate(hour * HOUR, Fixed(value))] == ["firing"]


@settings(max_examples=30, deadline=None)
@given(
    days=st.integers(1, 20),
    per_hour=st.integers(1, 3),
    values=st.lists(st.floats(0, 1000), min_size=5, max_size=5),
    at_hour=st.integers(0, 500),
)
def test_the_hour_of_the_week_is_judged_by_the_median_and_mad_of_its_own_past(
    days: int, per_hour: int, values: list[float], at_hour: int
) -> None:
    step = HOUR / per_hour
    times = [n * step for n in range(days * 24 * per_hour)]
    known = [values[n * 7 % 5] + n % 4 for n in range(len(times))]
    hours = 168 if days >= 14 else 24 if days >= 3 else 1
    same = [v for t, v in zip(times, known, strict=True) if int(t // HOUR) % hours == at_hour % hours]
    model = fitted("hour_of_week", times, known)
    centre, spread = model(at_hour * HOUR)
    if same:
        assert centre == pytest.approx(statistics.median(same))
        own = 1.4826 * statistics.median(abs(v - statistics.median(same)) for v in same)
        assert spread >= own * (1 - 1e-9)
    assert isinstance(model, HourOfWeek)
    assert model.hours == hours


def test_one_bad_hour_in_three_weeks_does_not_become_usual() -> None:
    spoiled = list(THREE_WEEKS)
    spoiled[168 + 10] = 0.0
    times = [n * HOUR for n in range(len(spoiled))]
    assert fitted("hour_of_week", times, spoiled)(2 * WEEK + 10 * HOUR)[0] == pytest.approx(rate_at(10), abs=3)


def test_a_rate_that_is_usual_at_night_is_unusual_by_day_and_the_other_way_round() -> None:
    night, noon = 3, 15
    assert not fires(rate_at(night), night)
    assert fires(rate_at(night), noon)
    assert not fires(rate_at(noon), noon)
    assert fires(rate_at(noon), night)


def test_a_weekend_is_judged_by_weekends() -> None:
    saturday = 5 * 24 + 15
    assert not fires(rate_at(saturday), saturday)
    assert fires(rate_at(saturday), 15)


def test_the_direction_says_on_which_side_it_fires() -> None:
    assert not fires(0.0, 15, direction="above")
    assert fires(0.0, 15, direction="below")
    assert not fires(1e6, 15, direction="below")
    assert fires(1e6, 15, direction="above")


def test_the_hour_is_that_of_the_wall_clock_not_of_the_run() -> None:
    written = rule(history={"starts": "2026-02-09T00:00:00+09:00", "interval": 3600.0, "values": THREE_WEEKS})
    alerting = Alerting(written, starts=datetime.fromisoformat("2026-03-02T15:00:00+09:00"))
    assert alerting.evaluate(0.0, Fixed(rate_at(15))) == []
    assert alerting.evaluate(15.0, Fixed(rate_at(3))) != []


def test_without_a_value_nothing_is_said() -> None:
    alerting = Alerting(rule(), starts=datetime.fromisoformat(MONDAY))
    assert alerting.evaluate(0.0, Fixed(None)) == []


def test_a_mean_scales_the_past() -> None:
    mean = sum(THREE_WEEKS) / len(THREE_WEEKS)
    scaled = {**HISTORY, "values": [v / mean for v in THREE_WEEKS], "mean": mean}
    assert not fires(rate_at(15), 15, history=scaled)
    assert fires(rate_at(15), 15, history={**scaled, "mean": 2 * mean})


def test_stl_is_the_trend_and_season_of_statsmodels_going_on() -> None:
    hours = np.arange(24 * 10)
    noise = np.random.default_rng(1).normal(0, 1, len(hours))
    values = 100 + 0.1 * hours + 30 * np.sin(2 * np.pi * hours / 24) + noise
    model = fitted("stl", hours * HOUR, values)
    parts = STL(values, period=24, robust=True, seasonal_jump=2, trend_jump=2).fit()
    for ahead in (0, 5, 13, 23, 30):
        centre, spread = model((len(hours) + ahead) * HOUR)
        assert centre == pytest.approx(parts.trend[-1] + parts.seasonal[-24 + ahead % 24])
        missed = values[24:] - (parts.trend + parts.seasonal)[:-24]
        assert spread == pytest.approx(max(1.4826 * np.median(np.abs(missed - np.median(missed))), centre / 100))
        truth = 100 + 0.1 * len(hours) + 30 * np.sin(2 * np.pi * ahead / 24)
        assert centre == pytest.approx(truth, abs=5)


def test_stl_finds_the_night_unusual_by_day() -> None:
    week = {**HISTORY, "values": [float(100 + 80 * np.sin(2 * np.pi * (n - 9) / 24) + n % 3) for n in range(24 * 7)]}
    assert not fires(rate_at(15), 15, history=week, method="stl")
    assert fires(rate_at(3), 15, history=week, method="stl")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"history": HISTORY}, "needs a 'file' of values"),
        ({"history": {**HISTORY, "values": [1.0] * 30}, "method": "stl"}, "too short for the method stl"),
        ({"history": {**HISTORY, "values": [1.0, 2.0], "interval": 0.0}}, "longer than nothing"),
        ({"history": {**HISTORY, "values": [0.0, 0.0], "mean": 3.0}}, "add up to nothing"),
    ],
)
def test_a_past_that_cannot_be_used_is_refused(changes: dict[str, object], words: str) -> None:
    found = problems(rule(**changes), datetime.fromisoformat(MONDAY))
    assert [words in problem.message for problem in found] == [True]


def test_a_baseline_needs_a_time_of_day() -> None:
    with pytest.raises(BadInput, match="starts at a date and time"):
        Alerting(rule())


def slo(**changes: object) -> Monitoring:
    return Monitoring.model_validate({"slos": {"buy": {"on": "class/buy", "objective": 0.999, **changes}}})


def test_an_objective_becomes_the_four_rules_of_the_workbook() -> None:
    made = slo().every_rule
    table = {name: (r.severity, r.long, r.short, round(r.burn, 6)) for name, r in made.items() if r.kind == "burn_rate"}
    assert table == {
        "buy-1h": ("page", 3600, 300, 14.4),
        "buy-6h": ("page", 21_600, 1800, 6.0),
        "buy-1d": ("ticket", 86_400, 7200, 3.0),
        "buy-3d": ("ticket", 259_200, 21_600, 1.0),
    }


def test_over_28_days_the_same_share_of_the_budget_is_another_burn_rate() -> None:
    first = slo(period=28.0 * DAY).every_rule["buy-1h"]
    assert first.kind == "burn_rate"
    assert first.burn == pytest.approx(13.44)


@pytest.mark.parametrize(("objective", "never"), [(0.94, ""), (0.93, "buy"), (0.5, "buy")])
def test_an_objective_whose_rules_can_never_fire_is_refused(objective: float, never: str) -> None:
    found = problems(slo(objective=objective))
    assert [problem.field for problem in found] == ([f"monitoring.slos.{never}.objective"] if never else [])
    assert all("can never fire: 1h (burn 14.4)" in problem.message for problem in found)


def test_a_total_outage_fires_the_fast_rule_of_an_objective_only() -> None:
    alerting = Alerting(slo())

    class Outage:
        """Errors since a minute before now, in windows that were clean before."""

        def value(self, indicator: str, subject: str, window_s: float, now: float) -> float | None:
            return min(1.0, 60.0 / window_s)

    fired = [event.rule for event in alerting.evaluate(0.0, Outage()) if event.transition == "firing"]
    assert fired == ["buy-1h"], "60 s of outage are 14.4 x 0.1 % of an hour, not yet 6 x 0.1 % of six hours"
