"""Two ways of playing days, compared: no difference is found where there is none, and one of the size that is said to be seen is seen."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest
from scipy import stats  # type: ignore[import-untyped]

from benchmarks.two_ways import (
    LEVEL,
    PERMUTATIONS,
    POWER,
    adjusted,
    distance_and_chance,
    paired_chance,
    paired_shift_seen,
    rows,
    shift_seen,
)

DAYS = 24
TESTS = 20


def test_the_distance_and_its_chance_are_those_of_scipy() -> None:
    draws = np.random.default_rng(1)
    one, other = draws.standard_normal(30).tolist(), (draws.standard_normal(30) + 0.5).tolist()
    distance, chance = distance_and_chance(one, other)
    known = stats.ks_2samp(one, other, method="exact")
    assert distance == pytest.approx(known.statistic)
    assert chance == pytest.approx(known.pvalue, abs=4.0 * np.sqrt(known.pvalue / PERMUTATIONS))


def test_the_chance_of_pairs_is_that_of_all_changes_of_sign() -> None:
    draws = np.random.default_rng(2)
    one = draws.standard_normal(12)
    other = one + 0.4 * draws.standard_normal(12) + 0.2
    ranks = stats.rankdata([*one, *other])
    apart = ranks[12:] - ranks[:12]
    signs = np.array([[1 - 2 * (number >> bit & 1) for bit in range(12)] for number in range(2**12)])
    exact = float((np.abs(signs @ apart) >= abs(apart.sum()) - 1e-9).mean())
    assert paired_chance(one.tolist(), other.tolist())[0] == pytest.approx(exact, abs=0.015)


def test_what_is_said_to_be_seen_is_seen_and_nothing_is_seen_where_there_is_nothing() -> None:
    draws = np.random.default_rng(3)
    noise, level = 0.5, LEVEL / TESTS
    one, more = draws.standard_normal((2, 500))
    unlike = paired_chance(one.tolist(), (one + noise * more).tolist())[1]
    shifts = (shift_seen(DAYS, TESTS), paired_shift_seen(DAYS, TESTS, unlike))
    assert shifts[1] < shifts[0] / 2.0, "days of the same seed show more"
    seen, false = np.zeros(2), np.zeros(2)
    repeats = 40
    for _ in range(repeats):
        one, other, more = draws.standard_normal((3, DAYS))
        same = one + noise * more
        apart = distance_and_chance(one.tolist(), (other + shifts[0]).tolist())[1]
        seen += [apart < level, paired_chance(one.tolist(), (same + shifts[1]).tolist())[0] < level]
        false += [
            distance_and_chance(one.tolist(), other.tolist())[1] < 0.05,
            paired_chance(one.tolist(), same.tolist())[0] < 0.05,
        ]
    assert (seen >= repeats * (POWER - 0.15)).all(), seen
    assert (false <= repeats * 0.15).all(), false


def test_too_few_pairs_can_show_nothing() -> None:
    assert paired_shift_seen(4, 400, 0.1) == inf
    assert shift_seen(3, 400) == inf


def test_never_is_later_than_anything_and_what_is_always_the_same_is_no_test() -> None:
    exact = {"time": [1.0, 2.0, 3.0, 4.0], "same": [1.0] * 4, "n/a": [-inf, 1.0, 2.0, inf]}
    same = {"time": [inf] * 4, "same": [1.0] * 4, "n/a": [-inf, 3.0, 3.0, 2.0]}
    found = {row.kpi: row for row in rows("day", exact, exact, same)}
    assert set(found) == {"time", "n/a"}
    assert found["time"].same_chance == pytest.approx(2.0 / 2**4, abs=0.01)
    assert found["time"].difference() is None
    middle = found["n/a"].difference()
    assert middle is not None
    assert middle[0] == pytest.approx(1.5)
    assert all(
        corrected >= raw
        for row, pair in zip(found.values(), adjusted(list(found.values())), strict=True)
        for corrected, raw in zip(pair, (row.chance, row.same_chance), strict=True)
    )
