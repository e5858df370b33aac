"""Roles and lags of a database's nodes, the leader's lease, and when callers reach a new primary: the stages of a failover, as they show.

The rule that surprises: each stage has a witness of its own. The lease is read from etcd, the role from PostgreSQL, the way of the callers
through a gateway; no stage is inferred from another. Between the end of a lease and the promotion roles are asked twenty times a second,
because the promotion itself may take less than a tenth.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from functools import partial

from experiments.adapters.patroni import NodeState, lease_holder, state_of, writable
from experiments.calls import CallError
from experiments.observe.indicators import LiveIndicators
from experiments.observe.notebook import Notebook
from experiments.observe.pace import Haste, every
from gameday.target import Database, Node

ROLES_EVERY_S = 0.5
HURRIED_EVERY_S = 0.05
"""As often roles are asked while a move goes on."""
MOVES_WITHIN_S = 30.0
"""A move that takes longer is waited for calmly."""
LEASE_EVERY_S = 0.1
ROUTE_EVERY_S = 0.1


class RoleWatch:
    """One database; nodes are named by zone, as the scenario names them."""

    def __init__(
        self,
        name: str,
        database: Database,
        indicators: LiveIndicators,
        notebook: Notebook,
        etcd: str | None,
        moved_by: Callable[[str], str | None] = lambda _: None,
        asked_by: Callable[[str], str | None] = lambda _: None,
    ) -> None:
        """`moved_by`: name of the region's failover that is moving the database now, of which its promotion is a step; `asked_by`: who
        has asked for the role to be handed over."""
        self._moved_by, self._asked_by = moved_by, asked_by
        self._name, self._database, self._indicators, self._notebook, self._etcd = name, database, indicators, notebook, etcd
        self._subject = f"database/{name}"
        self._roles: dict[str, str] = {}
        self._blocked: set[str] = set()
        """Primaries that acknowledge nothing, for want of a standby."""
        self._primary: str | None = None
        self._triggered = False
        self._unreached: str | None = None
        self._promoted_s = -math.inf
        self._to_ask: set[str] = set()
        """Nodes that have not been asked since there is a new primary: what they said before is of another time."""
        self._count = -1
        self._haste = Haste(ROLES_EVERY_S, HURRIED_EVERY_S, MOVES_WITHIN_S)
        self._lock = threading.Lock()

    def looks(self) -> Iterator[Callable[[], None]]:
        """One thread a witness: one that hangs must not hide what the others see."""
        for node in self._database.nodes:
            yield partial(self._watch, node)
        yield self._watch_count
        if self._etcd is not None and self._database.scope is not None:
            yield partial(self._watch_lease, self._etcd, self._database.scope)
        if self._database.gateway_dsn:
            yield partial(self._watch_route, next(iter(self._database.gateway_dsn.values())))

    def _watch(self, node: Node) -> None:
        for _ in self._haste.rounds():
            asked_s = self._notebook.clock.now()
            state = state_of(node)
            with self._lock:
                self._take(node, state, asked_s)

    def _watch_count(self) -> None:
        """A sample a second: a count that changed last before the day began is a fact of the day too."""
        for _ in every(1.0):
            with self._lock:
                self._count_primaries(always=True)

    def _watch_lease(self, etcd: str, scope: str) -> None:
        """The lease runs out, or goes to another: a move begins. An etcd that does not answer says nothing."""
        before: str | None = None
        for _ in every(LEASE_EVERY_S):
            try:
                holder = lease_holder(etcd, scope)
            except CallError:
                continue
            if before is not None and holder != before:
                with self._lock:
                    self._trigger(f"the lease of {before} " + ("ran out" if holder is None else f"went to {holder}"))
            before = holder or before

    def _watch_route(self, dsn: str) -> None:
        for _ in every(ROUTE_EVERY_S):
            reached = self._unreached
            if reached is not None and writable(dsn):
                with self._lock:
                    self._unreached = None
                    self._notebook.say("failover.completed", self._subject, {"failover": self._name, "to": reached})

    def _trigger(self, why: str) -> None:
        if not self._triggered and self._moved_by(self._name) is None:
            self._triggered = True
            self._haste.begin()
            about = {"failover": self._name, "why": why, "by": self._asked_by(self._name) or "automation"}
            self._notebook.say("failover.triggered", self._subject, about)

    def _take(self, node: Node, state: NodeState, asked_s: float) -> None:
        now = self._notebook.clock.now()
        last_asked = self._to_ask == {node.zone} and asked_s >= self._promoted_s
        if asked_s >= self._promoted_s:
            self._to_ask.discard(node.zone)
        if state.lag_s is not None:
            self._indicators.keep("replication_lag", f"{self._subject}@{node.zone}", now, state.lag_s)
            self._notebook.sample("database.lag", state.lag_s, now, database=self._name, node=node.zone)
        (self._blocked.add if state.blocked else self._blocked.discard)(node.zone)
        before = self._roles.get(node.zone)
        if before == state.role:
            if last_asked:
                self._count_primaries(always=False)
            return
        self._roles[node.zone] = state.role
        if before is not None:
            self._notebook.say("database.role", self._subject, {"node": node.zone, "role": state.role}, at=now)
        if state.role == "primary":
            if before is not None and self._primary not in (None, node.zone):
                self._promoted(node.zone, now)
            self._primary = node.zone
        self._count_primaries(always=False)

    def _promoted(self, zone: str, now: float) -> None:
        self._trigger("another node took the role")
        self._triggered = False
        self._haste.end()
        self._promoted_s = now
        self._to_ask = {node.zone for node in self._database.nodes} - {zone}
        move = self._moved_by(self._name)
        about = {"failover": move or self._name, "from": str(self._primary), "to": zone}
        self._notebook.say("failover.promoted", self._subject, about, at=max(now, self._notebook.clock.now()))
        if move is not None:
            return  # when it is complete is said of the region
        if self._database.gateway_dsn:
            self._unreached = zone
        else:
            self._notebook.say("failover.completed", self._subject, {"failover": self._name, "to": zone})

    def _count_primaries(self, *, always: bool) -> None:
        if len(self._roles) < len(self._database.nodes) or self._to_ask:
            return
        count = sum(role == "primary" and zone not in self._blocked for zone, role in self._roles.items())
        if always or count != self._count:
            self._notebook.sample("database.primaries", float(count), database=self._name)
        self._count = count
