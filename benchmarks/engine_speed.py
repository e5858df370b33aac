"""How many requests a second the plain engine plays, beside SimPy processes, in one run on one machine.

    python -m benchmarks.engine_speed [--repeats 3] [--scale 1.0]

Seconds are processor time, so that neighbours on the machine disturb little; only the ratios mean anything elsewhere. The rule that surprises: both must tell the same story; success share and
mean latency are printed for both, and a fast engine with other numbers is a wrong engine.
"""

from __future__ import annotations

import argparse
from math import sqrt
from statistics import median
from time import process_time

from benchmarks import simpy_baseline
from benchmarks.workloads import Workload, chain, graph, one_queue
from sim.streams import Streams
from sim.traffic import bucket_upper_s
from sim.traffic.plain import PlainEngine


def play(workload: Workload, seed: int) -> simpy_baseline.Totals:
    """Play a workload on the plain engine; the mean latency is taken from the histogram (buckets 9 % wide, so within 0.3 %)."""
    engine = PlainEngine(workload.plan, Streams(seed))
    for at, change in workload.changes:
        engine.advance(at)
        engine.apply(change)
    engine.advance(workload.until_s)
    view = engine.observe()
    middle = [sqrt(bucket_upper_s(bucket - 1) * bucket_upper_s(bucket)) for bucket in range(len(view.latency[0]))]
    latency_s = sum(count * at for row in view.latency for count, at in zip(row, middle, strict=True))
    lost = sum(map(sum, view.lost))
    return simpy_baseline.Totals(sum(view.offered), sum(view.good), lost, latency_s, sum(view.attempts))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3, help="runs of each, the median counts")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the usual simulated time")
    arguments = parser.parse_args()
    print(f"{'workload':16} {'player':7} {'roots/s':>9} {'attempts/s':>11} {'success':>8} {'mean ms':>8} {'ratio':>6}")
    for workload in (one_queue(300.0 * arguments.scale), chain(120.0 * arguments.scale), graph(60.0 * arguments.scale)):
        base = 0.0
        for player, run in (("SimPy", simpy_baseline.play), ("plain", play)):
            rates, attempts, good, fated, latency_s = [], [], 0, 0, 0.0
            for seed in range(arguments.repeats):
                started = process_time()
                totals = run(workload, seed + 1)
                seconds = process_time() - started
                rates.append(totals.offered / seconds)
                attempts.append(totals.attempts / seconds)
                good += totals.good
                fated += totals.good + totals.lost
                latency_s += totals.latency_s
            rate = median(rates)
            base = base or rate
            print(
                f"{workload.name:16} {player:7} {rate:9,.0f} {median(attempts):11,.0f} {good / fated:8.4f} "
                f"{1000.0 * latency_s / good:8.2f} {rate / base:6.2f}"
            )


if __name__ == "__main__":
    main()
