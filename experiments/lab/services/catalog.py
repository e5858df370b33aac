"""`catalog`: reads from the nearest copy as long as that copy is fresh enough, from the primary otherwise, and else fails openly.

The rule that surprises: a copy's staleness is the age of the newest pulse it holds (the checkout instances write one every second), so a
copy that is cut off turns stale by itself, even if nobody buys anything.
"""

from __future__ import annotations

from typing import Any

import aiohttp
from aiohttp import web

from experiments.lab.services.server import Limits, Service, configuration, failed
from experiments.lab.services.store import BROKEN, Store

LIMITS = Limits(slots=4, queue=16, service_time="lognormal 15ms cv 0.5", longest_wait_s=1.0)
RECOMMENDATIONS_WITHIN_S = 0.2
DATABASE_WITHIN_S = 0.5
STALENESS_LIMIT_S = 5.0


class Catalog(Service):
    """Items with recommendations, when there are any."""

    def __init__(self, config: dict[str, Any]) -> None:
        """Needs `nearest` and `primary` (connection strings) and `recommendations` (URL)."""
        super().__init__(config, LIMITS)
        self.settings = {"recommendations": True, "staleness_limit_s": STALENESS_LIMIT_S}
        self.nearest = Store(config["nearest"], DATABASE_WITHIN_S)
        self.primary = Store(config["primary"], DATABASE_WITHIN_S)
        self.reads = {"nearest": 0, "primary": 0, "none": 0, "too_stale": 0}
        self.add("GET", "/catalog/{item}", self.item)
        self.app.cleanup_ctx.append(self._http)

    async def _http(self, _app: web.Application) -> Any:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=RECOMMENDATIONS_WITHIN_S)) as self.http:
            yield

    async def item(self, request: web.Request) -> web.Response:
        """200 with the item and where it was read; 404; 502 when no copy that is fresh enough answers."""
        wanted = request.match_info["item"]
        if not wanted.isdigit() or len(wanted) > 9:
            return failed(404, "no such item")
        for source, store, limit in self._sources():
            try:
                found, age_s = await self._read(store, int(wanted))
            except BROKEN:
                continue
            if limit is not None and age_s > limit:
                self.reads["too_stale"] += 1
                continue
            self.reads[source] += 1
            if found is None:
                return failed(404, "no such item")
            body = {"id": found[0], "name": found[1], "price_cents": found[2], "source": source, "age_s": round(age_s, 3)}
            return web.json_response(body | {"recommended": await self._recommended()})
        self.reads["none"] += 1
        return failed(502, "no copy is fresh enough")

    def _sources(self) -> list[tuple[str, Store, float | None]]:
        return [("nearest", self.nearest, self.settings["staleness_limit_s"]), ("primary", self.primary, None)]

    async def _read(self, store: Store, item: int) -> tuple[tuple[Any, ...] | None, float]:
        query = """SELECT i.id, i.name, i.price_cents, extract(epoch FROM clock_timestamp() - p.beat)::float8
                   FROM (SELECT max(beat) AS beat FROM pulse) AS p LEFT JOIN items AS i ON i.id = %s"""
        async with store.connection() as connection:
            row = await (await connection.execute(query, (item,))).fetchone()
        assert row is not None, "an aggregate has one row"
        age_s = row[3] if row[3] is not None else float("inf")
        return (row[:3] if row[0] is not None else None), age_s

    async def _recommended(self) -> list[int] | None:
        """None when they are switched off, late, or not to be had: the item is shown without."""
        if not self.settings["recommendations"]:
            return None
        try:
            async with self.http.get(self.config["recommendations"], headers={"x-class": "best-effort"}) as answer:
                if answer.status != 200:
                    return None
                items: list[int] = (await answer.json())["items"]
        except (aiohttp.ClientError, TimeoutError):
            return None
        return items

    def more_metrics(self, label: str) -> list[str]:
        """Where reads were served from."""
        return [f'shop_reads_total{{{label},source="{source}"}} {n}' for source, n in self.reads.items()]


def main() -> None:
    """Serve."""
    Catalog(configuration()).run()


if __name__ == "__main__":
    main()
