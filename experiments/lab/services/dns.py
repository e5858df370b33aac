"""The name server for the shop's public name: real answers over UDP and TCP, with a TTL, changed by HTTP.

GET /records   PUT /records/<name> {"addresses": {...} | "address": "...", "ttl": 30}   POST /break {"share": 1.0}   POST /mend
"""

from __future__ import annotations

import ipaddress
import json
import random
from typing import Any

from aiohttp import web
from dnslib import QTYPE, RCODE, RR, A, DNSRecord
from dnslib.server import DNSServer

from experiments.lab.services.server import configuration, failed

LONGEST_TTL_S = 86_400


class Records:
    """What is answered; `broken` of the queries get SERVFAIL."""

    def __init__(self, records: dict[str, dict[str, Any]]) -> None:
        """`records`: name to {addresses: {label: address}, ttl: seconds}."""
        self.records = records
        self.broken = 0.0
        self.asked = 0
        self._random = random.Random("dns")  # noqa: S311 - no secret

    def resolve(self, request: DNSRecord, handler: Any) -> DNSRecord:  # noqa: ARG002 - dnslib's signature
        """All addresses of the name, in an order that changes from query to query."""
        self.asked += 1
        reply = request.reply()
        if self._random.random() < self.broken:
            reply.header.rcode = RCODE.SERVFAIL
            return reply
        record = self.records.get(str(request.q.qname).rstrip(".").lower())
        if record is None:
            reply.header.rcode = RCODE.NXDOMAIN
        elif request.q.qtype in {QTYPE.A, QTYPE.ANY}:
            addresses = list(record["addresses"].values())
            self._random.shuffle(addresses)
            for address in addresses:
                reply.add_answer(RR(request.q.qname, QTYPE.A, rdata=A(address), ttl=record["ttl"]))
        return reply


def _record(body: Any, before: dict[str, Any] | None) -> dict[str, Any]:
    """The record a request describes; ValueError says what is wrong."""
    if not isinstance(body, dict) or not set(body) <= {"addresses", "address", "ttl"}:
        raise ValueError("expected an object with 'addresses' or 'address', and 'ttl'")
    addresses = body.get("addresses") or ({"all": body["address"]} if "address" in body else (before or {}).get("addresses"))
    ttl = body.get("ttl", (before or {}).get("ttl", 30))
    if not isinstance(addresses, dict) or not addresses:
        raise ValueError("expected at least one address")
    for address in addresses.values():
        ipaddress.IPv4Address(address)
    if isinstance(ttl, bool) or not isinstance(ttl, int) or not 0 <= ttl <= LONGEST_TTL_S:
        raise ValueError(f"ttl: expected whole seconds from 0 to {LONGEST_TTL_S}")
    return {"addresses": addresses, "ttl": ttl}


def control(records: Records) -> web.Application:
    """The HTTP side."""

    async def show(_request: web.Request) -> web.Response:
        return web.json_response({"records": records.records, "broken": records.broken, "asked": records.asked})

    async def put(request: web.Request) -> web.Response:
        name = request.match_info["name"].lower()
        try:
            records.records[name] = _record(await request.json(), records.records.get(name))
        except (ValueError, json.JSONDecodeError) as error:
            return failed(400, str(error))
        return web.json_response(records.records[name])

    async def set_broken(request: web.Request) -> web.Response:
        body = await request.json() if request.can_read_body else {}
        share = body.get("share", 1.0)
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
            return failed(400, "share: expected a number from 0 to 1")
        records.broken = float(share)
        return web.json_response({"broken": records.broken})

    async def mend(_request: web.Request) -> web.Response:
        records.broken = 0.0
        return web.json_response({"broken": 0.0})

    app = web.Application()
    app.router.add_get("/records", show)
    app.router.add_put("/records/{name}", put)
    app.router.add_post("/break", set_broken)
    app.router.add_post("/mend", mend)
    return app


def main() -> None:
    """Serve names in threads of dnslib's, the control in the event loop."""
    config = configuration()
    records = Records(config["records"])
    for tcp in (False, True):
        DNSServer(records, address=config["host"], port=config["dns_port"], tcp=tcp, logger=_Quiet()).start_thread()
    web.run_app(control(records), host=config["host"], port=config["port"], access_log=None, print=None, shutdown_timeout=1.0)


class _Quiet:
    """dnslib asks for a logger with methods of its own; queries are counted, not logged."""

    def __getattr__(self, _name: str) -> Any:
        return lambda *_arguments, **_named: None


if __name__ == "__main__":
    main()
