"""How many requests a second both engines play, beside SimPy processes and the same algorithm in C, in one run on one machine.

    python -m benchmarks.engine_speed [--repeats 3] [--scale 1.0]

Seconds are processor time, so that neighbours on the machine disturb little; only the ratios mean anything elsewhere. The rule that surprises: all must tell the same story; success share and
mean latency are printed for each, and a fast engine with other numbers is a wrong engine. The compiled engine and C play TIMES seeds in a
row, so that they run long enough to be measured. The last lines are what one `advance` and one `observe` cost when nothing happens in between.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from math import sqrt
from statistics import median
from time import process_time

from benchmarks import simpy_baseline
from benchmarks.c_reference import NoCompilerError, Reference
from benchmarks.workloads import Workload, chain, graph, one_queue
from sim.streams import Streams
from sim.traffic import bucket_upper_s
from sim.traffic.engines import EngineKind, compiler_present, make_engine

TIMES = 5


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


Player = Callable[[Workload, int], tuple[float, simpy_baseline.Totals]]
"""Plays a workload on a seed; processor seconds, and what it yielded."""


def timed(run: Callable[[Workload, int], simpy_baseline.Totals]) -> Player:
    """A player of this process, with a watch."""

    def played(workload: Workload, seed: int) -> tuple[float, simpy_baseline.Totals]:
        started = process_time()
        totals = run(workload, seed)
        return process_time() - started, totals

    return played


def measure(run: Player, workload: Workload, repeats: int, times: int = 1) -> Result:
    """The median of some runs, each over `times` seeds."""
    rates, attempts, good, fated, latency_s = [], [], 0, 0, 0.0
    for repeat in range(repeats):
        played, seconds = [], 0.0
        for seed in range(repeat * times, (repeat + 1) * times):
            took_s, totals = run(workload, seed + 1)
            seconds += took_s
            played.append(totals)
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


def show(workload: Workload, results: dict[str, Result]) -> None:
    """Print the rows of one workload. The ratio to C is of attempts, since other seeds offer slightly other numbers."""
    best = results.get("C -O3")
    for player, result in results.items():
        beside_c = f"{result.attempts / best.attempts:6.2f}" if best else f"{'-':>6}"
        print(
            f"{workload.name:16} {player:9} {result.roots:11,.0f} {result.attempts:11,.0f} {result.success:8.4f} "
            f"{result.latency_ms:8.2f} {result.roots / results['SimPy'].roots:8.1f} "
            f"{result.roots / results['plain'].roots:8.1f} {beside_c}"
        )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3, help="runs of each, the median counts")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the usual simulated time")
    arguments = parser.parse_args()
    kinds: list[EngineKind] = ["plain", "compiled"] if compiler_present() else ["plain"]
    for kind in kinds:
        play(kind, one_queue(0.1), 1)  # compiled or read from the cache before anything is measured
    heads = f"{'workload':16} {'player':9} {'roots/s':>11} {'attempts/s':>11} {'success':>8} {'mean ms':>8}"
    print(f"{heads} {'x SimPy':>8} {'x plain':>8} {'x C':>6}")
    with ExitStack() as stack:
        players: dict[str, tuple[Player, int]] = {"SimPy": (timed(simpy_baseline.play), 1)}
        for kind in kinds:
            players[kind] = timed(partial(play, kind)), TIMES if kind == "compiled" else 1
        try:
            players["C -O3"] = stack.enter_context(Reference()).play, TIMES
        except NoCompilerError as error:
            print(f"without C: {error}")
        for workload in (one_queue(3125.0 * arguments.scale), chain(1428.0 * arguments.scale), graph(60.0 * arguments.scale)):
            show(workload, {name: measure(run, workload, arguments.repeats, times) for name, (run, times) in players.items()})
    for kind in kinds:
        advance_us, observe_us = hand_over(kind)
        print(f"hand-over on W3, {kind:9} advance {advance_us:7.2f} us, observe {observe_us:7.2f} us")


if __name__ == "__main__":
    main()
