"""Quantiles, shares, means and tests against scipy, and their intervals against repeated sampling with fixed seeds."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from gameday.statistics import (
    bootstrap_interval,
    mean_interval,
    order_statistics,
    quantile,
    share,
    sign_test,
    t_quantile,
)

NEVER = math.inf
DURATIONS = st.lists(st.floats(0, 1e6), min_size=1, max_size=60)


@given(DURATIONS, st.sampled_from([0.01, 0.07, 0.1, 0.25, 0.5, 0.9, 0.95, 0.99]))
def test_a_quantile_is_the_inverse_of_the_empirical_distribution(values: list[float], q: float) -> None:
    assert quantile(values, q).value == np.quantile(values, q, method="inverted_cdf")


@pytest.mark.parametrize("n", [2, 5, 6, 10, 30, 59, 100, 1000])
@pytest.mark.parametrize("q", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_the_ranks_of_an_interval_are_those_of_the_binomial_distribution(n: int, q: float, confidence: float) -> None:
    lower, upper = order_statistics(n, q, confidence)
    tail = (1 - confidence) / 2
    binomial = stats.binom(n, q)
    ranks = range(1, n + 1)
    assert lower == max((rank for rank in ranks if binomial.cdf(rank - 1) <= tail), default=None)
    assert upper == min((rank for rank in ranks if binomial.sf(rank - 1) <= tail), default=None)


@given(DURATIONS)
def test_the_interval_of_a_median_is_the_one_scipy_gives(values: list[float]) -> None:
    assume(len(values) > 5)
    ours = quantile(values, 0.5)
    theirs = stats.quantile_test(values, p=0.5).confidence_interval(0.95)
    # scipy may take the next value inwards where the probability allows it on one side only: ours encloses it.
    assert ours.low is None or ours.low <= theirs.low
    assert ours.high is None or ours.high >= theirs.high


@pytest.mark.parametrize(("n", "q"), [(12, 0.5), (30, 0.5), (30, 0.9), (60, 0.9)])
def test_the_interval_of_a_quantile_encloses_the_true_one_as_often_as_it_says(n: int, q: float) -> None:
    generator = np.random.default_rng(20250301)
    truth = stats.lognorm(1.3).ppf(q)
    hits = 0
    for _ in range(1500):
        estimate = quantile(generator.lognormal(0, 1.3, n), q)
        hits += (estimate.low is None or estimate.low <= truth) and (estimate.high is None or truth <= estimate.high)
    # 95 % or more in truth; 0.937 is what bad luck of 1 in 100 would make of 1500 times 95 %.
    assert hits / 1500 >= stats.binom(1500, 0.95).ppf(0.01) / 1500


def test_one_replication_has_a_value_and_no_interval() -> None:
    estimate = quantile([42.0], 0.5)
    assert (estimate.value, estimate.low, estimate.high, estimate.n) == (42.0, None, None, 1)
    assert (share(1, 1).value, share(1, 1).low, share(1, 1).high) == (1.0, None, None)
    assert (mean_interval([3.0]).low, mean_interval([3.0]).high) == (None, None)
    assert bootstrap_interval([3.0], np.mean, np.random.default_rng(1)).low is None


@given(DURATIONS, st.sampled_from([0.5, 0.9]), st.integers(0, 40))
def test_censored_values_count_as_the_largest(values: list[float], q: float, never: int) -> None:
    bound = 2e6
    censored = quantile([*values, *[NEVER] * never], q, bound=bound)
    written_out = quantile([*values, *[bound] * never], q)
    assert censored.value == written_out.value
    assert censored.censored == (written_out.value == bound)
    assert censored.low == written_out.low
    assert censored.high == (None if written_out.high == bound else written_out.high)
    assert (censored.n, censored.n_censored) == (len(values) + never, never)


def test_a_quantile_in_the_censored_part_is_at_least_the_bound() -> None:
    estimate = quantile([10.0, 20.0, 30.0, NEVER, NEVER], 0.9, bound=3600.0)
    assert (estimate.value, estimate.censored, estimate.high) == (3600.0, True, None)
    median = quantile([10.0, 20.0, 30.0, NEVER, NEVER], 0.5, bound=3600.0)
    assert (median.value, median.censored) == (30.0, False)


def test_a_quantile_in_the_censored_part_is_at_least_what_was_seen_elsewhere() -> None:
    estimate = quantile([10.0, 20.0, 70.0, NEVER, NEVER], 0.9, bound=51.0)
    assert estimate.censored
    assert estimate.value == 70.0
    assert estimate.low is None or estimate.low <= estimate.value


def test_when_it_never_happened_the_whole_interval_lies_beyond_the_bound() -> None:
    estimate = quantile([NEVER] * 20, 0.5, bound=600.0)
    assert (estimate.value, estimate.censored, estimate.low, estimate.high) == (600.0, True, 600.0, None)


def test_an_end_that_the_sample_cannot_bound_is_absent() -> None:
    estimate = quantile(range(1, 31), 0.9)
    assert estimate.low is not None
    assert estimate.high is None


def test_what_is_no_sample_is_a_bug() -> None:
    for values, message in (
        ([], "at least one"),
        ([1.0, math.nan], "NaN"),
        ([-math.inf], "-inf"),
        ([[1.0]], "list"),
        ([NEVER], "bound"),
    ):
        with pytest.raises(AssertionError, match=message):
            quantile(values, 0.5)
    with pytest.raises(AssertionError, match="between 0 and 1"):
        quantile([1.0], 1.0)
    with pytest.raises(AssertionError, match="censored"):
        mean_interval([1.0, NEVER])


@given(st.integers(2, 5000), st.floats(0, 1), st.sampled_from([0.8, 0.95, 0.99]))
def test_the_interval_of_a_share_is_wilsons(n: int, part: float, confidence: float) -> None:
    successes = round(part * n)
    ours = share(successes, n, confidence=confidence)
    theirs = stats.binomtest(successes, n).proportion_ci(confidence, method="wilson")
    assert ours.low == pytest.approx(theirs.low, abs=1e-12)
    assert ours.high == pytest.approx(theirs.high, abs=1e-12)
    assert ours.value == successes / n


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 5, 9, 10, 29, 30, 99, 500, 5000, 20_000])
@pytest.mark.parametrize("probability", [0.5, 0.6, 0.9, 0.975, 0.9995])
def test_quantiles_of_students_t_are_exact(degrees: int, probability: float) -> None:
    assert t_quantile(probability, degrees) == pytest.approx(stats.t(degrees).ppf(probability), rel=1e-9, abs=1e-9)


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=40))
def test_the_interval_of_a_mean_is_students(values: list[float]) -> None:
    assume(np.std(values) > 1e-3)
    ours = mean_interval(values, confidence=0.9)
    low, high = stats.t.interval(0.9, len(values) - 1, loc=np.mean(values), scale=stats.sem(values))
    assert (ours.low, ours.high) == (pytest.approx(low, abs=1e-7), pytest.approx(high, abs=1e-7))


@given(st.integers(0, 300), st.integers(0, 300))
def test_the_sign_test_is_exact(positive: int, negative: int) -> None:
    assume(positive + negative)
    assert sign_test(positive, negative) == pytest.approx(stats.binomtest(positive, positive + negative).pvalue, rel=1e-9)


def test_the_sign_test_without_any_difference_says_nothing() -> None:
    assert sign_test(0, 0) == 1.0


def test_a_bootstrap_interval_is_that_of_the_percentile_method() -> None:
    sample = np.random.default_rng(3).exponential(1.0, 50)
    ours = bootstrap_interval(sample, lambda values: float(np.mean(values)), np.random.default_rng(4), resamples=4000)
    theirs = stats.bootstrap(
        (sample,), np.mean, n_resamples=4000, method="percentile", rng=np.random.default_rng(5)
    ).confidence_interval
    assert ours.value == np.mean(sample)
    assert ours.low == pytest.approx(theirs.low, rel=0.02)
    assert ours.high == pytest.approx(theirs.high, rel=0.02)


def test_a_bootstrap_depends_on_nothing_but_its_generator() -> None:
    first, second = (bootstrap_interval([1.0, 2.0, 5.0, 9.0], np.mean, np.random.default_rng(8)) for _ in range(2))
    assert first == second


def test_the_rank_of_a_quantile_does_not_suffer_from_binary_fractions() -> None:
    assert 0.07 * 100 > 7  # as floats have it, and the seventh of a hundred values is the quantile all the same
    assert quantile(range(1, 101), 0.07).value == 7.0
