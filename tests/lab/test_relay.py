"""The relay's toxics, each seen from the two ends of a real connection, by Toxiproxy's API."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.lab.real import needs_lab

pytestmark = needs_lab

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]
WITHIN_S = 20.0


@asynccontextmanager
async def echo_behind_a_relay() -> AsyncIterator[tuple[Any, int, Callable[..., Awaitable[Any]]]]:
    """A server that sends everything back, a proxy before it, and the API over it."""
    from aiohttp.test_utils import TestClient, TestServer

    from experiments.lab.services.relay import Relay

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while chunk := await reader.read(65536):
                writer.write(chunk)
                await writer.drain()
        finally:
            writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    port = free_port()
    relay = Relay()
    async with TestClient(TestServer(relay.app(), host="127.0.0.1")) as client:

        async def api(method: str, path: str, body: Any = None) -> Any:
            async with client.request(method, path, json=body) as answer:
                return answer.status, (await answer.json() if answer.content_type == "application/json" else None)

        made = {"name": "p", "listen": f"127.0.0.1:{port}", "upstream": f"127.0.0.1:{server.sockets[0].getsockname()[1]}"}
        assert (await api("POST", "/proxies", made))[0] == 201
        try:
            yield relay, port, api
        finally:
            await relay.proxies["p"].stop()
            server.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


OPEN: list[asyncio.StreamWriter] = []


async def connected(port: int) -> Ends:
    """A connection that is closed at the end of the story."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    OPEN.append(writer)
    return reader, writer


async def said_back(ends: Ends, text: bytes) -> bytes:
    ends[1].write(text)
    await ends[1].drain()
    return await ends[0].readexactly(len(text))


def played(story: Callable[[int, Callable[..., Awaitable[Any]]], Awaitable[None]]) -> None:
    """Run a story on a relay of its own; nothing takes longer than the bound."""

    async def bounded() -> None:
        async with asyncio.timeout(WITHIN_S), echo_behind_a_relay() as (_, port, api):
            try:
                await story(port, api)
            finally:
                for writer in OPEN:
                    writer.transport.abort()
                OPEN.clear()

    asyncio.run(bounded())


def toxic(kind: str, stream: str = "downstream", **attributes: float) -> dict[str, Any]:
    return {"type": kind, "stream": stream, "attributes": attributes}


def test_without_toxics_every_byte_comes_through_in_order() -> None:
    async def story(port: int, api: Callable[..., Awaitable[Any]]) -> None:
        ends = await connected(port)
        text = bytes(range(256)) * 4096
        assert await said_back(ends, text) == text
        ends[1].write_eof()
        assert await ends[0].read() == b"", "the end is passed on"

    played(story)


@pytest.mark.parametrize("stream", ["upstream", "downstream"])
def test_latency_delays_and_keeps_the_order_even_when_it_goes_away_meanwhile(stream: str) -> None:
    async def story(port: int, api: Callable[..., Awaitable[Any]]) -> None:
        ends = await connected(port)
        assert (await api("POST", "/proxies/p/toxics", toxic("latency", stream, latency=300)))[0] == 200
        began = time.monotonic()
        assert await said_back(ends, b"late") == b"late"
        assert time.monotonic() - began >= 0.3
        assert (await api("POST", f"/proxies/p/toxics/latency_{stream}", {"attributes": {"latency": 600_000}}))[0] == 200
        ends[1].write(b"held back, ")
        await asyncio.sleep(0)
        assert (await api("DELETE", f"/proxies/p/toxics/latency_{stream}"))[0] == 204
        ends[1].write(b"then not")
        assert await ends[0].readexactly(19) == b"held back, then not"

    played(story)


def test_bandwidth_takes_at_least_as_long_as_the_rate_says() -> None:
    async def story(port: int, api: Callable[..., Awaitable[Any]]) -> None:
        await api("POST", "/proxies/p/toxics", toxic("bandwidth", rate=100))
        ends = await connected(port)
        began, text = time.monotonic(), b"x" * 50_000
        assert await said_back(ends, text) == text
        assert time.monotonic() - began >= 0.5

    played(story)


