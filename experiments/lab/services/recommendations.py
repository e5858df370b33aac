"""`recommendations`: optional; nobody's purchase depends on it."""

from __future__ import annotations

import random

from aiohttp import web

from experiments.lab.services.server import Limits, Service, configuration

LIMITS = Limits(slots=4, queue=8, service_time="exponential 20ms", longest_wait_s=0.2)
ITEMS = 200


def main() -> None:
    """Serve."""
    service = Service(configuration(), LIMITS)
    chosen = random.Random(service.name)  # noqa: S311 - no secret

    async def recommend(_request: web.Request) -> web.Response:
        return web.json_response({"items": chosen.sample(range(1, ITEMS + 1), 3)})

    service.add("GET", "/recommendations", recommend)
    service.run()


if __name__ == "__main__":
    main()
