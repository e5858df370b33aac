"""A payment provider that does what it is told: how long it takes and how often it errs can be set while it runs.

The rule that surprises: voiding a charge it has never seen is remembered, and a charge that arrives after its own void is refused; so a
caller that gave up waiting can undo what may still be on its way.
"""

from __future__ import annotations

import random
import uuid
from typing import Any

from aiohttp import web

from experiments.lab.services.server import Limits, Service, configuration, failed

LIMITS = Limits(slots=200, queue=0, service_time="lognormal 60ms cv 0.4", longest_wait_s=5.0)


class Payments(Service):
    """Charges by the caller's own key; the same key twice is one charge."""

    def __init__(self, config: dict[str, Any]) -> None:
        """`error_ratio` of charges answer 500 and charge nothing."""
        super().__init__(config, LIMITS)
        self.settings = {"error_ratio": 0.0}
        self.charges: dict[str, str | None] = {}
        self._random = random.Random(self.name)  # noqa: S311 - no secret
        self.add("POST", "/charges/{key}", self.charge)
        self.app.router.add_get("/charges/{key}", self.look_up)
        self.app.router.add_get("/charges", self.totals)
        self.app.router.add_delete("/charges/{key}", self.void)

    async def charge(self, request: web.Request) -> web.Response:
        """201 with the charge; 409 when it was voided before; 500 by `error_ratio`."""
        key = request.match_info["key"]
        if self._random.random() < self.settings["error_ratio"]:
            return failed(500, "the provider errs")
        if key in self.charges and self.charges[key] is None:
            return failed(409, "voided")
        charge = self.charges.setdefault(key, str(uuid.uuid4()))
        return web.json_response({"charge": charge}, status=201)

    async def look_up(self, request: web.Request) -> web.Response:
        """200 with the charge, 404 when there is none or it was voided."""
        charge = self.charges.get(request.match_info["key"])
        return web.json_response({"charge": charge}) if charge else failed(404, "no charge")

    async def void(self, request: web.Request) -> web.Response:
        """204, whether or not there was a charge."""
        self.charges[request.match_info["key"]] = None
        return web.Response(status=204)

    async def totals(self, _request: web.Request) -> web.Response:
        """How many charges stand and how many keys are voided."""
        voided = sum(charge is None for charge in self.charges.values())
        return web.json_response({"charged": len(self.charges) - voided, "voided": voided})


def main() -> None:
    """Serve."""
    Payments(configuration()).run()


if __name__ == "__main__":
    main()
