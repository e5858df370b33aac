"""What every service of the shop has: bounded work, a health page, metrics, and settings that can be changed while it runs."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from experiments.lab.services.admission import CLASSES, Admission, Shed
from experiments.lab.services.times import ServiceTime
from experiments.throttle import StoppedTime

RETRY_AFTER_S = 1
"""What a refused caller is told."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(slots=True)
class Limits:
    """What one instance can do at once."""

    slots: int
    queue: int
    service_time: str
    longest_wait_s: float


class Service:
    """One instance. `settings` are the numbers and words that `PUT /control` may change."""

    def __init__(self, config: dict[str, Any], limits: Limits) -> None:
        """`config` is the instance's configuration file: name, host, port, region, and what the service itself needs."""
        self.config = config
        self.name: str = config["name"]
        self.admission = Admission(limits.slots, limits.queue, limits.longest_wait_s)
        self.service_time = ServiceTime(limits.service_time, self.name)
        self._stopped = StoppedTime(Path(config["stopped"]))
        self.answers: Counter[int] = Counter()
        self.settings: dict[str, Any] = {}
        self.app = web.Application()
        self.app.router.add_get("/health", self._health)
        self.app.router.add_get("/metrics", self._metrics)
        self.app.router.add_get("/control", self._show)
        self.app.router.add_put("/control", self._change)

    def add(self, method: str, path: str, handler: Handler) -> None:
        """A request that takes a slot and the service time, then is handled."""

        async def bounded(request: web.Request) -> web.StreamResponse:
            asked = request.headers.get("x-class", "normal")
            try:
                async with self.admission.slot(asked if asked in CLASSES else "normal"):
                    await self._work(self.service_time.draw())
                    response = await handler(request)
            except Shed:
                response = failed(503, "shed")
                response.headers["Retry-After"] = str(RETRY_AFTER_S)
            self.answers[response.status] += 1
            return response

        self.app.router.add_route(method, path, bounded)

    async def _work(self, seconds: float) -> None:
        """A sleep that stands for processor time: while the process was stopped, no work was done."""
        began = time.monotonic() - self._stopped.seconds()
        while (left := seconds - (time.monotonic() - self._stopped.seconds() - began)) > 0.0:
            await asyncio.sleep(left)

    def run(self) -> None:
        """Serve until the process is ended."""
        web.run_app(
            self.app, host=self.config["host"], port=self.config["port"], access_log=None, print=None, shutdown_timeout=2.0
        )

    async def _health(self, _request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _metrics(self, _request: web.Request) -> web.Response:
        label = f'instance_name="{self.name}"'
        lines = [
            f"shop_busy_slots{{{label}}} {self.admission.busy}",
            f"shop_busy_seconds_total{{{label}}} {self.admission.busy_s:.3f}",
            f"shop_slots{{{label}}} {self.admission.slots}",
            f"shop_waiting{{{label}}} {self.admission.waiting}",
        ]
        lines += [f'shop_answers_total{{{label},status="{status}"}} {n}' for status, n in sorted(self.answers.items())]
        for key, n in sorted(self.admission.counts.items()):
            what, _, request_class = key.partition(" ")
            lines.append(f'shop_{what}_total{{{label},class="{request_class}"}} {n}')
        lines += self.more_metrics(label)
        return web.Response(text="\n".join(lines) + "\n", content_type="text/plain")

    def more_metrics(self, label: str) -> list[str]:  # noqa: ARG002 - a service that has none
        """Lines of the service's own."""
        return []

    async def _show(self, _request: web.Request) -> web.Response:
        return web.json_response(self._all_settings())

    async def _change(self, request: web.Request) -> web.Response:
        """All or nothing: what is not known or has the wrong type changes nothing and is named."""
        try:
            wanted = await request.json()
        except json.JSONDecodeError:
            return failed(400, "the body is not JSON")
        if not isinstance(wanted, dict):
            return failed(400, "expected an object with settings")
        have = self._all_settings()
        wrong = [
            f"{name}: expected {type(have[name]).__name__}" if name in have else f"{name}: not one of {', '.join(have)}"
            for name, value in wanted.items()
            if name not in have
            or not isinstance(value, type(have[name]))
            or isinstance(value, bool) != isinstance(have[name], bool)
        ]
        try:
            ServiceTime(str(wanted.get("service_time", self.service_time.text)), "check")
        except ValueError as error:
            wrong.append(str(error))
        if wanted.get("slots", 1) < 1 if not wrong else False:
            wrong.append("slots: at least 1")
        if wrong:
            return failed(400, "; ".join(wrong))
        for name, value in wanted.items():
            if name == "service_time":
                self.service_time.set(value)
            elif name in {"slots", "queue"}:
                setattr(self.admission, name, value)
            else:
                self.settings[name] = value
        return web.json_response(self._all_settings())

    def _all_settings(self) -> dict[str, Any]:
        own = {"service_time": self.service_time.text, "slots": self.admission.slots, "queue": self.admission.queue}
        return own | self.settings


def failed(status: int, reason: str) -> web.Response:
    """An answer that says why; the reason is a header too, so that a load generator need not read the body."""
    return web.json_response({"error": reason}, status=status, headers={"X-Reason": reason})


def configuration() -> dict[str, Any]:
    """The file named on the command line, as `python -m experiments.lab.services.<service> FILE`."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    parser = argparse.ArgumentParser(description="One instance of a service of the lab.")
    parser.add_argument("config", type=Path)
    file = parser.parse_args().config
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return {"stopped": str(file.with_name("stopped"))} | found
