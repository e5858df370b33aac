"""Two runs side by side: pairs where the seeds match, medians where they do not, and only what the samples can carry."""

from __future__ import annotations

import json
import math
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gameday.compare import Comparison, compare
from gameday.report.comparison import comparison_html, comparison_markdown, comparison_text
from gameday.report.terminal import Terminal, columns
from tests.report.made_up import SCENARIO, make_run, samples

Values = dict[str, np.ndarray[Any, Any]]


def _found(n: int = 30, seed: int = 5) -> Values:
    return samples(np.random.default_rng(seed), n)


def _compare(
    path: Path, before: Values, after: Values, *, seeds: tuple[int, int] = (7, 7), scenario: str = SCENARIO
) -> Comparison:
    a = make_run(path / "a", scenario=SCENARIO, found=before, replications=len(before["failover.rto"]), seed=seeds[0])
    b = make_run(path / "b", scenario=scenario, found=after, replications=len(after["failover.rto"]), seed=seeds[1])
    return compare(a, b)


def _change(comparison: Comparison, kpi: str) -> Any:
    return next(change for change in comparison.changes if change.kpi == kpi)


def test_the_same_run_twice_is_the_same_in_every_kpi(tmp_path: Path) -> None:
    comparison = _compare(tmp_path, _found(), _found())
    assert {change.verdict for change in comparison.changes if change.compared} == {"same"}
    assert comparison.settings == ()
    assert "none" in comparison_text(comparison, Terminal(100))


def test_a_faster_failover_on_the_same_seeds_is_better_by_its_factor(tmp_path: Path) -> None:
    before = _found()
    before["failover.rto"] = np.linspace(100.0, 4000.0, 30)
    after = {**before, "failover.rto": before["failover.rto"] * 0.8}
    change = _change(_compare(tmp_path, before, after), "failover.rto")
    assert (change.verdict, change.scale, change.pairs, change.improved) == ("better", "ratio", 30, 30)
    assert change.effect == pytest.approx(0.8)


def test_more_goodput_is_better_and_less_is_worse(tmp_path: Path) -> None:
    before = _found()
    before["shedding.critical_goodput"] = np.linspace(0.8, 0.9, 30)
    after = {**before, "shedding.critical_goodput": before["shedding.critical_goodput"] - 0.05}
    change = _change(_compare(tmp_path, before, after), "shedding.critical_goodput")
    assert (change.verdict, change.scale) == ("worse", "difference")
    assert change.effect == pytest.approx(-0.05)


def test_with_other_seeds_the_same_change_is_not_paired_and_unclear(tmp_path: Path) -> None:
    before = _found()
    before["failover.rto"] = np.linspace(100.0, 4000.0, 30)
    after = {**before, "failover.rto": before["failover.rto"] * 0.8}
    comparison = _compare(tmp_path, before, after, seeds=(7, 8))
    change = _change(comparison, "failover.rto")
    assert not comparison.paired
    assert "the seeds differ (7 and 8)" in comparison.pairing
    assert (change.verdict, change.pairs, change.effect) == ("unclear", 0, None)
    assert change.note == "the intervals of the medians overlap"


def test_with_other_seeds_medians_far_apart_still_differ(tmp_path: Path) -> None:
    before = {**_found(), "failover.rto": np.linspace(1000.0, 1100.0, 30)}
    after = {**_found(), "failover.rto": np.linspace(100.0, 110.0, 30)}
    assert _change(_compare(tmp_path / "1", before, after, seeds=(7, 8)), "failover.rto").verdict == "better"
    assert _change(_compare(tmp_path / "2", after, before, seeds=(7, 8)), "failover.rto").verdict == "worse"


def test_never_is_worse_than_any_time_and_makes_no_ratio(tmp_path: Path) -> None:
    before = {**_found(), "failover.rto": np.full(30, 600.0)}
    after = {**before, "failover.rto": np.full(30, math.inf)}
    change = _change(_compare(tmp_path, before, after), "failover.rto")
    assert (change.verdict, change.effect, change.worsened) == ("worse", None, 30)
    assert "compared by direction only" in change.note


