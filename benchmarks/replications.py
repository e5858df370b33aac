"""How much sooner a run is done with two processes than with one, by wall clock.

    python -m benchmarks.replications [--replications 24] [--repeats 1]

The rule that surprises: it starts the real command, so interpreter starts and imports of the workers are in it; with few or short
replications they eat the gain. The aim is 1.8 on two free cores; on busy ones only the processor seconds tell anything: what they grow
by is what the second process costs.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from statistics import median
from time import perf_counter

from gameday.scores.objectives import EXIT_CODES

SCENARIO = "scenarios/primary-loss.yaml"


def play(jobs: int, replications: int) -> tuple[float, float, bytes]:
    """Seconds of a run by the wall clock, seconds of processors with all its workers, and the scores it wrote."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        arguments = ["run", SCENARIO, "--replications", str(replications), "--jobs", str(jobs), "--no-report", "--out", str(out)]
        before = getrusage(RUSAGE_CHILDREN)
        started = perf_counter()
        ended = subprocess.run([sys.executable, "-m", "gameday", *arguments], capture_output=True, check=False)
        seconds = perf_counter() - started
        after = getrusage(RUSAGE_CHILDREN)
        processor_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        if ended.returncode not in EXIT_CODES.values():
            raise RuntimeError(ended.stderr.decode())
        return seconds, processor_s, (out / "scores.json").read_bytes()


def main() -> None:
    """Print the table. RuntimeError when two processes judge differently from one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replications", type=int, default=24, help="replications of each run")
    parser.add_argument("--repeats", type=int, default=1, help="runs of each, the median counts")
    arguments = parser.parse_args()
    played = {jobs: [play(jobs, arguments.replications) for _ in range(arguments.repeats)] for jobs in (1, 2)}
    if len({scores for several in played.values() for *_, scores in several}) != 1:
        raise RuntimeError("the number of processes changes the scores")
    base = median(seconds for seconds, *_ in played[1])
    print(f"{'processes':>9} {'seconds':>8} {'processor s':>12} {'replications/s':>15} {'ratio':>6}")
    for jobs, several in played.items():
        seconds, processor_s = median(one[0] for one in several), median(one[1] for one in several)
        print(f"{jobs:9} {seconds:8.1f} {processor_s:12.1f} {arguments.replications / seconds:15.2f} {base / seconds:6.2f}")


if __name__ == "__main__":
    main()
