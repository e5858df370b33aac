"""`checkout`: an order and its payment as a saga: pending, charge, confirmed; or cancelled and the charge voided.

The rule that surprises: when the outcome of a charge is not known (timeout), the order is cancelled and the charge is voided, and an order
left pending by a crash is settled later by asking the provider. No state is ever guessed.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from typing import Any

import aiohttp
from aiohttp import web

from experiments.lab.services.server import Limits, Service, configuration, failed
from experiments.lab.services.store import BROKEN, Store

LIMITS = Limits(slots=2, queue=6, service_time="lognormal 40ms cv 0.5", longest_wait_s=1.0)
DATABASE_WITHIN_S = 1.0
PAYMENT_WITHIN_S = 1.0
BREAKER_FAILURES = 5
BREAKER_OPEN_S = 10.0
PULSE_S = 1.0
SETTLE_EVERY_S = 5.0
ABANDONED_AFTER_S = 15.0
"""An order pending longer than this has no request any more that would settle it."""
SETTLED_AT_ONCE = 20


class Breaker:
    """Closed, open for a while, then one trial: calls to a provider that fails again and again are not made.

    What becomes of calls that were under way when it opened, or closed again, counts for nothing.
    """

    def __init__(self) -> None:
        self.failures = 0
        self.closed_again = 0.0
        self.opened = 0
        self._epoch = 1

    def lets_through(self) -> int:
        """The number to say the outcome with, or 0: do not call. While open, only one trial after the wait."""
        if self.failures >= BREAKER_FAILURES:
            if time.monotonic() < self.closed_again:
                return 0
            self.closed_again = time.monotonic() + BREAKER_OPEN_S
            self._epoch += 1
        return self._epoch

    def saw(self, epoch: int, *, success: bool) -> None:
        """The outcome of a call."""
        if epoch != self._epoch:
            return
        was_open = self.failures >= BREAKER_FAILURES
        self.failures = 0 if success else self.failures + 1
        if self.failures < BREAKER_FAILURES:
            self._epoch += was_open
            return
        self.opened += not was_open
        self.closed_again = time.monotonic() + BREAKER_OPEN_S
        self._epoch += 1


class Checkout(Service):
    """Orders and payments."""

    def __init__(self, config: dict[str, Any]) -> None:
        """Needs `primary` (connection string) and `payments` (URL)."""
        super().__init__(config, LIMITS)
        self.store = Store(config["primary"], DATABASE_WITHIN_S)
        self.upkeep = Store(config["primary"], DATABASE_WITHIN_S)
        self.breaker = Breaker()
        self.sagas = {"confirmed": 0, "cancelled": 0, "left_pending": 0, "settled_late": 0}
        self.add("POST", "/checkout", self.buy)
        self.app.cleanup_ctx.append(self._background)

    async def _background(self, _app: web.Application) -> Any:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PAYMENT_WITHIN_S)) as self.http:
            tasks = [asyncio.create_task(self._beat()), asyncio.create_task(self._settle())]
            yield
            for task in tasks:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    # -- the saga -------------------------------------------------------------------------------------------------------

    async def buy(self, request: web.Request) -> web.Response:
        """201 when confirmed; 502 when the database or the payment failed, with what became of the order."""
        try:
            body = await request.json() if request.can_read_body else {}
            order, item = str(body.get("id") or uuid.uuid4()), int(body.get("item", 1))
        except (ValueError, TypeError, AttributeError):
            return failed(400, "expected an object with 'id' and 'item', a number")
        try:
            amount = await self._open(order, item)
        except BROKEN:
            return failed(502, "database")
        if amount is None:
            return failed(404, "no such item")
        charge = await self._charge(order, amount)
        try:
            if charge is None:
                await self._void(order)
                await self._close(order, "cancelled", "payment")
                self.sagas["cancelled"] += 1
                return failed(502, "payment")
            await self._close(order, "confirmed", None, amount, charge)
        except BROKEN:
            self.sagas["left_pending"] += 1
            return failed(502, "database after payment")
        self.sagas["confirmed"] += 1
        return web.json_response({"order": order, "state": "confirmed", "charge": charge}, status=201)

    async def _open(self, order: str, item: int) -> int | None:
        """The order pending, its price; None for an item that does not exist. The same id twice is one order."""
        async with self.store.connection() as connection:
            row = await (
                await connection.execute(
                    """WITH placed AS (INSERT INTO orders (id, item, state) SELECT %s, id, 'pending' FROM items WHERE id = %s
                                       ON CONFLICT (id) DO NOTHING)
                       SELECT price_cents FROM items WHERE id = %s""",
                    (order, item, item),
                )
            ).fetchone()
        return row[0] if row else None

    async def _close(self, order: str, state: str, reason: str | None, amount: int = 0, charge: str = "") -> None:
        """Both tables or neither."""
        async with self.store.connection() as connection:
            if state == "confirmed":
                await connection.execute(
                    "INSERT INTO payments (order_id, amount_cents, charge) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
                    (order, amount, charge),
                )
            await connection.execute(
                "UPDATE orders SET state = %s, reason = %s, settled = clock_timestamp() WHERE id = %s AND state = 'pending'",
                (state, reason, order),
            )

    async def _charge(self, order: str, amount: int) -> str | None:
        """The provider's charge, or None when it failed or may have."""
        epoch = self.breaker.lets_through()
        if not epoch:
            return None
        try:
            async with self.http.post(f"{self.config['payments']}/charges/{order}", json={"amount_cents": amount}) as answer:
                charge = (await answer.json())["charge"] if answer.status == 201 else None
        except (aiohttp.ClientError, TimeoutError):
            charge = None
        self.breaker.saw(epoch, success=charge is not None)
        return charge

    async def _void(self, order: str) -> None:
        """Compensate: whatever the provider did with the order's charge is undone. It remembers voids of charges it has not seen."""
        if self.breaker.failures >= BREAKER_FAILURES:
            return  # nothing was sent, or the settling below voids it when the provider answers again
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            async with self.http.delete(f"{self.config['payments']}/charges/{order}"):
                pass

    # -- upkeep ---------------------------------------------------------------------------------------------------------

    async def _beat(self) -> None:
        """Every second the pulse by which copies know how old they are."""
        while True:
            with contextlib.suppress(*BROKEN):
                async with self.upkeep.connection() as connection:
                    await connection.execute(
                        """INSERT INTO pulse VALUES (%s, clock_timestamp())
                           ON CONFLICT (writer) DO UPDATE SET beat = excluded.beat""",
                        (self.name,),
                    )
            await asyncio.sleep(PULSE_S)

    async def _settle(self) -> None:
        """Orders nobody works on any more: confirmed if they were paid, cancelled if not, left alone while the provider is silent."""
        while True:
            await asyncio.sleep(SETTLE_EVERY_S)
            with contextlib.suppress(*BROKEN, aiohttp.ClientError):
                async with self.upkeep.connection() as connection:
                    found = await (
                        await connection.execute(
                            """SELECT o.id, i.price_cents FROM orders AS o JOIN items AS i ON i.id = o.item
                               WHERE o.state = 'pending' AND o.placed < clock_timestamp() - make_interval(secs => %s) LIMIT %s""",
                            (ABANDONED_AFTER_S, SETTLED_AT_ONCE),
                        )
                    ).fetchall()
                for order, amount in found:
                    async with self.http.get(f"{self.config['payments']}/charges/{order}") as answer:
                        charge = (await answer.json())["charge"] if answer.status == 200 else None
                    if charge is None:
                        async with self.http.delete(f"{self.config['payments']}/charges/{order}"):
                            pass
                    await self._close(
                        order, "confirmed" if charge else "cancelled", None if charge else "abandoned", amount, charge or ""
                    )
                    self.sagas["settled_late"] += 1

    def more_metrics(self, label: str) -> list[str]:
        """What became of orders, and the breaker."""
        lines = [f'shop_orders_total{{{label},state="{state}"}} {n}' for state, n in self.sagas.items()]
        is_open = int(self.breaker.failures >= BREAKER_FAILURES)
        return [*lines, f"shop_breaker_open{{{label}}} {is_open}", f"shop_breaker_opened_total{{{label}}} {self.breaker.opened}"]


def main() -> None:
    """Serve."""
    Checkout(configuration()).run()


if __name__ == "__main__":
    main()
