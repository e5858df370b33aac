"""The engine's algorithm in C (`reference.c`, compiled here with -O3): what the compiled engine could be at best.

The rule that surprises: it draws other random numbers than the engine, so the two agree as two seeds do, not to the bit.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from benchmarks.simpy_baseline import Totals
from benchmarks.workloads import Workload
from sim.traffic.changes import SetInstance


class NoCompilerError(RuntimeError):
    """There is no C compiler here."""


def build(folder: Path) -> Path:
    """Compile the reference into a folder."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise NoCompilerError("no C compiler was found (cc, gcc, clang)")
    program = folder / "reference"
    source = Path(__file__).with_name("reference.c")
    subprocess.run([compiler, "-O3", "-march=native", "-o", str(program), str(source), "-lm"], check=True)
    return program


def described(workload: Workload, seed: int) -> str:
    """A workload as the numbers the program reads."""
    plan = workload.plan
    found: list[object] = [seed, len(plan.stations), len(plan.edges), len(plan.flows), len(workload.changes), workload.until_s]
    for station in plan.stations:
        (instance,) = station.instances
        found += [
            station.service_time.mean_s,
            instance.slots,
            instance.queue_limit,
            *station.admit,
            len(station.calls),
            *station.calls,
        ]
    for edge in plan.edges:
        breaker = edge.breaker
        ((target, _),) = edge.options
        found += [target, edge.calls_mean, edge.timeout_s, edge.retry.retries, edge.retry.backoff_s, edge.retry.backoff_cap_s]
        found += [breaker.failures, breaker.open_s, breaker.trials] if breaker else [0, 0.0, 0]
    for flow in plan.flows:
        found += [flow.rate[0][1], flow.entry, plan.classes[flow.request_class].priority]
    for at, change in workload.changes:
        assert isinstance(change, SetInstance), "the workloads change nothing but instances"
        found += [at, change.station, -1 if change.slots is None else change.slots, change.slowdown or 0.0]
    return " ".join(map(repr, found))


class Reference:
    """The program, ready to play; a context manager, because it lies in a folder that goes away."""

    def __enter__(self) -> Reference:
        self._folder = tempfile.TemporaryDirectory()
        self._program = build(Path(self._folder.name))
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()

    def play(self, workload: Workload, seed: int) -> tuple[float, Totals]:
        """Processor seconds of the playing alone, and what it yielded."""
        ended = subprocess.run([str(self._program)], input=described(workload, seed), capture_output=True, text=True, check=True)
        seconds, offered, good, lost, latency_s, attempts = ended.stdout.split()
        return float(seconds), Totals(int(offered), int(good), int(lost), float(latency_s), int(attempts))
