"""Distributions, latency, traffic, published times: the pictures hold what the numbers say, and no text lies on another."""

from __future__ import annotations

import math
from itertools import combinations
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from gameday.report.facts import latency_panels
from gameday.report.plots import compare, distributions, latency, published, style, traffic
from gameday.report.plots.distributions import Spread
from gameday.report.plots.latency import LatencyPanel, with_gaps
from gameday.report.plots.published import Milestone
from gameday.report.plots.traffic import TrafficPanel
from gameday.timeline import Series, SeriesSet

RNG = np.random.default_rng(3)


def _spread(kpi: str, unit: str, values: list[float], target: float | None = None) -> Spread:
    finite = sorted(value for value in values if math.isfinite(value)) or [math.inf]
    return Spread(kpi, "what it is, in a few words", unit, np.array(values), finite[len(finite) // 2], finite[-1], target)


SPREADS = [
    _spread("failover.rto", "s", [1020.0, 1066.0, *[math.inf] * 4], 600.0),
    _spread("response.time_to_resolve", "s", [*RNG.lognormal(7, 1.5, 40), math.inf], 300.0),
    _spread("detection.time_to_fire", "s", [58.2, 58.4, 58.9]),
    _spread("detection.reported_by_customer", "bool", [0.0, 1.0, 1.0], 0.0),
    _spread("detection.duplicate_pages", "count", [0.0, 1.0, 2.0, 2.0], 2.0),
    _spread("failover.rpo_writes", "count", list(RNG.poisson(4, 40).astype(float)), 2.0),
    _spread("cost.lost_revenue", "money", [15_073.2, 16_259.8, 27_306.8, 102_400.0]),
    _spread("shedding.critical_goodput", "ratio", [0.999, 0.9995, 0.98], 0.99),
    _spread("data.unreconciled", "count", [0.0, 1.0, 123_456.0]),
    _spread("response.time_to_declare", "s", [math.inf, 1.0]),
    _spread("detection.gap_to_minimum", "s", [-3.0, 0.0, 12.0]),
]


def _boxes(drawn: Any) -> list[tuple[str, Any]]:
    with style.drawing():
        drawn.canvas.draw()
        renderer = drawn.canvas.get_renderer()
        texts = [*drawn.texts]
        for axes in drawn.axes:
            texts += [*axes.texts, axes.title, axes._left_title, axes.xaxis.label, axes.yaxis.label]
            for axis in (axes.xaxis, axes.yaxis):
                low, high = sorted(axis.get_view_interval())
                texts += [tick.label1 for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
        for legend in drawn.legends:
            texts += legend.get_texts()
        return [(text.get_text(), text.get_window_extent(renderer)) for text in texts if text.get_text().strip()]


def _no_overlap(drawn: Any) -> None:
    boxes = _boxes(drawn)
    assert boxes
    for (text, a), (other, b) in combinations(boxes, 2):
        across = min(a.x1, b.x1) - max(a.x0, b.x0)
        down = min(a.y1, b.y1) - max(a.y0, b.y0)
        assert across <= 0 or down <= 2, f"{text!r} lies on {other!r}"
    for text, box in boxes:
        assert box.x0 >= -1, text
        assert box.x1 <= drawn.bbox.width + 1, text


def test_no_texts_of_the_distributions_overlap() -> None:
    _no_overlap(distributions.figure(SPREADS))


def test_ticks_of_a_panel_can_be_told_apart() -> None:
    for axes in distributions.figure(SPREADS).axes:
        texts = [label.get_text() for label in axes.get_xticklabels()]
        assert texts
        assert len(set(texts)) == len(texts)


def test_yes_and_no_are_the_only_ticks_of_a_yes_or_no() -> None:
    axes = distributions.figure([SPREADS[3]]).axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["no", "yes"]


def test_the_bar_of_never_is_as_high_as_its_share_asks() -> None:
    values = [*np.linspace(60, 600, 30), *[math.inf] * 10]
    axes = distributions.figure([_spread("failover.rto", "s", values)]).axes[0]
    bars = [patch for patch in axes.patches if patch.get_height() > 0]
    never = max(bars, key=lambda bar: bar.get_x())
    inside = sum(bar.get_height() for bar in bars if bar is not never)
    assert never.get_height() / (never.get_height() + inside) == pytest.approx(0.25)
    assert "25 %" in [text.get_text() for text in axes.texts]
    assert "never" in [text.get_text() for text in axes.texts]


def test_without_a_never_there_is_no_bar_for_it() -> None:
    axes = distributions.figure([_spread("failover.rto", "s", list(np.linspace(60, 600, 30)))]).axes[0]
    assert "never" not in [text.get_text() for text in axes.texts]


def test_few_replications_are_dots_each() -> None:
    axes = distributions.figure([_spread("failover.rto", "s", [60.0, 61.0, 300.0, math.inf])]).axes[0]
    assert sum(line.get_marker() == "o" for line in axes.lines) == 4


def test_what_is_the_same_everywhere_gets_no_panel() -> None:
    drawn = distributions.figure([_spread("failover.rto", "s", [5.0, 5.0]), SPREADS[0]])
    assert len(drawn.axes) == 1


def test_a_gap_in_the_answers_is_a_gap_in_the_line() -> None:
    t, values = with_gaps(np.array([5.0, 10.0, 40.0, 45.0]), np.array([1.0, 1.0, 2.0, 2.0]))
    assert list(np.isnan(values)) == [False, False, True, False, False]
    assert 10.0 < t[2] < 40.0


def test_of_a_long_run_the_highest_latency_of_each_stretch_is_drawn() -> None:
    series = SeriesSet(
        [Series("latency.p99", {"class": "checkout"}, t := np.arange(5.0, 21_601.0, 5.0), np.where(t == 10_000.0, 9.0, 0.1))]
    )
    scenario = SimpleNamespace(load=SimpleNamespace(classes={"checkout": SimpleNamespace(deadline=2.0)}))
    (panel,) = latency_panels(scenario, series, 21_600.0)  # type: ignore[arg-type]
    times, values = panel.quantiles["p99"]
    assert len(times) <= 601
    assert values.max() == 9.0
    assert abs(times[values.argmax()] - 10_000.0) < panel.step_s
    assert not np.isnan(with_gaps(times, values, panel.step_s)[1]).any()


def test_no_texts_of_traffic_and_latency_overlap() -> None:
    t = np.arange(1.0, 3001.0, 5.0)
    flat = np.full(len(t), 20.0)
    names = ["checkout", "a-class-with-a-name-of-sixty-letters-which-is-the-most-there-is"]
    _no_overlap(
        traffic.figure(
            [TrafficPanel(name, "critical", t, flat, flat, flat * 0, flat * 0) for name in names], 0, 3000, [(600, 900)]
        )
    )
    panels = [LatencyPanel(name, 2.0, {"p50": (t, flat / 100), "p99": (t, flat)}) for name in names]
    _no_overlap(latency.figure(panels, 0, 3000, [(600, 900)]))


def test_no_texts_of_published_times_and_of_factors_overlap() -> None:
    milestones = [
        Milestone("first_public_update", 240.0, 60.0, 75.0, 95.0),
        Milestone("resolved", 86_400.0, 60.0, 900.0, math.inf),
    ]
    _no_overlap(published.figure(milestones))
    factors = [
        compare.Factor(kpi, "better", value, value / 2, value * 2) for kpi, value in (("failover.rto", 0.01), ("x.y", 30.0))
    ]
    _no_overlap(compare.figure(factors))


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (Milestone("detected", 240.0, 60.0, 75.0, 95.0), "too fast"),
        (Milestone("detected", 30.0, 60.0, 75.0, 95.0), "too slow"),
        (Milestone("detected", 70.0, 60.0, 75.0, 95.0), "inside the simulated range"),
        (Milestone("detected", 70.0, math.inf, math.inf, math.inf), "never get there"),
        (Milestone("detected", 70.0, None, None, None), "not compared"),
        (Milestone("resolved", 9000.0, 60.0, 600.0, math.inf, watched_s=1800.0), "at least one in ten of them are not there"),
        (Milestone("resolved", 9000.0, math.inf, math.inf, math.inf, watched_s=1800.0), "could not be compared"),
        (Milestone("resolved", 900.0, 60.0, 600.0, math.inf, watched_s=1800.0), "inside the simulated range 1m to never"),
    ],
)
def test_a_milestone_says_where_the_simulation_differs(one: Milestone, said: str) -> None:
    assert said in one.verdict()


def test_what_never_happened_is_said_to_have_been_watched_for_a_time() -> None:
    one = Milestone("resolved", 9000.0, 60.0, 600.0, math.inf, watched_s=1800.0)
    assert [one.shown(value) for value in (one.p10_s, one.p90_s, None)] == ["1m", "not within 30m", "not known"]


def test_pictures_without_data_say_so_instead_of_failing() -> None:
    for drawn in (
        traffic.figure([], 0, 10),
        latency.figure([], 0, 10),
        distributions.figure([]),
        published.figure([]),
        compare.figure([]),
    ):
        assert drawn.texts[0].get_text()


def test_drawing_leaves_no_trace_in_the_settings_of_others() -> None:
    from matplotlib import rcParams

    before = dict(rcParams)
    style.svg(distributions.figure(SPREADS), "key", "title", "description")
    assert dict(rcParams) == before
