"""What a scenario says of the system, held against what the system says of itself: primaries, replication, leases, health checks.

The rule that surprises: a day is refused when they differ, although nothing is wrong with either. Its prediction would be that of another
system, and a comparison with it worth nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg

from experiments.adapters.patroni import connection, primaries
from experiments.calls import CallError, call
from experiments.inventory import Inventory
from gameday.scenario.policies import Promotion
from gameday.target import Database, Node, Target
from gameday.units import format_duration


def facts(inventory: Inventory) -> Iterator[tuple[str, str]]:
    """What was looked at, and what was seen; the latter begins with `!` where the scenario says otherwise."""
    scenario, target = inventory.scenario, inventory.target
    for name, database in target.databases.items():
        model = scenario.system.databases.get(name)
        found = primaries(database) if model is not None else []
        if model is None or len(found) != 1:
            continue  # the steady state tells of databases without a primary
        yield f"the primary of {name} is where the scenario has it", _same(found[0].zone, model.primary)
        is_synchronous = _is_synchronous(found[0])
        if is_synchronous is not None:
            seen = "synchronous" if is_synchronous else "asynchronous"
            wanted = "asynchronous" if model.replication == "asynchronous" else "synchronous"
            yield f"{name} is replicated as in the scenario", _same(seen, wanted)
        policy = scenario.policies.databases.get(name)
        if policy is not None and policy.mode == "automatic":
            yield from _lease(name, database, policy)
            yield from _health_checks(name, target, policy)


def _same(seen: str, wanted: str) -> str:
    return seen if seen == wanted else f"!it is {seen}, and {wanted} in the scenario"


def _is_synchronous(primary: Node) -> bool | None:
    try:
        with connection(primary.dsn) as opened:
            return bool(opened.execute("show synchronous_standby_names").fetchone()[0])
    except psycopg.Error:
        return None


def _lease(name: str, database: Database, policy: Promotion) -> Iterator[tuple[str, str]]:
    """Patroni's ttl and loop_wait are the policy's lease and heartbeat."""
    for node in database.nodes:
        if node.patroni is None:
            continue
        try:
            settings = call("GET", f"{node.patroni.rstrip('/')}/config")
        except CallError:
            continue
        if isinstance(settings, dict) and "ttl" in settings:
            seen = _pair(settings["ttl"], settings.get("loop_wait", policy.heartbeat))
            yield f"the lease of {name} and its heartbeat are the scenario's", _same(seen, _pair(policy.lease, policy.heartbeat))
        return


def _pair(lease_s: float, heartbeat_s: float) -> str:
    return f"{format_duration(float(lease_s))}, {format_duration(float(heartbeat_s))}"


def _health_checks(name: str, target: Target, policy: Promotion) -> Iterator[tuple[str, str]]:
    """The gateways' health checks of the primary are as often as the policy says."""
    if policy.check is None:
        return
    wanted = _pair(policy.check.interval, policy.check.no_traffic or policy.check.interval)
    for region, gateway in target.gateways.items():
        found = _check_of_primary(gateway.admin) if gateway.admin is not None else None
        if found is not None:
            what = f"the gateway in {region} looks for the primary of {name} as often as in the scenario"
            yield what, _same(found, wanted)


def _check_of_primary(admin: str) -> str | None:
    """Interval, with traffic and without, of the first health check in an Envoy that asks Patroni for the primary."""
    try:
        found = call("GET", f"{admin.rstrip('/')}/config_dump?resource=static_clusters")
    except CallError:
        return None
    clusters: list[dict[str, Any]] = (
        [one.get("cluster", {}) for one in found.get("configs", [])] if isinstance(found, dict) else []
    )
    for cluster in clusters:
        for check in cluster.get("health_checks", []):
            if check.get("http_health_check", {}).get("path") == "/primary":
                usual = _seconds(check["interval"])
                return _pair(usual, _seconds(check.get("no_traffic_interval", "60s")))
    return None


def _seconds(text: str) -> float:
    """A duration as protobuf's JSON writes it: `1.500s`."""
    return float(text.removesuffix("s"))
