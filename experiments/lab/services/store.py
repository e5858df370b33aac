"""Connections to PostgreSQL that come back: bounded waits, one fresh connection after a broken one, never a hidden retry of a write."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import psycopg

Connection = psycopg.AsyncConnection[tuple[Any, ...]]
BROKEN = (psycopg.OperationalError, psycopg.InterfaceError, psycopg.errors.ReadOnlySqlTransaction, TimeoutError, OSError)
"""What a failing or demoted database looks like to a client."""


class Store:
    """A small pool: at most as many connections as callers hold at once, kept when they worked, closed when they did not."""

    def __init__(self, dsn: str, timeout_s: float) -> None:
        """`timeout_s` bounds everything a caller does with one connection, connecting included."""
        self._dsn, self._timeout_s = dsn, timeout_s
        self._idle: list[Connection] = []

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection inside one transaction; commits at the end. Whatever is raised, the connection is not used again."""
        async with asyncio.timeout(self._timeout_s):
            connection = self._idle.pop() if self._idle else await psycopg.AsyncConnection.connect(self._dsn)
            try:
                async with connection.transaction():
                    yield connection
            except BaseException:
                with suppress(Exception):
                    connection.pgconn.finish()
                raise
            if connection.closed:
                return
            self._idle.append(connection)
