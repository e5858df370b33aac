"""The relay on the links: TCP connections pass through it and can be slowed, starved, cut; it speaks Toxiproxy's HTTP API.

The rule that surprises: toxics act on connections that are open already, as Toxiproxy's do; disabling a proxy ends its connections and
refuses new ones.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

from aiohttp import web

from experiments.lab.services.proxy import Proxy, Toxic, ToxicError
from experiments.lab.services.server import configuration

VERSION = "gameday lab relay"


class Relay:
    """All proxies, by name, and the API over them."""

    def __init__(self) -> None:
        self.proxies: dict[str, Proxy] = {}

    async def add(self, name: str, listen: str, upstream: str, *, enabled: bool = True) -> Proxy:
        """A new proxy; OSError when its address is taken."""
        proxy = Proxy(name, _address(listen), _address(upstream))
        if enabled:
            await proxy.start()
        self.proxies[name] = proxy
        return proxy

    def app(self) -> web.Application:
        """Toxiproxy's API, as far as the lab needs it."""
        app = web.Application(middlewares=[_errors])
        router = app.router
        router.add_get("/version", self._version)
        router.add_post("/reset", self._reset)
        router.add_get("/proxies", self._list)
        router.add_post("/proxies", self._create)
        router.add_get("/proxies/{name}", self._show)
        router.add_post("/proxies/{name}", self._update)
        router.add_patch("/proxies/{name}", self._update)
        router.add_delete("/proxies/{name}", self._delete)
        router.add_get("/proxies/{name}/toxics", self._toxics)
        router.add_post("/proxies/{name}/toxics", self._add_toxic)
        router.add_get("/proxies/{name}/toxics/{toxic}", self._show_toxic)
        router.add_post("/proxies/{name}/toxics/{toxic}", self._change_toxic)
        router.add_patch("/proxies/{name}/toxics/{toxic}", self._change_toxic)
        router.add_delete("/proxies/{name}/toxics/{toxic}", self._remove_toxic)
        return app

    def _named(self, request: web.Request) -> Proxy:
        found = self.proxies.get(request.match_info["name"])
        if found is None:
            raise ToxicError("proxy not found", 404)
        return found

    async def _version(self, _request: web.Request) -> web.Response:
        return web.json_response({"version": VERSION})

    async def _reset(self, _request: web.Request) -> web.Response:
        for proxy in self.proxies.values():
            proxy.toxics.clear()
            proxy.changed()
            await proxy.start()
        return web.Response(status=204)

    async def _list(self, _request: web.Request) -> web.Response:
        return web.json_response({name: proxy.as_json() for name, proxy in self.proxies.items()})

    async def _create(self, request: web.Request) -> web.Response:
        body = await request.json()
        for field in ("name", "upstream", "listen"):
            if not isinstance(body.get(field), str):
                raise ToxicError(f"missing required field: {field}")
        if body["name"] in self.proxies:
            raise ToxicError("proxy already exists", 409)
        proxy = await self.add(body["name"], body["listen"], body["upstream"], enabled=body.get("enabled", True))
        return web.json_response(proxy.as_json(), status=201)

    async def _show(self, request: web.Request) -> web.Response:
        return web.json_response(self._named(request).as_json())

    async def _update(self, request: web.Request) -> web.Response:
        proxy, body = self._named(request), await request.json()
        if "upstream" in body and body["upstream"] != proxy.as_json()["upstream"]:
            proxy.upstream = _address(body["upstream"])
        if "listen" in body and body["listen"] != proxy.as_json()["listen"]:
            raise ToxicError("listen cannot be changed")
        await (proxy.start() if body.get("enabled", proxy.enabled) else proxy.stop())
        return web.json_response(proxy.as_json())

    async def _delete(self, request: web.Request) -> web.Response:
        proxy = self._named(request)
        await proxy.stop()
        del self.proxies[proxy.name]
        return web.Response(status=204)

    async def _toxics(self, request: web.Request) -> web.Response:
        return web.json_response([toxic.as_json() for toxic in self._named(request).toxics.values()])

    async def _add_toxic(self, request: web.Request) -> web.Response:
        proxy = self._named(request)
        toxic = Toxic.read(await request.json())
        if toxic.name in proxy.toxics:
            raise ToxicError("toxic already exists", 409)
        proxy.toxics[toxic.name] = toxic
        proxy.changed()
        return web.json_response(toxic.as_json())

    def _toxic(self, request: web.Request) -> Toxic:
        found = self._named(request).toxics.get(request.match_info["toxic"])
        if found is None:
            raise ToxicError("toxic not found", 404)
        return found

    async def _show_toxic(self, request: web.Request) -> web.Response:
        return web.json_response(self._toxic(request).as_json())

    async def _change_toxic(self, request: web.Request) -> web.Response:
        proxy, before, body = self._named(request), self._toxic(request), await request.json()
        attributes = before.attributes | body.get("attributes", {})
        known = before.as_json() | {"toxicity": body.get("toxicity", before.toxicity), "attributes": attributes}
        proxy.toxics[before.name] = toxic = Toxic.read(known)
        proxy.changed()
        return web.json_response(toxic.as_json())

    async def _remove_toxic(self, request: web.Request) -> web.Response:
        toxic, proxy = self._toxic(request), self._named(request)
        del proxy.toxics[toxic.name]
        proxy.changed()
        return web.Response(status=204)


@web.middleware
async def _errors(request: web.Request, handler: Any) -> web.StreamResponse:
    """Errors in Toxiproxy's shape."""
    try:
        response: web.StreamResponse = await handler(request)
    except ToxicError as error:
        return web.json_response({"error": str(error), "status": error.status}, status=error.status)
    except json.JSONDecodeError:
        return web.json_response({"error": "bad request body", "status": 400}, status=400)
    except OSError as error:
        return web.json_response({"error": str(error), "status": 500}, status=500)
    return response


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit():
        raise ToxicError(f"'{text}' is no address such as 127.0.0.1:8080")
    return host, int(port)


def main() -> None:
    """Serve the links of the configuration file and the API."""
    config = configuration()
    relay = Relay()

    async def start(_app: web.Application) -> None:
        await asyncio.gather(*(relay.add(link["name"], link["listen"], link["upstream"]) for link in config["links"]))

    app = relay.app()
    app.on_startup.append(start)
    web.run_app(app, host=config["host"], port=config["port"], access_log=None, print=None, shutdown_timeout=1.0)


if __name__ == "__main__":
    main()