def test_only_common_replications_are_paired_when_one_run_is_longer(tmp_path: Path) -> None:
    long = _found(30)
    long["failover.rto"] = np.linspace(100.0, 4000.0, 30)
    short = {name: values[:12] for name, values in long.items()}
    comparison = _compare(tmp_path, long, short)
    change = _change(comparison, "failover.rto")
    assert (change.pairs, change.verdict) == (12, "same")
    assert "12 replications" in comparison.pairing
    assert "left out" in comparison.pairing


def test_what_was_not_judged_is_not_compared(tmp_path: Path) -> None:
    nothing = {**_found(), "failover.rto": np.full(30, math.nan)}
    comparison = _compare(tmp_path, _found(), nothing)
    change = _change(comparison, "failover.rto")
    assert not change.compared
    assert change in comparison.not_compared
    assert change not in comparison.with_verdict("unclear")


def test_settings_that_differ_are_named_by_path_with_defaults_filled_in(tmp_path: Path) -> None:
    other = SCENARIO.replace("slots: 60", "slots: 80").replace(
        "pairs: {eu-1: eu-2}}", "pairs: {eu-1: eu-2}, dns_ttl: 30s, fence: false}"
    )
    settings = {one.path: (one.before, one.after) for one in _compare(tmp_path, _found(), _found(), scenario=other).settings}
    assert settings == {
        "system.services.edge.slots": ("60", "80"),
        "policies.failover.dns_ttl": (None, "30s"),
        "policies.failover.fence": ("true", "false"),
    }


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    before = _found()
    rng = np.random.default_rng(1)
    after = {name: values.copy() for name, values in before.items()}
    after["failover.rto"] = before["failover.rto"] * 0.6
    after["response.time_to_acknowledge"] = before["response.time_to_acknowledge"] * rng.lognormal(0, 0.5, 30)
    after["communication.coverage"] = before["communication.coverage"] - 0.1
    return _compare(tmp_path_factory.mktemp("mixed"), before, after, scenario=SCENARIO.replace("duration: 50m", "duration: 55m"))


def test_a_comparison_is_plain_json(mixed: Comparison) -> None:
    content = json.loads(json.dumps(mixed.as_json(), allow_nan=False))
    assert content["schema"] == 1
    assert content["settings"] == [{"path": "duration", "before": "50m", "after": "55m"}]
    assert len(content["changes"]) == len(mixed.changes)


@pytest.mark.parametrize("width", [60, 100])
def test_the_terminal_lists_what_changed_and_counts_the_rest(mixed: Comparison, width: int) -> None:
    text = comparison_text(mixed, Terminal(width))
    assert all(columns(line) <= width for line in text.splitlines())
    assert "communication.coverage" in text
    assert "duration" in text
    same = len(mixed.with_verdict("same"))
    assert f"the same: {same} of {len(mixed.changes)} KPIs" in text


def test_the_page_and_the_pull_request_say_the_same(mixed: Comparison) -> None:
    page, text = comparison_html(mixed), comparison_markdown(mixed)
    parser = HTMLParser()
    parser.feed(page)
    assert "<script" not in page
    assert "http" not in page.replace('xmlns="http://www.w3.org/2000/svg"', "").replace(
        'xmlns:xlink="http://www.w3.org/1999/xlink"', ""
    )
    for change in mixed.with_verdict("better") + mixed.with_verdict("worse"):
        assert change.kpi in page
        assert change.kpi.replace("_", "\\_") in text
    assert comparison_html(mixed) == page


def test_a_verdict_by_direction_is_not_shown_as_a_size(tmp_path: Path) -> None:
    before = _found()
    before["failover.rto"] = np.linspace(100.0, 4000.0, 30)
    after = {**before, "failover.rto": np.where(np.arange(30) == 0, np.inf, before["failover.rto"] * 0.9)}
    comparison = _compare(tmp_path, before, after)
    change = _change(comparison, "failover.rto")
    assert (change.verdict, change.by_direction) == ("better", True)
    line = next(line for line in comparison_text(comparison, Terminal(100)).splitlines() if "failover.rto" in line)
    assert "29 better and 1 worse of 30" in line
    assert "x 0.9" not in line
