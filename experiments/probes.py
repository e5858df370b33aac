"""Probes for Chaos Toolkit experiments: do requests succeed, who is primary, how far behind is a replica, does a fault bite.

Shares are numbers, so their tolerance is a range: `{"type": "range", "range": [0.95, 1.0]}`; a plain float is no valid tolerance.
"""

from __future__ import annotations

import time
from typing import Any

from experiments.adapters import patroni
from experiments.adapters.prometheus import Prometheus
from experiments.adapters.supervisor import Supervisor
from experiments.calls import status_of
from experiments.routes import send
from experiments.session import TARGET, session_of
from gameday.errors import GamedayError
from gameday.target import Target, read_target

__all__ = [
    "consensus_answers",
    "good_ratio",
    "primaries",
    "process_state",
    "prometheus_value",
    "proven",
    "replication_lag",
    "role",
    "serving",
    "silent_agents",
]

Configuration = dict[str, Any]


def good_ratio(
    request_class: str,
    requests: int = 10,
    deadline: float = 2.0,
    region: str | None = None,
    at_least: float = 0.0,
    within: float = 0.0,
    configuration: Configuration | None = None,
) -> float:
    """Share of so many requests of a class, sent one after another, that are answered well within the deadline (seconds).

    It looks again, for at most `within` seconds, until the share is `at_least` so high, and returns what it saw last.
    """
    target, ends = _target(configuration), time.monotonic() + within
    while True:
        answers = [send(target, request_class, region, timeout_s=deadline) for _ in range(requests)]
        share = sum(answer.good(deadline) for answer in answers) / requests
        if share >= at_least or time.monotonic() >= ends:
            return share


def serving(service: str, configuration: Configuration | None = None) -> int:
    """How many instances of a service answer their health check."""
    instances = _target(configuration).services[service].instances
    return sum(0 < status_of(one.url + one.health, 1.0) < 500 for one in instances)


def process_state(process: str, configuration: Configuration | None = None) -> str:
    """What the supervisor says of a process: running, stopped, frozen, exited."""
    target = _target(configuration)
    if target.supervisor is None:
        raise GamedayError(f"the target {target.name} names no supervisor")
    return Supervisor(target.supervisor, target.token()).state(process)


def primaries(database: str, configuration: Configuration | None = None) -> int:
    """How many nodes of a database take writes; 1 when all is well."""
    return len(patroni.primaries(_target(configuration).databases[database]))


def silent_agents(database: str, configuration: Configuration | None = None) -> int:
    """How many nodes have a PostgreSQL that answers and a Patroni that does not: frozen or dead agents."""
    nodes = _target(configuration).databases[database].nodes
    return sum(
        patroni.state_of(node).role != "down" and status_of(f"{node.patroni}/liveness", 1.0) == 0
        for node in nodes
        if node.patroni
    )


def consensus_answers(store: str, configuration: Configuration | None = None) -> bool:
    """Whether a consensus store of the target answers."""
    return status_of(f"{_target(configuration).consensus[store].url}/health", 1.0) != 0


def role(database: str, node: str, configuration: Configuration | None = None) -> str:
    """Role of one node: primary, replica or down; asked of PostgreSQL itself."""
    nodes = {each.name: each for each in _target(configuration).databases[database].nodes}
    if node not in nodes:
        raise GamedayError(f"'{node}' is no node of database/{database}; there are {', '.join(nodes)}")
    return patroni.state_of(nodes[node]).role


def replication_lag(database: str, configuration: Configuration | None = None) -> float:
    """Seconds the replica that is furthest behind is behind. An error when no replica says so."""
    states = [patroni.state_of(node) for node in _target(configuration).databases[database].nodes]
    found = [state.lag_s for state in states if state.role == "replica" and state.lag_s is not None]
    if not found:
        raise GamedayError(f"no replica of database/{database} says how far it is behind")
    return max(found)


def prometheus_value(query: str, configuration: Configuration | None = None) -> float:
    """The value of a query. An error when there is no data: silence is no value."""
    target = _target(configuration)
    if target.prometheus is None:
        raise GamedayError(f"the target {target.name} names no Prometheus")
    found = Prometheus(target.prometheus).value(query)
    if found is None:
        raise GamedayError(f"{query!r} gives no data")
    return found


def proven(index: str, configuration: Configuration | None = None) -> bool:
    """Whether the fault with this number in the schedule bites, as seen from outside."""
    return session_of(configuration).prove(index).holds


def _target(configuration: Configuration | None) -> Target:
    if not configuration or not configuration.get(TARGET):
        raise GamedayError(f"the experiment's configuration lacks {TARGET}")
    return read_target(str(configuration[TARGET]))
