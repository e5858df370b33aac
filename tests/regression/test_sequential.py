"""Comparing until it is clear keeps its error rate; the number of replications asked for is what it takes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from gameday.statistics import holm, sign_test_worse, t_test_above
from gameday.study.power import measured_power, needed, pairs_needed
from gameday.study.sequential import Duel
from tests.cli.conftest import QUICK, Run

KPI = "detection.time_to_detect"


def verdict(duel: Duel, before: np.ndarray, after: np.ndarray) -> tuple[str, int]:
    """What a duel ends with when these are the values, and after how many pairs."""
    for look in duel.looks:
        duel.before = {n: {KPI: float(before[n])} for n in range(look)}
        duel.after = {n: {KPI: float(after[n])} for n in range(look)}
        (answer,) = duel.answers()
        if answer.clear:
            break
    assert answer.pairs is not None
    return answer.pairs.verdict, look


def test_looking_again_and_again_does_not_find_what_is_not_there() -> None:
    """With recovery times as skewed as real ones; naive looking at the same times errs three times as often."""
    generator, tries, wrong, naive = np.random.default_rng(5), 400, 0, 0
    for _ in range(tries):
        before, after = np.exp(generator.normal(6, 1.3, (2, 128)))
        wrong += verdict(Duel((KPI,), 128, 0.01), before, after)[0] in {"better", "worse"}
        logs = np.log(after / before)
        naive += any(stats.ttest_1samp(logs[:n], 0).pvalue < 0.05 for n in Duel((KPI,), 128, 0.01).looks)
    assert wrong / tries <= 0.05 + 2.6 * math.sqrt(0.05 * 0.95 / tries)
    assert naive / tries > 0.10, "otherwise this test would show nothing"


def test_a_large_change_is_clear_early_and_none_is_found_to_be_the_same() -> None:
    generator = np.random.default_rng(6)
    before = np.exp(generator.normal(6, 1.3, 256))
    noise = np.exp(generator.normal(0, 0.05, 256))
    assert verdict(Duel((KPI,), 256, 0.05), before, before * noise * 1.5) == ("worse", 8)
    answer, pairs = verdict(Duel((KPI,), 256, 0.05), before, before * noise)
    assert answer == "same"
    assert pairs < 256
    assert verdict(Duel((KPI,), 256, 0.05), before, before) == ("same", 32)


def test_policies_are_compared_until_it_is_clear(gameday: Run) -> None:
    ended = gameday("compare", QUICK, "--set", "monitoring.probes.visits.interval=20s", "--jobs", 1, "--most", 64)
    assert ended.returncode == 0, ended.stderr
    assert "monitoring.probes.visits.interval  5s -> 20s" in ended.stdout
    assert "worse  detection.time_to_detect" in ended.stdout
    assert "clear after 8 pairs" in ended.stdout


def test_mistakes_are_told_in_words(gameday: Run) -> None:
    unknown = gameday("compare", QUICK, "--set", "warmup=20s", "--kpi", "failover.rtoo")
    assert (unknown.returncode, "did you mean 'failover.rto'?" in unknown.stderr) == (2, True)
    nothing = gameday("compare", QUICK)
    assert (nothing.returncode, "--set" in nothing.stderr) == (2, True)
    no_duration = gameday("power", QUICK, "--kpi", "failover.flaps")
    assert (no_duration.returncode, "is not a duration" in no_duration.stderr) == (2, True)


def test_the_replications_needed_have_the_power_that_was_asked_for() -> None:
    generator = np.random.default_rng(7)
    residuals = generator.normal(0, 0.4, 2000)
    residuals -= residuals.mean()
    n = pairs_needed(float(np.std(residuals, ddof=1)), math.log(1.1))
    assert 0.77 < measured_power(residuals, math.log(1.1), n, generator) < 0.84
    # The same by the noncentral t distribution.
    effect = math.log(1.1) / float(np.std(residuals, ddof=1)) * math.sqrt(n)
    assert 1 - stats.nct.cdf(stats.t.ppf(0.975, n - 1), n - 1, effect) == pytest.approx(0.8, abs=0.01)


def test_pairs_that_are_alike_need_fewer_replications() -> None:
    generator = np.random.default_rng(8)
    before = np.exp(generator.normal(6, 1.3, 40))
    alike = needed(KPI, before.tolist(), (before * np.exp(generator.normal(0, 0.1, 40))).tolist(), 0.1, tolerance=0.05)
    unlike = needed(KPI, before.tolist(), np.roll(before, 1).tolist(), 0.1, tolerance=0.05)
    assert alike is not None
    assert unlike is not None
    assert alike.replications < 20
    assert unlike.replications > 1000
    assert alike.low <= alike.replications <= alike.high
    assert needed(KPI, [math.inf] * 9, [1.0] * 9, 0.1, tolerance=0.05) is None


def test_power_is_asked_on_the_command_line(gameday: Run) -> None:
    ended = gameday("power", QUICK, "--pilot", 6, "--jobs", 1, "--set", "monitoring.probes.visits.interval=6s")
    assert ended.returncode == 0, ended.stderr
    assert "show a change of 10% four times in five" in ended.stdout


def test_one_sided_tests_agree_with_scipy() -> None:
    generator = np.random.default_rng(9)
    for n in (2, 3, 10, 37):
        sample = generator.normal(0.3, 1, n)
        assert t_test_above(sample, 0.1) == pytest.approx(stats.ttest_1samp(sample, 0.1, alternative="greater").pvalue, rel=1e-9)
    assert t_test_above([0.2, 0.2], 0.1) == 0.0
    assert t_test_above([0.1, 0.1], 0.1) == 1.0
    for worse, better in ((0, 0), (0, 5), (5, 0), (7, 3)):
        exact = stats.binomtest(worse, worse + better, alternative="greater").pvalue if worse + better else 1.0
        assert sign_test_worse(worse, better) == pytest.approx(exact)


def test_holm_agrees_with_statsmodels() -> None:
    from statsmodels.stats.multitest import multipletests

    p = [0.04, 0.001, 0.03, 0.012, 0.9]
    assert holm(p) == pytest.approx(multipletests(p, method="holm")[1])
    assert holm([]) == []
