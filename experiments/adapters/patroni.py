"""PostgreSQL under Patroni: who is primary, how far behind the others are, a planned switch-over.

The rule that surprises: roles are asked of PostgreSQL itself. Patroni's interface answers from the agent's memory, and a frozen agent's
memory is of another time.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from experiments.calls import CallError, call
from gameday.errors import GamedayError
from gameday.target import Database, Node

Role = Literal["primary", "replica", "down"]


@dataclass(frozen=True, slots=True)
class NodeState:
    """What a node says of itself."""

    role: Role
    lag_s: float | None = None
    """Age of the newest change a replica has; None for a primary and for a node that is down."""
    timeline: int | None = None
    """Its timeline: it grows with every promotion."""
    blocked: bool = False
    """Whether its commits wait for a standby that is not there: a primary that acknowledges nothing."""


@contextmanager
def connection(dsn: str, timeout_s: int = 2) -> Iterator[Any]:
    """A connection that commits every statement and gives up soon."""
    import psycopg

    options = f"-c statement_timeout={timeout_s * 1000}"
    opened = psycopg.connect(dsn, autocommit=True, connect_timeout=timeout_s, options=options, tcp_user_timeout=timeout_s * 1000)
    try:
        yield opened
    finally:
        opened.close()


def state_of(node: Node) -> NodeState:
    """Role, lag and timeline of a node, from PostgreSQL."""
    import psycopg

    query = (
        "select pg_is_in_recovery(), case when pg_is_in_recovery() and pg_last_wal_receive_lsn() is distinct from "
        "pg_last_wal_replay_lsn() then extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp())::float8 "
        "when pg_is_in_recovery() then 0.0 end, (select timeline_id from pg_control_checkpoint()), "
        "current_setting('synchronous_standby_names') <> '' and not exists "
        "(select from pg_stat_replication where state = 'streaming' and sync_state in ('sync', 'quorum'))"
    )
    try:
        with connection(node.dsn) as opened:
            in_recovery, lag_s, timeline, blocked = opened.execute(query).fetchone()
    except psycopg.Error:
        return NodeState("down")
    return NodeState("replica" if in_recovery else "primary", lag_s, timeline, blocked and not in_recovery)


def primaries(database: Database) -> list[Node]:
    """All nodes that take writes: one when all is well."""
    return [node for node in database.nodes if state_of(node).role == "primary"]


def the_primary(name: str, database: Database) -> Node:
    """The node that takes writes. GamedayError when there is none or more than one."""
    found = primaries(database)
    if len(found) != 1:
        said = ", ".join(f"{node.name}: {state_of(node).role}" for node in database.nodes)
        raise GamedayError(f"database/{name} has {len(found)} primaries ({said}), and exactly one is needed")
    return found[0]


def streaming(primary: Node) -> list[str]:
    """Names under which replicas receive changes from a primary now."""
    with connection(primary.dsn) as opened:
        rows = opened.execute("select application_name from pg_stat_replication where state = 'streaming'").fetchall()
    return sorted(str(row[0]) for row in rows)


def lease_holder(etcd: str, scope: str) -> str | None:
    """Who holds the leader's lease in etcd; None when it has run out. CallError when etcd does not answer."""
    key = base64.b64encode(f"/service/{scope}/leader".encode()).decode()
    answer = call("POST", f"{etcd.rstrip('/')}/v3/kv/range", {"key": key}, timeout_s=1.0)
    found = (answer or {}).get("kvs") or []
    return base64.b64decode(found[0]["value"]).decode() if found else None


def writable(dsn: str) -> bool:
    """Whether a connection reaches a node that takes writes."""
    import psycopg

    try:
        with connection(dsn, 1) as opened:
            return not opened.execute("select pg_is_in_recovery()").fetchone()[0]
    except psycopg.Error:
        return False


def switchover(database: Database, leader: str, candidate: str | None = None) -> None:
    """Ask Patroni to hand the role over; any agent that answers is asked."""
    body = {"leader": leader, **({"candidate": candidate} if candidate else {})}
    failures = []
    for node in database.nodes:
        if node.patroni is None:
            continue
        try:
            call("POST", f"{node.patroni.rstrip('/')}/switchover", body, timeout_s=30.0)
        except CallError as error:
            failures.append(str(error))
        else:
            return
    raise GamedayError("no agent switched over: " + ("; ".join(failures) or "the target names none"))
