"""How often `gameday check` cries wolf and what it catches: `python -m benchmarks.check_power`, about five minutes on a core.

A small day (tests/data/quick.yaml) has a baseline of ten replications. It is checked a hundred times against reruns with other seeds, as after
a change of code that reshuffles all randomness, and against planted regressions of its time to detect, on the same seeds and on others.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from gameday.regression.checking import Day, check, new_baseline, play_days
from gameday.replication import Workers
from gameday.scenario import read_scenario
from gameday.scenario.model import Scenario

QUICK = Path(__file__).parents[1] / "tests" / "data" / "quick.yaml"
REPLICATIONS = 10
GROUP_WAIT_S = 30.0


def day(scenario: Scenario, seed: int) -> Day:
    """A game day that is to be played."""
    return Day("quick.yaml", scenario, None, seed, REPLICATIONS)


def main() -> None:
    """Play everything, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reruns", type=int, default=100)
    parser.add_argument("--planted", type=int, default=40)
    arguments = parser.parse_args()
    plain = read_scenario(QUICK, [f"monitoring.grouping.wait={GROUP_WAIT_S}s"])
    seeds = range(1, max(arguments.reruns, arguments.planted) + 2)
    with Workers(len(os.sched_getaffinity(0))) as workers:
        unchanged = {seed: day(plain, seed) for seed in seeds}
        play_days(unchanged.values(), workers, lambda: None)
        values = [value for one in unchanged.values() for value in one.samples.of["detection.time_to_detect"].judged()]
        typical = sorted(values)[len(values) // 2]
        planted = {}
        for share in (0.05, 0.10, 0.25):
            slower = read_scenario(QUICK, [f"monitoring.grouping.wait={GROUP_WAIT_S + share * typical:.3f}s"])
            planted[share] = {seed: day(slower, seed) for seed in seeds[: arguments.planted + 1]}
            play_days(planted[share].values(), workers, lambda: None)
    print(f"time to detect: median {typical:.1f} s over {len(values)} days; {REPLICATIONS} replications a check, tolerance 5 %\n")
    print("| change | seeds | checks | failed |")
    print("|---|---|---|---|")
    for name, days, shift, count in (
        ("none", unchanged, 0, arguments.reruns),
        ("none", unchanged, 1, arguments.reruns),
        *((f"{share:.0%} slower", planted[share], shift, arguments.planted) for share in planted for shift in (0, 1)),
    ):
        failed = sum(is_caught(unchanged[seed], days[seed + shift]) for seed in seeds[:count])
        print(f"| {name} | {'other' if shift else 'the same'} | {count} | {failed} |")


def is_caught(before: Day, after: Day) -> bool:
    """Whether the check of one against the baseline of the other fails."""
    after.baseline = new_baseline(before)
    return check([after]).failed


if __name__ == "__main__":
    main()
