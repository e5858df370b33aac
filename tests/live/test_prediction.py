"""Prediction against observation: spreads against numpy, "never" as the largest value, the stage that explains a miss."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gameday.prediction import Spread, against, registered, stage_times
from gameday.timeline import Timeline


@settings(deadline=None)
@given(st.lists(st.floats(0.0, 1e6), min_size=1, max_size=40))
def test_spreads_are_numpys_quantiles(values: list[float]) -> None:
    spread = Spread.of(values)
    assert spread is not None
    assert [spread.p5, spread.p50, spread.p95] == pytest.approx(np.quantile(values, [0.05, 0.5, 0.95]), rel=1e-9, abs=1e-9)


def test_never_is_the_largest_value_and_survives_the_file() -> None:
    spread = Spread.of([1.0, 2.0, 3.0, math.inf])
    assert spread is not None
    assert spread.p95 == math.inf
    assert Spread.from_json(spread.as_json()) == spread
    assert spread.holds(math.inf)
    assert not spread.holds(0.5)


def test_what_was_unknown_or_did_not_apply_is_no_prediction() -> None:
    assert Spread.of([math.nan, -math.inf]) is None


def day(promoted: float, completed: float) -> Timeline:
    found = Timeline()
    fault = {"fault": "kill", "index": "0", "selector": "database/orders/primary", "parameters": {}, "origin": "schedule"}
    found.add(10.0, "fault.injected", "fault/0", "live", fault)
    impact = {"flow": "buy", "good_ratio": 0.1, "objective": 0.95}
    found.add(11.0, "impact.started", "class/buy", "live", impact)
    found.add(20.0, "failover.triggered", "database/orders", "live", {"failover": "orders", "why": "lease", "by": "automation"})
    found.add(promoted, "failover.promoted", "database/orders", "live", {"failover": "orders", "from": "a", "to": "b"})
    found.add(completed, "failover.completed", "database/orders", "live", {"failover": "orders", "to": "b"})
    found.add(completed + 1.0, "impact.ended", "class/buy", "live", impact)
    return found


def test_stages_count_from_what_begins_them() -> None:
    assert stage_times(day(23.0, 24.0)) == {
        "impact": 1.0,
        "detect": math.inf,
        "decide": 10.0,
        "promote": 3.0,
        "route": 1.0,
        "recover": 14.0,
    }
    assert stage_times(Timeline()) == {}


def test_the_stage_that_differs_most_explains_what_is_outside() -> None:
    stages = [stage_times(day(23.0 + n / 10, 24.0 + n / 5)) for n in range(10)]
    kpis = {"failover.rto": [14.0 + n / 10 for n in range(10)], "response.time_to_acknowledge": [60.0] * 10}
    prediction = registered("x", "0" * 64, 1, "2026-01-01T00:00:00+00:00", kpis, stages)
    observed = {"value": 44.0, "censored_at": None, "note": ""}
    scores = {
        "dimensions": {
            "failover": {"results": [{"kpi": "failover.rto", **observed}]},
            "response": {"results": [{"kpi": "response.time_to_acknowledge", **observed}]},
        }
    }
    found = against(prediction, scores, day(23.5, 54.0))
    assert [row.name for row in found.outside] == ["failover.rto"]
    assert "'route'" in found.explanation()
    assert found.not_compared == (("response.time_to_acknowledge", "no people took part"),)
    assert found.kpis[0].error_ratio == pytest.approx((44.0 - 14.45) / 14.45)
