"""How long the command line takes to say anything, beside an interpreter that does nothing.

    python -m benchmarks.startup [--repeats 10]

The rule that surprises: wall-clock medians of alternating starts; only the ratios mean anything on another machine.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from statistics import median
from time import perf_counter

COMMANDS = {
    "python, nothing": ("-c", "pass"),
    "gameday --help": ("-m", "gameday", "--help"),
    "gameday run --help": ("-m", "gameday", "run", "--help"),
    "gameday new --list": ("-m", "gameday", "new", "--list"),
    "gameday validate": ("-m", "gameday", "validate", "scenarios/primary-loss.yaml"),
}
"""The first is what the others are divided by."""


def measure(repeats: int) -> dict[str, float]:
    """Median seconds of each command; they take turns, so that a busy moment meets all of them."""
    seconds: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(repeats):
        for name, arguments in COMMANDS.items():
            started = perf_counter()
            subprocess.run([sys.executable, *arguments], capture_output=True, check=True)
            seconds[name].append(perf_counter() - started)
    return {name: median(several) for name, several in seconds.items()}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=10, help="starts of each, the median counts")
    found = measure(parser.parse_args().repeats)
    base = next(iter(found.values()))
    print(f"{'start of':20} {'median s':>9} {'ratio':>6}")
    for name, seconds in found.items():
        print(f"{name:20} {seconds:9.3f} {seconds / base:6.2f}")


if __name__ == "__main__":
    main()
