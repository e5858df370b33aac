"""What a second worker of a Dask cluster brings, and what the cluster costs: one batch of days on one worker, on two, and without a cluster.

    python -m benchmarks.cluster [--replications 64]

The rule that surprises: scheduler and workers are processes of this machine, so with two cores the scheduler and the client take their part
of them. Workers have played a day before the clock starts; what compiling costs is not in it. Aim: 1.7 with two workers on two free cores.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from gameday.cluster import Cluster
from gameday.replication import Plays, Task, Workers, packed
from gameday.scenario import read_scenario

SCENARIO = Path(__file__).parents[1] / "scenarios" / "primary-loss.yaml"


def start(what: str, said: str, *arguments: str, folder: str) -> tuple[subprocess.Popen[str], str]:
    """A process of Dask, and the last word of the line of its log that says so."""
    words = [sys.executable, "-m", f"distributed.cli.dask_{what}", *arguments, "--no-dashboard"]
    process = subprocess.Popen(words, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None, "it has a pipe"
    for line in process.stderr:
        if said in line:
            return process, line.split()[-1]
    raise RuntimeError(f"{what} ended without saying '{said}'")


def play(workers: Plays, content: bytes, key: str, replications: int, chunk: int) -> tuple[float, list[str]]:
    """Seconds, and the scores of each day as text."""
    list(workers.run(Task(content, key, 1, (0,)) for _ in range(4 * workers.width)))
    started = perf_counter()
    tasks = (Task(content, key, 1, tuple(range(first, first + chunk))) for first in range(0, replications, chunk))
    found = [played for _, several in workers.run(tasks) for played in several]
    seconds = perf_counter() - started
    return seconds, [repr(one.scores) for one in sorted(found, key=lambda one: one.replication)]


def main() -> None:
    """Print the table. RuntimeError when the days differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replications", type=int, default=64)
    parser.add_argument("--chunk", type=int, default=4, help="replications of a task")
    arguments = parser.parse_args()
    content, key = packed(read_scenario(SCENARIO))
    running: list[subprocess.Popen[str]] = []
    with tempfile.TemporaryDirectory() as folder:
        try:
            scheduler, address = start("scheduler", "Scheduler at:", "--host", "127.0.0.1", "--port", "0", folder=folder)
            running.append(scheduler)
            rows = {}
            for count in (1, 2):
                running.append(start("worker", "Registered to:", address, "--nthreads", "1", "--no-nanny", folder=folder)[0])
                with Cluster(address) as workers:
                    rows[f"{count} on the cluster"] = play(workers, content, key, arguments.replications, arguments.chunk)
        finally:
            for process in reversed(running):
                process.kill()
                process.communicate()
        with Workers(1) as alone:
            rows["this process"] = play(alone, content, key, arguments.replications, arguments.chunk)
    if len({repr(scores) for _, scores in rows.values()}) != 1:
        raise RuntimeError("the days of the cluster are not those of this process")
    base = rows["1 on the cluster"][0]
    print(f"{arguments.replications} days, {arguments.chunk} to a task, {len(content):,} bytes of scenario in each task")
    for name, (seconds, _) in rows.items():
        print(f"{name:18} {seconds:7.2f} s  {arguments.replications / seconds:7.2f} days/s  ratio {base / seconds:5.2f}")


if __name__ == "__main__":
    main()
