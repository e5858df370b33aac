"""Clients of a database: one pinned to every node, one through every gateway; each writes unique ids and notes what it was told.

The rule that surprises: an error before the statement was sent is a failure, after it nobody knows. A server that says "read only" has
certainly not written.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from gameday.write_truth import PER_SECOND, WITHIN_S, Outcome, Write

ACCOUNTS: Final = 10
MONEY: Final = 100
SCHEMA: Final = (
    "drop table if exists gameday_writes, gameday_bank",
    "create table gameday_writes (id text primary key, via text not null, number bigint not null)",
    "create table gameday_bank (account int primary key, balance bigint not null check (balance >= 0))",
    f"insert into gameday_bank select account, {MONEY} from generate_series(1, {ACCOUNTS}) as account",  # noqa: S608 - our own numbers
)


@dataclass(slots=True)
class Client:
    """One connection that is made again when it breaks."""

    dsn: str
    _open: Any = None

    def execute(self, statement: str, values: tuple[object, ...] = ()) -> Any:
        """Run one statement in a transaction of its own."""
        if self._open is None or self._open.closed:
            self._open = self._connect()
        return self._open.execute(statement, values)

    def transaction(self, steps: Callable[[Any], None]) -> None:
        """Run several in one."""
        if self._open is None or self._open.closed:
            self._open = self._connect()
        with self._open.transaction():
            steps(self._open)

    def connected(self) -> bool:
        """Whether there is a connection to send on."""
        return self._open is not None and not self._open.closed

    def drop(self) -> None:
        """Give the connection up."""
        if self._open is not None:
            with suppress(Exception):
                self._open.close()
        self._open = None

    def _connect(self) -> Any:
        import psycopg

        options = f"-c statement_timeout={WITHIN_S * 1000}"
        return psycopg.connect(
            self.dsn, autocommit=True, connect_timeout=WITHIN_S, options=options, tcp_user_timeout=WITHIN_S * 1000
        )


@dataclass(slots=True)
class Writer:
    """Writes until told to stop."""

    via: str
    dsn: str
    now: Callable[[], float]
    stop: threading.Event
    per_second: float = PER_SECOND
    writes: list[Write] = field(default_factory=list)

    def run(self) -> None:
        """At a fixed rate; a write that hangs delays the next."""
        client, number = Client(self.dsn), 0
        due = time.monotonic()
        while not self.stop.wait(max(0.0, due - time.monotonic())):
            due = max(due + 1.0 / self.per_second, time.monotonic())
            number += 1
            name, began = f"{self.via}/{number}", self.now()
            outcome = self._write(client, name, number)
            self.writes.append(Write(name, self.via, outcome, began, self.now()))
        client.drop()

    def _write(self, client: Client, name: str, number: int) -> Outcome:
        import psycopg

        sent = client.connected()
        try:
            if not sent:
                client.execute("select 1")
                sent = True
            client.execute("insert into gameday_writes (id, via, number) values (%s, %s, %s)", (name, self.via, number))
        except (psycopg.errors.ReadOnlySqlTransaction, psycopg.errors.UndefinedTable):
            return "failed"
        except psycopg.Error:
            client.drop()
            return "indeterminate" if sent else "failed"
        return "ok"


@dataclass(slots=True)
class Bank:
    """Moves money between accounts through a gateway, and looks whether the total stays the same on every node."""

    gateway: str
    nodes: dict[str, str]
    """Name to connection string."""
    stop: threading.Event
    totals: list[tuple[str, int]] = field(default_factory=list)

    def run(self) -> None:
        """A transfer and a look at every node a second."""
        import psycopg

        mover, lookers, turn = Client(self.gateway), {name: Client(dsn) for name, dsn in self.nodes.items()}, 0
        while not self.stop.wait(1.0 / 3.0):
            turn += 1
            try:
                mover.transaction(lambda open_one, turn=turn: _transfer(open_one, turn))  # type: ignore[misc]
            except psycopg.Error:
                mover.drop()
            if turn % 3 == 0:
                for name, client in lookers.items():
                    try:
                        row = client.execute("select sum(balance)::bigint, count(*) from gameday_bank").fetchone()
                    except psycopg.Error:
                        client.drop()
                        continue
                    if row is not None and row[1] == ACCOUNTS:
                        self.totals.append((name, int(row[0])))


def _transfer(open_one: Any, turn: int) -> None:
    source, target = turn % ACCOUNTS + 1, turn * 7 % ACCOUNTS + 1
    taken = open_one.execute(
        "update gameday_bank set balance = balance - 1 where account = %s and balance > 0", (source,)
    ).rowcount
    if taken:
        open_one.execute("update gameday_bank set balance = balance + 1 where account = %s", (target,))


@dataclass(slots=True)
class Reader:
    """Reads the newest number of one writer from one node."""

    node: str
    dsn: str
    via: str
    now: Callable[[], float]
    stop: threading.Event
    served: Callable[[], bool] | None = None
    """Whether the users of the node's region are given what it says, now; None = nobody knows."""
    reads: list[tuple[float, int]] = field(default_factory=list)
    given: list[tuple[float, int]] = field(default_factory=list)
    """Those of the reads at whose time users were served from this node."""

    def run(self) -> None:
        """Twice a second; a read that fails is no stale read."""
        import psycopg

        client = Client(self.dsn)
        while not self.stop.wait(0.5):
            began = self.now()
            try:
                row = client.execute(
                    "select coalesce(max(number), 0) from gameday_writes where via = %s and pg_is_in_recovery()", (self.via,)
                ).fetchone()
            except psycopg.Error:
                client.drop()
                continue
            if row is not None and row[0]:
                self.reads.append((began, int(row[0])))
                if self.served is not None and self.served():
                    self.given.append(self.reads[-1])
        client.drop()
