"""The flagship day played exactly and with quiet stretches: what is counted, what it costs, and what its exact seconds are for.

The rule that surprises: it has no control plane, so what changes and when is all that is known of what is ahead, and what is compared are counts,
latencies, work and queues instead of scores.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from statistics import median
from time import process_time

import numpy as np

from benchmarks.workloads import Workload, flagship
from sim.streams import Streams
from sim.traffic import BUCKETS, Engine
from sim.traffic.engines import make_engine
from sim.traffic.plan import Plan
from sim.traffic.quiet import QuietEngine, make_quiet_engine
from sim.traffic.quiet.why import Why

SEED = 1
REPEATS = 3
_QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "p99.9": 0.999}


def engine(workload: Workload, seed: int, *, quiet: bool) -> Engine:
    """One that will play that day; a fault goes on from every first to every second change."""
    if not quiet:
        return make_engine(workload.plan, Streams(seed))
    times = [at for at, _ in workload.changes]

    def foresee(now: float) -> float:
        done = bisect_right(times, now)
        return now if done % 2 else times[done] if done < len(times) else workload.until_s

    made = make_quiet_engine(workload.plan, Streams(seed))
    made.foresee = foresee
    return made


def play(workload: Workload, player: Engine) -> float:
    """Seconds of processor; looked at every second, as a control plane does."""
    left = list(workload.changes)
    started = process_time()
    for second in range(1, int(workload.until_s) + 1):
        while left and left[0][0] < second:
            at, change = left.pop(0)
            player.advance(at)
            player.apply(change)
        player.advance(float(second))
        player.observe()
    return process_time() - started


def jumped(player: Engine) -> float:
    """Seconds that were shown."""
    return player.jumped_s if isinstance(player, QuietEngine) else 0.0


def values(plan: Plan, player: Engine) -> dict[str, float]:
    """What takes the place of scores."""
    seen, found = player.observe(), {}
    for number, flow in enumerate(plan.flows):
        found[f"(requests offered) {flow.name}"] = float(seen.offered[number])
        found[f"(requests lost) {flow.name}"] = float(sum(seen.lost[number]))
        below = np.cumsum(seen.latency[number])
        for name, share in _QUANTILES.items():
            found[f"latency.{name} {flow.name}, bucket of {BUCKETS}"] = _place(below, share)
    found["attempts"] = float(sum(seen.attempts))
    found["attempts failed"] = float(sum(seen.failures))
    found["calls skipped by an open breaker"] = float(sum(seen.skipped))
    found["refused"] = float(sum(map(sum, seen.refused_by)))
    found["slot-seconds"] = float(sum(seen.busy_s))
    return found


def _place(below: np.ndarray[tuple[int], np.dtype[np.int64]], share: float) -> float:
    """The bucket with a quantile, and how far into it, as if values were spread evenly in each."""
    wanted = share * below[-1]
    bucket = int(np.searchsorted(below, wanted))
    before = int(below[bucket - 1]) if bucket else 0
    return float(bucket + (wanted - before) / max(1, int(below[bucket]) - before))


def tables() -> Iterator[str]:
    """Seconds of a day with faults of a minute and of half a minute, the two ways in turn, and what the exact seconds are for."""
    yield "| flagship day: 2 h, 20 services, 2,000 requests/s, ten faults | exact | quiet stretches | ratio | jumped |"
    yield "|---|---|---|---|---|"
    play(flagship(until_s=60.0), engine(flagship(until_s=60.0), 0, quiet=True))  # what is loaded once is no day's time
    reasons: dict[float, Counter[Why]] = {}
    for lasts_s in (60.0, 30.0):
        workload, spent, shares = flagship(lasts_s=lasts_s), [], []
        for seed in range(SEED, SEED + REPEATS):
            exact, quiet = (engine(workload, seed, quiet=each) for each in (False, True))
            spent.append((play(workload, exact), play(workload, quiet)))
            shares.append(jumped(quiet) / workload.until_s)
            assert isinstance(quiet, QuietEngine)
            reasons.setdefault(lasts_s, quiet.played_s)
        exact_s, quiet_s = (median(each) for each in zip(*spent, strict=True))
        yield f"| of {lasts_s:.0f} s each | {exact_s:.1f} s | {quiet_s:.2f} s | {exact_s / quiet_s:.1f} | {median(shares):.0%} |"
    yield ""
    yield "| why a second is played | faults of 60 s | of 30 s |"
    yield "|---|---|---|"
    for why in Why:
        yield f"| {why} | {reasons[60.0][why]} | {reasons[30.0][why]} |"
    yield f"| in all, of 7,200 | {sum(reasons[60.0].values())} | {sum(reasons[30.0].values())} |"
