"""Whether the lab works: every process answers, the database has a primary and a streaming standby, orders go through each gateway."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, Final

import aiohttp

from experiments.lab.layout import GATEWAY_PORT, INSTANCES, PATRONI_PORT, REGIONS, Layout
from experiments.lab.plan import Process
from experiments.lab.services.checkout import LIMITS
from experiments.lab.settings import Settings

LOOK_WITHIN_S: Final = 3.0
ORDERS: Final = INSTANCES * LIMITS.slots
"""At once through a gateway, so that every connection that is kept to the database is tried: after a move they lead to the old primary."""


class Readiness:
    """Looks at one lab; `waiting` is empty when it works."""

    def __init__(self, layout: Layout, settings: Settings, http: aiohttp.ClientSession) -> None:
        self._layout, self._settings, self._http = layout, settings, http

    async def waiting_for(self, processes: Iterable[Process], *, order: bool) -> list[str]:
        """What does not work yet, in words; the cheapest looks first. With `order`, some are placed through each gateway."""
        asked = list(processes)
        answers = await asyncio.gather(*(self.answers(one) for one in asked))
        silent = [one.name for one, answer in zip(asked, answers, strict=True) if not answer]
        if silent:
            return [f"{name} does not answer" for name in silent]
        if missing := self._missing_of(await self.members()):
            return [missing]
        return [text for text in await asyncio.gather(*(self._shop(region, order=order) for region in REGIONS)) if text]

    async def answers(self, process: Process) -> bool:
        """Whether its own URL answers 200; a process without one does."""
        if process.answers is None:
            return True
        status, _ = await self._get(process.answers)
        return status == 200

    async def members(self) -> list[dict[str, Any]]:
        """The database's nodes as the first Patroni that answers sees them."""
        for region in REGIONS:
            status, body = await self._get(f"http://{self._layout.database(region)}:{PATRONI_PORT}/cluster")
            if status == 200 and isinstance(body, dict):
                members: list[dict[str, Any]] = body.get("members", [])
                return members
        return []

    def _missing_of(self, members: list[dict[str, Any]]) -> str | None:
        if not any(one["role"] == "leader" and one["state"] == "running" for one in members):
            return "the database has no primary"
        if not any(one["role"] != "leader" and one["state"] == "streaming" for one in members):
            return "the database has no streaming standby"
        if self._settings.synchronous and not any(one["role"] == "sync_standby" for one in members):
            return "the database has no synchronous standby"
        return None

    async def _shop(self, region: str, *, order: bool) -> str | None:
        entry = f"http://{self._layout.entry(region)}:{GATEWAY_PORT}"
        status, _ = await self._get(f"{entry}/catalog/1")
        if status != 200:
            return f"the catalog of {region} answers {status or 'nothing'}"
        if not order:
            return None
        statuses = await asyncio.gather(*(self._order(entry) for _ in range(ORDERS)))
        bad = [status for status in statuses if status != 201]
        return f"the checkout of {region} answers {bad[0] or 'nothing'}" if bad else None

    async def _order(self, entry: str) -> int:
        try:
            async with self._http.post(f"{entry}/checkout", json={"item": 1}) as answer:
                return answer.status
        except (aiohttp.ClientError, TimeoutError):
            return 0

    async def _get(self, url: str) -> tuple[int, Any]:
        """Status and JSON body (None for other bodies); status 0 when nobody answers in time."""
        try:
            async with self._http.get(url, timeout=aiohttp.ClientTimeout(total=LOOK_WITHIN_S)) as answer:
                body = await answer.json() if answer.content_type == "application/json" else None
                return answer.status, body
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return 0, None
