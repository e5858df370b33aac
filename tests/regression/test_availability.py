"""Long-run availability against closed forms and repyability; rare total losses against the exact chance."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sim.availability import Estimated, Redundancy, loss_in_a_cycle, unavailability

MTBF, MTTR = 1000.0, 100.0


def chain(model: Redundancy) -> float:
    """Exact unavailability: the stationary distribution of the chain of broken members."""
    size = model.n + 1
    generator = np.zeros((size, size))
    for broken in range(size):
        fail, repair, common = model.rates(broken)
        for to, rate in ((broken + 1, fail), (broken - 1, repair), (model.n, common)):
            if rate and 0 <= to < size and to != broken:
                generator[broken, to] += rate
        generator[broken, broken] = -generator[broken].sum()
    equations = np.vstack([generator.T, np.ones(size)])
    stationary = np.linalg.lstsq(equations, np.append(np.zeros(size), 1.0), rcond=None)[0]
    return float(stationary[model.lost_at :].sum())


def holds(found: Estimated, exact: float) -> bool:
    """Whether the exact value lies in an interval of twice the width: once in some 10^4 it would not."""
    half = (found.high - found.low) / 2
    return abs(found.value - exact) <= 2 * half and half < 0.25 * exact


MODELS = {
    "one": Redundancy(1, 1, MTBF, MTTR),
    "2 of 3": Redundancy(3, 2, MTBF, MTTR),
    "1 of 2, one crew": Redundancy(2, 1, MTBF, MTTR, crews=1),
    "cold standby": Redundancy(2, 1, MTBF, MTTR, crews=1, standby=0.0),
    "common cause": Redundancy(3, 1, MTBF, MTTR, common_mtbf_s=5000.0),
}


@pytest.mark.parametrize("name", MODELS)
def test_simulated_unavailability_is_that_of_the_chain(name: str) -> None:
    model = MODELS[name]
    assert holds(unavailability(model, 6000, np.random.default_rng(1)), chain(model))


def test_the_chain_gives_the_closed_forms() -> None:
    up = MTBF / (MTBF + MTTR)
    assert chain(MODELS["one"]) == pytest.approx(1 - up)
    assert chain(MODELS["2 of 3"]) == pytest.approx(1 - (3 * up**2 - 2 * up**3))
    r = MTTR / MTBF
    assert chain(MODELS["1 of 2, one crew"]) == pytest.approx(2 * r**2 / (1 + 2 * r + 2 * r**2))
    assert chain(MODELS["cold standby"]) == pytest.approx(r**2 / (1 + r + r**2)), "an M/M/1/2 queue of repairs"


def test_repyability_agrees() -> None:
    repyability = pytest.importorskip("repyability")
    surpyval = pytest.importorskip("surpyval")

    def exponential(mean: float) -> object:
        return surpyval.Exponential.from_params([1 / mean])

    names = ["a", "b", "c"]
    edges = [("in", name) for name in names] + [(name, "vote") for name in names] + [("vote", "out")]
    parts = {name: {"reliability": exponential(MTBF), "repairability": exponential(MTTR)} for name in names}
    parts["vote"] = {"reliability": surpyval.FixedEventProbability.from_params(0.0), "repairability": exponential(1.0)}
    theirs = repyability.RepairableRBD(edges, parts, k={"vote": 2}).mean_availability()
    found = unavailability(MODELS["2 of 3"], 6000, np.random.default_rng(2))
    assert holds(found, 1 - float(theirs))


def test_a_rare_total_loss_is_estimated_with_an_interval() -> None:
    """Six members, one of them needed, repaired twenty times faster than they fail: the gambler's ruin gives the exact chance."""
    model = Redundancy(6, 1, 1000.0, 50.0)
    odds = 1.0
    terms = [1.0]
    for broken in range(1, model.n):
        fail, repair, _ = model.rates(broken)
        odds *= repair / fail
        terms.append(odds)
    exact = 1 / sum(terms)
    assert exact < 1e-6, "a direct simulation would need some hundred million cycles"
    found = loss_in_a_cycle(model, 1000, np.random.default_rng(3))
    assert found.low > 0
    assert holds(found, exact)
    assert not math.isclose(found.low, found.high)


def test_repair_ten_times_slower_is_seen() -> None:
    slow = Redundancy(2, 1, MTBF, 10 * MTTR)
    assert not holds(unavailability(slow, 3000, np.random.default_rng(4)), chain(Redundancy(2, 1, MTBF, MTTR)))
