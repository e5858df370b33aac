"""Long-run availability of repairable redundancy, by simulation: k of n, standby, common cause; and the chance of a rare total loss.

The rule that surprises: the long run is cut into cycles that begin each time everything works again. Cycles are independent, so the ratio of
their down time to their length has an honest interval (regenerative simulation), which pieces of equal length would not give.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

CONFIDENCE = 0.95
MOST_STEPS = 50_000_000
"""Transitions after which a simulation gives up: a mistake in its rates would never come back to 'everything works'."""


@dataclass(frozen=True, slots=True)
class Redundancy:
    """`n` members of which `k` have to work; times between failures and to repair are exponential."""

    n: int
    k: int
    mtbf_s: float
    """Mean time between failures of one working member."""
    mttr_s: float
    """Mean time to repair one member."""
    crews: int | None = None
    """Members that are repaired at the same time; None: as many as are broken."""
    standby: float = 1.0
    """Failure rate of a member that is not needed, relative to one that is: 1 hot, 0 cold standby."""
    common_mtbf_s: float | None = None
    """Mean time between causes that break all members at once; None: there are none."""

    def __post_init__(self) -> None:
        assert 1 <= self.k <= self.n, f"{self.k} of {self.n} members cannot be needed"
        assert self.mtbf_s > 0, "times are positive"
        assert self.mttr_s > 0, "times are positive"
        assert 0 <= self.standby <= 1, "a spare fails at most as often as a member in use"

    def rates(self, broken: int) -> tuple[float, float, float]:
        """Rates of one more failure, of a repair, and of a common cause, when so many members are broken."""
        working = self.n - broken
        needed = min(self.k, working)
        fail = (needed + self.standby * (working - needed)) / self.mtbf_s
        repair = min(broken, self.crews if self.crews is not None else broken) / self.mttr_s
        common = 1 / self.common_mtbf_s if self.common_mtbf_s is not None and working else 0.0
        return fail, repair, common

    @property
    def lost_at(self) -> int:
        """Broken members from which on it is down."""
        return self.n - self.k + 1


@dataclass(frozen=True, slots=True)
class Estimated:
    """A simulated quantity with its 95 % interval."""

    value: float
    low: float
    high: float
    samples: int
    """Cycles, or runs."""


def unavailability(model: Redundancy, cycles: int, generator: np.random.Generator) -> Estimated:
    """Share of time that it is down, over so many cycles (ratio estimator of regenerative simulation: Crane and Iglehart 1975)."""
    assert cycles >= 2, "one cycle has no interval"
    lengths, down = np.zeros(cycles), np.zeros(cycles)
    steps = 0
    for cycle in range(cycles):
        broken = 0
        while True:
            steps += 1
            assert steps < MOST_STEPS, "it keeps coming back to where everything works"
            fail, repair, common = model.rates(broken)
            total = fail + repair + common
            time_s = generator.exponential(1 / total)
            lengths[cycle] += time_s
            down[cycle] += time_s if broken >= model.lost_at else 0.0
            chosen = generator.random() * total
            broken = broken + 1 if chosen < fail else broken - 1 if chosen < fail + repair else model.n
            if broken == 0:
                break
    ratio = float(down.sum() / lengths.sum())
    spread = float(np.std(down - ratio * lengths, ddof=1)) / math.sqrt(cycles) / float(lengths.mean())
    half = NormalDist().inv_cdf((1 + CONFIDENCE) / 2) * spread
    return Estimated(ratio, max(0.0, ratio - half), ratio + half, cycles)


def loss_in_a_cycle(model: Redundancy, runs: int, generator: np.random.Generator, repeats: int = 20) -> Estimated:
    """Probability that a cycle that began with one failure loses everything needed before all is repaired; by splitting.

    Fixed-effort splitting (L'Ecuyer, Demers and Tuffin 2007): from each number of broken members `runs` paths are followed until one more is
    broken or all are repaired, and the shares are multiplied. The state is that number alone, so every path of a level begins alike. The
    interval comes from independent repeats.
    """
    assert model.common_mtbf_s is None, "a common cause skips the levels; simulate it directly"
    assert repeats >= 2, "one repeat has no interval"
    found = []
    for _ in range(repeats):
        share = 1.0
        for level in range(1, model.lost_at):
            share *= sum(_climbs(model, level, generator) for _ in range(runs)) / runs
        found.append(share)
    mean, spread = float(np.mean(found)), float(np.std(found, ddof=1)) / math.sqrt(repeats)
    # Student's t with 19 degrees of freedom and more lies below 2.1 at this level.
    return Estimated(mean, max(0.0, mean - 2.1 * spread), mean + 2.1 * spread, runs * repeats)


def _climbs(model: Redundancy, level: int, generator: np.random.Generator) -> bool:
    """Whether from `level` broken members one more breaks before all are repaired."""
    broken = level
    for _ in range(MOST_STEPS):
        fail, repair, _common = model.rates(broken)
        broken += 1 if generator.random() * (fail + repair) < fail else -1
        if broken > level:
            return True
        if broken == 0:
            return False
    raise AssertionError("it keeps ending")
