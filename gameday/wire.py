"""What goes over the wire on a live day, without sending it: requests from routes, DNS questions and their answers (RFC 1035).

Load generator, probes and proofs build their messages here, so all of them ask the same.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from typing import Any

from gameday.target import Route

REASON_HEADER = "x-reason"
"""Header in which a service may say why it failed a request."""
REASONS = frozenset({"shed", "queue_full", "rate_limited", "breaker_open", "read_only", "stale", "no_route", "timeout"})
"""Words of that header that are words of the series reference; any other is an error."""
_A = 1


@dataclass(frozen=True, slots=True)
class Found:
    """Addresses of a name and how long they may be kept."""

    addresses: tuple[str, ...]
    ttl_s: float


def filled(route: Route, item: int, unique: str) -> tuple[str, bytes | None]:
    """Path and body of one request: `{item}` is a number, `{id}` a text that no other request has."""

    def fill(text: str) -> str:
        return text.replace("{item}", str(item)).replace("{id}", unique)

    body: dict[str, Any] | None = route.body
    if body is not None:
        body = {key: fill(value) if isinstance(value, str) else value for key, value in body.items()}
    elif route.method in {"POST", "PUT", "PATCH"}:
        body = {}
    return fill(route.path), None if body is None else json.dumps(body).encode()


def is_shed(status: int, retry_after: bool) -> bool:
    """Whether an answer is a refusal on purpose: 429, or 503 that says when to come back."""
    return status == 429 or (status == 503 and retry_after)


def dns_question(name: str, number: int) -> bytes:
    """A query for the A records of a name; `number` (16 bits) is what the answer repeats."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.rstrip(".").split(".")) + b"\0"
    return struct.pack(">HHHHHH", number, 0x0100, 1, 0, 0, 0) + labels + struct.pack(">HH", _A, 1)


def dns_answer(answer: bytes, number: int) -> Found | None:
    """The A records of an answer; None when it is broken, about something else, or says that it cannot say."""
    try:
        told, flags, questions, answers = struct.unpack_from(">HHHH", answer)
        if told != number or flags & 0x000F:
            return None
        at = 12
        for _ in range(questions):
            at = _after_name(answer, at) + 4
        addresses, ttls = [], []
        for _ in range(answers):
            at = _after_name(answer, at)
            kind, _, ttl_s, length = struct.unpack_from(">HHIH", answer, at)
            at += 10
            if kind == _A and length == 4:
                addresses.append(".".join(str(byte) for byte in answer[at : at + 4]))
                ttls.append(float(ttl_s))
            at += length
    except (struct.error, IndexError):
        return None
    return Found(tuple(addresses), min(ttls, default=0.0))


def _after_name(answer: bytes, at: int) -> int:
    """Where a name ends: at a zero, or at a pointer, which is two bytes."""
    while answer[at]:
        if answer[at] & 0xC0 == 0xC0:
            return at + 2
        at += answer[at] + 1
    return at + 1
