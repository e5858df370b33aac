"""Where a retry storm lets go, against a Markov chain solved here: how long the queue is, and how long an overload outlives its trigger.

One server (mean service 0.1 s), 60 places, a timeout of 2 s, one retry. At the moment an attempt arrives behind q others, its time to the
end of service is Erlang(q + 1), so the chance of its timing out is exact. The chain (q in the queue, o timed-out clients about to retry)
makes two approximations, and both are small where the queue turns over quickly beside the timeout: it decides at arrival who will time out,
and it draws the time to the retry from an exponential distribution instead of taking the timeout itself.
"""

from __future__ import annotations

from copy import deepcopy
from functools import cache

import numpy as np
import pytest
from scipy import stats  # type: ignore[import-untyped]
from scipy.sparse import csc_matrix  # type: ignore[import-untyped]
from scipy.sparse.linalg import spsolve  # type: ignore[import-untyped]

from sim.traffic.changes import SetFlow
from sim.traffic.plan import RetryPlan
from tests.traffic.build import engine, entry, exponential, flow, plan, station

MU, PLACES, TIMEOUT_S, ORBIT = 10.0, 60, 2.0, 45
"""`ORBIT`: most clients about to retry that the chain follows; at the rates here more are next to impossible."""


def _state(queue: int, orbit: int) -> int:
    return queue * (ORBIT + 1) + orbit


@cache
def generator(rate: float) -> csc_matrix:
    """Rates between all states; the rows sum to 0."""
    late = [1.0 - stats.poisson.sf(queue, MU * TIMEOUT_S) for queue in range(PLACES + 1)]  # P(Erlang(q + 1) > timeout)
    rows, columns, values = [], [], []

    def go(start: int, queue: int, orbit: int, at: float) -> None:
        if at > 0.0:
            rows.append(start)
            columns.append(_state(queue, min(orbit, ORBIT)))
            values.append(at)

    for queue in range(PLACES + 1):
        for orbit in range(ORBIT + 1):
            here = _state(queue, orbit)
            if queue:
                go(here, queue - 1, orbit, MU)
            back = orbit / TIMEOUT_S
            if queue < PLACES:
                go(here, queue + 1, orbit + 1, rate * late[queue])
                go(here, queue + 1, orbit, rate * (1.0 - late[queue]))
                if orbit:
                    go(here, queue + 1, orbit - 1, back)  # the second attempt is the last, whatever becomes of it
            else:
                go(here, queue, orbit + 1, rate)  # refused at once, and tried again after a backoff
                if orbit:
                    go(here, queue, orbit - 1, back)
    size = (PLACES + 1) * (ORBIT + 1)
    moves = csc_matrix((values, (rows, columns)), shape=(size, size))
    moves.setdiag(0.0)
    out = np.asarray(moves.sum(axis=1)).ravel()
    return (moves - csc_matrix((out, (range(size), range(size))), shape=(size, size))).tocsc()


def mean_queue(rate: float) -> float:
    """Mean number at the server in the long run."""
    chain = generator(rate)
    balance = chain.T.tolil()
    balance[0, :] = 1.0
    known = np.zeros(chain.shape[0])
    known[0] = 1.0
    chances = spsolve(balance.tocsc(), known)
    queues = np.repeat(np.arange(PLACES + 1), ORBIT + 1)
    return float(chances @ queues)


def seconds_until_short(rate: float, short: int) -> float:
    """Mean time from a full queue until at most `short` are at the server."""
    chain = generator(rate)
    rest = np.repeat(np.arange(PLACES + 1), ORBIT + 1) > short
    times = spsolve(-chain[rest][:, rest], np.ones(int(rest.sum())))
    full = np.zeros(chain.shape[0])
    full[_state(PLACES, round(min(ORBIT, rate * TIMEOUT_S)))] = 1.0
    return float(times @ full[rest])


def _system(rate: float) -> object:
    retry = RetryPlan(retries=1, backoff_s=0.0)
    server = station("s", exponential(1.0 / MU), queue_limit=PLACES - 1)
    return plan([server], [entry(timeout_s=TIMEOUT_S, retry=retry)], [flow(rate)])


def _at_server(rate: float, warm_s: float, seconds: int, seeds: int, *, full: bool) -> float:
    total = 0.0
    for seed in range(seeds):
        run = engine(_system(rate), seed)  # type: ignore[arg-type]
        if full:
            run.apply(SetFlow(0, 100.0 / rate))
            run.advance(20.0)
            run.apply(SetFlow(0, 1.0))
        run.advance(warm_s)
        for second in range(seconds):
            run.advance(warm_s + second)
            view = run.observe()
            total += view.busy[0] + view.queued[0]
    return total / seconds / seeds


@pytest.mark.parametrize(("rate", "tolerance"), [(2.0, 0.04), (3.0, 0.04), (7.0, 0.03), (9.0, 0.03)])
def test_the_queue_is_as_long_as_the_chain_says(rate: float, tolerance: float) -> None:
    """Both sides of the boundary: the long run is the empty side below it, and the full side above it, so start there."""
    assert _at_server(rate, 300.0, 2500, 8, full=rate > MU / 2) == pytest.approx(mean_queue(rate), rel=tolerance)


def _seconds_to_drain(rate: float, short: int, most_s: float, seed: int) -> float:
    """From the end of a surge that has filled the queue until at most `short` are left; `most_s` if they never are."""
    run = engine(_system(rate), seed)  # type: ignore[arg-type]
    run.advance(50.0)
    run.apply(SetFlow(0, 100.0 / rate))
    run.advance(70.0)
    run.apply(SetFlow(0, 1.0))
    begun = run.now
    while run.now - begun < most_s:
        run.advance(run.now + 0.25)
        view = deepcopy(run.observe())
        if view.busy[0] + view.queued[0] <= short:
            return run.now - begun
    return most_s


@pytest.mark.parametrize("rate", [3.0, 4.0])
def test_below_the_boundary_an_overload_lasts_as_long_as_the_chain_says(rate: float) -> None:
    exact = seconds_until_short(rate, 5)
    found = [_seconds_to_drain(rate, 5, 20.0 * exact, seed) for seed in range(60)]
    assert np.mean(found) == pytest.approx(exact, rel=0.2)


def test_above_the_boundary_the_chain_and_the_engine_stay_stuck() -> None:
    assert seconds_until_short(7.0, 5) > 5e4
    assert [_seconds_to_drain(7.0, 5, 1500.0, seed) for seed in range(3)] == [1500.0] * 3
    assert seconds_until_short(3.0, 5) < 60.0
