"""Objectives over replications: quantiles, shares, gates, and what could not be judged."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday.scenario.objectives import Objective
from gameday.scores.kpis import KPIS
from gameday.scores.model import Grade, Result
from gameday.scores.objectives import EXIT_CODES, as_json, judge, verdict
from gameday.scores.samples import NEVER, NOT_APPLICABLE, UNKNOWN, KpiSamples

DETECT, RECALL = "detection.time_to_detect", "detection.recall"


def samples(values: Sequence[float], kpi: str = DETECT) -> KpiSamples:
    made = KpiSamples(kpi)
    for value in values:
        if math.isnan(value):
            result = Result(kpi, None, KPIS[kpi].unit, None, Grade.UNKNOWN)
        elif value == NOT_APPLICABLE:
            result = Result(kpi, None, KPIS[kpi].unit, None, Grade.NOT_APPLICABLE)
        elif value == NEVER:
            result = Result(kpi, None, KPIS[kpi].unit, None, Grade.U, censored_at=1000.0)
        else:
            result = Result(kpi, value, KPIS[kpi].unit, None, Grade.P)
        made.add(result)
    return made


def objective(target: str, statistic: str = "p90", kpi: str = DETECT, **more: Any) -> Objective:
    return Objective.model_validate({"kpi": kpi, "target": target, "statistic": statistic, **more})


TEN = [100.0 * number for number in range(1, 11)]


@pytest.mark.parametrize(
    ("statistic", "target", "met"),
    [
        ("p50", "500s", True),
        ("p50", "499s", False),
        ("p90", "900s", True),
        ("p90", "899s", False),
        ("worst", "999s", False),
        ("worst", "1000s", True),
    ],
)
def test_a_quantile_is_the_value_that_so_many_reach(statistic: str, target: str, met: bool) -> None:
    outcome = judge(objective(target, statistic), samples(TEN))
    assert outcome.met is met
    assert outcome.judged == 10


def test_for_a_share_the_bad_side_is_the_low_one() -> None:
    values = samples([0.5] + [0.99] * 9, RECALL)
    assert judge(objective("99%", "p90", RECALL), values).met is True
    assert judge(objective("99%", "worst", RECALL), values).met is False
    assert judge(objective("99%", "p90", RECALL), values).value == 0.99
    assert judge(objective("99%", "worst", RECALL), values).value == 0.5


def test_a_pass_rate_needs_nine_in_ten_unless_it_says_otherwise() -> None:
    assert judge(objective("900s", "pass_rate"), samples(TEN)).met is True
    assert judge(objective("800s", "pass_rate"), samples(TEN)).met is False
    lenient = judge(objective("800s", "pass_rate", at_least=0.8), samples(TEN))
    assert (lenient.met, lenient.value) == (True, 0.8)


def test_never_counts_as_worse_than_any_value() -> None:
    outcome = judge(objective("1h"), samples([10.0] * 8 + [NEVER] * 2))
    assert (outcome.met, outcome.value, outcome.censored) == (False, 1000, True)
    assert judge(objective("1h"), samples([10.0] * 9 + [NEVER])).met is True
    assert judge(objective("1h", "worst"), samples([10.0, NEVER])).censored


def test_what_could_not_be_judged_decides_nothing_it_could_not_change() -> None:
    assert judge(objective("500s", "worst"), samples([900.0, UNKNOWN])).met is False
    assert judge(objective("500s", "worst"), samples([100.0, UNKNOWN])).met is None
    assert judge(objective("500s", "p50"), samples([100.0, 100.0, UNKNOWN])).met is True


def test_what_did_not_apply_is_left_out_and_never_a_pass() -> None:
    assert judge(objective("500s", "worst"), samples([100.0, NOT_APPLICABLE])).met is True
    none = judge(objective("500s"), samples([NOT_APPLICABLE]))
    assert (none.met, none.why) == (None, "it did not apply in any replication")
    assert judge(objective("500s"), samples([UNKNOWN])).why == "it could not be judged in any of 1 replications"
    assert judge(objective("500s"), None).met is None


@given(
    st.lists(st.sampled_from([50.0, 150.0, NEVER, UNKNOWN, NOT_APPLICABLE]), min_size=1, max_size=12),
    st.sampled_from(["p50", "p90", "worst", "pass_rate"]),
)
def test_an_answer_is_given_exactly_when_every_way_to_fill_the_gaps_gives_it(values: list[float], statistic: str) -> None:
    answer = judge(objective("100s", statistic), samples(values)).met
    ways = {
        judge(objective("100s", statistic), samples([guess if math.isnan(value) else value for value in values])).met
        for guess in (50.0, 150.0)
    }
    if any(math.isfinite(value) or value == NEVER for value in values):
        assert answer == (ways.pop() if len(ways) == 1 else None)
    else:
        assert answer is None


def test_the_verdict_is_that_of_the_gates_and_of_hard_failures() -> None:
    met, missed, open_ = (
        judge(objective(target, gate=True), samples(values)) for target, values in (("1h", TEN), ("1s", TEN), ("1s", [UNKNOWN]))
    )
    shown = judge(objective("1s"), samples(TEN))
    assert verdict([], hard_failures=False) == "met"
    assert verdict([met, shown], hard_failures=False) == "met"
    assert verdict([met, open_], hard_failures=False) == "inconclusive"
    assert verdict([met, open_, missed], hard_failures=False) == "not_met"
    assert verdict([met], hard_failures=True) == "not_met"
    assert EXIT_CODES == {"met": 0, "not_met": 1, "inconclusive": 3}


def test_a_pass_rate_is_written_with_its_bar() -> None:
    assert as_json(judge(objective("900s", "pass_rate"), samples(TEN)))["at_least"] == 0.9
    assert "at_least" not in as_json(judge(objective("900s"), samples(TEN)))