def test_timeout_swallows_what_is_sent_and_ends_the_connection_when_it_goes() -> None:
    async def story(port: int, api: Callable[..., Awaitable[Any]]) -> None:
        await api("POST", "/proxies/p/toxics", toxic("timeout", "upstream", timeout=0))
        ends = await connected(port)
        ends[1].write(b"never seen")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(ends[0].read(1), 0.3)
        await api("DELETE", "/proxies/p/toxics/timeout_upstream")
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await ends[0].readexactly(1)
        assert await said_back(await connected(port), b"again") == b"again"

    played(story)


@pytest.mark.parametrize("kind", ["timeout", "reset_peer"])
def test_a_connection_that_says_nothing_is_ended_after_the_time(kind: str) -> None:
    async def story(port: int, api: Callable[..., Awaitable[Any]]) -> None:
        ends = await connected(port)
        assert await said_back(ends, b"fine") == b"fine"
        await api("POST", "/proxies/p/toxics", toxic(kind, timeout=100))
        if kind == "reset_peer":
            with pytest.raises(ConnectionResetError):
                await ends[0].readexactly(1)
        else:
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                await ends[0].readexactly(1)

    played(story)


def test_limit_data_lets_exactly_so_many_bytes_through() -> None:
    async def story(port: int, api: Callable[..., Awaitable[Any]]) -> None:
        await api("POST", "/proxies/p/toxics", toxic("limit_data", "upstream", bytes=10))
        ends = await connected(port)
        ends[1].write(b"0123456789abc")
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)) as ended:
            await ends[0].readexactly(13)
        if isinstance(ended.value, asyncio.IncompleteReadError):
            assert b"0123456789".startswith(ended.value.partial)

    played(story)


def test_a_disabled_proxy_cuts_what_is_open_and_refuses_what_comes() -> None:
    async def story(port: int, api: Callable[..., Awaitable[Any]]) -> None:
        ends = await connected(port)
        assert await said_back(ends, b"fine") == b"fine"
        assert (await api("POST", "/proxies/p", {"enabled": False}))[1]["enabled"] is False
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await ends[0].readexactly(1)
        with pytest.raises(ConnectionRefusedError):
            await connected(port)
        assert (await api("POST", "/reset"))[0] == 204
        assert await said_back(await connected(port), b"back") == b"back"

    played(story)


def test_toxicity_is_the_share_of_connections_it_hits() -> None:
    from experiments.lab.services.proxy import Proxy, Toxic, _Connection

    async def story(port: int, api: Callable[..., Awaitable[Any]]) -> None:
        proxy = Proxy("share", ("127.0.0.1", 1), ("127.0.0.1", 2))
        one = Toxic.read(toxic("latency", latency=1) | {"toxicity": 0.25})
        ends = await connected(port)
        connections = [_Connection(proxy, ends, ends) for _ in range(2000)]
        hit = [connection.bites(one) for connection in connections]
        assert 0.2 < sum(hit) / len(hit) < 0.3
        assert hit == [connection.bites(one) for connection in connections], "decided once"

    played(story)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"type": "slicer"}, "latency"),
        ({"type": "latency", "stream": "sideways"}, "upstream"),
        ({"type": "latency", "toxicity": 2}, "toxicity"),
        ({"type": "latency", "attributes": {"latancy": 5}}, "latency"),
        ({"type": "latency", "attributes": {"latency": -5}}, "numbers from 0"),
    ],
)
def test_a_toxic_that_is_none_is_refused_and_changes_nothing(body: dict[str, Any], words: str) -> None:
    async def story(port: int, api: Callable[..., Awaitable[Any]]) -> None:
        status, said = await api("POST", "/proxies/p/toxics", body)
        assert status == 400
        assert words in said["error"]
        assert (await api("GET", "/proxies/p/toxics")) == (200, [])
        assert (await api("DELETE", "/proxies/p/toxics/none"))[0] == 404
        assert (await api("GET", "/proxies/q"))[0] == 404

    played(story)
