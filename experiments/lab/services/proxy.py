"""One relayed link and its toxics, with the meanings Toxiproxy gives them.

The rule that surprises: a `timeout` toxic drops bytes for good, so a connection that lost some is ended when the toxic is taken away.
"""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, Self

CHUNK: Final = 65_536
MOST_CHUNKS_HELD: Final = 64
"""Chunks one direction holds before it stops reading, as a full socket buffer would."""
CONNECT_WITHIN_S: Final = 5.0
SLICE_S: Final = 0.1
"""Bandwidth is rationed in parts of this length."""
KINDS: Final[dict[str, tuple[str, ...]]] = {
    "latency": ("latency", "jitter"),
    "bandwidth": ("rate",),
    "timeout": ("timeout",),
    "reset_peer": ("timeout",),
    "slow_close": ("delay",),
    "limit_data": ("bytes",),
}
"""Toxics and their attributes: milliseconds, kB/s, bytes; as Toxiproxy's."""
STREAMS: Final = ("upstream", "downstream")


class ToxicError(Exception):
    """A request to the relay that cannot be served; `status` is the HTTP status."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Toxic:
    """One disturbance of one direction; `toxicity` is the share of connections it hits."""

    name: str
    type: str
    stream: str
    toxicity: float
    attributes: dict[str, float]

    @classmethod
    def read(cls, body: Any) -> Self:
        """From a request body. ToxicError names what is wrong."""
        if not isinstance(body, dict) or body.get("type") not in KINDS:
            raise ToxicError(f"invalid toxic type; the lab's relay has {', '.join(KINDS)}")
        kind, stream = body["type"], body.get("stream", "downstream")
        if stream not in STREAMS:
            raise ToxicError("stream was invalid, can be either upstream or downstream")
        toxicity, given = body.get("toxicity", 1.0), body.get("attributes", {})
        if not _is_number(toxicity) or not 0 <= toxicity <= 1:
            raise ToxicError("toxicity: expected a number from 0 to 1")
        for name, value in given.items():
            if name not in KINDS[kind] or not _is_number(value) or value < 0:
                raise ToxicError(f"{kind} has the attributes {', '.join(KINDS[kind])}, numbers from 0; not {name}: {value}")
        return cls(body.get("name") or f"{kind}_{stream}", kind, stream, toxicity, dict.fromkeys(KINDS[kind], 0) | given)

    def as_json(self) -> dict[str, Any]:
        """As Toxiproxy shows it."""
        return {
            "name": self.name,
            "type": self.type,
            "stream": self.stream,
            "toxicity": self.toxicity,
            "attributes": self.attributes,
        }


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


class Proxy:
    """A listening address, where it leads, and the connections through it."""

    def __init__(self, name: str, listen: tuple[str, int], upstream: tuple[str, int]) -> None:
        self.name, self.listen, self.upstream = name, listen, upstream
        self.toxics: dict[str, Toxic] = {}
        self.random = random.Random(name)  # noqa: S311 - no secret
        self._server: asyncio.Server | None = None
        self._open: set[_Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._change = asyncio.Event()

    @property
    def enabled(self) -> bool:
        """Whether it accepts connections."""
        return self._server is not None

    async def start(self) -> None:
        """Accept connections; nothing happens when it does already."""
        if self._server is None:
            self._server = await asyncio.start_server(self._accept, *self.listen)

    async def stop(self) -> None:
        """End every connection and refuse new ones."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for connection in list(self._open):
            connection.close()

    def changed(self) -> None:
        """Toxics have changed: open connections look at them again, and who waits because of one wakes up."""
        self._change.set()
        self._change = asyncio.Event()
        for connection in self._open:
            connection.look()

    async def wait(self, seconds: float | None) -> None:
        """Wait that long, or until toxics change; None = only until they change."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._change.wait(), seconds)

    def as_json(self) -> dict[str, Any]:
        """As Toxiproxy shows it."""
        return {
            "name": self.name,
            "listen": "{}:{}".format(*self.listen),
            "upstream": "{}:{}".format(*self.upstream),
            "enabled": self.enabled,
            "toxics": [toxic.as_json() for toxic in self.toxics.values()],
        }

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(CONNECT_WITHIN_S):
                far_reader, far_writer = await asyncio.open_connection(*self.upstream)
        except (OSError, TimeoutError):
            writer.transport.abort()
            return
        if not self.enabled:
            writer.transport.abort()
            far_writer.transport.abort()
            return
        connection = _Connection(self, (reader, writer), (far_reader, far_writer))
        self._open.add(connection)
        try:
            await connection.run()
        finally:
            self._open.discard(connection)


class _Connection:
    """Both directions of one connection."""

    def __init__(self, proxy: Proxy, near: _Ends, far: _Ends) -> None:
        self.proxy = proxy
        self._writers = (near[1], far[1])
        self._draws: dict[int, tuple[Toxic, bool]] = {}
        self._pipes = [_Pipe(self, "upstream", near[0], far[1]), _Pipe(self, "downstream", far[0], near[1])]

    def bites(self, toxic: Toxic) -> bool:
        """Whether this connection is among those the toxic hits; decided once."""
        if id(toxic) not in self._draws:  # the toxic is kept with the draw, so that its id stays its own
            self._draws[id(toxic)] = (toxic, self.proxy.random.random() < toxic.toxicity)
        return self._draws[id(toxic)][1]

    async def run(self) -> None:
        """Until both directions have ended or the connection is cut."""
        self.look()
        tasks = [asyncio.create_task(part) for pipe in self._pipes for part in (pipe.read(), pipe.deliver())]
        try:
            await asyncio.gather(*tasks)
        except OSError:
            pass
        finally:
            for task in tasks:
                task.cancel()
            self.close()

    def look(self) -> None:
        """Toxics have changed."""
        for pipe in self._pipes:
            pipe.queue.put_nowait(None)

    def close(self) -> None:
        """End it at once."""
        for writer in self._writers:
            writer.transport.abort()

    def reset(self) -> None:
        """End it with a TCP reset on both sides."""
        for writer in self._writers:
            raw = writer.get_extra_info("socket")
            with suppress(OSError):
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()


_Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(eq=False)
class _Pipe:
    """One direction: what is read is delivered after what the toxics do to it; the order of bytes never changes."""

    connection: _Connection
    stream: str
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    queue: asyncio.Queue[tuple[float, bytes] | None] = field(default_factory=asyncio.Queue)
    held: int = 0
    passed: int = 0
    has_dropped: bool = False
    room: asyncio.Event = field(default_factory=asyncio.Event)
    armed: set[int] = field(default_factory=set)

    def active(self) -> list[Toxic]:
        """Toxics of this direction that hit this connection."""
        toxics = self.connection.proxy.toxics
        return [one for one in toxics.values() if one.stream == self.stream and self.connection.bites(one)] if toxics else []

    async def read(self) -> None:
        """From the sender; straight through while nothing is held back and no toxic is there."""
        loop = asyncio.get_running_loop()
        while chunk := await self.reader.read(CHUNK):
            if not self.held and not self.has_dropped and not self.connection.proxy.toxics:
                self.passed += len(chunk)
                self.writer.write(chunk)
                await self.writer.drain()
                continue
            self.held += 1
            self.queue.put_nowait((loop.time(), chunk))
            while self.held > MOST_CHUNKS_HELD:
                self.room.clear()
                await self.room.wait()
        self.queue.put_nowait((loop.time(), b""))

    async def deliver(self) -> None:
        """To the receiver."""
        while True:
            item = await self.queue.get()
            if item is None:
                self._look()
                continue
            stamp, chunk = item
            if not chunk:
                await self._end()
                return
            await self._through(stamp, chunk)
            self.held -= 1
            self.room.set()

    def _look(self) -> None:
        """Arm what happens by itself after a time; end a connection that lost bytes to a toxic which is gone."""
        loop, active = asyncio.get_running_loop(), self.active()
        if self.has_dropped and all(toxic.type != "timeout" for toxic in active):
            self.connection.close()
        for toxic in active:
            if id(toxic) in self.armed:
                continue
            self.armed.add(id(toxic))
            after_s = toxic.attributes.get("timeout", 0) / 1000
            if toxic.type == "reset_peer" or (toxic.type == "timeout" and after_s > 0):
                loop.call_later(after_s, self._fire, toxic)

    def _fire(self, toxic: Toxic) -> None:
        if any(one is toxic for one in self.active()):
            (self.connection.reset if toxic.type == "reset_peer" else self.connection.close)()

    async def _through(self, stamp: float, chunk: bytes) -> None:
        for toxic in self.active():
            attributes = toxic.attributes
            match toxic.type:
                case "timeout":
                    self.has_dropped = True
                    return
                case "latency":
                    jitter = attributes["jitter"] * self.connection.proxy.random.uniform(-1, 1)
                    await self._until(toxic, stamp + max(0.0, attributes["latency"] + jitter) / 1000)
                case "bandwidth":
                    await self._ration(toxic, chunk)
                    return
                case "limit_data":
                    chunk = chunk[: max(0, int(attributes["bytes"]) - self.passed)]
        await self._send(chunk)
        if any(one.type == "limit_data" and self.passed >= one.attributes["bytes"] for one in self.active()):
            self.connection.close()

    async def _until(self, toxic: Toxic, due: float) -> None:
        """Wait for the time, but no longer than the toxic is there."""
        loop = asyncio.get_running_loop()
        while (left := due - loop.time()) > 0 and any(one is toxic for one in self.active()):
            await self.connection.proxy.wait(left)

    async def _ration(self, toxic: Toxic, chunk: bytes) -> None:
        """Parts no larger than what the rate (kB/s) lets through in a slice of time; everything at once when the toxic goes."""
        rate = toxic.attributes["rate"] * 1000
        while chunk and any(one is toxic for one in self.active()):
            if rate == 0:
                await self.connection.proxy.wait(None)
                continue
            part, chunk = chunk[: max(1, int(rate * SLICE_S))], chunk[max(1, int(rate * SLICE_S)) :]
            await self._until(toxic, asyncio.get_running_loop().time() + len(part) / rate)
            await self._send(part)
        if chunk:
            await self._send(chunk)

    async def _send(self, chunk: bytes) -> None:
        self.passed += len(chunk)
        self.writer.write(chunk)
        await self.writer.drain()

    async def _end(self) -> None:
        """Pass the end on, late if a toxic says so."""
        for toxic in self.active():
            if toxic.type == "slow_close":
                await self._until(toxic, asyncio.get_running_loop().time() + toxic.attributes["delay"] / 1000)
        with suppress(OSError):
            self.writer.write_eof()
