"""Requests offered over the quiet time before the first event of a day, against the Poisson process they come from.

    python -m benchmarks.quiet_offered traffic-surge --until 590 --seeds 400

The rule that surprises: nothing has to be played exactly for this, for the truth is known: the mean is rate x time and the variance is the same. So
many seeds are cheap, and a bias of a fraction of a per cent shows.
"""

from __future__ import annotations

import argparse
from math import sqrt

import numpy as np

from gameday.scenario import read_scenario
from gameday.shipped import shipped_scenarios
from sim.streams import Streams
from sim.traffic.quiet import make_quiet_engine
from sim.wiring import build


def main() -> None:
    """Print a line per flow."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scenario", help="name of a shipped one")
    parser.add_argument(
        "--until", type=float, default=590.0, help="seconds to play: before anything happens, and before any rate changes"
    )
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    arguments = parser.parse_args()
    plan = build(read_scenario(shipped_scenarios() / f"{arguments.scenario}.yaml")).plan
    end = arguments.until
    rows, shares = [], []
    for seed in range(arguments.first, arguments.first + arguments.seeds):
        engine = make_quiet_engine(plan, Streams(seed))
        engine.foresee = lambda now: end if now < end else now
        engine.advance(end)
        rows.append(list(engine.observe().offered))
        shares.append(engine.jumped_s / end)
    counts = np.array(rows, dtype=float)
    expected = np.array([flow.rate[0][1] * end for flow in plan.flows])
    names = [*(flow.name for flow in plan.flows), "all together"]
    counts, expected = np.column_stack([counts, counts.sum(axis=1)]), np.append(expected, expected.sum())
    print(f"{arguments.scenario}: {arguments.seeds} seeds, {end:g} s, jumped {np.mean(shares):.0%}\n")
    print("| flow | expected | found, % more | standard errors | spread, in that of a Poisson number |\n|---|---|---|---|---|")
    for name, mean, column in zip(names, expected, counts.T, strict=True):
        spread = column.std(ddof=1)
        apart = column.mean() - mean
        cells = (
            f"{mean:.0f}",
            f"{100.0 * apart / mean:+.2f}",
            f"{apart / spread * sqrt(len(column)):+.1f}",
            f"{spread / sqrt(mean):.2f}",
        )
        print(f"| {name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
