"""Long-run unavailability of things that are made of components which fail and are repaired: simulated, rare losses by importance sampling.

The rule that surprises: the long run is cut into cycles that begin each time everything works again. Cycles are independent, so the ratio of
their down time to their length has an honest interval (regenerative simulation, Crane and Iglehart 1975). What was hardly ever down in them is
simulated again with failures made frequent and every cycle weighted by how much likelier that made it.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from gameday.errors import GamedayError
from sim.components import Component, Thing

CYCLES: Final = 20_000
ENOUGH: Final = 50
"""Cycles with an outage from which a direct simulation is believed; with fewer, importance sampling."""
PATHS: Final = 5_000
"""Weighted cycles of a thing that is hardly ever down."""
BIAS: Final = 0.5
"""Share of the transitions that are made failures there: what Shahabuddin and most after him take."""
MOST_STEPS: Final = 4_000_000
"""Failures and repairs after which a simulation gives up."""
EXACT_UP_TO: Final = 14
"""Components of a thing up to which all their combinations are added up."""
_Z: Final = 1.959964
"""Quantile at 97.5 % of the normal distribution."""


@dataclass(frozen=True, slots=True)
class Unavailability:
    """Share of the long run in which a thing is down."""

    thing: Thing
    value: float
    low: float
    high: float
    """95 % interval."""
    how: Literal["cycles", "biased", "never", "exact"]
    """biased: by importance sampling; never: nothing that fails can take it down; exact: added up, not simulated."""
    outages: int
    """Cycles in which it was down, or weighted ones."""
    exact: float | None
    """Sum over all combinations of components, which fail independently; None where there are too many."""


class _Chain:
    """Components that change state one at a time, and how many units of some things are up."""

    def __init__(self, components: Sequence[Component], things: Sequence[Thing], generator: np.random.Generator) -> None:
        self.components, self.things, self.generator = components, things, generator
        self.fail = np.array([1 / one.mtbf_s for one in components])
        self.repair = np.array([1 / one.mttr_s for one in components])
        units = [[unit for part in thing.parts for unit in part.units] for thing in things]
        self._takes = [[np.array([unit in one.takes for unit in of], dtype=np.int64) for of in units] for one in components]
        self._sizes = list(map(len, units))
        self._parts = [list(_slices(thing)) for thing in things]
        self.steps = 0
        self.reset(np.zeros(len(components), dtype=bool))

    def reset(self, broken: np.ndarray) -> None:
        """Begin with some components broken."""
        self.broken = broken.copy()
        self.hits = [np.zeros(size, dtype=np.int64) for size in self._sizes]
        for number in np.flatnonzero(broken):
            for thing, taken in enumerate(self._takes[number]):
                self.hits[thing] += taken

    def step(self) -> float:
        """Let one component fail or be repaired; seconds that it took."""
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise GamedayError(
                f"after {MOST_STEPS:,} failures and repairs it is still too seldom that everything works: repairs are too slow "
                "against the time between failures for this method"
            )
        rates = np.where(self.broken, self.repair, self.fail)
        sums = np.cumsum(rates)
        time_s = float(self.generator.exponential(1 / sums[-1]))
        number = min(int(np.searchsorted(sums, self.generator.random() * sums[-1], side="right")), len(rates) - 1)
        self.change(number)
        return time_s

    def change(self, number: int) -> None:
        """Let a component fail, or be repaired when it is broken."""
        turn = -1 if self.broken[number] else 1
        self.broken[number] = turn > 0
        for thing, taken in enumerate(self._takes[number]):
            self.hits[thing] += turn * taken

    def margin(self, thing: int) -> int:
        """Units that may still be lost, of the part that can spare fewest; 0 or less: it is down."""
        whole = self.hits[thing] == 0
        return min(int(np.count_nonzero(whole[units])) - needs + 1 for units, needs in self._parts[thing])


def _slices(thing: Thing) -> Iterator[tuple[slice, int]]:
    """Where the units of each part stand, and how many of them are needed."""
    start = 0
    for part in thing.parts:
        yield slice(start, start + len(part.units)), part.needs
        start += len(part.units)


def unavailabilities(
    components: Sequence[Component], things: Sequence[Thing], seed: int = 1, cycles: int = CYCLES
) -> list[Unavailability]:
    """The long-run unavailability of each thing. GamedayError when everything works too seldom for cycles to end."""
    assert components, "there is something that fails"
    assert cycles >= 2, "one cycle has no interval"
    chain = _Chain(components, things, np.random.default_rng(seed))
    lengths, down = np.zeros(cycles), np.zeros((cycles, len(things)))
    for cycle in range(cycles):
        lost = np.zeros(len(things), dtype=bool)
        while True:
            time_s = chain.step()  # the state before the step is that in `lost`
            lengths[cycle] += time_s
            down[cycle][lost] += time_s
            if not chain.broken.any():
                break
            lost = np.array([chain.margin(number) <= 0 for number in range(len(things))])
    return [_of(components, thing, lengths, down[:, number], seed) for number, thing in enumerate(things)]


def unavailability(components: Sequence[Component], thing: Thing, seed: int = 1, cycles: int = CYCLES) -> Unavailability:
    """The long-run unavailability of one thing: exact where its components are few, else simulated."""
    touching = [one for one in components if one.takes & thing.everything]
    exact = exactly(touching, thing)
    if exact is not None:
        return Unavailability(thing, exact, exact, exact, "exact", 0, exact)
    return unavailabilities(touching, [thing], seed, cycles)[0]


def _of(components: Sequence[Component], thing: Thing, lengths: np.ndarray, down: np.ndarray, seed: int) -> Unavailability:
    touching = [one for one in components if one.takes & thing.everything]
    exact = exactly(touching, thing)
    outages = int(np.count_nonzero(down))
    everything = _Chain(touching, [thing], np.random.default_rng(seed)) if touching else None
    if everything is not None:
        everything.reset(np.ones(len(touching), dtype=bool))
    if everything is None or everything.margin(0) > 0:
        return Unavailability(thing, 0.0, 0.0, 0.0, "never", 0, 0.0)
    if outages < ENOUGH:
        return _biased(touching, thing, seed, exact)
    ratio = float(down.sum() / lengths.sum())
    half = _Z * float(np.std(down - ratio * lengths, ddof=1)) / math.sqrt(len(lengths)) / float(lengths.mean())
    return Unavailability(thing, ratio, max(0.0, ratio - half), ratio + half, "cycles", outages, exact)


def exactly(components: Sequence[Component], thing: Thing) -> float | None:
    """The unavailability by adding up all combinations: independent components are broken mttr / (mtbf + mttr) of the time."""
    if len(components) > EXACT_UP_TO:
        return None
    broken = [one.mttr_s / (one.mtbf_s + one.mttr_s) for one in components]
    found = 0.0
    for states in itertools.product((False, True), repeat=len(components)):
        taken = frozenset[str]().union(*(one.takes for one, state in zip(components, states, strict=True) if state))
        if thing.is_lost(taken):
            found += math.prod(q if state else 1 - q for q, state in zip(broken, states, strict=True))
    return found


# -- rare losses ----------------------------------------------------------------------------------------------------------


def _biased(components: Sequence[Component], thing: Thing, seed: int, exact: float | None) -> Unavailability:
    """Down time per cycle by balanced failure biasing (Shahabuddin 1994), times how often a cycle begins.

    Until the thing is lost, half of all transitions are made failures, each component alike; every path is weighted by how much likelier
    that made it. How often a cycle begins is known: failures while everything works.
    """
    chain = _Chain(components, [thing], np.random.default_rng((seed, 1)))
    works = math.prod(one.mtbf_s / (one.mtbf_s + one.mttr_s) for one in components)
    cycles_per_s = works * float(chain.fail.sum())
    down = np.array([_path(chain) for _ in range(PATHS)]) * cycles_per_s
    mean, half = float(down.mean()), _Z * float(np.std(down, ddof=1)) / math.sqrt(PATHS)
    return Unavailability(thing, mean, max(0.0, mean - half), mean + half, "biased", int(np.count_nonzero(down)), exact)


def _path(chain: _Chain) -> float:
    """The weighted down time of one cycle."""
    chain.reset(np.zeros(len(chain.components), dtype=bool))
    weight = _biased_step(chain)
    while chain.margin(0) > 0:
        if not chain.broken.any():
            return 0.0
        weight *= _biased_step(chain)
    total = 0.0
    while chain.broken.any():
        is_down = chain.margin(0) <= 0
        time_s = chain.step()
        total += time_s if is_down else 0.0
    return weight * total


def _biased_step(chain: _Chain) -> float:
    """Change the state with the biased chances; natural chance over biased chance."""
    up, broken = np.flatnonzero(~chain.broken), np.flatnonzero(chain.broken)
    failing, repairing = chain.fail[up], chain.repair[broken]
    total = failing.sum() + repairing.sum()
    bias = BIAS if len(broken) and len(up) else 1.0 if len(up) else 0.0
    if chain.generator.random() < bias:
        place = int(chain.generator.integers(len(up)))
        chain.change(int(up[place]))
        return float(failing[place] / total / (bias / len(up)))
    sums = np.cumsum(repairing)
    place = min(int(np.searchsorted(sums, chain.generator.random() * sums[-1], side="right")), len(broken) - 1)
    chain.change(int(broken[place]))
    return float(sums[-1] / total / (1 - bias))
