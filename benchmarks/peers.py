"""The same queue (M/M/4 at 80 %) in other simulators, side by side: those that are installed.

    python -m benchmarks.peers [--requests 20000] [--repeats 3]

Each is written the way its documentation teaches; SimPy also the fast way, with callbacks instead of processes. The rule that surprises: all
print their mean time in the system, which has to be near the exact 17.455 ms; who is fast and wrong is not fast.
"""

from __future__ import annotations

import argparse
from collections import deque
from collections.abc import Callable
from importlib.util import find_spec
from random import Random
from statistics import median
from time import process_time
from typing import Any

from benchmarks.engine_speed import play
from benchmarks.workloads import one_queue
from sim.traffic.engines import EngineKind

RATE, MEAN_S, SERVERS = 320.0, 0.010, 4
EXACT_MS = 17.455

Peer = Callable[[int, int], float]
"""Plays so many requests on a seed; returns their mean time in the system, seconds."""


def simpy_processes(requests: int, seed: int) -> float:
    """A process per request and a Resource."""
    import simpy

    random, env, took = Random(seed), simpy.Environment(), [0.0]
    server = simpy.Resource(env, SERVERS)

    def request() -> Any:
        born = env.now
        with server.request() as slot:
            yield slot
            yield env.timeout(random.expovariate(1.0 / MEAN_S))
        took[0] += env.now - born

    def arrivals() -> Any:
        for _ in range(requests):
            yield env.timeout(random.expovariate(RATE))
            env.process(request())

    env.process(arrivals())
    env.run()
    return took[0] / requests


def simpy_callbacks(requests: int, seed: int) -> float:
    """Bare events with callbacks, the queue a deque."""
    import simpy

    random, env = Random(seed), simpy.Environment()
    waiting: deque[float] = deque()
    state = {"busy": 0, "left": requests, "took": 0.0}

    def start(born: float) -> None:
        work = simpy.Timeout(env, random.expovariate(1.0 / MEAN_S), born)
        assert work.callbacks is not None
        work.callbacks.append(done)

    def done(event: Any) -> None:
        state["took"] += env.now - event.value
        if waiting:
            start(waiting.popleft())
        else:
            state["busy"] -= 1

    def arrive(_event: Any) -> None:
        state["left"] -= 1
        if state["left"]:
            following = simpy.Timeout(env, random.expovariate(RATE))
            assert following.callbacks is not None
            following.callbacks.append(arrive)
        if state["busy"] < SERVERS:
            state["busy"] += 1
            start(env.now)
        else:
            waiting.append(env.now)

    arrive(None)
    env.run()
    return state["took"] / requests


def ciw_network(requests: int, seed: int) -> float:
    """A network of one node."""
    import ciw

    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(RATE)],
        service_distributions=[ciw.dists.Exponential(1.0 / MEAN_S)],
        number_of_servers=[SERVERS],
    )
    ciw.seed(seed)
    simulation = ciw.Simulation(network)
    simulation.simulate_until_max_customers(requests, method="Finish")
    records = simulation.get_all_records()
    return float(sum(one.exit_date - one.arrival_date for one in records) / len(records))


def salabim_components(requests: int, seed: int) -> float:
    """A component per request, monitors off."""
    import salabim

    salabim.yieldless(False)
    env = salabim.Environment(random_seed=seed, trace=False)
    server = salabim.Resource("server", SERVERS, monitor=False)
    random, took = Random(seed), [0.0]

    class Request(salabim.Component):  # type: ignore[misc]
        def process(self) -> Any:
            born = env.now()
            yield self.request(server)
            yield self.hold(random.expovariate(1.0 / MEAN_S))
            self.release()
            took[0] += env.now() - born

    class Arrivals(salabim.Component):  # type: ignore[misc]
        def process(self) -> Any:
            for _ in range(requests):
                yield self.hold(random.expovariate(RATE))
                Request()

    Arrivals()
    env.run()
    return took[0] / requests


def ours(kind: EngineKind) -> Peer:
    """One of the two engines."""

    def played(requests: int, seed: int) -> float:
        totals = play(kind, one_queue(requests / RATE), seed)
        return totals.latency_s / totals.good

    return played


PEERS: dict[str, tuple[str, Peer, int]] = {
    "SimPy, processes": ("simpy", simpy_processes, 1),
    "SimPy, callbacks": ("simpy", simpy_callbacks, 1),
    "Ciw": ("ciw", ciw_network, 1),
    "salabim": ("salabim", salabim_components, 1),
    "plain engine": ("simpy", ours("plain"), 1),
    "compiled engine": ("numba", ours("compiled"), 100),
}
"""Name to its package, its player, and how many times as many requests it gets, so that it runs long enough to be measured."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=20_000, help="requests of a run")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each, the median counts")
    arguments = parser.parse_args()
    base = 0.0
    print(f"{'simulator':18} {'requests/s':>12} {'x SimPy':>8} {'mean ms (exact 17.455)':>23}")
    for name, (package, run, times) in PEERS.items():
        if find_spec(package) is None:
            print(f"{name:18} {'not installed':>12}")
            continue
        run(1000, 99)
        rates, means = [], []
        for repeat in range(arguments.repeats):
            started = process_time()
            means.append(run(arguments.requests * times, repeat + 1))
            rates.append(arguments.requests * times / (process_time() - started))
        base = base or median(rates)
        print(f"{name:18} {median(rates):12,.0f} {median(rates) / base:8.2f} {1000.0 * sum(means) / len(means):23.2f}")


if __name__ == "__main__":
    main()
