"""Actions for Chaos Toolkit experiments: put faults of a scenario in place, take them away, wait for instants of the day.

They can be used in experiments written by hand; the experiment's configuration names the target file and the scenario
(`experiments.session`). `frozen_agent` and `switch_over` need the target file only.
"""

from __future__ import annotations

import time
from typing import Any

from experiments.adapters.envoy import Envoy
from experiments.adapters.patroni import switchover, the_primary
from experiments.adapters.supervisor import Supervisor
from experiments.session import TARGET, session_of
from gameday.errors import GamedayError
from gameday.target import Target, read_target

__all__ = [
    "drain",
    "freeze_process",
    "heal",
    "inject",
    "kill_process",
    "restart_process",
    "resume_process",
    "switch_over",
    "undrain",
    "wait_until",
]

Configuration = dict[str, Any]

NAP_S = 0.5
"""Longest single sleep: a signal ends a sleep, and a clock that was set is noticed."""


def inject(index: str, configuration: Configuration | None = None) -> str:
    """Put the fault with this number in the schedule in place."""
    session = session_of(configuration)
    try:
        session.inject(index)
    except GamedayError as error:
        session.refuse(index, str(error))
        raise
    return str(session.plan.of(index).pinned)


def heal(index: str, configuration: Configuration | None = None) -> str:
    """Take that fault away; does nothing when it is not in place."""
    session = session_of(configuration)
    try:
        session.heal(index)
    except GamedayError as error:
        session.refuse(index, str(error))
        raise
    return session.plan.of(index).state


def wait_until(at: float, configuration: Configuration | None = None) -> float:
    """Wait for an instant of the day, seconds from its start; returns the instant at which it went on."""
    clock = session_of(configuration).clock
    while (left := at - clock.now()) > 0.0:
        time.sleep(min(left, NAP_S))
    return clock.now()


def freeze_process(
    process: str | None = None, primary_of: str | None = None, children: bool = True, configuration: Configuration | None = None
) -> str:
    """SIGSTOP a process of the target's supervisor, or that of a database's primary; `children: false` spares what it has started.

    With `primary_of` and `children: false` a Patroni agent is frozen while its PostgreSQL goes on taking writes.
    """
    target = _target(configuration)
    name = process or _primary_process(target, primary_of)
    _supervisor(target).freeze(name, children=children)
    return name


def resume_process(
    process: str | None = None, primary_of: str | None = None, children: bool = True, configuration: Configuration | None = None
) -> list[str]:
    """SIGCONT likewise; with `primary_of` every node of that database, for its primary may have moved."""
    target = _target(configuration)
    names = [process] if process else [node.process for node in target.databases[str(primary_of)].nodes if node.process]
    for name in names:
        _supervisor(target).resume(str(name), children=children)
    return [str(name) for name in names]


def kill_process(process: str, configuration: Configuration | None = None) -> str:
    """SIGKILL a process of the target's supervisor that is no part of the scenario's system, such as the consensus store."""
    _supervisor(_target(configuration)).kill(process)
    return process


def restart_process(process: str, configuration: Configuration | None = None) -> str:
    """Make it run again; does nothing when it runs."""
    _supervisor(_target(configuration)).restart(process)
    return process


def switch_over(database: str, configuration: Configuration | None = None) -> str:
    """Hand a database's primary role over as planned work does; returns who had it before."""
    target = _target(configuration)
    leader = the_primary(database, target.databases[database])
    switchover(target.databases[database], leader.name)
    return leader.name


def drain(region: str, configuration: Configuration | None = None) -> str:
    """Let a region's gateway fail its health checks, so that clients go elsewhere."""
    admin = _target(configuration).gateways[region].admin
    if admin is None:
        raise GamedayError(f"the target names no administration interface of the gateway in {region}")
    Envoy(admin).drain()
    return admin


def undrain(region: str, configuration: Configuration | None = None) -> str:
    """Undo `drain`."""
    admin = _target(configuration).gateways[region].admin
    if admin is None:
        raise GamedayError(f"the target names no administration interface of the gateway in {region}")
    Envoy(admin).undrain()
    return admin


def _target(configuration: Configuration | None) -> Target:
    if not configuration or not configuration.get(TARGET):
        raise GamedayError(f"the experiment's configuration lacks {TARGET}")
    return read_target(str(configuration[TARGET]))


def _supervisor(target: Target) -> Supervisor:
    if target.supervisor is None:
        raise GamedayError(f"the target {target.name} names no supervisor")
    return Supervisor(target.supervisor, target.token())


def _primary_process(target: Target, database: str | None) -> str:
    if database is None or database not in target.databases:
        raise GamedayError(f"'{database}' is no database of the target; give `process`, or `primary_of`")
    node = the_primary(database, target.databases[database])
    if node.process is None:
        raise GamedayError(f"the target names no process for {node.name}")
    return node.process
