"""Threads that look at the target from the first second: synthetic probes, health of instances, roles of database nodes.

The rule that surprises: each look has a bound, and a look that fails is a result. A thread that died is not: the process ends with it.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from random import Random

from experiments.adapters.patroni import NodeState, state_of
from experiments.calls import status_of
from experiments.observe.indicators import LiveIndicators
from experiments.observe.notebook import Notebook
from experiments.routes import send
from gameday.scenario.model import Scenario
from gameday.scenario.monitoring import Probe
from gameday.target import Database, Node, Target

ROLES_EVERY_S = 0.5
HEALTH_WITHIN_S = 1.0
LAG_CHANGE_S = 1.0
"""A replica's lag is put on the timeline when it passes a multiple of this."""


def start_looking(scenario: Scenario, target: Target, indicators: LiveIndicators, notebook: Notebook) -> list[threading.Thread]:
    """Start every thread."""
    threads = [_thread(look) for look in _looks(scenario, target, indicators, notebook)]
    for each in threads:
        each.start()
    return threads


def _looks(scenario: Scenario, target: Target, indicators: LiveIndicators, notebook: Notebook) -> Iterator[Callable[[], None]]:
    for name, probe in scenario.monitoring.probes.items():
        if probe.request_class in target.routes:
            for origin in [probe.origin] if probe.origin else list(scenario.system.traffic.origins):
                yield _Prober(scenario, target, indicators, notebook, name, probe, origin).run
    if target.services:
        yield lambda: _check_health(scenario, target, indicators, notebook)
    for name, database in target.databases.items():
        yield _RoleWatch(name, database, indicators, notebook).run


def _thread(run: Callable[[], None]) -> threading.Thread:
    def guarded() -> None:
        try:
            run()
        except Exception:  # noqa: BLE001 - whatever it was, the process may not go on half blind
            import traceback

            traceback.print_exc()
            os._exit(70)

    return threading.Thread(target=guarded, daemon=True)


def every(seconds: float, phase_s: float = 0.0) -> Iterator[None]:
    """Come round at fixed instants; what took too long skips some."""
    due = time.monotonic() + phase_s
    while True:
        time.sleep(max(0.0, due - time.monotonic()))
        yield
        due = max(due + seconds, time.monotonic())


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

    def run(self) -> None:
        for _ in every(self._probe.interval, self._random.uniform(0.0, self._probe.interval)):
            answer = send(self._target, self._probe.request_class, self._region, self._probe.timeout, self._random)
            value = float(answer.good(min(self._deadline_s, self._probe.timeout)))
            now = self._notebook.clock.now()
            self._indicators.keep("probe_success", f"probe/{self._name}@{self._origin}", now, value)
            self._notebook.sample("probe.success", value, now, probe=self._name, origin=self._origin)


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


class _RoleWatch:
    """Roles and lags of a database's nodes, from PostgreSQL; named by zone, as the scenario names them."""

    def __init__(self, name: str, database: Database, indicators: LiveIndicators, notebook: Notebook) -> None:
        self._name, self._database, self._indicators, self._notebook = name, database, indicators, notebook
        self._roles: dict[str, str] = {}
        self._primary: str | None = None
        self._count = -1
        self._lock = threading.Lock()

    def run(self) -> None:
        """Each node has a thread of its own: one that hangs must not hide what the others do."""
        for node in self._database.nodes:
            _thread(lambda node=node: self._watch(node)).start()  # type: ignore[misc]
        for _ in every(1.0):
            with self._lock:
                self._count_primaries(always=self._count != 1)

    def _watch(self, node: Node) -> None:
        for _ in every(ROLES_EVERY_S):
            state = state_of(node)
            with self._lock:
                self._take(node, state)

    def _take(self, node: Node, state: NodeState) -> None:
        now, subject = self._notebook.clock.now(), f"database/{self._name}"
        if state.lag_s is not None:
            self._indicators.keep("replication_lag", f"{subject}@{node.zone}", now, state.lag_s)
            self._notebook.sample("database.lag", state.lag_s, now, database=self._name, node=node.zone)
        before = self._roles.get(node.zone)
        if before == state.role:
            return
        self._roles[node.zone] = state.role
        if before is not None:
            self._notebook.say("database.role", subject, {"node": node.zone, "role": state.role}, at=now)
        if state.role == "primary":
            if before is not None and self._primary not in (None, node.zone):
                about = {"failover": self._name}
                why = {"why": "another node took the role", "by": "automation"}
                self._notebook.say("failover.triggered", subject, {**about, **why}, at=now)
                self._notebook.say("failover.promoted", subject, {**about, "from": str(self._primary), "to": node.zone}, at=now)
                self._notebook.say("failover.completed", subject, {**about, "to": node.zone}, at=now)
            self._primary = node.zone
        self._count_primaries(always=False)

    def _count_primaries(self, *, always: bool) -> None:
        if len(self._roles) < len(self._database.nodes):
            return
        count = sum(role == "primary" for role in self._roles.values())
        if always or count != self._count:
            self._notebook.sample("database.primaries", float(count), database=self._name)
        self._count = count
