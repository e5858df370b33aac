"""One request of a class, sent to an entry of the target: what probes and proofs are made of."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from http.client import HTTPException
from random import Random
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, Request, build_opener

from gameday.target import Target
from gameday.wire import filled, is_shed

_OPENER = build_opener(ProxyHandler({}))


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: status (0 = nothing), how long it took, and whether it was refused on purpose."""

    status: int
    took_s: float
    shed: bool = False

    def good(self, deadline_s: float) -> bool:
        """Answered well and in time."""
        return 200 <= self.status < 400 and self.took_s <= deadline_s


def send(
    target: Target, request_class: str, region: str | None = None, timeout_s: float = 5.0, random: Random | None = None
) -> Answer:
    """Send one request of a class to a region's entry, the first one where none is named."""
    route = target.routes[request_class]
    entry = target.entries[region] if region is not None else next(iter(target.entries.values()))
    item = random.randint(1, route.items) if random is not None else 1
    path, body = filled(route, item, uuid.uuid4().hex)
    headers = {"Content-Type": "application/json", **({"Host": target.public.name} if target.public else {}), **route.headers}
    request = Request(entry.rstrip("/") + path, body, headers, method=route.method)  # noqa: S310 - allow-listed
    began = time.monotonic()
    try:
        with _OPENER.open(request, timeout=timeout_s) as answer:
            answer.read()
            status, shed = int(answer.status), False
    except HTTPError as error:
        status, shed = error.code, is_shed(error.code, "Retry-After" in error.headers)
    except (URLError, OSError, ValueError, HTTPException):
        status, shed = 0, False
    return Answer(status, time.monotonic() - began, shed)
