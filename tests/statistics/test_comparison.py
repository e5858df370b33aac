"""Two policies on the same seeds: the verdict follows the pairs, censored ones by direction only."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from gameday.comparison import Comparison, compare_counts, compare_durations

NEVER = math.inf
DURATION = st.floats(0.01, 1e5) | st.just(NEVER) | st.just(0.0)
PAIRS = st.lists(st.tuples(DURATION, DURATION), min_size=1, max_size=40)
MIRRORED = {"better": "worse", "worse": "better", "unclear": "unclear", "same": "same"}


def worlds(n: int, ratio: float, seed: int = 1, noise: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    """Recovery times that vary much between seeds (sigma 1.3) and little between two policies on one seed."""
    generator = np.random.default_rng(seed)
    before = generator.lognormal(6, 1.3, n)
    return before, before * ratio * generator.lognormal(0, noise, n)


def test_a_tenth_less_is_found_in_pairs_though_no_unpaired_test_would_find_it() -> None:
    before, after = worlds(30, 0.9)
    comparison = compare_durations(before, after)
    assert comparison.verdict == "better"
    assert comparison.effect is not None
    assert comparison.effect.value == pytest.approx(0.9, rel=0.05)
    assert stats.mannwhitneyu(before, after).pvalue > 0.3


def test_the_ratio_and_its_interval_are_those_of_a_paired_t_test_on_logarithms() -> None:
    before, after = worlds(25, 1.3)
    comparison = compare_durations(before, after, confidence=0.9)
    oracle = stats.ttest_rel(np.log(after), np.log(before)).confidence_interval(0.9)
    assert comparison.effect is not None
    assert comparison.effect.value == pytest.approx(stats.gmean(after / before))
    assert (comparison.effect.low, comparison.effect.high) == (
        pytest.approx(math.exp(oracle.low)),
        pytest.approx(math.exp(oracle.high)),
    )
    assert comparison.verdict == "worse"


def test_the_difference_of_counts_is_that_of_a_paired_t_test() -> None:
    generator = np.random.default_rng(2)
    before = generator.poisson(20, 40).astype(float)
    after = before + generator.poisson(3, 40) - 1
    comparison = compare_counts(before, after, better="higher")
    oracle = stats.ttest_rel(after, before).confidence_interval(0.95)
    assert comparison.effect is not None
    assert (comparison.effect.low, comparison.effect.high) == (pytest.approx(oracle.low), pytest.approx(oracle.high))
    assert (comparison.verdict, comparison.scale) == ("better", "difference")


def test_a_false_alarm_is_as_rare_as_the_confidence_says() -> None:
    verdicts = [compare_durations(*worlds(20, 1.0, seed)).verdict for seed in range(600)]
    assert stats.binom(600, 0.05).ppf(0.001) <= 600 - verdicts.count("unclear") <= stats.binom(600, 0.05).ppf(0.999)


def test_one_outlier_does_not_decide() -> None:
    before = [100.0] * 20
    after = [*[90.0, 111.0] * 9, 100.0, 100_000.0]
    assert np.mean(after) > 10 * np.mean(before)
    assert compare_durations(before, after).verdict == "unclear"


@given(PAIRS)
def test_every_pair_is_counted_once(pairs: list[tuple[float, float]]) -> None:
    before, after = map(list, zip(*pairs, strict=True))
    comparison = compare_durations(before, after)
    assert comparison.pairs == len(pairs) == comparison.measured + comparison.sign_only + comparison.both_censored
    assert comparison.improved == sum(b > a for b, a in pairs)
    assert comparison.worsened == sum(b < a for b, a in pairs)
    assert (comparison.effect is None) == (comparison.measured == 0)


@given(PAIRS)
def test_exchanging_the_policies_turns_the_verdict_round(pairs: list[tuple[float, float]]) -> None:
    before, after = map(list, zip(*pairs, strict=True))
    there, back = compare_durations(before, after), compare_durations(after, before)
    assert back.verdict == MIRRORED[there.verdict]
    assert (back.improved, back.worsened) == (there.worsened, there.improved)
    higher = compare_durations(before, after, better="higher")
    assert higher.verdict == MIRRORED[there.verdict]


@given(PAIRS, st.randoms(use_true_random=False))
def test_the_order_of_the_pairs_changes_no_count(pairs: list[tuple[float, float]], shuffler: object) -> None:
    def counts(comparison: Comparison) -> tuple[int, ...]:
        return comparison.improved, comparison.worsened, comparison.measured, comparison.sign_only

    shuffled = list(pairs)
    shuffler.shuffle(shuffled)  # type: ignore[attr-defined]
    first, second = (compare_durations(*map(list, zip(*each, strict=True))) for each in (pairs, shuffled))
    assert counts(first) == counts(second)


def test_identical_samples_are_the_same_and_one_different_pair_is_not() -> None:
    sample = [1.0, 5.0, NEVER, 0.0]
    assert compare_durations(sample, sample).verdict == "same"
    assert compare_durations(sample, [1.0, 5.0, NEVER, 2.0]).verdict == "unclear"
    assert compare_counts([0, 1], [0, 1], better="lower").verdict == "same"


def test_a_change_within_the_tolerance_is_the_same_however_sure_it_is() -> None:
    before, after = worlds(50, 0.98, noise=0.01)
    assert compare_durations(before, after).verdict == "better"
    assert compare_durations(before, after, same_within_ratio=1.05).verdict == "same"
    assert compare_durations(before, after, same_within_ratio=1.01).verdict == "better"
    assert compare_counts([1, 2, 3], [1.01, 2.02, 3.01], better="lower", same_within=0.1).verdict == "same"


def test_one_pair_shows_a_ratio_and_decides_nothing() -> None:
    comparison = compare_durations([100.0], [1.0])
    assert comparison.verdict == "unclear"
    assert comparison.effect is not None
    assert (comparison.effect.value, comparison.effect.low) == (pytest.approx(0.01), None)


def test_recovering_at_all_is_better_than_never() -> None:
    comparison = compare_durations([NEVER] * 10, [100.0] * 10)
    assert (comparison.verdict, comparison.sign_only, comparison.effect) == ("better", 10, None)
    assert comparison.sign_test_p == pytest.approx(2 / 2**10)


def test_too_few_censored_pairs_decide_nothing() -> None:
    assert compare_durations([NEVER] * 5, [100.0] * 5).verdict == "unclear"


def test_being_faster_where_both_recover_does_not_hide_never_recovering() -> None:
    before = [100.0] * 20
    after = [*[50.0 + i for i in range(12)], *[NEVER] * 8]
    comparison = compare_durations(before, after)
    assert comparison.effect is not None
    assert comparison.effect.high is not None
    assert comparison.effect.high < 1
    assert comparison.verdict == "unclear"
    assert (comparison.improved, comparison.worsened, comparison.sign_only) == (12, 8, 8)


def test_where_the_ratio_and_the_directions_contradict_each_other_nothing_is_clear() -> None:
    before = [100.0] * 40
    after = [*[1.0, 1.1, 0.9, 1.2, 1.0, 0.8, 1.0, 1.1, 1.0, 1.3], *[101.0] * 30]
    comparison = compare_durations(before, after)
    assert comparison.sign_test_p < 0.05
    assert comparison.worsened > comparison.improved
    assert comparison.effect is not None
    assert comparison.effect.high is not None
    assert comparison.effect.high < 1
    assert comparison.verdict == "unclear"


def test_a_duration_of_zero_has_a_direction_and_no_ratio() -> None:
    comparison = compare_durations([0.0, 0.0, 10.0, -5.0], [0.0, 10.0, 5.0, 5.0])
    assert (comparison.measured, comparison.sign_only) == (1, 3)
    assert (comparison.improved, comparison.worsened) == (1, 2)


def test_a_bootstrap_interval_agrees_with_students_and_depends_on_its_generator_only() -> None:
    before, after = worlds(60, 0.8)
    students = compare_durations(before, after)
    first, second = (compare_durations(before, after, bootstrap=np.random.default_rng(6)) for _ in range(2))
    assert first == second
    assert first.verdict == students.verdict == "better"
    assert first.effect is not None
    assert students.effect is not None
    assert first.effect.low == pytest.approx(students.effect.low, rel=0.02)
    assert first.effect.low != students.effect.low


def test_samples_that_are_no_pairs_are_a_bug() -> None:
    for before, after, message in (
        ([1.0], [1.0, 2.0], "same replications"),
        ([], [], "at least one pair"),
        ([math.nan], [1.0], "NaN"),
        ([1.0], [-math.inf], "never"),
    ):
        with pytest.raises(AssertionError, match=message):
            compare_durations(before, after)
    with pytest.raises(AssertionError, match="tolerance"):
        compare_durations([1.0], [1.0], same_within_ratio=0.5)
