"""How much memory a run takes at its peak, with few replications and with many, of short days and of long ones.

    python -m benchmarks.memory [--replications 4 12 40] [--durations 10m 1h]

Peaks of the largest process: of runs as they are by default (workers that play, a process that writes and draws the report), of those in which one
process plays and writes, and of those in which it draws as well. The rule that surprises: only scores and a handful of records are kept of a run, so
more replications must not take more; the ratios are the test. A longer day takes more by its own record (a value per second and series), and by
nothing else.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile

KINDS = {"default": (), "one process, no report": ("--jobs", "1", "--no-report"), "one process": ("--jobs", "1")}
"""Arguments of each kind of run."""
_KIB_PER_UNIT = 1 if sys.platform != "darwin" else 1 / 1024


def peak_mib(scenario: str, kind: str, replications: int, duration: str) -> float:
    """Peak resident memory of the largest process of a run in MiB."""
    with tempfile.TemporaryDirectory() as folder:
        arguments = [
            sys.executable,
            "-m",
            "gameday",
            "run",
            scenario,
            *KINDS[kind],
            "--set",
            f"duration={duration}",
            "--replications",
            str(replications),
            "--out",
            f"{folder}/run",
        ]
        silent = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0o600)]
        child = os.posix_spawn(sys.executable, arguments, os.environ, file_actions=silent)
        _, status, usage = os.wait4(child, 0)  # the peak is the largest of the child's and its own children's
        if os.waitstatus_to_exitcode(status) not in {0, 1, 3}:
            raise RuntimeError(f"the run of {replications} replications failed")
        return usage.ru_maxrss * _KIB_PER_UNIT / 1024


def show(scenario: str, runs: list[tuple[int, str]]) -> None:
    """Print a row for each length of a run, a column and its ratio to the first row for each kind."""
    print(f"{'replications of':>15} {'day':>4} " + " ".join(f"{kind + ', MiB':>27} {'ratio':>5}" for kind in KINDS))
    first: dict[str, float] = {}
    for replications, duration in runs:
        cells = []
        for kind in KINDS:
            peak = peak_mib(scenario, kind, replications, duration)
            cells.append(f"{peak:27.1f} {peak / first.setdefault(kind, peak):5.2f}")
        print(f"{replications:15} {duration:>4} " + " ".join(cells), flush=True)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenario", default="scenarios/primary-loss.yaml")
    parser.add_argument("--replications", type=int, nargs="+", default=[4, 12, 40], help="replications of each run")
    parser.add_argument("--durations", nargs="+", default=["10m", "1h"], help="lengths of the day, of four replications each")
    arguments = parser.parse_args()
    show(arguments.scenario, [(replications, arguments.durations[0]) for replications in arguments.replications])
    show(arguments.scenario, [(4, duration) for duration in arguments.durations])


if __name__ == "__main__":
    main()
