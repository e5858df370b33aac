"""What it costs to hand control over to the data plane and back, against a bare timeout of SimPy.

    python -m benchmarks.hand_over [--events 20000] [--repeats 5]

Per event of the control plane, in processor time: a process that only waits, one that also brings the graph of 20 services up to date and
reads one instance, and the same while a condition is watched. No requests come, so that only the hand-over is measured; the
rule that surprises: only the ratios mean anything on another machine.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Generator
from dataclasses import replace
from statistics import median
from time import process_time
from typing import Any

import simpy

from benchmarks.workloads import graph
from sim.clock import Clock
from sim.streams import Streams
from sim.traffic import Engine, Watch
from sim.traffic.engines import make_engine


def quiet_engine() -> Engine:
    """The graph of 20 without a request, so that an advance plays no event."""
    plan = graph(1.0).plan
    flows = tuple(replace(flow, rate=((0.0, 0.0),)) for flow in plan.flows)
    return make_engine(replace(plan, flows=flows), Streams(1))


def seconds(env: simpy.Environment, each: Callable[[], object] | None, events: int) -> float:
    """Processor time of one event."""

    def process() -> Generator[Any, Any, None]:
        for _ in range(events):
            yield env.timeout(1e-3)
            if each is not None:
                each()

    env.process(process())
    started = process_time()
    env.run(until=1e-3 * (events + 1))
    return (process_time() - started) / events


def measure(events: int) -> dict[str, float]:
    """Seconds per event of each kind, one after the other."""
    engine = quiet_engine()
    env = simpy.Environment()
    bare_s = seconds(env, None, events)

    def look() -> None:
        engine.advance(env.now)
        engine.instance_busy(0, 0)

    env = Clock()
    handed_over_s = seconds(env, look, events)
    watching = Clock()
    engine = quiet_engine()
    watching.when(engine, Watch("queued", 0, at_least=1e9))
    return {
        "bare timeout": bare_s,
        "advance and read": handed_over_s,
        "while a condition is watched": seconds(watching, None, events),
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=20_000, help="events of each kind and repeat")
    parser.add_argument("--repeats", type=int, default=5, help="the median counts")
    arguments = parser.parse_args()
    measure(100)
    found = [measure(arguments.events) for _ in range(arguments.repeats)]
    bare_s = median(each["bare timeout"] for each in found)
    for name in found[0]:
        middle_s = median(each[name] for each in found)
        print(f"{name:30} {1e6 * middle_s:7.2f} us per event, {middle_s / bare_s:5.2f} bare timeouts")


if __name__ == "__main__":
    main()
