"""What a request costs as the day gets longer and the system larger: it has to grow linearly with one, and near-linearly with the other.

    python -m benchmarks.scaling [--most-requests 1e7] [--most-services 500] [--plot scaling.png]

Processor time of the compiled engine on a layered graph (each service calls two of the next layer with probability one half, so a request
makes about as many attempts whatever the size). The rule that surprises: a larger system is slower per attempt although the algorithm does
no more, because its state no longer fits the processor's caches; that is why it is near-linear and not linear.
"""

from __future__ import annotations

import argparse
from itertools import pairwise
from time import process_time

from benchmarks.workloads import Workload, station
from sim.streams import Streams
from sim.traffic.engines import make_engine
from sim.traffic.plan import CLIENT, ClassPlan, EdgePlan, FlowPlan, Plan

RATE = 500.0
_LAYERS = 5

LENGTH, SIZE = "requests of a day (20 services)", "services (a million requests)"


def layered(services: int, until_s: float) -> Workload:
    """A graph of `services` in five layers, entered at the services of the first by turns of the clients."""
    layers = [range(services * depth // _LAYERS, services * (depth + 1) // _LAYERS) for depth in range(_LAYERS)]
    entries = layers[0]
    edges = [EdgePlan(f"enter-{one}", CLIENT, ((one, 1.0),), timeout_s=2.0) for one in entries]
    calls: dict[int, list[int]] = {}
    for upper, lower in pairwise(layers):
        for position, caller in enumerate(upper):
            for turn in range(2):
                callee = lower[(2 * position + turn) % len(lower)]
                calls.setdefault(caller, []).append(len(edges))
                edges.append(EdgePlan(f"{caller}-{callee}", caller, ((callee, 1.0),), 0.5, 1.0))
    slots = max(2, round(RATE * 0.05 / len(entries) / 0.5) + 2)
    stations = [station(f"s{one}", slots, 0.005, 500, tuple(calls.get(one, ()))) for one in range(services)]
    flows = [FlowPlan(f"f{one}", 0, 0, one, ((0.0, RATE / len(entries)),)) for one in entries]
    plan = Plan(("zone",), ((0.0,),), tuple(stations), tuple(edges), (ClassPlan("all", 0, 60.0),), tuple(flows))
    return Workload(f"{services} services", plan, until_s)


def cost(services: int, requests: float) -> tuple[float, int]:
    """Processor seconds of playing about so many requests, and attempts made; what it takes to build the engine is not counted."""
    workload = layered(services, requests / RATE)
    engine = make_engine(workload.plan, Streams(1), "compiled")
    engine.advance(workload.until_s / 100.0)
    started, before = process_time(), sum(engine.observe().attempts)
    engine.advance(workload.until_s)
    return process_time() - started, sum(engine.observe().attempts) - before


def main() -> None:
    """Print both tables; draw them where asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--most-requests", type=float, default=1e7, help="longest day, in requests")
    parser.add_argument("--most-services", type=int, default=500, help="largest system")
    parser.add_argument("--plot", help="file for a picture of both")
    arguments = parser.parse_args()
    lengths = [10.0**power for power in range(5, 9) if 10.0**power <= arguments.most_requests]
    sizes = [size for size in (10, 20, 50, 100, 200, 500) if size <= arguments.most_services]
    cost(10, 1e4)
    print(f"{'services':>9} {'requests':>12} {'attempts':>12} {'seconds':>9} {'ns/attempt':>11} {'ratio':>6}")
    rows: dict[str, list[tuple[float, float]]] = {LENGTH: [], SIZE: []}
    for what, cases in ((LENGTH, [(20, length) for length in lengths]), (SIZE, [(size, 1e6) for size in sizes])):
        base = 0.0
        for services, requests in cases:
            seconds, attempts = cost(services, requests)
            each = 1e9 * seconds / attempts
            base = base or each
            rows[what].append((requests if what == LENGTH else float(services), each))
            print(f"{services:9} {requests:12,.0f} {attempts:12,} {seconds:9.2f} {each:11.1f} {each / base:6.2f}")
    if arguments.plot:
        draw(arguments.plot, rows)


def draw(file: str, rows: dict[str, list[tuple[float, float]]]) -> None:
    """Cost of an attempt over the length of the day and over the size of the system."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 3.6), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    for ax, (what, points) in zip(axes, rows.items(), strict=True):
        ax.plot([x for x, _ in points], [y for _, y in points], "o-", color="#0072b2")
        ax.set(xscale="log", xlabel=what)
        ax.grid(visible=True, alpha=0.3)
    axes[0].set(ylabel="ns of a core per attempt", ylim=(0, 1.1 * max(cost for points in rows.values() for _, cost in points)))
    figure.savefig(file, dpi=120)


if __name__ == "__main__":
    main()
