"""Threads that look at the target from the first second: synthetic probes, health of instances, roles of database nodes.

The rule that surprises: each look has a bound, and a look that fails is a result. A thread that died is not: the process ends with it.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

from experiments.calls import status_of
from experiments.names import lookup
from experiments.observe.database_moves import DatabaseMoves
from experiments.observe.decisions import Decisions
from experiments.observe.degradation import Degrader
from experiments.observe.indicators import LiveIndicators
from experiments.observe.notebook import Notebook
from experiments.observe.pace import every
from experiments.observe.region_failover import RegionFailover
from experiments.observe.roles import RoleWatch
from experiments.observe.steering import Steering
from experiments.routes import send
from gameday.resolver_cache import ResolverCache
from gameday.scenario.model import Scenario
from gameday.scenario.monitoring import Probe
from gameday.target import Target

HEALTH_WITHIN_S = 1.0


def start_looking(scenario: Scenario, target: Target, indicators: LiveIndicators, notebook: Notebook, live: Path) -> Steering:
    """Start every thread, and answer with what people may do; `live`: the folder that holds what has to be put back."""
    decisions, databases = Decisions(scenario.response.roles), DatabaseMoves(scenario, target)
    failover = RegionFailover(scenario, target, notebook, Random("failover"), decisions, databases)  # noqa: S311 - no secret
    for look in [*failover.looks(), *_looks(scenario, target, indicators, notebook, live, databases)]:
        guarded_thread(look).start()
    return Steering(scenario, target, notebook, live, failover, decisions, databases)


def _looks(
    scenario: Scenario,
    target: Target,
    indicators: LiveIndicators,
    notebook: Notebook,
    live: Path,
    databases: DatabaseMoves,
) -> Iterator[Callable[[], None]]:
    for name, probe in scenario.monitoring.probes.items():
        if probe.request_class in target.routes:
            for origin in [probe.origin] if probe.origin else list(scenario.system.traffic.origins):
                yield _Prober(scenario, target, indicators, notebook, name, probe, origin).run
    if target.services:
        yield lambda: _check_health(scenario, target, indicators, notebook)
    yield from Degrader(scenario, target, notebook, live).looks()
    etcd = next((each.url for each in target.consensus.values()), None)
    for name, database in target.databases.items():
        yield from RoleWatch(name, database, indicators, notebook, etcd, databases.move_of, databases.asked_by).looks()


def guarded_thread(run: Callable[[], None]) -> threading.Thread:
    """A thread, not started, that ends the process when it fails."""

    def guarded() -> None:
        try:
            run()
        except Exception:  # noqa: BLE001 - whatever it was, the process may not go on half blind
            import traceback

            traceback.print_exc()
            os._exit(70)

    return threading.Thread(target=guarded, daemon=True)


class _Prober:
    """One probe from one origin."""

    def __init__(
        self,
        scenario: Scenario,
        target: Target,
        indicators: LiveIndicators,
        notebook: Notebook,
        name: str,
        probe: Probe,
        origin: str,
    ) -> None:
        home = scenario.system.traffic.origins[origin].region
        self._region = home if home in target.entries else next(iter(target.entries))
        self._target, self._indicators, self._notebook, self._probe = target, indicators, notebook, probe
        self._name, self._origin = name, origin
        self._deadline_s = scenario.load.classes[probe.request_class].deadline
        self._random = Random(f"{name}@{origin}")  # noqa: S311 - no secret
        self._cache = ResolverCache(target.entries, self._region)

    def run(self) -> None:
        for _ in every(self._probe.interval, self._random.uniform(0.0, self._probe.interval)):
            region = self._where()
            value = 0.0
            if region is not None:
                answer = send(self._target, self._probe.request_class, region, self._probe.timeout, self._random)
                value = float(answer.good(min(self._deadline_s, self._probe.timeout)))
            now = self._notebook.clock.now()
            self._indicators.keep("probe_success", f"probe/{self._name}@{self._origin}", now, value)
            self._notebook.sample("probe.success", value, now, probe=self._name, origin=self._origin)

    def _where(self) -> str | None:
        """The region it goes to, as a client of its origin would: by the public name where there is a server to ask."""
        public = self._target.public
        if public is None or public.resolver is None:
            return self._region
        if self._cache.must_ask(time.monotonic()):
            self._cache.learn(lookup(public.resolver, public.name), time.monotonic())
        found = self._cache.place()
        return found[0] if found is not None else None


def _check_health(scenario: Scenario, target: Target, indicators: LiveIndicators, notebook: Notebook) -> None:
    """Instances that answer their health check, by service and region."""
    for _ in every(scenario.monitoring.scrape):
        for name, service in target.services.items():
            up = {one.region: 0.0 for one in service.instances}
            for one in service.instances:
                up[one.region] += float(0 < status_of(one.url + one.health, HEALTH_WITHIN_S) < 500)
            now = notebook.clock.now()
            for region, count in up.items():
                indicators.keep("instances_up", f"service/{name}@{region}", now, count)
                notebook.sample("service.instances", count, now, service=name, region=region)
