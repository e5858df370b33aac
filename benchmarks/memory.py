"""How much memory a run takes at its peak, with few replications and with many, of short days and of long ones.

    python -m benchmarks.memory [--replications 4 20 60] [--durations 10m 1h]

The rule that surprises: only scores and a handful of records are kept of a run, so after the first dozen replications, in which the
allocator finds its size, more must not take more; the last ratio is the test. A longer day takes more by its own record (a value per
second and series), and by nothing else. Peaks are of one process that plays and writes.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile

ARGUMENTS = ("run", "scenarios/primary-loss.yaml", "--jobs", "1", "--no-report")
_KIB_PER_UNIT = 1 if sys.platform != "darwin" else 1 / 1024


def peak_mib(replications: int, duration: str = "10m") -> float:
    """Peak resident memory of a run in MiB."""
    with tempfile.TemporaryDirectory() as folder:
        arguments = [
            sys.executable,
            "-m",
            "gameday",
            *ARGUMENTS,
            "--set",
            f"duration={duration}",
            "--replications",
            str(replications),
            "--out",
            f"{folder}/run",
        ]
        silent = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0o600)]
        child = os.posix_spawn(sys.executable, arguments, os.environ, file_actions=silent)
        _, status, usage = os.wait4(child, 0)
        if os.waitstatus_to_exitcode(status) not in {0, 1, 3}:
            raise RuntimeError(f"the run of {replications} replications failed")
        return usage.ru_maxrss * _KIB_PER_UNIT / 1024


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replications", type=int, nargs="+", default=[4, 20, 60], help="replications of each run")
    parser.add_argument("--durations", nargs="+", default=["10m", "1h"], help="lengths of the day, of two replications each")
    arguments = parser.parse_args()
    base = 0.0
    print(f"{'replications':>12} {'peak MiB':>9} {'ratio':>6}")
    for replications in arguments.replications:
        peak = peak_mib(replications)
        base = base or peak
        print(f"{replications:12} {peak:9.1f} {peak / base:6.2f}")
    base = 0.0
    print(f"{'day':>12} {'peak MiB':>9} {'ratio':>6}")
    for duration in arguments.durations:
        peak = peak_mib(2, duration)
        base = base or peak
        print(f"{duration:>12} {peak:9.1f} {peak / base:6.2f}")


if __name__ == "__main__":
    main()
