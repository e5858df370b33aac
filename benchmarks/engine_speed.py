"""How many requests a second both engines play, beside SimPy processes, in one run on one machine.

    python -m benchmarks.engine_speed [--repeats 3] [--scale 1.0]

Seconds are processor time, so that neighbours on the machine disturb little; only the ratios mean anything elsewhere. The rule that surprises: all must tell the same story; success share and
mean latency are printed for each, and a fast engine with other numbers is a wrong engine. The compiled engine plays TIMES seeds in a
row, so that it runs long enough to be measured. The last lines are what one `advance` and one `observe` cost when nothing happens in between.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import sqrt
from statistics import median
from time import process_time

from benchmarks import simpy_baseline
from benchmarks.workloads import Workload, chain, graph, one_queue
from sim.streams import Streams
from sim.traffic import bucket_upper_s
from sim.traffic.engines import EngineKind, compiler_present, make_engine

TIMES = 20


def play(kind: EngineKind, workload: Workload, seed: int) -> simpy_baseline.Totals:
    """Play a workload on an engine; the mean latency is taken from the histogram (buckets 9 % wide, so within 0.3 %)."""
    engine = make_engine(workload.plan, Streams(seed), kind)
    for at, change in workload.changes:
        engine.advance(at)
        engine.apply(change)
    engine.advance(workload.until_s)
    view = engine.observe()
    middle = [sqrt(bucket_upper_s(bucket - 1) * bucket_upper_s(bucket)) for bucket in range(len(view.latency[0]))]
    latency_s = sum(count * at for row in view.latency for count, at in zip(row, middle, strict=True))
    lost = sum(map(sum, view.lost))
    return simpy_baseline.Totals(sum(view.offered), sum(view.good), lost, latency_s, sum(view.attempts))


@dataclass
class Result:
    """What a player made of a workload: per second of processor time, and what the requests saw."""

    roots: float
    attempts: float
    success: float
    latency_ms: float


def measure(run: Callable[[Workload, int], simpy_baseline.Totals], workload: Workload, repeats: int, times: int = 1) -> Result:
    """The median of some runs, each over `times` seeds."""
    rates, attempts, good, fated, latency_s = [], [], 0, 0, 0.0
    for repeat in range(repeats):
        started = process_time()
        played = [run(workload, seed + 1) for seed in range(repeat * times, (repeat + 1) * times)]
        seconds = process_time() - started
        rates.append(sum(totals.offered for totals in played) / seconds)
        attempts.append(sum(totals.attempts for totals in played) / seconds)
        good += sum(totals.good for totals in played)
        fated += sum(totals.good + totals.lost for totals in played)
        latency_s += sum(totals.latency_s for totals in played)
    return Result(median(rates), median(attempts), good / fated, 1000.0 * latency_s / good)


def hand_over(kind: EngineKind, calls: int = 3000) -> tuple[float, float]:
    """Microseconds of one `advance` over no events, and of one `observe`, on the graph of 20."""
    engine = make_engine(graph(1.0).plan, Streams(1), kind)
    engine.advance(1.0)
    engine.observe()
    costs = []
    for action in (lambda: engine.advance(1.0), engine.observe):
        started = process_time()
        for _ in range(calls):
            action()
        costs.append(1e6 * (process_time() - started) / calls)
    return costs[0], costs[1]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3, help="runs of each, the median counts")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the usual simulated time")
    arguments = parser.parse_args()
    kinds: list[EngineKind] = ["plain", "compiled"] if compiler_present() else ["plain"]
    for kind in kinds:
        play(kind, one_queue(0.1), 1)  # compiled or read from the cache before anything is measured
    print(
        f"{'workload':16} {'player':9} {'roots/s':>11} {'attempts/s':>11} {'success':>8} {'mean ms':>8} {'x SimPy':>8} {'x plain':>8}"
    )
    for workload in (one_queue(300.0 * arguments.scale), chain(120.0 * arguments.scale), graph(60.0 * arguments.scale)):
        results = {"SimPy": measure(simpy_baseline.play, workload, arguments.repeats)}
        for kind in kinds:
            results[kind] = measure(partial(play, kind), workload, arguments.repeats, TIMES if kind == "compiled" else 1)
        for player, result in results.items():
            print(
                f"{workload.name:16} {player:9} {result.roots:11,.0f} {result.attempts:11,.0f} {result.success:8.4f} "
                f"{result.latency_ms:8.2f} {result.roots / results['SimPy'].roots:8.1f} {result.roots / results['plain'].roots:8.1f}"
            )
    for kind in kinds:
        advance_us, observe_us = hand_over(kind)
        print(f"hand-over on W3, {kind:9} advance {advance_us:7.2f} us, observe {observe_us:7.2f} us")


if __name__ == "__main__":
    main()
